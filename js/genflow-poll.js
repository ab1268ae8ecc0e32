// SPDX-License-Identifier: Apache-2.0
/**
 * Polling the history in place of the stream: part of genflow.js, loaded when it is needed. genflow-events.js says when.
 */
import { isEnded } from './genflow-http.js';

/** @typedef {import('./genflow.js').Generation} Generation */
/** @typedef {import('./genflow-events.js').GenflowEvent} GenflowEvent */

export class Polls {
    #http;
    /** @type {Map<string, string> | null} states that were seen; null: there was no look */
    #known = null;
    /** @type {string | undefined} */
    #since;
    #isOld = false; // the server does not know `since`

    /** @param {import('./genflow-http.js').Http} http */
    constructor(http) {
        this.#http = http;
    }

    get hasBegun() {
        return this.#known !== null;
    }

    /**
     * What has changed since the last look, by the server's own times, and whether a generation lives. The first look
     * only remembers.
     * @param {AbortSignal} signal
     * @returns {Promise<{ events: GenflowEvent[], busy: boolean }>}
     */
    async look(signal) {
        const query = { limit: 100, since: this.#isOld ? undefined : this.#since };
        const { data } = await this.#http.json('GET', 'generations', { query, signal, once: true }).catch((error) => {
            this.#isOld ||= error.status === 422;
            throw error;
        });
        const before = this.#known;
        /** @type {Generation[]} */
        const items = data.items;
        const news = before ? items.filter((one) => before.get(one.id) !== stateOf(one)) : [];
        const live = items.filter((one) => !isEnded(one)).map(({ createdAt }) => createdAt);
        const times = live.length > 0 ? live : items.map((one) => one.finishedAt ?? one.createdAt);
        times.sort();
        this.#known = new Map(items.map((one) => [one.id, stateOf(one)]));
        this.#since = times[live.length > 0 ? 0 : times.length - 1] ?? this.#since;
        /** @type {GenflowEvent[]} */
        const events = news.map((one) => ({ event: 'generation', data: one }));
        if (news.length > 0) events.push(...await this.#balance(signal));
        return { events, busy: live.length > 0 };
    }

    /**
     * @param {AbortSignal} signal
     * @returns {Promise<GenflowEvent[]>}
     */
    async #balance(signal) {
        const quota = await this.#http.json('GET', 'getQuota', { signal, once: true }).catch(() => null);
        if (!quota) return [];
        const { currentBalance, held, remaining } = quota.data;
        return [{ event: 'balance', data: { balance: currentBalance + held, held, remaining } }];
    }
}

/**
 * What a person sees of it.
 * @param {Generation} generation
 */
function stateOf({ status, retryCount, progress, logs, queuePosition, persisted, title, tags, favourite }) {
    return JSON.stringify([status, retryCount, progress, logs?.length, queuePosition, persisted, title, tags, favourite]);
}
