// SPDX-License-Identifier: Apache-2.0
// What the page asks for when the sign-in has ended.

import { dialog, h, read, t } from './page.js';

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
