// SPDX-License-Identifier: Apache-2.0
// What programs do with @fal-ai/client against our front: by addresses that their fetch rewrites, and by
// proxyUrl. Both ways make the same checks.
import { createHmac } from 'node:crypto';
import { ApiError, createFalClient, ValidationError } from '@fal-ai/client';

import { check, credits, deepEqual, deliveries, done, equal, failure, fake, isPicture, key, match, ok, openGate, site,
    submissions, user } from './check.mjs';

const HOSTS = { 'https://queue.fal.run/': 'queue/', 'https://fal.run/': 'run/', 'https://rest.fal.ai/': 'rest/' };
const SAMPLE = Buffer.from(process.env.GENFLOW_PNG, 'base64');
const FLUX = 'fal-ai/flux/dev';
const picture = () => new File([SAMPLE], 'cat.png', { type: 'image/png' });

function rewritten(address, options) {
    const host = Object.keys(HOSTS).find((one) => String(address).startsWith(one));
    return fetch(host ? String(address).replace(host, `${site}/fal/${HOSTS[host]}`) : address, options);
}

const WAYS = {
    rewritten: { fetch: rewritten },
    proxied: { proxyUrl: { url: `${site}/fal`, when: 'always' } },
};

// Waits for news of one thing, and asks again.
async function until(asks) {
    for (let left = 300; left > 0; left -= 1) {
        if (await asks()) return;
        await new Promise((go) => setTimeout(go, 50));
    }
    throw new Error('it does not come');
}

