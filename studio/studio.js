// SPDX-License-Identifier: Apache-2.0
// The page: who the user is, and the form that requests pictures. What is not needed for a first
// visit is imported when it is: cards, history, source pictures, code and keys.

import {
    $, app, address, bus, date, emit, expected, failed, followed, foreign, generations, h, isOwn, link, read,
    recall, remember, seconds, seen, showMenu, speak, t, toast,
} from './page.js';

const form = $('#make');
const fields = form.elements;
const state = { preset: null, loading: null, source: null, until: 0, dry: null, pressed: '', at: 0 };
const isExample = type => type.open && type.source !== 'required' && !needsPreset(type);
const needsPreset = type => Boolean(type.presets?.active) && type.prompt?.min === 0;

// ---- the client: it comes with the first use, so that a first visit stays light ----

let loading = null;
function client() {
    loading ??= import('./genflow.js').then(({ Genflow }) => {
        const headers = { 'Accept-Language': app.language };
        app.gf = new Genflow({ base: app.config.base, refresh: () => app.me && signInAgain(), headers });
    }).catch(error => { loading = null; throw error; });
    return loading;
}

const chosen = () => app.types.find(type => type.name === fields.type?.value);

// ---- the user ----

const credits = () => app.me && (app.me.remaining ?? app.me.balance - (app.me.held ?? 0));

function showMe() {
    const left = credits();
    $('#balance').hidden = typeof left !== 'number';
    $('#balance').textContent = t('credits.left', { n: left ?? 0 });
    $('#who').hidden = !app.me?.userId;
    $('#who').textContent = app.me?.userId ?? '';
    $('#open-keys').hidden = !app.me?.features?.keys;
    link($('#sign-out'), app.me?.signOutUrl);
    update();
}

const updateMe = () => client().then(() => app.gf.me()).then(me => { app.me = me; showMe(); }, () => { /* the next one will */ });

/** The client calls this when the sign-in has expired; it repeats the request afterwards. */
const signInAgain = () => import('./signin.js').then(part => part.signInAgain());
const trouble = error => import('./signin.js').then(part => part.trouble(error));

// ---- types ----

function showTypes() {
    const old = fields.type?.value ?? recall('type');
    for (const label of form.querySelectorAll('.type')) label.remove();
    for (const type of app.types) {
        const label = $('#type').content.cloneNode(true).firstElementChild;
        const input = $('input', label);
        input.value = type.name;
        input.disabled = !type.open;
        $('.name', label).replaceChildren(foreign(type.label || type.name));
        $('.about', label).replaceChildren(foreign(type.description));
        $('.price', label).textContent = type.open ? price(type) : t(`closed.${type.closedReason ?? 'fault'}`);
        $('#types').append(label);
    }
    const open = app.types.filter(type => type.open);
    const first = open.find(type => type.name === old) ?? open.find(isExample) ?? open[0];
    const radio = first && form.querySelector(`[value="${CSS.escape(first.name)}"]`);
    if (radio) { radio.checked = true; $('#types').scrollLeft = radio.parentNode.offsetLeft - 64; }
    chooseType();
}

function price(type) {
    const cost = type.cost ? t('credits', { n: type.cost }) : t('free');
    return [cost, expected(type)].filter(Boolean).join(' · ');
}

function chooseType() {
    const type = chosen();
    if (!type) return update();
    state.preset = null;
    fields.prompt.required = (type.prompt?.min ?? 0) > 0;
    $('#source').hidden = type.source === 'none';
    $('#source-label').textContent = t(type.source === 'required' ? 'source.required' : 'source');
    $('#presets').hidden = !type.presets?.total;
    showParameters().catch(failed);
    if (!$('#presets').hidden && (needsPreset(type) || $('#presets').open)) state.loading = showPresets(false);
    else $('#preset-name').textContent = '';
    return update();
}

async function showPresets(all) {
    const type = chosen();
    try {
        const [{ showPresets: show }] = await Promise.all([import('./presets.js'), client()]);
        const list = await app.gf.presets({ type: type.name, all });
        if (chosen() !== type) return;
        const presets = list.presets ?? [];
        if (needsPreset(type)) state.preset ??= presets.find(preset => preset.available)?.key ?? null;
        show(presets, state.preset, key => { state.preset = key; update(); });
        $('#all-presets').hidden = all || presets.length >= type.presets.total;
    } catch (error) { failed(error); }
    update();
}

