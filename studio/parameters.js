// SPDX-License-Identifier: Apache-2.0
// The fields of a type's parameters, by what the API says of them.

import { h, t } from './page.js';

/** A labelled field for each, and for the number of pictures. */
export function parameterFields(type) {
    const list = (type.parameters ?? []).map(parameter => h('label', { className: 'field' },
        h('span', { className: 'label' }, t(`parameter.${parameter.name}`).replace(/^parameter\./, '')), control(parameter)));
    if ((type.maxCount ?? 1) > 1) {
        list.unshift(h('label', { className: 'field' }, h('span', { className: 'label' }, t('count')),
            h('input', { type: 'number', name: 'n', min: '1', max: String(type.maxCount), value: '1', inputMode: 'numeric' })));
    }
    return list;
}

function control({ name, kind, min, max, values, default: usual }) {
    const common = { name: `parameter.${name}`, dir: 'auto' };
    const options = values?.map(value => h('option', { value: String(value) }, String(value))) ?? [];
    if (kind === 'choice') {
        return h('select', common, h('option', { value: '' }, t('parameter.default', { value: usual ?? '–' })), options);
    }
    if (kind === 'boolean') return h('input', { ...common, type: 'checkbox', checked: usual === true });
    if (kind === 'text') {
        const list = options.length > 0 && h('datalist', { id: `values.${name}` }, options);
        return [h('input', { ...common, type: 'text', maxLength: max ?? 1000, placeholder: usual, list: list && list.id }), list];
    }
    return h('input', {
        ...common, type: 'number', min: String(min ?? ''), max: String(max ?? ''), step: kind === 'integer' ? '1' : 'any',
        placeholder: [usual, typeof max === 'number' && `${min}–${max}`].filter(one => typeof one !== 'boolean' && one !== null).join(' · '),
    });
}
