// SPDX-License-Identifier: Apache-2.0
// The source picture that a user brings: what it is, before anything is sent.

import { address, megabytes, say, t, toast } from './page.js';

const MOST_BYTES = 50e6;                         // larger ones are refused here; the client makes smaller what the site does not take
const KINDS = [
    ['image/png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
    ['image/jpeg', [0xff, 0xd8, 0xff]],
    ['image/webp', [0x52, 0x49, 0x46, 0x46, , , , , 0x57, 0x45, 0x42, 0x50]],
];

/** The kind of a picture by its first bytes: a name or a declared type proves nothing. */
async function kindOf(file) {
    const start = new Uint8Array(await file.slice(0, 12).arrayBuffer());
    return KINDS.find(([, sign]) => sign.every((byte, at) => start[at] === byte))?.[0];
}

/** Takes the first of some files, if it is a picture that can be sent. */
export async function take(files, set) {
    const [file] = files;
    if (!file) return refuse(t('source.none'));
    if (file.size > MOST_BYTES) return refuse(t('source.large', { size: megabytes(file.size), most: megabytes(MOST_BYTES) }));
    const type = await kindOf(file);
    if (!type) return refuse(t('source.kind'));
    const blob = new Blob([file], { type });
    const picture = await createImageBitmap(blob).catch(() => null);
    if (!picture) return refuse(t('source.broken'));
    picture.close();
    await set({ value: blob, url: URL.createObjectURL(blob) });
    return say(t('source.taken'));
}

/** A drop: files, or a picture of this page. */
export async function drop(data, set) {
    if (data.files.length) return take(data.files, set);
    const url = address(data.getData('text/uri-list').split('\n')[0]);
    if (!url || new URL(url).origin !== location.origin) return refuse(t('source.none'));
    const answer = await fetch(url);
    return take([await answer.blob()], set);
}

function refuse(text) { toast(text); }
