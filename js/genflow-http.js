// SPDX-License-Identifier: Apache-2.0
/**
 * Requests of genflow.js: one error class, sign-in, bounded repetition, JSON. All that it knows of generations is
 * when one has ended. Import genflow.js.
 */

const TRIES = 6; // of one request: 0.5, 1, 2, 4 and 8 s apart
const FIRST_DELAY = 500;
const LONGEST_DELAY = 8_000;
const OFFLINE_DELAY = 120_000; // while the browser says that it is offline; it ends when that ends
const ANSWER_TIME = 30_000; // of a request, beside what it asks the server to wait
const RETRY_AFTER_MAX = 8; // seconds: a longer Retry-After is the caller's to wait for

/** Codes of answers that are no JSON of the server, by their status. */
const CODES = /** @type {Record<number, string>} */ ({
    401: 'AUTHENTICATION_REQUIRED', 403: 'UNAUTHORIZED', 404: 'NOT_FOUND', 413: 'PAYLOAD_TOO_LARGE',
    429: 'RATE_LIMIT', 502: 'UNAVAILABLE', 503: 'UNAVAILABLE', 504: 'UNAVAILABLE',
});

/**
 * @typedef {object} ErrorFacts
 * @property {number} [status] of the response; 0: there was none
 * @property {{ field: string, message: string }[]} [validationErrors]
 * @property {number | null} [retryAfter]
 * @property {number | null} [shortfall]
 * @property {string | null} [requestId]
 * @property {any} [generation]
 * @property {any} [details] the whole body of the response
 * @property {boolean} [repeat] the same request may succeed soon
 * @property {boolean} [replayed] the key was answered before, with this
 * @property {unknown} [cause]
 */

/**
 * Every failure of this client, except that an abort rejects with the signal's reason. Beside the server's
 * codes (docs/errors.md): NETWORK_ERROR (no response came), BAD_RESPONSE (it is not the server's JSON),
 * UNAVAILABLE (a proxy's 502, 503 or 504), STILL_RUNNING (see the history), CANCELLED.
 */
export class GenflowError extends Error {
    /**
     * @param {string} code
     * @param {string} message
     * @param {ErrorFacts} [facts]
     */
    constructor(code, message, facts = {}) {
        super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
        this.name = 'GenflowError';
        this.code = code;
        this.status = facts.status ?? 0;
        /** Every bad field of the request. */
        this.validationErrors = facts.validationErrors ?? [];
        /** Seconds after which the same request may succeed; null: unknown. */
        this.retryAfter = facts.retryAfter ?? null;
        /** Credits that are missing; null: the error is another one. */
        this.shortfall = facts.shortfall ?? null;
        /** Stands in the error log of the server. */
        this.requestId = facts.requestId ?? null;
        /** @type {import('./genflow.js').Generation | null} that failed, or still runs */
        this.generation = facts.generation ?? null;
        /** @type {any} the members of the response that have no place above */
        this.details = facts.details ?? {};
        this.repeat = facts.repeat ?? false;
        this.replayed = facts.replayed ?? false;
    }
}

/**
 * @typedef {object} Clock
 * @property {() => number} now milliseconds, for differences only: it may be wrong
 * @property {(ms: number, signal?: AbortSignal) => Promise<void>} sleep rejects with the signal's reason
 */

/** @type {Clock} */
export const CLOCK = {
    now: () => Date.now(),
    sleep: (ms, signal) => new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const abort = () => { clearTimeout(timer); reject(signal?.reason); };
        const timer = setTimeout(() => { signal?.removeEventListener('abort', abort); resolve(); }, ms);
        signal?.addEventListener('abort', abort, { once: true });
    }),
};

/** Is there no network, as far as the browser knows? */
const isOffline = () => globalThis.navigator?.onLine === false;

/**
 * Sleeps, but not longer than until the network is back.
 * @param {Clock} clock
 * @param {number} ms
 * @param {AbortSignal} [signal]
 */
