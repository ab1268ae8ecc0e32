// SPDX-License-Identifier: Apache-2.0
// Accounts: balance, ledger, holds, generations; grants, blocks, limits and erasure.

import { date, dialog, h, row, t, toast } from './page.js';
import {
    Panel, absent, act, asked, call, col, field, figures, fill, list, named, reason, refusal, table,
} from './admin-parts.js';
import { columns as jobColumns } from './admin-jobs.js';

const limit = value => (value === '' ? null : Number(value));

/** Grants, or takes; the reference makes sure that it counts once. */
export const grant = (userId, done) => fill(t('grant.to', { user: userId }), [
    field('amount', { type: 'number', required: true, step: 1, hint: t('amount.hint') }),
    field('reason', { required: true, maxLength: 500 }),
    field('reference', { required: true, maxLength: 200, value: `admin-${crypto.randomUUID?.()
        ?? Date.now()}`, hint: t('reference.hint') }),
], 'grant', async ({ amount, ...body }) => {
    const { currentBalance } = await call('POST', 'credits',
        { userId, amount: Number(amount), ...body });
    toast(t('granted', { n: currentBalance }));
    done();
});

const limits = (user, done) => fill(t('limits.of', { user: user.userId }), [
    field('dayLimit', { type: 'number', min: 0, value: user.dayLimit, hint: t('limit.hint') }),
    field('weekLimit', { type: 'number', min: 0, value: user.weekLimit }),
    field('reason', { maxLength: 500 }),
], 'save', async ({ dayLimit, weekLimit, ...body }) => {
    await call('PUT', `users/${named(user.userId)}`,
        { dayLimit: limit(dayLimit), weekLimit: limit(weekLimit), ...body });
    toast(t('saved'));
    done();
});

const block = ({ userId, blocked }, done) => {
    const title = t(blocked ? 'unblock.ask' : 'block.ask', { user: userId });
    return reason(title, blocked ? 'unblock' : 'block', async body => {
        await call('PUT', `users/${named(userId)}`, { blocked: !blocked, ...body });
        toast(t('saved'));
        done();
    });
};

const erase = (userId, done) => fill(t('erase.ask', { user: userId }), [
    field('confirm', { required: true, hint: t('erase.confirm') }),
    field('reason', { required: true, maxLength: 500 }),
], 'erase', async ({ confirm, ...body }) => {
    if (confirm !== userId) throw refusal(t('erase.differs'));
    await call('DELETE', `users/${named(userId)}`, body);
    toast(t('erased'));
    done();
}, t('erase.note'));

const ledgerColumns = [
    col('time', one => one.at, 'time'),
    col('kind', one => one.kind),
    col('amount', one => one.amount),
    col('balance', one => one.balanceAfter),
    col('reason', one => one.reason),
    col('reference', one => one.reference),
    col('id', one => one.generationId),
];
const holdColumns = [
    col('time', one => one.since, 'time'),
    col('kind', one => one.kind),
    col('credits', one => one.credits),
    col('type', one => one.type),
    col('state', one => one.state),
    col('expires', one => one.expiresAt, 'time'),
    col('id', one => one.id),
];

/** One account. Its ledger and holds come after it, each from its own address. */
async function open(name, again) {
    const path = `users/${named(name)}`;
    const { user, jobs } = await call('GET', path);
    const reopen = () => { box.close(); again(); return open(name, again); };
    const part = (title, promise) => {
        const place = h('div', { className: 'part' });
        promise.catch(absent).then(element => element && place.replaceChildren(element));
        return [h('h3', {}, title), place];
    };
    const box = dialog(name, h('div', { className: 'part' },
        figures([['balance', user.balance], ['held', user.held], ['remaining', user.remaining],
            ['dayUsed', user.dayUsed], ['dayLimit', user.dayLimit], ['weekUsed', user.weekUsed],
            ['weekLimit', user.weekLimit], ['blocked', t(user.blocked ? 'yes' : 'nay')],
            ['generations', user.generations], ['created', date(user.createdAt)]]),
        row(act('grant', name, () => grant(name, reopen)),
            act('limits', name, () => limits(user, reopen)),
            act(user.blocked ? 'unblock' : 'block', name, () => block(user, reopen)),
            act('erase', name, () => erase(name, () => { box.close(); again(); }))),
        part(t('ledger'), list(`${path}/ledger`, 'items', ledgerColumns, t('ledger'))),
        part(t('holds'), list(`${path}/holds`, 'holds', holdColumns, t('holds'))),
        h('h3', {}, t('panel.jobs')),
        table(jobColumns(reopen), jobs, t('panel.jobs'))), 'wide');
}

const columns = again => [
    col('user', one => one.userId),
    col('balance', one => one.balance),
    col('held', one => one.held),
    col('dayUsed', one => one.dayUsed),
    col('dayLimit', one => one.dayLimit),
    col('blocked', one => one.blocked),
    col('generations', one => one.generations),
    col('created', one => one.createdAt, 'time'),
    col('actions', null, one => row(
        act('user.open', one.userId, () => open(one.userId, again)),
        act('grant', one.userId, () => grant(one.userId, again)))),
];

customElements.define('gf-users', class extends Panel {
    connectedCallback() {
        const give = act('grant.new', t('field.user'), () => fill(t('grant.new'),
            [field('user', { required: true, maxLength: 255 })], 'go.on',
            ({ user }) => { setTimeout(() => grant(user, () => this.again())); }, t('grant.note')));
        this.append(row(give));
        this.listed([field('user', { maxLength: 255, hint: t('user.hint') })], async ({ user }) => {
            const again = () => this.again();
            if (!user) return list('users?limit=50', 'users', columns(again), t('panel.users'));
            const { user: found } = await call('GET', `users/${named(user)}`);
            return table(columns(again), [found], t('panel.users'));
        });
    }
});
