// SPDX-License-Identifier: Apache-2.0
// Refusals of the server, faults of what is between, and browsers that forbid much. What a proxy would answer comes
// from the driver of the browser; everything else is the server's.
import { check, deepEqual, done, equal, match, ok, openGate, submissions, until, user } from '../clients/check.mjs';
import { person } from './browser.mjs';

const tag = `f${process.pid}`;
const REFUSED = [/status of (?:4\d\d|5\d\d)/];

// The picture of one press, charged once.
async function onePicture(who, words, cost = 1) {
    await (await who.card('completed')).locator('.media img').waitFor();
    const [balance, held] = await who.credits();
    deepEqual([balance, held, await submissions(words)], [20 - cost, 0, 1]);
}

// ---- refusals ----

const spent = await person('spent', { expected: [...REFUSED, /ERR_FAILED/] });
await check('402: another device has spent the credits', async () => {
    await spent.visit();
    for (const path of ['events', 'generations*', 'getQuota']) {           // so that the page does not know
        await spent.page.route(`**/api/${path}`, (route) => route.abort());
    }
    await spent.page.locator('input[value="neo-glitch"]').check();
    await spent.page.locator('#prompt').fill(`an empty purse ${tag}`);
    await spent.api('POST', '/api/neo-glitch/generate', { prompt: 'elsewhere', presetKey: 'base' });
    await until(async () => String(await spent.credits()) === '0,0');
    await spent.page.locator('#generate').click();
    match(await spent.page.locator('gf-card [role=alert]').textContent(), /\[INSUFFICIENT_\w+\] Not enough credits/);
    await spent.page.locator('#reason', { hasText: /needs 1 credit. You have 0 credits/ }).waitFor();   // asked after the refusal
    equal(await submissions(`an empty purse ${tag}`), 0);
});
await spent.sound('402');
await spent.leave();

const fast = await person('fast', { expected: REFUSED });
await check('429: the page says when it is possible again, and counts down', async () => {
    await fast.visit();
    await fast.page.locator('input[value="neo-glitch"]').check();
    await fast.page.locator('#prompt').fill(`in a hurry ${tag}`);
    await until(async () => (await fast.api('POST', '/api/neo-glitch/generate', { prompt: 7 })).code === 'RATE_LIMIT');
    await fast.page.locator('#generate').click();
    const reason = fast.page.locator('#reason', { hasText: /Possible again in \d+ sec/ });
    const seconds = async () => Number(/in (\d+) sec/.exec(await reason.textContent())[1]);
    const first = await seconds();
    equal(await fast.page.locator('#generate').getAttribute('aria-disabled'), 'true');
    match(await fast.page.locator('gf-card [role=alert]').textContent(), /\[RATE_LIMIT\]/);
    await until(async () => !await reason.count() || await seconds() < first);
});
await fast.sound('429');
await check('... and then it is', async () => {
    await fast.page.locator('#generate[aria-disabled=false]').waitFor();
    await fast.page.locator('gf-card').getByRole('button', { name: 'Retry' }).click();
    await onePicture(fast, `in a hurry ${tag}`);
});
await fast.leave();

const full = await person('full', { expected: REFUSED });
await check('503: the queue is full, and nothing is held', async () => {
    await full.visit();
    await full.request('custom-prompt', `the one that runs ${tag} {{poll-gate=${tag}-full}}`);
    await full.page.locator('gf-card .state', { hasText: 'Generating... (replicate)' }).waitFor();
    await full.request('custom-prompt', `the one that waits ${tag}`);
    await full.page.locator('gf-card', { hasText: 'the one that waits' }).getByText('Added to queue').waitFor();
    await full.request('custom-prompt', `the one too many ${tag}`);
    const alert = full.page.locator('gf-card [role=alert]');
    match(await alert.textContent(), /\[QUEUE_FULL\] The queue is full/);
    equal((await full.credits())[1], 4);
});
await full.sound('503');
await check('... Retry makes it when there is room', async () => {
    await openGate(`${tag}-full`);
    await until(async () => (await full.credits())[1] === 0);
    await full.page.locator('gf-card').getByRole('button', { name: 'Retry' }).click();
    await full.page.locator('gf-card[data-status="completed"]', { hasText: 'the one too many' }).waitFor();
    deepEqual(await full.credits(), [14, 0]);
});
await full.leave();

// ---- what is between the page and the server ----

