/* SPDX-License-Identifier: Apache-2.0 */
/* Inbox of jobs, places in flight, reports and the bell. Leaves waiters and news to hub/news.c, and
 * what a job is to its two sides. */
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/metric.h"
#include "hub/board.h"
#include "hub/hub.h"
#include "hub/inside.h"
#include "hub/keys.h"
#include "hub/places.h"
#include "hub/shortcut.h"
#include "hub/wants.h"

static apr_status_t end_hub(void *data)
{
    gf_hub_t *hub = data;

    close(hub->bell);
    pthread_mutex_destroy(&hub->mutex);
    pthread_cond_destroy(&hub->begun);
    return APR_SUCCESS;
}

apr_status_t gf_hub_make(gf_hub_t **out, apr_pool_t *pool, const gf_hub_bounds_t *bounds)
{
    gf_hub_t *hub = apr_pcalloc(pool, sizeof(*hub));
    int rv;

    hub->bounds = *bounds;
    hub->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (hub->bell < 0) {
        return apr_get_os_error();
    }
    rv = pthread_mutex_init(&hub->mutex, NULL);
    rv = rv == 0 ? gf_clock_cond_init(&hub->begun) : rv;
    rv = rv == 0 ? gf_keys_make(&hub->keys, pool) : rv;
    rv = rv == 0 ? gf_shortcut_make(&hub->shortcut, pool) : rv;
    rv = rv == 0 ? gf_wants_make(&hub->wants, pool) : rv;
    rv = rv == 0 ? gf_places_make(&hub->responses, bounds->responses, pool) : rv;
    if (rv != 0) {
        close(hub->bell);
        return rv;
    }
    apr_pool_cleanup_register(pool, hub, end_hub, apr_pool_cleanup_null);
    *out = hub;
    return APR_SUCCESS;
}

void gf_hub_set_board(gf_hub_t *hub, gf_board_t *board)
{
    hub->board = board;
}

void gf_hub_set_metrics(gf_hub_t *hub, gf_metrics_t *metrics)
{
    hub->metrics = metrics;
}

gf_shortcut_t *gf_hub_shortcut(const gf_hub_t *hub)
{
    return hub->shortcut;
}

int gf_hub_bell(const gf_hub_t *hub)
{
    return hub->bell;
}

void gf_hub_ring(gf_hub_t *hub)
{
    apr_uint64_t one = 1;
    ssize_t written = write(hub->bell, &one, sizeof(one)); /* full means it rings already */

    (void)written;
}

void gf_hub_bg_silence(gf_hub_t *hub)
{
    apr_uint64_t count;
    ssize_t got = read(hub->bell, &count, sizeof(count)); /* nothing to read: it was silent */

    (void)got;
}

bool gf_hub_reserve(gf_hub_t *hub)
{
    bool room;

    pthread_mutex_lock(&hub->mutex);
    room = !hub->closing && hub->jobs < hub->bounds.jobs;
    hub->jobs += room;
    gf_metric_set(hub->metrics, GF_METRIC_IN_FLIGHT, hub->jobs);
    pthread_mutex_unlock(&hub->mutex);
    return room;
}

void gf_hub_leave(gf_hub_t *hub)
{
    bool closing;

    pthread_mutex_lock(&hub->mutex);
    hub->jobs--;
    gf_metric_set(hub->metrics, GF_METRIC_IN_FLIGHT, hub->jobs);
    closing = hub->closing;
    pthread_mutex_unlock(&hub->mutex);
    if (closing) {
        gf_hub_ring(hub);
    }
}

bool gf_hub_bg_expects(gf_hub_t *hub, int known)
{
    pthread_mutex_lock(&hub->mutex);
    known -= hub->jobs;
    pthread_mutex_unlock(&hub->mutex);
    return known < 0;
}

void gf_hub_req_submit(gf_hub_t *hub, gf_job_t *job)
{
    pthread_mutex_lock(&hub->mutex);
    job->next = NULL;
    if (hub->last) {
        hub->last->next = job;
    }
    else {
        hub->first = job;
    }
    hub->last = job;
    pthread_mutex_unlock(&hub->mutex);
    gf_hub_ring(hub);
}

gf_job_t *gf_hub_bg_take(gf_hub_t *hub)
{
    gf_job_t *job;

    pthread_mutex_lock(&hub->mutex);
    job = hub->first;
    if (job) {
        hub->first = job->next;
        if (!hub->first) {
            hub->last = NULL;
        }
        job->next = NULL;
    }
    pthread_mutex_unlock(&hub->mutex);
    return job;
}

/* ---- reports ---- */

void gf_hub_req_webhook_received(gf_hub_t *hub, const char *id)
{
    pthread_mutex_lock(&hub->mutex);
    if (hub->webhook_id_count < GF_HUB_WEBHOOK_IDS_MAX) {
        apr_cpystrn(hub->webhook_ids[hub->webhook_id_count++], id, GF_HUB_ID);
    }
    pthread_mutex_unlock(&hub->mutex);
    gf_hub_ring(hub);
}

bool gf_hub_bg_webhook_take(gf_hub_t *hub, char id[GF_HUB_ID])
{
    bool found;

    pthread_mutex_lock(&hub->mutex);
    found = hub->webhook_id_count > 0;
    if (found) {
        apr_cpystrn(id, hub->webhook_ids[--hub->webhook_id_count], GF_HUB_ID);
    }
    pthread_mutex_unlock(&hub->mutex);
    return found;
}

void gf_hub_req_recall(gf_hub_t *hub)
{
    pthread_mutex_lock(&hub->mutex);
    hub->recalled = true;
    pthread_mutex_unlock(&hub->mutex);
    gf_hub_ring(hub);
}

bool gf_hub_bg_recalled(gf_hub_t *hub)
{
    bool recalled;

    pthread_mutex_lock(&hub->mutex);
    recalled = hub->recalled;
    hub->recalled = false;
    pthread_mutex_unlock(&hub->mutex);
    return recalled;
}

void gf_hub_req_queued(gf_hub_t *hub)
{
    pthread_mutex_lock(&hub->mutex);
    hub->queued = true;
    pthread_mutex_unlock(&hub->mutex);
    gf_hub_ring(hub);
}

bool gf_hub_bg_queued(gf_hub_t *hub)
{
    bool queued;

    pthread_mutex_lock(&hub->mutex);
    queued = hub->queued;
    hub->queued = false;
    pthread_mutex_unlock(&hub->mutex);
    return queued;
}

const char *gf_hub_req_keys(gf_hub_t *hub, const char *url, bool newer, apr_pool_t *pool)
{
    const char *text = gf_keys_get(hub->keys, url, newer, pool);

    if (!text) {
        gf_hub_ring(hub);
    }
    return text;
}

const char *gf_hub_bg_keys_pending(gf_hub_t *hub)
{
    return gf_keys_pending(hub->keys);
}

void gf_hub_bg_keys_put(gf_hub_t *hub, const char *url, const char *keys)
{
    gf_keys_put(hub->keys, url, keys);
}

void gf_hub_close(gf_hub_t *hub)
{
    pthread_mutex_lock(&hub->mutex);
    hub->closing = true;
    gf_news_close(hub);
    pthread_mutex_unlock(&hub->mutex);
    gf_hub_ring(hub);
}

bool gf_hub_closing(gf_hub_t *hub)
{
    bool closing;

    pthread_mutex_lock(&hub->mutex);
    closing = hub->closing;
    pthread_mutex_unlock(&hub->mutex);
    return closing;
}
