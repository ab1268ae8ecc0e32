// SPDX-License-Identifier: Apache-2.0
/**
 * From a request to the end of its generations: part of genflow.js. A request has its key before its first byte
 * is sent, and keeps it until the end of what it has made was seen. The end is awaited first in the request itself,
 * then by the stream, by long polls, by polls.
 */
import { GenflowError, isEnded } from './genflow-http.js';

const FIRST_WAIT = 10; // seconds that the first request waits for the picture
const LONG_POLL = 20;
const POLL = 2_000; // times 1.5 to 10 s
const POLL_MAX = 10_000;
const POLL_TIME = 30_000; // of polling in all
const LOOK_AGAIN = 60_000; // at a generation of which the stream says nothing

/** @typedef {import('./genflow.js').Generation} Generation */
/** @typedef {import('./genflow.js').WaitOptions} WaitOptions */
/** @typedef {WaitOptions & { key?: string, async?: boolean }} MakeOptions */

export class Waits {
    #parts;

    /**
     * @param {object} parts
     * @param {import('./genflow-http.js').Http} parts.http
     * @param {import('./genflow-http.js').Clock} parts.clock
     * @param {import('./genflow-keys.js').SavedKeys} parts.keys
     * @param {import('./genflow-events.js').EventHub} parts.hub
     */
    constructor(parts) {
        this.#parts = parts;
    }

    /**
     * Makes what the body says, and waits for it. Without a key of the program the same body has the same key
     * until the end of what it has made was seen. If that was missed, and there is no picture, it is made anew.
     * @param {string} type
     * @param {Record<string, unknown>} body
     * @param {MakeOptions} options
     * @returns {Promise<Generation>}
     */
    async make(type, body, options) {
        const { keys } = this.#parts;
        const text = JSON.stringify(body);
        const { key, again } = options.key ? { key: options.key, again: false } : keys.take(`${type} ${text}`);
        const { made, replayed } = await this.#request(type, text, key, Number(body.n ?? 1) > 1, options);
        const live = made.filter((one) => !isEnded(one)).map(({ id }) => id);
        if (live.length > 0) keys.made(key, live);
        else keys.drop(key);
        if (again && replayed && live.length === 0 && !made.some(isDone)) return this.make(type, body, options);
        return this.all(made, options);
    }

    /**
     * Sends the request until it is answered: with what its key has made, now or before.
     * @param {string} type
     * @param {string} body
     * @param {string} key
     * @param {boolean} several
     * @param {MakeOptions} options
     * @returns {Promise<{ made: Generation[], replayed: boolean }>}
     */
    async #request(type, body, key, several, { signal, wait, async = false }) {
        const { http, clock, keys } = this.#parts;
        const seconds = async ? 0 : Math.floor(Math.min(FIRST_WAIT, wait ?? FIRST_WAIT));
        const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key,
            Prefer: seconds > 0 ? `wait=${seconds}` : 'respond-async' };
        const began = clock.now();
        for (;;) {
            try {
                const { data, response } = await http.json('POST', `${encodeURIComponent(type)}/generate`,
                    { body, headers, signal, seconds });
                return { made: data.batch ?? [data], replayed: response.headers.has('Idempotency-Replayed') };
            } catch (/** @type {any} */ error) {
                if (isRefusal(error)) keys.drop(key);
                const { generationId: id } = error.details ?? {};
                const isRunning = error.code === 'IDEMPOTENCY_IN_PROGRESS';
                if (id && (error.code === 'GENERATION_FAILED' || (isRunning && !several))) {
                    return { made: [await this.get(id, signal)], replayed: error.replayed };
                }
                if (!isRunning) throw error;
                if (clock.now() - began > (wait ?? POLL_TIME / 1000) * 1000) throw stillRunning(null, error);
                await clock.sleep((error.retryAfter ?? 2) * 1000, signal); // a batch comes as a whole
            }
        }
    }

    /**
     * Makes what failed or was cancelled anew. The server makes one, however often it is asked.
     * @param {string} id
     * @param {'retry' | 'fallback'} act
     * @param {WaitOptions} options
     */
    async again(id, act, options) {
        const { data } = await this.#parts.http.json('POST', `generation/${encodeURIComponent(id)}/${act}`,
            { headers: { Prefer: 'respond-async' }, signal: options.signal });
        return this.all([data], options);
    }

    /**
     * @param {string} id
     * @param {AbortSignal} [signal]
     * @returns {Promise<Generation>}
     */
    async get(id, signal) {
        const { data } = await this.#parts.http.json('GET', `generation/${encodeURIComponent(id)}`, { signal });
        return this.seen(data);
    }

    /**
     * If its end was seen, the same body makes a new one from now on.
     * @param {Generation} generation
     */
    seen(generation) {
        if (isEnded(generation)) this.#parts.keys.ended(generation.id);
        return generation;
    }

    /**
     * The first that is completed, with all of them beside it; or its error.
     * @param {Generation[]} made
     * @param {WaitOptions} options
     */
    async all(made, options) {
        const batch = await Promise.all(made.map((one) => this.end(one.id, one, options)));
        const generation = batch.find(isDone) ?? batch[0];
        if (isDone(generation)) return batch.length > 1 ? { ...generation, batch } : generation;
        throw generation.status === 'cancelled'
            ? new GenflowError('CANCELLED', 'The generation was cancelled; nothing was charged', { generation })
            : new GenflowError('GENERATION_FAILED', generation.errorMessage
                ?? 'The picture could not be made; nothing was charged', { generation });
    }

    /**
     * The generation when it has ended.
     * @param {string} id
     * @param {Generation | null} first as it is known to be
     * @param {WaitOptions} options
     * @returns {Promise<Generation>}
     */
    async end(id, first, options) {
        const { hub } = this.#parts;
        const wait = new Wait(id, this.#parts, options);
        if (first && wait.take(first)) return this.seen(first);
        const box = hub.watch(id);
        try {
            await hub.ready(options.signal);
            while (!await wait.look()) {
                if (wait.left() <= 0) throw stillRunning(wait.latest);
                if (hub.live ? await wait.listen(box) : await wait.pause(box)) break;
            }
            return this.seen(/** @type {Generation} */ (wait.latest));
        } finally {
            box.close();
        }
    }
}

