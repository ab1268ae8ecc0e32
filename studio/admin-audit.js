// SPDX-License-Identifier: Apache-2.0
// What administrators did: who, what, before, after, why.

import { t } from './page.js';
import { Panel, asked, col, field, list } from './admin-parts.js';

const columns = [
    col('time', one => one.at, 'time'),
    col('admin', one => one.admin),
    col('action', one => one.action),
    col('target', one => one.target),
    col('before', one => one.before),
    col('after', one => one.after),
    col('reason', one => one.reason),
    col('id', one => one.id),
];

customElements.define('gf-audit', class extends Panel {
    connectedCallback() {
        this.listed([field('action', { maxLength: 40 }), field('admin', { maxLength: 255 })],
        values => list(asked('audit', { ...values, limit: 50 }), 'entries', columns,
            t('panel.audit')));
    }
});
