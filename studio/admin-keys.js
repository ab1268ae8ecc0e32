// SPDX-License-Identifier: Apache-2.0
// API keys of all users. A new key is shown once.

import { button, copy, dialog, h, row, t, toast } from './page.js';
import { Panel, act, asked, call, col, field, fill, list, reason } from './admin-parts.js';

const SCOPES = ['images', 'read', 'keys', 'admin'];

function made({ key, user }) {
    dialog(t('key.made', { user }), h('div', { className: 'field' }, h('p', {}, t('key.once')),
        row(h('code', { className: 'key' }, key),
            button('copy', () => copy(key), { className: 'primary' }))), 'question');
}

const add = again => fill(t('key.create'), [
    field('user', { required: true, maxLength: 255 }),
    field('name', { required: true, maxLength: 100 }),
    h('fieldset', {}, h('legend', {}, t('field.scopes')), row(SCOPES.map(scope => h('label',
        { className: 'check' }, h('input', { type: 'checkbox', name: `scope.${scope}`,
            checked: ['images', 'read'].includes(scope) }), scope)))),
    field('types', { hint: t('types.hint') }),
    field('dayCredits', { type: 'number', min: 0 }),
    field('expiresAt', { type: 'datetime-local' }),
    field('reason', { maxLength: 500 }),
], 'key.create', async values => {
    const { user, name, types, dayCredits, expiresAt, reason: why } = values;
    const listed = types.split(/[\s,]+/).filter(Boolean);
    const key = await call('POST', 'keys', { user, name, reason: why,
        scopes: SCOPES.filter(scope => values[`scope.${scope}`]),
        ...(listed.length && { types: listed }),
        ...(dayCredits && { budget: { credits: Number(dayCredits), per: 'day' } }),
        ...(expiresAt && { expiresAt: new Date(expiresAt).toISOString() }) });
    setTimeout(made, 0, key);
    again();
});

const revoke = (one, again) => reason(t('key.revoke.ask', { name: one.name }), 'key.revoke',
    async values => {
        await call('DELETE', `keys/${encodeURIComponent(one.id)}`, values);
        toast(t('key.revoked'));
        again();
    });

const columns = again => [
    col('user', one => one.user),
    col('name', one => one.name),
    col('id', one => one.id, one => h('code', {}, one.id)),
    col('scopes', one => one.scopes.join(' ')),
    col('types', one => one.types?.join(' ')),
    col('budget', ({ budget }) => budget && `${budget.spent} / ${budget.credits} ${budget.per}`),
    col('created', one => one.createdAt, 'time'),
    col('used', one => one.lastUsedAt, 'time'),
    col('expires', one => one.expiresAt, 'time'),
    col('revoked', one => one.revokedAt, 'time'),
    col('actions', null, one => (one.revokedAt ? null
        : act('key.revoke', `${one.name} (${one.user})`, () => revoke(one, again)))),
];

customElements.define('gf-keys', class extends Panel {
    connectedCallback() {
        const again = () => this.again();
        this.append(row(act('key.create', t('panel.keys'), () => add(again))));
        this.listed([field('user', { maxLength: 255 })], values =>
            list(asked('keys', { ...values, limit: 50 }), 'keys', columns(again), t('panel.keys')));
    }
});
