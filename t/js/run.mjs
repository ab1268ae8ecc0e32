// SPDX-License-Identifier: Apache-2.0
// Runs the checks of a file, in this program or in a headless browser, through the proxy, and prints them as
// TAP:  node t/js/run.mjs node|chromium genflow.checks.js [WORDS of the checks to run]
// Environment: GENFLOW_SITE, GENFLOW_FAKE (addresses), GENFLOW_USERS (JSON: names of fresh accounts),
// GENFLOW_BROWSER (the program). The site serves the checks and genflow.js below /tree.
import { startProxy } from './proxy.mjs';

const [, , where, file, only = ''] = process.argv;
const proxy = await startProxy(process.env.GENFLOW_SITE, process.env.GENFLOW_FAKE);
const users = JSON.parse(process.env.GENFLOW_USERS);

process.on('unhandledRejection', (error) => console.log(`# ${error?.stack ?? error}`));
if (where === 'node') {
    const { run } = await import(`./${file}`);
    await run({ origin: proxy.url, users, only, print: console.log });
} else {
    const { chromium } = await import('../studio/node_modules/playwright-core/index.mjs');
    const browser = await chromium.launch({ executablePath: process.env.GENFLOW_BROWSER, args: ['--no-sandbox'] });
    try {
        const page = await browser.newPage();
        page.on('console', (message) => {
            if (/^Failed to load resource/.test(message.text())) return; // what the checks order
            console.log(message.type() === 'log' ? message.text() : `# ${message.text()}`);
        });
        page.on('pageerror', (error) => console.log(`# ${error.stack}`));
        await page.goto(`${proxy.url}/tree/t/js/page.html`);
        await page.evaluate(async ([name, names, some]) => {
            const { run } = await import(`/tree/t/js/${name}`);
            await run({ origin: location.origin, users: names, only: some, print: console.log });
        }, [file, users, only]);
    } finally {
        await browser.close();
    }
}
process.exit(0);