export async function sleepOrOnline(clock, ms, signal) {
    const wake = new AbortController();
    const stop = () => wake.abort();
    globalThis.addEventListener?.('online', stop);
    signal?.addEventListener('abort', stop);
    try {
        await clock.sleep(ms, wake.signal).catch(() => {});
    } finally {
        globalThis.removeEventListener?.('online', stop);
        signal?.removeEventListener('abort', stop);
    }
    signal?.throwIfAborted();
}

export const isEnded = (/** @type {{ status: string }} */ { status }) => ['completed', 'failed', 'cancelled'].includes(status);

/**
 * @typedef {object} Call
 * @property {Record<string, string | number | boolean | null | undefined>} [query]
 * @property {any} [json] the body
 * @property {BodyInit} [body] in place of it, with its Content-Type among the headers
 * @property {Record<string, string>} [headers]
 * @property {AbortSignal} [signal]
 * @property {number} [seconds] that the server is asked to wait
 * @property {number} [answerTime] milliseconds that the response may take beside these
 * @property {boolean} [once] it is not harmless to repeat
 */

/** The way to one API, as one user. */
export class Http {
    #base;
    #fetch;
    #headers;
    #credentials;
    #refresh;
    #clock;
    #signIns = 0;
    /** @type {Promise<void> | null} */
    #refreshing = null;

    /** @param {import('./genflow.js').Options & { clock: Clock }} options */
    constructor({ base, fetch: ownFetch, headers, credentials, refresh, clock }) {
        this.#base = absolute(base);
        this.#fetch = ownFetch ?? globalThis.fetch.bind(globalThis);
        this.#headers = headers;
        this.#credentials = credentials ?? 'same-origin';
        this.#refresh = refresh;
        this.#clock = clock;
    }

    /** The absolute address of the API, where there is a page; else as it was given. */
    get address() {
        return this.#base;
    }

    /**
     * The JSON of a response of success, and its head; a 304 has none. Repeats what may succeed soon, under the
     * same headers, so with the same Idempotency-Key.
     * @param {string} method
     * @param {string} path
     * @param {Call} [call]
     * @returns {Promise<{ data: any, response: Response, tries: number }>}
     */
    async json(method, path, call = {}) {
        for (let tries = 1; ; tries += 1) {
            try {
                const response = await this.#answer(method, path, call);
                return { data: response.status === 304 ? null : await read(response), response, tries };
            } catch (/** @type {any} */ error) {
                call.signal?.throwIfAborted();
                const mine = error instanceof GenflowError ? error : lost(error);
                const wait = mine.retryAfter ?? 0;
                if (!mine.repeat || call.once || tries === TRIES || wait > RETRY_AFTER_MAX) throw mine;
                const delay = Math.min(FIRST_DELAY * 2 ** (tries - 1), LONGEST_DELAY);
                await sleepOrOnline(this.#clock, isOffline() ? OFFLINE_DELAY
                    : Math.max(delay, wait * 1000), call.signal);
            }
        }
    }

    /**
     * One response, whose time ends with its head; without `answerTime` its body may take any time.
     * @param {string} method
     * @param {string} path
     * @param {Call} call
     */
    async open(method, path, call) {
        const before = this.#signIns;
        const response = await this.#send(method, path, call);
        if (!isSignedOut(response)) return response;
        await response.body?.cancel();
        if (!this.#refresh) throw signInError(response);
        if (before === this.#signIns) {
            this.#refreshing ??= this.#signIn(this.#refresh).finally(() => { this.#refreshing = null; });
            await this.#refreshing;
        }
        const second = await this.#send(method, path, call);
        if (isSignedOut(second)) throw signInError(second);
        return second;
    }

    /**
     * @param {string} method
     * @param {string} path
     * @param {Call} call
     */
    async #answer(method, path, call) {
        const controller = new AbortController();
        const abort = () => controller.abort(call.signal?.reason);
        const time = (call.answerTime ?? ANSWER_TIME) + (call.seconds ?? 0) * 1000;
        const timer = setTimeout(() => controller.abort(new Error(`no response in ${time / 1000} s`)), time);
        call.signal?.addEventListener('abort', abort);
        try {
            call.signal?.throwIfAborted();
            const response = await this.open(method, path, { ...call, signal: controller.signal });
            if (response.ok || response.status === 304) return await whole(response);
            throw await failure(response);
        } finally {
            clearTimeout(timer);
            call.signal?.removeEventListener('abort', abort);
        }
    }

