// SPDX-License-Identifier: Apache-2.0
// A zip of pictures, made in the browser. Pictures are compressed already: they are only stored.

import { bytes, fileName, give, shown, t, toast } from './page.js';

const table = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let bit = 0; bit < 8; bit += 1) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
    return n;
});
const crc = bytes => {
    let sum = ~0;
    for (const byte of bytes) sum = table[(sum ^ byte) & 255] ^ (sum >>> 8);
    return ~sum >>> 0;
};

/** The numbers of a header, by their sizes in bytes. */
function header(...pairs) {
    const view = new DataView(new ArrayBuffer(pairs.reduce((sum, [size]) => sum + size, 0)));
    let at = 0;
    for (const [size, value] of pairs) {
        if (size === 2) view.setUint16(at, value, true); else view.setUint32(at, value, true);
        at += size;
    }
    return view.buffer;
}

/** The zip of [{name, bytes}] as a Blob; names are UTF-8. */
export function zip(files) {
    const parts = [];
    const directory = [];
    let offset = 0;
    let listed = 0;
    for (const { name, bytes: data } of files) {
        const label = new TextEncoder().encode(name);
        const facts = [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, 33], [4, crc(data)],
            [4, data.length], [4, data.length], [2, label.length], [2, 0]];
        const local = header([4, 0x04034b50], ...facts);
        const entry = header([4, 0x02014b50], [2, 20], ...facts,
            [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]);
        parts.push(local, label, data);
        directory.push(entry, label);
        offset += local.byteLength + label.length + data.length;
        listed += entry.byteLength + label.length;
    }
    const end = header([4, 0x06054b50], [2, 0], [2, 0],
        [2, files.length], [2, files.length], [4, listed], [4, offset], [2, 0]);
    return new Blob([...parts, ...directory, end], { type: 'application/zip' });
}

/** Downloads the pictures of these generations as one file. */
export async function download(list) {
    const pictures = list.filter(shown);
    const files = [];
    toast(t('zip.making', { n: pictures.length }));
    for (const item of pictures) {
        const name = `${String(files.length + 1).padStart(3, '0')}_${fileName(item)}`;
        files.push({ name, bytes: new Uint8Array(await (await bytes(item)).arrayBuffer()) });
    }
    give(zip(files), 'pictures.zip');
}
