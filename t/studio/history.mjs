// SPDX-License-Identifier: Apache-2.0
// Finished pictures: what stands for them, what the person changes of them, how they are found again.
import { readFileSync } from 'node:fs';

import { check, deepEqual, done, equal, match, ok, until } from '../clients/check.mjs';
import { person } from './browser.mjs';

const tag = `h${process.pid}`;
const WORDS = ['a red lighthouse', 'a blue lighthouse', 'a green boat'];

const rich = await person('rich');
const { page } = rich;
const tiles = () => page.locator('.tiles img');
const alts = async () => (await tiles().evaluateAll((all) => all.map((one) => one.alt))).sort();
const filter = (name) => page.locator(`.filters [name=${name}]`);
const viewer = page.locator('dialog.viewer');
const open = async (alt) => {
    await page.locator(`.tiles img[alt="${alt}"]`).click();
    await viewer.locator('.media img').waitFor();
};
const inMenu = async (menu, entry) => {
    await viewer.getByRole('button', { name: menu, exact: true }).click();
    await viewer.getByRole('button', { name: entry, exact: true }).click();
};
const close = () => page.keyboard.press('Escape');
const codes = async (place = page) => {
    await place.locator('pre.code').first().waitFor();
    return place.locator('pre.code').allTextContents();
};

let second;
await check('the words of a picture are those that the person wrote, not those of the preset', async () => {
    await rich.visit();
    for (const words of WORDS) {
        await rich.request('neo-glitch', words);
        await page.locator('gf-card[data-status="completed"]', { hasText: words }).locator('.media img').waitFor();
    }
    await until(async () => (await alts()).length === 3);
    deepEqual(await alts(), [...WORDS].sort());
    deepEqual((await page.locator('gf-card .prompt').allTextContents()).sort(), [...WORDS].sort());
    match((await rich.generations())[0].prompt, /., a green boat$/, 'the prompt itself is the composed one');
    second = await rich.visit('/studio/', await rich.context.newPage());
    await second.locator('.tiles img').nth(2).waitFor();
    await until(async () => (await second.locator('.tiles img').evaluateAll((all) => all.map((one) => one.alt)))
        .every((alt) => WORDS.includes(alt)));
});
await check('a favourite is one in the other tab, too', async () => {
    await open('a red lighthouse');
    const star = viewer.getByRole('button', { name: 'Favourite' });
    equal(await star.getAttribute('aria-pressed'), 'false');
    await star.click();
    await viewer.locator('.star[aria-pressed=true]').waitFor();
    await close();
    await page.locator('.tiles .mark').waitFor();
    await second.locator('.tiles .mark').waitFor();
    deepEqual((await rich.generations()).map((one) => one.favourite), [false, false, true]);
});
await check('a title stands for the picture, here and in the other tab', async () => {
    await open('a blue lighthouse');
    await inMenu('More', 'Title and tags');
    const form = page.locator('dialog.question');
    await rich.sound('title and tags');
    await form.getByLabel('Title', { exact: true }).fill('The <b>blue</b> one \u202Eeulb');
    await form.getByLabel('Tags').fill('sea, night,sea');
    await form.getByRole('button', { name: 'Save' }).click();
    await viewer.locator('.tags bdi').first().waitFor();
    deepEqual(await viewer.locator('.tags bdi').allTextContents(), ['sea', 'night']);
    equal(await viewer.locator('.prompt').textContent(), 'The <b>blue</b> one \u202Eeulb');
    equal(await viewer.locator('.media img').getAttribute('alt'), 'The <b>blue</b> one \u202Eeulb');
    await close();
    await second.locator('.tiles img[alt^="The <b>blue</b> one"]').waitFor();
    const [, one] = await rich.generations();
    deepEqual([one.title, one.tags], ['The <b>blue</b> one \u202Eeulb', ['sea', 'night']]);
});
await check('search finds words of the prompt', async () => {
    await filter('q').fill('lighthouse');
    await until(async () => (await alts()).length === 2);
    await filter('q').fill('nothing-like-that');
    await page.locator('#history').getByText('Nothing was found').waitFor();
    equal(await tiles().count(), 0);
    await filter('q').fill('');
    await until(async () => (await alts()).length === 3);
});
await check('a tag, and favourites alone', async () => {
    await filter('tag').fill('night');
    await until(async () => (await alts()).length === 1);
    match((await alts())[0], /^The <b>/);
    await filter('tag').fill('');
    await filter('favourite').check();
    await until(async () => String(await alts()) === 'a red lighthouse');
    await filter('favourite').uncheck();
    await until(async () => (await alts()).length === 3);
    await filter('type').selectOption('custom-prompt');
    await page.locator('#history').getByText('Nothing was found').waitFor();
    await filter('type').selectOption('');
    await until(async () => (await alts()).length === 3);
});
await rich.sound('a history with marks');

