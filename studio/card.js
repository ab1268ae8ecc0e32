// SPDX-License-Identifier: Apache-2.0
// A generation as a card: while it waits and runs, the picture, the failure. The same card stands
// below the form and, from the history, in a dialog.

import {
    $, address, app, ask, button, bus, copy, date, emit, expected, failed, followed, foreign, h,
    isEnded, meaning, row, say, seconds, seen, shown, small, t, toast, typeOf, wordsOf,
} from './page.js';

const LOOK = 15_000;                             // ms until it asks whether the picture is stored
const cards = new Map();                         // id: its cards
const running = new Set();                       // cards with a clock
const requested = new Map();                     // what is being requested: its first card
const clock = () => Date.now() + (app.clockError ?? 0);
const cardsOf = id => cards.get(id) ?? [];

setInterval(() => running.forEach(card => card.tick()), 1000);
bus.addEventListener('generation', ({ detail }) =>
    cardsOf(detail.id).forEach(card => card.show(detail)));
bus.addEventListener('removed', ({ detail }) => cardsOf(detail).forEach(card => card.leave()));
bus.addEventListener('queue', ({ detail: { id, position, expectedSeconds } }) =>
    cardsOf(id).forEach(card =>
        card.show({ ...card.generation, queuePosition: position, expectedSeconds })));

// ---- requesting ----

/** Requests what the spec says and shows a card for each picture at once. */
export function begin(spec, source) {
    const request = JSON.stringify([{ ...spec, source: undefined }, source?.url]);
    const same = requested.get(request);
    if (same?.isConnected) {                       // the same request is one generation
        toast(t('running.already'));
        same.scrollIntoView({ block: 'nearest' });
        return;
    }
    const waiting = Array.from({ length: spec.n ?? 1 }, () => {
        const card = new Card();
        card.begin(spec, source);
        place(card);
        return card;
    });
    requested.set(request, waiting[0]);
    waiting[0].scrollIntoView({ block: 'nearest' });
    say(t('state.pending'));
    const onUpdate = generation => {
        for (const one of generation.batch ?? [generation]) {
            if (!cards.has(one.id) && waiting.length) {
                waiting.shift().adopt(one.id);
                emit('me');
            }
            seen(one);
        }
    };
    follow(app.gf.generate(spec, { async: true, onUpdate }), onUpdate, error => {
        for (const card of waiting.splice(0)) card.refuse(error);
        emit('refused', error);
    }).then(() => {
        requested.delete(request);
        for (const card of waiting) card.leave();    // another tab made the same request
    });
}

/** Takes in what a promise of a generation brings: its end, its failure, or a refusal. */
function follow(promise, onUpdate, refuse) {
    return promise.then(onUpdate, error => {
        if (error.generation) onUpdate(error.generation);
        else if (error.name !== 'AbortError') refuse(error);
    }).finally(() => emit('me'));
}

/** A card of a generation that this page did not begin, or that a retry made. */
export function showRunning(generation) {
    if (cards.has(generation.id)) return;
    const card = new Card();
    card.adopt(generation.id);
    place(card);
    card.show(generation);
}

function place(card) {
    $('#now').append(card);
    $('#now').hidden = false;
}

/** The card of a generation in a dialog. */
export function openCard(generation, dialog) {
    const card = new Card();
    card.adopt(generation.id);
    const box = dialog(generation.title || t('picture'), card, 'viewer');
    box.addEventListener('close', () => card.leave());
    card.addEventListener('gone', () => box.close());
    card.show(generation);
    return box;
}

// ---- the card ----

class Card extends HTMLElement {
    begin(spec, source) {
        this.spec = spec;
        this.source = source;
        this.since = clock();
        this.show({ ...spec, status: 'sending', parameters: spec.parameters ?? {} });
    }

    adopt(id) {
        this.key = id;
        if (!cards.has(id)) cards.set(id, new Set());
        cards.get(id).add(this);
    }

    leave() {
        if (this.contains(document.activeElement)) {
            const near = this.nextElementSibling ?? this.previousElementSibling;
            ($('button', near ?? this.cloneNode()) ?? $('#prompt')).focus();
        }
        cards.get(this.key)?.delete(this);
        running.delete(this);
        this.dispatchEvent(new Event('gone'));
        this.remove();
        if (!$('#now').children.length) $('#now').hidden = true;
    }

