// SPDX-License-Identifier: Apache-2.0
// What programs do with replicate, and with the AI SDK's Replicate provider, against our front.
import { createReplicate } from '@ai-sdk/replicate';
import { generateImage } from 'ai';
import Replicate from 'replicate';

import { check, credits, cuttingProxy, deepEqual, deliveries, done, equal, failure, fake, isPicture, key, match, ok, openGate, site,
    submissions, until, user } from './check.mjs';

const { validateWebhook } = Replicate;
const baseUrl = `${site}/keyed/v1`;                // by API keys
const client = (name, more = {}) => new Replicate({ auth: key(name), baseUrl, ...more });
const MODEL = 'owner/name';
const VERSION = '5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa';
const rich = client('rich');
const tag = `r${process.pid}`;
const input = (words = '') => ({ prompt: `a cat in the rain [${tag}] ${words}` });
const SAMPLE = Buffer.from(process.env.GENFLOW_PNG, 'base64');

// ---- run ----

await check('run() returns the picture of a list', async () => {
    const output = await rich.run(MODEL, { input: input() });
    equal(output.length, 1);
    await isPicture(output[0]);
});
await check('run() by polling returns it, too', async () => {
    const output = await rich.run(MODEL, { input: input('{{poll=2}}'), wait: { mode: 'poll', interval: 50 } });
    await isPicture(output[0]);
});
await check('run() whose wait ends early returns the picture, not null', async () => {
    const seen = [];
    setTimeout(() => openGate(`${tag}-early`), 1500);
    const output = await rich.run(MODEL, { input: input(`{{gate=${tag}-early}}`), wait: { mode: 'block', timeout: 1 } },
        (prediction) => seen.push(prediction.status));
    await isPicture(output[0]);
    equal(seen[0], 'starting');
    equal(seen.at(-1), 'succeeded');
});
await check('run() of a model with output=one returns one address', async () => {
    await isPicture(await rich.run('owner/one', { input: input() }));
});
await check('run() of owner/name:version sends the version alone', async () => {
    await isPicture((await rich.run(`owner/versioned:${VERSION}`, { input: input() }))[0]);
});
await check('run() with num_outputs=3 returns three pictures, each paid once', async () => {
    const [balance] = await credits('rich');
    const output = await rich.run(MODEL, { input: { ...input('several'), num_outputs: 3 } });
    equal(new Set(output).size, 3);
    await Promise.all(output.map((url) => isPicture(url)));
    deepEqual(await credits('rich'), [balance - 3, 0]);
});
await check('a prediction of several is one: get, list, stream, webhook, cancel', async () => {
    const webhook = `${fake}/_receive/ok/${tag}-several`;
    const made = await rich.predictions.create({ model: MODEL, webhook, webhook_events_filter: ['completed'],
        input: { ...input('{{poll=2}}'), num_outputs: 2 } });
    equal(made.status, 'starting');
    const outputs = [];
    const stream = await (await fetch(made.urls.stream)).text();
    for (const [, url] of stream.matchAll(/event: output\nid: \d+\ndata: (\S+)/g)) outputs.push(url);
    equal(outputs.length, 2);
    deepEqual((await rich.predictions.get(made.id)).output, outputs);
    const { results } = await rich.predictions.list();
    equal(results.filter(({ id, output }) => id === made.id || output?.includes(outputs[1])).length, 1);
    const [came] = await deliveries(webhook, 1);
    deepEqual(JSON.parse(came.body).output, outputs);
    equal(came.header['webhook-id'], made.id);
    const live = await rich.predictions.create({ model: MODEL, input: { ...input('{{poll-hang}}'), num_outputs: 2 } });
    equal((await rich.predictions.cancel(live.id)).status, 'canceled');
    equal((await credits('rich'))[1], 0);
});
await check('run() reports progress from starting to succeeded', async () => {
    const seen = [];
    await rich.run(MODEL, { input: input('{{poll=2}}'), wait: { mode: 'poll', interval: 50 } },
        (prediction) => seen.push(prediction.status));
    equal(seen[0], 'starting');
    equal(seen.at(-1), 'succeeded');
});
await check('run() can be aborted by its signal, which cancels', async () => {
    const stop = new AbortController();
    const before = await credits('rich');
    const output = await rich.run(MODEL, { input: input('{{poll-hang}}'), signal: stop.signal,
        wait: { mode: 'poll', interval: 50 } }, () => stop.abort()).catch((error) => error);
    void output;
    const { results } = await rich.predictions.list();
    for (const one of results.filter((each) => each.status === 'starting' || each.status === 'processing')) {
        equal((await rich.predictions.cancel(one.id)).status, 'canceled');
    }
    deepEqual(await credits('rich'), before);
});

