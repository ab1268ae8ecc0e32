// SPDX-License-Identifier: Apache-2.0
// What programs do with openai against our front.
import OpenAI, { toFile } from 'openai';

import { check, credits, deepEqual, done, equal, failure, isPicture, key, match, ok, openGate, site, submissions,
    user } from './check.mjs';

const PNG = Buffer.from(process.env.GENFLOW_PNG, 'base64');
const tag = `o${process.pid}`;
const model = 'gpt-image-1';
const client = (name = 'rich', more = {}) => new OpenAI({ apiKey: key(name), baseURL: `${site}/openai/v1`,
    defaultHeaders: { 'x-user': user(name) }, ...more });
const openai = client();
const words = (text) => ({ model, prompt: `a cat in the rain [${tag}] ${text}` });
const generate = (text, more = {}, options = {}) => openai.images.generate({ ...words(text), ...more }, options);
const bytes = (picture) => new Uint8Array(Buffer.from(picture.b64_json, 'base64'));
const file = (name, content = PNG) => toFile(content, name, { type: 'image/png' });

// The error of a call: its class, status, code and param, and nothing is charged for it.
async function refused(says, call, kind, status, code, param = null) {
    await check(says, async () => {
        const before = await credits('rich');
        const error = await failure(call());
        ok(error instanceof kind, `${error.constructor.name}: ${error.message}`);
        deepEqual([error.status, error.code, error.param], [status, code, param]);
        ok(error.requestID, 'it has the id of the request');
        deepEqual(await credits('rich'), before);
    });
}

// ---- generations ----

await check('a picture in base64, paid once', async () => {
    const [balance] = await credits('rich');
    const made = await generate('b64');
    await isPicture(bytes(made.data[0]));
    match(made.size, /^\d+x\d+$/);
    equal(made.output_format, 'png');
    equal(made.background, 'opaque');
    ok(made.created > 1_700_000_000);
    ok(made._request_id, 'with the id of the request');
    equal(made.usage.total_tokens, 0);
    deepEqual(await credits('rich'), [balance - 1, 0]);
});
await check('a picture by its address', async () => {
    const made = await generate('url', { response_format: 'url' });
    equal(made.data[0].b64_json, undefined);
    await isPicture(made.data[0].url);
});
await check('n=3 makes three, paid three times', async () => {
    const [balance] = await credits('rich');
    const made = await generate('three', { n: 3 });
    equal(new Set(made.data.map((one) => one.b64_json)).size, 3);
    deepEqual(await credits('rich'), [balance - 3, 0]);
});
await check('of three the two that succeed come, and are paid', async () => {
    const [balance] = await credits('rich');
    const made = await generate('mixed {{status=400 times=1}}', { n: 3 });
    equal(made.data.length, 2);
    deepEqual(await credits('rich'), [balance - 2, 0]);
});
await check('hints and sizes are taken', async () => {
    const made = await generate('hints', { size: '1536x1024', quality: 'high', user: 'someone', moderation: 'low',
        background: 'opaque', output_format: 'png', style: 'vivid' });
    await isPicture(bytes(made.data[0]));
});
await check('a picture of a megabyte comes whole', async () => {
    const made = await generate('big {{big=1500000}}');
    equal(bytes(made.data[0]).length, 1_500_000);
});
await check('an Idempotency-Key makes one of two calls', async () => {
    const [balance] = await credits('rich');
    const keyed = { headers: { 'Idempotency-Key': tag } };
    const [one, two] = [await generate('key', {}, keyed), await generate('key', {}, keyed)];
    equal(one.data[0].b64_json, two.data[0].b64_json);
    deepEqual(await credits('rich'), [balance - 1, 0]);
});
await check('three equal calls at once make three', async () => {
    const [balance] = await credits('rich');
    const made = await Promise.all([1, 2, 3].map(() => generate('equal')));
    equal(made.length, 3);
    equal(await submissions(`[${tag}] equal`), 3);
    deepEqual(await credits('rich'), [balance - 3, 0]);
});
await check('a call that was aborted while it waited and is made again makes one', async () => {
    const [balance] = await credits('rich');
    const controller = new AbortController();
    const call = generate('aborted {{gate=' + tag + '}}', {}, { signal: controller.signal });
    while (await submissions(`[${tag}] aborted`) === 0) await new Promise((go) => setTimeout(go, 50));
    controller.abort();
    await failure(call);
    await new Promise((go) => setTimeout(go, 500));
    const again = generate('aborted {{gate=' + tag + '}}');
    await new Promise((go) => setTimeout(go, 300));
    await openGate(tag);
    await isPicture(bytes((await again).data[0]));
    equal(await submissions(`[${tag}] aborted`), 1);
    deepEqual(await credits('rich'), [balance - 1, 0]);
});

