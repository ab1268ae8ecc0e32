// SPDX-License-Identifier: Apache-2.0
// What all parts of the page share: what the site is, texts, elements, notices, the store of
// generations. Whatever comes from the API becomes text by textContent; nothing here parses HTML.

/** What the site, the user and the client are; studio.js fills it in. */
export const app = { gf: null, config: {}, me: null, types: [], language: 'en' };
export const typeOf = name => app.types.find(type => type.name === name);

/** Events: `generation` (detail: it), `removed` (its id), `me`, `use` ({generation, how}). */
export const bus = new EventTarget();
export const emit = (name, detail) => bus.dispatchEvent(new CustomEvent(name, { detail }));

/** The address of the page without a user and a password: fetch() takes none that has them. */
export const here = location.origin + location.pathname;

/** And that of this file's folder. */
export const files = location.origin + new URL('.', import.meta.url).pathname;

/** What the page shows first, before it needs the client. */
export async function read(path) {
    const headers = { Accept: 'application/json', 'Accept-Language': app.language };
    const answer = await fetch(`${app.config.base}/${path}`, { headers, redirect: 'manual' })
        .catch(() => ({ code: 'NETWORK_ERROR' }));
    const status = answer.type === 'opaqueredirect' ? 401 : answer.status;
    const body = await answer.json?.().catch(() => null);
    if (answer.ok && body) return body;
    throw Object.assign(new Error(body?.message ?? ''),
        { code: body?.code ?? answer.code ?? 'BAD_RESPONSE', status });
}

// ---- storage: it may be full or forbidden ----

export function recall(key) {
    try { return JSON.parse(localStorage.getItem(`genflow.${key}`)); } catch { return null; }
}
export function remember(key, value) {
    try {
        localStorage.setItem(`genflow.${key}`, JSON.stringify(value));
    } catch { /* forgotten then */ }
}

/** All tabs share the keys of requests: a press in two of them is one generation. */
export function shared() {
    try { return localStorage; } catch { return undefined; }
}

// ---- texts ----

let texts = {};
let plural = new Intl.PluralRules('en');

/** Loads the language that the address, the user's choice or the browser names. */
export async function speak(languages) {
    const asked = new URL(location).searchParams.get('lang');
    if (languages.includes(asked)) remember('language', asked);
    const wanted = [asked, recall('language'), ...navigator.languages]
        .map(tag => String(tag).toLowerCase());
    const known = tag => languages.find(name => tag === name || tag.startsWith(`${name}-`));
    app.language = wanted.map(known).find(Boolean) ?? languages[0] ?? 'en';
    texts = await (await fetch(new URL(`${app.language}.json`, files))).json();
    plural = new Intl.PluralRules(app.language);
    document.documentElement.lang = app.language;
    const all = (name, set) => {
        for (const element of document.querySelectorAll(`[data-${name}]`)) {
            set(element, t(element.getAttribute(`data-${name}`)));
        }
    };
    all('t', (element, text) => { element.textContent = text; });
    all('t-label', (element, text) => { element.ariaLabel = text; });
    all('t-hint', (element, text) => { element.placeholder = text; });
}

export const learn = more => Object.assign(texts, more);

/** The text of a key. {name} stands for a value; a text with forms chooses by the number n. */
export function t(key, values = {}) {
    let text = texts[key] ?? key;
    if (typeof text === 'object') text = text[plural.select(values.n)] ?? text.other;
    return text.replace(/\{(\w+)\}/g, (_, name) =>
        typeof values[name] === 'number' ? number(values[name]) : values[name] ?? '');
}
export const has = key => key in texts;

export const number = (value, format = { maximumFractionDigits: 2 }) =>
    new Intl.NumberFormat(app.language, format).format(value);
const unit = (name, digits) =>
    ({ style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits: digits });
export const seconds = value => number(Math.max(value, 1), unit('second', 0));
export const megabytes = bytes => number(bytes / 1e6, unit('megabyte', 1));
export const date = (value, style = { dateStyle: 'medium', timeStyle: 'short' }) =>
    new Intl.DateTimeFormat(app.language, style).format(new Date(value));

/** How long a type takes; '': not known. */
export function expected(type) {
    const { p50, p90 } = type?.expected ?? {};
    const from = Math.ceil(p50);
    const to = Math.max(Math.ceil(p90), from);
    return !p50 ? '' : from === to ? seconds(to) : t('expected', { from, to: seconds(to) });
}
/** Isolates the direction of foreign words inside of a text of ours. */
export const isolate = text => `\u2068${text}\u2069`;