// ---- predictions ----

let first;
await check('predictions.create() without wait answers at once: starting', async () => {
    first = await rich.predictions.create({ model: MODEL, input: { ...input('{{poll=3}}'), seed: 7 } });
    equal(first.status, 'starting');
    equal(first.output, null);
    equal(first.error, null);
    equal(first.model, MODEL);
    equal(first.input.seed, 7);
    ok(first.urls.get.startsWith(`${baseUrl}/predictions/`));
});
await check('predictions.get() and wait() follow it to its end', async () => {
    const ended = await rich.wait(await rich.predictions.get(first.id), { interval: 50 });
    equal(ended.status, 'succeeded');
    equal(ended.id, first.id);
    ok(ended.metrics.predict_time >= 0);
    ok(Date.parse(ended.completed_at) >= Date.parse(ended.started_at));
    await isPicture(ended.output[0]);
});
await check('predictions.create() with wait answers with the end', async () => {
    const ended = await rich.predictions.create({ model: MODEL, input: input(), wait: 20 });
    equal(ended.status, 'succeeded');
});
await check('a version is owner/name:version, or owner/name', async () => {
    const one = await rich.predictions.create({ version: `owner/versioned:${VERSION}`, input: input(), wait: true });
    equal(one.version, VERSION);
    equal(one.model, 'owner/versioned');
    equal((await rich.predictions.create({ version: MODEL, input: input(), wait: true })).status, 'succeeded');
});
await check('deployments.predictions.create()', async () => {
    const ended = await rich.deployments.predictions.create('owner', 'name', { input: input(), wait: true });
    equal(ended.status, 'succeeded');
});
await check('predictions.list() has the newest first', async () => {
    const { results, next, previous } = await rich.predictions.list();
    ok(results.length > 5);
    equal(next, null);
    equal(previous, null);
    ok(results[0].created_at >= results[1].created_at);
});
await check('paginate() goes through all pages', async () => {
    const ids = new Set();
    let pages = 0;
    const many = client('many');
    for await (const page of many.paginate(many.predictions.list)) {
        pages += 1;
        page.forEach(({ id }) => ids.add(id));
    }
    equal(pages, 2);
    equal(ids.size, 105);
});
await check('predictions.cancel() ends it, and gives the credits back', async () => {
    const [balance] = await credits('rich');
    const live = await rich.predictions.create({ model: MODEL, input: input('{{poll-hang}}') });
    const cancelled = await rich.predictions.cancel(live.id);
    equal(cancelled.status, 'canceled');
    equal(cancelled.error, null);
    deepEqual(await credits('rich'), [balance, 0]);
    const again = await rich.predictions.cancel(live.id);
    equal(again.status, 'canceled');
    equal(again.completed_at, cancelled.completed_at);
});
await check('predictions.cancel() leaves one alone that has succeeded', async () => {
    equal((await rich.predictions.cancel(first.id)).status, 'succeeded');
});

// ---- what fails ----

