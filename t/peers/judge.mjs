// SPDX-License-Identifier: Apache-2.0
// A provider's own package as the judge of what this module sends. It stands between httpd and the
// fake provider, passes on what is right and answers 4xx to what is wrong, and reports ended runs
// with signatures that are not of our making: first one that was tampered with, then the genuine.
// For cloudinary it is the store itself.
//
//   node judge.mjs KIND FOLDER UPSTREAM     FOLDER has node_modules; the first line is the port
//
// GET /_seen: {"right": N, "wrong": [reason], "reports": {"tampered": [status], "genuine": ...}}

import assert from 'node:assert';
import crypto from 'node:crypto';
import http from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const [kind, folder, upstream] = process.argv.slice(2);
const require = createRequire(`${folder}/node_modules/`);
const seen = { right: 0, wrong: [], reports: { tampered: [], genuine: [] } };
const REPORT_AFTER = 200; // ms
const REPORT_TRIES = 50;

// ---- judges: check(request) says what is wrong, or nothing; report(request, answer) says how the
// ---- end of a run is reported; pages are answers of their own

// A check of bodies by a type of bodies.ts: path => type.
function byTypes(types) {
    const { createGenerator } = require('ts-json-schema-generator');
    const ajv = new (require('ajv').default)({ strict: false, allErrors: true });
    const source = { path: `${folder}/bodies.ts`, skipTypeCheck: true };
    const valid = {};
    for (const [path, type] of Object.entries(types)) {
        valid[path] = ajv.compile(createGenerator({ ...source, type }).createSchema(type));
    }
    return (request) => {
        if (request.method !== 'POST') return undefined;
        const check = valid[request.url.pathname];
        if (!check) return `nothing is known at ${request.url.pathname}`;
        if (check(JSON.parse(request.body))) return undefined;
        return check.errors.map((e) => `${e.message} ${JSON.stringify(e.params)}`).join(', ');
    };
}

function fal() {
    const { publicKey, privateKey } = crypto.generateKeyPairSync('ed25519');
    return {
        check: byTypes({
            '/fal-ai/fast-sdxl': 'FastSdxl',
            '/fal-ai/realistic-vision': 'RealisticVision',
            '/fal-ai/ghiblify': 'Ghiblify',
        }),
        pages: { '/jwks.json': { keys: [publicKey.export({ format: 'jwk' })] } },
        report(request, answer) {
            const time = String(Math.floor(Date.now() / 1000));
            const { request_id } = answer;
            const body = JSON.stringify({ request_id, status: 'OK', payload: null,
                                          payload_error: 'it is fetched' });
            const digest = crypto.createHash('sha256').update(body).digest('hex');
            const text = Buffer.from([request_id, 'user-1', time, digest].join('\n'));
            return {
                hook: request.url.searchParams.get('fal_webhook'),
                body,
                headers: {
                    'X-Fal-Webhook-Request-Id': request_id,
                    'X-Fal-Webhook-User-Id': 'user-1',
                    'X-Fal-Webhook-Timestamp': time,
                    'X-Fal-Webhook-Signature': crypto.sign(null, text, privateKey).toString('hex'),
                },
            };
        },
    };
}

function openai() {
    return { check: byTypes({ '/images/generations': 'OpenAiImage' }) };
}

// Does a value fit a type of bodies.ts of which no JSON Schema can be made? The compiler's word, or
// nothing.
function misfit(type, value) {
    const ts = require('typescript');
    const name = `${folder}/value.ts`;
    const text = `export const value: import('./bodies').${type} = ${JSON.stringify(value)};`;
    const options = { noEmit: true, strict: true, skipLibCheck: true, types: [] };
    const host = ts.createCompilerHost(options);
    const read = host.getSourceFile;
    host.getSourceFile = (path, ...more) =>
        path === name ? ts.createSourceFile(path, text, ...more) : read(path, ...more);
    const program = ts.createProgram([name], options, host);
    const [first] = program.getSemanticDiagnostics(program.getSourceFile(name));
    return first && ts.flattenDiagnosticMessageText(first.messageText, ' ');
}

