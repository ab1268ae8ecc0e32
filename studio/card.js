// SPDX-License-Identifier: Apache-2.0
// A generation as a card: while it waits and runs, the picture, the failure. The same card stands
// below the form and, from the history, in a dialog.

import {
    $, address, app, ask, button, bus, copy, date, emit, expected, failed, followed, foreign, h, isEnded, meaning, say, seconds,
    seen, t, toast,
} from './page.js';

const cards = new Map();                         // id: its cards
const running = new Set();                       // cards with a clock
const requested = new Map();                     // what is being requested: its first card
const typeOf = name => app.types.find(type => type.name === name);
const clock = () => Date.now() + (app.clockError ?? 0);

setInterval(() => running.forEach(card => card.tick()), 1000);
bus.addEventListener('generation', ({ detail }) => cards.get(detail.id)?.forEach(card => card.show(detail)));
bus.addEventListener('removed', ({ detail }) => cards.get(detail)?.forEach(card => card.leave()));
bus.addEventListener('queue', ({ detail }) => cards.get(detail.id)?.forEach(card =>
    card.show({ ...card.generation, queuePosition: detail.position, expectedSeconds: detail.expectedSeconds })));

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
            if (!cards.has(one.id) && waiting.length) { waiting.shift().adopt(one.id); emit('me'); }
            seen(one);
        }
    };
    const refuse = error => {
        for (const card of waiting.splice(0)) card.refuse(error);
        emit('refused', error);
    };
    follow(app.gf.generate(spec, { async: true, onUpdate }), onUpdate, refuse).then(() => {
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
        this.show({ type: spec.type, prompt: spec.prompt ?? '', status: 'sending', parameters: spec.parameters ?? {}, createdAt: null });
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
        this.generation = generation;
        const looks = one => JSON.stringify([one?.status, one?.retryCount, one?.provider, one?.title, one?.tags]);
        const news = looks(before) !== looks(generation);
        if (news || !before.id) this.draw(generation);
        if (isEnded(generation)) running.delete(this);
        else { running.add(this); this.tick(); }
        this.progress(generation);
        if (before && before.status !== 'sending' && before.status !== status) this.announce(generation);
    }

    announce(generation) {
        if (generation.status === 'completed') toast(t('done'));
        else if (generation.status !== 'failed') say(stateOf(generation));        // a failure is an alert of its own
    }

    draw(generation) {
        const { status } = generation;
        this.dataset.status = status;
        const part = { completed, failed: failure, cancelled }[status] ?? working;
        const hadFocus = this.contains(document.activeElement);
        this.replaceChildren(h('article', { 'aria-label': generation.title || generation.prompt || typeOf(generation.type)?.label || '' },
            media(generation, this.source), h('div', { className: 'body' },
                h('p', { className: 'prompt' }, foreign(generation.title || generation.prompt || '')), part(generation, this))));
        if (hadFocus) ($('button', this) ?? $('#prompt')).focus();
    }

    progress(generation) {
        const bar = $('progress', this);
        if (!bar) return;
        if (typeof generation.progress === 'number') bar.value = generation.progress;
        else bar.removeAttribute('value');
        $('.place', this).textContent = placeOf(generation);
        const logs = $('.logs', this);
        logs.hidden = !generation.logs?.length;
        $('pre', logs).textContent = (generation.logs ?? []).join('\n');
    }

    tick() {
        const since = this.generation.createdAt ? Date.parse(this.generation.createdAt) : this.since;
        const place = $('.elapsed', this);
        if (place) place.textContent = seconds(Math.min(Math.max((clock() - (this.since ?? since)) / 1000, 1), 86400));
    }

    /** The request made no generation: nothing was charged. */
    refuse(error) {
        running.delete(this);
        this.dataset.status = 'failed';
        $('.body', this).replaceChildren(h('p', { className: 'prompt' }, foreign(this.spec.prompt ?? '')),
            box(t('refused'), error.code, error.message, error.requestId, [
                h('div', { className: 'row' },
                    button('retry', () => { const { spec, source } = this; this.leave(); begin(spec, source); }, { className: 'primary' }),
                    !error.requestId && button('local', async () => {
                    if (await ask(t('local.ask'), 'local')) (await import('./draw.js')).drawInto(this, this.generation);
                }),
                button('close', () => this.leave()))], error.validationErrors, !error.requestId));
    }
}
customElements.define('gf-card', Card);

// ---- its parts ----

function stateOf(generation) {
    if (generation.status === 'processing' && generation.provider) return t('state.processing', { provider: generation.provider });
    return t(`state.${generation.status === 'processing' ? 'processing.here' : generation.status}`);
}

function placeOf({ status, queuePosition, expectedSeconds, type }) {
    if (status === 'pending' && queuePosition) {
        return t('queue', { n: queuePosition }) + (expectedSeconds ? ` · ${t('queue.time', { time: seconds(expectedSeconds) })}` : '');
    }
    return expected(typeOf(type));
}

