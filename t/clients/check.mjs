// SPDX-License-Identifier: Apache-2.0
// What the checks of all clients share. A file of checks is run by Genflow::Clients with these in its
// environment: GENFLOW_SITE (address of httpd), GENFLOW_FAKE (of the fake provider), GENFLOW_KEYS (JSON:
// name -> key) and GENFLOW_USERS (JSON: name -> user).
//
//     import { check, done, site, key, equal } from './check.mjs';
//     await check('a picture comes', async () => { equal(await call(), 'picture') });
//     done();
import assert from 'node:assert/strict';
import net from 'node:net';

export const site = process.env.GENFLOW_SITE;
export const fake = process.env.GENFLOW_FAKE;
const keys = JSON.parse(process.env.GENFLOW_KEYS);
const users = JSON.parse(process.env.GENFLOW_USERS);
const LONGEST = 60_000;                             // ms of one check

export const key = (name) => keys[name];
export const user = (name) => users[name];
export const { deepEqual, ok, match, rejects } = assert;
export const equal = (got, wanted, says) => assert.equal(got, wanted, says);

let made = 0;

// Runs one check and prints it as a line of TAP, with what is wrong below.
export async function check(says, run) {
    let timer;
    made += 1;
    try {
        await Promise.race([run(), new Promise((_, no) => {
            timer = setTimeout(() => no(new Error('it takes too long')), LONGEST);
        })]);
        console.log(`ok ${made} - ${says}`);
    } catch (error) {
        console.log(`not ok ${made} - ${says}`);
        console.log(String(error?.stack ?? error).replaceAll(/^/gm, '# '));
    } finally {
        clearTimeout(timer);
    }
}

export function done() {
    console.log(`1..${made}`);
    process.exit(0);
}

// The error that a call ends with.
export async function failure(promise) {
    try {
        await promise;
    } catch (error) {
        return error;
    }
    throw new Error('it does not fail');
}

// [balance, held] of a user, by the native API.
export async function credits(name) {
    const response = await fetch(`${site}/api/getQuota`, { headers: { 'x-user': user(name) } });
    const quota = await response.json();
    return [quota.currentBalance + quota.held, quota.held];
}

// Is the result a sound PNG?
export async function isPicture(source) {
    const response = source instanceof Uint8Array ? null : await fetch(source);
    const bytes = response ? new Uint8Array(await response.arrayBuffer()) : source;
    deepEqual([...bytes.slice(0, 4)], [0x89, 0x50, 0x4e, 0x47], 'it is a PNG');
}

// Lets the fake provider answer what waits for that gate ({{gate=NAME}}).
export const openGate = (name) => fetch(`${fake}/_open?match=${name}`);

// How many submissions reached the fake provider whose prompt contains the text.
export async function submissions(text) {
    return (await (await fetch(`${fake}/_submissions?match=${encodeURIComponent(text)}`)).json()).length;
}

// What was delivered to an address of the fake receiver, once so much has come.
export async function deliveries(hook, count) {
    const path = new URL(hook).pathname;
    for (let left = 200; ; left -= 1) {
        const came = await (await fetch(`${fake}/_received?match=${path}`)).json();
        if (came.length >= count || left === 0) return came;
        await new Promise((go) => setTimeout(go, 100));
    }
}

// A proxy in front of the site that breaks the connection of each of the first `times` POSTs, once
// `ready` says so: {url, cuts(), close()}. What follows passes at once.
export async function cuttingProxy(times, ready) {
    const { hostname, port } = new URL(site);
    let cuts = 0;
    const server = net.createServer({ pauseOnConnect: true }, async (client) => {
        const upstream = net.connect(Number(port), hostname);
        const both = [client, upstream];
        both.forEach((socket) => socket.on('error', () => {}).on('close', () => both.forEach((one) => one.destroy())));
        upstream.pipe(client);
        client.on('data', async (bytes) => {
            upstream.write(bytes);
            if (bytes.subarray(0, 5).toString() === 'POST ' && cuts < times) {
                cuts += 1;
                await ready(cuts);
                both.forEach((socket) => socket.destroy());
            }
        });
        client.resume();
    });
    await new Promise((go) => server.listen(0, '127.0.0.1', go));
    return { url: `http://127.0.0.1:${server.address().port}`, cuts: () => cuts, close: () => server.close() };
}

// Waits until the condition holds.
export async function until(condition) {
    for (let left = 300; left > 0; left -= 1) {
        if (await condition()) return;
        await new Promise((go) => setTimeout(go, 50));
    }
    throw new Error('it does not come to that');
}
