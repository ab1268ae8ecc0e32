// SPDX-License-Identifier: Apache-2.0
// The calls of openai, and of the AI SDK with its OpenAI provider, that record.mjs records.
import OpenAI, { toFile } from 'openai';
import { createOpenAI } from '@ai-sdk/openai';
import { generateImage } from 'ai';

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
    'base64');
const words = { model: 'gpt-image-1', prompt: 'a cat in the rain' };

export function answer(request) {
    if (request.path.includes('/models')) return { json: { object: 'list', data: [], id: 'gpt-image-1' } };
    if (request.body?.stream) {
        return { headers: { 'content-type': 'text/event-stream' },
            text: 'event: image_generation.completed\ndata: {"type":"image_generation.completed","b64_json":""}\n\n' };
    }
    return { json: { created: 1, data: [{ b64_json: PNG.toString('base64') }] } };
}

export function calls(url) {
    const client = new OpenAI({ apiKey: 'gf_key', baseURL: `${url}/openai/v1` });
    const sdk = createOpenAI({ apiKey: 'gf_key', baseURL: `${url}/openai/v1` });
    const file = (name) => toFile(PNG, name, { type: 'image/png' });
    return {
        generate: () => client.images.generate(words),
        'generate url': () => client.images.generate({ ...words, model: 'dall-e-3', n: 1, response_format: 'url',
            size: '1792x1024', quality: 'hd', style: 'vivid', user: 'someone' }),
        'generate all': () => client.images.generate({ ...words, n: 3, size: '1024x1536', quality: 'high',
            background: 'opaque', output_format: 'png', moderation: 'low' }),
        'generate stream': async () => {
            for await (const event of await client.images.generate({ ...words, stream: true, partial_images: 2 })) void event;
        },
        'generate transparent': () => client.images.generate({ ...words, background: 'transparent' }),
        'edit one': async () => client.images.edit({ ...words, image: await file('cat.png') }),
        'edit several': async () => client.images.edit({ ...words, image: [await file('cat.png'), await file('dog.png')],
            n: 2, size: '1536x1024', input_fidelity: 'high' }),
        'edit mask': async () => client.images.edit({ ...words, image: await file('cat.png'), mask: await file('mask.png') }),
        'models list': () => client.models.list(),
        'models get': () => client.models.retrieve('gpt-image-1'),
        'ai-sdk': () => generateImage({ model: sdk.image('gpt-image-1'), prompt: words.prompt, size: '1024x1024', maxRetries: 0 }),
        'ai-sdk dall-e': () => generateImage({ model: sdk.image('dall-e-3'), prompt: words.prompt, maxRetries: 0,
            providerOptions: { openai: { style: 'natural', quality: 'standard' } } }),
        'ai-sdk edit': () => generateImage({ model: sdk.image('gpt-image-1'), maxRetries: 0,
            prompt: { text: words.prompt, images: [PNG] } }),
    };
}
