/* SPDX-License-Identifier: Apache-2.0 */
/* claim, fetch, draw, upload, note. Whatever dies in between: the removal of a picture removes the
 * object of the thumbnail by its name, too (remove.c), and not before the claim is over. */
#include "work/thumbnail_object.h"

#include <unistd.h>

#include <apr_strings.h>

#include "base/log.h"
#include "db/picture.h"
#include "model/conf.h"
#include "net/net.h"
#include "store/gate.h"
#include "store/store.h"
#include "store/thumbnail.h"

#define CONNECT_TIMEOUT (5 * APR_USEC_PER_SEC)
#define TIMEOUT         (20 * APR_USEC_PER_SEC) /* of each of two exchanges */
#define CLAIM           (90 * APR_USEC_PER_SEC) /* longer than both, and drawing */

static apr_status_t perform(gf_msg_t *msg, const gf_conf_t *conf)
{
    msg->connect_timeout = CONNECT_TIMEOUT;
    msg->timeout = TIMEOUT;
    msg->file_max = conf->result_max;
    return gf_net_perform(msg);
}

static void log_trouble(const gf_ctx_t *ctx, const char *what, const char *detail)
{
    gf_log(ctx, GF_LOG_INFO, APR_SUCCESS, "GF0795",
           "no thumbnail could be made: %s%s%s; a later reading of the generation tries again",
           what, detail ? ": " : "", detail ? detail : "");
}

/* Copies the picture into `file`. */
static bool fetch_picture(const gf_want_t *want, gf_ctx_t *ctx, const char *file)
{
    const gf_conf_t *conf = ctx->conf;
    const char *url = apr_pstrcat(ctx->pool, conf->thumbnails.place, "/", want->name, NULL);
    gf_msg_t *msg = gf_msg_make(ctx->pool, "GET", url);
    apr_status_t rv;

    msg->spool = file;
    msg->spool_any = true;
    rv = perform(msg, conf);
    if (rv == APR_SUCCESS && msg->end == GF_MSG_ANSWERED && msg->status / 100 == 2
        && msg->spooled > 0) {
        return true;
    }
    log_trouble(ctx, apr_psprintf(ctx->pool, "HTTP %d for %s", msg->status, url), msg->detail);
    return false;
}

/* Did the store confirm it? */
static bool upload(gf_store_call_t *call, gf_ctx_t *ctx)
{
    const gf_store_kind_t *store = ctx->conf->store;
    gf_store_outcome_t outcome = { .state = GF_STORE_LATER };
    gf_msg_t *msg = store->upload(call);
    apr_status_t rv = perform(msg, ctx->conf);

    outcome.detail = msg->detail;
    if (rv == APR_SUCCESS && msg->end == GF_MSG_ANSWERED) {
        store->read_upload(&outcome, call, msg);
    }
    if (outcome.state != GF_STORE_STORED) {
        log_trouble(ctx, "the store did not take it", outcome.detail);
        return false;
    }
    gf_log(ctx, GF_LOG_DEBUG, APR_SUCCESS, "GF0796", "thumbnail stored: %s", call->name);
    return true;
}

/* Uploads what was drawn into `file`, and notes it. The generation may have been deleted meanwhile,
 * and its removal done: then what was uploaded is removed once more. */
static gf_err_t *store_object(const gf_job_t *job, gf_ctx_t *ctx, const char *name,
                              const gf_stored_t *facts, const char *file, const char *color)
{
    gf_store_call_t call = { .conf = ctx->conf,
                             .name = gf_thumbnail_name(name, ctx->pool),
                             .file = file,
                             .stored = facts,
                             .pool = ctx->pool,
                             .run_id = job->id,
                             .secret = job->picture_secret };
    bool gone = true;

    if (upload(&call, ctx)) {
        GF_TRY(gf_picture_thumbnail(&gone, ctx, job->type, job->id, color));
    }
    return gone ? gf_picture_stray(ctx, job) : NULL;
}

static gf_err_t *make_object(const gf_job_t *job, const gf_want_t *want, gf_ctx_t *ctx)
{
    const char *picture = gf_store_draft(ctx->conf, want->name, ctx->pool);
    const char *file =
        gf_store_draft(ctx->conf, gf_thumbnail_name(want->name, ctx->pool), ctx->pool);
    char color[GF_THUMBNAIL_COLOR];
    gf_thumbnail_end_t end = GF_THUMBNAIL_FAILED;
    gf_err_t *err = NULL;
    gf_stored_t facts;
    bool gone;

    if (want->has_file || fetch_picture(want, ctx, picture)) {
        end = gf_store_thumbnail_draw(&facts, color, ctx, picture, file);
    }
    if (end == GF_THUMBNAIL_MADE) {
        err = store_object(job, ctx, want->name, &facts, file, color);
    }
    else if (end == GF_THUMBNAIL_NONE) {
        err = gf_picture_thumbnail(&gone, ctx, job->type, job->id, NULL);
    }
    unlink(file);
    unlink(picture);
    return err;
}

gf_err_t *gf_thumbnail_object(const gf_want_t *want, gf_ctx_t *ctx)
{
    gf_job_t job = { .type = want->type, .id = want->id };
    bool claimed = false;

    if (!gf_gate_uploads(ctx->conf)
        || !gf_store_is_name(&job.picture_secret, want->name, &job, ctx->pool)) {
        return NULL;
    }
    GF_TRY(gf_picture_thumbnail_claim(&claimed, ctx, job.type, job.id, CLAIM));
    return claimed ? make_object(&job, want, ctx) : NULL;
}
