// SPDX-License-Identifier: Apache-2.0
// Templates: settings that the user keeps under a name.

import { $, app, button, failed, h, t, toast } from './page.js';

/** Shows the list and what saves the form; `read` gives the request, `use` fills the form. */
export async function show(read, use) {
    const { items } = await app.gf.templates.list();
    const list = h('select', { 'aria-label': t('templates') }, h('option', { value: '' }, t('templates')),
        items.map(item => h('option', { value: item.id }, item.name)));
    const name = h('input', { 'aria-label': t('template.name'), placeholder: t('template.name'), maxLength: 100, dir: 'auto' });
    list.addEventListener('input', event => {
        event.stopPropagation();
        const item = items.find(one => one.id === list.value);
        if (item) use({ how: 'all', generation: { ...item.config, type: item.type ?? item.config.type, preset: item.config.presetKey } }).catch(failed);
    });
    const again = () => show(read, use).catch(failed);
    $('#templates').replaceChildren(list,
        button('delete', () => list.value && app.gf.templates.remove(list.value).then(again, failed), { className: 'quiet', 'aria-label': t('template.delete') }),
        name, button('save', async () => {
            if (!name.value.trim()) { name.focus(); return; }
            const { type, prompt, presetKey, parameters, n } = read();
            await app.gf.templates.save({ name: name.value.trim(), type, config: { prompt, presetKey, parameters, n } }).then(() => toast(t('saved')), failed);
            again();
        }));
}