/** The picture or its place, of the right ratio and colour, so that nothing moves when it comes. */
function media(generation, source) {
    const { result, parameters, color } = generation;
    const [width, height] = result?.width ? [result.width, result.height]
        : (/^(\d+):(\d+)$/.exec(parameters?.aspectRatio ?? parameters?.aspect_ratio ?? '1:1') ?? [0, 1, 1]).slice(1);
    const place = h('div', { className: 'media' });
    place.style.aspectRatio = `${width} / ${height}`;
    if (/^#[0-9a-f]{6}$/i.test(color ?? '')) place.style.backgroundColor = color;
    const url = generation.status === 'completed' && address(generation.imageUrl);
    if (url) {
        const picture = h('img', { alt: generation.title || generation.prompt, decoding: 'async', width: String(width), height: String(height) });
        picture.src = url;
        place.append(picture);
        const from = address(source?.url ?? generation.sourceUrl ?? '');
        if (from) import('./picture.js').then(part => part.compare(place, from)).catch(() => {});
    }
    return place;
}

const idOf = ({ id }) => id && h('p', { className: 'small row' }, h('code', { className: 'id' }, id),
    button('copy', () => copy(id), { className: 'quiet', 'aria-label': t('copy.id') }));
const retries = ({ retryCount, maxRetries }) => retryCount > 0 && h('p', { className: 'small' }, t('retries', { n: retryCount, max: maxRetries }));

function working(generation) {
    const cost = generation.estimatedCost ?? typeOf(generation.type)?.cost ?? 0;
    const state = stateOf(generation);
    return [
        h('p', { className: 'state' }, h('strong', {}, state), ' ', h('span', { className: 'elapsed' })),
        h('progress', { max: 1, 'aria-label': state }),
        h('p', { className: 'small place' }),
        retries(generation),
        h('details', { className: 'logs', hidden: true }, h('summary', {}, t('logs')), h('pre', { dir: 'auto' })),
        idOf(generation),
        generation.id && h('p', { className: 'row' }, button('cancel', async event => {
            event.target.disabled = true;
            await app.gf.cancel(generation.id).then(seen, failed);
            emit('me');
        }), cost > 0 && h('span', { className: 'small' }, t('cancel.hint', { n: cost }))),
    ];
}

function completed(generation) {
    const charged = generation.tokensUsed ?? 0;
    const kept = generation.persisted === false ? t('kept.soon')
        : generation.expiresAt ? t('kept.until', { time: date(generation.expiresAt) }) : t('kept');
    const actions = h('div', { className: 'row actions' });
    import('./picture.js').then(part => actions.append(...part.actions(generation))).catch(failed);
    return [actions, h('p', { className: 'small facts' }, [
        charged ? t('credits', { n: charged }) : t('free'), generation.createdAt && date(generation.createdAt), kept].filter(Boolean).join(' · ')),
    tags(generation)];
}

const tags = ({ tags: list }) => list?.length > 0 && h('p', { className: 'tags' }, list.map(tag => foreign(tag)));

function cancelled(generation) {
    return [h('p', { className: 'state' }, t('state.cancelled')), h('p', { className: 'small' }, t('not.charged')),
        h('p', { className: 'row' }, button('again', () => emit('use', { generation, how: 'all' })), close())];
}

const close = () => button('close', event => event.target.closest('gf-card').leave(), { className: 'quiet' });

function failure(generation) {
    const fallback = (typeOf(generation.type)?.fallbackCost ?? null) !== null && app.me?.features?.fallback !== false;
    const again = (event, name) => {
        const failedCard = event.target.closest('gf-card');
        const onUpdate = made => {
            if (failedCard.isConnected) { showRunning(made); failedCard.leave(); }
            seen(made);
        };
        event.target.disabled = true;
        follow(app.gf[name](generation.id, { onUpdate }), onUpdate, error => {
            event.target.disabled = false;
            emit('refused', error);
            failed(error);
        });
    };
    const used = generation.retryCount > 0 && generation.retryCount >= generation.maxRetries;
    return box(t('failed'), generation.errorCode, generation.errorMessage, generation.requestId ?? generation.id, [
        used && h('p', {}, t('failed.retries', { n: generation.retryCount })),
        !used && retries(generation),
        h('p', {}, t('not.charged')),
        h('div', { className: 'row' },
            button('retry', event => again(event, 'retry'), { className: 'primary' }),
            fallback && button('local', async event => {
                if (!await ask(t('local.ask'), 'local')) return;
                if (navigator.onLine) again(event, 'fallback');
                else (await import('./draw.js')).drawInto(event.target.closest('gf-card'), generation);
            })),
        fallback && h('p', { className: 'small' }, t('local.help')),
        h('div', { className: 'row' }, followed(app.config.links?.help) && h('a', { href: followed(app.config.links.help), target: '_blank', rel: 'noopener' }, t('help')), close()),
    ]);
}

/** The failure in words: title, [CODE], meaning, what the server says, the id for support. */
function box(title, code, message, support, rest, errors = [], isClients = false) {
    const words = meaning(code, message, isClients);
    import('./draw.js').catch(() => { /* offline: there is no drawing without it */ });
    const same = message && words.startsWith(message);
    return h('div', { className: 'box failure', role: 'alert' },
        h('h2', {}, title),
        h('p', {}, code && h('code', {}, `[${code}]`), ' ', words),
        message && !same && h('p', { className: 'small' }, foreign(message)),
        errors.length > 0 && h('ul', { className: 'small' }, errors.map(error => h('li', {}, foreign(`${error.field}: ${error.message}`)))),
        rest,
        support && h('p', { className: 'small row' }, h('span', {}, t('support')), h('code', { className: 'id' }, support),
            button('copy', () => copy(support), { className: 'quiet' })));
}
