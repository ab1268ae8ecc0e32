// SPDX-License-Identifier: Apache-2.0
// Failures, fallback, cancel, no credits.
import { check, deepEqual, done, equal, match, ok, openGate, until } from '../clients/check.mjs';
import { person } from './browser.mjs';

const tag = `s${process.pid}`;

// ---- a failure ----

const rich = await person('rich');
const { page } = rich;
await check('a failure says its title, its code, and that nothing was charged', async () => {
    await rich.visit();
    await rich.request('neo-glitch', `a broken lamp ${tag} {{status=400 times=1}}`);
    const card = await rich.card('failed');
    equal(await card.locator('[role=alert] :is(h2, h3)').textContent(), 'Generation failed');
    match(await card.locator('[role=alert]').textContent(), /\[[A-Z_]+\].*Nothing was charged/s);
    deepEqual(await rich.credits(), [20, 0]);
});
await rich.sound('a failure');
await check('Retry makes the picture, charged once', async () => {
    await (await rich.card('failed')).getByRole('button', { name: 'Retry' }).click();
    await (await rich.card('completed')).locator('.media img').waitFor();
    deepEqual(await rich.credits(), [19, 0]);
});
await check('what was retried to the end says how often', async () => {
    await rich.request('neo-glitch', `always broken ${tag} {{status=503}}`);
    const card = await rich.card('failed');
    match(await card.textContent(), /Failed after 3 retries/);
});
await check('the local fallback asks, draws, and is free', async () => {
    const card = await rich.card('failed');
    await card.getByRole('button', { name: 'Switch to local generation' }).click();
    const dialog = page.getByRole('dialog');
    match(await dialog.textContent(), /External generation failed\. Switch to local generation\?/);
    await rich.sound('the question before the fallback');
    await dialog.getByRole('button', { name: 'Switch to local generation' }).click();
    await until(async () => await page.locator('gf-card[data-status="completed"]').count() === 2);
    deepEqual(await rich.credits(), [19, 0]);
});
await rich.leave();

const japan = await person('japan', { language: 'ja', size: 'phone' });
await check('in Japanese', async () => {
    await japan.visit();
    await japan.request('neo-glitch', `壊れたランプ ${tag} {{status=503}}`);
    const text = await (await japan.card('failed')).textContent();
    for (const words of ['❌ 外部生成に失敗しました', '3回リトライしましたが失敗しました', '🔄 再試行', '🎨 ローカル生成に切り替え',
        '外部生成がうまくいかない場合は、ローカル生成をお試しください。']) {
        ok(text.includes(words), `${words} in ${text}`);
    }
    await japan.page.getByRole('button', { name: '🎨 ローカル生成に切り替え' }).click();
    match(await japan.page.getByRole('dialog').textContent(), /外部生成に失敗しました。ローカル生成に切り替えますか？/);
    await japan.page.keyboard.press('Escape');
    equal(await japan.page.getByRole('dialog').count(), 0, 'Escape closes it');
});
await japan.sound('a failure in Japanese');
await japan.leave();

// ---- cancel ----

const queued = await person('queued');
await check('cancel while it runs gives the credits back', async () => {
    await queued.visit();
    await queued.request('custom-prompt', `a slow boat ${tag} {{poll-gate=${tag}-never}}`);
    await queued.page.locator('gf-card .state', { hasText: 'Generating... (replicate)' }).waitFor();
    const [balance, held] = await queued.credits();
    ok(held > 0, 'they are held');
    await (await queued.card()).getByRole('button', { name: 'Cancel' }).click();
    await queued.card('cancelled');
    deepEqual(await queued.credits(), [balance, 0]);
});
await queued.sound('a cancelled generation');
await check('cancel in the queue, too', async () => {
    await queued.request('custom-prompt', `the first ${tag} {{poll-gate=${tag}-first}}`);
    await queued.page.locator('gf-card .state', { hasText: 'Generating... (replicate)' }).waitFor();
    await queued.request('custom-prompt', `the second ${tag}`);
    const card = queued.page.locator('gf-card', { hasText: `the second ${tag}` });
    await card.getByText('Added to queue').waitFor();
    await card.getByRole('button', { name: 'Cancel' }).click();
    await queued.page.locator('gf-card[data-status="cancelled"]', { hasText: `the second ${tag}` }).waitFor();
    await openGate(`${tag}-first`);
    await queued.card('completed');
    const [, held] = await queued.credits();
    equal(held, 0);
});
await queued.leave();

// ---- no credits ----

const poor = await person('poor');
await check('without credits the button says why', async () => {
    await poor.visit();
    await poor.page.locator('#prompt').fill('a gold coin');
    equal(await poor.page.locator('#generate').getAttribute('aria-disabled'), 'true');
    match(await poor.page.locator('#reason').textContent(), /needs \d+ credit.*You have 0 credits/s);
    await poor.page.locator('#generate').click({ force: true });
    equal((await poor.generations()).length, 0);
});
await poor.sound('no credits');
await poor.leave();
done();
