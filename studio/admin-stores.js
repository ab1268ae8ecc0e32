// SPDX-License-Identifier: Apache-2.0
// Where pictures are stored, and their moves from an old store to the current one.

import { h, number, row, small, t, toast } from './page.js';
import { Panel, act, call, col, field, figures, fill, reason, table } from './admin-parts.js';

const EVERY = 5000;                              // ms, while pictures are being moved
const HOUR = 3600;

const begin = again => fill(t('move.begin'), [
    field('type', { maxLength: 40, hint: t('types.hint') }),
    field('keepHours', { type: 'number', min: 0, max: 720, value: 1, hint: t('move.keep') }),
    field('reason', { required: true, maxLength: 500 }),
], 'move.begin', async ({ type, keepHours, reason: why }) => {
    await call('POST', 'moves', { ...(type && { type }), reason: why,
        ...(keepHours && { keepSeconds: Math.round(Number(keepHours) * HOUR) }) });
    toast(t('move.begun'));
    again();
}, t('move.note'));

const stop = (move, again) => reason(t('move.stop.ask', { type: move.type }), 'move.stop',
    async values => {
        await call('DELETE', `moves/${move.id}`, values);
        toast(t('move.stopped.now'));
        again();
    }, t('move.stop.note'));

const share = ({ found, moved, failed }) => h('progress',
    { max: Math.max(found, 1), value: moved + failed, 'aria-label': t('col.moved') });
const megabytes = value => number(value / 2 ** 20,
    { style: 'unit', unit: 'megabyte', unitDisplay: 'short', maximumFractionDigits: 1 });

const columns = again => [
    col('type', one => one.type),
    col('state', one => one.state, one => t(`move.${one.state}`)),
    col('moved', one => one.moved, one => [share(one), ' ',
        t('of', { part: number(one.moved), all: number(one.found) })]),
    col('found', one => one.found, 'csv'),
    col('failed', one => one.failed),
    col('waiting', one => one.waiting),
    col('bytes', one => one.bytes, one => megabytes(one.bytes)),
    col('from', one => one.from.join(' ')),
    col('to', one => one.to),
    col('lastError', one => one.lastError),
    col('created', one => one.begunAt, 'time'),
    col('ended', one => one.endedAt, 'time'),
    col('id', one => one.id),
    col('actions', null, one => one.state === 'running'
        && act('move.stop', `${one.type} ${one.id}`, () => stop(one, again))),
];

const place = ({ kind, address }) => `${kind} ${address}`;

customElements.define('gf-stores', class extends Panel {
    connectedCallback() {
        const part = h('div', { className: 'part' });
        this.append(part);
        this.again = () => this.put(part, this.read());
        this.again();
        this.timer = setInterval(() => {
            if (this.moving && !document.hidden) this.again();
        }, EVERY);
    }

    disconnectedCallback() {
        clearInterval(this.timer);
    }

    async read() {
        const { to, from, moves } = await call('GET', 'moves');
        this.moving = moves.some(({ state }) => state === 'running');
        return h('div', {}, figures([['to', place(to)], ['from', from.map(place).join(', ')]]),
            from.length ? row(act('move.begin', t('panel.stores'), () => begin(this.again)))
                : small(t('move.nowhere')),
            table(columns(this.again), moves, t('moves')));
    }
});
