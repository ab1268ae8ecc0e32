// SPDX-License-Identifier: Apache-2.0
// The presets of a type: those of this week with a picture, all by name.

import { $, date, foreign, h, t } from './page.js';
import { draw } from './draw.js';

/** Shows a radio button for each; calls choose(key) when one is taken. */
export function showPresets(presets, chosen, choose) {
    const name = preset => $('#preset-name').replaceChildren(preset ? foreign(preset.label) : '');
    const choice = preset => {
        const { key, label, available, availableAt } = preset;
        const input = h('input', { type: 'radio', name: 'preset', value: key, disabled: !available,
            checked: key === chosen, onchange: () => { name(preset); choose(key); } });
        const picture = h('canvas', { width: 96, height: 96, 'aria-hidden': 'true' });
        draw(picture, `${key} ${preset.prompt}`);
        return h('label', { className: 'preset', title: preset.description ?? '' },
            input, picture, foreign(label, 'span'), !available && availableAt
            && h('span', { className: 'small' },
                t('presets.later', { time: date(availableAt, { dateStyle: 'medium' }) })));
    };
    const look = preset => JSON.stringify([preset.label, preset.prompt]);
    const looks = presets.map(look);             // one look may have two names
    $('#preset-list').replaceChildren(...presets.filter((preset, at) =>
        preset.key === chosen || looks.indexOf(look(preset)) === at).map(choice));
    name(presets.find(({ key }) => key === chosen));
}