// ---- parameters: their fields are made when they are looked at ----

async function showParameters() {
    const type = chosen();
    if (!type || !$('#settings').open && !$('#parameters').children.length) return;
    const { parameterFields } = await import('./parameters.js');
    if (type === chosen()) $('#parameters').replaceChildren(...parameterFields(type));
}

/** The parameters that the user has set; those of the page's own names apart. */
function parameters() {
    const values = {};
    for (const { name, kind } of chosen()?.parameters ?? []) {
        const field = fields[`parameter.${name}`];
        if (!field) continue;
        if (kind === 'boolean') { if (field.checked !== field.defaultChecked) values[name] = field.checked; }
        else if (field.value !== '') values[name] = ['number', 'integer'].includes(kind) ? Number(field.value) : field.value;
    }
    return values;
}

// ---- the request, and what keeps it from being sent ----

function spec() {
    const set = parameters();
    return {
        type: chosen()?.name,
        prompt: fields.prompt.value.trim().toWellFormed() || undefined,
        presetKey: state.preset ?? undefined,
        source: state.source?.value,
        n: Number(fields.n?.value ?? 1) > 1 ? Number(fields.n.value) : undefined,
        parameters: Object.keys(set).length ? set : undefined,
    };
}

const cost = () => (chosen()?.cost ?? 0) * (spec().n ?? 1);
const left = () => Math.ceil((state.until - performance.now()) / 1000);

/** Why nothing can be requested now, as [text, field]; null: it can. */
function obstacle() {
    const type = chosen();
    const length = [...fields.prompt.value.trim()].length;
    const concurrent = app.me?.limits?.concurrent;
    const invalid = [...$('#parameters').querySelectorAll('input')].find(input => !input.checkValidity());
    if (!navigator.onLine) return [t('reason.offline')];
    if (!type) return [t('reason.closed')];
    if (!type.open) return [t(`closed.${type.closedReason ?? 'fault'}`)];
    if (left() > 0) return [t('reason.wait', { time: seconds(left()) })];
    if (credits() < cost()) return [broke()];
    if (concurrent && concurrent.used >= concurrent.limit) return [t('reason.concurrent', { n: concurrent.limit })];
    if (needsPreset(type) && !state.preset) return [t('reason.preset'), $('#presets summary')];
    if (length < (type.prompt?.min ?? 0)) return [t('reason.short', { n: type.prompt.min }), fields.prompt];
    if (length > (type.prompt?.max ?? Infinity)) return [t('reason.long', { n: type.prompt.max }), fields.prompt];
    if (type.source === 'required' && !state.source) return [t('reason.source'), $('#choose')];
    if (invalid) return [`${invalid.closest('label').firstChild.textContent}: ${invalid.validationMessage}`, invalid];
    return null;
}

function broke() {
    const reset = app.me.daily_limit !== null && app.me.dailyReset;
    return t('reason.credits', { n: cost(), left: t('credits', { n: Math.max(credits(), 0) }) })
        + (reset ? ` ${t('reason.credits.reset', { time: date(reset) })}` : '');
}

/** Shows what the form says now: count, cost, reason, button. */
function update() {
    const type = chosen();
    const length = [...fields.prompt.value.trim()].length;
    const why = app.me && obstacle();
    const sum = state.dry?.cost ?? cost();
    $('#count').textContent = type?.prompt?.max ? `${length} / ${type.prompt.max}` : '';
    $('#count').classList.toggle('over', length > (type?.prompt?.max ?? Infinity));
    $('#example').hidden = length > 0;
    $('#cost').textContent = type && app.me
        ? `${t('cost', { n: sum })} · ${t('credits.after', { n: Math.max(credits() - sum, 0) })}` : '';
    $('#reason').hidden = !why;
    $('#reason').replaceChildren(why ? why[0] : '');
    const ask = credits() < cost() && followed(app.config.links?.credits);
    if (why && ask) {
        $('#reason').append(' ', h('a', { href: ask }, t('credits.get')));
    }
    $('#generate').setAttribute('aria-disabled', String(Boolean(why)));
    $('#composed').hidden = !state.dry?.prompt || state.dry.prompt === fields.prompt.value.trim();
    $('#composed-text').textContent = state.dry?.prompt ?? '';
    if (left() > 0) setTimeout(update, 1000);
}

