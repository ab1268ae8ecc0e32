// SPDX-License-Identifier: Apache-2.0
// Much at once. Numbers are printed as comments.
import { check, done, equal, ok, until } from '../clients/check.mjs';
import { person } from './browser.mjs';

const tag = `m${process.pid}`;
const longest = (page) => page.evaluate(() => globalThis.gfLongest);

// What a page loads: bytes on the wire without pictures, requests, bytes of pictures.
async function wire(who, page) {
    const session = await who.context.newCDPSession(page);
    const kinds = new Map();
    const total = { bytes: 0, requests: 0, pictures: 0, headers: 0, of: new Map() };
    await session.send('Network.enable');
    session.on('Network.responseReceived', ({ requestId, type, response }) =>
        kinds.set(requestId, [type, response.url, response.encodedDataLength]));      // of its headers
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
        const [type, url, headers = 0] = kinds.get(requestId) ?? [];
        const isPicture = type === 'Image' || /\.webp$/.test(url);
        total.of.set(url?.replace(/.*\//, '') || 'index.html', encodedDataLength);
        total[isPicture ? 'pictures' : 'bytes'] += encodedDataLength - headers;
        total.headers += headers;
        total.requests += isPicture ? 0 : 1;
    });
    return total;
}

const rich = await person('rich');
await check('a first visit takes at most 25 kB and 10 requests', async () => {
    const total = await wire(rich, rich.page);
    await rich.visit();
    await rich.page.waitForTimeout(1500);
    console.log(`# first visit: ${total.requests} requests, ${total.bytes} bytes, ${total.headers} of headers, ${total.pictures} of pictures: ${
        [...total.of].map(([name, bytes]) => `${name} ${bytes}`).join(', ')}`);
    ok(total.requests <= 10, `${total.requests} requests`);
    ok(total.bytes <= 25_000, `${total.bytes} bytes`);
});
await check('the first picture comes soon after its drawing', async () => {
    const began = Date.now();
    await rich.request('presets', `the first ${tag}`);
    const picture = (await rich.card('completed')).locator('.media img');
    await picture.evaluate((one) => one.decode());
    const took = Date.now() - began;
    const [{ processingTime }] = await rich.generations();
    console.log(`# first picture: ${took} ms, of which the server drew for ${processingTime} ms`);
});
await check('50 generations at once', async () => {
    const idle = await longest(rich.page);
    await rich.page.evaluate(() => { globalThis.gfLongest = 0; });
    for (let one = 0; one < 50; one += 1) {
        await rich.request('neo-glitch', `${one} of fifty ${tag}`);
    }
    await until(async () => await rich.page.locator('gf-card[data-status="completed"]').count() === 51);
    console.log(`# longest task with 50 generations: ${await longest(rich.page)} ms, of the idle page ${idle} ms (0: none of 50 ms)`);
    equal((await rich.generations()).length, 51);
    equal((await rich.credits())[0], 148);
});
await rich.leave();

// ---- pictures of a history ----

const drawn = await person('drawn');
await check('24 pictures of a history take at most 500 kB', async () => {
    const { data } = await drawn.api('GET', '/api/presets');
    const keys = data.presets.map((one) => one.key);
    for (let one = 0; one < 24; one += 1) {
        const made = await drawn.api('POST', '/api/presets/generate', { presetKey: keys[one % keys.length], prompt: `of 24: ${one}`, seed: one });
        equal(made.status, 'completed');
    }
    await until(async () => (await drawn.generations()).every((one) => one.thumbnailUrl));
    const total = await wire(drawn, drawn.page);
    await drawn.visit();
    const pictures = drawn.page.locator('.tiles img');
    await pictures.nth(23).waitFor({ state: 'attached' });
    equal(await pictures.count(), 24);
    await until(() => pictures.evaluateAll((all) => {     // in one step: the page may replace a tile between two
        const missing = all.find((one) => !one.complete || one.naturalWidth <= 64);
        missing?.scrollIntoView();
        return !missing;
    }));
    const bytes = [...total.of].reduce((sum, [name, size]) => sum + (/-384\.webp$/.test(name) ? size : 0), 0);
    console.log(`# 24 history pictures: ${bytes} bytes`);
    ok(bytes <= 500_000, `${bytes} bytes`);
});
await drawn.leave();

// ---- a long history ----

const old = await person('old', { expected: [/status of 404/] });
await check('a history of 10,000 is shown by pages', async () => {
    await old.visit();
    await old.page.locator('#history .tiles li').first().waitFor();
    const first = await old.page.locator('#history .tiles li').count();
    ok(first <= 100, `${first} tiles`);
    for (let left = 20; left > 0; left -= 1) {
        await old.page.mouse.wheel(0, 5000);
        await old.page.waitForTimeout(100);
    }
    await until(async () => await old.page.locator('#history .tiles li').count() > first);
    console.log(`# longest task with a history: ${await longest(old.page)} ms`);
});
await check('a filter shows those of a kind', async () => {
    await old.page.locator('.filters [name=status]').selectOption('cancelled');
    await until(async () => {
        const tiles = await old.page.locator('#history .tiles li').allTextContents();
        return tiles.length > 10 && tiles.every((text) => /cancel/i.test(text));
    });
});
await old.leave();
done();
