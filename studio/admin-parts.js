// SPDX-License-Identifier: Apache-2.0
// What the panels of administration share: calls, tables with CSV, forms in a dialog. Texts of the
// API become text of elements, never HTML.

import {
    app, button, date, dialog, foreign, give, h, here, number, row, say, t, toast, trouble,
} from './page.js';

// ---- calls ----

/** The error of what the page itself does not do. */
export const refusal = text => Object.assign(new Error(text), { code: 'VALIDATION_FAILED' });

/** A name as the rest of an address. Some names cannot be said there: a browser or httpd would take
 * them for another address, which might do something else. */
export function named(name) {
    const pieces = String(name).split('/');
    const last = pieces.length > 1 && ['ledger', 'holds'].includes(pieces.at(-1));
    if (last || pieces.some(piece => /^(?:\.|%2e)*$/i.test(piece))) {
        throw refusal(t('name.unsayable'));
    }
    return pieces.map(encodeURIComponent).join('/');
}

/** The address with those arguments that have a value. */
export function asked(path, values) {
    const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
    return query.size ? `${path}?${query}` : path;
}

/** A call below the address of administration; the error has the server's words. */
export async function call(method, path, body) {
    const headers = { Accept: 'application/json', 'Accept-Language': app.language };
    if (body) headers['Content-Type'] = 'application/json';
    const answer = await fetch(new URL(path, here), {
        method, headers, redirect: 'manual', body: body && JSON.stringify(body),
    }).catch(() => ({ code: 'NETWORK_ERROR' }));
    const read = await answer.json?.().catch(() => null);
    if (answer.ok && read) return read;
    throw Object.assign(new Error(read?.message ?? ''), {
        code: read?.code ?? answer.code ?? 'BAD_RESPONSE',
        status: answer.type === 'opaqueredirect' ? 401 : answer.status,
        wrong: read?.validationErrors ?? [],
    });
}

/** The words for an error of a call: for this page, the server's. */
export function words(error) {
    const fields = (error.wrong ?? []).map(({ field, message }) => `${field}: ${message}`);
    const client = ['NETWORK_ERROR', 'BAD_RESPONSE'].includes(error.code)
        && t(`client.${error.code}`);
    return `[${error.code ?? error.name}] ${client || [error.message, ...fields].join(' ')}`;
}

/** In place of what a panel cannot show. */
export function absent(error) {
    if (error.status === 401) return trouble(error);
    const text = error.status === 404 ? t('absent.404')
        : error.status === 403 ? t('absent.403') : t('absent');
    return h('p', { className: 'box failure', role: 'alert' }, text, ' ', words(error));
}

// ---- tables ----

/** A column: the text key, the value of a row, and how it is shown: 'time', by a function, or in
 * CSV alone ('csv'). */
export const col = (key, value, show) => ({ key, value, show });

/** What a spreadsheet runs begins so; a Japanese one takes the wide signs, too. */
const FORMULA = /^[=+\-@＝＋－＠\t\r\n]/;

