// SPDX-License-Identifier: Apache-2.0
// The source picture that a user brings: what it is, before anything is sent.

import { address, isOwn, megabytes, say, t, toast } from './page.js';

const MOST = 50e6;                               // bytes; the client makes fit what is below
const KINDS = [
    ['image/png', /^\x89PNG\r\n\x1a\n/],
    ['image/jpeg', /^\xff\xd8\xff/],
    ['image/webp', /^RIFF[^]{4}WEBP/],
];

/** Takes the first of some files, if it is a picture that can be sent. */
export async function take([file], set) {
    if (!file) return toast(t('source.none'));
    if (file.size > MOST) {
        return toast(t('source.large', { size: megabytes(file.size), most: megabytes(MOST) }));
    }
    // Its kind is in its first bytes: a name or a declared type proves nothing.
    const start = String.fromCharCode(...new Uint8Array(await file.slice(0, 12).arrayBuffer()));
    const type = KINDS.find(([, sign]) => sign.test(start))?.[0];
    if (!type) return toast(t('source.kind'));
    const blob = new Blob([file], { type });
    const picture = await createImageBitmap(blob).catch(() => null);
    if (!picture) return toast(t('source.broken'));
    picture.close();
    await set({ value: blob, url: URL.createObjectURL(blob) });
    return say(t('source.taken'));
}

/** A drop: files, or a picture of this page. */
export async function drop(data, set) {
    if (data.files.length) return take(data.files, set);
    const url = address(data.getData('text/uri-list').split('\n')[0]);
    return take(isOwn(url) ? [await (await fetch(url)).blob()] : [], set);
}
