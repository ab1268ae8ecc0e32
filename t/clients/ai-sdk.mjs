// SPDX-License-Identifier: Apache-2.0
// What programs do with the AI SDK (generateImage) against our three fronts: each makes the same checks.
import { createFal } from '@ai-sdk/fal';
import { createOpenAI } from '@ai-sdk/openai';
import { createReplicate } from '@ai-sdk/replicate';
import { APICallError, generateImage } from 'ai';

import { check, credits, deepEqual, done, equal, failure, isPicture, key, match, ok, openGate, site, submissions,
    user } from './check.mjs';

const SAMPLE = Buffer.from(process.env.GENFLOW_PNG, 'base64');
const PROVIDERS = {
    openai: { model: 'gpt-image-1', make: (name) => createOpenAI({ apiKey: key(name), baseURL: `${site}/openai/v1`,
        headers: { 'x-user': user(name) } }) },
    replicate: { model: 'owner/name', frames: true, make: (name) => createReplicate({ apiToken: key(name),
        baseURL: `${site}/v1` }) },
    fal: { model: 'fal-ai/flux/dev', frames: true, make: (name) => createFal({ apiKey: key(name),
        baseURL: `${site}/fal/run` }) },
};

for (const [provider, { model, frames, make }] of Object.entries(PROVIDERS)) {
    const tag = `s${process.pid}${provider}`;
    const text = (words = '') => `a cat in the rain [${tag}] ${words}`;
    const images = (settings, name = 'rich', of = model) => generateImage({ model: make(name).image(of), ...settings });
    const says = (what, run) => check(`${provider}: ${what}`, run);

    await says('generateImage() returns a picture, paid once', async () => {
        const [balance] = await credits('rich');
        const { image, responses, warnings } = await images({ prompt: text() });
        await isPicture(image.uint8Array);
        equal(image.mediaType, 'image/png');
        equal(responses.length, 1);
        deepEqual(warnings, []);
        deepEqual(await credits('rich'), [balance - 1, 0]);
    });
    await says('n=3 returns three different pictures, paid three times', async () => {
        const [balance] = await credits('rich');
        const { images: made } = await images({ prompt: text('three'), n: 3 });
        equal(made.length, 3);
        await Promise.all(made.map(({ uint8Array }) => isPicture(uint8Array)));
        deepEqual(await credits('rich'), [balance - 3, 0]);
        equal(await submissions(`[${tag}] three`), 3);
    });
    await says('a size becomes the nearest frame', async () => {
        await isPicture((await images({ prompt: text(), size: '1536x1024' })).image.uint8Array);
    });
    if (frames) {
        await says('an aspect ratio and a seed are taken', async () => {
            const { image } = await images({ prompt: text(), aspectRatio: '16:9', seed: 7 });
            await isPicture(image.uint8Array);
        });
    }
    await says('a picture is edited', async () => {
        const { image } = await images({ prompt: { text: text('edited'), images: [SAMPLE] } });
        await isPicture(image.uint8Array);
        equal(await submissions(`[${tag}] edited`), 1);
    });
    await says('a slow picture comes, too', async () => {
        setTimeout(() => openGate(`${tag}-slow`), 1500);
        const { image } = await images({ prompt: text(`{{gate=${tag}-slow}}`) });
        await isPicture(image.uint8Array);
        equal(await submissions(`[${tag}] {{gate=${tag}-slow}}`), 1);
    });
    await says('a filtered picture is an error that is not repeated, and costs nothing', async () => {
        const before = await credits('rich');
        ok(await failure(images({ prompt: text('{{moderation}}') })));
        equal(await submissions(`[${tag}] {{moderation}}`), 1);
        deepEqual(await credits('rich'), before);
    });
    await says('a failing picture is an error and costs nothing', async () => {
        const before = await credits('rich');
        ok(await failure(images({ prompt: text('{{status=400}}'), maxRetries: 0 })));
        deepEqual(await credits('rich'), before);
    });
    await says('an account without credits gets 402, once', async () => {
        const error = await failure(images({ prompt: text('poor') }, 'poor'));
        ok(APICallError.isInstance(error));
        equal(error.statusCode, 402);
        equal(error.isRetryable, false);
        match(error.message, /credits/i);
    });
    await says('an unknown model gets 404', async () => {
        const error = await failure(images({ prompt: text() }, 'rich', 'somebody/nothing'));
        ok(APICallError.isInstance(error));
        equal(error.statusCode, 404);
    });
}

const fal = createFal({ apiKey: key('rich'), baseURL: `${site}/fal/run` });
await check('fal: several pictures are edited (useMultipleImages)', async () => {
    const { image } = await generateImage({ model: fal.image('fal-ai/edit'), prompt: { text: 'several', images: [SAMPLE, SAMPLE] },
        providerOptions: { fal: { useMultipleImages: true } } });
    await isPicture(image.uint8Array);
});
await check('fal: a mask is refused, because no provider would get it', async () => {
    const error = await failure(generateImage({ model: fal.image('fal-ai/flux/dev'), prompt: { text: 'masked', images: [SAMPLE],
        mask: SAMPLE } }));
    equal(error.statusCode, 422);
    match(error.message, /body.mask_url: is not supported here/);
});
await check('fal: output=one is one picture', async () => {
    const { image } = await generateImage({ model: fal.image('fal-ai/one'), prompt: 'one' });
    await isPicture(image.uint8Array);
});

done();
