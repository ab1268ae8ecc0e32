// SPDX-License-Identifier: Apache-2.0
// The page of administration: its panels by the address's fragment. Each panel is an element of its
// own file, which comes when it is looked at.

import { $, address, app, files, h, here, learn, showMenu, speak, t, trouble } from './page.js';
import { words } from './admin-parts.js';

const PANELS = ['now', 'jobs', 'money', 'users', 'presets', 'keys', 'stores', 'audit'];

/** The panel of the address and its filter: #jobs?user=ann. */
function place() {
    const [name, query] = location.hash.slice(1).split('?');
    return [PANELS.includes(name) ? name : PANELS[0], new URLSearchParams(query)];
}

async function show(moved) {
    const [name, query] = place();
    for (const link of $('#panels').children) {
        if (link.hash === `#${name}`) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
    }
    await import(`./admin-${name}.js`);
    if (place()[0] !== name) return;             // another was chosen meanwhile
    const panel = document.createElement(`gf-${name}`);
    panel.query = query;
    panel.append(h('h2', { id: 'panel-title' }, t(`panel.${name}`)));
    $('#panel').replaceChildren(panel);
    document.title = `${t(`panel.${name}`)} - ${$('#title').textContent}`;
    if (moved) $('#panel').focus();
}

async function start() {
    const config = await fetch(new URL('config.json', files)).then(answer => answer.json())
        .catch(() => ({}));
    const { languages = ['en', 'ja'], title, logo, links } = config;
    app.config = { base: here.replace(/\/$/, '') };
    await speak(languages);
    for (const name of ['en', app.language]) {   // a site's own language may be without
        learn(await fetch(new URL(`admin-${name}.json`, files)).then(answer => answer.json())
            .catch(() => ({})));
    }
    $('.skip').textContent = t('admin.skip');
    $('#title').textContent = title ?? t('admin');
    $('#panels').ariaLabel = t('admin.panels');
    if (address(logo)) $('#logo').src = logo;
    showMenu(languages, links);
    $('#panels').append(...PANELS.map(name => h('a', { href: `#${name}` }, t(`panel.${name}`))));
    const open = moved => show(moved).catch(error =>
        $('#panel').replaceChildren(h('p', { role: 'alert', className: 'box failure' },
            `${t('trouble')}. ${words(error)}`)));
    addEventListener('hashchange', () => open(true));
    await open(false);
}

start().catch(trouble).then(() => { document.documentElement.dataset.ready = ''; });