    show(generation) {
        const before = this.generation;
        const { status } = generation;
        const looks = JSON.stringify([status, generation.retryCount, generation.provider,
            generation.persisted, generation.tags, wordsOf(generation)]);
        this.generation = generation;
        if (looks !== this.looks || !before.id) this.draw(generation);
        this.looks = looks;
        running[isEnded(generation) ? 'delete' : 'add'](this);
        this.tick();
        this.progress(generation);
        if (status === 'completed' && !shown(generation)) this.later ??= setTimeout(() => {
            this.later = null;
            if (this.isConnected) app.gf.get(generation.id).then(seen, () => {});
        }, LOOK);
        if (before && before.status !== 'sending' && before.status !== status) {
            if (status === 'completed') toast(t('done'));
            else if (status !== 'failed') say(stateOf(generation));    // a failure is an alert
        }
    }

    draw(generation) {
        const { status } = generation;
        const part = { completed, failed: failure, cancelled }[status] ?? working;
        const words = wordsOf(generation);
        const hadFocus = this.contains(document.activeElement);
        this.dataset.status = status;
        this.replaceChildren(h('article', { 'aria-label': words },
            media(generation, this.source), h('div', { className: 'body' },
                h('p', { className: 'prompt' }, foreign(words)), part(generation, this))));
        if (hadFocus) ($('button', this) ?? $('#prompt')).focus();
    }

    progress({ progress, logs, ...generation }) {
        const bar = $('progress', this);
        if (!bar) return;
        if (typeof progress === 'number') bar.value = progress;
        else bar.removeAttribute('value');
        $('.place', this).textContent = placeOf(generation);
        $('.logs', this).hidden = !logs?.length;
        $('.logs pre', this).textContent = (logs ?? []).join('\n');
    }

    tick() {
        const place = $('.elapsed', this);
        if (!place) return;
        const since = this.since ?? Date.parse(this.generation.createdAt);
        place.textContent = seconds(Math.min((clock() - since) / 1000, 86400));
    }

    /** The request made no generation: nothing was charged. */
    refuse(error) {
        const { spec, source } = this;
        running.delete(this);
        this.dataset.status = 'failed';
        const again = () => { this.leave(); begin(spec, source); };
        const draw = async () => {
            if (!await ask(t('local.ask'), 'local')) return;
            (await import('./draw.js')).drawInto(this, this.generation);
        };
        $('.body', this).replaceChildren(
            h('p', { className: 'prompt' }, foreign(wordsOf(this.generation))),
            box(t('refused'), error, error.requestId, [
                row(button('retry', again, { className: 'primary' }),
                    !error.requestId && button('local', draw),
                    button('close', () => this.leave()))]));
    }
}
customElements.define('gf-card', Card);

// ---- its parts ----

function stateOf({ status, provider }) {
    if (status !== 'processing') return t(`state.${status}`);
    return provider ? t('state.processing', { provider }) : t('state.processing.here');
}

function placeOf({ status, queuePosition, expectedSeconds, type }) {
    if (status !== 'pending' || !queuePosition) return expected(typeOf(type));
    const time = expectedSeconds && t('queue.time', { time: seconds(expectedSeconds) });
    return [t('queue', { n: queuePosition }), time].filter(Boolean).join(' · ');
}

