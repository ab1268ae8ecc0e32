// SPDX-License-Identifier: Apache-2.0
// The page: who the user is, and the form that requests pictures. What is not needed for a first
// visit is imported when it is: cards, history, source pictures, code and keys.

import {
    $, app, address, bus, date, emit, expected, failed, followed, foreign, generations, h, here,
    isOwn, link, presetsOf, read, recall, remember, seconds, seen, shared, showMenu, speak, t,
    toast, trouble, typeOf,
} from './page.js';

const form = $('#make');
const fields = form.elements;
const state = { preset: null, loading: null, source: null, dry: null, pressed: '', until: 0 };
const needsPreset = type => Boolean(type.presets?.active) && type.prompt?.min === 0;
const isExample = type => type.open && type.source !== 'required' && !needsPreset(type);

// ---- the client: it comes with the first use, so that a first visit stays light ----

let loading = null;
function client() {
    loading ??= import('./genflow.js').then(({ Genflow }) => {
        const { base, storage } = app.config;
        app.gf = new Genflow({ base, storage, headers: { 'Accept-Language': app.language },
            refresh: () => app.me && import('./signin.js').then(part => part.signInAgain()) });
    }).catch(error => { loading = null; throw error; });
    return loading;
}
/** A part of the page that needs the client. */
const later = name => client().then(() => import(name));

const chosen = () => typeOf(fields.type?.value);

// ---- the user ----

const credits = () => app.me && (app.me.remaining ?? app.me.balance - (app.me.held ?? 0));

function showMe() {
    const { userId, features, signOutUrl } = app.me;
    const left = credits();
    $('#balance').hidden = typeof left !== 'number';
    $('#balance').textContent = t('credits.left', { n: left ?? 0 });
    $('#who').hidden = !userId;
    $('#who').textContent = userId ?? '';
    $('#open-keys').hidden = !features?.keys;
    link($('#sign-out'), signOutUrl);
    update();
}

const updateMe = () => client().then(() => app.gf.me())
    .then(me => { app.me = me; showMe(); }, () => { /* the next one will */ });

// ---- types ----

function showTypes() {
    const open = app.types.filter(type => type.open);
    const first = open.find(type => type.name === recall('type'))
        ?? open.find(isExample) ?? open[0];
    for (const type of app.types) {
        const label = $('#type').content.cloneNode(true).firstElementChild;
        const input = $('input', label);
        input.value = type.name;
        input.disabled = !type.open;
        input.checked = type === first;
        $('.name', label).replaceChildren(foreign(type.label || type.name));
        $('.about', label).replaceChildren(foreign(type.description));
        $('.price', label).textContent = type.open ? price(type) : closed(type);
        $('#types').append(label);
        if (input.checked) $('#types').scrollLeft = label.offsetLeft - 64;
    }
    chooseType();
}

const closed = type => t(`closed.${type.closedReason ?? 'fault'}`);
const price = type => [type.cost ? t('credits', { n: type.cost }) : t('free'), expected(type)]
    .filter(Boolean).join(' · ');

function chooseType() {
    const type = chosen();
    if (!type) return update();
    state.preset = null;
    fields.prompt.required = (type.prompt?.min ?? 0) > 0;
    $('#source').hidden = type.source === 'none';
    $('#source-label').textContent = t(type.source === 'required' ? 'source.required' : 'source');
    $('#presets').hidden = !type.presets?.total;
    $('#preset-name').textContent = '';
    showParameters().catch(failed);
    if (type.presets?.total && (needsPreset(type) || $('#presets').open)) {
        state.loading = showPresets(false);
    }
    return update();
}

