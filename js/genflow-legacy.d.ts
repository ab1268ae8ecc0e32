/**
 * The names that front ends of older systems call, as thin aliases of genflow.js:
 *
 *     import { names } from './genflow-legacy.js';
 *     const functions = names(genflow);
 *     const { imageUrl } = await functions['neo-glitch-generate']({ prompt, presetKey, runId });
 *
 * They return what genflow.js returns. A runId is the idempotency key of its generation; who the user is the site
 * knows, so a userId is left out. conf/genflow-legacy.conf serves the same names to front ends that stay as they are.
 */
export type Body = {
    runId?: string;
    userId?: string;
    [member: string]: any;
};
/** @typedef {{ runId?: string, userId?: string, [member: string]: any }} Body */
/**
 * @param {import('./genflow.js').Genflow} genflow
 * @param {string[]} [types]
 */
export declare function names(genflow: import('./genflow.js').Genflow, types?: string[]): Record<string, (body?: any) => Promise<any>>;
