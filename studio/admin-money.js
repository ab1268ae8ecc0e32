// SPDX-License-Identifier: Apache-2.0
// Credits by time, type and provider, what providers cost, and holds that nothing has settled.

import { button, date, h, number, row, small, t } from './page.js';
import { Panel, asked, call, col, field, figures, table } from './admin-parts.js';

const CREDITS = ['held', 'charged', 'released', 'granted'];
const HOUR = 3_600_000;                          // ms
const DAY = 24 * HOUR;
const MOST = 800;                                // points of a chart
const HEIGHT = 100;

const svg = (name, attributes, ...children) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
};

/** Bars side by side for each point, one per series; the table with the numbers is behind them. */
class Chart extends HTMLElement {
    show(title, points, series, numbers) {
        const most = Math.max(1, ...points.flatMap(({ values }) => values));
        const height = value => Math.max(value, 0) * HEIGHT / most;
        const width = series.length + 1;
        const bars = points.flatMap(({ values }, at) => values.map((value, which) => svg('rect', {
            class: `s${which}`, x: at * width + which + 0.5, width: 0.9,
            y: HEIGHT - height(value), height: height(value),
        })));
        const sums = series.map((key, at) => `${t(`col.${key}`)} ${
            number(points.reduce((sum, { values }) => sum + values[at], 0))}`);
        const toggle = button('chart.table', () => {
            const hidden = numbers.classList.toggle('unseen');
            this.quiet(numbers, hidden);
            toggle.ariaExpanded = String(!hidden);
        }, { 'aria-expanded': 'false', 'aria-label': `${t('chart.table')}: ${title}` });
        numbers.className = 'unseen';
        this.quiet(numbers, true);
        this.replaceChildren(h('h3', {}, title),
            svg('svg', { viewBox: `0 0 ${Math.max(points.length * width, 1)} ${HEIGHT}`,
                role: 'img', preserveAspectRatio: 'none',
                'aria-label': `${title}. ${sums.join(', ')}` }, ...bars),
            row(small(points[0]?.name ?? t('table.none')),
                h('span', { className: 'small end' }, points.at(-1)?.name ?? '')),
            h('div', { className: 'legend' }, sums.map((text, at) => h('span',
                { className: 'small' }, svg('svg', { viewBox: '0 0 1 1', 'aria-hidden': 'true' },
                    svg('rect', { class: `s${at}`, width: 1, height: 1 })), ' ', text))),
            row(toggle), numbers);
        return this;
    }

    /** Nothing that the keyboard reaches is out of sight; readers of the screen have the table. */
    quiet(numbers, hidden) {
        numbers.csv.hidden = hidden || !numbers.rows.length;
        numbers.frame.tabIndex = hidden ? -1 : 0;
    }
}
customElements.define('gf-chart', Chart);

const chart = (title, groups, series, name) => {
    const points = groups.map(([key, values]) => ({ name: name(key), values }));
    const columns = [col('name', ([key]) => key),
        ...series.map((key, at) => col(key, ([, values]) => values[at]))];
    const numbers = table(columns, groups, title);
    return document.createElement('gf-chart').show(title, points, series, numbers);
};

/** Sums of those fields for each value of `by`, in the order of these. */
function sums(rows, by, fields) {
    const groups = new Map();
    for (const one of rows) {
        const key = one[by] ?? '';
        const values = groups.get(key) ?? fields.map(() => 0);
        groups.set(key, values.map((value, at) => value + Number(one[fields[at]] ?? 0)));
    }
    return [...groups].sort(([one], [other]) => (one < other ? -1 : 1));
}

/** The groups, with one of zeros for each day or hour in which nothing was. */
function whole(groups, { from, to, per }) {
    const known = new Map(groups.map(([at, values]) => [Date.parse(at), values]));
    const step = per === 'hour' ? HOUR : DAY;
    const end = Math.min(Date.parse(to), Date.now());
    for (let at = Date.parse(from); at < end && known.size < MOST; at += step) {
        if (!known.has(at)) known.set(at, CREDITS.map(() => 0));
    }
    return [...known].sort(([one], [other]) => one - other)
        .map(([at, values]) => [new Date(at).toISOString(), values]);
}

function panel({ currency, rows, unsettled, providerCost, margin }, asked) {
    const style = { dateStyle: 'short',          // days are those of UTC
        ...(asked.per === 'hour' ? { timeStyle: 'short' } : { timeZone: 'UTC' }) };
    const time = value => (value ? date(value, style) : '');
    const total = key => rows.reduce((sum, one) => sum + Number(one[key] ?? 0), 0);
    const money = value => (value || value === 0
        ? `${number(value)} ${currency ?? ''}`.trim() : null);
    return h('div', { className: 'part' },
        figures([...CREDITS.map(key => [key, total(key)]), ['generations', total('generations')],
            ['failed', total('failed')],
            ['cost', money(providerCost)], ['margin', money(margin)]]),
        chart(t('money.time'), whole(sums(rows, 'at', CREDITS), asked), CREDITS, time),
        chart(t('money.types'), sums(rows, 'type', CREDITS), CREDITS, key => key),
        providerCost > 0 && chart(t('money.cost', { currency: currency ?? '' }),
            sums(rows, 'provider', ['providerCost']), ['cost'], key => key),
        h('h3', {}, t('money.all')), table([
            col('time', one => one.at, one => h('time', { datetime: one.at }, time(one.at))),
            col('type', one => one.type), col('provider', one => one.provider),
            ...['generations', 'completed', 'failed', 'cancelled', ...CREDITS, 'refunded',
                'adjusted'].map(key => col(key, one => one[key])),
            col('cost', one => one.providerCost), col('margin', one => one.margin),
        ], rows, t('money.all')),
        h('h3', {}, t('unsettled')), table([col('age', one => one.age),
            col('count', one => one.count), col('credits', one => one.credits),
        ], unsettled ?? [], t('unsettled')));
}

const day = at => new Date(at).toISOString().slice(0, 10);
const after = (date, days) => date && new Date(Date.parse(date) + days * DAY).toISOString();

customElements.define('gf-money', class extends Panel {
    connectedCallback() {
        this.listed([field('from', { type: 'date', value: day(Date.now() - 29 * DAY) }),
            field('to', { type: 'date', value: day(Date.now()) }),
            field('per', { options: [['day', t('per.day')], ['hour', t('per.hour')]] }),
            field('type', { maxLength: 40 })],
        async values => {
            const first = values.to && day(Date.parse(values.to) - 6 * DAY);
            if (values.per === 'hour' && values.from < first) {  // the server has a week at most
                values.from = this.querySelector('[name=from]').value = first;
            }
            const query = { ...values, from: after(values.from, 0), to: after(values.to, 1) };
            return panel(await call('GET', asked('money', query)), query);
        });
    }
});