async function showPresets(all) {
    const type = chosen();
    try {
        const { showPresets: show } = await later('./presets.js');
        const presets = await presetsOf(type.name);
        const now = presets.filter(({ available }) => available);
        if (chosen() !== type) return;
        if (needsPreset(type)) state.preset ??= now[0]?.key ?? null;
        show(all ? presets : now, state.preset, key => { state.preset = key; changed(); });
        $('#all-presets').hidden = all || presets.length === now.length;
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

/** The parameters that the user has set. */
function parameters() {
    const values = {};
    for (const { name, kind } of chosen()?.parameters ?? []) {
        const field = fields[`parameter.${name}`];
        if (!field) continue;
        const { value, checked } = field;
        if (kind === 'boolean') {
            if (checked !== field.defaultChecked) values[name] = checked;
        } else if (value !== '') {
            values[name] = ['number', 'integer'].includes(kind) ? Number(value) : value;
        }
    }
    return Object.keys(values).length ? values : undefined;
}

// ---- the request, and what keeps it from being sent ----

function spec() {
    const n = Number(fields.n?.value ?? 1);
    return {
        type: chosen()?.name,
        prompt: fields.prompt.value.trim().toWellFormed() || undefined,
        presetKey: state.preset ?? undefined,
        source: state.source?.value,
        n: n > 1 ? n : undefined,
        parameters: parameters(),
    };
}

const cost = () => state.dry?.cost ?? (chosen()?.cost ?? 0) * (spec().n ?? 1);
const left = () => Math.ceil((state.until - performance.now()) / 1000);
const typed = () => [...fields.prompt.value.trim()].length;

/** Why nothing can be requested now, as [text, field]; null: it can. */
function obstacle() {
    const type = chosen();
    const { min = 0, max = Infinity } = type?.prompt ?? {};
    const { used, limit: n } = app.me?.limits?.concurrent ?? {};
    const invalid = $('#parameters input:invalid');
    if (!navigator.onLine) return [t('reason.offline')];
    if (!type) return [t('reason.closed')];
    if (!type.open) return [closed(type)];
    if (left() > 0) return [t('reason.wait', { time: seconds(left()) })];
    if (credits() < cost()) return [broke()];
    if (n && used >= n) return [t('reason.concurrent', { n })];
    if (needsPreset(type) && !state.preset) return [t('reason.preset'), $('#presets summary')];
    if (typed() < min) return [t('reason.short', { n: min }), fields.prompt];
    if (typed() > max) return [t('reason.long', { n: max }), fields.prompt];
    if (type.source === 'required' && !state.source) return [t('reason.source'), $('#choose')];
    if (invalid) {
        const { textContent } = invalid.closest('label').firstChild;
        return [`${textContent}: ${invalid.validationMessage}`, invalid];
    }
    return null;
}

function broke() {
    const reset = app.me.daily_limit !== null && app.me.dailyReset;
    const has = t('credits', { n: Math.max(credits(), 0) });
    return [t('reason.credits', { n: cost(), left: has }),
        reset && t('reason.credits.reset', { time: date(reset) })].filter(Boolean).join(' ');
}

/** Shows what the form says now: count, cost, reason, button. */
function update() {
    const { prompt: { max } = {} } = chosen() ?? {};
    const why = app.me && obstacle();
    const n = cost();
    const buy = credits() < n && followed(app.config.links?.credits);
    $('#count').textContent = max ? `${typed()} / ${max}` : '';
    $('#count').classList.toggle('over', typed() > (max ?? Infinity));
    $('#example').hidden = typed() > 0;
    $('#cost').textContent = app.me && chosen()
        ? `${t('cost', { n })} · ${t('credits.after', { n: Math.max(credits() - n, 0) })}` : '';
    $('#reason').hidden = !why;
    $('#reason').replaceChildren(why ? why[0] : '');
    if (why && buy) $('#reason').append(' ', h('a', { href: buy }, t('credits.get')));
    $('#generate').setAttribute('aria-disabled', String(Boolean(why)));
    $('#composed').hidden = !state.dry?.prompt || state.dry.prompt === fields.prompt.value.trim();
    $('#composed-text').textContent = state.dry?.prompt ?? '';
    if (left() > 0) setTimeout(update, 1000);
}

// ---- the price, asked from the server without a charge ----

let dryTimer;
function askPrice() {
    const wish = () => JSON.stringify({ ...spec(), source: undefined });
    clearTimeout(dryTimer);
    dryTimer = setTimeout(async () => {
        const request = wish();
        if (!chosen() || chosen().source === 'required' || obstacle()) return;
        try {
            await client();
            const answer = await app.gf.dryRun(JSON.parse(request));
            if (wish() !== request) return;
            state.dry = { cost: answer.estimatedCost, prompt: answer.prompt };
            update();
        } catch (error) { refused(error); }
    }, 500);
}

/** A refusal with a time: the button counts down. */
function refused(error) {
    if (error?.retryAfter) state.until = performance.now() + error.retryAfter * 1000;
    update();
}

// ---- requesting ----

async function generate() {
    await state.loading;                              // the presets of a type that was just chosen
    const why = obstacle();
    if (why) {
        toast(why[0]);
        why[1]?.closest('details')?.setAttribute('open', '');
        why[1]?.focus();
        return;
    }
    const pressed = JSON.stringify([spec(), state.source?.url]);
    const at = performance.now();
    if (pressed === state.pressed && at - state.at < 500) return;       // a double click
    Object.assign(state, { pressed, at });
    const { begin } = await later('./card.js');
    remember('type', chosen().name);
    $('#welcome').hidden = true;
    begin(spec(), state.source);
}

/** Fills the form from a generation: all of it, its prompt, with another seed, or as source. */
async function reuse({ generation, how }) {
    const { type, preset, sourceUrl, imageUrl } = generation;
    $('dialog.viewer')?.close();
    if (how === 'source') {
        setSource({ value: generation, url: imageUrl });
        $('#choose').focus();
        return;
    }
    const { again } = await later('./picture.js');
    const request = await again(generation);
    const radio = how !== 'prompt' && $(`[name=type][value="${CSS.escape(type)}"]:enabled`, form);
    if (radio) {
        radio.checked = true;
        chooseType();
        state.preset = preset ?? state.preset;
        if (chosen().presets) showPresets(false);
        $('#settings').open ||= Boolean(request.parameters);
        await showParameters();
        for (const [name, value] of Object.entries(request.parameters ?? {})) {
            const field = fields[`parameter.${name}`];
            if (field?.type === 'checkbox') field.checked = value;
            else if (field) field.value = name === 'seed' && how === 'seed' ? '' : value;
        }
        if (sourceUrl && how !== 'seed') setSource({ value: address(sourceUrl), url: sourceUrl });
    }
    write(request.prompt ?? '');
    form.scrollIntoView({ block: 'start' });
}

/** The source picture: {value: what the client sends, url: what the page shows}, or null. */
function setSource(source) {
    state.source = source;
    const picture = $('#source-picture');
    picture.hidden = !isOwn(source?.url);
    if (!picture.hidden) { picture.src = source.url; picture.alt = t('source'); }
    $('#unchoose').hidden = !source;
    $('#choose').textContent = t(source ? 'source.change' : 'source.choose');
    changed();
}

// ---- the draft: it survives a reload and a sign-in ----

function write(prompt) {
    fields.prompt.value = prompt;
    changed();
    fields.prompt.focus();
}

function changed() {
    try {
        sessionStorage.setItem('genflow.draft', fields.prompt.value);
    } catch { /* lost at a reload then */ }
    state.dry = null;
    update();
    askPrice();
}

function wire() {
    const on = (place, event, act, options) =>
        (typeof place === 'string' ? $(place) : place).addEventListener(event, act, options);
    const source = (act, what) =>
        later('./source.js').then(part => part[act](what, setSource)).catch(failed);
    const code = (act, ...all) => later('./code.js').then(part => part[act](...all)).catch(failed);
    const press = event => { event?.preventDefault(); generate().catch(failed); };
    try { fields.prompt.value = sessionStorage.getItem('genflow.draft'); } catch { /* none */ }
    on(form, 'submit', press);
    on(form, 'input', event => { if (event.target.name === 'type') chooseType(); changed(); });
    // What a press needs; and, while the user is signed in, what asks for the sign-in again.
    on(form, 'focusin', () => ['./card.js', './signin.js'].map(name => later(name).catch(() => {})),
        { once: true });
    on(document, 'keydown', event => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) press(event);
    });
    on('#presets', 'toggle', () => $('#presets').open && !$('.preset') && showPresets(false));
    on('#all-presets', 'click', () => showPresets(true));
    on('#settings', 'toggle', () => {
        showParameters().then(update, failed);
        later('./templates.js').then(part => part.show(spec, reuse)).catch(failed);
    }, { once: true });
    on('#edit-composed', 'click', () => write($('#composed-text').textContent));
    on('#example', 'click', () => write(t('example.prompt')));
    on('#first', 'click', () => { write(t('example.prompt')); press(); });
    on('#as-code', 'click', () => code('showCode', spec(), cost()));
    on('#open-keys', 'click', () => { $('#menu').hidePopover(); code('showKeys'); });
    on('#choose', 'click', () => $('#file').click());
    on('#unchoose', 'click', () => { setSource(null); $('#choose').focus(); });
    on('#file', 'change', () => source('take', $('#file').files));
    on(document, 'paste', event => {
        const { files = [] } = event.clipboardData ?? {};
        const isHere = event.target.closest?.('#source');
        if ($('#source').hidden || !files.length && !isHere) return;
        event.preventDefault();
        source('take', files);
    });
    for (const name of ['dragover', 'drop']) {
        on(document, name, event => {
            if ($('#source').hidden || !event.dataTransfer) return;
            event.preventDefault();
            if (name === 'drop') source('drop', event.dataTransfer);
        });
    }
    for (const name of ['online', 'offline']) on(window, name, update);
    on(bus, 'use', event => reuse(event.detail).catch(failed));
    on(bus, 'me', updateMe);
    on(bus, 'refused', event => refused(event.detail));
}

