// SPDX-License-Identifier: Apache-2.0
// The history: thumbnails by pages, filters, search, selection, keyboard; changes of other tabs and
// devices come in by the store.

import { $, address, app, bus, button, dialog, failed, generations, h, isEnded, isolate, say, seen, t } from './page.js';
import { openCard, showRunning } from './card.js';
import { remove } from './picture.js';

const STATES = ['pending', 'processing', 'completed', 'failed', 'cancelled'];
const chosen = new Set();
const grid = h('ul', { className: 'tiles' });
const more = button('history.more', () => load().catch(failed), { className: 'more' });
const empty = h('p', { className: 'small' });
const nearEnd = new IntersectionObserver(([entry]) => { if (entry.isIntersecting && cursor) load().catch(failed); }, { rootMargin: '50%' });
let filter = {};
let cursor = null;
let turn = 0;                                    // of the filter; pages of an older one are not shown

/** Shows the section with its first page. */
export function showHistory(page) {
    if (!$('#history').hidden) return;
    $('#history').hidden = false;
    $('#history').append(filters(), selection(), grid, empty, more);
    take(page);
    bus.addEventListener('generation', ({ detail }) => place(detail));
    bus.addEventListener('removed', ({ detail }) => drop(detail));
    bus.addEventListener('reset', () => search().catch(failed));
}

// ---- pages ----

let loading = false;
async function load() {
    if (loading) return;
    loading = true;
    const mine = turn;
    try {
        const page = await app.gf.history({ ...filter, limit: 48 }).page(cursor ?? undefined);
        if (mine === turn) take(page);
    } finally { loading = false; }
}

function take(page) {
    cursor = page.hasMore ? page.nextCursor : null;
    for (const item of page.items ?? []) {
        generations.set(item.id, item);
        if (!$(`[data-id="${CSS.escape(item.id)}"]`, grid)) grid.append(tile(item));
        if (!isEnded(item)) { showRunning(item); app.gf.follow(item.id, { onUpdate: seen }).then(seen, () => {}); }
    }
    tidy();
    nearEnd.unobserve(more);                     // it tells of a change alone: more may be near still
    nearEnd.observe(more);
}

function tidy() {
    more.hidden = !cursor;
    empty.textContent = grid.children.length ? '' : t(Object.keys(filter).length ? 'history.none' : 'history.empty');
    const buttons = [...grid.querySelectorAll('.open')];
    if (!buttons.some(one => one.tabIndex === 0) && buttons[0]) buttons[0].tabIndex = 0;
    const count = [...chosen].filter(id => generations.has(id)).length;
    $('#selection').hidden = !count;
    $('#selected').textContent = t('selected', { n: count });
}

async function search() {
    turn += 1;
    cursor = null;
    loading = false;
    grid.replaceChildren();
    await load();
    say(empty.textContent || t('history.found', { n: grid.children.length }));
}

// ---- one of them ----

function tile(item) {
    const { width = 1, height = 1 } = item.result ?? {};
    const name = item.title || item.prompt || item.type;
    const url = item.status === 'completed' && address(item.thumbnailUrl ?? item.imageUrl);
    const open = h('button', { type: 'button', className: 'open', tabIndex: -1, onclick: () => show(item.id),
        'aria-label': url ? null : `${t(`status.${item.status}`)} ${name}` });
    open.style.aspectRatio = `${width} / ${height}`;
    if (/^#[0-9a-f]{6}$/i.test(item.color ?? '')) open.style.backgroundColor = item.color;
    if (url) open.append(h('img', { src: url, alt: name, loading: 'lazy', decoding: 'async', width: String(width), height: String(height) }));
    else open.append(h('span', { className: 'small' }, t(`status.${item.status}`)));
    const box = h('input', { type: 'checkbox', checked: chosen.has(item.id), 'aria-label': t('select', { name: isolate(name) }),
        onchange: () => { chosen[box.checked ? 'add' : 'delete'](item.id); tidy(); } });
    return h('li', { 'data-id': item.id }, open, box, item.favourite && h('span', { className: 'mark', 'aria-hidden': 'true' }, '★'));
}

function show(id) {
    const box = openCard(generations.get(id), dialog);
    box.addEventListener('keydown', event => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!step || event.target.matches('input')) return;
        const all = [...grid.children].map(one => one.dataset.id);
        const next = all[all.indexOf(id) + step];
        if (next) { box.close(); focusOn(next); show(next); }
    });
}

