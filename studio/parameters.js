// SPDX-License-Identifier: Apache-2.0
// The fields of a type's parameters, by what the API says of them.

import { h, has, t } from './page.js';

/** A labelled field for each, and for the number of pictures. */
export function parameterFields({ parameters = [], maxCount = 1 }) {
    const field = (label, control) =>
        h('label', { className: 'field' }, h('span', { className: 'label' }, label), control);
    const named = ({ name }) => (has(`parameter.${name}`) ? t(`parameter.${name}`) : name);
    const count = { type: 'number', name: 'n', min: '1', max: String(maxCount), value: '1' };
    return [maxCount > 1 && field(t('count'), h('input', count)),
        ...parameters.map(one => field(named(one), control(one)))].filter(Boolean);
}

function control({ name, kind, min, max, values, default: usual }) {
    const common = { name: `parameter.${name}`, dir: 'auto' };
    const options = (values ?? []).map(String).map(value => h('option', { value }, value));
    if (kind === 'choice') {
        return h('select', common,
            h('option', { value: '' }, t('parameter.default', { value: usual ?? '–' })), options);
    }
    if (kind === 'boolean') {
        return h('input', { ...common, type: 'checkbox', checked: usual === true });
    }
    if (kind === 'text') {
        const list = options.length > 0 && h('datalist', { id: `values.${name}` }, options);
        return [h('input', { ...common, type: 'text', maxLength: max ?? 1000, placeholder: usual,
            list: list && list.id }), list];
    }
    const range = typeof max === 'number' ? `${min}–${max}` : null;
    return h('input', {
        ...common, type: 'number', min: String(min ?? ''), max: String(max ?? ''),
        step: kind === 'integer' ? '1' : 'any',
        placeholder: [usual, range].filter(one => (one ?? null) !== null).join(' · '),
    });
}
