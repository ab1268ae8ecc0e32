// SPDX-License-Identifier: Apache-2.0
// Walks through the states of the page and takes a picture of each, in two languages, on phone and desktop, light and
// dark. The history that they show is made first: pictures of several types, presets and tags.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { check, done, equal, ok, openGate, site } from '../clients/check.mjs';
import { person } from './browser.mjs';

const folder = process.env.GENFLOW_SHOTS || mkdtempSync(`${tmpdir()}/shots-`);
const PROMPTS = {
    en: ['a lighthouse over a neon city in the rain', 'a paper boat in front of a lighthouse', 'a key in an old lock'],
    ja: ['雨のネオン街に立つ灯台', '灯台の前の紙の舟', '古い錠前の鍵'],
};
const HISTORY = ['a harbour at night', 'the last train home', 'a garden behind glass', 'a kite over the dunes', 'a tea house in the fog',
    'two bridges', 'a market in winter', 'the library of clouds', 'an island with one tree', 'a street after the rain',
    'a fox on the roof', 'morning in the valley'];

await check('a history', async () => {
    for (const name of ['desktop', 'phone']) {
        const who = await person(name);
        const of = async (type) => (await who.api('GET', `/api/presets?type=${type}`)).data.presets.filter((one) => one.available);
        const [neo, week] = [await of('neo-glitch'), await of('presets')];
        for (const [at, prompt] of HISTORY.entries()) {
            const [type, list] = at % 2 ? ['neo-glitch', neo] : ['presets', week];
            const made = await who.api('POST', `/api/${type}/generate`, { prompt, presetKey: list[(at >> 1) % list.length].key });
            equal(made.status, 'completed');
            if (at % 5 === 1) await who.api('PATCH', `/api/generation/${made.id}`, { favourite: true });
        }
        await who.context.close();
    }
});
for (const size of ['desktop', 'phone']) {
    for (const language of ['en', 'ja']) {
        for (const dark of [false, true]) {
            const name = `${size}-${language}-${dark ? 'dark' : 'light'}`;
            await check(`${name}: each state has its picture`, () => walk(size, language, dark, name));
        }
    }
}
await check('each panel of administration has its picture', panels);
done();

// The first of them is that of the manual, too.
async function panels() {
    const looks = [['desktop', false, ['now', 'jobs', 'money', 'users', 'presets', 'keys', 'audit']], ['phone', true, ['now']]];
    for (const [size, dark, names] of looks) {
        const who = await person('boss', { size, dark, calm: true, deviceScaleFactor: 1 });
        for (const name of names) {
            await who.page.goto(`${site}/admin/?${name}#${name}`);
            await who.page.locator(`gf-${name} :is(gf-table, .failure, dl)`).first().waitFor();
            await who.page.waitForLoadState('networkidle');
            await who.page.screenshot({ path: `${folder}/dashboard-${name}${size === 'phone' ? '-phone' : ''}.png` });
        }
        await who.context.close();
    }
}

async function walk(size, language, dark, name) {
    const who = await person(size, { size, language, dark, calm: true });
    const fresh = await person('fresh', { size, language, dark, calm: true });
    const { page } = who;
    const [lighthouse, boat, key] = PROMPTS[language];
    const shot = async (state, view = page) => {
        await view.evaluate(() => Promise.all([...document.images].map((one) =>
            (one.loading === 'lazy' && !one.complete ? null : one.decode().catch(() => {})))));
        await view.screenshot({ path: `${folder}/${name}-${state}.png` });
        const [inner, outer] = await view.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        ok(inner <= outer, `${state} is ${inner} wide on ${outer}`);
    };
    const show = (place) => place.evaluate((one) => one.scrollIntoView({ block: 'start' }));
    // In place of the words that tell the fake provider what to do.
    const title = async (words) => {
        await page.locator('gf-card .id').last().waitFor();
        const [{ id }] = await who.generations();
        await who.api('PATCH', `/api/generation/${id}`, { title: words });
        await page.locator('#prompt').fill(words);
        await page.locator('gf-card .prompt', { hasText: new RegExp(`^${words}$`) }).last().waitFor();
    };
    const quiet = () => page.locator('#toasts').evaluate((one) => one.replaceChildren());
    await fresh.visit();
    await shot('welcome', fresh.page);
    await fresh.context.close();
    await who.visit();
    await page.locator('#history .tiles img').first().waitFor();
    await shot('first');
    await who.request('neo-glitch', lighthouse);
    const card = await who.card('completed');
    await card.locator('.media img').waitFor();
    await quiet();
    await show(card);
    await shot('done');
    await who.request('custom-prompt', `${boat} {{poll-gate=${name}}}`);
    await page.locator('gf-card[data-status="processing"]').waitFor();
    await title(boat);
    await show(await who.card('processing'));
    await shot('running');
    await openGate(name);
    await page.locator('gf-card[data-status="completed"]').nth(1).waitFor();
    await quiet();
    await who.request('custom-prompt', `${key} {{status=422}}`);
    const failed = await who.card('failed');
    await title(key);
    await show(failed);
    await shot('failed');
    for (const { id, type } of await who.generations()) {
        if (type === 'custom-prompt') await who.api('DELETE', `/api/generation/${id}`);      // the fake provider's squares
    }
    await who.visit();
    await page.locator('#history .tiles img').first().waitFor();
    await page.locator('#history').evaluate((one) => one.scrollIntoView());
    await page.locator('.tiles .open').first().hover();
    await shot('history');
    await page.locator('#history .tiles .open img').first().click();
    await page.locator('dialog .media img').waitFor();
    await shot('picture');
    await who.context.close();
}