// ---- use again, as code, download ----

await check('use again brings all settings, or the prompt alone', async () => {
    await open('a red lighthouse');
    await inMenu('Use again', 'All settings');
    await until(async () => await page.locator('#prompt').inputValue() === 'a red lighthouse');
    ok(await page.locator('input[value="neo-glitch"]').isChecked());
    await page.locator('input[value="custom-prompt"]').check();
    await open('a green boat');
    await inMenu('Use again', 'Only the prompt');
    await until(async () => await page.locator('#prompt').inputValue() === 'a green boat');
    ok(await page.locator('input[value="custom-prompt"]').isChecked());
});
await check('a picture becomes the source of the next one', async () => {
    await open('a green boat');
    await inMenu('Use again', 'As source image');
    await page.locator('#source-picture:not([hidden])').waitFor();
    await page.locator('#unchoose').click();
});
await check('the code of a picture names what the clients of the fronts know', async () => {
    await open('a green boat');
    await inMenu('More', 'Show as code');
    const all = await codes();
    match(all[0], /curl 'http.*\/api\/neo-glitch\/generate'/);
    match(all[0], /"presetKey":"\w+"/);
    ok(all.every((one) => one.includes('a green boat') && !one.includes(', a green boat')), 'the own words');
    await rich.sound('the code');
    await close();
    await close();
    await page.locator('#prompt').fill('a paper boat in the rain');
    await page.locator('#as-code').click();
    const [, , openai, replicate] = await codes();
    match(openai, /"model": "gpt-image-1"/);
    match(replicate, /replicate\.run\('black-forest-labs\/flux-dev'/);
    await close();
});
await check('a download is named by the words and the date', async () => {
    await open('a green boat');
    const [file] = await Promise.all([page.waitForEvent('download'), viewer.getByRole('button', { name: 'Download' }).click()]);
    match(file.suggestedFilename(), /^a-green-boat_\d{4}-\d\d-\d\d\.png$/);
    await close();
});

// ---- several at once, delete ----

await check('several become a zip', async () => {
    for (const box of await page.locator('.tiles [type=checkbox]').all()) await box.check();
    await page.locator('#selected', { hasText: '3 selected' }).waitFor();
    await rich.sound('a selection');
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download as zip' }).click()]);
    const bytes = readFileSync(await file.path());
    equal(bytes.subarray(0, 4).toString('latin1'), 'PK\x03\x04');
    equal(bytes.subarray(-22).readUInt16LE(10), 3, 'files');
    ok(bytes.includes('003_a-red-lighthouse_'), 'their names');
    await page.getByRole('button', { name: 'Clear selection' }).click();
    await page.locator('#selection').waitFor({ state: 'hidden' });
});
await check('delete asks, and can be undone', async () => {
    await page.locator('.tiles .open').first().focus();
    await page.keyboard.press('Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await until(async () => await tiles().count() === 2);
    await page.getByRole('button', { name: 'Undo' }).click();
    await until(async () => await tiles().count() === 3);
    equal((await rich.generations()).length, 3);
});
await check('what is deleted is gone', async () => {
    await page.locator('.tiles .open').first().focus();
    await page.keyboard.press('Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await until(async () => (await rich.generations()).length === 2);
    deepEqual(await alts(), ['The <b>blue</b> one \u202Eeulb', 'a red lighthouse'].sort());
});
await rich.leave();

// ---- templates and keys, the address with a password ----

const fresh = await person('fresh', { password: null });
await check('the page works at an address that has a user and a password', async () => {
    const { user } = await import('../clients/check.mjs');
    const site = new URL(process.env.GENFLOW_SITE);
    Object.assign(site, { username: user('fresh'), password: 'secret', pathname: '/studio/' });
    await fresh.page.goto(site.href);
    await fresh.page.locator('.type').first().waitFor();
    await fresh.request('neo-glitch', `an open door ${tag}`);
    await (await fresh.card('completed')).locator('.media img').waitFor();
    await fresh.page.locator('#as-code').click();
    ok(!(await codes(fresh.page)).join().includes('secret'), 'and keeps it to itself');
    await fresh.page.keyboard.press('Escape');
});
await check('a template keeps the settings', async () => {
    await fresh.page.locator('#settings summary').click();
    await fresh.page.locator('#templates input').fill('doors');
    await fresh.page.locator('#prompt').fill('a door');
    await fresh.page.locator('#templates').getByRole('button', { name: 'Save' }).click();
    await fresh.page.locator('#templates option', { hasText: 'doors' }).waitFor({ state: 'attached' });
    await fresh.page.locator('#prompt').fill('something else');
    await fresh.page.locator('#templates select').selectOption({ label: 'doors' });
    await until(async () => await fresh.page.locator('#prompt').inputValue() === 'a door');
});
await fresh.sound('settings and templates');
await fresh.leave();
done();