// ---- streams ----

await check('a stream has an event for each picture', async () => {
    const events = [];
    for await (const event of await generate('stream', { stream: true, partial_images: 2, n: 2 })) events.push(event);
    deepEqual(events.map(({ type }) => type), ['image_generation.completed', 'image_generation.completed']);
    await isPicture(bytes(events[0]));
    match(events[0].size, /^\d+x\d+$/);
});
await check('a stream without a picture throws', async () => {
    const error = await failure((async () => {
        for await (const event of await generate('none {{filter}}', { stream: true })) void event;
    })());
    equal(error.code, 'moderation_blocked');
});

// ---- edits ----

const edit = (image, more = {}, text = 'edit') => openai.images.edit({ model: 'edit-1', prompt: words(text).prompt, image, ...more });
await check('an edit of one picture', async () => {
    const made = await edit(await file('cat.png'), { size: '1024x1024' });
    await isPicture(bytes(made.data[0]));
});
await check('an edit of a list of one', async () => {
    await isPicture(bytes((await edit([await file('cat.png')])).data[0]));
});
await check('an edit as a stream', async () => {
    const events = [];
    for await (const event of await edit(await file('cat.png'), { stream: true })) events.push(event);
    deepEqual(events.map(({ type }) => type), ['image_edit.completed']);
    await isPicture(bytes(events[0]));
});
await check('an edit by its address', async () => {
    await isPicture((await edit(await file('cat.png'), { response_format: 'url' })).data[0].url);
});

// ---- models ----

await check('models are listed and found', async () => {
    const ids = [];
    for await (const one of openai.models.list()) ids.push(one.id);
    ok(ids.includes(model));
    equal((await openai.models.retrieve(model)).id, model);
});

// ---- errors, as the client's own classes ----

const { BadRequestError, AuthenticationError, NotFoundError, APIError, InternalServerError } = OpenAI;
const bad = (more, text = 'bad') => () => generate(text, more);
await refused('n=11', bad({ n: 11 }), BadRequestError, 400, 'invalid_value', 'n');
await refused('a transparent background', bad({ background: 'transparent' }), BadRequestError, 400, 'unsupported_value', 'background');
await refused('another output format', bad({ output_format: 'webp' }), BadRequestError, 400, 'unsupported_value', 'output_format');
await refused('a size in words', bad({ size: 'large' }), BadRequestError, 400, 'invalid_value', 'size');
await refused('no prompt', bad({ prompt: undefined }), BadRequestError, 400, 'missing_required_parameter', 'prompt');
await refused('a long prompt', bad({ prompt: 'x'.repeat(2000) }), BadRequestError, 400, 'invalid_value', 'prompt');
await refused('an unknown parameter', bad({ colour: 'red' }), BadRequestError, 400, 'invalid_value', 'colour');
await refused('an unknown model', bad({ model: 'nobody' }), NotFoundError, 404, 'model_not_found', 'model');
await refused('a mask', async () => edit(await file('cat.png'), { mask: await file('mask.png') }), BadRequestError, 400,
    'unsupported_value', 'mask');
await refused('two pictures where one is taken', async () => edit([await file('cat.png'), await file('dog.png')]), BadRequestError,
    400, 'unsupported_value', 'image');
await refused('a picture that is none', async () => edit(await file('cat.png', Buffer.from('GIF89a'))), BadRequestError, 400,
    'invalid_image', 'image');
await refused('a filtered picture', bad({}, 'filtered {{filter}}'), BadRequestError, 400, 'moderation_blocked');
await refused('a failing provider', bad({}, 'failing {{status=400}}'), InternalServerError, 500, 'api_error');
await check('a failing provider is not called again by the client', async () => {
    equal(await submissions(`[${tag}] failing`), 1);
});
await refused('no credits', () => client('poor').images.generate(words('poor')), APIError, 402, 'insufficient_quota');
await refused('nobody', () => new OpenAI({ apiKey: 'wrong', baseURL: `${site}/openai/v1` }).images.generate(words('nobody')),
    AuthenticationError, 401, 'invalid_api_key');
await refused('another address', () => openai.embeddings.create({ model, input: 'x' }), NotFoundError, 404, 'unknown_url');
done();
