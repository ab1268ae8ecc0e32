// SPDX-License-Identifier: Apache-2.0
/**
 * What happens to a user's generations, as it comes: part of genflow.js. One stream of `events` serves all tabs
 * of a person. The tab that has the Web Lock reads it and sends each event on by BroadcastChannel; when it
 * closes, the next tab gets the lock and goes on behind the last event that it has seen. A page without Web
 * Locks (plain http) polls, because a browser gives a host six connections; a program without a page streams.
 */
import { sleepOrOnline } from './genflow-http.js';

const SILENCE = 40_000; // the server sends a comment every 15 s
const TICK = 5_000;
const RECONNECT = 500; // doubles to 10 s
const RECONNECT_MAX = 10_000;
const POLL = 2_000; // times 1.5 to 10 s while a generation lives
const POLL_MAX = 10_000;
const POLL_IDLE = 30_000;
const POLL_TIME = 60_000; // after a refused stream; then it tries the stream again
const READY_TIME = 3_000; // that a subscriber waits for the stream

/**
 * @typedef {object} GenflowEvent
 * @property {'generation' | 'balance' | 'queue' | 'reset'} event `reset`: read the lists anew
 * @property {any} data a generation; {balance, held, remaining}; {id, position, expectedSeconds}; {}
 * @property {string} [id] of the event: `since` of a later subscription
 */
/** @typedef {(event: GenflowEvent) => void} Listener */
/**
 * @typedef {object} Box what comes of one generation
 * @property {(ms: number, signal?: AbortSignal) => Promise<GenflowEvent | null>} next null: nothing in that time
 * @property {() => void} close
 */

export class EventHub {
    #http;
    #clock;
    #streams;
    #user;
    /** @type {Set<Listener>} */
    #listeners = new Set();
    /** @type {AbortController | null} */
    #running = null;
    /** @type {AbortController | null} of the connection that is open */
    #connection = null;
    /** @type {BroadcastChannel | null} */
    #channel = null;
    /** @type {'opening' | 'live' | 'down'} */
    #state = 'opening';
    /** @type {AbortSignal | null} of the time in which this tab leads */
    #leads = null;
    #steals = false;
    #takeOver = () => {};
    #heard = 0;
    #began = 0;
    #newest = -Infinity; // when an event came last
    #isJoined = false; // the tab that leads has said where it is
    /** @type {string | undefined} id of the last event */
    #last;
    /** @type {import('./genflow-poll.js').Polls | null} */
    #polls = null;

    /**
     * @param {object} parts
     * @param {import('./genflow-http.js').Http} parts.http
     * @param {import('./genflow-http.js').Clock} parts.clock
     * @param {boolean} parts.streams false: polls
     * @param {() => Promise<string | null>} parts.user whose events these are
     */
    constructor({ http, clock, streams, user }) {
        this.#http = http;
        this.#clock = clock;
        this.#streams = streams && (!globalThis.document || canShare());
        this.#user = user;
    }

    /** Does the stream deliver, here or in the tab that leads? */
    get live() {
        return this.#state === 'live';
    }

    /** May a request wait at the server without taking one of a page's few connections? */
    get mayWait() {
        return !globalThis.document || canShare();
    }

