// SPDX-License-Identifier: Apache-2.0
// What can be done with a finished picture.

import { address, app, ask, button, copy, dialog, emit, failed, fileName, forget, generations, h, isOwn, seen, t, toast } from './page.js';

// ---- before and after ----

/** Lays the source picture over the new one; a slider moves the border between them. */
export function compare(place, from) {
    if (!isOwn(from)) return;                    // the policy of the page shows no pictures from elsewhere
    const before = h('img', { alt: t('source'), className: 'before' });
    const slider = h('input', { type: 'range', min: '0', max: '100', value: '100', className: 'split', 'aria-label': t('compare') });
    const move = () => place.style.setProperty('--split', `${100 - slider.value}%`);
    slider.addEventListener('input', move);
    before.addEventListener('load', () => { place.append(before, slider); move(); });
    before.src = from;
}

// ---- copies ----

async function bytes(generation) {
    const answer = await fetch(generation.imageUrl);
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    return answer.blob();
}

export async function download(generation) {
    const url = address(generation.imageUrl);
    try {
        const here = URL.createObjectURL(await bytes(generation));
        h('a', { href: here, download: fileName(generation) }).click();
        setTimeout(() => URL.revokeObjectURL(here), 10000);
    } catch { window.open(url, '_blank', 'noopener'); }                  // the store forbids reading: show it
}

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
    const list = h('div', { className: 'menu', popover: 'auto' }, items.filter(Boolean).map(([name, act]) =>
        button(name, () => { list.hidePopover(); act(); }, { className: 'quiet' })));
    const opener = button(key, () => {
        const at = opener.getBoundingClientRect();
        list.togglePopover();
        list.style.left = `${Math.max(8, Math.min(at.left, innerWidth - list.offsetWidth - 8))}px`;
        list.style.top = `${at.bottom + list.offsetHeight > innerHeight ? Math.max(8, at.top - list.offsetHeight) : at.bottom}px`;
    }, { 'aria-haspopup': 'true', 'aria-label': t(key) });
    if (sign) opener.textContent = sign;
    return [opener, list];
}

export function actions(generation) {
    const use = how => emit('use', { generation: generations.get(generation.id) ?? generation, how });
    const star = h('button', { type: 'button', className: 'icon star', 'aria-pressed': String(Boolean(generation.favourite)),
        'aria-label': t('favourite'), onclick: () => favour(generation, star) }, generation.favourite ? '★' : '☆');
    return [
        button('download', () => download(generation), { className: 'primary' }),
        ...menu('use', [['use.all', () => use('all')], ['use.prompt', () => use('prompt')], ['use.source', () => use('source')], ['use.seed', () => use('seed')]]),
        star,
        ...menu('more', [
            ['copy.link', () => copy(address(generation.imageUrl))],
            navigator.clipboard?.write && ['copy.picture', () => copyPicture(generation).catch(failed)],
            ['open', () => window.open(address(generation.imageUrl), '_blank', 'noopener')],
            ['edit', () => edit(generations.get(generation.id) ?? generation)],
            ['code', () => Promise.all([import('./code.js'), again(generation)])
                .then(([part, spec]) => part.showCode(spec, generation.tokensUsed)).catch(failed)],
            ['print', () => print()],
            ['delete', () => remove([generation])],
        ], '⋯'),
    ];
}

/** The request of a generation: its own words, without those that the preset put before them. */
export async function again({ type, preset, prompt, sourceUrl, parameters = {} }) {
    const known = app.types.find(one => one.name === type)?.parameters?.map(one => one.name) ?? [];
    const set = Object.entries(parameters).filter(([name]) => known.includes(name));
    const { presets } = preset ? await app.gf.presets({ type, all: true }) : { presets: [] };
    const words = presets.find(one => one.key === preset)?.prompt;
    const own = words && prompt.startsWith(words) ? prompt.slice(words.length).replace(/^,\s*/, '') : prompt;
    return { type, prompt: own || undefined, presetKey: preset ?? undefined, source: sourceUrl ?? undefined,
        parameters: set.length ? Object.fromEntries(set) : undefined };
}

async function favour(generation, star) {
    const favourite = star.getAttribute('aria-pressed') !== 'true';
    try {
        seen(await app.gf.update(generation.id, { favourite }));
        star.setAttribute('aria-pressed', String(favourite));
        star.textContent = favourite ? '★' : '☆';
    } catch (error) { failed(error); }
}

function edit(generation) {
    const title = h('input', { id: 'edit-title', maxLength: 200, dir: 'auto', autofocus: true });
    const tags = h('input', { id: 'edit-tags', dir: 'auto' });
    title.value = generation.title ?? '';
    tags.value = (generation.tags ?? []).join(', ');
    const save = async event => {
        event.preventDefault();
        const list = [...new Set(tags.value.split(/[,、]/).map(tag => tag.trim()).filter(Boolean))];
        try {
            seen(await app.gf.update(generation.id, { title: title.value.trim() || null, tags: list }));
            box.close();
            toast(t('saved'));
        } catch (error) { failed(error); }
    };
    const box = dialog(t('edit'), h('form', { className: 'field', onsubmit: save },
        h('label', { for: 'edit-title' }, t('title')), title, h('label', { for: 'edit-tags' }, t('tags')), tags,
        h('p', { className: 'small' }, t('tags.hint')),
        h('p', { className: 'row end' }, h('button', { className: 'primary' }, t('save')))), 'question');
}

/** Asks, hides them, and deletes them after 5 s unless the user takes it back. */
export async function remove(list) {
    if (!await ask(t('delete.ask', { n: list.length }), 'delete')) return;
    for (const generation of list) forget(generation.id);
    toast(t('deleted', { n: list.length }), { key: 'undo', call: () => list.forEach(seen) }, async () => {
        for (const generation of list) await app.gf.remove(generation.id).catch(error => { failed(error); seen(generation); });
    });
}
