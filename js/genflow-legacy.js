// SPDX-License-Identifier: Apache-2.0
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

const TYPES = ['neo-glitch', 'emotion-mask', 'presets', 'ghibli-reaction', 'custom-prompt'];

/** @typedef {{ runId?: string, userId?: string, [member: string]: any }} Body */

/**
 * @param {import('./genflow.js').Genflow} genflow
 * @param {string[]} [types]
 */
export function names(genflow, types = TYPES) {
    /** @type {Record<string, (body?: any) => Promise<any>>} */
    const all = {
        getQuota: () => genflow.quota(),
        'check-credits': () => genflow.quota(),
        whoami: () => genflow.me(),
        getUserMedia: ({ type, limit, cursor } = {}) => genflow.history({ type, limit }).page(cursor),
        'delete-media': ({ mediaId, id = mediaId }) => genflow.remove(id),
        'get-presets': ({ type = 'presets' } = {}) => genflow.presets({ type }),
        'get-current-week-presets': async ({ type = 'presets' } = {}) => (await genflow.presets({ type })).presets,
        'get-all-presets': async ({ type = 'presets' } = {}) => (await genflow.presets({ type, all: true })).presets,
        retry: ({ id }) => genflow.retry(id),
        fallback: ({ id }) => genflow.fallback(id),
        job: ({ id }) => genflow.get(id),
    };
    for (const type of types) {
        all[`${type}-generate`] = ({ userId, sourceUrl, sourceAssetId, ...body } = {}) => genflow.generate({ ...body, type,
            source: sourceAssetId ?? sourceUrl }, { key: body.runId });
        all[`${type}-status`] = ({ jobId, id = jobId } = {}) => genflow.get(id);
    }
    return all;
}
