// SPDX-License-Identifier: Apache-2.0
// Templates: settings that the user keeps under a name.

import { $, app, button, failed, h, t, toast } from './page.js';

/** Shows the list and what saves the form; `read` gives the request, `use` fills the form. */
export async function show(read, use) {
    const { items } = await app.gf.templates.list();
    const again = () => show(read, use).catch(failed);
    const choose = event => {
        event.stopPropagation();
        const { type, config } = items.find(one => one.id === list.value) ?? {};
        if (!config) return;
        const generation = { ...config, type: type ?? config.type, preset: config.presetKey };
        use({ how: 'all', generation }).catch(failed);
    };
    const list = h('select', { 'aria-label': t('templates'), oninput: choose },
        h('option', { value: '' }, t('templates')),
        items.map(item => h('option', { value: item.id }, item.name)));
    const remove = () => list.value && app.gf.templates.remove(list.value).then(again, failed);
    const label = t('template.name');
    const name = h('input',
        { 'aria-label': label, placeholder: label, maxLength: 100, dir: 'auto' });
    const save = () => {
        if (!name.value.trim()) return name.focus();
        const { type, source, ...config } = read();
        return app.gf.templates.save({ name: name.value.trim(), type, config })
            .then(() => { toast(t('saved')); again(); }).catch(failed);
    };
    $('#templates').replaceChildren(list,
        button('delete', remove, { className: 'quiet', 'aria-label': t('template.delete') }),
        name, button('save', save));
}
