export type Body = {
    runId?: string;
    userId?: string;
    [member: string]: any;
};
export type Functions = Record<string, (body?: any) => Promise<any>>;
export type Genflow = import('./genflow.js').Genflow;
/** @typedef {{ runId?: string, userId?: string, [member: string]: any }} Body */
/** @typedef {Record<string, (body?: any) => Promise<any>>} Functions */
/** @typedef {import('./genflow.js').Genflow} Genflow */
/**
 * @param {Genflow} genflow
 * @param {string[]} [types]
 * @param {Genflow} [older]
 * @returns {Functions}
 */
export declare function names(genflow: Genflow, types?: string[], older?: Genflow): Functions;