/** One caller who waits for one generation. */
class Wait {
    #id;
    #parts;
    #options;
    #began;
    #etag = '';
    #waited = false;
    #polled = 0;
    #delay = POLL;
    /** @type {Generation | null} */
    latest = null;

    /**
     * @param {string} id
     * @param {{ http: import('./genflow-http.js').Http, clock: import('./genflow-http.js').Clock,
     *     hub: import('./genflow-events.js').EventHub }} parts
     * @param {WaitOptions} options
     */
    constructor(id, parts, options) {
        this.#id = id;
        this.#parts = parts;
        this.#options = options;
        this.#began = parts.clock.now();
    }

    /** Milliseconds that the caller still waits. */
    left() {
        const { wait } = this.#options;
        return wait === undefined ? Infinity : wait * 1000 - (this.#parts.clock.now() - this.#began);
    }

    /**
     * A state of it. Has it ended?
     * @param {Generation} generation
     */
    take(generation) {
        const isNews = JSON.stringify(this.latest) !== JSON.stringify(generation);
        this.latest = generation;
        if (isNews) this.#options.onUpdate?.(generation);
        return isEnded(generation);
    }

    /** Reads it; without the stream the server lets the request wait for the next state. Has it ended? */
    async look() {
        const { http, hub } = this.#parts;
        const { signal } = this.#options;
        const seconds = hub.live || !hub.mayWait || !this.latest ? 0
            : Math.max(0, Math.floor(Math.min(LONG_POLL, this.left() / 1000)));
        this.#waited = false;
        try {
            const { data, response } = await http.json('GET', `generation/${encodeURIComponent(this.#id)}`, {
                signal, seconds, once: true, headers: { ...(seconds > 0 && { Prefer: `wait=${seconds}` }),
                    ...(this.#etag && { 'If-None-Match': this.#etag }) } });
            this.#etag = response.headers.get('ETag') ?? '';
            this.#waited = response.headers.has('Preference-Applied');
            return data !== null && this.take(data);
        } catch (/** @type {any} */ error) {
            signal?.throwIfAborted();
            if (!error.repeat) throw error;
            return false;
        }
    }

    /**
     * As long as the stream delivers. Has it ended?
     * @param {import('./genflow-events.js').Box} box
     */
    async listen(box) {
        this.#polled = 0;
        this.#delay = POLL;
        while (this.#parts.hub.live) {
            const event = await box.next(Math.min(LOOK_AGAIN, this.left()), this.#options.signal);
            if (!event || event.event === 'reset') return false;
            if (event.event === 'generation' && this.take(event.data)) return true;
            if (event.event === 'queue' && this.latest) {
                const { position, expectedSeconds } = event.data;
                this.take({ ...this.latest, queuePosition: position, expectedSeconds });
            }
        }
        return false;
    }

    /**
     * Until the next poll, unless the server has let the last one wait. Has it ended meanwhile?
     * @param {import('./genflow-events.js').Box} box
     */
    async pause(box) {
        const { wait, signal } = this.#options;
        if (this.#waited) return false;
        if (this.#polled >= (wait === undefined ? POLL_TIME : wait * 1000)) throw stillRunning(this.latest);
        const event = await box.next(Math.min(this.#delay, this.left()), signal);
        this.#polled += this.#delay;
        this.#delay = Math.min(this.#delay * 1.5, POLL_MAX);
        return event?.event === 'generation' && this.take(event.data);
    }
}

const isDone = (/** @type {Generation} */ { status }) => status === 'completed';

/**
 * Has the server refused the request for good, so that its key has made nothing and never will?
 * @param {GenflowError} error
 */
function isRefusal({ status, details }) {
    return status >= 400 && status < 500 && ![401, 408, 409, 425, 429].includes(status) && !!details?.code;
}

/**
 * @param {Generation | null} generation
 * @param {unknown} [cause]
 */
function stillRunning(generation, cause) {
    return new GenflowError('STILL_RUNNING', 'The picture is still being made: see the history', { generation, cause });
}
