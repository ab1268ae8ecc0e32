// SPDX-License-Identifier: Apache-2.0
// A store of another origin, that comes and goes.
import { check, deepEqual, done, equal, isPicture, match, ok } from '../clients/check.mjs';
import { person } from './browser.mjs';

const { GENFLOW_STORE: store, GENFLOW_PREFIX: prefix, GENFLOW_FAKE: provider } = process.env;
const tag = `r${process.pid}`;
const order = async (act) => ok((await fetch(`${store}/_orders`, { method: 'POST',
    body: JSON.stringify({ match: prefix, status: 503, ...act }) })).ok);

const rich = await person('rich', { expected: [/blocked by CORS policy|ERR_FAILED/] });
const { page } = rich;
await check('a picture of the store is shown', async () => {
    await rich.visit();
    await rich.request('custom-prompt', `a well kept picture ${tag}`);
    const picture = (await rich.card('completed')).locator('.media img');
    ok((await picture.getAttribute('src')).startsWith(store));
    ok(await picture.evaluate((one) => one.decode().then(() => one.naturalWidth > 0)));
});
await check('what a page may not read from the store is opened in place of a download', async () => {
    const [tab] = await Promise.all([rich.context.waitForEvent('page'),
        (await rich.card('completed')).getByRole('button', { name: 'Download' }).click()]);
    ok((tab.url() || await tab.evaluate('location.href')).startsWith(store));
    await tab.close();
});
await check('while a picture is not stored the card says so, and names where it is', async () => {
    await order({ act: 'fail', times: 4 });                        // as often as it is tried at once, and once later
    await rich.request('custom-prompt', `a picture without a shelf ${tag}`);
    const card = page.locator('gf-card[data-status="completed"]', { hasText: 'without a shelf' });
    await card.locator('.elsewhere', { hasText: 'not stored yet' }).waitFor();
    const url = await card.locator('.elsewhere a').getAttribute('href');
    ok(url.startsWith(provider));
    await isPicture(url);
    equal(await card.locator('.media img').count(), 0);
    match(await card.textContent(), /Not stored yet; download it/);
});
await rich.sound('a picture that is not stored');
await check('... and shows it when it is', async () => {
    await page.locator('gf-card', { hasText: 'without a shelf' }).locator('.media img').waitFor({ timeout: 45_000 });
    deepEqual(await rich.credits(), [16, 0]);
});
await rich.leave();
done();
