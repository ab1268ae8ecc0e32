// SPDX-License-Identifier: Apache-2.0
// The page of administration. The data that it shows is made by the API first.
import { readFileSync } from 'node:fs';

import { check, deepEqual, done, equal, match, ok, openGate, site, until, user } from '../clients/check.mjs';
import { person } from './browser.mjs';

const HOSTILE = ['<img src=x onerror=document.title=1>', `"quoted", 'twice'`, '=cmd|calc', '../jobs', 'a/b c?d#e%2f', '@sum'];
const FORMULAS = ['＝1+1', '＋1', '－1', '＠sum'];   // a Japanese spreadsheet runs them
const tag = `a${process.pid}`;
const boss = await person('boss', { expected: [/status of 40[24] .*\/admin\/(?:now|money|audit|users|credits)/] });
const rich = await person('rich');
const held = await person('held');
const { page } = boss;

let visits = 0;
// Opens a panel and waits until it has something.
async function panel(name, view = page) {
    visits += 1;
    await view.goto(`${site}/admin/?${visits}#${name}`);
    await view.locator(`#panel gf-${name} :is(gf-table, .failure, dl)`).first().waitFor();
    return view.locator(`gf-${name}`);
}
const rowOf = (text, view = page) => view.locator('tr', { hasText: text }).first();
const dialog = () => page.getByRole('dialog').last();
const press = (name) => dialog().getByRole('button', { name, exact: true }).last().click();
const write = (label, text) => dialog().getByLabel(label, { exact: true }).fill(text);
const closed = (count = 0) => until(async () => await page.getByRole('dialog').count() === count);

// The text of the CSV that a button gives.
async function csvOf(place) {
    const [file] = await Promise.all([page.waitForEvent('download'), place.getByRole('button', { name: /^CSV/ }).first().click()]);
    return readFileSync(await file.path(), 'utf8');
}

// ---- who may ----

await check('the page needs a sign-in', async () => {
    for (const path of ['/admin', '/admin/', '/admin/page/admin.js', '/admin/page/config.json']) {
        const answer = await fetch(site + path, { headers: { accept: 'text/html' }, redirect: 'manual' });
        equal(answer.status, 401, path);
        match(answer.headers.get('content-security-policy'), /script-src 'self'/);
    }
});
await check('a user who is no administrator gets 403', async () => {
    const headers = { accept: 'text/html', authorization: `Basic ${btoa(`${user('rich')}:secret`)}` };
    for (const path of ['/admin/', '/admin/page/admin.js', '/admin/jobs']) {
        equal((await fetch(site + path, { headers })).status, 403, path);
    }
});
await check('programs get no page', async () => {
    const answer = await boss.api('GET', '/admin/');
    equal(answer.code, 'NOT_FOUND');
});
await check('its files are nowhere else', async () => {
    const headers = { authorization: `Basic ${btoa(`${user('boss')}:secret`)}` };
    equal((await fetch(`${site}/studio/admin.html`, { headers })).status, 404);
    equal((await fetch(`${site}/admin/page/nothing.js`, { headers })).status, 404);
});

// ---- data ----

await check('some data', async () => {
    for (const name of HOSTILE) {
        const gift = await boss.api('POST', '/admin/credits', { userId: name, amount: 3, reason: name, reference: `${tag} ${name}` });
        equal(gift.applied, true, JSON.stringify(gift));
    }
    equal((await rich.api('POST', '/api/neo-glitch/generate', { prompt: `<b>a lamp</b> ${tag} {{status=400}}`, presetKey: 'visor' })).code,
        'GENERATION_FAILED');
    equal((await held.api('POST', '/api/neo-glitch/generate', { prompt: `a harbour ${tag}`, presetKey: 'visor' })).status, 'completed');
    equal((await rich.api('POST', '/api/presets/generate', { prompt: `=cmd a bridge ${tag}`, presetKey: await presetOf('presets') })).status,
        'completed');
});

async function presetOf(type) {
    return (await rich.api('GET', `/api/presets?type=${type}`)).data.presets.find((one) => one.available).key;
}

// ---- now ----

