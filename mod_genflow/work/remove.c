/* SPDX-License-Identifier: Apache-2.0 */
/* Removing a picture: from the folder by the act, from a store over HTTP by one exchange for each
 * type that it may have, and one for its thumbnail where that is an object of its own. Writer
 * threads for the act, dispatcher thread for all else. */
#include "work/remove.h"

#include "db/picture.h"
#include "work/count.h"
#include "work/exchange.h"

/* ---- the act ---- */

/* From the folder by this, from another store before. */
static gf_err_t *act_settle(gf_run_t *run, gf_ctx_t *ctx)
{
    const char *file = gf_store_file(ctx->conf, run->job, run->job->remove_url, ctx->pool);
    apr_status_t rv = file && run->job->remove_beside ? gf_store_fs_unlink(file)
                      : file                          ? gf_store_fs_remove(file, ctx->pool)
                      : run->job->remove_url[0]       ? APR_SUCCESS
                                                : gf_store_clear(ctx->conf, run->job, ctx->pool);

    if (rv != APR_SUCCESS) {
        return gf_err_make(ctx, GF_E_STORE, rv, "cannot remove the picture %s", file ? file : "");
    }
    return gf_picture_removed(ctx, run->job);
}

/* ---- the exchange ---- */

/* It may have been stored, as an unknown type: "" */
static bool is_anywhere(const gf_run_t *run)
{
    return !run->job->remove_url[0];
}

static const char *extension_of(const gf_run_t *run)
{
    return is_anywhere(run) ? gf_image_extensions[run->of.remove.type]
                            : gf_image_extension(run->job->media_type);
}

/* The configuration of the store to remove it from: by the address, or one after the other. */
static const gf_conf_t *conf_of(const gf_flow_t *flow, const gf_run_t *run)
{
    const gf_conf_t *conf = flow->ctx.conf;
    const gf_conf_t *found =
        is_anywhere(run) ? NULL : gf_store_conf_of(conf, run->job->remove_url, flow->ctx.pool);

    return run->of.remove.old ? conf->store_old : found ? found : conf;
}

static gf_store_call_t call_of(const gf_flow_t *flow, const gf_run_t *run, apr_pool_t *pool)
{
    gf_stored_t *facts = apr_pcalloc(pool, sizeof(*facts));
    gf_store_call_t call;

    facts->image.extension = extension_of(run);
    call = gf_store_call(conf_of(flow, run), run->job, facts, pool);
    call.url = is_anywhere(run) ? NULL : run->job->remove_url;
    if (run->of.remove.thumbnail) {
        call.name = gf_thumbnail_name(call.name, pool);
    }
    return call;
}

static gf_msg_t *make_message(gf_flow_t *flow, gf_run_t *run)
{
    gf_store_call_t call = call_of(flow, run, gf_run_pool(flow));

    return gf_exchange_limit(flow, call.conf->store->remove(&call));
}

/* ---- guards and actions ---- */

/* No exchange is needed. */
static bool is_local(const gf_flow_t *flow, const gf_run_t *run)
{
    const gf_conf_t *conf = flow->ctx.conf;

    return (is_anywhere(run) && !conf->store->remove && !conf->store_old)
           || gf_store_file(conf, run->job, run->job->remove_url, flow->ctx.pool);
}

/* Both names are those of one object, which is the picture of the generation. */
static bool is_the_picture(const gf_flow_t *flow, const gf_run_t *run)
{
    return run->job->remove_beside && conf_of(flow, run)->store->any_type;
}

static void count_removed(gf_flow_t *flow, gf_run_t *run)
{
    (void)run;
    gf_count_work(flow, GF_METRIC_REMOVALS, "done");
}

/* It was stored under another configuration. */
static bool is_elsewhere(const gf_flow_t *flow, const gf_run_t *run)
{
    return !conf_of(flow, run)->store->remove || !extension_of(run);
}

static void report_elsewhere(gf_flow_t *flow, gf_run_t *run)
{
    gf_count_work(flow, GF_METRIC_REMOVALS, "given_up");
    gf_log(
        gf_run_about(flow, run), GF_LOG_WARNING, APR_SUCCESS, "GF0417",
        "the generation was deleted, but this store does not have its picture; name its store in "
        "<GenflowStoreOld> before, or remove it by hand: %s",
        run->job->remove_url);
}

/* Its name may be that of the living picture in the store of this host: nothing is removed. A host
 * that knows the store of before removes it. */
static bool is_copy_elsewhere(const gf_flow_t *flow, const gf_run_t *run)
{
    return run->job->remove_copy
           && !gf_store_conf_of(flow->ctx.conf, run->job->remove_url, flow->ctx.pool);
}