/** The picture, or its place of the right ratio. */
function media(generation, source) {
    const { result, parameters, color, imageUrl, sourceUrl, takenDown } = generation;
    const ratio = parameters?.aspectRatio ?? parameters?.aspect_ratio;
    const [width, height] = result?.width ? [result.width, result.height]
        : (/^(\d+):(\d+)$/.exec(ratio ?? '1:1') ?? [0, 1, 1]).slice(1);
    const place = h('div', { className: 'media' });
    place.style.aspectRatio = `${width} / ${height}`;
    if (/^#[0-9a-f]{6}$/i.test(color ?? '')) place.style.backgroundColor = color;
    const url = shown(generation);
    if (url) {
        place.append(h('img', { alt: wordsOf(generation), decoding: 'async', src: url,
            width: String(width), height: String(height) }));
        const from = address(source?.url ?? sourceUrl ?? '');
        if (from) import('./picture.js').then(part => part.compare(place, from)).catch(() => {});
    } else if (generation.status === 'completed') {
        place.append(h('p', { className: 'elsewhere' }, t(takenDown ? 'taken' : 'elsewhere'), ' ',
            address(imageUrl) && out(address(imageUrl), 'open')));
    }
    return place;
}

const out = (href, key) => h('a', { href, target: '_blank', rel: 'noopener' }, t(key));
const copied = (id, text, label) => h('p', { className: 'small row' }, text,
    h('code', { className: 'id' }, id),
    button('copy', () => copy(id), { className: 'quiet', 'aria-label': label }));
const retries = ({ retryCount: n, maxRetries: max }) => n > 0 && small(t('retries', { n, max }));

function working(generation) {
    const { id, type, estimatedCost } = generation;
    const cost = estimatedCost ?? typeOf(type)?.cost ?? 0;
    const state = stateOf(generation);
    const cancel = async event => {
        event.target.disabled = true;
        await app.gf.cancel(id).then(seen, failed);
        emit('me');
    };
    return [
        h('p', { className: 'state' },
            h('strong', {}, state), ' ', h('span', { className: 'elapsed' })),
        h('progress', { max: 1, 'aria-label': state }),
        h('p', { className: 'small place' }),
        retries(generation),
        h('details', { className: 'logs', hidden: true },
            h('summary', {}, t('logs')), h('pre', { dir: 'auto' })),
        id && copied(id, '', t('copy.id')),
        id && row(button('cancel', cancel),
            cost > 0 && h('span', { className: 'small' }, t('cancel.hint', { n: cost }))),
    ];
}

function completed(generation) {
    const { tokensUsed: n, persisted, expiresAt, createdAt, tags } = generation;
    const kept = generation.takenDown ? '' : persisted === false ? t('kept.soon')
        : expiresAt ? t('kept.until', { time: date(expiresAt) }) : t('kept');
    const actions = h('div', { className: 'row actions' });
    import('./picture.js').then(part => actions.append(...part.actions(generation))).catch(failed);
    return [actions,
        small([n ? t('credits', { n }) : t('free'), createdAt && date(createdAt), kept]
            .filter(Boolean).join(' · ')),
        tags?.length > 0 && h('p', { className: 'tags' }, tags.map(tag => foreign(tag)))];
}

const close = () =>
    button('close', event => event.target.closest('gf-card').leave(), { className: 'quiet' });

function cancelled(generation) {
    return [h('p', { className: 'state' }, t('state.cancelled')), small(t('not.charged')),
        row(button('again', () => emit('use', { generation, how: 'all' })), close())];
}

function failure(generation, card) {
    const { id, type, retryCount: n, maxRetries } = generation;
    const error = { code: generation.errorCode, message: generation.errorMessage };
    const canFallBack = typeof typeOf(type)?.fallbackCost === 'number'
        && app.me?.features?.fallback !== false;
    const repeat = (target, name) => {
        const onUpdate = made => {
            if (card.isConnected) { showRunning(made); card.leave(); }
            seen(made);
        };
        target.disabled = true;
        follow(app.gf[name](id, { onUpdate }), onUpdate, error => {
            target.disabled = false;
            emit('refused', error);
            failed(error);
        });
    };
    const draw = async ({ target }) => {
        if (!await ask(t('local.ask'), 'local')) return;
        if (navigator.onLine) repeat(target, 'fallback');
        else (await import('./draw.js')).drawInto(card, generation);
    };
    const help = followed(app.config.links?.help);
    return box(t('failed'), error, generation.requestId ?? id, [
        n > 0 && n >= maxRetries ? h('p', {}, t('failed.retries', { n })) : retries(generation),
        h('p', {}, t('not.charged')),
        row(button('retry', event => repeat(event.target, 'retry'), { className: 'primary' }),
            canFallBack && button('local', draw)),
        canFallBack && small(t('local.help')),
        row(help && out(help, 'help'), close()),
    ]);
}

/** The failure in words: title, [CODE], meaning, what the server says, the id for support. */
function box(title, { code, message, validationErrors = [], status }, support, rest) {
    const words = meaning(code, message, status !== undefined && !support);
    import('./draw.js').catch(() => { /* offline: there is no drawing without it */ });
    return h('div', { className: 'box failure', role: 'alert' },
        h('h2', {}, title),
        h('p', {}, code && h('code', {}, `[${code}]`), ' ', words),
        message && !words.startsWith(message) && small(foreign(message)),
        validationErrors.length > 0 && h('ul', { className: 'small' },
            validationErrors.map(one => h('li', {}, foreign(`${one.field}: ${one.message}`)))),
        rest,
        support && copied(support, t('support'), null));
}
