/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a generation: a bounded blocking wait on the hub's news, with a slow look at the row
 * for news of other processes. Leaves the answer to the caller. */
#include "api/gf_api.h"

#include <stdlib.h>

#include <apr_strings.h>

#include "db/gf_queue.h"

#define WAIT_MAX   (600 * APR_USEC_PER_SEC)
#define LOOK_EVERY APR_USEC_PER_SEC /* news of another process arrive no other way */

void api_watch_prefer(api_prefer_t *prefer, const request_rec *r)
{
    const char *header = apr_table_get(r->headers_in, "Prefer");
    const char *wait;

    prefer->given = false;
    prefer->wait = 0;
    if (!header) {
        return;
    }
    wait = ap_strcasestr(header, "wait=");
    if (wait) {
        apr_int64_t seconds = apr_strtoi64(wait + 5, NULL, 10);

        prefer->given = true;
        prefer->wait = seconds < 0                        ? 0
                       : seconds > apr_time_sec(WAIT_MAX) ? WAIT_MAX
                                                          : apr_time_from_sec(seconds);
    }
    else if (ap_strcasestr(header, "respond-async")) {
        prefer->given = true;
    }
}

/* Waits and looks until it has ended, there is news enough, or time is over. */
static gf_err_t *wait_and_look(gf_view_t *view, gf_req_t *req, const gf_find_t *find,
                               gf_watch_t *watch, gf_news_t enough, apr_interval_time_t wait)
{
    apr_time_t deadline = apr_time_now() + wait;

    for (;;) {
        apr_interval_time_t left = deadline - apr_time_now();
        gf_news_t news =
            gf_hub_req_wait(req->api->hub, watch, enough, left < LOOK_EVERY ? left : LOOK_EVERY);

        GF_TRY(gf_queue_get(view, req->ctx, req->type, req->user, find));
        if (gf_view_ended(view) || news >= enough || deadline <= apr_time_now()) {
            return NULL;
        }
    }
}

gf_err_t *api_watch_view(gf_view_t *view, gf_req_t *req, const gf_find_t *find, gf_watch_t *watch,
                         gf_news_t enough, apr_interval_time_t wait)
{
    gf_find_t by_id = { NULL, NULL, NULL };
    gf_watch_t own;
    gf_err_t *err;

    if (watch) {
        return wait_and_look(view, req, find, watch, enough, wait);
    }
    GF_TRY(gf_queue_get(view, req->ctx, req->type, req->user, find));
    if (wait <= 0 || gf_view_ended(view)
        || !gf_hub_req_watch(req->api->hub, &own, view->id, req->r->pool)) {
        return NULL;
    }
    by_id.id = view->id;
    err = gf_queue_get(view, req->ctx, req->type, req->user,
                       &by_id); /* it may have ended before the watch began */
    if (!err && !gf_view_ended(view)) {
        err = wait_and_look(view, req, &by_id, &own, enough, wait);
    }
    gf_hub_req_unwatch(req->api->hub, &own);
    return err;
}
