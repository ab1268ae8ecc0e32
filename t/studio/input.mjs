// SPDX-License-Identifier: Apache-2.0
// Source pictures, the keyboard, hostile texts.
import { check, deepEqual, done, equal, match, ok, until } from '../clients/check.mjs';
import { person } from './browser.mjs';

const tag = `i${process.pid}`;
const PNG = process.env.GENFLOW_PNG;

// ---- source pictures ----

const rich = await person('rich');
const { page } = rich;
const shown = page.locator('#source-picture:not([hidden])');
const file = (name, mimeType, text, base64) => ({ name, mimeType, buffer: base64 ? Buffer.from(base64, 'base64') : Buffer.from(text) });

// A file in the page, as a drop or a paste brings it.
const transfer = (name, type, base64) => page.evaluateHandle(([label, kind, text]) => {
    const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(atob(text), (one) => one.charCodeAt(0))], label, { type: kind }));
    return data;
}, [name, type, base64]);

await check('a type that needs a picture says so', async () => {
    await rich.visit();
    await page.locator('input[value="emotion-mask"]').check();
    await page.locator('#prompt').fill('a mask');
    await until(async () => /image|picture/i.test(await page.locator('#reason').textContent()));
});
await check('a file by the picker', async () => {
    await page.locator('#file').setInputFiles(file('a.png', 'image/png', '', PNG));
    await shown.waitFor();
    await page.locator('#unchoose').click();
    await shown.waitFor({ state: 'detached' }).catch(() => {});
    equal(await shown.count(), 0);
});
await check('by drop', async () => {
    await page.dispatchEvent('#drop', 'drop', { dataTransfer: await transfer('a.png', 'image/png', PNG) });
    await shown.waitFor();
    await page.locator('#unchoose').click();
});
await check('by paste', async () => {
    const data = await transfer('a.png', 'image/png', PNG);
    await page.evaluate((clipboardData) => document.querySelector('#prompt').dispatchEvent(
        new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true })), data);
    await shown.waitFor();
});
await rich.sound('a source picture');
await check('a picture is made of it', async () => {
    await page.locator('#generate').click();
    await (await rich.card('completed')).locator('.media img').first().waitFor();
    equal((await rich.generations()).length, 1);
});
for (const [says, bad] of [
    ['an SVG', file('a.svg', 'image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')],
    ['HTML with the name of a picture', file('a.png', 'image/png', '<script>alert(1)</script>')],
    ['a PNG that is cut', file('a.png', 'image/png', '', PNG.slice(0, 60))],
]) {
    await check(`${says} is refused before it is sent`, async () => {
        const before = await page.locator('#source-picture').getAttribute('src');
        await page.locator('#file').setInputFiles(bad);
        await page.locator('.toast').last().waitFor();
        equal(await page.locator('#source-picture').getAttribute('src'), before);
        await page.locator('.toast').first().waitFor({ state: 'detached', timeout: 30_000 });
    });
}
await check('a file of 100 MB is reported before it is sent', async () => {
    const sent = [];
    const note = (request) => sent.push(request.url());
    page.on('request', note);
    await page.evaluate(() => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(100_000_000)], 'large.png', { type: 'image/png' }));
        document.querySelector('#drop').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true }));
    });
    match(await page.locator('.toast').last().textContent(), /100/);
    page.off('request', note);
    deepEqual(sent.filter((url) => /assets/.test(url)), []);
});
await rich.leave();

// ---- the keyboard alone ----

const keys = await person('keys');
await check('from the first focus to the download by the keyboard alone', async () => {
    await keys.visit();
    const on = () => keys.page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent?.trim() || '');
    const go = async (wanted, most = 60) => {
        for (let left = most; left > 0; left -= 1) {
            await keys.page.keyboard.press('Tab');
            if ((await on()) === wanted) return;
        }
        throw new Error(`no way to ${wanted}; the focus is on ${await on()}`);
    };
    await go('prompt');
    await keys.page.keyboard.type(`a key in a lock ${tag}`);
    const outline = await keys.page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    ok(outline !== 'none', 'the focus is visible');
    await keys.page.keyboard.press('Control+Enter');
    await keys.card('completed');
    await go('Download');
    const [download] = await Promise.all([keys.page.waitForEvent('download'), keys.page.keyboard.press('Enter')]);
    match(download.suggestedFilename(), /^a-key-in-a-lock-.*\.png$/);
});
await keys.leave();

// ---- prompts of any kind ----

const odd = await person('odd', { expected: [/status of 4\d\d/] });
const PROMPTS = [
    '<script>alert(1)</script><img src=x onerror=alert(2)>', '\u202Egnp.exe\u202C and <b>more</b>', '👩‍👩‍👧‍👦🏳️‍🌈',
    '&lt;i&gt; %3Cscript%3E \\u003cscript', '写真　を　撮る', 'מגדל אור בגשם',
];
for (const prompt of PROMPTS) {
    await check(`as text: ${JSON.stringify(prompt)}`, async () => {
        if (prompt === PROMPTS[0]) await odd.visit();
        await odd.request('neo-glitch', prompt);
        const card = odd.page.locator('gf-card[data-status="completed"]', { hasText: prompt }).last();
        await card.waitFor();
        equal(await card.locator('.prompt script, .prompt img, .prompt b').count(), 0);
        ok((await card.locator('.media img').first().getAttribute('alt')).includes(prompt));
    });
}
await check('half a character and 10,000 characters do no harm', async () => {
    await odd.page.locator('#prompt').evaluate((field) => {
        field.value = `half \uD83D of a sign`;
        field.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await odd.page.waitForTimeout(600);
    await odd.page.locator('#generate').click();
    await odd.page.locator('gf-card[data-status="completed"]', { hasText: 'of a sign' }).waitFor();
    await odd.page.locator('#prompt').fill('long '.repeat(2000));
    equal(await odd.page.locator('#generate').getAttribute('aria-disabled'), 'true');
});
await odd.sound('odd prompts');
await odd.leave();
done();
