// SPDX-License-Identifier: Apache-2.0
// One pressed button, one generation, one charge.
import { readFileSync, writeFileSync } from 'node:fs';

import { check, deepEqual, done, equal, ok, openGate, submissions, until, user } from '../clients/check.mjs';
import { person } from './browser.mjs';

const tag = `o${process.pid}`;
const LOST = [/ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED|ERR_FAILED|ERR_CONNECTION_RESET|status of 409/];

// Requests a picture that waits for a gate, does something meanwhile, lets it end, and checks that it was one.
async function oneCharge(who, says, meanwhile, before = async () => {}) {
    const gate = `${tag}-${says.replace(/\W/g, '')}`;
    await check(`${says}: one generation, one charge`, async () => {
        await who.visit();
        const [balance] = await who.credits();
        const made = (await who.generations()).length;
        await before();
        await who.request('custom-prompt', `a boat ${gate} {{poll-gate=${gate}}}`);
        await meanwhile(gate);
        await openGate(gate);
        await who.page.locator('gf-card[data-status="completed"], .tiles img').first().waitFor();
        await until(async () => (await who.credits())[1] === 0);
        deepEqual([(await who.generations()).length - made, balance - (await who.credits())[0], await submissions(gate)], [1, 2, 1]);
        await until(async () => (await who.page.locator('gf-card[data-status="completed"]').count())
            || await who.page.locator('.tiles img').count());
    });
}

const rich = await person('rich', { expected: LOST });
const running = () => rich.page.locator('gf-card .state', { hasText: 'Generating... (replicate)' }).waitFor();
await oneCharge(rich, 'a double click', async () => {
    await rich.page.locator('#generate').dblclick();
    await running();
});
await oneCharge(rich, 'a lost response', running, () => rich.page.route('**/generate', async (route) => {
    await route.fetch();
    await route.abort('connectionreset');
}, { times: 1 }));
await oneCharge(rich, 'a reload before the response', async () => {
    await until(async () => await submissions(`${tag}-areloadbeforetheresponse`) > 0);
    await running();
}, () => rich.page.route('**/generate', async (route) => {
    await route.fetch();
    await rich.page.reload();
}, { times: 1 }));
await oneCharge(rich, 'a reload in mid-generation', async () => {
    await running();
    await rich.page.reload();
    await running();
});
await oneCharge(rich, 'the back button', async () => {
    await running();
    await rich.page.goto('about:blank');
    await rich.page.goBack();
    await rich.page.locator('#prompt').waitFor();
});
await oneCharge(rich, 'offline for a while', async (gate) => {
    await running();
    await rich.context.setOffline(true);
    await openGate(gate);
    await new Promise((go) => setTimeout(go, 3000));
    await rich.context.setOffline(false);
});
await oneCharge(rich, 'offline before the request is answered', async () => {
    await rich.context.setOffline(true);
    await new Promise((go) => setTimeout(go, 1500));
    await rich.context.setOffline(false);
    await running();
});
await oneCharge(rich, 'a second tab', async (gate) => {
    await running();
    const other = await rich.visit('/studio/', await rich.context.newPage());
    await other.locator('gf-card', { hasText: gate }).waitFor();
    await openGate(gate);
    await other.locator('gf-card[data-status="completed"]', { hasText: gate }).waitFor();
    await other.close();
});
await oneCharge(rich, 'two tabs with the same button', async (gate) => {
    const other = await rich.visit('/studio/', await rich.context.newPage());
    await other.locator('input[name=type][value="custom-prompt"]').check();
    await other.locator('#prompt').fill(`a boat ${gate} {{poll-gate=${gate}}}`);
    await other.locator('#generate').click();
    await other.locator('gf-card', { hasText: gate }).locator('.state', { hasText: 'Generating... (replicate)' }).waitFor();
    await openGate(gate);
    await other.locator('gf-card[data-status="completed"]', { hasText: gate }).waitFor();
    equal(await other.locator('gf-card', { hasText: gate }).count(), 1);
    await other.close();
});
await check('Retry in two tabs: one more generation', async () => {
    const words = `a cracked bell ${tag} {{status=400 times=1}}`;
    await rich.visit();
    await rich.request('neo-glitch', words);
    await rich.card('failed');
    const made = (await rich.generations()).length;
    const other = await rich.visit('/studio/', await rich.context.newPage());
    await other.locator('.tiles .open[aria-label*="cracked bell"]').click();
    await Promise.all([rich.page, other].map((page) => page.locator('gf-card').getByRole('button', { name: 'Retry' }).click()));
    for (const page of [rich.page, other]) await page.locator('.tiles img[alt*="cracked bell"]').waitFor();
    equal((await rich.generations()).length, made + 1);
    await other.close();
});
await rich.leave();

// ---- the sign-in expires ----

const late = await person('late', { expected: [/status of 401/] });
await check('an expired sign-in is asked for, and the request is repeated under its key', async () => {
    const file = process.env.GENFLOW_PASSWORDS;
    const known = readFileSync(file, 'utf8');
    await late.visit();
    await late.page.locator('input[value="neo-glitch"]').check();
    const priced = late.page.waitForResponse((response) => response.url().includes('dryRun'));
    await late.page.locator('#prompt').fill(`a locked door ${tag}`);
    await priced;
    writeFileSync(file, known.split('\n').filter((line) => !line.startsWith(`${user('late')}:`)).join('\n'));
    await late.page.locator('#generate').click();
    const dialog = late.page.getByRole('dialog');
    await dialog.waitFor();
    writeFileSync(file, known);
    await dialog.locator('.primary').click();
    await (await late.card('completed')).locator('.media img').waitFor();
    deepEqual([(await late.credits())[0], (await late.generations()).length], [19, 1]);
});
await late.leave();

// ---- eight tabs ----

const tabs = await person('tabs');
await check('eight tabs hold one stream, and all see the picture', async () => {
    const open = new Set();
    tabs.context.on('request', (request) => { if (new URL(request.url()).pathname === '/api/events') open.add(request); });
    for (const end of ['requestfinished', 'requestfailed']) tabs.context.on(end, (request) => open.delete(request));
    const pages = [tabs.page];
    for (let more = 0; more < 7; more += 1) pages.push(await tabs.context.newPage());
    for (const page of pages) await tabs.visit('/studio/', page);
    for (const page of pages) await page.locator('#prompt').click();
    await until(() => open.size > 0);
    await new Promise((go) => setTimeout(go, 4000));
    equal(open.size, 1, 'streams');
    await tabs.request('neo-glitch', `eight views ${tag}`);
    for (const page of pages) await page.locator('.tiles img').first().waitFor();
    ok(open.size <= 1);
});
await check('when the leading tab closes, another one goes on', async () => {
    const [, second] = tabs.context.pages();
    await tabs.page.close();
    await tabs.request('neo-glitch', `another view ${tag}`, second);
    await second.locator('.tiles img').nth(1).waitFor();
});
await tabs.leave();
done();
