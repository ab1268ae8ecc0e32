// SPDX-License-Identifier: Apache-2.0
/**
 * The names that front ends of older systems call, as thin aliases of genflow.js:
 *
 *     import { names } from './genflow-legacy.js';
 *     const functions = names(genflow);
 *     const { imageUrl } = await functions['neo-glitch-generate']({ prompt, presetKey, runId });
 *
 * What genflow.js has goes through it and returns what it returns, with the older members beside. What only the older
 * systems had (feeds, settings, publishing, moods) is requested from `older`, a Genflow whose base has
 * GenflowLegacyNames On, such as conf/genflow-legacy.conf's: new Genflow({ base: '/.netlify/functions' }). That
 * file serves the same names to front ends that stay as they are. A runId is the idempotency key of its
 * generation. The site knows who the user is, so a userId is left out.
 */
import { randomKey } from './genflow-keys.js';

const TYPES = ['neo-glitch', 'emotion-mask', 'presets', 'ghibli-reaction', 'custom-prompt'];

/** @typedef {{ runId?: string, userId?: string, [member: string]: any }} Body */
/** @typedef {Record<string, (body?: any) => Promise<any>>} Functions */
/** @typedef {import('./genflow.js').Genflow} Genflow */

/**
 * @param {Genflow} genflow
 * @param {string[]} [types]
 * @param {Genflow} [older]
 * @returns {Functions}
 */
export function names(genflow, types = TYPES, older = genflow) {
    return Object.assign({}, ofUser(genflow, older), ofMedia(genflow, older), ofPresets(genflow), ofSteps(genflow, older),
        ...types.map((type) => ofType(genflow, type)));
}

/**
 * @param {Genflow} genflow
 * @param {Genflow} older
 * @returns {Functions}
 */
function ofUser(genflow, older) {
    const withBalance = async () => {
        const quota = await genflow.quota();
        return { ...quota, credits: quota.currentBalance, balance: quota.currentBalance };
    };
    const whoami = async () => {
        const me = await genflow.me();
        return { ...me, ok: true, user: { id: me.userId } };
    };
    /** @param {Body} body */
    const finalize = async ({ userId, ...body }) => {
        try {
            return await post(genflow, 'credits-finalize', body);
        } catch (/** @type {any} */ error) { // a lost response has ended it
            if (error.code !== 'ALREADY_PROCESSED') throw error;
            return { ok: true, request_id: body.request_id, message: error.message };
        }
    };
    return {
        getQuota: () => genflow.quota(),
        'check-credits': withBalance,
        whoami,
        // A reservation that is asked for twice under one id is one.
        'credits-reserve': ({ userId, ...body } = {}) => post(genflow, 'credits-reserve', {
            ...body, request_id: body.request_id ?? body.requestId ?? randomKey() }),
        'credits-finalize': finalize,
        'user-settings': (body) => (body ? post(older, 'user-settings', body) : older.request('GET', 'user-settings')),
        health: () => genflow.request('GET', 'health'),
    };
}

/**
 * @param {Genflow} genflow
 * @param {Genflow} older
 * @returns {Functions}
 */
function ofMedia(genflow, older) {
    const feed = (/** @type {string} */ name) => ({ limit, offset } = /** @type {Body} */ ({})) =>
        older.request('GET', name, { query: { limit, offset } });
    const list = async ({ type, limit, cursor } = /** @type {Body} */ ({})) => {
        const page = await genflow.history({ type, limit }).page(cursor);
        return { ...page, items: page.items.map((one) => ({ ...one, finalUrl: one.imageUrl, mediaType: 'image',
            presetKey: one.preset })) };
    };
    const remove = async ({ mediaId, id = mediaId } = /** @type {Body} */ ({})) => {
        await genflow.remove(id);
        return { success: true, deletedId: id };
    };
    return {
        getUserMedia: list,
        'delete-media': remove,
        assets: (blob) => genflow.upload(blob),
        togglePublish: (body) => post(older, 'togglePublish', body),
        'save-media': (body) => post(older, 'save-media', body),
        'save-neo-glitch': (body) => post(older, 'save-neo-glitch', body),
        'cloudinary-sign': (body) => post(older, 'cloudinary-sign', body ?? {}),
        feed: feed('feed'),
        getPublicFeed: feed('getPublicFeed'),
        getNeoGlitchFeed: feed('getNeoGlitchFeed'),
    };
}

/**
 * @param {Genflow} genflow
 * @returns {Functions}
 */
function ofPresets(genflow) {
    return {
        presets: (filter = {}) => genflow.presets(filter),
        'get-presets': ({ type = 'presets' } = {}) => genflow.presets({ type }),
        'get-current-week-presets': async ({ type = 'presets' } = {}) => (await genflow.presets({ type })).presets,
        'get-all-presets': async ({ type = 'presets' } = {}) => (await genflow.presets({ type, all: true })).presets,
        templates: (template) => (template ? genflow.templates.save(template) : genflow.templates.list()),
    };
}

/**
 * Generations in two steps, of moods, and as jobs.
 * @param {Genflow} genflow
 * @param {Genflow} older
 * @returns {Functions}
 */
function ofSteps(genflow, older) {
    const create = (/** @type {Body} */ body) => post(genflow, 'generation/create', body, randomKey());
    const start = async (/** @type {Body} */ body) => {
        try {
            return await post(genflow, 'generate', body, randomKey());
        } catch (/** @type {any} */ error) { // a lost response has started it
            if (error.code !== 'INVALID_GENERATION_STATUS') throw error;
            const one = await genflow.get(body.generationId);
            if (['failed', 'cancelled'].includes(one.status)) throw error;
            return { success: true, data: { ...one, generationId: one.id } };
        }
    };
    return {
        'generation/create': create,
        'generation-create': create,
        generate: start,
        'image/generate': (body) => post(older, 'image/generate', body, randomKey()),
        job: ({ id }) => genflow.request('GET', `job/${encodeURIComponent(id)}`),
        cancel: ({ id }) => genflow.cancel(id),
        retry: ({ id }) => genflow.retry(id),
        fallback: ({ id }) => genflow.fallback(id),
    };
}

/**
 * @param {Genflow} genflow
 * @param {string} type
 * @returns {Functions}
 */
function ofType(genflow, type) {
    return {
        [`${type}-generate`]: ({ userId, generationMeta, sourceUrl, sourceAssetId, ...body } = {}) => genflow.generate(
            { ...body, type, source: sourceAssetId ?? sourceUrl }, { key: body.runId }),
        // A runId and the ids of providers find it, too.
        [`${type}-status`]: ({ userId, id, jobId = id, ...body } = {}) => (jobId ? genflow.get(jobId)
            : post(genflow, `${encodeURIComponent(type)}/status`, body)),
    };
}

/**
 * @param {Genflow} genflow
 * @param {string} path
 * @param {Body} json
 * @param {string} [key] under which it is done once, however often it is sent
 */
function post(genflow, path, json, key) {
    return genflow.request('POST', path, { json, headers: key ? { 'Idempotency-Key': key } : {} });
}
