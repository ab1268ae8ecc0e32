// SPDX-License-Identifier: Apache-2.0
/**
 * A source picture before it is sent: part of genflow.js, loaded with the first upload. A page makes it smaller
 * where it is too large, and converts what the server does not take; a program without a page does not.
 */
import { GenflowError } from './genflow-http.js';

const QUALITY = 0.9;
const ROUNDS = 6; // each has half of the pixels of the one before

/**
 * @typedef {object} Picture
 * @property {Blob} blob
 * @property {string} type
 * @property {number} bytes
 * @property {number | null} width pixels; null: not known outside of a page
 * @property {number | null} height
 * @property {boolean} resized it is not the given file any more
 */

/**
 * Checks it and makes it fit.
 * @param {Blob} blob
 * @param {{ maxBytes: number, maxPixels: number }} limits
 * @returns {Promise<Picture>}
 */
export async function fitPicture(blob, { maxBytes, maxPixels }) {
    const type = typeOf(new Uint8Array(await blob.slice(0, 12).arrayBuffer()));
    if (!globalThis.createImageBitmap) {
        if (!type) throw wrongType();
        if (blob.size > maxBytes) throw tooLarge(blob.size, maxBytes);
        return { blob: new Blob([blob], { type }), type, bytes: blob.size, width: null, height: null, resized: false };
    }
    const image = await decode(blob);
    try {
        const { width, height } = image;
        const pixels = width * height;
        if (type && blob.size <= maxBytes && pixels <= maxPixels) {
            return { blob: new Blob([blob], { type }), type, bytes: blob.size, width, height, resized: false };
        }
        for (let round = 0; round < ROUNDS; round += 1) {
            const scale = Math.sqrt(Math.min(1, maxPixels / pixels) / 2 ** round);
            const made = await draw(image, Math.max(1, Math.floor(width * scale)), Math.max(1, Math.floor(height * scale)),
                type === 'image/jpeg' ? 'image/jpeg' : 'image/webp');
            if (made.bytes <= maxBytes) return made;
        }
        throw tooLarge(blob.size, maxBytes);
    } finally {
        image.close();
    }
}

/** @param {Uint8Array} head */
function typeOf(head) {
    const text = String.fromCharCode(...head);
    if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
    if (text.startsWith('\xff\xd8\xff')) return 'image/jpeg';
    return text.startsWith('RIFF') && text.endsWith('WEBP') ? 'image/webp' : null;
}

/** @param {Blob} blob */
async function decode(blob) {
    try {
        return await createImageBitmap(blob);
    } catch (cause) {
        throw wrongType(cause);
    }
}

/**
 * @param {ImageBitmap} image
 * @param {number} width
 * @param {number} height
 * @param {string} wanted
 * @returns {Promise<Picture>}
 */
async function draw(image, width, height, wanted) {
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext('2d')?.drawImage(image, 0, 0, width, height);
    let blob = await canvas.convertToBlob({ type: wanted, quality: QUALITY });
    if (blob.type !== wanted) blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY });
    return { blob, type: blob.type, bytes: blob.size, width, height, resized: true };
}

/** @param {unknown} [cause] */
function wrongType(cause) {
    return new GenflowError('UNSUPPORTED_MEDIA_TYPE', 'This file is not a picture that can be used: '
        + 'choose a PNG, JPEG or WebP file', { cause });
}

/**
 * @param {number} bytes
 * @param {number} limit
 */
function tooLarge(bytes, limit) {
    return new GenflowError('PAYLOAD_TOO_LARGE', `The picture has ${bytes} bytes, and ${limit} are allowed: `
        + 'choose a smaller one', { details: { bytes, limit } });
}
