// SPDX-License-Identifier: Apache-2.0
// The page comes under its own policy, with an empty console, and makes a picture in each look and language.
import { check, deepEqual, done, equal, isPicture, match, ok, openGate, site } from '../clients/check.mjs';
import { person } from './browser.mjs';

const tag = `p${process.pid}`;
const texts = {
    en: { queued: 'Added to queue', running: 'Generating... (replicate)', ready: 'Your media is ready' },
    ja: { queued: '生成待機中...', running: '生成中... (replicate)', ready: 'メディアの準備ができました' },
};

// ---- the first visit ----

const rich = await person('rich');
await check('the page shows the types and the credits', async () => {
    await rich.visit();
    match(await rich.page.locator('#balance').textContent(), /20/);
});
await rich.sound('the first visit');
await check('a prompt makes a picture, which costs one credit', async () => {
    await rich.request('neo-glitch', `a lighthouse in the rain ${tag}`);
    const picture = (await rich.card('completed')).locator('.media img');
    match(await picture.getAttribute('alt'), /a lighthouse in the rain/, 'the alternative text is the prompt');
    await isPicture(new URL(await picture.getAttribute('src'), site).href);
    deepEqual(await rich.credits(), [19, 0]);
    await rich.page.locator('#balance', { hasText: '19' }).waitFor();
});
await rich.sound('the finished picture');
await check('the next day the picture is in the history', async () => {
    await rich.visit();
    await rich.page.locator('#history .tiles img').first().waitFor();
    await rich.page.locator('#history .tiles .open').first().click();
    await rich.page.locator('dialog .media img').waitFor();
});
await rich.sound('a picture of the history');
await rich.leave();

// ---- each look ----

for (const look of [
    { language: 'ja', size: 'phone' }, { size: 'narrow', dark: true }, { language: 'ja', size: 'narrow' }, { size: 'wide' }, { size: 'zoomed' },
    { forced: true, calm: true }, { dark: true, language: 'ja' },
]) {
    const says = Object.entries(look).map(([name, value]) => (value === true ? name : value)).join(', ');
    const language = look.language ?? 'en';
    const guest = await person('looks', { ...look, name: says });
    const { page } = guest;
    const gate = `${tag}-${says.replace(/\W/g, '')}`;
    await check(`${says}: added to queue, then generating, then ready`, async () => {
        await guest.visit();
        equal(await page.locator('html').getAttribute('lang'), language);
        await guest.request('custom-prompt', `a paper boat {{poll-gate=${gate}}}`);
        await page.locator('gf-card .state', { hasText: texts[language].running }).waitFor();
    });
    await guest.sound(`${says}, running`);
    await check(`${says}: the picture appears without a reload`, async () => {
        await openGate(gate);
        const card = await guest.card('completed');
        await card.locator('.media img').waitFor();
        await page.locator('.toast', { hasText: texts[language].ready }).first().waitFor();
    });
    await guest.sound(`${says}, ready`);
    await check(`${says}: the button can be reached, and the prompt is not covered`, async () => {
        const box = await page.locator('#generate').boundingBox();
        ok(box.height >= 24 && box.width >= 24, `it has ${box.width} x ${box.height}`);
        await page.locator('#prompt').focus();
        await page.locator('#prompt').scrollIntoViewIfNeeded();
        const covered = await page.locator('#prompt').evaluate((field) => {
            const { left, top, width } = field.getBoundingClientRect();
            const there = document.elementFromPoint(left + width / 2, top + 12);
            return there === field ? null : there?.outerHTML.slice(0, 80);
        });
        equal(covered, null);
    });
    await guest.leave();
}
done();