// ---- the start ----

/** One stream for all tabs of the user, once the page is used; at once if there is a history. */
function listen(now) {
    const on = ({ event: name, data }) => {
        if (name === 'generation') seen(data);
        if (name === 'queue') emit('queue', data);
        if (name === 'balance') { app.me = { ...app.me, ...data }; showMe(); }
        if (name === 'reset') emit('reset');
    };
    let begun = null;
    const begin = () => {
        begun ??= client().then(() => app.gf.events({ on })).catch(() => { begun = null; });
    };
    for (const name of ['pointerdown', 'keydown']) addEventListener(name, begin);
    if (now) begin();
}

async function start() {
    const config = await fetch(new URL('config.json', here)).then(answer => answer.json())
        .catch(() => ({}));
    const { base = '/api', languages = ['en', 'ja'], title, logo, links } = config;
    app.config = { base: location.origin + base, links, storage: shared() };
    await speak(languages);
    if (title) { document.title = title; $('#title').textContent = title; }
    if (address(logo)) $('#logo').src = logo;
    showMenu(languages, links);
    wire();
    const [me, { types }, page] =
        await Promise.all([read('me'), read('types'), read('generations?limit=48')]);
    const clockError = me.timestamp ? Date.parse(me.timestamp) - Date.now() : 0;
    Object.assign(app, { me, types, clockError });
    showTypes();
    showMe();
    const isNew = !page.items?.length;
    const history = first => later('./history.js').then(part => part.showHistory(first));
    $('#welcome').hidden = !isNew || !types.some(isExample);
    $('#welcome-prompt').textContent = t('example.prompt');
    listen(!isNew);
    if (!isNew) return history(page);
    const begin = () => history({ items: [...generations.values()] });
    return bus.addEventListener('generation', begin, { once: true });
}

start().catch(trouble).then(() => { document.documentElement.dataset.ready = ''; });