static void leave_copy(gf_flow_t *flow, gf_run_t *run)
{
    gf_count_work(flow, GF_METRIC_REMOVALS, "retried");
    gf_log(gf_run_about(flow, run), GF_LOG_WARNING, APR_SUCCESS, "GF0424",
           "the old copy of a moved picture is in a store that this host does not know, retried "
           "later; name that store in <GenflowStoreOld>: %s",
           run->job->remove_url);
}

static bool is_still_there(const gf_flow_t *flow, const gf_run_t *run)
{
    const gf_store_call_t call = call_of(flow, run, flow->ctx.pool);

    return !call.conf->store->read_remove(&call, run->msg);
}

static void report_still_there(gf_flow_t *flow, gf_run_t *run)
{
    gf_count_work(flow, GF_METRIC_REMOVALS, "retried");
    gf_log(gf_run_about(flow, run), GF_LOG_WARNING, APR_SUCCESS, "GF0418",
           "the store did not remove a picture without a generation (HTTP %d); retried later: %s",
           run->msg->status, is_anywhere(run) ? run->job->id : run->job->remove_url);
}

static bool has_more_types(const gf_flow_t *flow, const gf_run_t *run)
{
    return is_anywhere(run) && !run->of.remove.thumbnail && !conf_of(flow, run)->store->any_type
           && gf_image_extensions[run->of.remove.type + 1];
}

static void take_next_type(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->of.remove.type++;
}

/* It is not known whether it was made: a process may have died over it. */
static bool may_have_thumbnail(const gf_flow_t *flow, const gf_run_t *run)
{
    return conf_of(flow, run)->thumbnails.place && !run->of.remove.thumbnail
           && !run->job->remove_beside;
}

static void take_thumbnail(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->of.remove.thumbnail = true;
}

/* What may be in every store may be in the old one. */
static bool has_old_store(const gf_flow_t *flow, const gf_run_t *run)
{
    return is_anywhere(run) && flow->ctx.conf->store_old && !run->of.remove.old;
}

static bool begins_with_old_store(const gf_flow_t *flow, const gf_run_t *run)
{
    return has_old_store(flow, run) && !flow->ctx.conf->store->remove;
}

static void take_old_store(gf_flow_t *flow, gf_run_t *run)
{
    (void)flow;
    run->of.remove = (gf_remove_t){ .old = true };
}

/* ---- the table ---- */

#define IN(state) GF_IN(state)
#define ON(event) GF_ON(event)

static const gf_duty_t duties[GF_STATES] = {
    [GF_STATE_START] = { .by = GF_BY_ITSELF },
    [GF_STATE_REMOVE] = { .by = GF_BY_NET, .message = make_message },
    [GF_STATE_SETTLE] = { .by = GF_BY_WRITER, .act = act_settle },
    [GF_STATE_OVER] = { .by = GF_BY_ITSELF },
};

#define R(states, events, when, then, next) GF_RULE(states, events, when, then, GF_STATE_##next)
#define N(states, events, when, then, next) GF_RULE(states, events, when, then, GF_NEXT_##next)

/* clang-format off */
static const gf_rule_t rules[] = {
    R(IN(START), ON(BEGUN), is_local, count_removed, SETTLE),
    R(IN(START), ON(BEGUN), begins_with_old_store, take_old_store, REMOVE),
    R(IN(START), ON(BEGUN), is_copy_elsewhere, leave_copy, OVER),
    R(IN(START), ON(BEGUN), is_the_picture, NULL, SETTLE),
    R(IN(START), ON(BEGUN), is_elsewhere, report_elsewhere, SETTLE),
    R(IN(START), ON(BEGUN), NULL, NULL, REMOVE),
    R(IN(REMOVE), ON(ANSWERED), is_still_there, report_still_there, OVER),
    R(IN(REMOVE), ON(ANSWERED), has_more_types, take_next_type, REMOVE),
    R(IN(REMOVE), ON(ANSWERED), may_have_thumbnail, take_thumbnail, REMOVE),
    R(IN(REMOVE), ON(ANSWERED), has_old_store, take_old_store, REMOVE),
    R(IN(REMOVE), ON(ANSWERED), NULL, count_removed, SETTLE),
    R(IN(SETTLE), ON(WRITTEN) | ON(REFUSED), NULL, NULL, OVER),
    N(IN(SETTLE), ON(NO_DATABASE), NULL, gf_run_note_outage, PAUSE),
    N(IN(SETTLE), ON(ALARM), NULL, NULL, AGAIN),
};
/* clang-format on */

const gf_kind_t gf_kind_remove = { .name = "remove",
                                   .duties = duties,
                                   .rules = rules,
                                   .rule_count = sizeof(rules) / sizeof(rules[0]) };