// ---- elements ----

export const $ = (selector, root = document) => root.querySelector(selector);

/** An element with properties, attributes and children; children that are text stay text. */
export function h(name, properties = {}, ...children) {
    const element = document.createElement(name);
    const is = value => value !== undefined && value !== null && value !== false;
    for (const [key, value] of Object.entries(properties).filter(([, one]) => is(one))) {
        if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
        else if (key in element && typeof value !== 'string') element[key] = value;
        else element.setAttribute(key === 'className' ? 'class' : key, value === true ? '' : value);
    }
    element.append(...children.flat().filter(is));
    return element;
}
export const button = (key, onclick, properties = {}) =>
    h('button', { type: 'button', onclick, ...properties }, t(key));
export const foreign = (text, name = 'bdi') => h(name, { dir: 'auto' }, text ?? '');
export const small = (...children) => h('p', { className: 'small' }, ...children);
export const row = (...children) => h('p', { className: 'row' }, ...children);

/** The address of a picture, or of a link; null for any scheme that might be a program. */
export const address = value =>
    checked(value, /^(?:https?|blob):|^data:image\/(?:png|jpeg|webp);/);
export const followed = value => checked(value, /^(?:https?|mailto):/);

function checked(value, scheme) {
    const url = value ? URL.parse(value, here) : null;
    return url && scheme.test(url.href) ? url.href : null;
}

/** Is it of this host, or of this page? The policy of the page shows no other source pictures. */
export const isOwn = value => Boolean(value)
    && (/^(?:blob|data):/.test(value) || URL.parse(value, here)?.origin === location.origin);

/** Where the page can show a picture: not at the provider, which its policy forbids. */
export const shown = ({ status, persisted, imageUrl }) =>
    (status === 'completed' && (persisted !== false || isOwn(imageUrl)) ? address(imageUrl) : null);

/** Gives a link its address, or hides it. */
export function link(element, url) {
    element.hidden = !followed(url);
    if (!element.hidden) element.href = followed(url);
}

/** The menu: languages under their own names, and the links of the site. */
export function showMenu(languages, links = {}) {
    for (const name of languages) {
        $('#languages').append(h('li', {}, h('a', {
            href: `?lang=${encodeURIComponent(name)}`, lang: name, hreflang: name,
            'aria-current': name === app.language && 'true',
        }, new Intl.DisplayNames([name], { type: 'language' }).of(name))));
    }
    link($('#help'), links.help);
    for (const [name, url] of Object.entries(links)) {
        if (['credits', 'help'].includes(name) || !followed(url)) continue;
        $('#menu').append(h('a', { href: followed(url) }, foreign(name)));
    }
}

// ---- what the user hears ----

/** A change of state, for those who listen: once for each change, never for each tick. */
export function say(text) {
    $('#live').textContent = '';
    setTimeout(() => { $('#live').textContent = text; }, 50);
}

/** A short notice. With an act it stays 5 s and then calls `after`, unless the act was taken. */
export function toast(text, act, after) {
    const notice = h('div', { className: 'toast' }, h('span', {}, text));
    const end = setTimeout(() => { notice.remove(); after?.(); }, 5000);
    if (act) {
        notice.append(button(act.key, () => { clearTimeout(end); notice.remove(); act.call(); }));
    }
    $('#toasts').append(notice);
    say(text);
}

let dialogs = 0;

/** Opens a dialog with a heading; focus goes in, and back when it closes. */
export function dialog(title, content, className = '') {
    dialogs += 1;
    const heading = h('h2', { dir: 'auto', id: `dialog-${dialogs}` }, title);
    const close = h('button', {
        type: 'button', className: 'icon', 'aria-label': t('close'), onclick: () => box.close(),
    }, '✕');
    const box = h('dialog', { className, 'aria-labelledby': heading.id },
        h('header', {}, heading, close), content);
    box.addEventListener('close', () => box.remove());
    box.addEventListener('click', event => { if (event.target === box) box.close(); });
    document.body.append(box);
    box.showModal();
    return box;
}

