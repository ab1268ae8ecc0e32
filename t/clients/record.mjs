// SPDX-License-Identifier: Apache-2.0
// Records what a client sends, for the unit tests of front/: a small server answers each call with the
// least that the client goes on with, and what came is printed as JSON. Only the headers that a front
// may read are kept; bodies that are no JSON are in base64.
//
//     node t/clients/record.mjs replicate >t/clients/recorded/replicate.json
//
// A client's calls are in <client>.record.mjs: answer(request) gives {status?, headers?, json}, and
// calls(url) is an object of name -> function.
import http from 'node:http';

const KEPT = ['accept', 'authorization', 'content-type', 'prefer', 'idempotency-key', 'x-stainless-retry-count',
    'x-fal-target-url', 'x-fal-queue-priority', 'x-fal-request-timeout', 'x-fal-object-lifecycle-preference'];

const client = await import(`./${process.argv[2]}.record.mjs`);
const recorded = [];
let call = '';

function kept(headers) {
    return Object.fromEntries(KEPT.filter((name) => name in headers).map((name) => [name, steady(headers[name])]));
}

// What differs from run to run is replaced: boundaries, and names made of the time.
function steady(text) {
    return text.replaceAll(/-{2,}formdata-undici-\d+/g, (at) => at.replace(/\d+/, '000000000000'))
        .replaceAll(/\b(buffer|blob)_\d{13}/g, '$1_0000000000000');
}

function parsed(bytes) {
    try {
        return { body: JSON.parse(bytes) };
    } catch {
        const text = steady(bytes.toString('latin1'));
        return text.length ? { base64: Buffer.from(text, 'latin1').toString('base64') } : {};
    }
}

const server = http.createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const { method, url, headers } = request;
    const bytes = Buffer.concat(parts);
    const came = { call, method, path: url, headers: kept(headers), ...parsed(bytes) };
    recorded.push(came);
    const { status = 200, headers: more = {}, json, text } = client.answer(came, `http://${headers.host}`);
    response.writeHead(status, { 'content-type': 'application/json', ...more });
    response.end(text ?? JSON.stringify(json));
});

server.listen(0, '127.0.0.1', async () => {
    const calls = client.calls(`http://127.0.0.1:${server.address().port}`);
    for (call of Object.keys(calls)) {
        try {
            await calls[call]();
        } catch (error) {               // the client's own, as of its data-uri bug
            process.stderr.write(`${call}: ${error}\n`);
        }
    }
    process.stdout.write(JSON.stringify({ recorded }, null, 1).replaceAll(/127\.0\.0\.1:\d+/g, 'site.test') + '\n');
    server.close();
    process.exit(0);
});
