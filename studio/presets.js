// SPDX-License-Identifier: Apache-2.0
// The presets of a type: those of this week with a picture, all by name.

import { $, date, foreign, h, t } from './page.js';
import { draw } from './draw.js';

/** Shows a radio button for each; calls choose(key) when one is taken. */
export function showPresets(presets, chosen, choose) {
    const choice = preset => {
        const input = h('input', { type: 'radio', name: 'preset', value: preset.key, checked: preset.key === chosen,
            disabled: !preset.available, onchange: () => { name(preset); choose(preset.key); } });
        const picture = h('canvas', { width: 96, height: 96, 'aria-hidden': 'true' });
        draw(picture, `${preset.key} ${preset.prompt}`);
        const later = !preset.available && preset.availableAt && h('span', { className: 'small' },
            t('presets.later', { time: date(preset.availableAt, { dateStyle: 'medium' }) }));
        return h('label', { className: 'preset', title: preset.description ?? '' }, input, picture, foreign(preset.label, 'span'), later);
    };
    const name = preset => $('#preset-name').replaceChildren(preset ? foreign(preset.label) : '');
    const first = preset => presets.find(one => one.label === preset.label && one.prompt === preset.prompt) === preset;   // one look, two names
    $('#preset-list').replaceChildren(...presets.filter(preset => first(preset) || preset.key === chosen).map(choice));
    name(presets.find(preset => preset.key === chosen));
}
