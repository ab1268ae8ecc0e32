// SPDX-License-Identifier: Apache-2.0
// What the page shows when the user is not signed in, or when it cannot begin.

import { $, dialog, h, meaning, read, t } from './page.js';

let signing = null;

/** Asks the user to sign in elsewhere; resolves when the page may repeat its request. */
export function signInAgain() {
    signing ??= new Promise(resolve => {
        const close = () => box.close();
        const look = () => !document.hidden && read('me').then(close, () => {});
        const box = dialog(t('sign.in.expired'), h('div', { className: 'field' },
            h('p', {}, t('sign.in.expired.text')),
            h('p', { className: 'row end' },
                h('a', { href: './', target: '_blank', className: 'button' }, t('sign.in')),
                h('button', { type: 'button', className: 'primary', onclick: close },
                    t('go.on')))), 'question');
        document.addEventListener('visibilitychange', look);          // back from the other tab
        box.addEventListener('close', () => {
            document.removeEventListener('visibilitychange', look);
            signing = null;
            resolve();
        });
    });
    return signing;
}

/** In place of the form: not signed in, or no answer. */
export function trouble(error) {
    const out = error?.status === 401;
    $('#trouble').replaceChildren(h('h2', {}, t(out ? 'signed.out' : 'trouble')),
        h('p', {}, out ? t('signed.out.text') : meaning(error?.code, error?.message, true)),
        h('p', {}, h('a', { href: location.href, className: 'button primary' },
            t(out ? 'sign.in' : 'again'))));
    $('#trouble').hidden = false;
    $('#make').hidden = true;
}
