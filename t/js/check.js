// SPDX-License-Identifier: Apache-2.0
// What the checks of genflow.js share, in a page and in a program alike.
//
//     export const run = checks(async ({ check, site }) => {
//         await check('a picture comes', async () => { const user = site.user(); ... });
//     });
const LONGEST = 300_000; // ms of one check: other work may slow the machine down

export const isPage = typeof document !== 'undefined';
export const sleep = (ms) => new Promise((go) => { setTimeout(go, ms); });

export function ok(value, says = 'it is not so') {
    if (!value) throw new Error(says);
}

export function equal(got, wanted, says = '') {
    const [one, two] = [got, wanted].map((value) => JSON.stringify(value));
    if (one !== two) throw new Error(`${says}: got ${one}, wanted ${two}`);
}

/** The error that a promise ends with. */
export async function failure(promise) {
    try {
        await promise;
    } catch (error) {
        return error;
    }
    throw new Error('it does not fail');
}

/** Waits until the condition holds. */
export async function until(condition, says = 'it does not come to that') {
    for (let left = 1800; left > 0; left -= 1) {
        if (await condition()) return;
        await sleep(50);
    }
    throw new Error(says);
}

/** A promise with its end: {promise, resolve}. */
export function gate() {
    let resolve;
    return { promise: new Promise((go) => { resolve = go; }), resolve };
}

/** A window whose address has a name and a password: {window, close()}. */
export async function signedTab() {
    const address = new URL('/tree/t/js/page.html', location.origin);
    [address.username, address.password] = ['alice', 'secret'];
    const window = globalThis.open(address.href);
    await until(() => window.Genflow, 'the tab does not load');
    return { window, close: () => window.close() };
}

/** A tab of the page: {window, close()}. */
export async function tab() {
    const frame = document.body.appendChild(document.createElement('iframe'));
    frame.src = '/tree/t/js/page.html';
    await until(() => frame.contentWindow?.Genflow, 'the tab does not load');
    return { window: frame.contentWindow, close: () => frame.remove() };
}

/** A sessionStorage of its own. */
export function storage() {
    const items = new Map();
    return { getItem: (name) => items.get(name) ?? null, setItem: (name, value) => { items.set(name, value); }, items };
}

/** A clock that a check sets forward: {now, sleep, jump(ms)}. */
export function ownClock() {
    let ahead = 0;
    return { ...fastClock(1), now: () => Date.now() + ahead, jump: (ms) => { ahead += ms; } };
}

/** A clock that runs so many times as fast. */
export const fastClock = (times) => ({
    now: () => Date.now() * times,
    sleep: (ms, signal) => new Promise((go, no) => {
        signal?.throwIfAborted();
        const timer = setTimeout(go, ms / times);
        signal?.addEventListener('abort', () => { clearTimeout(timer); no(signal.reason); }, { once: true });
    }),
});

class Site {
    constructor({ origin, users }) {
        this.origin = origin;
        this.base = `${isPage ? '' : origin}/api`;
        this.users = [...users];
        this.tag = Math.random().toString(36).slice(2);
    }

    /** The name of a user whom no other check has, with 20 credits. */
    user() {
        ok(this.users.length > 0, 'the test must make more users');
        return this.users.shift();
    }

    async ask(path, sent) {
        const response = await fetch(`${this.origin}${path}`, sent && { method: 'POST', body: JSON.stringify(sent) });
        return response.json();
    }

    order(user, how, match, more = {}) {
        return this.ask('/_proxy/order', { user, how, match, ...more });
    }

    offline(user, offline) {
        return this.ask('/_proxy/offline', { user, offline });
    }

    /** The requests of a user through the proxy, whose line matches. */
    async log(user, match = '') {
        const log = await this.ask(`/_proxy/log?user=${user}`);
        return log.filter(({ method, path }) => new RegExp(match).test(`${method} ${path}`));
    }

    /** A name for a gate of the provider, of this run. */
    gate(name) {
        return `${name}-${this.tag}`;
    }

    connections(user, path) {
        return this.ask(`/_proxy/open?user=${user}&path=${encodeURIComponent(path)}`);
    }

    openGate(name) {
        return this.ask(`/_fake/_open?match=${this.gate(name)}`);
    }

    /** How many submissions reached the provider whose prompt contains that. */
    async submissions(text) {
        return (await this.ask(`/_fake/_submissions?match=${encodeURIComponent(text)}`)).length;
    }

    /** What the site says to that user, by no order's way. */
    async direct(user, path) {
        const response = await fetch(`${this.origin}/_site/api/${path}`, { headers: { 'X-User': user } });
        return response.json();
    }

    /** It has so many generations, has paid for so many, and nothing is held. */
    async paid(user, generations, credits = generations) {
        const { items } = await this.direct(user, 'generations');
        const quota = await this.direct(user, 'getQuota');
        equal([items.length, 20 - quota.currentBalance, quota.held], [generations, credits, 0],
            'generations, credits paid, credits held');
    }
}

/** The function that runs the checks of a file, and prints them as TAP. */
export const checks = (all) => async ({ origin, users, print, only = '' }) => {
    const site = new Site({ origin, users });
    let made = 0;
    const check = async (says, run) => {
        let timer;
        if (!says.includes(only)) return;
        made += 1;
        try {
            await Promise.race([run(), new Promise((_, no) => {
                timer = setTimeout(() => no(new Error('it takes too long')), LONGEST);
            })]);
            print(`ok ${made} - ${says}`);
        } catch (error) {
            print(`not ok ${made} - ${says}`);
            print(String(error?.stack ?? error).replaceAll(/^/gm, '# '));
        } finally {
            clearTimeout(timer);
        }
    };
    await all({ check, site });
    print(`1..${made}`);
};
