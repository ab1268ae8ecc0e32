// SPDX-License-Identifier: Apache-2.0
/**
 * The JavaScript client of mod_genflow, for pages and programs: no dependencies, no build step.
 *
 *     import { Genflow } from './genflow.js';
 *     const genflow = new Genflow({ base: '/api' });
 *     const picture = await genflow.generate({ type: 'neo-glitch', prompt: 'a lighthouse over a neon city' });
 *     console.log(picture.imageUrl);
 *
 * A generation is made and paid once, whatever is lost, pressed twice or loaded anew meanwhile: docs/clients.md.
 */
import { EventHub } from './genflow-events.js';
import { CLOCK, GenflowError, Http } from './genflow-http.js';
import { SavedKeys } from './genflow-keys.js';
import { Waits } from './genflow-wait.js';

export { GenflowError };

const UPLOAD_TIME = 300_000;
const MAX_BYTES = 10 * 1024 * 1024; // GenflowAssetMaxBytes, as shipped
const MAX_PIXELS = 16_777_216; // GenflowAssetMaxPixels

/**
 * @typedef {object} Options
 * @property {string} base address of the API: `/api`, or absolute
 * @property {typeof fetch} [fetch] in place of the global one
 * @property {() => unknown} [refresh] signs in again: called once when a request is not signed in, which is then
 *     repeated under the same key
 * @property {Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>)} [headers]
 *     of each request, such as Authorization
 * @property {RequestCredentials} [credentials] `include` for cookies of another origin
 * @property {Pick<Storage, 'getItem' | 'setItem'>} [storage] of unresolved keys; sessionStorage without it
 * @property {boolean} [eventSource] false: polls, and opens no stream
 * @property {import('./genflow-http.js').Clock} [clock] for tests
 */
/**
 * @typedef {object} Generation the generation object of docs/openapi.yaml; the members that programs use most
 * @property {string} id
 * @property {string} type
 * @property {'pending' | 'processing' | 'completed' | 'failed' | 'cancelled'} status
 * @property {string | null} imageUrl
 * @property {string | null} [thumbnailUrl]
 * @property {string | null} [color]
 * @property {boolean} persisted
 * @property {{ at: string } | null} takenDown
 * @property {string | null} expiresAt
 * @property {string} prompt
 * @property {string | null} preset
 * @property {string | null} sourceUrl
 * @property {Record<string, unknown>} parameters
 * @property {number} seed
 * @property {number} estimatedCost
 * @property {number} tokensUsed
 * @property {number} retryCount
 * @property {number} maxRetries
 * @property {number | null} queuePosition
 * @property {number | null} expectedSeconds
 * @property {number | null} progress
 * @property {string[]} logs
 * @property {string | null} provider
 * @property {string | null} errorCode
 * @property {string | null} errorMessage
 * @property {string} createdAt
 * @property {string | null} finishedAt
 * @property {string[]} [tags]
 * @property {boolean} [favourite]
 * @property {string | null} [title]
 * @property {Generation[]} [batch] all that one request has made, where it asked for several
 */
/** @typedef {Blob | string | { id: string } | { imageUrl: string | null }} Source a file; the id of an upload, or an address; an upload; a generation */
/** @typedef {{ type: string, source?: Source | Source[], n?: number, [member: string]: unknown }} Spec further members are those of the request */
/**
 * @typedef {object} WaitOptions
 * @property {AbortSignal} [signal] ends the waiting, not the generation
 * @property {(generation: Generation) => void} [onUpdate] each new state
 * @property {number} [wait] seconds in all; without it as long as a stream or a long poll works, else 30 s
 */

/** One API, as one user. */
export class Genflow {
    #http;
    #keys;
    #hub;
    #waits;
    /** @type {WeakMap<object, Promise<string>>} */
    #uploads = new WeakMap();
    /** @type {Promise<string | null> | null} */
    #user = null;

    /** @param {Options} options */
    constructor(options) {
        const clock = options.clock ?? CLOCK;
        this.#http = new Http({ ...options, clock });
        this.#keys = new SavedKeys(`genflow ${this.#http.address}`, options.storage);
        this.#hub = new EventHub({ http: this.#http, clock, streams: options.eventSource !== false,
            user: () => this.#userId() });
        this.#waits = new Waits({ http: this.#http, clock, keys: this.#keys, hub: this.#hub });
    }

    /**
     * Makes a picture and waits for it. The same spec, while its end was not seen, is the same generation. Rejects
     * with a GenflowError where it fails, is cancelled, or takes too long. Of n pictures the first that succeeded
     * comes, with all of them as its `batch`.
     * @param {Spec} spec
     * @param {WaitOptions & { key?: string, async?: boolean }} [options] key: the program's own Idempotency-Key;
     *     async: the first request does not wait, so that onUpdate has the id at once
     * @returns {Promise<Generation>}
     */
    async generate(spec, options = {}) {
        const { type, ...body } = await this.#body(spec, options.signal);
        return this.#waits.make(type, body, options);
    }

