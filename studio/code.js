// SPDX-License-Identifier: Apache-2.0
// For programmers: the request of the form as code, and API keys.

import { app, ask, button, copy, date, dialog, failed, foreign, h, isolate, number, t } from './page.js';

// ---- the request as code ----

const quoted = text => `'${text.replaceAll("'", "'\\''")}'`;                 // for a shell
const json = value => JSON.stringify(value, null, 2);

function examples({ type, prompt, presetKey, source, n, parameters }) {
    const base = new URL(app.config.base ?? '/api', location).href.replace(/\/$/, '');
    const sourceUrl = typeof source === 'string' ? source : source?.imageUrl;
    const body = { prompt, presetKey, sourceUrl: sourceUrl ?? (source ? 'https://...' : undefined), n, parameters };
    const spec = { type, prompt, presetKey, source: source ? sourceUrl ?? 'https://...' : undefined, n, parameters };
    const { host, protocol } = location;
    return {
        curl: `curl ${quoted(`${base}/${type}/generate`)} \\\n  -H "Authorization: Bearer $GENFLOW_KEY" \\\n`
            + `  -H 'Content-Type: application/json' -H "Idempotency-Key: $(uuidgen)" \\\n  -d ${quoted(JSON.stringify(body))}`,
        'genflow.js': `import { Genflow } from './genflow.js';\n\nconst gf = new Genflow({\n  base: ${JSON.stringify(base)},\n`
            + `  headers: { Authorization: \`Bearer \${process.env.GENFLOW_KEY}\` },\n});\nconst g = await gf.generate(${json(spec)});\nconsole.log(g.imageUrl);`,
        openai: `import OpenAI from 'openai';\n\nconst openai = new OpenAI({\n  baseURL: '${protocol}//${host}/openai/v1',\n`
            + `  apiKey: process.env.GENFLOW_KEY,\n});\nconst { data } = await openai.images.generate(${json({ model: type, prompt: prompt ?? '', n })});\nconsole.log(data[0]);`,
        replicate: `import Replicate from 'replicate';\n\nconst replicate = new Replicate({\n  auth: process.env.GENFLOW_KEY,\n`
            + `  baseUrl: '${protocol}//${host}/v1',\n});\nconst output = await replicate.run('genflow/${type}', ${json({ input: { prompt, presetKey, image: body.sourceUrl, ...parameters } })});\nconsole.log(String(output));`,
    };
}

export function showCode(spec, cost) {
    const all = examples(spec);
    dialog(t('code'), h('div', { className: 'field' },
        h('p', { className: 'small' }, t('code.hint', { n: cost ?? 0 })),
        Object.entries(all).map(([name, text], at) => h('details', { name: 'code', open: at === 0 }, h('summary', {}, name),
            h('pre', { className: 'code', tabIndex: 0, dir: 'ltr', 'aria-label': name }, text),
            h('p', { className: 'row end' }, button('copy', () => copy(text)))))));
}

// ---- API keys ----

export async function showKeys() {
    const list = h('ul', { className: 'keys' });
    const name = h('input', { id: 'key-name', required: true, maxLength: 100, dir: 'auto', autofocus: true });
    const limit = h('input', { id: 'key-limit', type: 'number', min: '0', inputMode: 'numeric' });
    const made = h('div', { role: 'status' });
    const read = async () => {
        const { items } = await app.gf.keys.list();
        list.replaceChildren(...items.map(key => row(key, read)));
        if (!items.length) list.append(h('li', { className: 'small' }, t('keys.none')));
    };
    const create = async event => {
        event.preventDefault();
        try {
            const budget = limit.value ? { credits: Number(limit.value), per: 'day' } : undefined;
            const { key } = await app.gf.keys.create({ name: name.value.trim(), budget });
            made.replaceChildren(h('div', { className: 'box' }, h('p', {}, t('key.once')), h('p', { className: 'row' },
                h('code', { className: 'key' }, key), button('copy', () => copy(key), { className: 'primary' }))));
            event.target.reset();
            await read();
        } catch (error) { failed(error); }
    };
    dialog(t('keys'), h('div', { className: 'field' }, h('p', { className: 'small' }, t('keys.hint')), list, made,
        h('form', { className: 'grid', onsubmit: create },
            h('p', { className: 'field' }, h('label', { for: 'key-name' }, t('key.name')), name),
            h('p', { className: 'field' }, h('label', { for: 'key-limit' }, t('key.limit')), limit),
            h('p', { className: 'row' }, h('button', { className: 'primary' }, t('key.create'))))));
    await read();
}

function row(key, read) {
    const facts = [
        key.budget && t('key.budget', { n: key.budget.credits, spent: number(key.budget.spent) }),
        key.lastUsedAt ? t('key.used', { time: date(key.lastUsedAt) }) : t('key.unused'),
    ].filter(Boolean).join(' · ');
    const revoke = button('key.revoke', async () => {
        if (await ask(t('key.revoke.ask', { name: isolate(key.name) }), 'key.revoke')) await app.gf.keys.revoke(key.id).then(read, failed);
    }, { 'aria-label': `${t('key.revoke')}: ${key.name}` });
    return h('li', { className: 'row' }, h('span', {}, foreign(key.name), ' ', h('code', { className: 'small' }, `gf_${key.id}_…`), h('br'),
        h('span', { className: 'small' }, facts)), h('span', { className: 'end' }, key.revokedAt ? t('key.revoked') : revoke));
}