await check('Now says that the ledger is sound, and has the breakers', async () => {
    const now = await panel('now');
    equal(await page.title(), 'Now - Administration');
    await now.getByRole('button', { name: /^Check the ledger now/ }).click();
    await now.locator('[data-sound=true]', { hasText: 'The ledger is sound since' }).waitFor();
    match(await now.locator('#now-figures').textContent(), /Waiting0.*Free on disk[0-9.]+ GB of.*Database connections[0-9]+ of [0-9]+/);
    match(await now.locator('#now-failed').textContent(), /neo-glitchstability1/);
    ok(await now.locator('#now-hosts tbody tr').count() > 0);
    match(await now.locator('#now-budgets').textContent(), /replicate0500/);
    match(await rowOf('stuck').textContent(), /HTTP 503 <b>/);
});
await boss.sound('Now');
await check('Now is read while it is seen, and not while it is hidden', async () => {
    let reads = 0;
    await page.route(/\/admin\/(now|providers)$/, (route) => { reads += 1; return route.continue(); });
    await until(() => reads > 0);
    await page.evaluate(() => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
        document.dispatchEvent(new Event('visibilitychange'));
    });
    const seen = reads;
    await page.waitForTimeout(6000);
    ok(reads <= seen + 1, `${reads - seen} more`);
    await page.evaluate(() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); });
    const before = reads;
    await until(() => reads > before);
    await page.unroute(/\/admin\/(now|providers)$/);
});
await check('a breaker is reset, with a reason', async () => {
    await rowOf('stuck').getByRole('button', { name: /^Reset/ }).click();
    await write('Reason', 'it works again');
    await boss.axe().then((found) => deepEqual(found, []));
    await press('Reset');
    await closed();
    await until(async () => !/stuck.*open/.test(await page.locator('#now-breakers').textContent()));
});

// ---- jobs ----

await check('Jobs has all generations, and a picture with its prompt', async () => {
    const jobs = await panel('jobs');
    const bridge = rowOf('a bridge');
    equal(await bridge.locator('img').getAttribute('alt').then((alt) => alt.includes('=cmd a bridge')), true);
    ok(await bridge.locator('img').evaluate((one) => one.decode().then(() => one.naturalWidth > 0)));
    equal(await jobs.locator('td b').count(), 0);
    match(await rowOf('<b>a lamp</b>').textContent(), /Failed|failed/);
});
await boss.sound('Jobs');
await check('its filters are the API\'s', async () => {
    const jobs = await panel('jobs');
    await jobs.getByRole('combobox', { name: 'State' }).selectOption('failed');
    await until(async () => await jobs.locator('tbody tr').count() === 1);
    match(await jobs.locator('tbody').textContent(), /a lamp/);
    await jobs.getByRole('combobox', { name: 'State' }).selectOption('');
    await jobs.getByLabel('Created before').fill('2001-01-01T00:00');
    await jobs.getByText('Nothing here.').waitFor();
    await jobs.getByLabel('Created before').fill('2101-01-01T00:00');
    await until(async () => await jobs.locator('tbody tr').count() >= 3);
    await jobs.getByRole('textbox', { name: /^User/ }).fill(user('rich'));
    await until(async () => await jobs.locator('tbody tr').count() === 2);
});
await check('the details tell how it went', async () => {
    await rowOf('a lamp').getByRole('button', { name: /^Details/ }).click();
    match(await dialog().textContent(), /Created by .*Failed/s);
    deepEqual(await boss.axe(), []);
    await page.keyboard.press('Escape');
    await closed();
});
await check('a running generation is cancelled, and its credits are released', async () => {
    held.api('POST', '/api/custom-prompt/generate', { prompt: `a slow boat ${tag} {{poll-gate=${tag}}}` }).catch(() => {});
    await until(async () => (await held.credits())[1] > 0);
    await panel('jobs');
    await rowOf('a slow boat').getByRole('button', { name: /^Cancel/ }).click();
    await write('Reason', 'too slow');
    await press('Cancel');
    await closed();
    await until(async () => (await held.credits())[1] === 0);
    await openGate(tag);
});
await check('a charge is given back', async () => {
    await panel('jobs');
    await rowOf('a bridge').getByRole('button', { name: /^Details/ }).click();
    await dialog().getByRole('button', { name: /^Refund/ }).click();
    await write('Reason', 'not as wished');
    await press('Refund');
    await closed(1);
    await until(async () => (await rich.credits())[0] === 20);
    await page.keyboard.press('Escape');
});
await check('a picture is taken down, and gone', async () => {
    await panel('jobs');
    const url = await rowOf('a harbour').locator('img').getAttribute('src');
    equal((await fetch(new URL(url, site))).status, 200);
    await rowOf('a harbour').getByRole('button', { name: /^Details/ }).click();
    await dialog().getByRole('button', { name: /^Remove picture/ }).click();
    await write('Reason', 'a <b>court</b> said so');
    await press('Remove picture');
    await closed();
    await until(async () => await rowOf('a harbour').locator('img').count() === 0);
    equal((await fetch(new URL(url, site), { cache: 'no-store' })).status, 404);
    await rowOf('a harbour').getByRole('button', { name: /^Details/ }).click();
    match(await dialog().textContent(), /Picture removed/);
    await page.keyboard.press('Escape');
    await closed();
});
await check('CSV has what the table shows', async () => {
    const jobs = await panel('jobs');
    const text = await csvOf(jobs);
    match(text, /^Time,User,Type,State,/);
    match(text, /\r\n$/);
    match(text, /,"[^"]*, =cmd a bridge/);
});

