export type GenflowEvent = {
    /**
     * `reset`: read the lists anew
     */
    event: 'generation' | 'balance' | 'queue' | 'reset';
    /**
     * a generation; {balance, held, remaining}; {id, position, expectedSeconds}; {}
     */
    data: any;
    /**
     * of the event: `since` of a later subscription
     */
    id?: string;
};
export type Listener = (event: GenflowEvent) => void;
export type Box = {
    /**
     * null: nothing in that time
     */
    next: (ms: number, signal?: AbortSignal) => Promise<GenflowEvent | null>;
    close: () => void;
};
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
export declare class EventHub {
    #private;
    /**
     * @param {object} parts
     * @param {import('./genflow-http.js').Http} parts.http
     * @param {import('./genflow-http.js').Clock} parts.clock
     * @param {boolean} parts.streams false: polls
     * @param {() => Promise<string | null>} parts.user whose events these are
     */
    constructor({ http, clock, streams, user }: {
        http: import('./genflow-http.js').Http;
        clock: import('./genflow-http.js').Clock;
        streams: boolean;
        user: () => Promise<string | null>;
    });
    /** Does the stream deliver, here or in the tab that leads? */
    get live(): boolean;
    /** May a request wait at the server without taking one of a page's few connections? */
    get mayWait(): boolean;
    /**
     * Calls the listener with each event from now on, or behind that one. Returns the function that ends it.
     * @param {Listener} listener
     * @param {string} [since]
     */
    on(listener: Listener, since?: string): () => void;
    /**
     * The events of one generation, from now on.
     * @param {string} id
     * @returns {Box}
     */
    watch(id: string): Box;
    /**
     * Waits a while until it is known whether the stream delivers, so that what is read then misses nothing.
     * @param {AbortSignal} [signal]
     */
    ready(signal?: AbortSignal): Promise<void>;
}
