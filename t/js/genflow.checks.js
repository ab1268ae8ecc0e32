// SPDX-License-Identifier: Apache-2.0
// What genflow.js promises, in a program and in a page: against the module, through a proxy that cuts.
import { Genflow, GenflowError } from '../../js/genflow.js';
import { names } from '../../js/genflow-legacy.js';
import { checks, equal, failure, fastClock, gate, isPage, ok, ownClock, signedTab, sleep, storage, tab, until } from './check.js';

const TYPE = 'js-sketch';
const PNG = Uint8Array.from(atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='),
    (letter) => letter.charCodeAt(0));

export const run = checks(async ({ check, site }) => {
    const client = (user, more = {}) => new Genflow({ base: site.base, headers: { 'X-User': user }, storage: storage(), ...more });
    const words = (text) => ({ type: TYPE, prompt: `a cat in the rain [${site.tag}] ${text}` });
    const streams = (user, count) => until(async () => await site.connections(user, '/api/events') === count,
        `there are not ${count} streams`);

    // ---- one picture ----

    await check('a picture that is done at once comes in its own request', async () => {
        const user = site.user();
        const picture = await client(user).generate(words('at once'));
        equal(picture.status, 'completed');
        ok(/^http/.test(picture.imageUrl), 'it has an address');
        equal((await site.log(user)).map(({ method }) => method), ['POST'], 'one request is sent');
        await site.paid(user, 1);
    });
    await check('a picture that takes its time comes by the stream, which then ends', async () => {
        const user = site.user();
        const states = [];
        const made = client(user).generate(words(`slow {{poll-gate=${site.gate('slow')}}}`), { async: true,
            onUpdate: ({ id, status }) => states.push([id, status]) });
        await streams(user, 1);
        await site.openGate('slow');
        const picture = await made;
        equal(picture.status, 'completed');
        equal(states.at(-1), [picture.id, 'completed'], 'each state is shown');
        await streams(user, 0);
        await site.paid(user, 1);
    });
    await check('without a stream it comes by a long poll', async () => {
        const user = site.user();
        const made = client(user, { eventSource: false }).generate(words(`long {{poll-gate=${site.gate('long')}}}`), { async: true });
        await until(async () => await site.connections(user, '/api/generation/') === 1, 'no request waits');
        await site.openGate('long');
        equal((await made).status, 'completed');
        equal((await site.log(user, 'events')).length, 0, 'no stream is opened');
        await site.paid(user, 1);
    });
    await check('where nothing waits it is polled for 30 s in all, ever less often, then it still runs', async () => {
        const user = site.user();
        await site.order(user, 'request', 'GET /api/events', { times: 999 });
        await site.order(user, '503', 'GET /api/generation/', { times: 999 });
        const error = await failure(client(user, { clock: fastClock(20) }).generate(words(`never {{poll-gate=${site.gate('never')}}}`), { async: true }));
        equal(error.code, 'STILL_RUNNING');
        ok(error.generation.id, 'with the generation as it is known');
        const polls = (await site.log(user, 'GET /api/generation/')).length;
        ok(polls >= 4 && polls <= 7, `${polls} polls`);
        await site.openGate('never');
        await until(async () => (await site.direct(user, `generation/${error.generation.id}`)).status === 'completed');
        await site.paid(user, 1);
    });
    await check('wait: 1 waits one second', async () => {
        const user = site.user();
        const error = await failure(client(user).generate(words(`one {{poll-gate=${site.gate('one')}}}`), { wait: 1 }));
        equal([error.code, error instanceof GenflowError], ['STILL_RUNNING', true]);
        await site.openGate('one');
        equal((await client(user).follow(error.generation.id)).status, 'completed', 'and is followed later');
        await site.paid(user, 1);
    });
    await check('a failure is an error with its generation, and nothing is charged', async () => {
        const user = site.user();
        const error = await failure(client(user).generate(words('{{status=400}}')));
        equal([error.code, error.generation.status, error.generation.errorCode], ['GENERATION_FAILED', 'failed', 'API_ERROR']);
        await site.paid(user, 1, 0);
    });
    await check('three of one request come as its batch', async () => {
        const user = site.user();
        const picture = await client(user).generate({ ...words('three'), n: 3 });
        equal([picture.status, picture.batch.map(({ status }) => status)], ['completed', Array(3).fill('completed')]);
        await site.paid(user, 3);
    });

    // ---- a lost response at each request ----

    /** Runs the scenario once for each of its requests, which is treated so; each with a user of its own. */
    const eachRequest = async (says, how, match, scenario, expected) => {
        let count = 1;
        for (let skip = 0; skip < count; skip += 1) {
            const user = site.user();
            await site.order(user, how, match, { skip });
            await scenario(user, `${how}${skip}`);
            const log = await site.log(user, match);
            count = Math.max(count, Math.min(log.length - 1, 10));
            await expected(user).catch((error) => { throw new Error(`${says}, request ${skip} (${log[skip]?.path}): ${error.message}`); });
        }
        ok(count > 1, 'there are requests');
    };
    const fast = () => ({ clock: fastClock(5) });
    for (const how of ['answer', 'request', 'half', 'page', 'broken']) {
        await check(`a response that is lost (${how}) at each request of a picture with a source: one job, one charge`, async () => {
            await eachRequest('a picture', how, '^(POST|GET) /api/', async (user, name) => {
                const made = client(user, fast()).generate({ ...words(`lost {{poll-gate=${site.gate(name)}}}`), source: new Blob([PNG]) }, { async: true });
                await until(async () => (await site.log(user, '/generation/')).length > 0, 'it is not followed');
                await site.openGate(name);
                equal((await made).status, 'completed');
            }, (user) => site.paid(user, 1));
        });
    }
    await check('a response that is lost at cancel, retry, fallback, update and delete does no harm', async () => {
        await eachRequest('steering', 'answer', '^(POST|PATCH|DELETE) /api/generation/', async (user, name) => {
            const genflow = client(user, fast());
            const made = failure(genflow.generate(words(`steer {{poll-gate=${site.gate(`s${name}`)}}}`), { async: true }));
            await until(async () => (await site.direct(user, 'generations')).items.length === 1);
            const { items: [{ id }] } = await site.direct(user, 'generations');
            equal((await genflow.cancel(id)).status, 'cancelled');
            equal((await made).code, 'CANCELLED');
            const retried = failure(genflow.retry(id));
            await until(async () => (await site.direct(user, 'generations')).items.length === 2);
            const { items } = await site.direct(user, 'generations');
            await genflow.cancel(items.find((one) => one.id !== id).id);
            equal((await retried).code, 'CANCELLED');
            const drawn = await genflow.fallback(id);
            equal(drawn.status, 'completed');
            equal((await genflow.update(drawn.id, { tags: ['sea'], title: 'Sea' })).tags, ['sea']);
            await genflow.remove(id);
        }, (user) => site.paid(user, 2, 1));
    });
    await check('an upload, a template and a response that is lost at each: one of each', async () => {
        const user = site.user();
        const genflow = client(user, fast());
        await site.order(user, 'answer', 'POST /api/(assets|templates)', { times: 2 });
        const [one, two] = [await genflow.upload(new Blob([PNG])), await genflow.upload(new Blob([PNG]))];
        equal(one.id, two.id, 'the same picture is the same upload');
        await genflow.templates.save({ name: 'seas', config: { prompt: 'the sea' } });
        equal((await genflow.templates.list()).items.map(({ name }) => name), ['seas']);
        await genflow.templates.remove((await genflow.templates.list()).items[0].id);
        equal((await genflow.templates.list()).items, []);
    });
    await check('a response that is lost at any other function is asked for again, and gives the same', async () => {
        const user = site.user();
        const genflow = client(user, fast());
        const { id } = await genflow.generate(words('all'));
        const functions = {
            dryRun: () => genflow.dryRun(words('all')),
            get: () => genflow.get(id),
            follow: () => genflow.follow(id),
            update: () => genflow.update(id, { favourite: true }),
            history: () => genflow.history({ favourite: true }).page(),
            types: () => genflow.types(),
            me: () => genflow.me(),
            quota: () => genflow.quota(),
            presets: () => genflow.presets({ type: TYPE, all: true }),
            upload: () => genflow.upload(new Blob([PNG])),
            request: () => genflow.request('GET', 'credits', { query: { limit: 1 } }),
            'keys.list': () => genflow.keys.list(),
            'templates.save': () => genflow.templates.save({ name: 'seas', config: { prompt: 'the sea' } }),
            'templates.list': () => genflow.templates.list(),
            events: async () => {
                const seen = [];
                const close = client(user, fast()).events({ on: (event) => seen.push(event) });
                await until(() => seen.some(({ event }) => event === 'balance'), 'no event comes');
                close();
            },
        };
        const elsewhere = ['generate', 'cancel', 'retry', 'fallback', 'remove', 'keys.create', 'keys.revoke', 'templates.remove'];
        const own = Object.getOwnPropertyNames(Genflow.prototype).filter((name) => name !== 'constructor');
        equal([...Object.keys(functions), ...elsewhere].sort(), [...own, ...['keys', 'templates'].flatMap((part) =>
            Object.keys(genflow[part]).map((name) => `${part}.${name}`))].sort(), 'each function is checked');
        const plain = (data) => JSON.stringify(data ?? null).replaceAll(/"(timestamp|expiresAt|expected)":("[^"]*"|\{[^}]*\})/g, '');
        for (const [name, run] of Object.entries(functions)) {
            const first = name === 'events' ? null : await run();
            for (const how of ['answer', 'page', 'broken']) {
                const before = (await site.log(user)).length;
                await site.order(user, how, name === 'events' ? 'GET /api/events' : '.');
                equal(plain(await run()), plain(first), `${name} (${how})`);
                ok((await site.log(user)).length > before + 1, `${name} (${how}): it is not asked for again`);
            }
        }
        equal([(await genflow.templates.list()).items.length, (await genflow.history().page()).items.length], [1, 1]);
        await site.paid(user, 1);
    });
    // A browser repeats a request by itself where a connection that it had open ends without a response.
    if (!isPage) await check('the response of a new API key is not asked for twice', async () => {
        const user = site.user();
        await site.order(user, 'answer', 'POST /api/keys');
        equal((await failure(client(user).keys.create({ name: 'ci' }))).code, 'NETWORK_ERROR');
        const { items } = await client(user).keys.list();
        equal(items.length, 1, 'the list shows it');
        await client(user).keys.revoke(items[0].id);
    });

    // ---- pressed twice, loaded anew ----

    await check('a double click makes one picture, and both calls get it', async () => {
        const user = site.user();
        const genflow = client(user);
        const [one, two] = await Promise.all([1, 2].map(() => genflow.generate(words('double {{delay=500}}'))));
        equal(one.id, two.id);
        equal(await site.submissions(`[${site.tag}] double`), 1);
        await site.paid(user, 1);
        ok((await genflow.generate(words('double {{delay=500}}'))).id !== one.id, 'a later click makes another one');
        await site.paid(user, 2);
    });
    await check('once the end was seen, however it came, the same spec makes another picture', async () => {
        const user = site.user();
        const genflow = client(user);
        const one = await genflow.generate(words('twice {{delay=300}}'), { async: true });
        ok((await genflow.generate(words('twice {{delay=300}}'))).id !== one.id, 'it is the first one');
        await site.paid(user, 2);
    });
    await check('a page that is loaded anew in mid-generation makes no second picture', async () => {
        const user = site.user();
        const kept = storage();
        const gone = new AbortController();
        const first = failure(client(user, { storage: kept }).generate(words(`anew {{poll-gate=${site.gate('anew')}}}`), { async: true, signal: gone.signal }));
        await until(async () => (await site.direct(user, 'generations')).items.length === 1);
        gone.abort();
        await first;
        const second = client(user, { storage: kept }).generate(words(`anew {{poll-gate=${site.gate('anew')}}}`));
        await until(async () => (await site.log(user, 'POST')).length === 2, 'it does not ask again');
        await site.openGate('anew');
        equal((await second).status, 'completed');
        await site.paid(user, 1);
    });
    await check('the key is saved before the first byte is sent, and goes with the end', async () => {
        const user = site.user();
        const kept = storage();
        let saved = '';
        const genflow = client(user, { storage: kept, fetch: (address, how) => {
            saved ||= [...kept.items.values()].join();
            ok(saved.includes(how.headers['Idempotency-Key']), 'the key is not saved');
            return fetch(address, how);
        } });
        await genflow.generate(words('saved'));
        equal([...kept.items.values()], ['{}']);
    });
    await check('after an abort and a cancel the same spec makes a new picture', async () => {
        const user = site.user();
        const genflow = client(user);
        const stop = new AbortController();
        let id;
        const waited = failure(genflow.generate(words(`stop {{poll-gate=${site.gate('stop')}}}`), { async: true, signal: stop.signal, onUpdate: (one) => { id = one.id; } }));
        await until(() => id);
        stop.abort();
        equal((await waited).name, 'AbortError', 'an abort rejects with its reason');
        await until(async () => (await site.direct(user, `generation/${id}`)).status === 'processing', 'the generation does not go on');
        equal((await site.log(user, 'cancel')).length, 0, 'nothing cancels it');
        await genflow.cancel(id);
        await site.openGate('stop');
        equal((await genflow.generate(words(`stop {{poll-gate=${site.gate('stop')}}}`))).status, 'completed');
        await site.paid(user, 2, 1);
    });
    await check('what failed or was cancelled unseen is made anew', async () => {
        const user = site.user();
        const kept = storage();
        const stop = new AbortController();
        await site.order(user, 'hang', 'POST');
        const first = failure(client(user, { storage: kept }).generate(words(`unseen {{poll-gate=${site.gate('unseen')}}}`), { async: true, signal: stop.signal }));
        await until(async () => (await site.direct(user, 'generations')).items.length === 1);
        stop.abort();
        await first;
        await client(user).cancel((await site.direct(user, 'generations')).items[0].id);
        await site.openGate('unseen');
        equal((await client(user, { storage: kept }).generate(words(`unseen {{poll-gate=${site.gate('unseen')}}}`))).status, 'completed');
        await site.paid(user, 2, 1);
    });
    await check('a storage that is full or forbidden does not matter', async () => {
        const user = site.user();
        const no = () => { throw new Error('QuotaExceededError'); };
        const genflow = client(user, { storage: { getItem: no, setItem: no } });
        const [one, two] = await Promise.all([1, 2].map(() => genflow.generate(words('full {{delay=300}}'))));
        equal(one.id, two.id);
        await site.paid(user, 1);
    });
    await check('a definite refusal frees the key, and says every bad field', async () => {
        const user = site.user();
        const kept = storage();
        const error = await failure(client(user, { storage: kept }).generate({ ...words('bad'), strength: 7, seed: 'x' }));
        equal([error.code, error.status, error.validationErrors.map(({ field }) => field).sort()], ['VALIDATION_FAILED', 422, ['seed', 'strength']]);
        ok(error.requestId, 'with the id for support');
        equal([...kept.items.values()], ['{}']);
    });
    await check('without credits the error says how many are missing', async () => {
        const error = await failure(client(`${site.user()}-poor`).generate(words('poor')));
        equal([error.code, error.status, error.shortfall], ['INSUFFICIENT_CREDITS', 402, 1]);
    });

    // ---- signing in ----

    for (const how of ['401', 'login']) {
        await check(`a sign-in that has expired (${how}) is renewed once, and the request repeated under its key`, async () => {
            const user = site.user();
            let renewed = 0;
            await site.order(user, how, '^(POST|GET)', { times: how === 'login' ? 1 : 3 });
            const genflow = client(user, { refresh: async () => { renewed += 1; await sleep(200); } });
            const [picture] = await Promise.all([genflow.generate(words('expired')), ...(how === '401' ? [genflow.quota(), genflow.presets({ type: TYPE })] : [])]);
            equal([picture.status, renewed], ['completed', 1]);
            equal(new Set((await site.log(user, 'generate')).map(({ key }) => key)).size, 1, 'one key');
            await site.paid(user, 1);
        });
    }
    await check('a 401 that comes when another request has renewed the sign-in renews it no second time', async () => {
        const user = site.user();
        const isRenewed = gate();
        let renewed = 0;
        await site.order(user, '401', '^GET', { times: 2 });
        const genflow = client(user, { refresh: () => { renewed += 1; }, fetch: async (address, how) => {
            const response = await fetch(address, how);
            if (response.status === 401 && address.includes('/presets')) await isRenewed.promise;
            return response;
        } });
        const late = genflow.presets({ type: TYPE });
        await until(async () => (await site.log(user, 'presets')).length === 1);
        ok((await genflow.quota()).timestamp, 'the other request passes');
        isRenewed.resolve();
        ok(Array.isArray((await late).presets), 'and the late one');
        equal([renewed, (await site.log(user)).length], [1, 4], 'renewals, requests');
    });
    await check('a sign-in that expires in mid-generation loses nothing', async () => {
        const user = site.user();
        let token = 'one';
        await site.ask('/_proxy/token', { user, token });
        const genflow = client(user, { headers: () => ({ 'X-User': user, 'X-Token': token }), refresh: () => { token = 'two'; } });
        const made = genflow.generate(words(`token {{poll-gate=${site.gate('token')}}}`), { async: true });
        await streams(user, 1);
        await site.ask('/_proxy/token', { user, token: 'two' });
        await site.offline(user, true);
        await site.offline(user, false);
        await site.openGate('token');
        equal((await made).status, 'completed');
        await site.ask('/_proxy/token', { user, token: '' });
        await site.paid(user, 1);
    });
    await check('without a way to sign in, or if it fails, the error says so and the key stays', async () => {
        const user = site.user();
        const kept = storage();
        await site.order(user, '401', '.', { times: 4 });
        equal((await failure(client(user, { storage: kept }).generate(words('out')))).code, 'AUTHENTICATION_REQUIRED');
        const broken = client(user, { storage: kept, refresh: () => { throw new Error('no'); } });
        equal((await failure(broken.generate(words('out')))).code, 'AUTHENTICATION_REQUIRED');
        equal((await failure(client(user, { refresh: () => {} }).quota())).code, 'AUTHENTICATION_REQUIRED', 'the second answer counts');
        equal((await client(user, { storage: kept }).generate(words('out'))).status, 'completed');
        equal(new Set((await site.log(user, 'generate')).map(({ key }) => key)).size, 1, 'one key');
    });

    // ---- bad answers ----

    await check('429 is one error with its seconds, and is not repeated', async () => {
        const user = site.user();
        await site.order(user, '429', 'POST');
        const error = await failure(client(user).generate(words('often')));
        equal([error.code, error.retryAfter, error.status], ['RATE_LIMIT', 7, 429]);
        equal((await site.log(user)).length, 1);
    });
    await check('503, pages of proxies and broken JSON are repeated a few times, then one clear error', async () => {
        for (const [how, code] of [['503', 'DATABASE_UNAVAILABLE'], ['page', 'UNAVAILABLE'], ['lie', 'BAD_RESPONSE'], ['broken', 'BAD_RESPONSE']]) {
            const user = site.user();
            await site.order(user, how, 'GET', { times: 2 });
            const genflow = client(user, { clock: fastClock(20) });
            ok((await genflow.quota()).timestamp, `${how}: the third is good`);
            await site.order(user, how, 'GET', { times: 999 });
            const error = await failure(genflow.quota());
            equal([error.code, error instanceof GenflowError], [code, true], how);
            equal((await site.log(user)).length, 9, `${how}: requests`);
        }
    });

    // ---- away and back ----

    await check('offline for a while in mid-generation, and back: it catches up behind the last event', async () => {
        const user = site.user();
        const made = client(user, { clock: fastClock(3) }).generate(words(`offline {{poll-gate=${site.gate('offline')}}}`), { async: true });
        await streams(user, 1);
        await site.offline(user, true);
        await site.openGate('offline');
        await until(async () => (await site.direct(user, 'generations')).items[0].status === 'completed');
        await until(async () => (await site.log(user, 'GET /api/events')).length > 1, 'it does not try to come back');
        await site.offline(user, false);
        equal((await made).status, 'completed');
        await site.paid(user, 1);
    });
    await check('events come to every listener; one who comes back behind an event gets what came since', async () => {
        const user = site.user();
        const genflow = client(user);
        const seen = [[], []];
        const close = seen.map((list) => genflow.events({ on: (event) => list.push(event) }));
        await streams(user, 1);
        await until(() => seen[0].length > 0, 'no event comes');
        equal(seen[0][0].event, 'balance', 'the first is the credits');
        const picture = await genflow.generate(words('events'));
        await until(() => seen.every((list) => list.some(({ data }) => data.id === picture.id && data.status === 'completed')), 'its end does not come');
        equal(seen[0], seen[1]);
        close.forEach((end) => end());
        await streams(user, 0);
        const { id } = seen[0].at(-1);
        const away = await client(user).generate(words('away'));
        const since = [];
        const end = client(user).events({ since: id, on: (event) => since.push(event) });
        await until(() => since.some(({ data }) => data.id === away.id), 'what came since does not come');
        ok(!since.some(({ data, event }) => event === 'generation' && data.id === picture.id), 'and nothing that was seen');
        end();
    });
    await check('a clock that is wrong by a day does not matter', async () => {
        const user = site.user();
        const day = 86_400_000;
        const clock = { now: () => Date.now() - day, sleep: fastClock(1).sleep };
        const made = client(user, { clock }).generate(words(`clock {{poll-gate=${site.gate('clock')}}}`), { async: true });
        await streams(user, 1);
        clock.now = () => Date.now() + day;
        await site.openGate('clock');
        equal((await made).status, 'completed');
        await site.paid(user, 1);
    });

    // ---- lists and the rest ----

    await check('the history comes page by page, and as one', async () => {
        const user = site.user();
        const genflow = client(user);
        const ids = [];
        for (const text of ['h1', 'h2', 'h3']) ids.unshift((await genflow.generate(words(text))).id);
        const seen = [];
        for await (const { id } of genflow.history({ limit: 2 })) seen.push(id);
        equal(seen, ids);
        const page = await genflow.history({ limit: 2 }).page();
        equal([page.items.length, page.hasMore], [2, true]);
        await genflow.remove(ids[0]);
        equal((await failure(genflow.get(ids[0]))).status, 404);
    });
    await check('a generation gets tags, a title and a star, by which the history finds it', async () => {
        const user = site.user();
        const genflow = client(user);
        const [{ id }, other] = [await genflow.generate(words('marked')), await genflow.generate(words('plain'))];
        const marks = ({ tags, favourite, title }) => [tags, favourite, title];
        equal(marks(await genflow.get(id)), [[], false, null], 'none at first');
        equal(marks(await genflow.update(id, { tags: ['sea', 'night'], favourite: true, title: 'Storm' })), [['sea', 'night'], true, 'Storm']);
        equal(marks(await genflow.update(id, { title: null })), [['sea', 'night'], true, null], 'what is not named stays');
        equal(marks(await genflow.get(id)), [['sea', 'night'], true, null]);
        for (const filter of [{ tag: 'sea' }, { favourite: true }, { q: 'marked' }]) {
            equal((await genflow.history(filter).page()).items.map((one) => one.id), [id], JSON.stringify(filter));
        }
        const error = await failure(genflow.update(other.id, { tags: Array(11).fill('x') }));
        equal([error.status, error.validationErrors[0].field], [422, 'tags']);
        equal((await failure(client(site.user()).update(id, { favourite: false }))).status, 404, 'it is its own user\'s');
        await site.paid(user, 2);
    });
    await check('types says what there is to make', async () => {
        const user = site.user();
        const type = (await client(user).types()).find(({ name }) => name === TYPE);
        equal([type.cost, type.source, type.open, type.closedReason], [1, 'optional', true, null]);
        ok(type.prompt.max > 0 && type.parameters.some(({ name }) => name === 'seed'), 'with the bounds of a request');
        equal((await site.log(user)).map(({ method, path }) => `${method} ${path}`), ['GET /api/types']);
    });
    await check('me says who asks, and the stream of events needs no second request for that', async () => {
        const user = site.user();
        const genflow = client(user);
        const me = await genflow.me();
        equal([me.userId, me.balance, me.held, typeof me.features.keys], [user, 20, 0, 'boolean']);
        const close = genflow.events({ on: () => {} });
        await streams(user, 1);
        close();
        equal((await site.log(user, 'getQuota')).length, 0);
    });
    await check('a dry run, the quota, the presets', async () => {
        const user = site.user();
        const genflow = client(user);
        equal((await genflow.dryRun(words('dry'))).estimatedCost, 1);
        equal((await genflow.quota()).currentBalance, 20);
        ok(Array.isArray((await genflow.presets({ type: TYPE, all: true })).presets), 'a list');
        await site.paid(user, 0);
    });
    await check('a source image is a file, an upload or another picture', async () => {
        const user = site.user();
        const genflow = client(user);
        const picture = await genflow.generate(words('source'));
        const upload = await genflow.upload(new Blob([PNG]), { onSize: ({ bytes, type }) => equal([bytes, type], [PNG.length, 'image/png']) });
        for (const source of [new Blob([PNG]), upload, upload.id, picture]) {
            const made = await genflow.generate({ ...words('of'), source });
            ok(made.sourceUrl.includes('/assets/'), made.sourceUrl);
        }
        await site.paid(user, 5);
    });
    await check('what is no picture, or too large, is refused before it is sent', async () => {
        const user = site.user();
        const genflow = client(user);
        const svg = new Blob(['<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'], { type: 'image/svg+xml' });
        for (const bad of [svg, new Blob(['<h1>page</h1>'], { type: 'image/png' }), new Blob([])]) {
            equal((await failure(genflow.upload(bad))).code, 'UNSUPPORTED_MEDIA_TYPE');
        }
        equal((await failure(genflow.upload(new Blob([PNG]), { maxBytes: 10 }))).code, 'PAYLOAD_TOO_LARGE');
        const stop = await failure(genflow.upload(new Blob([PNG]), { onSize: () => { throw new Error('not that one'); } }));
        equal(stop.message, 'not that one', 'the size is shown before the first byte');
        equal((await site.log(user)).length, 0);
    });

    const older = (user) => names(client(user), [TYPE], client(user, { base: `${isPage ? '' : site.origin}/.netlify/functions` }));
    await check('the names of older front ends are there', async () => {
        const user = site.user();
        const functions = older(user);
        const body = { ...words('older'), userId: 'another', runId: `run-${site.tag}`, generationMeta: {}, type: undefined };
        const made = await functions[`${TYPE}-generate`](body);
        equal((await functions[`${TYPE}-generate`](body)).id, made.id, 'a runId makes one');
        equal((await functions[`${TYPE}-status`]({ jobId: made.id })).status, 'completed');
        equal((await functions[`${TYPE}-status`]({ runId: body.runId, userId: 'another' })).id, made.id, 'a runId finds it');
        equal((await functions.job({ id: made.id })).status, 'succeeded');
        equal((await functions.getUserMedia({ limit: 5 })).items.map(({ id, finalUrl }) => [id, finalUrl]), [[made.id, made.imageUrl]]);
        equal((await functions.getQuota()).currentBalance, 19);
        equal((await functions['check-credits']()).balance, 19);
        equal((await functions.whoami()).user, { id: user });
        ok(Array.isArray(await functions['get-all-presets']({ type: TYPE })), 'a list');
        equal(await functions['delete-media']({ mediaId: made.id }), { success: true, deletedId: made.id });
        await site.paid(user, 0, 1);
    });
    await check('what only older systems had is requested from their address', async () => {
        const user = site.user();
        const functions = older(user);
        const made = await functions[`${TYPE}-generate`](words('shown'));
        equal((await functions['user-settings']({ settings: { share_to_feed: true } })).settings.share_to_feed, true);
        equal((await functions['user-settings']()).settings.share_to_feed, true);
        equal((await functions.togglePublish({ assetId: made.id, publish: true })).ok, true);
        for (const feed of ['feed', 'getPublicFeed']) {
            ok((await functions[feed]({ limit: 50 })).items.some(({ id }) => id === made.id), `${feed} lacks it`);
        }
        await functions.togglePublish({ assetId: made.id, publish: false });
        equal((await functions['save-media']({ finalUrl: made.imageUrl, media_type: 'image' })).id, made.id);
        ok((await site.log(user, 'functions/')).length >= 7, 'at that address');
    });
    await check('older names lose no credits with a response: reservations, and two steps', async () => {
        const user = site.user();
        const functions = names(client(user, fast()), [TYPE]);
        await site.order(user, 'answer', '/credits-|/generat', { times: 1 });
        const { request_id: id, balance } = await functions['credits-reserve']({ cost: 3, action: 'image.gen' });
        equal([balance, (await site.direct(user, 'getQuota')).held], [17, 3], 'one reservation');
        await site.order(user, 'answer', '/credits-');
        equal((await functions['credits-finalize']({ request_id: id, disposition: 'refund', userId: 'another' })).ok, true);
        equal((await site.direct(user, 'getQuota')).held, 0);
        const source = await functions.assets(new Blob([PNG]));
        await site.order(user, 'answer', 'generation/create');
        const { data } = await functions['generation-create']({ type: TYPE, productImages: [source.url], customPrompt: `two steps [${site.tag}]` });
        equal(data.status, 'pending');
        await site.order(user, 'answer', '/generate');
        equal((await functions.generate({ generationId: data.generationId })).data.generationId, data.generationId);
        await until(async () => (await site.direct(user, `generation/${data.generationId}`)).status === 'completed');
        await site.paid(user, 1);
    });
    if (!isPage) await check('each name of conf/genflow-legacy.conf is there', async () => {
        const { readFile } = await import('node:fs/promises');
        const text = await readFile(new URL('../../conf/genflow-legacy.conf', import.meta.url), 'utf8');
        const served = [...text.matchAll(/^    GenflowPath (\S+)/gm)].map(([, name]) => name);
        const functions = names(client('nobody'));
        ok(served.length > 30, `${served.length} names`);
        equal(served.filter((name) => typeof functions[name] !== 'function'), []);
    });

    // ---- tabs ----

    if (!isPage) return;
    const open = async (user, more = {}) => {
        const { window, close } = await tab();
        const genflow = new window.Genflow({ base: '/api', headers: { 'X-User': user }, ...more });
        const seen = [];
        genflow.events({ on: (event) => seen.push(event) });
        const resets = () => seen.filter(({ event }) => event === 'reset').length;
        // What was made before the tab had joined the others comes as a reset.
        const joins = (id) => until(() => resets() > 0 || seen.some(({ data }) => data.id === id && data.status === 'completed'),
            'the tab joins no other');
        return { window, genflow, seen, close, resets, joins, has: (id) => until(() => seen.some(({ data }) => data.id === id && data.status === 'completed'),
            `${id} does not come`) };
    };
    await check('a page whose address has a name and a password is a page like any other', async () => {
        const user = site.user();
        const { window, close } = await signedTab();
        ok(window.document.baseURI.includes('alice:secret@'), window.document.baseURI);
        const genflow = new window.Genflow({ base: '/api', headers: { 'X-User': user } });
        const seen = [];
        genflow.events({ on: (event) => seen.push(event) });
        await streams(user, 1);
        const { id } = await genflow.generate(words('signed'));
        await until(() => seen.some(({ data }) => data.id === id), 'its event does not come');
        const near = new window.Genflow({ base: '../../../api/', headers: { 'X-User': user } });
        equal((await near.quota()).currentBalance, 19, 'also by an address that begins at the page');
        close();
        await streams(user, 0);
    });
    await check('eight tabs of a person have one stream, and each gets every event', async () => {
        const user = site.user();
        const tabs = [];
        for (let i = 0; i < 8; i += 1) tabs.push(await open(user));
        await streams(user, 1);
        const first = await tabs[3].genflow.generate(words('tabs at first'));
        await Promise.all(tabs.map(({ joins }) => joins(first.id)));
        const { id } = await tabs[3].genflow.generate(words('tabs'));
        await Promise.all(tabs.map(({ has }) => has(id)));
        equal((await Promise.all(tabs.map(({ genflow }) => genflow.quota()))).length, 8, 'requests pass meanwhile');
        equal(await site.connections(user, '/api/events'), 1);
        tabs.forEach(({ close }) => close());
        await streams(user, 0);
    });
    await check('the tab that leads closes: another one leads, and nothing is lost', async () => {
        const user = site.user();
        const tabs = [];
        for (let i = 0; i < 3; i += 1) {
            tabs.push(await open(user));
            if (i === 0) await streams(user, 1);
        }
        const first = await tabs[1].genflow.generate(words('before'));
        await Promise.all(tabs.map(({ joins }) => joins(first.id)));
        const resets = tabs[2].resets();
        for (let i = 0; i < 2; i += 1) {
            tabs.shift().close();
            const { id } = await client(user, { eventSource: false }).generate(words(`after ${i}`));
            await Promise.all(tabs.map(({ has }) => has(id)));
            await streams(user, 1);
        }
        equal(tabs[0].resets(), resets, 'nothing had to be read anew');
        tabs[0].close();
        await site.paid(user, 3);
    });
    await check('a tab that joins late is told to read anew what it has missed, and that once', async () => {
        const user = site.user();
        const first = await open(user);
        await streams(user, 1);
        const isHeld = gate();
        const late = await open(user, { fetch: async (address, how) => {
            if (address.includes('getQuota')) await isHeld.promise;
            return fetch(address, how);
        } });
        const missed = await client(user, { eventSource: false }).generate(words('meanwhile'));
        await first.has(missed.id);
        isHeld.resolve();
        await until(() => late.resets() > 0, 'it is not told');
        const next = await client(user, { eventSource: false }).generate(words('next'));
        await late.has(next.id);
        equal([late.resets(), late.seen.some(({ data }) => data.id === missed.id)], [1, false]);
        [first, late].forEach(({ close }) => close());
    });
    await check('the tab that leads stands still: another one takes the lead', async () => {
        const user = site.user();
        const still = await open(user);
        await streams(user, 1);
        const clock = ownClock();
        const awake = await open(user, { clock });
        const { id } = await client(user, { eventSource: false }).generate(words('before'));
        await Promise.all([awake, still].map(({ joins }) => joins(id)));
        equal((await site.log(user, 'GET /api/events')).length, 1, 'the first tab leads');
        still.window.BroadcastChannel.prototype.postMessage = () => {};
        clock.jump(60_000);
        await until(async () => (await site.log(user, 'GET /api/events')).length > 1, 'no other tab takes the lead');
        const later = await client(user, { eventSource: false }).generate(words('later'));
        await Promise.all([awake, still].map(({ has }) => has(later.id)));
        await streams(user, 1);
        [still, awake].forEach(({ close }) => close());
    });
    await check('another person in the same browser gets none of it', async () => {
        const [one, two] = [site.user(), site.user()];
        const [alice, bob] = [await open(one), await open(two)];
        await streams(one, 1);
        await streams(two, 1);
        const { id } = await alice.genflow.generate(words('mine'));
        await alice.has(id);
        const own = await bob.genflow.generate(words('theirs'));
        await bob.has(own.id);
        ok(!bob.seen.some(({ data }) => data.id === id), 'it comes to the other one');
        [alice, bob].forEach(({ close }) => close());
    });
    await check('a tab that closes in mid-generation and is opened anew has one picture', async () => {
        const user = site.user();
        const first = await open(user);
        first.genflow.generate(words(`tab {{poll-gate=${site.gate('tab')}}}`), { async: true }).catch(() => {});
        await until(async () => (await site.direct(user, 'generations')).items.length === 1);
        first.close();
        const second = await open(user);
        const made = second.genflow.generate(words(`tab {{poll-gate=${site.gate('tab')}}}`));
        await until(async () => (await site.log(user, 'POST')).length === 2, 'it does not ask again');
        await site.openGate('tab');
        equal((await made).status, 'completed');
        second.close();
        await site.paid(user, 1);
    });
    await check('without Web Locks (plain http) a tab polls, and holds no connection', async () => {
        const user = site.user();
        const { window, close } = await tab();
        Object.defineProperty(window.navigator, 'locks', { value: undefined });
        const genflow = new window.Genflow({ base: '/api', headers: { 'X-User': user }, clock: fastClock(5) });
        const seen = [];
        genflow.events({ on: (event) => seen.push(event) });
        await until(async () => (await site.log(user, 'GET /api/generations')).length > 0, 'it does not poll');
        const { id } = await genflow.generate(words('plain'));
        await until(() => seen.some(({ data }) => data.id === id), 'its event does not come');
        await until(() => seen.some(({ event, data }) => event === 'balance' && data.balance === 19), 'the credits do not come');
        for (const text of ['one', 'two']) {
            const later = await client(user, { eventSource: false }).generate(words(text));
            await until(() => seen.some(({ data }) => data.id === later.id), `the event of ${text} does not come`);
        }
        equal((await site.log(user, 'GET /api/events')).length, 0, 'no stream');
        const made = genflow.generate(words(`plain {{poll-gate=${site.gate('plain')}}}`), { async: true });
        await until(async () => (await site.log(user, 'GET /api/generation/')).length > 1, 'it is not polled');
        await site.openGate('plain');
        equal((await made).status, 'completed');
        close();
    });

    // ---- pictures ----

    const picture = async (width, height, type) => {
        const canvas = new OffscreenCanvas(width, height);
        const pen = canvas.getContext('2d');
        for (let i = 0; i < 400; i += 1) {
            pen.fillStyle = `hsl(${(i * 77) % 360} 80% 50%)`;
            pen.fillRect((i * 131) % width, (i * 79) % height, width / 9, height / 9);
        }
        return canvas.convertToBlob({ type });
    };
    await check('a picture that is too large is made smaller, and its size is shown before it is sent', async () => {
        const user = site.user();
        const large = await picture(1200, 800, 'image/png');
        let shown;
        const made = await client(user).upload(large, { maxPixels: 240_000, onSize: (size) => { shown = size; } });
        equal([shown.resized, shown.width, shown.height], [true, 600, 400]);
        equal([made.width, made.height, made.bytes], [600, 400, shown.bytes]);
        const light = await client(user).upload(large, { maxBytes: 20_000, onSize: (size) => { shown = size; } });
        ok(light.bytes <= 20_000 && shown.bytes === light.bytes, `${light.bytes} bytes`);
        const same = await client(user).upload(large, { onSize: (size) => { shown = size; } });
        equal([shown.resized, same.bytes], [false, large.size], 'what fits is sent as it is');
    });
    await check('a picture of another kind is converted', async () => {
        const gif = new Blob([Uint8Array.from(atob('R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs='), (letter) => letter.charCodeAt(0))]);
        const made = await client(site.user()).upload(gif);
        equal([made.type, made.width, made.height], ['image/webp', 1, 1]);
    });
});
