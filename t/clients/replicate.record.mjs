// SPDX-License-Identifier: Apache-2.0
// The calls of replicate, and of the AI SDK with its Replicate provider, that record.mjs records.
import Replicate from 'replicate';
import { createReplicate } from '@ai-sdk/replicate';
import { generateImage } from 'ai';

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
    'base64');
const VERSION = '5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa';

export function answer(request, site) {
    const { method, path } = request;
    if (path.endsWith('/picture.png')) return { headers: { 'content-type': 'image/png' }, text: PNG };
    if (path.includes('/stream')) {
        return { headers: { 'content-type': 'text/event-stream' },
            text: `event: output\ndata: ${site}/picture.png\n\nevent: done\ndata: {}\n\n` };
    }
    if (path.includes('/files')) {
        if (method === 'DELETE') return { status: 204, text: '' };
        return { status: method === 'POST' ? 201 : 200,
            json: { id: 'f1', urls: { get: `${site}/v1/files/f1` } } };
    }
    const prediction = { id: 'p1', status: method === 'POST' && !path.endsWith('cancel') && !request.headers.prefer
        ? 'starting' : 'succeeded', output: [`${site}/picture.png`],
        urls: { stream: `${site}/stream/p1` } };
    if (path === '/v1/predictions' && method === 'GET') {
        return { json: { previous: null, next: `${site}/v1/predictions?cursor=c2`, results: [prediction] } };
    }
    if (path === '/v1/predictions?cursor=c2') return { json: { previous: null, next: null, results: [prediction] } };
    return { status: method === 'POST' ? 201 : 200, json: prediction };
}

export function calls(url) {
    const replicate = new Replicate({ auth: 'gf_key', baseUrl: `${url}/v1` });
    const inline = new Replicate({ auth: 'gf_key', baseUrl: `${url}/v1`, fileEncodingStrategy: 'data-uri' });
    const sdk = createReplicate({ apiToken: 'gf_key', baseURL: `${url}/v1` });
    const input = { prompt: 'a cat in the rain' };
    return {
        'run block': () => replicate.run('owner/name', { input }),
        'run block 5': () => replicate.run('owner/name', { input, wait: { mode: 'block', timeout: 4.2 } }),
        'run poll': () => replicate.run('owner/name', { input, wait: { mode: 'poll', interval: 10 } }),
        'run version': () => replicate.run(`owner/name:${VERSION}`, { input }),
        'run webhook': () => replicate.run('owner/name', { input: { ...input, num_outputs: 2, aspect_ratio: '16:9',
            output_format: 'png', seed: 7, negative_prompt: 'blur', guidance: 3.5, go_fast: true },
            webhook: 'https://hooks.example/r', webhook_events_filter: ['start', 'completed'] }),
        'create deployment': () => replicate.deployments.predictions.create('owner', 'name', { input }),
        'create version': () => replicate.predictions.create({ version: `owner/name:${VERSION}`, input }),
        'run Blob': () => replicate.run('owner/name', { input: { ...input,
            image: new File([PNG], 'cat.png', { type: 'image/png' }) } }),
        'run Buffer': () => replicate.run('owner/name', { input: { ...input, image: PNG } }),
        'run data-uri': () => inline.run('owner/name', { input: { ...input, image: new Blob([PNG], { type: 'image/png' }) } }),
        stream: async () => {
            for await (const event of replicate.stream('owner/name', { input })) void event;
        },
        get: () => replicate.predictions.get('p1'),
        cancel: () => replicate.predictions.cancel('p1'),
        paginate: async () => {
            for await (const page of replicate.paginate(replicate.predictions.list)) void page;
        },
        'models get': () => replicate.models.get('owner', 'name'),
        'models list': () => replicate.models.list(),
        account: () => replicate.accounts.current(),
        secret: () => replicate.webhooks.default.secret.get(),
        'files list': () => replicate.files.list(),
        'files get': () => replicate.files.get('f1'),
        'files delete': () => replicate.files.delete('f1'),
        'ai-sdk': () => generateImage({ model: sdk.image('owner/name'), prompt: 'a cat in the rain', aspectRatio: '16:9',
            seed: 7, maxRetries: 0 }),
        'ai-sdk size': () => generateImage({ model: sdk.image(`owner/name:${VERSION}`), prompt: 'a cat in the rain',
            size: '1024x768', maxRetries: 0, providerOptions: { replicate: { maxWaitTimeInSeconds: 30,
                negative_prompt: 'blur', guidance_scale: 7, num_inference_steps: 30, strength: 0.5 } } }),
        'ai-sdk edit': () => generateImage({ model: sdk.image('owner/name'), maxRetries: 0,
            prompt: { text: 'a cat in the rain', images: [PNG] } }),
    };
}