const proxy = await person('proxy', { expected: [...REFUSED, /ERR_CONNECTION_RESET/] });
const HTML = '<!doctype html><title>502</title><h1>Bad Gateway</h1><script>alert(1)</script>';
await check('an HTML page of a proxy before anything was sent, then its page after it was', async () => {
    await proxy.visit();
    let calls = 0;
    await proxy.page.route('**/neo-glitch/generate', async (route) => {
        calls += 1;
        if (calls === 2) await route.fetch();                     // the server makes it; the answer is lost
        await route.fulfill({ status: 502, contentType: 'text/html', body: HTML });
    }, { times: 2 });
    await proxy.request('neo-glitch', `behind a proxy ${tag}`);
    await onePicture(proxy, `behind a proxy ${tag}`);
    equal(calls, 2);
});
await check('a JSON that is broken', async () => {
    await proxy.page.route('**/neo-glitch/generate', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: (await response.text()).slice(0, 100) });
    }, { times: 1 });
    await proxy.request('neo-glitch', `half an answer ${tag}`);
    await proxy.page.locator('gf-card[data-status="completed"]', { hasText: 'half an answer' }).waitFor();
    deepEqual([(await proxy.credits())[0], await submissions(`half an answer ${tag}`)], [18, 1]);
});
for (const [says, answer, words] of [
    ['an HTML page', { status: 502, contentType: 'text/html', body: HTML }, 'another answer'],
    ['a broken JSON', { contentType: 'application/json', body: '{"success":tr' }, 'another answer'],
    ['no answer', null, 'Check the network'],
]) {
    await check(`the page begins with ${says}: it says so, and begins again`, async () => {
        await proxy.page.route('**/api/types', (route) => (answer ? route.fulfill(answer) : route.abort('connectionreset')), { times: 1 });
        await proxy.page.goto(`${process.env.GENFLOW_SITE}/studio/`);
        await proxy.page.locator('#trouble', { hasText: words }).waitFor();
        await proxy.page.getByRole('link', { name: 'Try again' }).click();
        await proxy.page.locator('.type').first().waitFor();
    });
}
await proxy.leave();

// ---- hostile texts in errors ----

const odd = await person('odd', { expected: REFUSED });
await check('the words of a provider are text', async () => {
    await odd.visit();
    await odd.request('custom-prompt', `a bad provider ${tag} {{failed=<img/src=x/onerror=alert(1)>\u202Egnp}}`);
    const alert = (await odd.card('failed')).locator('[role=alert]');
    match(await alert.textContent(), /\[[A-Z_]+\]/);
    equal(await alert.locator('img, script').count(), 0);
});
await check('10,000 characters, half of a sign and a script in an error of the server are text', async () => {
    const message = `<script>alert(1)</script> \uD83D \u202E ${'long '.repeat(2000)}`;
    await odd.page.route('**/neo-glitch/generate', (route) => route.fulfill({ status: 422, contentType: 'application/json',
        body: JSON.stringify({ code: 'SOMETHING_NEW', message, requestId: '<b>7</b>',
            validationErrors: [{ field: '<i>x</i>', message: '\uDE00 no' }] }) }), { times: 1 });
    await odd.request('neo-glitch', `an odd answer ${tag}`);
    const alert = odd.page.locator('gf-card', { hasText: 'an odd answer' }).locator('[role=alert]');
    match(await alert.textContent(), /SOMETHING_NEW.*<script>alert\(1\)/s);
    equal(await alert.locator('script, b, i').count(), 0);
});
await odd.sound('hostile errors');
await odd.leave();

// ---- browsers ----

const clock = await person('clock', { init: () => {
    const day = 86_400_000;
    const Real = Date;
    globalThis.Date = class extends Real {
        constructor(...parts) { super(...(parts.length ? parts : [Real.now() - day])); }
        static now() { return Real.now() - day; }
    };
} });
await check('a clock that is a day late', async () => {
    await clock.visit();
    await clock.request('custom-prompt', `yesterday ${tag} {{poll-gate=${tag}-clock}}`);
    await clock.page.locator('gf-card .state', { hasText: 'Generating... (replicate)' }).waitFor();
    await clock.visit();
    const elapsed = clock.page.locator('gf-card .elapsed');
    match(await elapsed.textContent(), /^\d{1,2} sec$/);
    await openGate(`${tag}-clock`);
    await onePicture(clock, `yesterday ${tag}`, 2);
});
await clock.leave();

for (const [says, init] of [
    ['forbidden', () => {
        for (const name of ['localStorage', 'sessionStorage']) {
            Object.defineProperty(globalThis, name, { get() { throw new DOMException('forbidden', 'SecurityError'); } });
        }
    }],
    ['full', () => {
        Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };
    }],
]) {
    const store = await person('store', { init });
    await check(`storage that is ${says}`, async () => {
        const [before] = await store.credits();
        await store.visit();
        await store.request('neo-glitch', `nothing is kept, ${says} ${tag}`);
        await (await store.card('completed')).locator('.media img').waitFor();
        equal((await store.credits())[0], before - 1);
        await store.visit('/studio/?lang=ja');
        equal(await store.page.locator('html').getAttribute('lang'), 'ja');
    });
    await store.leave();
}

// Chromium's own setting: cookies and all storage are blocked; it then answers no question for a password, either.
const cookies = await person('cookies', { password: null, settings: { profile: { default_content_setting_values: { cookies: 2 } } },
    extraHTTPHeaders: { authorization: `Basic ${btoa(`${user('cookies')}:secret`)}` } });
await check('cookies and storage blocked', async () => {
    await cookies.visit();
    equal(await cookies.page.evaluate(() => { try { return typeof localStorage; } catch (error) { return error.name; } }), 'SecurityError');
    await cookies.request('neo-glitch', `no cookies ${tag}`);
    await onePicture(cookies, `no cookies ${tag}`);
    await cookies.page.locator('.tiles img').waitFor();
});
await cookies.leave();
done();