    /**
     * What it would cost; nothing is made.
     * @param {Spec} spec
     * @param {{ signal?: AbortSignal }} [options]
     * @returns {Promise<{ estimatedCost: number, currentBalance: number, prompt: string, provider: string | null }>}
     */
    async dryRun(spec, { signal } = {}) {
        const { type, ...json } = await this.#body(spec, signal);
        return this.#call('POST', `${encodeURIComponent(type)}/generate`, { query: { dryRun: 1 }, json, signal });
    }

    // ---- one generation ----

    /**
     * @param {string} id
     * @param {{ signal?: AbortSignal }} [options]
     * @returns {Promise<Generation>}
     */
    async get(id, { signal } = {}) {
        return this.#waits.get(id, signal);
    }

    /**
     * Waits for the end of a generation, as generate() does.
     * @param {string} id
     * @param {WaitOptions} [options]
     */
    async follow(id, options = {}) {
        return this.#waits.all([await this.get(id, options)], options);
    }

    /**
     * Cancels it; nothing is charged. One that was cancelled already is the same.
     * @param {string} id
     * @returns {Promise<Generation>}
     */
    async cancel(id) {
        try {
            return this.#waits.seen(await this.#call('POST', `generation/${encodeURIComponent(id)}/cancel`));
        } catch (/** @type {any} */ error) {
            if (error.details?.status !== 'cancelled') throw error;
            return this.get(id);
        }
    }

    /**
     * Makes what failed or was cancelled anew, and waits for it. Repeating the call makes no second one.
     * @param {string} id
     * @param {WaitOptions} [options]
     */
    async retry(id, options = {}) {
        return this.#waits.again(id, 'retry', options);
    }

    /**
     * The same, drawn by the server itself.
     * @param {string} id
     * @param {WaitOptions} [options]
     */
    async fallback(id, options = {}) {
        return this.#waits.again(id, 'fallback', options);
    }

    /**
     * Deletes it with its stored picture.
     * @param {string} id
     */
    async remove(id) {
        await this.#remove(`generation/${encodeURIComponent(id)}`);
        this.#keys.ended(id);
    }

    /**
     * Changes what its user may change.
     * @param {string} id
     * @param {{ tags?: string[], favourite?: boolean, title?: string | null }} changes
     * @returns {Promise<Generation>}
     */
    async update(id, changes) {
        return this.#call('PATCH', `generation/${encodeURIComponent(id)}`, { json: changes });
    }

    // ---- lists ----

