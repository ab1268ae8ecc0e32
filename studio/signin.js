// SPDX-License-Identifier: Apache-2.0
// What the page shows when the user is not signed in, or when it cannot begin.

import { $, dialog, h, meaning, t } from './page.js';

let signing = null;

/** Asks the user to sign in again, elsewhere; resolves when the page may repeat its request. */
export function signInAgain() {
    signing ??= new Promise(resolve => {
        const box = dialog(t('sign.in.expired'), h('div', { className: 'field' }, h('p', {}, t('sign.in.expired.text')),
            h('p', { className: 'row end' },
                h('a', { href: './', target: '_blank', className: 'button' }, t('sign.in')),
                h('button', { type: 'button', className: 'primary', onclick: () => box.close() }, t('go.on')))), 'question');
        box.addEventListener('close', () => { signing = null; resolve(); });
    });
    return signing;
}

/** In place of the form: not signed in, or no answer. */
export function trouble(error) {
    const out = error?.status === 401;
    const box = $('#trouble');
    box.replaceChildren(h('h2', {}, t(out ? 'signed.out' : 'trouble')),
        h('p', {}, out ? t('signed.out.text') : meaning(error?.code, error?.message)),
        h('p', {}, h('a', { href: location.href, className: 'button primary' }, t(out ? 'sign.in' : 'again'))));
    box.hidden = false;
    $('#make').hidden = true;
}
