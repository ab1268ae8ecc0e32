// SPDX-License-Identifier: Apache-2.0
// Cuts out of a provider's OpenAPI document what this module calls, for Prism to hold us to it. What
// would keep Prism from that is said otherwise: in a 3.1 document it skips in silence a schema that
// says `nullable`, a word of 3.0; and `oneOf` stands where alternatives overlap, where it is `anyOf`.
//
//   node document.mjs KIND FOLDER OUT SOURCE      a path or an address; prints what it is, or why
//                                                 it cannot be read (exit 3)

import fs from 'node:fs';
import { createRequire } from 'node:module';

const [kind, folder, out, source] = process.argv.slice(2);
const yaml = createRequire(`${folder}/node_modules/`)('js-yaml');
const CALLED = {
    openai: /^\/images\/(generations|edits)$/,
    replicate: /^(\/models\/[^/]+\/[^/]+)?\/predictions(\/[^/]+(\/cancel)?)?$/,
}[kind];

async function read() {
    if (!/^https?:/.test(source)) return fs.readFileSync(source, 'utf8');
    const answer = await fetch(source, { signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return answer.text();
}

function plain(node) {
    if (Array.isArray(node)) return node.map(plain);
    if (node === null || typeof node !== 'object') return node;
    const { nullable, oneOf, ...rest } = Object.fromEntries(
        Object.entries(node).map(([name, value]) => [name, plain(value)]));
    if (oneOf) rest.anyOf = oneOf;
    return nullable === true ? { anyOf: [rest, { type: 'null' }] } : rest;
}

// Paths that are called, and the components that these need.
function slice(document) {
    const paths = Object.fromEntries(
        Object.entries(document.paths).filter(([path]) => CALLED.test(path)));
    const components = { securitySchemes: document.components.securitySchemes ?? {} };
    const copy = (node) => {
        for (const value of Object.values(node ?? {})) {
            if (value !== null && typeof value === 'object') copy(value);
        }
        const [, part, name] = /^#\/components\/([^/]+)\/([^/]+)/.exec(node?.$ref ?? '') ?? [];
        if (!part || components[part]?.[name]) return;
        components[part] ??= {};
        components[part][name] = document.components[part][name];
        copy(components[part][name]);
    };
    copy(paths);
    const { openapi, info, security } = document;
    return { openapi, info, ...(security ? { security } : {}), paths, components };
}

try {
    const document = yaml.load(await read());
    const cut = slice(document);
    fs.writeFileSync(out, JSON.stringify(cut.openapi < '3.1' ? cut : plain(cut)));
    console.log(`${document.info.title} ${document.info.version}`);
} catch (error) {
    console.log(`${source}: ${error.cause?.code ?? error.message}`);
    process.exitCode = 3;
}
