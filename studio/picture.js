// SPDX-License-Identifier: Apache-2.0
// What can be done with a finished picture.

import {
    address, app, ask, button, bytes, copy, dialog, emit, failed, fileName, forget, generations,
    give, h, isOwn, ownPrompt, presetsOf, seen, small, t, toast, typeOf,
} from './page.js';

// ---- before and after ----

/** Lays the source picture over the new one; a slider moves the border between them. */
export function compare(place, from) {
    if (!isOwn(from)) return;                    // the policy shows no pictures from elsewhere
    const before = h('img', { alt: t('source'), className: 'before', src: from });
    const slider = h('input', { type: 'range', min: '0', max: '100', value: '100',
        className: 'split', 'aria-label': t('compare') });
    const move = () => place.style.setProperty('--split', `${100 - slider.value}%`);
    slider.addEventListener('input', move);
    before.addEventListener('load', () => { place.append(before, slider); move(); });
}

// ---- copies ----

const show = generation => window.open(address(generation.imageUrl), '_blank', 'noopener');

/** What the store forbids to read is shown in a tab of its own. */
export const download = generation => bytes(generation)
    .then(blob => give(blob, fileName(generation)), () => show(generation));

async function png(generation) {
    const blob = await bytes(generation);
    if (blob.type === 'image/png') return blob;
    const picture = await createImageBitmap(blob);
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    canvas.getContext('2d').drawImage(picture, 0, 0);
    return canvas.convertToBlob({ type: 'image/png' });
}

async function copyPicture(generation) {
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': png(generation) })]);
    toast(t('copied'));
}

// ---- the row of buttons ----

/** A button with a menu; [key, act] each. */
function menu(key, items, sign) {
    const list = h('div', { className: 'menu', popover: 'auto' },
        items.filter(Boolean).map(([name, act]) =>
            button(name, () => { list.hidePopover(); act(); }, { className: 'quiet' })));
    const opener = button(key, () => {
        const { left, top, bottom } = opener.getBoundingClientRect();
        list.togglePopover();
        const { offsetWidth: width, offsetHeight: height } = list;
        list.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
        list.style.top = `${bottom + height > innerHeight ? Math.max(8, top - height) : bottom}px`;
    }, { 'aria-haspopup': 'true', 'aria-label': t(key) });
    if (sign) opener.textContent = sign;
    return [opener, list];
}

export function actions({ id }) {
    const now = () => generations.get(id);
    const isFavourite = Boolean(now().favourite);
    const use = how => [`use.${how}`, () => emit('use', { generation: now(), how })];
    const favour = () => app.gf.update(id, { favourite: !now().favourite }).then(seen).then(one => {
        star.ariaPressed = String(one.favourite);
        star.textContent = one.favourite ? '★' : '☆';
    }).catch(failed);
    const star = h('button', { type: 'button', className: 'icon star', 'aria-label': t('favourite'),
        'aria-pressed': String(isFavourite), onclick: favour }, isFavourite ? '★' : '☆');
    const code = async () => {
        const [{ showCode }, spec] = await Promise.all([import('./code.js'), again(now())]);
        showCode(spec, now().tokensUsed);
    };
    return [
        button('download', () => download(now()), { className: 'primary' }),
        ...menu('use', ['all', 'prompt', 'source', 'seed'].map(use)),
        star,
        ...menu('more', [
            ['copy.link', () => copy(address(now().imageUrl))],
            navigator.clipboard?.write
                && ['copy.picture', () => copyPicture(now()).catch(failed)],
            ['open', () => show(now())],
            ['edit', () => edit(now())],
            ['code', () => code().catch(failed)],
            ['print', () => print()],
            ['delete', () => remove([now()])],
        ], '⋯'),
    ];
}

/** The request of a generation: its own words, without those that the preset put before them. */
export async function again(generation) {
    const { type, preset, sourceUrl, parameters = {} } = generation;
    const known = typeOf(type)?.parameters?.map(one => one.name) ?? [];
    const set = Object.entries(parameters).filter(([name]) => known.includes(name));
    if (preset) await presetsOf(type);
    return {
        type, prompt: ownPrompt(generation) || undefined, presetKey: preset ?? undefined,
        source: sourceUrl ?? undefined,
        parameters: set.length ? Object.fromEntries(set) : undefined,
    };
}

function edit({ id, title, tags }) {
    const field = (label, value, more) => {
        const input = h('input', { dir: 'auto', ...more });
        input.value = value;
        return h('label', { className: 'field' }, label, input);
    };
    const save = async event => {
        event.preventDefault();
        const [words, list] = [...event.target.querySelectorAll('input')].map(one => one.value);
        const all = list.split(/[,、]/).map(tag => tag.trim()).filter(Boolean);
        seen(await app.gf.update(id, { title: words.trim() || null, tags: [...new Set(all)] }));
        box.close();
        toast(t('saved'));
    };
    const form = h('form', { className: 'field', onsubmit: event => save(event).catch(failed) },
        field(t('title'), title ?? '', { maxLength: 200, autofocus: true }),
        field(t('tags'), (tags ?? []).join(', ')), small(t('tags.hint')),
        h('p', { className: 'row end' }, h('button', { className: 'primary' }, t('save'))));
    const box = dialog(t('edit'), form, 'question');
}

/** Asks, hides them, and deletes them after 5 s unless the user takes it back. */
export async function remove(list) {
    const n = list.length;
    if (!await ask(t('delete.ask', { n }), 'delete')) return;
    for (const { id } of list) forget(id);
    toast(t('deleted', { n }), { key: 'undo', call: () => list.forEach(seen) }, async () => {
        for (const one of list) {
            await app.gf.remove(one.id).catch(error => { failed(error); seen(one); });
        }
    });
}