/** A text of a row as a cell of CSV. */
function quoted(value) {
    if (typeof value === 'number') return String(value);
    const text = value === null || value === undefined ? ''
        : typeof value === 'object' ? JSON.stringify(value) : String(value);
    const safe = FORMULA.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
export const csv = (columns, rows) => {
    const shown = columns.filter(({ value }) => value);
    return [shown.map(({ key }) => quoted(t(`col.${key}`))),
        ...rows.map(one => shown.map(({ value }) => quoted(value(one))))]
        .map(line => `${line.join(',')}\r\n`).join('');
};

function cell({ value, show }, one) {
    if (typeof show === 'function') return h('td', {}, show(one));
    const is = value(one);
    if (is === null || is === undefined || is === '') return h('td');
    if (show === 'time') return h('td', {}, h('time', { datetime: is }, date(is)));
    if (typeof is === 'number') return h('td', { className: 'number' }, number(is));
    if (typeof is === 'boolean') return h('td', {}, t(is ? 'yes' : 'nay'));
    return h('td', {}, foreign(typeof is === 'object' ? JSON.stringify(is) : is));
}

/** Rows as a table, with a button for CSV and, while there are more pages, one for the next. */
class Table extends HTMLElement {
    rows = [];

    /** Shows a page; rows of further ones follow by add(). */
    show(columns, rows, caption, next) {
        this.columns = columns;
        this.seen = columns.filter(({ show }) => show !== 'csv');
        this.caption = caption;
        this.body = h('tbody');
        this.table = h('table', {}, h('caption', { className: 'unseen' }, caption),
            h('thead', {}, h('tr', {}, this.seen.map(({ key, value }) => h('th', { scope: 'col',
                className: rows[0] && typeof value?.(rows[0]) === 'number' && 'number' },
            value ? t(`col.${key}`) : h('span', { className: 'unseen' }, t(`col.${key}`)))))),
            this.body);
        this.more = button('history.more', () => this.next?.(), { hidden: true });
        this.none = h('p', { className: 'small' }, t('table.none'));
        this.csv = button('csv', () => this.give(), { 'aria-label': `${t('csv')}: ${caption}` });
        this.rows = [];
        this.frame = h('div', { className: 'scroll', tabIndex: 0, role: 'group',
            'aria-label': caption }, this.table);
        this.replaceChildren(this.frame, this.none, row(this.csv, this.more));
        this.add(rows, next);
        return this;
    }

    add(rows, next) {
        this.rows.push(...rows);
        this.body.append(...rows.map(one =>
            h('tr', {}, this.seen.map(column => cell(column, one)))));
        this.next = next;
        this.more.hidden = !next;
        this.frame.hidden = this.csv.hidden = !this.rows.length;
        this.none.hidden = Boolean(this.rows.length);
    }

    give() {
        const name = this.caption.replace(/[^\p{L}\p{N}]+/gu, '-');
        give(new Blob([csv(this.columns, this.rows)], { type: 'text/csv;charset=utf-8' }),
            `${name}_${new Date().toISOString().slice(0, 10)}.csv`);
    }
}
customElements.define('gf-table', Table);

/** A table of those rows. */
export const table = (columns, rows, caption, next) =>
    document.createElement('gf-table').show(columns, rows, caption, next);

/** A table of a list of the API: its first page now, others as they are asked for. */
export async function list(path, name, columns, caption) {
    const page = cursor => call('GET', cursor
        ? `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}` : path);
    const following = cursor => cursor && (() => page(cursor).then(answer => {
        made.add(answer[name], following(answer.nextCursor));
        say(t('history.found', { n: made.rows.length }));
    }).catch(notify));
    const first = await page();
    const made = table(columns, first[name], caption, following(first.nextCursor));
    return made;
}

export const notify = error => toast(words(error));

/** A button in a row, named after what it is about. */
export const act = (key, about, onclick, properties) =>
    button(key, () => Promise.resolve().then(onclick).catch(notify),
        { 'aria-label': `${t(key)}: ${about}`, ...properties });

// ---- forms ----

/** A labelled field: its name in values, what it is, and properties of the element. */
export function field(name, { options, value, hint, ...properties } = {}) {
    const { type } = properties;
    const input = options
        ? h('select', { name, ...properties }, options.map(([key, text]) =>
            h('option', { value: key, selected: key === value }, text)))
        : h(type === 'textarea' ? 'textarea' : 'input', { name, dir: 'auto', autocomplete: 'off',
            ...properties, ...(type === 'textarea' && { type: null, rows: 3 }) });
    if (type === 'checkbox') input.checked = Boolean(value);
    else if (!options) input.value = value ?? '';
    const text = t(`field.${name}`);
    return type === 'checkbox' ? h('label', { className: 'check' }, input, text)
        : h('label', {}, h('span', {}, text), input,
            hint && h('span', { className: 'small' }, hint));
}

/** Asks for values; send(values) does what is wanted, and its error stays in the dialog. True: it
 * was done. */
export function fill(title, fields, key, send, note) {
    return new Promise(resolve => {
        let done = false;
        const wrong = h('p', { role: 'alert', className: 'over' });
        const submit = h('button', { className: 'primary' }, t(key));
        const form = h('form', { className: 'field', onsubmit: event => {
            event.preventDefault();
            submit.disabled = true;
            wrong.textContent = '';
            Promise.resolve(Object.fromEntries(new FormData(form))).then(send)
                .then(() => { done = true; box.close(); },
                    error => { wrong.textContent = words(error); submit.disabled = false; });
        } }, note && h('p', {}, note), fields, wrong,
        row(button('no', () => box.close()), submit));
        form.lastChild.className = 'row end';
        const box = dialog(title, form, 'question');
        box.addEventListener('close', () => resolve(done));
        $first(form)?.focus();
    });
}
const $first = form => form.querySelector('input, select, textarea');

/** Asks for the reason of what cannot be taken back; send({reason}) does it. */
export const reason = (title, key, send, note) => fill(title,
    [field('reason', { required: true, maxLength: 500 })], key, send, note);

/** A filter above a list: calls show(values) at once and at each change. */
export function filters(fields, query, show) {
    let timer;
    const read = () => show(Object.fromEntries([...new FormData(form)]
        .map(([name, value]) => [name, value.trim()]).filter(([, value]) => value)));
    const form = h('form', { className: 'filters', role: 'search',
        onsubmit: event => { event.preventDefault(); read(); },
        oninput: () => { clearTimeout(timer); timer = setTimeout(read, 400); } }, fields);
    for (const [name, value] of query ?? []) {
        if (form.elements[name]) form.elements[name].value = value;
    }
    queueMicrotask(read);
    return form;
}

/** A panel shows what promise of an element comes to, and only the latest one. */
export class Panel extends HTMLElement {
    turn = 0;

    async put(place, promise) {
        const mine = this.turn += 1;
        const element = await promise.catch(absent);
        if (mine === this.turn && element) place.replaceChildren(element);
    }

    /** The list, by its filter. */
    listed(fields, make) {
        const place = h('div', { className: 'part' });
        const search = filters(fields, this.query, values => {
            this.again = () => this.put(place, make(values));
            return this.again();
        });
        this.append(search, place);
    }
}

/** Pairs of a text key and a value, as figures. */
export const figures = pairs => h('dl', { className: 'figures' }, pairs
    .filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([key, value]) => h('div', {}, h('dt', {}, t(`col.${key}`)), h('dd', {},
        typeof value === 'number' ? number(value)
            : typeof value === 'string' ? foreign(value) : value))));