    /**
     * @param {string} method
     * @param {string} path
     * @param {Call} call
     */
    async #send(method, path, { query, json, body, headers, signal }) {
        const asked = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null);
        const words = new URLSearchParams(asked.map(([name, value]) => [name, String(value)])).toString();
        const own = typeof this.#headers === 'function' ? await this.#headers() : this.#headers;
        return this.#fetch(`${this.#base}/${path}${words && `?${words}`}`, {
            method, signal, redirect: 'manual', credentials: this.#credentials,
            body: json === undefined ? body : JSON.stringify(json),
            headers: { Accept: 'application/json', ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
                ...own, ...headers },
        });
    }

    /** @param {() => unknown} refresh */
    async #signIn(refresh) {
        try {
            await refresh();
        } catch (cause) {
            throw new GenflowError('AUTHENTICATION_REQUIRED', 'Sign in again', { status: 401, cause });
        }
        this.#signIns += 1;
    }
}

/**
 * An address for fetch, without a slash at its end. fetch refuses addresses that have a name and a password, also
 * where they come from the address of the page: http://alice:secret@host/page.
 * @param {string} base
 */
function absolute(base) {
    const path = base.replace(/\/+$/, '');
    const page = globalThis.document?.baseURI ?? globalThis.location?.href;
    if (page === undefined) return path;
    const here = new URL(page);
    [here.username, here.password] = ['', ''];
    return new URL(`${path}/`, here).href.replace(/\/+$/, '');
}

/**
 * Not signed in, or sent to a page where one does that?
 * @param {Response} response
 */
function isSignedOut(response) {
    return response.status === 401 || response.type === 'opaqueredirect'
        || (response.status >= 300 && response.status < 400 && response.status !== 304);
}

/** @param {Response} response */
function signInError(response) {
    return new GenflowError('AUTHENTICATION_REQUIRED', 'Sign in first', {
        status: 401, requestId: response.headers.get('X-Request-Id') });
}

/**
 * The response with all of its body, so that what breaks it breaks the request.
 * @param {Response} response
 */
async function whole(response) {
    if (response.status === 304 || response.status === 204) return response;
    const { status, headers } = response;
    return new Response(await response.arrayBuffer(), { status, headers });
}

/** @param {unknown} cause */
function lost(cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new GenflowError('NETWORK_ERROR', `No response came: ${why}`, { cause, repeat: true });
}

/**
 * @param {Response} response
 * @returns {Promise<any>}
 */
async function read(response) {
    try {
        return JSON.parse(await response.text());
    } catch (cause) {
        throw new GenflowError('BAD_RESPONSE', `The response (${response.status}) is not JSON: something between `
            + 'the server and this program has sent it', { status: response.status, cause, repeat: true });
    }
}

/**
 * The error that a response is.
 * @param {Response} response
 */
async function failure(response) {
    const { status } = response;
    const retryAfter = secondsOf(response);
    const body = await response.text().then(JSON.parse).catch(() => null);
    if (typeof body?.code !== 'string') {
        return new GenflowError(CODES[status] ?? 'BAD_RESPONSE', `The response is ${status}, and not the server's: `
            + 'something between it and this program has sent it', { status, retryAfter, repeat: status > 501 });
    }
    const { code, message, validationErrors, shortfall, requestId } = body;
    return new GenflowError(code, String(message), { status, validationErrors, retryAfter, shortfall, requestId,
        details: body, repeat: code === 'DATABASE_UNAVAILABLE',
        replayed: response.headers.has('Idempotency-Replayed') });
}

/**
 * Retry-After in seconds; a date in it is measured by the server's own clock.
 * @param {Response} response
 */
function secondsOf(response) {
    const text = response.headers.get('Retry-After');
    if (!text) return null;
    if (/^\d+$/.test(text)) return Number(text);
    const seconds = (Date.parse(text) - Date.parse(response.headers.get('Date') ?? '')) / 1000;
    return seconds >= 0 ? Math.ceil(seconds) : null;
}
