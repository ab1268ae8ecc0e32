// SPDX-License-Identifier: Apache-2.0
// A picture without a server: the same one for the same words, on a canvas and stored nowhere.

import { $, button, emit, fileName, give, h, row, t, wordsOf } from './page.js';

/** Numbers from 0 to 1 that follow from the words alone. */
function chance(words) {
    let seed = 2166136261;
    for (const sign of words) seed = Math.imul(seed ^ sign.codePointAt(0), 16777619);
    return () => {
        seed = (seed + 0x6d2b79f5) | 0;
        let n = Math.imul(seed ^ (seed >>> 15), seed | 1);
        n ^= n + Math.imul(n ^ (n >>> 7), n | 61);
        return ((n ^ (n >>> 14)) >>> 0) / 4294967296;
    };
}

/** Draws a sky, a sun and ranges of hills. */
export function draw(canvas, words) {
    const next = chance(words);
    const { width, height } = canvas;
    const pen = canvas.getContext('2d');
    const hue = next() * 360;
    const colour = (turn, light) => `oklch(${light} 0.12 ${(hue + turn) % 360})`;
    const sky = pen.createLinearGradient(0, 0, 0, height);
    sky.addColorStop(0, colour(0, 0.35));
    sky.addColorStop(1, colour(60, 0.85));
    pen.fillStyle = sky;
    pen.fillRect(0, 0, width, height);
    pen.fillStyle = colour(90, 0.93);
    pen.beginPath();
    const [x, y] = [width * (0.2 + next() * 0.6), height * (0.25 + next() * 0.2)];
    pen.arc(x, y, width * (0.08 + next() * 0.1), 0, 7);
    pen.fill();
    for (let range = 0; range < 4; range += 1) {
        const [slow, fast, base] = [next() * 6, next() * 6, height * (0.5 + range * 0.12)];
        pen.fillStyle = colour(200 + range * 15, 0.6 - range * 0.13);
        pen.beginPath();
        pen.moveTo(0, height);
        for (let at = 0; at <= 1; at += 2 / width) {
            const hill = 0.1 * Math.sin(slow + at * 4) + 0.03 * Math.sin(fast + at * 17);
            pen.lineTo(at * width, base - height * hill);
        }
        pen.lineTo(width, height);
        pen.fill();
    }
}

/** In place of the failure: the picture of this page, marked as not stored. */
export function drawInto(card, generation) {
    const canvas = h('canvas', { width: 1024, height: 1024, role: 'img',
        'aria-label': wordsOf(generation) });
    draw(canvas, `${generation.prompt} ${generation.preset ?? ''} ${generation.seed ?? ''}`);
    $('.media', card).replaceChildren(canvas);
    card.dataset.status = 'drawn';
    const download = () => canvas.toBlob(blob => give(blob, fileName(generation)));
    $('.box', card).replaceWith(h('p', { className: 'state' }, t('drawn.here')), row(
        button('download', download),
        button('again', () => emit('use', { generation, how: 'all' }))));
}
