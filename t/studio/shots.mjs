// SPDX-License-Identifier: Apache-2.0
// Walks through the states of the page and takes a picture of each, in two languages, on phone and desktop, light and
// dark. The first walk of a size makes the history that the others show.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { check, done, ok, openGate } from '../clients/check.mjs';
import { person } from './browser.mjs';

const folder = process.env.GENFLOW_SHOTS || mkdtempSync(`${tmpdir()}/shots-`);
const PROMPTS = {
    en: ['a lighthouse over a neon city in the rain', 'a paper boat in front of a lighthouse', 'a key in an old lock'],
    ja: ['雨のネオン街に立つ灯台', '灯台の前の紙の舟', '古い錠前の鍵'],
};

for (const size of ['desktop', 'phone']) {
    for (const language of ['en', 'ja']) {
        for (const dark of [false, true]) {
            const name = `${size}-${language}-${dark ? 'dark' : 'light'}`;
            await check(`${name}: each state has its picture`, () => walk(size, language, dark, name));
        }
    }
}
done();

async function walk(size, language, dark, name) {
    const who = await person(size, { size, language, dark, calm: true });
    const { page } = who;
    const [lighthouse, boat, key] = PROMPTS[language];
    const shot = async (state) => {
        await page.waitForTimeout(500);                  // pictures fade in
        await page.screenshot({ path: `${folder}/${name}-${state}.png` });
        const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        ok(inner <= outer, `${state} is ${inner} wide on ${outer}`);
    };
    const top = () => page.evaluate(() => scrollTo(0, 0));
    await who.visit();
    await shot('first');
    await who.request('neo-glitch', lighthouse);
    await (await who.card('completed')).locator('.media img').waitFor();
    await page.waitForTimeout(6000);                     // the notice is gone
    await (await who.card('completed')).scrollIntoViewIfNeeded();
    await shot('done');
    await top();
    await who.request('custom-prompt', `${boat} {{poll-gate=${name}}}`);
    await page.locator('gf-card[data-status="processing"]').waitFor();
    await (await who.card('processing')).scrollIntoViewIfNeeded();
    await shot('running');
    await openGate(name);
    await page.locator('gf-card[data-status="completed"]').nth(1).waitFor();
    await top();
    await who.request('custom-prompt', `${key} {{status=422}}`);
    await (await who.card('failed')).scrollIntoViewIfNeeded();
    await shot('failed');
    await who.visit();
    await page.locator('#history .tiles img').first().waitFor();
    await page.locator('#history').scrollIntoViewIfNeeded();
    await shot('history');
    await page.locator('#history .tiles .open img').first().click();
    await page.locator('dialog .media img').waitFor();
    await shot('picture');
    await who.context.close();
}