// The official client makes the same request: what its types allow, and it sends then, has to come.
function replicate() {
    const Replicate = require('replicate');
    const { Webhook } = require('standardwebhooks');
    const webhook = new Webhook(process.env.PEERS_HOOK_SECRET);
    const create = (client, options) => {
        assert.equal(misfit('Prediction', options), undefined);
        return client.predictions.create(options);
    };
    const calls = [
        [/^POST \/models\/(.+)\/predictions$/, (client, model, sent) =>
            create(client, { ...sent, model })],
        [/^POST \/predictions$/, (client, _, sent) => create(client, sent)],
        [/^POST \/predictions\/(\w+)\/cancel$/, (client, id) => client.predictions.cancel(id)],
        [/^GET \/predictions\/(\w+)$/, (client, id) => client.predictions.get(id)],
    ];
    async function compare(request) {
        const line = `${request.method} ${request.url.pathname}`;
        const [pattern, call] = calls.find(([known]) => known.test(line));
        const body = (text) => (text ? JSON.parse(text) : '');
        let official;
        const fetch = (url, init) => {
            official = { line: `${init.method} ${new URL(url).pathname}`, body: body(init.body),
                         scheme: new Headers(init.headers).get('authorization').split(' ')[0] };
            return Response.json({});
        };
        const client = new Replicate({ auth: 'key', baseUrl: 'http://replicate', fetch });
        await call(client, line.match(pattern)[1], body(request.body));
        const scheme = request.headers.authorization.split(' ')[0];
        assert.deepStrictEqual({ line, body: body(request.body), scheme }, official);
    }
    return {
        check: (request) => compare(request).catch((error) => error.message.replace(/\s+/g, ' ')),
        report(request, answer) {
            const body = JSON.stringify({ ...answer, status: 'succeeded' });
            const id = `msg_${answer.id}`;
            const time = new Date();
            return {
                hook: request.body && JSON.parse(request.body).webhook,
                body,
                headers: {
                    'webhook-id': id,
                    'webhook-timestamp': String(Math.floor(time / 1000)),
                    'webhook-signature': webhook.sign(id, time, body),
                },
            };
        },
    };
}

function cloudinary() {
    const { api_sign_request: sign } = require('cloudinary').v2.utils;
    const secret = process.env.STORE_SECRET;
    const pages = {};
    let version = Math.floor(Date.now() / 1000);
    return {
        pages,
        async check(request) {
            if (!/^\/v1_1\/demo\/image\/upload$/.test(request.url.pathname)) return 'no upload';
            const form = await new Response(request.bytes, { headers: request.headers }).formData();
            const { file, signature, api_key: key, ...signed } = Object.fromEntries(form);
            if (key !== process.env.STORE_KEY) return 'another key';
            if (signature !== sign(signed, secret)) return 'another signature than the SDK\'s';
            const { public_id } = signed;
            const path = `/demo/image/upload/v${++version}/${public_id}.png`;
            pages[path] = Buffer.from(await file.arrayBuffer());
            request.answer = { public_id, version, bytes: pages[path].length, format: 'png',
                               secure_url: `http://${request.headers.host}${path}`,
                               signature: sign({ public_id, version }, secret, null, 1) };
            return undefined;
        },
    };
}

// ---- the server ----

const judge = { fal, openai, replicate, cloudinary }[kind]();

async function pass(request) {
    const { host, connection, expect, 'content-length': length, ...headers } = request.headers;
    const body = request.bytes.length ? request.bytes : undefined;
    const target = upstream + request.url.pathname + request.url.search;
    const answer = await fetch(target, { method: request.method, headers, body });
    return [answer.status, Buffer.from(await answer.arrayBuffer())];
}

async function notify({ hook, body, headers }) {
    for (const [what, text] of [['tampered', `${body} `], ['genuine', body]]) {
        let status = 503; // as long as it has not fetched our keys
        for (let i = 0; status === 503 && i < REPORT_TRIES; i++) {
            await sleep(REPORT_AFTER);
            status = (await fetch(hook, { method: 'POST', body: text,
                headers: { ...headers, 'Content-Type': 'application/json' } })).status;
        }
        seen.reports[what].push(status);
    }
}

async function serve(request) {
    const page = request.url.pathname === '/_seen' ? seen : judge.pages?.[request.url.pathname];
    if (page) return [200, Buffer.isBuffer(page) ? page : JSON.stringify(page)];
    const wrong = await judge.check(request);
    if (wrong) {
        seen.wrong.push(wrong);
        return [422, JSON.stringify({ error: { message: wrong } })];
    }
    seen.right++;
    if (request.answer) return [200, JSON.stringify(request.answer)];
    const [status, bytes] = await pass(request);
    const report = request.method === 'POST' && judge.report?.(request, JSON.parse(bytes));
    if (report?.hook) notify(report).catch((error) => seen.wrong.push(`report: ${error.message}`));
    return [status, bytes];
}

const server = http.createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const request = { method: req.method, headers: req.headers, bytes, body: bytes.toString(),
                      url: new URL(req.url, 'http://judge') };
    const [status, body] = await serve(request).catch((error) => {
        seen.wrong.push(`the judge stumbled: ${error.stack}`);
        return [500, '{}'];
    });
    res.writeHead(status, { 'Content-Type': Buffer.isBuffer(judge.pages?.[request.url.pathname])
        ? 'image/png' : 'application/json' });
    res.end(body);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