await check('a failing prediction is an error of run(), and costs nothing', async () => {
    const before = await credits('rich');
    const error = await failure(rich.run(MODEL, { input: input('{{status=400}}') }));
    match(error.message, /^Prediction failed: /);
    deepEqual(await credits('rich'), before);
});
await check('what a content filter refuses begins with NSFW, and costs nothing', async () => {
    const before = await credits('rich');
    const error = await failure(rich.run(MODEL, { input: input('{{filter}}') }));
    match(error.message, /^Prediction failed: NSFW/);
    deepEqual(await credits('rich'), before);
});
await check('a cancelled one is canceled for wait(), without an output', async () => {
    const live = await rich.predictions.create({ model: MODEL, input: input('{{poll-hang}}') });
    setTimeout(() => rich.predictions.cancel(live.id), 200);
    equal((await rich.wait(live, { interval: 50 })).status, 'canceled');
});

async function problem(promise, status) {
    const error = await failure(promise);
    equal(error.name, 'ApiError');
    equal(error.response.status, status);
    equal(error.response.headers.get('content-type').split(';')[0], 'application/problem+json');
    const body = JSON.parse(error.message.slice(error.message.indexOf('{'), error.message.lastIndexOf('}') + 1));
    equal(body.status, status);
    ok(body.title && body.detail);
    return body;
}
await check('without credits: 402', async () => {
    const body = await problem(client('poor').run(MODEL, { input: input() }), 402);
    equal(body.code, 'INSUFFICIENT_CREDITS');
});
await check('without a prompt: 422, with the field', async () => {
    const { invalid_fields: fields } = await problem(rich.run(MODEL, { input: {} }), 422);
    equal(fields[0].field, 'input.prompt');
});
await check('of a wrong type: 422, with the field', async () => {
    const { invalid_fields: fields } = await problem(rich.run(MODEL, { input: { prompt: 7 } }), 422);
    equal(fields[0].field, 'input.prompt');
});
await check('eleven pictures: 422, with the field', async () => {
    const { invalid_fields: fields } =
        await problem(rich.run(MODEL, { input: { ...input(), num_outputs: 11 } }), 422);
    equal(fields[0].field, 'input.num_outputs');
});
await check('an unknown model: 404', () => problem(rich.run('owner/other', { input: input() }), 404));
await check('a version of another model: 404', () => problem(rich.predictions.create({
    version: `owner/name:${VERSION}`, input: input() }), 404));
await check('an unknown version: 404', () => problem(rich.predictions.create({ version: 'a'.repeat(64), input: input() }),
    404));
await check('a prediction of another user: 404, and it is not cancelled', async () => {
    const theirs = await client('other').predictions.create({ model: MODEL, input: input('{{poll-hang}}') });
    await problem(rich.predictions.get(theirs.id), 404);
    await problem(rich.predictions.cancel(theirs.id), 404);
    equal((await client('other').predictions.cancel(theirs.id)).status, 'canceled');
});
await check('an unknown prediction: 404', () => problem(rich.predictions.get('nothing'), 404));
await check('an unknown address: 404', () => problem(rich.collections.get('text-to-image'), 404));
await check('without a key: 401', async () => {
    await problem(new Replicate({ auth: '', baseUrl }).predictions.list(), 401);
});

// ---- keys that may not do all ----

await check('a revoked key: 401', () => problem(client('revoked').predictions.list(), 401));
await check('a mistyped key: 401', () => problem(new Replicate({ auth: `${key('rich')}x`, baseUrl }).predictions.list(), 401));
await check('a key with the scope read alone lists predictions, and creates none: 403', async () => {
    ok((await client('reader').predictions.list()).results.length > 0);
    await problem(client('reader').run(MODEL, { input: input() }), 403);
});
await check('a key of one type creates no other: 403', async () => {
    await problem(client('typed').run(MODEL, { input: input() }), 403);
    await isPicture(await client('typed').run('owner/one', { input: input() }));
});
await check('a key over its budget: 402', async () => {
    await client('budgeted').run(MODEL, { input: { ...input(), num_outputs: 2 } });
    const before = await credits('rich');
    const body = await problem(client('budgeted').run(MODEL, { input: input() }), 402);
    equal(body.code, 'INSUFFICIENT_CREDITS');
    deepEqual(await credits('rich'), before);
});

