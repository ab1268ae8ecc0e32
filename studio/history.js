// SPDX-License-Identifier: Apache-2.0
// The history: thumbnails by pages, filters, search, selection, keyboard; changes of other tabs and
// devices come in by the store.

import {
    $, address, app, bus, button, dialog, failed, generations, h, isEnded, isolate,
    presetsOf, say, seen, shown, t, wordsOf,
} from './page.js';
import { openCard, showRunning } from './card.js';
import { remove } from './picture.js';

const STATES = ['pending', 'processing', 'completed', 'failed', 'cancelled'];
const chosen = new Set();
const grid = h('ul', { className: 'tiles' });
const more = button('history.more', () => load().catch(failed), { className: 'more' });
const empty = h('p', { className: 'small' });
const nearEnd = new IntersectionObserver(([entry]) => {
    if (entry.isIntersecting && cursor) load().catch(failed);
}, { rootMargin: '50%' });
let filter = {};
let cursor = null;
let turn = 0;                                    // of the filter: pages of an older one are late
const tileOf = id => $(`[data-id="${CSS.escape(id)}"]`, grid);

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

function take({ items = [], hasMore, nextCursor }) {
    cursor = hasMore ? nextCursor : null;
    for (const item of items) {
        generations.set(item.id, item);
        if (item.preset) presetsOf(item.type).catch(() => {});
        if (!tileOf(item.id)) grid.append(tile(item));
        if (!isEnded(item)) {
            showRunning(item);
            app.gf.follow(item.id, { onUpdate: seen }).then(seen, () => {});
        }
    }
    tidy();
    nearEnd.unobserve(more);                     // it tells of a change alone: it may be near still
    nearEnd.observe(more);
}

function tidy() {
    more.hidden = !cursor;
    const none = Object.keys(filter).length ? 'history.none' : 'history.empty';
    empty.textContent = grid.children.length ? '' : t(none);
    const first = $('.open', grid);
    if (first && !$('.open[tabindex="0"]', grid)) first.tabIndex = 0;
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
    const { id, status, color, favourite, thumbnailUrl, result } = item;
    const [width, height] = [result?.width ?? 1, result?.height ?? 1].map(String);
    const name = wordsOf(item);
    const src = shown(item) && address(thumbnailUrl ?? item.imageUrl);
    const state = t(`status.${status}`);
    const open = h('button', { type: 'button', className: 'open', tabIndex: -1,
        onclick: () => show(id), 'aria-label': src ? null : `${state} ${name}` },
    src ? h('img', { src, alt: name, loading: 'lazy', decoding: 'async', width, height })
        : h('span', { className: 'small' }, state));
    open.style.aspectRatio = `${width} / ${height}`;
    if (/^#[0-9a-f]{6}$/i.test(color ?? '')) open.style.backgroundColor = color;
    const box = h('input', { type: 'checkbox', checked: chosen.has(id),
        'aria-label': t('select', { name: isolate(name) }),
        onchange: () => { chosen[box.checked ? 'add' : 'delete'](id); tidy(); } });
    return h('li', { 'data-id': id }, open, box,
        favourite && h('span', { className: 'mark', 'aria-hidden': 'true' }, '★'));
}

function show(id) {
    const box = openCard(generations.get(id), dialog);
    box.addEventListener('keydown', event => {
        const { previousElementSibling: newer, nextElementSibling: older } = tileOf(id) ?? {};
        const next = { ArrowLeft: newer, ArrowRight: older }[event.key]?.dataset.id;
        if (event.target.matches('input')) return;
        if (next) { box.close(); focusOn(next); show(next); }
    });
}

const focusOn = id => $('.open', tileOf(id) ?? grid)?.focus();
const fits = item => !filter.q && Object.entries(filter).every(([name, value]) =>
    (name === 'tag' ? item.tags?.includes(value)
        : name === 'favourite' ? item.favourite : item[name] === value));

function place(item) {
    const old = tileOf(item.id);
    const had = old?.contains(document.activeElement);
    if (old) old.replaceWith(tile(item));
    else if (fits(item)) {
        // Ids ascend with time.
        const after = [...grid.children].find(one => one.dataset.id < item.id);
        grid.insertBefore(tile(item), after ?? null);
    }
    if (had) focusOn(item.id);
    tidy();
}

function drop(id) {
    const old = tileOf(id);
    const near = old?.nextElementSibling ?? old?.previousElementSibling;
    if (old?.contains(document.activeElement)) near?.firstElementChild.focus();
    old?.remove();
    chosen.delete(id);
    tidy();
}

// ---- filters ----

function filters() {
    const choose = (name, label, options) => h('select', { name, 'aria-label': t(label) },
        h('option', { value: '' }, t(label)),
        options.map(([value, text]) => h('option', { value }, text)));
    const write = (name, label) => h('input',
        { type: 'search', name, dir: 'auto', 'aria-label': t(label), placeholder: t(label) });
    const read = () => {
        filter = Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim()));
        search().catch(failed);
    };
    let timer;
    const form = h('form', { className: 'filters', role: 'search',
        onsubmit: event => event.preventDefault(),
        oninput: () => { clearTimeout(timer); timer = setTimeout(read, 300); } },
    write('q', 'search'),
    choose('type', 'types.all', app.types.map(type => [type.name, type.label || type.name])),
    choose('status', 'states.all', STATES.map(state => [state, t(`status.${state}`)])),
    write('preset', 'presets'), write('tag', 'tags'),
    h('label', { className: 'row' },
        h('input', { type: 'checkbox', name: 'favourite', value: '1' }), t('favourite')));
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
    const pack = () => import('./zip.js').then(part => part.download(those())).catch(failed);
    return h('div', { id: 'selection', className: 'row box', hidden: true, role: 'group',
        'aria-labelledby': 'selected' },
    h('span', { id: 'selected' }), button('zip', pack),
    button('delete', () => remove(those().filter(isEnded))),
    button('select.none', clear, { className: 'quiet' }));
}

grid.addEventListener('keydown', event => {
    const tiles = [...grid.children];
    const at = tiles.findIndex(one => one.contains(event.target));
    const columns = tiles.findIndex(one => one.offsetTop > tiles[0].offsetTop);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns,
        Home: -at, End: tiles.length - 1 - at }[event.key];
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