const focusOn = id => $(`[data-id="${CSS.escape(id)}"] .open`, grid)?.focus();
const fits = item => !filter.q && (!filter.type || item.type === filter.type) && (!filter.status || item.status === filter.status)
    && (!filter.preset || item.preset === filter.preset) && (!filter.tag || item.tags?.includes(filter.tag)) && (!filter.favourite || item.favourite);

function place(item) {
    const old = $(`[data-id="${CSS.escape(item.id)}"]`, grid);
    const had = old?.contains(document.activeElement);
    if (old) old.replaceWith(tile(item));
    else if (fits(item)) {
        const after = [...grid.children].find(one => one.dataset.id < item.id);       // ids ascend with time
        grid.insertBefore(tile(item), after ?? null);
    }
    if (had) focusOn(item.id);
    tidy();
}

function drop(id) {
    const old = $(`[data-id="${CSS.escape(id)}"]`, grid);
    if (old?.contains(document.activeElement)) (old.nextElementSibling ?? old.previousElementSibling)?.firstElementChild.focus();
    old?.remove();
    chosen.delete(id);
    tidy();
}

// ---- filters ----

function filters() {
    const choose = (name, label, options) => h('select', { name, 'aria-label': t(label) }, h('option', { value: '' }, t(label)),
        options.map(([value, text]) => h('option', { value }, text)));
    const write = (name, label) => h('input', { type: 'search', name, dir: 'auto', 'aria-label': t(label), placeholder: t(label) });
    let timer;
    const form = h('form', { className: 'filters', role: 'search', onsubmit: event => event.preventDefault(), oninput: () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
            filter = Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim()));
            search().catch(failed);
        }, 300);
    } },
    write('q', 'search'),
    choose('type', 'types.all', app.types.map(type => [type.name, type.label || type.name])),
    choose('status', 'states.all', STATES.map(state => [state, t(`status.${state}`)])),
    write('preset', 'presets'), write('tag', 'tags'),
    h('label', { className: 'row' }, h('input', { type: 'checkbox', name: 'favourite', value: '1' }), t('favourite')));
    return form;
}

// ---- several at once ----

function selection() {
    const those = () => [...chosen].map(id => generations.get(id)).filter(Boolean);
    const clear = () => {
        chosen.clear();
        for (const box of grid.querySelectorAll('[type=checkbox]')) box.checked = false;
        tidy();
    };
    return h('div', { id: 'selection', className: 'row box', hidden: true, role: 'group', 'aria-labelledby': 'selected' }, h('span', { id: 'selected' }),
        button('zip', () => import('./zip.js').then(part => part.download(those())).catch(failed)),
        button('delete', () => remove(those().filter(isEnded))),
        button('select.none', clear, { className: 'quiet' }));
}

grid.addEventListener('keydown', event => {
    const tiles = [...grid.children];
    const at = tiles.findIndex(one => one.contains(event.target));
    const row = tiles.findIndex(one => one.offsetTop > tiles[0].offsetTop);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row, Home: -at, End: tiles.length - 1 - at }[event.key];
    if (step !== undefined && tiles[at + step]) {
        event.preventDefault();
        $('.open', tiles[at + step]).focus();
    } else if (event.key === 'Delete') {
        const item = generations.get(tiles[at].dataset.id);
        if (isEnded(item)) remove([item]);
    }
});
grid.addEventListener('focusin', event => {
    if (!event.target.matches('.open')) return;
    for (const one of grid.querySelectorAll('.open[tabindex="0"]')) one.tabIndex = -1;
    event.target.tabIndex = 0;
});
document.addEventListener('keydown', event => {
    if (event.key === '/' && !event.target.closest('input, textarea, select, dialog')) {
        event.preventDefault();
        $('.filters [name=q]')?.focus();
    }
});