// ---- the price, asked from the server without a charge ----

let dryTimer;
function askPrice() {
    clearTimeout(dryTimer);
    state.dry = null;
    dryTimer = setTimeout(async () => {
        const request = { ...spec(), source: undefined };
        if (!request.type || chosen().source === 'required' || obstacle()) return;
        try {
            await client();
            const answer = await app.gf.dryRun(request);
            if (JSON.stringify({ ...spec(), source: undefined }) !== JSON.stringify(request)) return;
            state.dry = { cost: answer.estimatedCost, prompt: answer.prompt };
            update();
        } catch (error) {
            if (error.retryAfter) refused(error);
        }
    }, 500);
}

/** A refusal with a time: the button counts down. */
function refused(error) {
    if (error?.retryAfter) state.until = performance.now() + error.retryAfter * 1000;
    update();
}

// ---- requesting ----

async function generate() {
    await state.loading;                                         // the presets of a type that was just chosen
    const why = obstacle();
    if (why) {
        toast(why[0]);
        why[1]?.closest('details')?.setAttribute('open', '');
        why[1]?.focus();
        return;
    }
    const pressed = JSON.stringify({ ...spec(), source: state.source?.url });
    if (pressed === state.pressed && performance.now() - state.at < 500) return;          // a double click is one request
    Object.assign(state, { pressed, at: performance.now() });
    const [{ begin }] = await Promise.all([import('./card.js'), client()]);
    remember('type', chosen().name);
    $('#welcome').hidden = true;
    begin(spec(), state.source);
}

/** Fills the form from a generation: all of it, only the prompt, with another seed, or as source. */
async function reuse({ generation, how }) {
    $('dialog.viewer')?.close();
    if (how === 'source') {
        await setSource({ value: generation, url: generation.imageUrl });
        $('#choose').focus();
        return;
    }
    await client();
    const { again } = await import('./picture.js');
    const request = await again(generation);
    const radio = how === 'prompt' ? null : form.querySelector(`[name=type][value="${CSS.escape(generation.type)}"]:enabled`);
    if (radio) {
        radio.checked = true;
        chooseType();
        state.preset = generation.preset ?? state.preset;
        if (chosen().presets) showPresets(false);
        $('#settings').open ||= Boolean(request.parameters);
        await showParameters();
        for (const [name, value] of Object.entries(request.parameters ?? {})) {
            const field = fields[`parameter.${name}`];
            if (field?.type === 'checkbox') field.checked = value;
            else if (field) field.value = name === 'seed' && how === 'seed' ? '' : value;
        }
        if (generation.sourceUrl && how !== 'seed') await setSource({ value: new URL(generation.sourceUrl, location).href, url: generation.sourceUrl });
    }
    fields.prompt.value = request.prompt ?? '';
    changed();
    fields.prompt.focus();
    form.scrollIntoView({ block: 'start' });
}

/** The source picture: {value: what the client sends, url: what the page shows}, or null. */
async function setSource(source) {
    state.source = source;
    const picture = $('#source-picture');
    picture.hidden = !source || !isOwn(source.url);
    if (!picture.hidden) { picture.src = source.url; picture.alt = t('source'); }
    $('#unchoose').hidden = !source;
    $('#choose').textContent = t(source ? 'source.change' : 'source.choose');
    changed();
}

// ---- the draft: it survives a reload and a sign-in ----

function changed() {
    try { sessionStorage.setItem('genflow.draft', fields.prompt.value); } catch { /* lost at a reload then */ }
    state.dry = null;
    update();
    askPrice();
}