    /**
     * Calls the listener with each event from now on, or behind that one. Returns the function that ends it.
     * @param {Listener} listener
     * @param {string} [since]
     */
    on(listener, since) {
        this.#listeners.add(listener);
        if (!this.#running) {
            this.#last = since ?? this.#last;
            this.#start();
        } else if (since !== undefined && since !== this.#last) {
            queueMicrotask(() => listener({ event: 'reset', data: {} }));
        }
        return () => {
            this.#listeners.delete(listener);
            if (this.#listeners.size === 0) this.#stop();
        };
    }

    /**
     * The events of one generation, from now on.
     * @param {string} id
     * @returns {Box}
     */
    watch(id) {
        /** @type {GenflowEvent[]} */
        const came = [];
        let wake = () => {};
        const close = this.on((event) => {
            if (event.event === 'reset' || event.data.id === id) {
                came.push(event);
                wake();
            }
        });
        /** @type {Box['next']} */
        const next = async (ms, signal) => {
            const done = new AbortController();
            const stop = () => done.abort();
            signal?.addEventListener('abort', stop);
            if (came.length === 0 && !signal?.aborted) {
                await Promise.race([new Promise((go) => { wake = () => go(undefined); }),
                    this.#clock.sleep(ms, done.signal).catch(() => {})]);
            }
            stop();
            signal?.removeEventListener('abort', stop);
            signal?.throwIfAborted();
            return came.shift() ?? null;
        };
        return { next, close };
    }

    /**
     * Waits a while until it is known whether the stream delivers, so that what is read then misses nothing.
     * @param {AbortSignal} [signal]
     */
    async ready(signal) {
        for (let waited = 0; this.#state === 'opening' && waited < READY_TIME; waited += 50) {
            await this.#clock.sleep(50, signal);
        }
    }

    #start() {
        const running = new AbortController();
        this.#running = running;
        this.#state = 'opening';
        this.#began = this.#clock.now();
        this.#isJoined = false;
        const { signal } = running;
        const tick = setInterval(() => this.#check(), TICK);
        signal.addEventListener('abort', () => clearInterval(tick));
        globalThis.addEventListener?.('online', () => this.#connection?.abort(), { signal });
        globalThis.document?.addEventListener('visibilitychange', () => {
            if (document.visibilityState === 'visible' && this.#isSilent(SILENCE / 2)) this.#connection?.abort();
        }, { signal });
        globalThis.addEventListener?.('pageshow', (event) => {
            if (event.persisted) this.#emit({ event: 'reset', data: {} }); // the page stood still
        }, { signal });
        this.#run(signal).catch(() => {});
    }

    #stop() {
        this.#running?.abort();
        this.#running = null;
        this.#channel?.close();
        this.#channel = null;
        this.#state = 'down';
    }

    /** @param {AbortSignal} signal */
    async #run(signal) {
        const user = this.#streams && canShare() ? await this.#user().catch(() => null) : null;
        if (signal.aborted) return;
        if (user !== null) await this.#share(`genflow ${this.#http.address} ${user}`, signal);
        else if (this.#streams && !globalThis.document) await this.#lead(signal);
        else await this.#poll(signal, Infinity);
    }

    /**
     * Leads while this tab has the lock, and listens to the tab that has it.
     * @param {string} name of what is shared: no tab of another person has it
     * @param {AbortSignal} signal
     */
    async #share(name, signal) {
        const channel = new BroadcastChannel(name);
        /** @type {any} */ (channel).unref?.(); // of a program
        channel.addEventListener('message', ({ data }) => { if (!signal.aborted) this.#hear(data); });
        channel.postMessage({ kind: 'who' });
        this.#channel = channel;
        this.#heard = this.#clock.now();
        while (!signal.aborted) {
            const turn = new AbortController(); // waits for the lock, then leads
            const end = () => turn.abort();
            signal.addEventListener('abort', end);
            this.#takeOver = () => { if (!this.#leads) end(); };
            const wish = this.#steals ? { steal: true } : { signal: turn.signal };
            this.#steals = false;
            const isDenied = await navigator.locks.request(name, wish, () => this.#lead(turn.signal))
                .then(() => false, (error) => error.name === 'SecurityError'); // a browser that stores nothing
            if (isDenied) return this.#poll(signal, Infinity);
            end(); // another tab took the lock
            signal.removeEventListener('abort', end);
        }
    }

    /** Is the connection dead, or the tab that leads frozen? */
    #check() {
        if (!this.#isSilent(SILENCE)) return;
        if (this.#leads) this.#connection?.abort();
        else if (this.#channel && globalThis.document?.visibilityState !== 'hidden') {
            this.#heard = this.#clock.now();
            this.#steals = true;
            this.#takeOver();
        }
    }

    /** @param {number} time */
    #isSilent(time) {
        return Math.abs(this.#clock.now() - this.#heard) > time; // a clock may be set back
    }

    /** @param {any} message of another tab */
    #hear(message) {
        this.#heard = this.#clock.now();
        if (message.kind === 'who') {
            if (this.#leads) this.#tell();
        } else if (message.kind === 'event') {
            this.#last = message.event.id ?? this.#last;
            this.#emit(message.event);
        } else {
            const missed = this.#last === undefined ? !this.#isJoined && message.quiet < this.#heard - this.#began
                : message.since !== this.#last;
            this.#isJoined = true;
            this.#state = message.live ? 'live' : 'down';
            this.#last = message.since;
            if (missed) this.#emit({ event: 'reset', data: {} });
        }
    }

    /** To the other tabs: whether the stream delivers, and up to where. */
    #tell() {
        this.#channel?.postMessage({ kind: 'state', live: this.live, since: this.#last,
            quiet: this.#clock.now() - this.#newest });
    }

    /** @param {GenflowEvent} event */
    #emit(event) {
        this.#newest = this.#clock.now();
        for (const listener of [...this.#listeners]) listener(event);
    }

    /**
     * Reads the stream, or polls where it is refused, until the signal.
     * @param {AbortSignal} signal
     */
    async #lead(signal) {
        this.#leads = signal;
        for (let pause = RECONNECT; !signal.aborted;) {
            const began = this.#clock.now();
            const outcome = await this.#stream(signal);
            if (signal.aborted) break;
            if (outcome !== 'ended') {
                this.#state = 'down';
                this.#tell();
            }
            if (this.#clock.now() - began > RECONNECT_MAX) pause = RECONNECT;
            if (outcome === 'refused') await this.#poll(signal, POLL_TIME);
            else await sleepOrOnline(this.#clock, pause, signal).catch(() => {});
            pause = Math.min(pause * 2, RECONNECT_MAX);
        }
        if (this.#leads === signal) this.#leads = null;
    }

    /**
     * One connection. `refused`: there is no stream here.
     * @param {AbortSignal} signal
     * @returns {Promise<'ended' | 'lost' | 'refused'>}
     */
    async #stream(signal) {
        const connection = new AbortController();
        const abort = () => connection.abort();
        this.#connection = connection;
        const headers = { Accept: 'text/event-stream', ...(this.#last ? { 'Last-Event-ID': this.#last } : {}) };
        this.#heard = this.#clock.now();
        signal.addEventListener('abort', abort);
        try {
            const response = await this.#http.open('GET', 'events', { signal: connection.signal, headers });
            if (!response.ok || !response.headers.get('Content-Type')?.startsWith('text/event-stream')) {
                await response.body?.cancel();
                return response.status === 502 || response.status === 504 ? 'lost' : 'refused';
            }
            this.#state = 'live';
            await this.#read(/** @type {ReadableStream<Uint8Array>} */ (response.body));
            return 'ended';
        } catch (/** @type {any} */ error) {
            return error.code === 'AUTHENTICATION_REQUIRED' ? 'refused' : 'lost';
        } finally {
            signal.removeEventListener('abort', abort);
            if (this.#connection === connection) this.#connection = null;
        }
    }

    /** @param {ReadableStream<Uint8Array>} stream */
    async #read(stream) {
        const reader = stream.getReader();
        const decoder = new TextDecoder();
        this.#tell();
        for (let text = ''; ;) {
            const { done, value } = await reader.read();
            if (done) return;
            this.#heard = this.#clock.now();
            const blocks = (text + decoder.decode(value, { stream: true })).split('\n\n');
            text = blocks.pop() ?? '';
            for (const block of blocks) this.#take(block);
        }
    }

    /** @param {string} block one event, or a comment */
    #take(block) {
        /** @type {Record<string, string>} */
        const fields = {};
        for (const line of block.split('\n')) {
            const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
            if (name) fields[name] = name === 'data' && name in fields ? `${fields[name]}\n${value}` : value;
        }
        if (!fields.data) return this.#tell();
        const event = /** @type {GenflowEvent} */ ({ event: fields.event, data: JSON.parse(fields.data), id: fields.id });
        this.#last = event.id ?? this.#last;
        this.#channel?.postMessage({ kind: 'event', event });
        return this.#emit(event);
    }

    /**
     * Polls the history in place of the stream.
     * @param {AbortSignal} signal
     * @param {number} time
     */
    async #poll(signal, time) {
        const end = this.#clock.now() + time;
        this.#state = 'down';
        for (let delay = POLL; !signal.aborted && this.#clock.now() < end;) {
            const isFirst = !this.#polls?.hasBegun;
            const found = await this.#look(signal).catch(() => null);
            if (isFirst && found && this.#last !== undefined) this.#send({ event: 'reset', data: {} });
            for (const event of found?.events ?? []) this.#send(event);
            delay = found?.events.length ? POLL : Math.min(delay * 1.5, found?.busy ? POLL_MAX : POLL_IDLE);
            this.#heard = this.#clock.now();
            this.#tell();
            await sleepOrOnline(this.#clock, delay, signal).catch(() => {});
        }
    }

    /** @param {AbortSignal} signal */
    async #look(signal) {
        this.#polls ??= new (await import('./genflow-poll.js')).Polls(this.#http);
        return this.#polls.look(signal);
    }

    /** @param {GenflowEvent} event to the listeners of all tabs */
    #send(event) {
        this.#channel?.postMessage({ kind: 'event', event });
        this.#emit(event);
    }
}

/** Can tabs share a stream here? */
function canShare() {
    return !!globalThis.navigator?.locks && typeof BroadcastChannel === 'function';
}
