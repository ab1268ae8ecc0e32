// SPDX-License-Identifier: Apache-2.0
// The sign-in of the site, by a form or by OpenID (GENFLOW_SIGNIN), ends while the page is open: it asks, and repeats
// its request under the same key.
import { createHmac, randomUUID } from 'node:crypto';
import http from 'node:http';

import { check, deepEqual, done, equal, match, site, submissions, user } from '../clients/check.mjs';
import { person } from './browser.mjs';

const tag = `a${process.pid}`;
const isForm = process.env.GENFLOW_SIGNIN === 'form';
if (!isForm) await identityProvider(process.env.GENFLOW_ISSUER, process.env.GENFLOW_SECRET);

// The browser asks for the icon after the page: where the sign-in has ended meanwhile, it is led to the identity's provider.
const icon = [/Loading the image '[^']*\/authorize\?/, /CSP: img-src \S*\/studio\/icon\.webp /];
const guest = await person('guest', { password: null, expected: [/status of 40[13]/, /autocomplete/, ...icon] });
const { page, context } = guest;
const priced = () => page.waitForResponse((response) => response.url().includes('dryRun'));

// What the person does where the site leads who is not signed in.
async function signIn(tab) {
    if (isForm) {
        await tab.getByLabel('User').fill(user('guest'));
        await tab.getByLabel('Password').fill('secret');
        await Promise.all([tab.waitForURL(`${site}/`), tab.getByRole('button', { name: 'Sign in' }).click()]);
    } else {
        await tab.locator('.type').first().waitFor().catch(async () => {       // the provider knows the person
            throw new Error(`${tab.url()}: ${await tab.locator('body').innerText()}`);
        });
    }
}
// The sign-in in a tab of its own, by the link of the page, and back.
async function signInElsewhere(place) {
    const [tab] = await Promise.all([context.waitForEvent('page'), place.getByRole('link', { name: 'Sign in' }).click()]);
    await signIn(tab);
    await tab.close();
}
const known = (path) => page.evaluate((url) => fetch(url, { headers: { accept: 'application/json' } })
    .then((answer) => answer.json()), path);
const credits = async () => {
    const { currentBalance, held } = await known('/api/getQuota');
    return [currentBalance, held];
};

await check('who is not signed in is led to the sign-in, and from there to the page', async () => {
    await page.goto(`${site}/studio/`);
    if (isForm) equal(new URL(page.url()).pathname, '/login.html');
    await signIn(page);
    await guest.visit();
    await page.locator('#balance', { hasText: '20' }).waitFor();
    equal(await page.locator('#who').textContent(), user('guest'));
});
await check('a sign-in that has ended is asked for, and the request is made once', async () => {
    const asked = priced();
    await page.locator('input[value="neo-glitch"]').check();
    await page.locator('#prompt').fill(`a closed gate ${tag}`);
    await asked;
    await context.clearCookies();
    await page.locator('#generate').click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    match(await dialog.textContent(), /sign-in has expired/);
});
await guest.sound('the sign-in has ended');
await check('after the new sign-in the page goes on', async () => {
    const dialog = page.getByRole('dialog');
    await signInElsewhere(dialog);
    await dialog.locator('.primary').click({ timeout: 2000 }).catch(() => {});      // it may have gone by itself
    await (await guest.card('completed')).locator('.media img').waitFor();
    deepEqual(await credits(), [19, 0]);
    equal((await known('/api/generations')).items.length, 1);
    equal(await submissions(tag), 1);
});
await check('in mid-generation, too: Cancel asks, and cancels', async () => {
    await guest.request('custom-prompt', `a long way ${tag} {{poll-gate=${tag}-never}}`);
    const card = page.locator('gf-card', { hasText: 'a long way' });
    await card.locator('.state', { hasText: 'Generating... (replicate)' }).waitFor();
    await context.clearCookies();
    const cancel = card.getByRole('button', { name: 'Cancel' });
    const dialog = page.getByRole('dialog');
    await cancel.click({ timeout: 2000 }).catch(() => {});          // or another request has asked before
    await dialog.waitFor();
    await signInElsewhere(dialog);
    await dialog.locator('.primary').click({ timeout: 2000 }).catch(() => {});
    await cancel.click({ timeout: 2000 }).catch(() => {});
    await page.locator('gf-card[data-status="cancelled"]').waitFor();
    deepEqual(await credits(), [19, 0]);
});
await check('a page that begins without a sign-in says so, and leads there', async () => {
    await page.route('**/en.json', async (route) => {
        const response = await route.fetch();
        await context.clearCookies();
        await route.fulfill({ response });
    }, { times: 1 });
    await page.goto(`${site}/studio/`);
    await page.locator('#trouble', { hasText: 'You are not signed in' }).waitFor();
});
await guest.sound('not signed in');
await check('... and leads there', async () => {
    await page.locator('#trouble').getByRole('link', { name: 'Sign in' }).click();
    await signIn(page);
    await guest.visit();
});
await guest.leave();
done();

// A provider of OpenID Connect whose only person is signed in there already.
async function identityProvider(issuer, secret) {
    const nonces = new Map();
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = (claims) => {
        const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
        return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    };
    const server = http.createServer(async (request, response) => {
        const { pathname, searchParams: asked } = new URL(request.url, issuer);
        if (pathname === '/authorize') {
            const code = randomUUID();
            const back = new URL(asked.get('redirect_uri'));
            nonces.set(code, asked.get('nonce'));
            back.search = new URLSearchParams({ code, state: asked.get('state') });
            response.writeHead(302, { location: back.href }).end();
            return;
        }
        if (pathname.startsWith('/.well-known/')) {
            response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({
                issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys`,
                response_types_supported: ['code'], subject_types_supported: ['public'],
                id_token_signing_alg_values_supported: ['HS256'], token_endpoint_auth_methods_supported: ['client_secret_basic'],
            }));
            return;
        }
        if (pathname === '/keys') {
            response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":[]}');
            return;
        }
        let body = '';
        for await (const bytes of request) body += bytes;
        const client = Buffer.from(String(request.headers.authorization).slice('Basic '.length), 'base64').toString();
        if (decodeURIComponent(client) !== `genflow:${secret}`) {
            response.writeHead(401).end(`another client: ${client}`);
            return;
        }
        const sent = new URLSearchParams(body);
        const now = Math.floor(Date.now() / 1000);
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({
            access_token: 'of-no-use', token_type: 'Bearer', expires_in: 300,
            id_token: token({ iss: issuer, sub: user('guest'), aud: 'genflow', iat: now, exp: now + 300, nonce: nonces.get(sent.get('code')) }),
        }));
    });
    await new Promise((go) => { server.listen(new URL(issuer).port, '127.0.0.1', go); });
}
