// SPDX-License-Identifier: Apache-2.0
// The calls of @fal-ai/client, by rewritten addresses and by proxyUrl, and of the AI SDK with its fal
// provider, that record.mjs records.
import { createFalClient } from '@fal-ai/client';
import { createFal } from '@ai-sdk/fal';
import { generateImage } from 'ai';

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
    'base64');
const HOSTS = { 'https://queue.fal.run': 'queue', 'https://fal.run': 'run', 'https://rest.fal.ai': 'rest' };

let asked = 0;

export function answer(request, site) {
    const { method, path, headers } = request;
    const target = headers['x-fal-target-url'] ?? path;
    const stream = { headers: { 'content-type': 'text/event-stream' }, text: 'data: {"status":"COMPLETED","logs":[]}\n\n' };
    if (target.endsWith('/picture.png')) return { headers: { 'content-type': 'image/png' }, text: PNG };
    if (method === 'PUT' && target.includes('/upload/')) return { json: {} };
    if (target.includes('initiate')) return { json: { upload_url: `${site}/upload/u1`, file_url: `${site}/file/u1` } };
    if (target.includes('/stream')) return stream;
    if (target.includes('/status')) {
        asked += 1;
        return asked % 2 ? { status: 202, json: { status: 'IN_QUEUE', queue_position: 0 } } : { json: { status: 'COMPLETED' } };
    }
    if (target.includes('/cancel')) return { status: 202, json: { status: 'CANCELLATION_REQUESTED' } };
    if (target.includes('queue') && !target.includes('/requests/')) return { json: { status: 'IN_QUEUE', request_id: 'r1' } };
    return { json: { images: [{ url: `${site}/picture.png`, width: 1, height: 1, content_type: 'image/png' }], seed: 7,
        prompt: 'a cat in the rain', has_nsfw_concepts: [false], timings: {} } };
}

// As a program rewrites the addresses of fal.
function rewritten(url) {
    return (address, options) => {
        const host = Object.keys(HOSTS).find((one) => String(address).startsWith(`${one}/`));
        return fetch(host ? String(address).replace(host, `${url}/fal/${HOSTS[host]}`) : address, options);
    };
}

function of_client(by, settings) {
    const fal = createFalClient({ credentials: 'gf_key', ...settings });
    const app = 'fal-ai/flux/dev';
    const input = { prompt: 'a cat in the rain', image_size: 'landscape_4_3', seed: 7, num_images: 1 };
    const calls = {
        submit: () => fal.queue.submit(app, { input, webhookUrl: 'https://hooks.example/f?a=1', priority: 'low', startTimeout: 30,
            storageSettings: { expiresIn: '1d' } }),
        subscribe: () => fal.subscribe(app, { input, logs: true, pollInterval: 5 }),
        'subscribe streaming': () => fal.subscribe(app, { input, mode: 'streaming' }),
        cancel: () => fal.queue.cancel(app, { requestId: 'r1' }),
        run: () => fal.run(app, { input, startTimeout: 20 }),
        stream: async () => {
            const stream = await fal.stream(app, { input });
            for await (const event of stream) void event;
        },
        upload: () => fal.storage.upload(new File([PNG], 'cat.png', { type: 'image/png' })),
        Blob: () => fal.run(`${app}/image-to-image`, { input: { prompt: 'a cat in the rain', strength: 0.5,
            image_url: new File([PNG], 'cat.png', { type: 'image/png' }) } }),
    };
    return Object.fromEntries(Object.entries(calls).map(([name, call]) => [`${by} ${name}`, call]));
}

export function calls(url) {
    const model = createFal({ apiKey: 'gf_key', baseURL: `${url}/fal/run` }).image('fal-ai/flux/dev');
    const pictures = (images, options) => generateImage({ model, maxRetries: 0, prompt: { text: 'a cat in the rain', images },
        providerOptions: { fal: options } });
    return {
        ...of_client('rewritten', { fetch: rewritten(url) }),
        ...of_client('proxied', { proxyUrl: { url: `${url}/fal`, when: 'always' } }),
        'ai-sdk': () => generateImage({ model, prompt: 'a cat in the rain', aspectRatio: '16:9', seed: 7, maxRetries: 0 }),
        'ai-sdk size': () => generateImage({ model, prompt: 'a cat in the rain', size: '1024x768', maxRetries: 0 }),
        'ai-sdk edit': () => pictures([PNG], { guidanceScale: 3, numInferenceSteps: 20, enableSafetyChecker: true,
            outputFormat: 'png', syncMode: true, strength: 0.4, safetyTolerance: 2, acceleration: 'high' }),
        'ai-sdk edit of several': () => pictures([PNG, PNG], { useMultipleImages: true }),
    };
}
