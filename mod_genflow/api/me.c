/* SPDX-License-Identifier: Apache-2.0 */
/* GET me: who the caller is, what the account has, which limits hold and what is left of them, and
 * what this site offers; for pages. Leaves all rules to the configuration and the database. */
#include "api/api.h"

#include <apr_strings.h>

#include "api/authn.h"
#include "api/credit.h"
#include "httpd/dir.h"
#include "model/type.h"

/* ---- limits ---- */

static void put_used(gf_out_t *out, const char *name, apr_int64_t limit, apr_int64_t used)
{
    gf_out_put_raw(out, name,
                   used < 0 ? NULL
                            : apr_psprintf(out->pool,
                                           "{\"limit\":%" APR_INT64_T_FMT
                                           ",\"used\":%" APR_INT64_T_FMT "}",
                                           limit, used));
}

static void put_limits(gf_out_t *out, gf_req_t *req, const gf_user_state_t *state)
{
    const gf_conf_t *conf = req->conf;
    api_left_t left;

    gf_out_key(out, "limits");
    gf_out_open(out, '{');
    gf_out_key(out, "rate");
    if (api_limit_left(&left, req)) {
        gf_out_open(out, '{');
        gf_out_put_int(out, "limit", left.limit);
        gf_out_put_int(out, "remaining", left.remaining);
        gf_out_put_int(out, "seconds", left.seconds);
        gf_out_close(out, '}');
    }
    else {
        gf_out_raw(out, NULL);
    }
    put_used(out, "concurrent", conf->limit_concurrent, state->live);
    put_used(out, "queue", conf->limit_queue, state->queued);
    gf_out_close(out, '}');
}

/* ---- features ---- */

/* Is there a type that the caller may use and that draws here? */
static bool has_fallback(const gf_req_t *req)
{
    const apr_array_header_t *types = req->conf->type_list;
    int i;

    for (i = 0; i < types->nelts; i++) {
        const gf_type_t *type = APR_ARRAY_IDX(types, i, const gf_type_t *);

        if (type->local && !api_authn_need_type(req, type)) {
            return true;
        }
    }
    return false;
}

static void put_features(gf_out_t *out, const gf_req_t *req)
{
    const gf_conf_t *conf = req->conf;

    gf_out_key(out, "features");
    gf_out_open(out, '{');
    gf_out_put_bool(out, "webhooks", conf->webhook_hosts->nelts > 0);
    gf_out_put_bool(out, "keys", conf->has_keys);
    gf_out_put_bool(out, "twoStep", gf_type_two_step(conf) != NULL);
    gf_out_put_bool(out, "events", conf->watch_mode != GF_WATCH_OFF);
    gf_out_put_bool(out, "thumbnails", conf->thumbnails.kind || conf->thumbnails.transformation);
    gf_out_put_bool(out, "fallback", has_fallback(req));
    gf_out_close(out, '}');
}

gf_err_t *api_me(gf_req_t *req)
{
    gf_user_state_t state;
    apr_size_t covered;
    gf_out_t out;

    GF_TRY(gf_ledger_user_state(&state, req->ctx, req->user));
    gf_reply_begin(&out, req);
    api_credit_put_quota(&out, req, &state.quota);
    gf_out_put_int(&out, "balance", state.quota.balance);
    put_limits(&out, req, &state);
    put_features(&out, req);
    gf_out_put_string(&out, "signOutUrl", httpd_conf_dir(req->r)->sign_out);
    covered = out.length;
    gf_out_put_string(&out, "timestamp", state.quota.at);
    return gf_reply_tagged(req, &out, covered);
}