    /**
     * The generations, newest first: `for await (const generation of genflow.history())`, or a page of them by
     * page(cursor).
     * @param {{ type?: string, status?: string, preset?: string, q?: string, tag?: string, favourite?: boolean,
     *     since?: string, limit?: number }} [filter]
     */
    history({ favourite, ...filter } = {}) {
        /**
         * @param {string | null} [cursor]
         * @returns {Promise<{ items: Generation[], total?: number, hasMore: boolean, nextCursor: string | null }>}
         */
        const page = (cursor) => this.#call('GET', 'generations', {
            query: { ...filter, favourite: favourite ? 1 : undefined, cursor } });
        return { page, [Symbol.asyncIterator]: () => each(page) };
    }

    /**
     * What happens to the user's generations and credits, as it comes; one stream for all tabs. Lists that are read
     * after the first event miss nothing; after a `reset` read them anew.
     * @param {{ since?: string, signal?: AbortSignal, on: (event: import('./genflow-events.js').GenflowEvent) => void }}
     *     options since: the id of the last event that was seen
     * @returns {() => void} ends it, as the signal does
     */
    events({ since, signal, on }) {
        const close = this.#hub.on((event) => {
            if (event.event === 'generation') this.#waits.seen(event.data);
            on(event);
        }, since);
        signal?.addEventListener('abort', close, { once: true });
        return close;
    }

    /** @returns {Promise<any[]>} what the user may make: docs/openapi.yaml */
    async types() {
        return (await this.#call('GET', 'types')).types;
    }

    /** @returns {Promise<any>} */
    async me() {
        const me = await this.#call('GET', 'me');
        this.#user = Promise.resolve(me.userId);
        return me;
    }

    /** @returns {Promise<any>} */
    async quota() {
        return this.#call('GET', 'getQuota');
    }

    /**
     * @param {{ type?: string, all?: boolean }} [options]
     * @returns {Promise<{ presets: any[], currentWeek: number, totalAvailable: number, rotationInfo: any }>}
     */
    async presets({ type, all } = {}) {
        return (await this.#call('GET', 'presets', { query: { type, all: all ? 1 : undefined } })).data;
    }

    keys = {
        /** @param {string | null} [cursor] */
        list: (cursor) => this.#call('GET', 'keys', { query: { cursor } }),
        /**
         * A key, which is shown once. It is not repeated by itself: after NETWORK_ERROR look at the list.
         * @param {{ name: string, scopes?: string[], types?: string[], expiresAt?: string, budget?: any }} key
         */
        create: (key) => this.#call('POST', 'keys', { json: key, once: true }),
        /** @param {string} id */
        revoke: (id) => this.#remove(`keys/${encodeURIComponent(id)}`),
    };

    templates = {
        /** @param {string | null} [cursor] */
        list: (cursor) => this.#call('GET', 'templates', { query: { cursor } }),
        /** @param {{ name: string, type?: string | null, config: Record<string, unknown> }} template */
        save: (template) => this.#call('POST', 'templates', { json: template }),
        /** @param {string} id */
        remove: (id) => this.#remove(`templates/${encodeURIComponent(id)}`),
    };

    /**
     * Brings a source picture. A page makes it smaller where it is too large. The same picture is the same upload.
     * @param {Blob} blob
     * @param {{ signal?: AbortSignal, maxBytes?: number, maxPixels?: number,
     *     onSize?: (picture: import('./genflow-picture.js').Picture) => void }} [options] onSize: called before the
     *     first byte is sent; what it throws ends the call
     * @returns {Promise<{ id: string, url: string, width: number, height: number, bytes: number, type: string,
     *     expiresAt: string }>}
     */
    async upload(blob, { signal, maxBytes = MAX_BYTES, maxPixels = MAX_PIXELS, onSize } = {}) {
        const { fitPicture } = await import('./genflow-picture.js');
        const picture = await fitPicture(blob, { maxBytes, maxPixels });
        signal?.throwIfAborted();
        onSize?.(picture);
        return this.#call('POST', 'assets', { body: picture.blob, headers: { 'Content-Type': picture.type }, signal,
            answerTime: UPLOAD_TIME });
    }

    /**
     * Any other request below the base, for what has no function here. It is repeated where no response came, unless
     * `once` says that this does harm.
     * @param {string} method
     * @param {string} path without a slash before it
     * @param {{ query?: Record<string, string | number | boolean | null | undefined>, json?: any, signal?: AbortSignal,
     *     headers?: Record<string, string>, once?: boolean }} [call]
     * @returns {Promise<any>} the JSON of its response
     */
    async request(method, path, call) {
        return this.#call(method, path, call);
    }

    // ---- inside ----

    /**
     * @param {string} method
     * @param {string} path
     * @param {import('./genflow-http.js').Call} [call]
     */
    async #call(method, path, call) {
        return (await this.#http.json(method, path, call)).data;
    }

    /** @param {string} path what is gone is removed: a repetition finds nothing, also one that a browser makes by itself */
    async #remove(path) {
        try {
            await this.#http.json('DELETE', path);
        } catch (/** @type {any} */ error) {
            if (error.status !== 404 || !error.details.code) throw error;
        }
    }

    /**
     * The body of a request, with its source pictures brought.
     * @param {Spec} spec
     * @param {AbortSignal} [signal]
     */
    async #body({ source, ...members }, signal) {
        if (source === undefined || source === null) return members;
        const list = Array.isArray(source) ? source : [source];
        const named = await Promise.all(list.map((one) => this.#source(one, signal)));
        if (named.length === 1) return { ...members, ...named[0] };
        return { ...members, sourceAssetIds: named.map((one) => one.sourceAssetId ?? one.sourceUrl ?? one.image) };
    }

    /**
     * @param {Source} source
     * @param {AbortSignal} [signal]
     * @returns {Promise<Record<string, string>>}
     */
    async #source(source, signal) {
        if (typeof source === 'string') {
            if (source.startsWith('data:')) return { image: source };
            return /^https?:/.test(source) ? { sourceUrl: source } : { sourceAssetId: source };
        }
        if (source instanceof Blob) return { sourceAssetId: await this.#uploaded(source, source, signal) };
        if (!('imageUrl' in source)) return { sourceAssetId: source.id };
        const url = String(source.imageUrl);
        const blob = await fetch(url, { signal }).then((response) => response.blob());
        return { sourceAssetId: await this.#uploaded(source, blob, signal) };
    }

    /**
     * The id of an upload, which is made once for each object.
     * @param {object} source
     * @param {Blob} blob
     * @param {AbortSignal} [signal]
     */
    async #uploaded(source, blob, signal) {
        const upload = this.#uploads.get(source) ?? this.upload(blob, { signal }).then(({ id }) => id);
        this.#uploads.set(source, upload);
        upload.catch(() => this.#uploads.delete(source));
        return upload;
    }

    async #userId() {
        this.#user ??= this.#call('GET', 'getQuota').then((quota) => quota.userId ?? null);
        return this.#user;
    }
}

/**
 * @template T
 * @param {(cursor?: string | null) => Promise<{ items: T[], nextCursor: string | null }>} page
 * @returns {AsyncGenerator<T, void, void>}
 */
async function* each(page) {
    for (let cursor; cursor !== null;) {
        const { items, nextCursor } = await page(cursor);
        yield* items;
        cursor = nextCursor;
    }
}