for (const [way, settings] of Object.entries(WAYS)) {
    const tag = `f${process.pid}${way}`;
    const input = (words = '', more = {}) => ({ prompt: `a cat in the rain [${tag}] ${words}`, ...more });
    const client = (name) => createFalClient({ credentials: key(name), ...settings });
    const fal = client('rich');
    const says = (what, run) => check(`${way}: ${what}`, run);

    // ---- subscribe ----

    await says('subscribe() by polling returns the picture', async () => {
        const [balance] = await credits('rich');
        const seen = [];
        const { data, requestId } = await fal.subscribe(FLUX, { input: input('{{poll=2}}', { seed: 7 }), pollInterval: 50,
            onQueueUpdate: (update) => seen.push(update.status) });
        await isPicture(data.images[0].url);
        equal(data.images[0].content_type, 'image/png');
        ok(data.images[0].width > 0 && data.images[0].height > 0);
        equal(data.seed, 7);
        match(data.prompt, /a cat in the rain/);
        deepEqual(data.has_nsfw_concepts, [false]);
        match(requestId, /^[0-9a-f-]{36}$/);
        equal(seen.at(-1), 'COMPLETED');
        deepEqual(await credits('rich'), [balance - 1, 0]);
    });
    await says('subscribe() by streaming returns it, too', async () => {
        const seen = [];
        const { data } = await fal.subscribe(FLUX, { input: input('{{poll=2}}'), mode: 'streaming',
            onQueueUpdate: (update) => seen.push(update.status) });
        await isPicture(data.images[0].url);
        equal(seen.at(-1), 'COMPLETED');
    });
    await says('subscribe() shows each log line once', async () => {
        const seen = [];
        await fal.subscribe('fal-ai/queued', { input: input('{{poll=3}}'), logs: true, mode: 'streaming',
            onQueueUpdate: (update) => seen.push(update) });
        const lines = (seen.at(-1).logs ?? []).map(({ message }) => message);
        equal(new Set(lines).size, lines.length);
    });
    await says('subscribe() of a failing request is an ApiError and costs nothing', async () => {
        const before = await credits('rich');
        const error = await failure(fal.subscribe(FLUX, { input: input('{{status=400}}'), pollInterval: 50 }));
        ok(error instanceof ApiError && !(error instanceof ValidationError));
        deepEqual([error.status, error.body.error_type], [500, 'downstream_service_error']);
        deepEqual(await credits('rich'), before);
    });
    await says('subscribe() of a filtered request is a ValidationError', async () => {
        const before = await credits('rich');
        const error = await failure(fal.subscribe(FLUX, { input: input('{{moderation}}'), pollInterval: 50 }));
        ok(error instanceof ValidationError);
        equal(error.status, 422);
        deepEqual(error.getFieldErrors('prompt').map(({ type }) => type), ['content_policy_violation']);
        deepEqual(await credits('rich'), before);
    });
    await says('subscribe() whose time is over is cancelled', async () => {
        const before = await credits('rich');
        const error = await failure(fal.subscribe(FLUX, { input: input('{{poll-hang}}'), pollInterval: 50, timeout: 700 }));
        match(error.message, /timed out/);
        await until(async () => (await credits('rich'))[1] === before[1]);
        deepEqual(await credits('rich'), before);
    });

    // ---- the queue ----

    await says('submit(), status() and result() follow a request', async () => {
        const queued = await fal.queue.submit(FLUX, { input: input(`{{gate=${tag}-follow}}`), priority: 'low' });
        deepEqual([queued.status, queued.queue_position >= 0], ['IN_QUEUE', true]);
        const requestId = queued.request_id;
        match(queued.status_url, new RegExp(`/fal/queue/fal-ai/flux/requests/${requestId}/status$`));
        match((await fal.queue.status(FLUX, { requestId })).status, /^IN_(QUEUE|PROGRESS)$/);
        const early = await failure(fal.queue.result(FLUX, { requestId }));
        deepEqual([early.status, early.body.detail], [400, 'Request is still in progress']);
        await openGate(`${tag}-follow`);
        await until(async () => (await fal.queue.status(FLUX, { requestId })).status === 'COMPLETED');
        const status = await fal.queue.status(FLUX, { requestId });
        ok(status.metrics.inference_time >= 0);
        const { data, requestId: again } = await fal.queue.result(FLUX, { requestId });
        await isPicture(data.images[0].url);
        equal(again, requestId);
        equal(await submissions(`[${tag}] {{gate=${tag}-follow}}`), 1);
    });
    await says('cancel() ends a request, once', async () => {
        const before = await credits('rich');
        const { request_id: requestId } = await fal.queue.submit(FLUX, { input: input('{{poll-hang}}') });
        await fal.queue.cancel(FLUX, { requestId });
        deepEqual(await credits('rich'), before);
        const status = await fal.queue.status(FLUX, { requestId });
        deepEqual([status.status, status.error_type], ['COMPLETED', 'client_cancelled']);
        const error = await failure(fal.queue.result(FLUX, { requestId }));
        deepEqual([error.status, error.body.error_type], [499, 'client_cancelled']);
        const late = await failure(fal.queue.cancel(FLUX, { requestId }));
        deepEqual([late.status, late.body.status], [400, 'ALREADY_COMPLETED']);
    });
    await says('another user finds nothing', async () => {
        const { request_id: requestId } = await fal.queue.submit(FLUX, { input: input('theirs') });
        const others = client('other').queue;
        equal((await failure(others.status(FLUX, { requestId }))).status, 404);
        equal((await failure(others.result(FLUX, { requestId }))).status, 404);
        const error = await failure(others.cancel(FLUX, { requestId }));
        deepEqual([error.status, error.body.status], [404, 'NOT_FOUND']);
        equal((await failure(fal.queue.status('fal-ai/other', { requestId }))).status, 404);
        await until(async () => (await fal.queue.status(FLUX, { requestId })).status === 'COMPLETED');
    });
    await says('num_images=3 makes three pictures, each paid once', async () => {
        const [balance] = await credits('rich');
        const { data } = await fal.subscribe(FLUX, { input: input('several', { num_images: 3 }), pollInterval: 50 });
        equal(new Set(data.images.map(({ url }) => url)).size, 3);
        await Promise.all(data.images.map(({ url }) => isPicture(url)));
        equal(data.has_nsfw_concepts.length, 3);
        deepEqual(await credits('rich'), [balance - 3, 0]);
        const streamed = await fal.subscribe(FLUX, { input: input('{{poll=1}}', { num_images: 2 }), mode: 'streaming' });
        equal(streamed.data.images.length, 2);
    });

    // ---- run and stream ----

    await says('run() returns the picture', async () => {
        const [balance] = await credits('rich');
        const { data } = await fal.run(FLUX, { input: input('', { image_size: 'landscape_4_3' }) });
        await isPicture(data.images[0].url);
        deepEqual(await credits('rich'), [balance - 1, 0]);
    });
    await says('run() of a model with output=one returns one picture', async () => {
        const { data } = await fal.run('fal-ai/one', { input: input() });
        await isPicture(data.image.url);
        equal(data.images, undefined);
    });
    await says('run() of a failing request is an ApiError, once', async () => {
        const error = await failure(fal.run(FLUX, { input: input('failing {{status=400}}') }));
        ok(error instanceof ApiError);
        equal(error.status, 500);
        equal(await submissions(`[${tag}] failing`), 1);
    });
    await says('run() of a filtered request is a ValidationError', async () => {
        const error = await failure(fal.run(FLUX, { input: input('{{moderation}}') }));
        ok(error instanceof ValidationError);
        equal(error.fieldErrors[0].type, 'content_policy_violation');
    });
    await says('stream() has the picture as its event', async () => {
        const stream = await fal.stream(FLUX, { input: input() });
        const events = [];
        for await (const event of stream) events.push(event);
        await isPicture(events.at(-1).images[0].url);
        await isPicture((await stream.done()).images[0].url);
    });
    await says('stream() of a failing request is an ApiError', async () => {
        const stream = await fal.stream(FLUX, { input: input('{{status=400}}') });
        const error = await failure(stream.done());
        ok(error instanceof ApiError);
        equal(error.status, 500);
    });

    // ---- storage ----

    await says('upload() gives the address of the picture', async () => {
        const url = await fal.storage.upload(picture());
        const response = await fetch(url, { headers: { 'x-user': user('rich') } });
        deepEqual(Buffer.from(await response.arrayBuffer()), SAMPLE);
        equal((await fetch(url, { headers: { 'x-user': user('other') } })).status, 403);
    });
    await says('a Blob in the input is the source picture', async () => {
        const { data } = await fal.run(`${FLUX}/image-to-image`, { input: input('', { image_url: picture() }) });
        await isPicture(data.images[0].url);
    });
    await says('Blobs in a list are source pictures', async () => {
        const other = new File([SAMPLE.subarray(0)], 'same.png', { type: 'image/png' });
        const { data } = await fal.subscribe('fal-ai/edit', { input: input('', { image_urls: [picture(), other] }),
            pollInterval: 50 });
        await isPicture(data.images[0].url);
    });
    await says('a data: URI is the source picture', async () => {
        const { data } = await fal.run(`${FLUX}/image-to-image`, { input: input('',
            { image_url: `data:image/png;base64,${SAMPLE.toString('base64')}` }) });
        await isPicture(data.images[0].url);
    });
    await says('what is no picture is refused when it comes', async () => {
        const error = await failure(fal.storage.upload(new Blob(['no picture'], { type: 'image/png' })));
        ok(error instanceof ValidationError);
        equal((await failure(fal.storage.upload(new Blob(['x'], { type: 'text/plain' })))).status, 422);
    });
    await says('a file of more than 90 MB is refused', async () => {
        const large = { size: 91 * 1024 * 1024, type: 'image/png', name: 'large.png', slice: () => new Blob(['x']) };
        const error = await failure(fal.storage.upload(large));
        equal(error.status, 413);
        match(error.message, /parts/);
    });

    // ---- webhooks ----

    await says('a webhook has the shape of fal, and the signature of its user', async () => {
        const hook = `${fake}/_receive/ok/${tag}`;
        const { request_id: id } = await fal.queue.submit(FLUX, { input: input(), webhookUrl: hook });
        const [came] = await deliveries(hook, 1);
        const body = JSON.parse(came.body);
        deepEqual([body.request_id, body.gateway_request_id, body.status], [id, id, 'OK']);
        await isPicture(body.payload.images[0].url);
        const { secret } = await (await fetch(`${site}/api/webhook-secret`, { headers: { 'x-user': user('rich') } })).json();
        const signed = `${came.header['webhook-id']}.${came.header['webhook-timestamp']}.${came.body}`;
        const wanted = createHmac('sha256', Buffer.from(secret.slice(6), 'base64')).update(signed).digest('base64');
        equal(came.header['webhook-signature'], `v1,${wanted}`);
    });
    await says('the webhook of a failing request says why', async () => {
        const hook = `${fake}/_receive/ok/${tag}-no`;
        await fal.queue.submit(FLUX, { input: input('{{moderation}}'), webhookUrl: hook });
        const [came] = await deliveries(hook, 1);
        const body = JSON.parse(came.body);
        deepEqual([body.status, body.payload.detail[0].type], ['ERROR', 'content_policy_violation']);
    });
    await says('a webhook that is not allowed is a field', async () => {
        const error = await failure(fal.queue.submit(FLUX, { input: input(), webhookUrl: 'https://evil.example/x' }));
        ok(error instanceof ValidationError);
        deepEqual(error.fieldErrors[0].loc, ['query', 'fal_webhook']);
    });

    // ---- refusals ----

    await says('an account without credits gets 402', async () => {
        const error = await failure(client('poor').subscribe(FLUX, { input: input('poor') }));
        deepEqual([error.name, error.status], ['ApiError', 402]);
        match(error.message, /credits/i);
        equal(await submissions(`[${tag}] poor`), 0);
    });
    await says('a call without a key gets 401', async () => {
        equal((await failure(createFalClient({ credentials: '', ...settings }).run(FLUX, { input: input() }))).status, 401);
    });
    await says('an unknown model gets 404', async () => {
        equal((await failure(fal.run('fal-ai/nobody', { input: input() }))).status, 404);
        equal((await failure(fal.subscribe('fal-ai/nobody', { input: input() }))).status, 404);
    });
    await says('bad input has its fields', async () => {
        const [, held] = await credits('rich');
        const error = await failure(fal.run(FLUX, { input: input('', { num_images: 99 }) }));
        ok(error instanceof ValidationError);
        equal(error.getFieldErrors('num_images').length, 1);
        equal((await failure(fal.run(FLUX, { input: input('', { mask_url: 'x' }) }))).getFieldErrors('mask_url').length, 1);
        equal((await failure(fal.run(`${FLUX}/image-to-image`, { input: input() }))).getFieldErrors('image_url').length, 1);
        equal((await credits('rich'))[1], held);
    });
}

done();
