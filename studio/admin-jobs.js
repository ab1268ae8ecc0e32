// SPDX-License-Identifier: Apache-2.0
// Generations of all users: filters, picture and log of each, cancel, refund, removal of a picture.

import { address, date, dialog, foreign, h, has, row, shown, t, toast } from './page.js';
import {
    Panel, absent, act, asked, call, col, field, figures, fill, list, reason,
} from './admin-parts.js';

const STATES = ['pending', 'processing', 'completed', 'failed', 'cancelled'];
const LIVE = ['pending', 'processing', 'queued', 'running'];

const picture = (job, className) => {
    const src = shown({ ...job, imageUrl: job.imageUrl ?? job.resultUrl,
        status: job.status === 'succeeded' ? 'completed' : job.status });
    return src && h('img', { src: (!className && address(job.thumbnailUrl)) || src, className,
        alt: job.prompt || job.inputSummary || job.id, loading: 'lazy' });
};

const state = ({ status }) => (has(`status.${status}`) ? t(`status.${status}`) : status);

const cancel = (job, again) => reason(t('cancel.ask'), 'cancel', async body => {
    const { cancelled, released } = await call('DELETE', `jobs/${job.id}`, body);
    toast(t(cancelled ? 'cancelled' : 'cancelled.late', { n: released }));
    again();
}, t('cancel.note'));

/** How it went, in the order of time. */
function story(job) {
    const lines = [[job.createdAt, t('story.created', { user: job.user })],
        [job.startedAt, t('story.started',
            { provider: job.provider ?? '?', model: job.model ?? '' })],
        [job.finishedAt, t(`story.${job.status}`)]].filter(([at]) => at);
    return h('ol', {}, lines.map(([at, text]) => h('li', {}, date(at,
        { dateStyle: 'short', timeStyle: 'medium' }), ' ', text)));
}

function open(job, again) {
    const ended = !LIVE.includes(job.status);
    const takedown = () => reason(t('takedown.ask'), 'takedown', async body => {
        await call('DELETE', `jobs/${job.id}/picture`, body);
        toast(t('takedown.done'));
        box.close();
        again();
    }, t('takedown.note'));
    const refund = () => fill(t('refund'), [
        field('reason', { required: true, maxLength: 500 }),
        field('reference', { required: true, maxLength: 200, value: `refund-${job.id}`,
            hint: t('reference.hint') }),
    ], 'refund', async body => {
        const { amount } = await call('POST', 'refunds', { generationId: job.id, ...body });
        toast(t('refunded', { n: amount }));
        again();
    });
    const box = dialog(t('job'), h('div', { className: 'part' },
        picture(job, 'picture') || null,
        figures([['id', job.id], ['user', job.user], ['type', job.type], ['state', state(job)],
            ['provider', [job.provider, job.model].filter(Boolean).join(' / ')],
            ['preset', job.preset], ['credits', job.tokensUsed ?? job.estimatedCost],
            ['retries', job.retryCount], ['error', [job.errorCode, job.causeCode, job.errorMessage]
                .filter(Boolean).join(' ')],
            ['takenDown', job.takenDown && date(job.takenDown.at)]]),
        h('h3', {}, t('col.prompt')), foreign(job.prompt ?? job.inputSummary, 'p'),
        h('h3', {}, t('story')), story(job),
        job.logs?.length > 0 && h('pre', { className: 'code', tabIndex: 0 }, job.logs.join('\n')),
        row(ended ? null : act('cancel', job.id, () => { box.close(); return cancel(job, again); }),
            job.tokensUsed > 0 ? act('refund', job.id, refund) : null,
            picture(job) ? act('takedown', job.id, takedown) : null)), 'wide');
}

export const columns = again => [
    col('time', job => job.createdAt, 'time'),
    col('user', job => job.user),
    col('type', job => job.type),
    col('state', job => job.status, job => state(job)),
    col('provider', job => job.provider),
    col('credits', job => job.tokensUsed || job.estimatedCost),
    col('error', job => job.errorCode),
    col('prompt', job => job.prompt ?? job.inputSummary),
    col('id', job => job.id, 'csv'),
    col('picture', null, job => picture(job) || null),
    col('actions', null, job => row(act('job.open', job.id, () => open(job, again)),
        LIVE.includes(job.status) && act('cancel', job.id, () => cancel(job, again)))),
];

customElements.define('gf-jobs', class extends Panel {
    connectedCallback() {
        const words = h('datalist', { id: 'type-names' });
        call('GET', 'providers').then(({ providers }) => {
            const types = new Set(providers.flatMap(({ uses }) => uses.map(({ type }) => type)));
            words.append(...[...types].sort().map(value => h('option', { value })));
        }, () => { /* a word may still be written */ });
        this.append(words);
        this.listed([field('type', { list: 'type-names' }),
            field('status', { options: [['', t('states.all')],
                ...STATES.map(state => [state, t(`status.${state}`)])] }),
            field('user', { maxLength: 255 }), field('before', { type: 'datetime-local' })],
        ({ before, ...values }) => list(asked('jobs', { ...values, limit: 50,
            before: before && new Date(before).toISOString() }),
        'jobs', columns(() => this.again()), t('panel.jobs')).catch(absent));
    }
});
