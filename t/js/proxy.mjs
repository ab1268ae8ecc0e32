// SPDX-License-Identifier: Apache-2.0
// A proxy before the site that loses, breaks and delays what a check orders, for one user each, so that
// checks do not disturb one another. Pages and checks are served through it, too: all is one origin.
//
//   POST /_proxy/order {user, match, skip, times, how}   for the `times` requests of that user which match
//                      (a regular expression over "METHOD /path?query") after the first `skip` of them:
//       answer         the site gets the request, the client no response
//       request        not even the site gets it
//       half           half of the response, then the end of the connection
//       hang           the site gets it, and the client never hears of it
//       page, login    the site gets it, and the client a proxy's HTML page (502), or a redirect to one
//       lie            the same page under 200
//       broken         the response without its last half, but as if it were whole
//       401, 429, 503  that status by itself; 429 with Retry-After: 7
//   POST /_proxy/offline {user, offline}     all connections of the user end, and no new ones are answered
//   POST /_proxy/token {user, token}         requests without that X-Token get 401
//   GET  /_proxy/log?user=                   the requests of that user: {method, path, key, status}
//   GET  /_proxy/open?user=&path=            how many requests of that user and path are open
//   GET  /_fake/..., /_site/...              the fake provider, and the site without all that
import http from 'node:http';

const PAGE = '<!DOCTYPE html><title>502</title><h1>Bad Gateway</h1>';

/** Starts it: {url, close()}. */
export async function startProxy(site, fake) {
    const users = new Map();
    const of = (name) => users.get(name) ?? users.set(name, { orders: [], log: [], open: new Set() }).get(name);
    const server = http.createServer((request, response) => {
        const url = new URL(request.url, 'http://proxy');
        if (url.pathname.startsWith('/_proxy/')) return control(of, url, request, response);
        const [, past, rest] = /^\/_(fake|site)(\/.*)$/.exec(request.url) ?? [];
        if (past) {
            request.url = rest;
            return pass(past === 'fake' ? fake : site, request, (answer) => {
                response.writeHead(answer.statusCode, answer.headers);
                answer.pipe(response);
            });
        }
        return serve(site, of(request.headers['x-user'] ?? ''), request, response);
    });
    server.keepAliveTimeout = 60_000;
    await new Promise((go) => server.listen(0, '127.0.0.1', go));
    return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

async function control(of, url, request, response) {
    const text = await new Promise((go) => {
        let body = '';
        request.on('data', (part) => { body += part; }).on('end', () => go(body));
    });
    const sent = text ? JSON.parse(text) : Object.fromEntries(url.searchParams);
    const user = of(sent.user);
    let says = null;
    if (url.pathname === '/_proxy/order') user.orders.push({ skip: 0, times: 1, ...sent });
    else if (url.pathname === '/_proxy/token') user.token = sent.token;
    else if (url.pathname === '/_proxy/log') says = user.log;
    else if (url.pathname === '/_proxy/open') says = [...user.open].filter(({ path }) => path.startsWith(sent.path)).length;
    else {
        user.offline = sent.offline;
        if (sent.offline) user.open.forEach(({ socket }) => socket.destroy());
    }
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(says));
}

function serve(site, user, request, response) {
    const line = `${request.method} ${request.url}`;
    const entry = { method: request.method, path: request.url, key: request.headers['idempotency-key'] ?? null, status: 0 };
    const open = { path: request.url, socket: request.socket };
    user.log.push(entry);
    if (user.offline) return request.socket.destroy();
    user.open.add(open);
    response.on('close', () => user.open.delete(open));
    const how = howOf(user, line);
    const own = user.token && request.headers['x-token'] !== user.token ? '401' : how;
    if (own === 'request') return request.socket.destroy();
    if (/^\d+$/.test(own)) return refuse(Number(own), entry, request, response);
    if (own !== 'pass') delete request.headers['if-none-match']; // what is treated has a body
    const upstream = pass(site, request, (answer) => {
        entry.status = answer.statusCode;
        return treat(own, answer, request, response);
    });
    upstream.on('error', () => request.socket.destroy());
    response.on('close', () => upstream.destroy());
    return undefined;
}

/** What an order says about this request. */
function howOf(user, line) {
    const order = user.orders.find(({ match, times }) => times > 0 && new RegExp(match).test(line));
    if (!order) return 'pass';
    if (order.skip > 0) {
        order.skip -= 1;
        return 'pass';
    }
    order.times -= 1;
    return order.how;
}

function refuse(status, entry, request, response) {
    entry.status = status;
    request.resume();
    const code = { 401: 'AUTHENTICATION_REQUIRED', 429: 'RATE_LIMIT', 503: 'DATABASE_UNAVAILABLE' }[status];
    response.writeHead(status, { 'Content-Type': 'application/json', ...(status === 429 ? { 'Retry-After': '7' } : {}) })
        .end(JSON.stringify({ success: false, ok: false, error: code, code, message: 'refused', requestId: 'r1' }));
}

function pass(to, request, done) {
    const { hostname, port } = new URL(to);
    const upstream = http.request({ hostname, port, method: request.method, path: request.url, headers: request.headers }, done);
    request.pipe(upstream);
    return upstream;
}

async function treat(how, answer, request, response) {
    if (how === 'pass') {
        response.writeHead(answer.statusCode, answer.headers);
        response.flushHeaders();
        answer.pipe(response);
        return;
    }
    const stream = answer.headers['content-type']?.startsWith('text/event-stream');
    const parts = [];
    if (stream) answer.destroy();
    else for await (const part of answer) parts.push(part);
    const body = Buffer.concat(parts);
    if (how === 'hang') return;
    if (how === 'answer') request.socket.destroy();
    else if (how === 'half') {
        response.writeHead(answer.statusCode, answer.headers);
        response.write(body.subarray(0, body.length / 2), () => request.socket.destroy());
    } else if (how === 'broken') {
        response.writeHead(answer.statusCode, { 'Content-Type': 'application/json' }).end(body.subarray(0, body.length / 2));
    } else if (how === 'login') response.writeHead(302, { Location: '/login' }).end();
    else response.writeHead(how === 'lie' ? 200 : 502, { 'Content-Type': 'text/html' }).end(PAGE);
}
