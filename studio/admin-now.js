// SPDX-License-Identifier: Apache-2.0
// What happens now, read anew every 5 s while somebody can see it.

import { date, dialog, h, number, row, small, t, toast } from './page.js';
import { Panel, absent, act, call, col, figures, reason, table } from './admin-parts.js';

const EVERY = 5000;                              // ms

const bytes = value => number(value / 2 ** 30,
    { style: 'unit', unit: 'gigabyte', unitDisplay: 'short', maximumFractionDigits: 1 });
const time = value => value && date(value, { dateStyle: 'short', timeStyle: 'medium' });

/** Proves the ledger now, and names what is broken. */
async function check(again) {
    const { sound, broken } = await call('GET', 'ledger/check');
    if (sound) toast(t('ledger.sound.now'));
    else dialog(t('ledger.broken'), table([col('rule', one => one.rule),
        col('count', one => one.count), col('sample', one => one.sample)], broken, t('ledger')));
    again();
}

function ledger({ sound, since, checkedAt, brokenRules }, again) {
    const good = since ? 'ledger.sound' : 'ledger.sound.now';
    const bad = sound === false ? 'ledger.broken' : 'ledger.unknown';
    return h('div', { className: `box ${sound === false ? 'failure' : sound ? 'sound' : ''}`,
        'data-sound': String(sound) },
    h('strong', {}, t(sound ? good : bad, { time: time(since) ?? '' })),
    brokenRules?.length > 0 && h('p', {}, brokenRules.join(', ')),
    checkedAt && small(t('ledger.checked', { time: time(checkedAt) })),
    row(act('ledger.check', t('ledger'), () => check(again))));
}

const faults = list => h('ul', {}, list.map(({ fault, subject, detail }) =>
    h('li', {}, h('strong', {}, [fault, subject].filter(Boolean).join(': ')), ' ', detail ?? '')));

const parts = {
    faults: ({ faults: list }) => list && (list.length
        ? h('div', { className: 'box failure' }, h('h3', {}, t('faults')), faults(list))
        : small(t('faults.none'))),
    ledger: (now, again) => now.ledger && ledger(now.ledger, again),
    figures: ({ jobs = {}, store, database = {} }) => figures([
        ['waiting', jobs.waiting], ['running', jobs.running],
        ['oldest', time(jobs.oldestWaitingAt)],
        ['disk', store?.bytesTotal
            && t('of', { part: bytes(store.bytesFree), all: bytes(store.bytesTotal) })],
        ['folder', store?.folder],
        ['database', database.connections !== undefined && database.connections !== null
            ? t('of', { part: database.connections, all: database.connectionsMax ?? '?' }) : null],
        ['locks', database.lockWaits]]),
    breakers: (now, again) => now.breakers && [h('h3', {}, t('breakers')), table([
        col('provider', one => one.provider), col('model', one => one.model),
        col('state', one => one.state), col('failures', one => one.failures),
        col('reason', one => one.reason), col('until', one => one.openUntil, 'time'),
        col('actions', null, one => one.state !== 'closed' && act('breaker.reset',
            `${one.provider} ${one.model}`, () => reset(one, again))),
    ], now.breakers, t('breakers'))],
    failed: now => now.failed && [h('h3', {}, t('failures')), table([
        col('type', one => one.type), col('provider', one => one.provider),
        col('count', one => one.count)], now.failed, t('failures'))],
    budgets: now => now.budgets && [h('h3', {}, t('budgets')), table([
        col('provider', one => one.provider), col('spent', one => one.spent),
        col('limit', one => one.limit)], now.budgets, t('budgets'))],
    hosts: now => now.hosts && [h('h3', {}, t('hosts')), table([
        col('name', one => one.name), col('version', one => one.version),
        col('dispatches', one => one.dispatches), col('seen', one => one.seenAt, 'time'),
        col('clock', one => one.clockAhead), col('differs', one => one.differs?.join(' ')),
    ], now.hosts, t('hosts'))],
};

const reset = ({ provider, model }, again) => reason(t('breaker.ask', { provider, model }),
    'breaker.reset', async body => {
        const query = new URLSearchParams({ model });
        await call('POST', `providers/${encodeURIComponent(provider)}/reset?${query}`, body);
        toast(t('breaker.closed'));
        again();
    });

customElements.define('gf-now', class extends Panel {
    connectedCallback() {
        this.places = {};
        for (const name of Object.keys(parts)) {
            this.places[name] = h('div', { className: 'part', id: `now-${name}` });
        }
        this.wrong = h('div');
        this.append(this.wrong, ...Object.values(this.places));
        this.look = () => this.poll();
        document.addEventListener('visibilitychange', this.look);
        this.poll();
    }

    disconnectedCallback() {
        document.removeEventListener('visibilitychange', this.look);
        clearTimeout(this.timer);
    }

    async poll() {
        clearTimeout(this.timer);
        if (document.hidden || !this.isConnected) return;
        const mine = this.turn += 1;
        const answer = await call('GET', 'now').then(now => ({ now }), error => ({ error }));
        if (mine !== this.turn) return;
        this.wrong.replaceChildren(...answer.error ? [absent(answer.error)].filter(Boolean) : []);
        if (answer.now) this.render(answer.now);
        if (answer.error?.status !== 401) this.timer = setTimeout(this.look, EVERY);
    }

    /** Only what has changed is made anew, so that the focus and a listener's place stay. */
    render(now) {
        for (const [name, make] of Object.entries(parts)) {
            const made = [make(now, this.look)].flat().filter(Boolean);
            const place = this.places[name];
            const same = made.length === place.children.length
                && made.every((one, at) => one.isEqualNode(place.children[at]));
            if (!same) place.replaceChildren(...made);
        }
    }
});