// ---- users ----

await check('Users has every account, names as they are', async () => {
    const users = await panel('users');
    for (const name of HOSTILE) await users.getByText(name, { exact: true }).waitFor();
    equal(await users.locator('img').count(), 0);
    equal(await page.title(), 'Users - Administration');
});
await boss.sound('Users');
await check('... and CSV quotes them, and leaves a spreadsheet nothing to run', async () => {
    const lines = (await csvOf(page.locator('gf-users'))).split('\r\n');
    for (const start of ["'=cmd|calc,3,", "'@sum,3,", `"""quoted"", 'twice'",3,`, '<img src=x onerror=document.title=1>,3,']) {
        ok(lines.some((line) => line.startsWith(start)), start);
    }
});
await check('an account of a name with slashes and signs is opened', async () => {
    await rowOf('a/b c?d#e%2f').getByRole('button', { name: /^Details/ }).click();
    await dialog().locator('dt', { hasText: 'Balance' }).waitFor();
    match(await dialog().getByRole('heading', { level: 2 }).textContent(), /a\/b c\?d#e%2f/);
    await page.keyboard.press('Escape');
    await closed();
});
await check('a name that would be another address is refused, and asks nothing of the server', async () => {
    const asked = [];
    page.on('request', (request) => asked.push(`${request.method()} ${request.url()}`));
    await rowOf('../jobs').getByRole('button', { name: /^Details/ }).click();
    await page.locator('.toast', { hasText: 'cannot be used in an address' }).waitFor();
    deepEqual(asked, []);
});
await check('a user is found by name', async () => {
    const users = await panel('users');
    await users.getByRole('textbox', { name: /^User/ }).fill(user('held'));
    await until(async () => await users.locator('tbody tr').count() === 1);
    await users.getByRole('textbox', { name: /^User/ }).fill('nobody at all');
    await users.getByRole('alert').waitFor();
    match(await users.getByRole('alert').textContent(), /NOT_FOUND/);
});
await check('a grant counts once per reference', async () => {
    await panel('users');
    for (const amount of ['7', '7']) {
        await rowOf(user('rich')).getByRole('button', { name: /^Grant/ }).click();
        await dialog().getByLabel(/^Credits/).fill(amount);
        await write('Reason', 'a gift of the page');
        await dialog().getByLabel(/^Reference/).fill(`gift ${tag}`);
        await press('Grant credits');
        await closed();
    }
    deepEqual(await rich.credits(), [27, 0]);
});
await check('what is refused stays in the dialog with its reason', async () => {
    await rowOf(user('held')).getByRole('button', { name: /^Grant/ }).click();
    await dialog().getByLabel(/^Credits/).fill('-1000');
    await write('Reason', 'too much');
    await press('Grant credits');
    await until(async () => /INSUFFICIENT_CREDITS/.test(await dialog().getByRole('alert').textContent()));
    await page.keyboard.press('Escape');
    await closed();
});
await check('an account has its ledger and its holds', async () => {
    await rowOf(user('rich')).getByRole('button', { name: /^Details/ }).click();
    const gift = dialog().locator('tr', { hasText: 'a gift of the page' });
    await gift.waitFor();
    match(await gift.textContent(), new RegExp(`grant7.*gift ${tag}`));
    equal(await dialog().getByRole('alert').count(), 0);
    await page.keyboard.press('Escape');
    await closed();
});
await check('an account is blocked and limited', async () => {
    await rowOf(user('held')).getByRole('button', { name: /^Details/ }).click();
    await dialog().locator('dt', { hasText: 'Balance' }).waitFor();
    await dialog().getByRole('button', { name: /^Limits/ }).click();
    await dialog().getByLabel(/^Credits a day/).fill('9');
    await write('Reason', 'limits <b>of</b> the page');
    await press('Save');
    await closed(1);
    await dialog().getByRole('button', { name: /^Block/ }).click();
    await write('Reason', 'strange requests');
    await press('Block');
    await closed(1);
    await dialog().getByRole('button', { name: /^Unblock/ }).waitFor();
    deepEqual(await boss.axe(), []);
    await page.keyboard.press('Escape');
});

// ---- presets ----

await check('Presets are shown with a picture, added, edited', async () => {
    const presets = await panel('presets');
    ok(await presets.locator('td canvas[role=img]').count() > 5);
    await presets.getByRole('button', { name: /^Add a preset/ }).click();
    await write('Type', 'presets');
    await write('Key', 'snow');
    await write('Label', 'Snow <i>');
    await write('Category', 'weather');
    await write('Prompt', 'in snow');
    await write('Reason', 'added by the page');
    await press('Add a preset');
    await closed();
    await rowOf('Snow <i>').getByRole('button', { name: /^Edit/ }).click();
    await write('Prompt', 'in <b>deep</b> snow');
    await dialog().getByLabel('Active').uncheck();
    await write('Reason', 'edited by the page');
    await press('Save');
    await closed();
    await until(async () => /deep/.test(await rowOf('Snow <i>').textContent()));
});
await boss.sound('Presets');

// ---- keys ----

await check('a key is made, shown once, and revoked', async () => {
    const keys = await panel('keys');
    for (const name of ['ci <s>', 'other']) {
        await keys.getByRole('button', { name: /^Create key/ }).click();
        await write('User', user('rich'));
        await write('Name', name);
        if (name === 'other') deepEqual(await boss.axe(), []);
        else await write('Reason', 'made by the page');
        await press('Create key');
        const code = dialog().locator('code.key');
        await code.waitFor();
        match(await code.textContent(), /^gf_/);
        equal((await fetch(`${site}/admin/keys`, { headers: { authorization: `Bearer ${await code.textContent()}` } })).status, 401);
        await page.keyboard.press('Escape');
        await closed();
        await keys.locator('tr', { hasText: name }).waitFor();
        await until(async () => !(await page.content()).includes('gf_'));
    }
    await keys.locator('tr', { hasText: 'ci <s>' }).getByRole('button', { name: /^Revoke/ }).click();
    await write('Reason', 'lost');
    await press('Revoke');
    await closed();
    await until(async () => await keys.getByRole('button', { name: /^Revoke/ }).count() === 1);
});
await boss.sound('Keys');

// ---- money and audit ----

await check('Money has a chart for each question, with a table behind it', async () => {
    const money = await panel('money');
    const chart = money.locator('gf-chart').first();
    await chart.getByRole('img', { name: /Credits over time.*Charged [0-9]/ }).waitFor();
    ok(await chart.locator('svg[role=img] rect').count() >= 4);
    const width = () => chart.locator('gf-table').evaluate((one) => one.getBoundingClientRect().width);
    ok(await width() <= 1, 'the table is out of sight');
    const toggle = chart.getByRole('button', { name: /^Show numbers/ });
    await toggle.press('Enter');
    equal(await toggle.getAttribute('aria-expanded'), 'true');
    ok(await width() > 100, 'the table is in sight');
    match(await csvOf(chart), /^Name,Held,Charged,Released,Granted\r\n20.*(?:\r\n.*){29,}$/);
    const labels = await money.locator('svg[role=img]').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
    match(labels.join('\n'), /Cost of providers EUR\. Provider cost 0\.07/);
    match(await money.locator('dl').textContent(), /Margin-?[0-9.]+ EUR/);
});
await boss.sound('Money');
await check('... by day or hour, and by type', async () => {
    const money = page.locator('gf-money');
    const asked = page.waitForRequest(/money\?.*per=hour/);
    await money.getByLabel('Per').selectOption('hour');
    match((await asked).url(), /from=\d{4}-\d\d-\d\dT00%3A00%3A00.000Z&to=/);
    await until(async () => await money.locator('gf-chart svg[role=img]').first().locator('rect').count() > 4 * 100);
    equal(await money.getByRole('alert').count(), 0);
});
await check('... and days are those of UTC, wherever the administrator is', async () => {
    const west = await person('boss', { timezoneId: 'America/Los_Angeles', expected: boss.expected });
    const money = await panel('money', west.page);
    const last = `${await money.getByLabel('To').inputValue()}T00:00:00Z`;
    const name = await west.page.evaluate((at) => new Intl.DateTimeFormat('en', { dateStyle: 'short', timeZone: 'UTC' }).format(new Date(at)), last);
    equal(await money.locator('gf-chart').first().locator('.end').textContent(), name);
    equal(await money.getByRole('group', { name: 'All rows' }).locator('time').last().textContent(), name);
    await west.leave();
});
await check('Stores has where pictures are, and their moves', async () => {
    const stores = await panel('stores');
    match(await stores.locator('dl').textContent(), /folder \/generated\/.*s3 http/s);
    match(await rowOf('presets').textContent(), /Running.*2 of 3.*HTTP 403 <b>/s);
    deepEqual(await boss.axe(), []);
    await rowOf('presets').getByRole('button', { name: /^Stop/ }).click();
    await write('Reason', 'it <b>hangs</b>');
    await press('Stop');
    await closed();
    await until(async () => /Stopped/.test(await rowOf('presets').textContent()));
    match(await csvOf(stores), /presets,stopped,2,3,0,0/);
});
await check('a move begins, and is done', async () => {
    await page.getByRole('button', { name: /^Move pictures/ }).click();
    await dialog().getByLabel(/^Type/).fill('neo-glitch');
    await dialog().getByLabel(/^Keep old copies/).fill('2');
    await write('Reason', 'a full disk');
    await press('Move pictures');
    await closed();
    await until(async () => /Done/.test(await rowOf('neo-glitch').textContent()));
});
await check('Audit has who did what, and why', async () => {
    for (const reason of FORMULAS) {
        const gift = await boss.api('POST', '/admin/credits', { userId: `formulas of ${tag}`, amount: 1, reason, reference: `${tag} ${reason}` });
        equal(gift.applied, true, JSON.stringify(gift));
    }
    const audit = await panel('audit');
    match(await audit.locator('tbody').textContent(), /takedown.*a <b>court<\/b> said so/);
    equal(await audit.locator('td b').count(), 0);
    const text = await csvOf(audit);
    for (const reason of FORMULAS) ok(text.includes(`'${reason}`), reason);
});
await boss.sound('Audit');

// ---- looks ----

const other = await person('boss', { size: 'phone', dark: true, language: 'ja', calm: true, expected: boss.expected });
for (const name of ['now', 'jobs', 'users', 'presets', 'keys', 'stores']) {
    await check(`on a phone: ${name}`, async () => {
        await panel(name, other.page);
        equal(await other.page.evaluate(() => /\b(?:col|field|panel)\.[a-z]/i.test(document.body.innerText)), false);
    });
    await other.sound(`on a phone: ${name}`);
}
await other.leave();
await check('the keyboard reaches a panel', async () => {
    await panel('now');
    await page.locator('#panels a', { hasText: 'Users' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('gf-users gf-table').waitFor();
    equal(await page.evaluate(() => document.activeElement.id), 'panel');
});
await boss.leave();
done();
