// SPDX-License-Identifier: Apache-2.0
// What the checks of the page share: people with a browser, what the browser complains about, axe. A file of checks
// is run by Genflow::Studio.
//
//     import { check, done, equal } from '../clients/check.mjs';
//     import { person } from './browser.mjs';
//     const alice = await person('alice');
//     await check('a page comes', async () => { await alice.visit(); equal(await alice.page.title(), 'Studio') });
//     await alice.leave();            // checks that the console is empty
//     done();
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { chromium } from 'playwright-core';

import { check, deepEqual, site, user } from '../clients/check.mjs';

export const SIZES = {
    desktop: { viewport: { width: 1280, height: 900 } },
    phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
    narrow: { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true },
    zoomed: { viewport: { width: 320, height: 256 } },              // 1280 x 1024 at 400 %
    wide: { viewport: { width: 3840, height: 2160 } },
};

const ICON = /\/favicon\.ico\)$/;                     // Chromium asks for it where it shows a picture or a text alone
const PATIENCE = 20_000;                             // ms until an element is there
const TWICE = 600;                                   // ms within which the page takes a second press for a double click
const AXE = readFileSync(new URL('./node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const browser = await chromium.launch({ executablePath: process.env.GENFLOW_BROWSER });

// Somebody with a browser of their own: an empty storage, the password of the site. Options: size, language, dark,
// calm (reduced motion), forced (colours), password (null: none), init (runs before the page's scripts), settings (of
// Chromium, in a profile and process of their own), and others of Playwright's contexts. `expected`: patterns of messages that the console may have.
export async function person(name, { size = 'desktop', language = 'en', dark, calm, forced, password = 'secret', init, settings,
    expected = [], ...more } = {}) {
    const context = await newContext(settings, {
        ...SIZES[size], locale: language, colorScheme: dark ? 'dark' : 'light', reducedMotion: calm ? 'reduce' : 'no-preference',
        forcedColors: forced ? 'active' : 'none', acceptDownloads: true,
        httpCredentials: password === null ? undefined : { username: user(name), password }, ...more,
    });
    const problems = [];
    await context.addInitScript(() => {
        globalThis.gfLongest = 0;
        new PerformanceObserver((list) => list.getEntries().forEach((one) => {
            globalThis.gfLongest = Math.max(globalThis.gfLongest, one.duration);
        })).observe({ type: 'longtask', buffered: true });
        document.addEventListener('securitypolicyviolation', (event) =>
            console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
    });
    if (init) await context.addInitScript(init);
    context.setDefaultTimeout(PATIENCE);
    context.on('page', (page) => watch(page, problems));
    const page = await context.newPage();
    return new Person({ name, context, page, problems, expected, forced });
}

function newContext(settings, options) {
    if (!settings) return browser.newContext(options);
    const profile = mkdtempSync(`${tmpdir()}/profile-`);
    mkdirSync(`${profile}/Default`);
    writeFileSync(`${profile}/Default/Preferences`, JSON.stringify(settings));
    return chromium.launchPersistentContext(profile, { executablePath: process.env.GENFLOW_BROWSER, ...options });
}

function watch(page, problems) {
    page.on('console', (message) => problems.push(`${message.type()}: ${message.text()} (${message.location().url})`));
    page.on('pageerror', (error) => problems.push(`error: ${error.stack ?? error}`));
}

class Person {
    constructor(parts) {
        Object.assign(this, parts);
    }

    // Opens the page and waits until it is ready for a prompt.
    async visit(path = '/studio/', page = this.page) {
        await page.goto(site + path);
        await page.locator('html[data-ready] .type').first().waitFor();
        return page;
    }

    // Fills in a prompt of a type and presses the button.
    async request(type, prompt, page = this.page) {
        await page.locator(`input[name=type][value="${type}"]`).check();
        await page.locator('#prompt').fill(prompt);
        await page.waitForTimeout(Math.max(0, (this.pressed ?? 0) + TWICE - Date.now()));
        await page.locator('#generate').click();
        this.pressed = Date.now();
    }

    // The newest card, in that state.
    async card(status, page = this.page) {
        const card = page.locator(status ? `gf-card[data-status="${status}"]` : 'gf-card').last();
        await card.waitFor();
        return card;
    }

    // What the browser complained about, without what is expected.
    complaints() {
        return this.problems.filter((one) => ![ICON, ...this.expected].some((pattern) => pattern.test(one)));
    }

    // The violations that axe finds in this state, one line each. The debugger runs its script, so that the
    // page's own Content-Security-Policy stays on.
    async axe(page = this.page) {
        const session = await this.context.newCDPSession(page);
        const evaluate = async (expression) => {
            const { result, exceptionDetails: wrong } = await session.send('Runtime.evaluate',
                { expression, awaitPromise: true, returnByValue: true });
            if (wrong) throw new Error(wrong.exception?.description ?? wrong.text);
            return result.value;
        };
        await evaluate(`${AXE}; null`);
        const options = { resultTypes: ['violations'], rules: { 'color-contrast': { enabled: !this.forced } } };   // the system's colours
        const found = await evaluate(`axe.run(document, ${JSON.stringify(options)}).then((all) => JSON.stringify(all.violations))`);
        await session.detach();
        return JSON.parse(found).flatMap((rule) => rule.nodes.map((node) =>
            `${rule.id}: ${node.target} ${node.html.slice(0, 120)} ${node.failureSummary?.replace(/\s+/g, ' ')}`));
    }

    // One check: axe finds nothing in this state, and nothing overflows sideways.
    async sound(says, page = this.page) {
        await check(`${says}: axe finds nothing`, async () => deepEqual(await this.axe(page), []));
        await check(`${says}: nothing overflows`, async () => {
            const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
            deepEqual(inner <= outer ? [] : [inner, outer], []);
        });
    }

    // An answer of the API, as this person.
    async api(method, path, body) {
        const response = await fetch(site + path, {
            method, body: body && JSON.stringify(body),
            headers: { authorization: `Basic ${btoa(`${user(this.name)}:secret`)}`, ...(body && { 'content-type': 'application/json' }) },
        });
        return response.json();
    }

    // [balance, held]
    async credits() {
        const quota = await this.api('GET', '/api/getQuota');
        return [quota.currentBalance, quota.held];
    }

    // All generations of this person, newest first.
    async generations() {
        return (await this.api('GET', '/api/generations?limit=100')).items;
    }

    // Ends with the check that the console is empty and that no policy was violated.
    async leave() {
        await this.context.close();
        await check(`${this.name}: the console is empty`, async () => deepEqual(this.complaints(), []));
    }
}
