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
await check('the first picture comes within a second of its drawing', async () => {
    const began = Date.now();
    await rich.request('neo-glitch', `the first ${tag}`);
    await (await rich.card('completed')).locator('.media img').waitFor();
    console.log(`# first picture: ${Date.now() - began} ms`);
});
await check('50 generations at once', async () => {
    const idle = await longest(rich.page);
    await rich.page.evaluate(() => { globalThis.gfLongest = 0; });
    for (let one = 0; one < 50; one += 1) {
        await rich.request('neo-glitch', `${one} of fifty ${tag}`);
    }
    await until(async () => await rich.page.locator('gf-card[data-status="completed"]').count() === 51);
    console.log(`# longest task: ${await longest(rich.page)} ms, of the idle page ${idle} ms`);
    equal((await rich.generations()).length, 51);
    equal((await rich.credits())[0], 149);
});
await rich.leave();

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