// ---- files ----

await check('a Blob is uploaded, and is the source image', async () => {
    const [output] = await rich.run('owner/mirror', { input: { ...input(), image: new Blob([SAMPLE], { type: 'image/png' }) } });
    await isPicture(output);
});
await check('a Buffer is uploaded as octets, and is the source image', async () => {
    const [output] = await rich.run('owner/mirror', { input: { ...input(), image: SAMPLE } });
    await isPicture(output);
});
let file;
await check('files.create() and get() show the file', async () => {
    file = await rich.files.create(SAMPLE, { of: 'a test' });
    equal(file.content_type, 'image/png');
    equal(file.size, SAMPLE.length);
    equal(file.urls.get, `${baseUrl}/files/${file.id}`);
    deepEqual(await rich.files.get(file.id), file);
});
await check('the address of a file is the source image, and is not fetched', async () => {
    const made = await rich.predictions.create({ model: 'owner/mirror', input: { ...input(), image: file.urls.get }, wait: true });
    equal(made.status, 'succeeded');
    equal(made.input.image, file.urls.get);
});
await check('a data: URI is the source image', async () => {
    const image = `data:application/octet-stream;base64,${SAMPLE.toString('base64')}`;
    const [output] = await rich.run('owner/mirror', { input: { ...input(), image } });
    await isPicture(output);
});
await check('a file of another user is not there: 404, and no source image', async () => {
    await problem(client('other').files.get(file.id), 404);
    const before = await credits('other');
    await problem(client('other').run('owner/mirror', { input: { ...input(), image: file.urls.get } }), 422);
    deepEqual(await credits('other'), before);
    equal(await client('other').files.delete(file.id).catch((error) => error.response.status), 404);
});
await check('files.delete() deletes it', async () => {
    equal(await rich.files.delete(file.id), true);
    await problem(rich.files.get(file.id), 404);
});
await check('a file that is no picture: 422', () => problem(rich.files.create(Buffer.from('no picture')), 422));
await check("the client's data-uri bug is refused, and its key goes nowhere", async () => {
    const inline = client('rich', { fileEncodingStrategy: 'data-uri' });
    await problem(inline.run('owner/mirror', { input: { ...input(), image: SAMPLE } }), 422);
});
await check('members of the input that are not known are dropped', async () => {
    const made = await rich.predictions.create({ model: MODEL, wait: true,
        input: { ...input(), auth: `secret-of-${tag}`, go_fast: true } });
    equal(made.status, 'succeeded');
    equal(JSON.stringify(await rich.predictions.get(made.id)).includes(`secret-of-${tag}`), false);
});

// ---- stream, webhooks, the account ----

