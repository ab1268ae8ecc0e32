// SPDX-License-Identifier: Apache-2.0
// Presets, active or not, each with the picture that the studio shows for it.

import { foreign, h, row, t, toast } from './page.js';
import { draw } from './draw.js';
import { Panel, act, asked, call, col, field, fill, list, reason } from './admin-parts.js';

function preview({ key, prompt, label }) {
    const canvas = h('canvas', { width: 96, height: 96, role: 'img',
        'aria-label': t('preset.preview', { name: label }) });
    draw(canvas, `${key} ${prompt}`);
    return canvas;
}

const address = ({ type, key }) =>
    `presets/${encodeURIComponent(key)}?${new URLSearchParams({ type })}`;
const optional = value => (value.trim() === '' ? null : Number(value));

const fields = (one = {}) => [
    field('label', { required: true, maxLength: 100, value: one.label }),
    field('category', { required: true, maxLength: 50, value: one.category }),
    field('description', { maxLength: 500, value: one.description }),
    field('prompt', { type: 'textarea', maxLength: 2000, value: one.prompt }),
    field('negativePrompt', { type: 'textarea', maxLength: 1000, value: one.negativePrompt }),
    field('strength', { type: 'number', min: 0, max: 1, step: 0.01, value: one.strength }),
    field('week', { type: 'number', min: 1, max: 53, value: one.week }),
    field('isActive', { type: 'checkbox', value: one.isActive ?? true }),
    field('reason', { maxLength: 500 }),
];
const body = ({ strength, week, isActive, negativePrompt, ...texts }) => ({ ...texts,
    strength: optional(strength), week: optional(week), isActive: isActive === 'on',
    negativePrompt: negativePrompt || null });

const edit = (one, again) => fill(t('preset.edit', { name: one.label }), fields(one), 'save',
    async values => {
        await call('PUT', address(one), body(values));
        toast(t('saved'));
        again();
    });
const add = (type, again) => fill(t('preset.add'), [
    field('type', { required: true, maxLength: 40, value: type }),
    field('key', { required: true, maxLength: 64, pattern: '[A-Za-z0-9._:\\-]+' }), ...fields(),
], 'preset.add', async ({ type: of, key, ...values }) => {
    await call('POST', 'presets', { type: of, key, ...body(values) });
    toast(t('saved'));
    again();
});
const drop = (one, again) => reason(t('preset.drop.ask', { name: one.label }), 'delete',
    async values => {
        await call('DELETE', address(one), values);
        toast(t('deleted', { n: 1 }));
        again();
    });

const columns = again => [
    col('picture', null, preview),
    col('type', one => one.type),
    col('key', one => one.key),
    col('label', one => one.label),
    col('category', one => one.category),
    col('prompt', one => one.prompt, one => foreign(one.prompt)),
    col('strength', one => one.strength),
    col('week', one => one.week),
    col('active', one => one.isActive),
    col('actions', null, one => row(act('preset.change', one.key, () => edit(one, again)),
        act('delete', one.key, () => drop(one, again)))),
];

customElements.define('gf-presets', class extends Panel {
    connectedCallback() {
        let type = '';
        const again = () => this.again();
        this.append(row(act('preset.add', t('panel.presets'), () => add(type, again))));
        this.listed([field('type', { maxLength: 40 })], values => {
            type = values.type ?? '';
            return list(asked('presets', { type }), 'presets', columns(again), t('panel.presets'));
        });
    }
});
