// SPDX-License-Identifier: Apache-2.0
// For programmers: the request of the form as code, and API keys.

import {
    app, ask, button, copy, date, dialog, failed, foreign, h, isolate, number, row, small, t,
} from './page.js';

// ---- the request as code ----

/** The names by which conf/genflow-fronts.conf makes a type, with the preset that they mean. */
const MODELS = {
    'custom-prompt': { openai: 'gpt-image-1', replicate: 'black-forest-labs/flux-dev' },
    'neo-glitch': { openai: 'neo-glitch', replicate: 'genflow/neo-glitch', preset: 'base' },
};

const quoted = text => `'${text.replaceAll("'", "'\\''")}'`;                 // for a shell
const json = value => JSON.stringify(value, null, 2);

function examples({ type, prompt, presetKey, source, n, parameters }) {
    const { base } = app.config;
    const { origin } = location;
    const address = source && new URL(source.imageUrl
        ?? (typeof source === 'string' ? source : 'https://...'), location.origin).href;
    const body = JSON.stringify({ prompt, presetKey, sourceUrl: address, n, parameters });
    const spec = { type, prompt, presetKey, source: address, n, parameters };
    const names = MODELS[type] ?? {};
    const isNamed = (names.preset ?? null) === (presetKey ?? null);
    return {
        curl: `curl ${quoted(`${base}/${type}/generate`)} \\
  -H "Authorization: Bearer $GENFLOW_KEY" \\
  -H 'Content-Type: application/json' -H "Idempotency-Key: $(uuidgen)" \\
  -d ${quoted(body)}`,
        'genflow.js': `import { Genflow } from './genflow.js';

const gf = new Genflow({
  base: ${json(base)},
  headers: { Authorization: \`Bearer \${process.env.GENFLOW_KEY}\` },
});
const g = await gf.generate(${json(spec)});
console.log(g.imageUrl);`,
        openai: isNamed && !source && `import OpenAI from 'openai';

const openai = new OpenAI({
  baseURL: '${origin}/openai/v1',
  apiKey: process.env.GENFLOW_KEY,
});
const { data } = await openai.images.generate(${json({ model: names.openai, prompt, n })});
console.log(data[0]);`,
        replicate: isNamed && `import Replicate from 'replicate';

const replicate = new Replicate({
  baseUrl: '${origin}/v1',
  auth: process.env.GENFLOW_KEY,
});
const input = ${json({ prompt, image: address, ...parameters })};
const [picture] = await replicate.run('${names.replicate}', { input });
console.log(String(picture));`,
    };
}

export function showCode(spec, cost) {
    const example = ([name, text], at) => h('details', { name: 'code', open: at === 0 },
        h('summary', {}, name),
        text ? [h('pre', { className: 'code', tabIndex: 0, dir: 'ltr', 'aria-label': name }, text),
            h('p', { className: 'row end' }, button('copy', () => copy(text)))]
            : small(t('code.none')));
    dialog(t('code'), h('div', { className: 'field' }, small(t('code.hint', { n: cost ?? 0 })),
        Object.entries(examples(spec)).map(example)));
}

// ---- API keys ----

export async function showKeys() {
    const list = h('ul', { className: 'keys' });
    const name = h('input', {
        id: 'key-name', required: true, maxLength: 100, dir: 'auto', autofocus: true });
    const limit = h('input', { id: 'key-limit', type: 'number', min: '0', inputMode: 'numeric' });
    const made = h('div', { role: 'status' });
    const read = async () => {
        const { items } = await app.gf.keys.list();
        list.replaceChildren(...items.map(key => item(key, read)));
        if (!items.length) list.append(h('li', { className: 'small' }, t('keys.none')));
    };
    const create = async event => {
        event.preventDefault();
        const budget = limit.value ? { credits: Number(limit.value), per: 'day' } : undefined;
        const { key } = await app.gf.keys.create({ name: name.value.trim(), budget });
        made.replaceChildren(h('div', { className: 'box' }, h('p', {}, t('key.once')), row(
            h('code', { className: 'key' }, key),
            button('copy', () => copy(key), { className: 'primary' }))));
        event.target.reset();
        await read();
    };
    dialog(t('keys'), h('div', { className: 'field' }, small(t('keys.hint')), list, made,
        h('form', { className: 'grid', onsubmit: event => create(event).catch(failed) },
            h('p', { className: 'field' }, h('label', { for: name.id }, t('key.name')), name),
            h('p', { className: 'field' }, h('label', { for: limit.id }, t('key.limit')), limit),
            row(h('button', { className: 'primary' }, t('key.create'))))));
    await read();
}

function item({ id, name, budget, lastUsedAt, revokedAt }, read) {
    const facts = [
        budget && t('key.budget', { n: budget.credits, spent: number(budget.spent) }),
        lastUsedAt ? t('key.used', { time: date(lastUsedAt) }) : t('key.unused'),
    ].filter(Boolean).join(' · ');
    const revoke = async () => {
        if (!await ask(t('key.revoke.ask', { name: isolate(name) }), 'key.revoke')) return;
        await app.gf.keys.revoke(id).then(read, failed);
    };
    return h('li', { className: 'row' },
        h('div', {}, foreign(name), ' ', h('code', { className: 'small' }, `gf_${id}_…`),
            small(facts)),
        h('span', { className: 'end' }, revokedAt ? t('key.revoked')
            : button('key.revoke', revoke, { 'aria-label': `${t('key.revoke')}: ${name}` })));
}
