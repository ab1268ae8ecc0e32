import { GenflowError } from './genflow-http.js';
export { GenflowError };
export type Options = {
    /**
     * address of the API: `/api`, or absolute
     */
    base: string;
    /**
     * in place of the global one
     */
    fetch?: typeof fetch;
    /**
     * signs in again: called once when a request is not signed in, which is then
     * repeated under the same key
     */
    refresh?: () => unknown;
    /**
     * of each request, such as Authorization
     */
    headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>);
    /**
     * `include` for cookies of another origin
     */
    credentials?: RequestCredentials;
    /**
     * of unresolved keys; sessionStorage without it
     */
    storage?: Pick<Storage, 'getItem' | 'setItem'>;
    /**
     * false: polls, and opens no stream
     */
    eventSource?: boolean;
    /**
     * for tests
     */
    clock?: import('./genflow-http.js').Clock;
};
export type Generation = {
    id: string;
    type: string;
    status: 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';
    imageUrl: string | null;
    thumbnailUrl?: string | null;
    color?: string | null;
    persisted: boolean;
    takenDown: {
        at: string;
    } | null;
    expiresAt: string | null;
    prompt: string;
    preset: string | null;
    sourceUrl: string | null;
    parameters: Record<string, unknown>;
    seed: number;
    estimatedCost: number;
    tokensUsed: number;
    retryCount: number;
    maxRetries: number;
    queuePosition: number | null;
    expectedSeconds: number | null;
    progress: number | null;
    logs: string[];
    provider: string | null;
    errorCode: string | null;
    errorMessage: string | null;
    createdAt: string;
    finishedAt: string | null;
    tags?: string[];
    favourite?: boolean;
    title?: string | null;
    /**
     * all that one request has made, where it asked for several
     */
    batch?: Generation[];
};
export type Source = Blob | string | {
    id: string;
} | {
    imageUrl: string | null;
};
export type Spec = {
    type: string;
    source?: Source | Source[];
    n?: number;
    [member: string]: unknown;
};
export type WaitOptions = {
    /**
     * ends the waiting, not the generation
     */
    signal?: AbortSignal;
    /**
     * each new state
     */
    onUpdate?: (generation: Generation) => void;
    /**
     * seconds in all; without it as long as a stream or a long poll works, else 30 s
     */
    wait?: number;
};
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
export declare class Genflow {
    #private;
    /** @param {Options} options */
    constructor(options: Options);
    /**
     * Makes a picture and waits for it. The same spec, while its end was not seen, is the same generation. Rejects
     * with a GenflowError where it fails, is cancelled, or takes too long. Of n pictures the first that succeeded
     * comes, with all of them as its `batch`.
     * @param {Spec} spec
     * @param {WaitOptions & { key?: string, async?: boolean }} [options] key: the program's own Idempotency-Key;
     *     async: the first request does not wait, so that onUpdate has the id at once
     * @returns {Promise<Generation>}
     */
    generate(spec: Spec, options?: WaitOptions & {
        key?: string;
        async?: boolean;
    }): Promise<Generation>;
    /**
     * What it would cost; nothing is made.
     * @param {Spec} spec
     * @param {{ signal?: AbortSignal }} [options]
     * @returns {Promise<{ estimatedCost: number, currentBalance: number, prompt: string, provider: string | null }>}
     */
    dryRun(spec: Spec, { signal }?: {
        signal?: AbortSignal;
    }): Promise<{
        estimatedCost: number;
        currentBalance: number;
        prompt: string;
        provider: string | null;
    }>;
    /**
     * @param {string} id
     * @param {{ signal?: AbortSignal }} [options]
     * @returns {Promise<Generation>}
     */
    get(id: string, { signal }?: {
        signal?: AbortSignal;
    }): Promise<Generation>;
    /**
     * Waits for the end of a generation, as generate() does.
     * @param {string} id
     * @param {WaitOptions} [options]
     */
    follow(id: string, options?: WaitOptions): Promise<Generation>;
    /**
     * Cancels it; nothing is charged. One that was cancelled already is the same.
     * @param {string} id
     * @returns {Promise<Generation>}
     */
    cancel(id: string): Promise<Generation>;
    /**
     * Makes what failed or was cancelled anew, and waits for it. Repeating the call makes no second one.
     * @param {string} id
     * @param {WaitOptions} [options]
     */
    retry(id: string, options?: WaitOptions): Promise<Generation>;
    /**
     * The same, drawn by the server itself.
     * @param {string} id
     * @param {WaitOptions} [options]
     */
    fallback(id: string, options?: WaitOptions): Promise<Generation>;
    /**
     * Deletes it with its stored picture.
     * @param {string} id
     */
    remove(id: string): Promise<void>;
    /**
     * Changes what its user may change.
     * @param {string} id
     * @param {{ tags?: string[], favourite?: boolean, title?: string | null }} changes
     * @returns {Promise<Generation>}
     */
    update(id: string, changes: {
        tags?: string[];
        favourite?: boolean;
        title?: string | null;
    }): Promise<Generation>;
    /**
     * The generations, newest first: `for await (const generation of genflow.history())`, or a page of them by
     * page(cursor).
     * @param {{ type?: string, status?: string, preset?: string, q?: string, tag?: string, favourite?: boolean,
     *     since?: string, limit?: number }} [filter]
     */
    history({ favourite, ...filter }?: {
        type?: string;
        status?: string;
        preset?: string;
        q?: string;
        tag?: string;
        favourite?: boolean;
        since?: string;
        limit?: number;
    }): {
        page: (cursor?: string | null) => Promise<{
            items: Generation[];
            total?: number;
            hasMore: boolean;
            nextCursor: string | null;
        }>;
        [Symbol.asyncIterator]: () => AsyncGenerator<Generation, void, void>;
    };
    /**
     * What happens to the user's generations and credits, as it comes; one stream for all tabs. Lists that are read
     * after the first event miss nothing; after a `reset` read them anew.
     * @param {{ since?: string, signal?: AbortSignal, on: (event: import('./genflow-events.js').GenflowEvent) => void }}
     *     options since: the id of the last event that was seen
     * @returns {() => void} ends it, as the signal does
     */
    events({ since, signal, on }: {
        since?: string;
        signal?: AbortSignal;
        on: (event: import('./genflow-events.js').GenflowEvent) => void;
    }): () => void;
    /** @returns {Promise<any[]>} what the user may make: docs/openapi.yaml */
    types(): Promise<any[]>;
    /** @returns {Promise<any>} */
    me(): Promise<any>;
    /** @returns {Promise<any>} */
    quota(): Promise<any>;
    /**
     * @param {{ type?: string, all?: boolean }} [options]
     * @returns {Promise<{ presets: any[], currentWeek: number, totalAvailable: number, rotationInfo: any }>}
     */
    presets({ type, all }?: {
        type?: string;
        all?: boolean;
    }): Promise<{
        presets: any[];
        currentWeek: number;
        totalAvailable: number;
        rotationInfo: any;
    }>;
    keys: {
        /** @param {string | null} [cursor] */
        list: (cursor?: string | null) => Promise<any>;
        /**
         * A key, which is shown once. It is not repeated by itself: after NETWORK_ERROR look at the list.
         * @param {{ name: string, scopes?: string[], types?: string[], expiresAt?: string, budget?: any }} key
         */
        create: (key: {
            name: string;
            scopes?: string[];
            types?: string[];
            expiresAt?: string;
            budget?: any;
        }) => Promise<any>;
        /** @param {string} id */
        revoke: (id: string) => Promise<void>;
    };
    templates: {
        /** @param {string | null} [cursor] */
        list: (cursor?: string | null) => Promise<any>;
        /** @param {{ name: string, type?: string | null, config: Record<string, unknown> }} template */
        save: (template: {
            name: string;
            type?: string | null;
            config: Record<string, unknown>;
        }) => Promise<any>;
        /** @param {string} id */
        remove: (id: string) => Promise<void>;
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
    upload(blob: Blob, { signal, maxBytes, maxPixels, onSize }?: {
        signal?: AbortSignal;
        maxBytes?: number;
        maxPixels?: number;
        onSize?: (picture: import('./genflow-picture.js').Picture) => void;
    }): Promise<{
        id: string;
        url: string;
        width: number;
        height: number;
        bytes: number;
        type: string;
        expiresAt: string;
    }>;
    /**
     * Any other request below the base, for what has no function here. It is repeated where no response came, unless
     * `once` says that this does harm.
     * @param {string} method
     * @param {string} path without a slash before it
     * @param {{ query?: Record<string, string | number | boolean | null | undefined>, json?: any, signal?: AbortSignal,
     *     headers?: Record<string, string>, once?: boolean }} [call]
     * @returns {Promise<any>} the JSON of its response
     */
    request(method: string, path: string, call?: {
        query?: Record<string, string | number | boolean | null | undefined>;
        json?: any;
        signal?: AbortSignal;
        headers?: Record<string, string>;
        once?: boolean;
    }): Promise<any>;
}