await check('stream() yields logs, the output and done, without a key', async () => {
    const events = [];
    for await (const event of rich.stream(MODEL, { input: input('{{poll=2}}') })) events.push(event);
    equal(events.at(-1).event, 'done');
    const output = events.find(({ event }) => event === 'output');
    await isPicture(String(output));
});
await check('stream() of a failing prediction is an error', async () => {
    const error = await failure((async () => {
        for await (const event of rich.stream(MODEL, { input: input('{{filter}}') })) void event;
    })());
    match(error.message, /NSFW/);
});
await check('a forged or foreign stream address is refused: 401', async () => {
    const url = first.urls.stream;
    for (const wrong of [url.replace(/signature=./, (at) => (at.endsWith('A') ? 'signature=B' : 'signature=A')),
        url.replace(/expires=\d/, 'expires=9'), url.replace(/user=[^&]+/, `user=${user('other')}`), url.split('?')[0]]) {
        equal((await fetch(wrong)).status, 401);
    }
    equal((await fetch(url)).status, 200);
});
await check("a webhook is a prediction, signed with its user's own secret", async () => {
    const webhook = `${fake}/_receive/ok/${tag}-hook`;
    const made = await rich.predictions.create({ model: MODEL, input: input(), webhook, webhook_events_filter: ['completed'] });
    const [came] = await deliveries(webhook, 1);
    const body = JSON.parse(came.body);
    equal(body.id, made.id);
    equal(body.status, 'succeeded');
    await isPicture(body.output[0]);
    equal(body.urls.get, made.urls.get);
    const { key: secret } = await rich.webhooks.default.secret.get();
    const { key: another } = await client('other').webhooks.default.secret.get();
    equal(await validateWebhook({ headers: came.header, body: came.body }, secret), true);
    equal(await validateWebhook({ headers: came.header, body: came.body }, another), false);
});
await check('a webhook host that is not allowed: 422, with the field', async () => {
    const { invalid_fields: fields } = await problem(rich.run(MODEL, { input: input(), webhook: 'https://evil.test/x' }), 422);
    equal(fields[0].field, 'webhook');
});
await check('accounts.current() names the user', async () => equal((await rich.accounts.current()).username, user('rich')));
await check('models.get() and list() have the configured models', async () => {
    deepEqual([(await rich.models.get('owner', 'name')).owner, (await rich.models.get('owner', 'name')).name],
        ['owner', 'name']);
    equal((await rich.models.get('owner', 'versioned')).latest_version.id, VERSION);
    ok((await rich.models.list()).results.some(({ name }) => name === 'one'));
});

// ---- lost responses: the client repeats its request at once, up to six times ----

for (const times of [1, 2]) {
    await check(`a response that was cut ${times === 1 ? 'once' : 'twice in a row'} costs one picture, paid once`, async () => {
        const words = `cut-${times}-${tag}`;
        const [balance] = await credits('rich');
        const proxy = await cuttingProxy(times, () => until(async () => await submissions(words) >= 1));
        setTimeout(() => until(async () => proxy.cuts() === times && await submissions(words) >= 1)
            .then(() => setTimeout(() => openGate(words), 500)), 0);
        const cut = new Replicate({ auth: key('rich'), baseUrl: `${proxy.url}/keyed/v1` });
        await isPicture((await cut.run(MODEL, { input: { prompt: `${words} {{gate=${words}}}` } }))[0].replace(proxy.url, site));
        proxy.close();
        equal(await submissions(words), 1);
        deepEqual(await credits('rich'), [balance - 1, 0]);
    });
}

// ---- the AI SDK ----

const sdk = createReplicate({ apiToken: key('rich'), baseURL: baseUrl });
await check('AI SDK: generateImage()', async () => {
    const { image } = await generateImage({ model: sdk.image(MODEL), prompt: input().prompt, aspectRatio: '16:9', seed: 7 });
    await isPicture(image.uint8Array);
});
await check('AI SDK: a version, a size, and options of the provider', async () => {
    const { image } = await generateImage({ model: sdk.image(`owner/versioned:${VERSION}`), prompt: input().prompt,
        size: '1024x768', providerOptions: { replicate: { maxWaitTimeInSeconds: 30, guidance_scale: 7 } } });
    await isPicture(image.uint8Array);
});
await check('AI SDK: a source image', async () => {
    const { image } = await generateImage({ model: sdk.image('owner/mirror'),
        prompt: { text: input().prompt, images: [SAMPLE] } });
    await isPicture(image.uint8Array);
});
await check('AI SDK: three at once are three pictures, each paid once', async () => {
    const [balance] = await credits('rich');
    const { images } = await generateImage({ model: sdk.image(MODEL), prompt: input('three').prompt, n: 3 });
    equal(images.length, 3);
    equal(await submissions(`[${tag}] three`), 3);
    deepEqual(await credits('rich'), [balance - 3, 0]);
});
await check('AI SDK: without credits its own error has our text', async () => {
    const poor = createReplicate({ apiToken: key('poor'), baseURL: baseUrl });
    const error = await failure(generateImage({ model: poor.image(MODEL), prompt: input().prompt, maxRetries: 0 }));
    equal(error.statusCode, 402);
    match(error.message, /credits/);
});
done();