/** Asks; true if the answer is yes. The focus is on what loses nothing. */
export function ask(text, yes) {
    return new Promise(resolve => {
        let answer = false;
        const take = () => { answer = true; box.close(); };
        const box = dialog(text, h('p', { className: 'row end' },
            button('no', () => box.close(), { autofocus: yes !== 'local' }),
            button(yes, take, { className: 'primary', autofocus: yes === 'local' })), 'question');
        box.addEventListener('close', () => resolve(answer));
    });
}

/** Copies; over plain http browsers have no clipboard, so the text is shown selected. */
export async function copy(text) {
    try {
        await navigator.clipboard.writeText(text);
        toast(t('copied'));
    } catch {
        const field = h('textarea', { readOnly: true, rows: 3, 'aria-label': t('copy.by.hand') });
        field.value = text;
        dialog(t('copy.by.hand'), field);
        field.select();
    }
}

/** The words for an error: the client's, if it is its own; those of the code; the server's. */
export function meaning(code, message, isClients = false) {
    const key = [isClients && `client.${code}`, `error.${code}`].find(has);
    return key ? t(key) : message || t('error.INTERNAL_ERROR');
}
export function failed(error) {
    if (error?.name === 'AbortError') return;
    toast(`[${error?.code ?? error?.name}] ${meaning(error?.code, error?.message, true)}`);
}

/** In place of the form: not signed in, or no answer. */
export function trouble(error) {
    const out = error?.status === 401;
    $('#trouble').replaceChildren(h('h2', {}, t(out ? 'signed.out' : 'trouble')),
        h('p', {}, out ? t('signed.out.text') : meaning(error?.code, error?.message, true)),
        h('p', {}, h('a', { href: location.href, className: 'button primary' },
            t(out ? 'sign.in' : 'again'))));
    $('#trouble').hidden = false;
    $('#make, #panel').hidden = true;
}

/** Gives the user a file. */
export function give(blob, name) {
    const url = URL.createObjectURL(blob);
    h('a', { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** The bytes of a stored picture. */
export async function bytes({ imageUrl }) {
    const answer = await fetch(address(imageUrl));
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    return answer.blob();
}

// ---- the store of generations ----

export const generations = new Map();
export const isEnded = ({ status }) => ['completed', 'failed', 'cancelled'].includes(status);

/** Takes a state of a generation in. An older state of an ended one is not taken. */
export function seen(generation) {
    const known = generations.get(generation.id);
    if (known && isEnded(known) && !isEnded(generation)) return known;
    const now = { ...known, ...generation };
    generations.set(now.id, now);
    if (now.preset) presetsOf(now.type).catch(() => {});
    emit('generation', now);
    return now;
}
export function forget(id) {
    generations.delete(id);
    emit('removed', id);
}

// ---- the words of the person ----

const presets = {};                              // type: its presets, once they are here
const reading = {};

/** All presets of a type; those that have its words before them get their own back. */
export function presetsOf(type) {
    reading[type] ??= app.gf.presets({ type, all: true }).then(list => {
        presets[type] = list.presets ?? [];
        for (const one of generations.values()) {
            if (one.type === type && wordsOf(one) !== one.prompt) emit('generation', one);
        }
        return presets[type];
    }).catch(error => { delete reading[type]; throw error; });
    return reading[type];
}
const presetOf = ({ type, preset }) => presets[type]?.find(one => one.key === preset);

/** The prompt without the words that the preset put before it. */
export function ownPrompt(generation) {
    const { prompt = '' } = generation;
    const before = presetOf(generation)?.prompt;
    return before && prompt.startsWith(before)
        ? prompt.slice(before.length).replace(/^,\s*/, '') : prompt;
}

/** What stands for a picture: the title, the prompt that the person wrote, the preset, the type. */
export const wordsOf = generation => generation.title || ownPrompt(generation)
    || presetOf(generation)?.label || typeOf(generation.type)?.label || generation.type;

/** The name of a file for a picture: by words and date. */
export function fileName(generation) {
    const words = wordsOf(generation).toWellFormed()
        .replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '');
    const type = generation.result?.type?.split('/')[1]
        ?? generation.imageUrl?.match(/\.(png|jpe?g|webp)$/)?.[1] ?? 'png';
    const name = [...words].slice(0, 60).join('') || 'picture';
    return `${name}_${generation.createdAt?.slice(0, 10) ?? ''}.${type.replace('jpeg', 'jpg')}`;
}
