/**
 * Requests of genflow.js: one error class, sign-in, bounded repetition, JSON. All that it knows of generations is
 * when one has ended. Import genflow.js.
 */
export type ErrorFacts = {
    /**
     * of the response; 0: there was none
     */
    status?: number;
    validationErrors?: {
        field: string;
        message: string;
    }[];
    retryAfter?: number | null;
    shortfall?: number | null;
    requestId?: string | null;
    generation?: any;
    /**
     * the whole body of the response
     */
    details?: any;
    /**
     * the same request may succeed soon
     */
    repeat?: boolean;
    /**
     * the key was answered before, with this
     */
    replayed?: boolean;
    cause?: unknown;
};
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
export declare class GenflowError extends Error {
    code: string;
    status: number;
    /** Every bad field of the request. */
    validationErrors: {
        field: string;
        message: string;
    }[];
    /** Seconds after which the same request may succeed; null: unknown. */
    retryAfter: number | null;
    /** Credits that are missing; null: the error is another one. */
    shortfall: number | null;
    /** Stands in the error log of the server. */
    requestId: string | null;
    /** @type {import('./genflow.js').Generation | null} that failed, or still runs */
    generation: import('./genflow.js').Generation | null;
    /** @type {any} the members of the response that have no place above */
    details: any;
    repeat: boolean;
    replayed: boolean;
    /**
     * @param {string} code
     * @param {string} message
     * @param {ErrorFacts} [facts]
     */
    constructor(code: string, message: string, facts?: ErrorFacts);
}
export type Clock = {
    /**
     * milliseconds, for differences only: it may be wrong
     */
    now: () => number;
    /**
     * rejects with the signal's reason
     */
    sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
};
/**
 * @typedef {object} Clock
 * @property {() => number} now milliseconds, for differences only: it may be wrong
 * @property {(ms: number, signal?: AbortSignal) => Promise<void>} sleep rejects with the signal's reason
 */
/** @type {Clock} */
export declare const CLOCK: Clock;
/**
 * Sleeps, but not longer than until the network is back.
 * @param {Clock} clock
 * @param {number} ms
 * @param {AbortSignal} [signal]
 */
export declare function sleepOrOnline(clock: Clock, ms: number, signal?: AbortSignal): Promise<void>;
export declare const isEnded: (/** @type {{ status: string }} */ { status }: {
    status: string;
}) => boolean;
export type Call = {
    query?: Record<string, string | number | boolean | null | undefined>;
    /**
     * the body
     */
    json?: any;
    /**
     * in place of it, with its Content-Type among the headers
     */
    body?: BodyInit;
    headers?: Record<string, string>;
    signal?: AbortSignal;
    /**
     * that the server is asked to wait
     */
    seconds?: number;
    /**
     * milliseconds that the response may take beside these
     */
    answerTime?: number;
    /**
     * it is not harmless to repeat
     */
    once?: boolean;
};
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
export declare class Http {
    #private;
    /** @param {import('./genflow.js').Options & { clock: Clock }} options */
    constructor({ base, fetch: ownFetch, headers, credentials, refresh, clock }: import('./genflow.js').Options & {
        clock: Clock;
    });
    /** The absolute address of the API, where there is a page; else as it was given. */
    get address(): string;
    /**
     * The JSON of a response of success, and its head; a 304 has none. Repeats what may succeed soon, under the
     * same headers, so with the same Idempotency-Key.
     * @param {string} method
     * @param {string} path
     * @param {Call} [call]
     * @returns {Promise<{ data: any, response: Response, tries: number }>}
     */
    json(method: string, path: string, call?: Call): Promise<{
        data: any;
        response: Response;
        tries: number;
    }>;
    /**
     * One response, whose time ends with its head; without `answerTime` its body may take any time.
     * @param {string} method
     * @param {string} path
     * @param {Call} call
     */
    open(method: string, path: string, call: Call): Promise<Response>;
}