function wire() {
    const later = name => client().then(() => import(name));
    try { fields.prompt.value = sessionStorage.getItem('genflow.draft') ?? ''; } catch { /* none */ }
    form.addEventListener('submit', event => { event.preventDefault(); generate().catch(failed); });
    form.addEventListener('input', event => { if (event.target.name === 'type') chooseType(); changed(); });
    // What a press needs; and, while the user is signed in, what asks for the sign-in again.
    form.addEventListener('focusin', () => Promise.all(['./card.js', './signin.js'].map(later)).catch(() => {}), { once: true });
    document.addEventListener('keydown', event => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); generate().catch(failed); }
    });
    $('#presets').addEventListener('toggle', () => { if ($('#presets').open && !$('#presets .preset')) showPresets(false); });
    $('#all-presets').addEventListener('click', () => showPresets(true));
    $('#settings').addEventListener('toggle', () => {
        showParameters().then(update, failed);
        later('./templates.js').then(part => part.show(spec, reuse)).catch(failed);
    }, { once: true });
    $('#edit-composed').addEventListener('click', () => { fields.prompt.value = $('#composed-text').textContent; changed(); fields.prompt.focus(); });
    for (const place of ['#example', '#first']) {
        $(place).addEventListener('click', () => {
            fields.prompt.value = t('example.prompt');
            changed();
            if (place === '#first') generate().catch(failed); else fields.prompt.focus();
        });
    }
    $('#as-code').addEventListener('click', () => later('./code.js').then(part => part.showCode(spec(), cost())).catch(failed));
    $('#open-keys').addEventListener('click', () => { $('#menu').hidePopover(); later('./code.js').then(part => part.showKeys()).catch(failed); });
    const source = act => later('./source.js').then(part => part[act[0]](act[1], setSource)).catch(failed);
    $('#choose').addEventListener('click', () => $('#file').click());
    $('#unchoose').addEventListener('click', () => { setSource(null); $('#choose').focus(); });
    $('#file').addEventListener('change', () => { source(['take', $('#file').files]); });
    document.addEventListener('paste', event => {
        const files = event.clipboardData?.files;
        if (files?.length && !$('#source').hidden) { event.preventDefault(); source(['take', files]); }
        else if (event.target.closest?.('#source')) source(['take', []]);
    });
    for (const name of ['dragover', 'drop']) {
        document.addEventListener(name, event => {
            if ($('#source').hidden || !event.dataTransfer) return;
            event.preventDefault();
            if (name === 'drop') source(['drop', event.dataTransfer]);
        });
    }
    for (const name of ['online', 'offline']) addEventListener(name, update);
    bus.addEventListener('use', event => reuse(event.detail).catch(failed));
    bus.addEventListener('me', updateMe);
    bus.addEventListener('refused', event => refused(event.detail));
}

// ---- the start ----

/** One stream for all tabs of the user, once the page is used; at once if there is something to follow. */
function listen(now) {
    const on = ({ event: name, data }) => {
        if (name === 'generation') seen(data);
        if (name === 'queue') emit('queue', data);
        if (name === 'balance') { app.me = { ...app.me, ...data }; showMe(); }
        if (name === 'reset') emit('reset');
    };
    let begun = null;
    const begin = () => { begun ??= client().then(() => app.gf.events({ on })).catch(() => { begun = null; }); };
    for (const name of ['pointerdown', 'keydown']) addEventListener(name, begin);
    if (now) begin();
}

async function start() {
    app.config = await fetch('config.json').then(answer => answer.json()).catch(() => ({}));
    app.config.base ??= '/api';
    const { languages = ['en', 'ja'], title, logo, links } = app.config;
    await speak(languages);
    if (title) { document.title = title; $('#title').textContent = title; }
    if (address(logo)) { $('#logo').src = logo; $('#logo').hidden = false; }
    showMenu(languages, links);
    wire();
    try {
        const [me, { types }, page] = await Promise.all([read('me'), read('types'), read('generations?limit=48')]);
        Object.assign(app, { me, types, clockError: me.timestamp ? Date.parse(me.timestamp) - Date.now() : 0 });
        showTypes();
        showMe();
        const isNew = !page.items?.length;
        $('#welcome').hidden = !isNew || !types.some(isExample);
        $('#welcome-prompt').textContent = t('example.prompt');
        const history = shown => Promise.all([import('./history.js'), client()]).then(([part]) => part.showHistory(shown));
        if (!isNew) await history(page);
        else bus.addEventListener('generation', () => history({ items: [...generations.values()] }), { once: true });
        listen(!isNew);
    } catch (error) { trouble(error); }
    document.documentElement.dataset.ready = '';
}

start().catch(trouble);
