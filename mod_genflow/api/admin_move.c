/* SPDX-License-Identifier: Apache-2.0 */
/* Administration moves pictures from old stores to the current one. The configuration says which
 * these are; the background moves the pictures. */
#include "api/admin.h"

#include <apr_strings.h>

#include "base/text.h"
#include "db/admin_move.h"
#include "model/servers.h"
#include "store/store.h"

#define MOVES_MAX 100
#define KEEP      3600              /* seconds */
#define KEEP_MAX  (30 * 24 * 3600L) /* seconds */

/* ---- stores ---- */

/* Addresses of the stores from which this site's pictures may move, and the kinds of these: arrays
 * of const char *. The folder is one if it is not the current store. */
static void old_stores(apr_array_header_t *addresses, apr_array_header_t *kinds, gf_req_t *req)
{
    const gf_conf_t *conf = req->conf;
    apr_pool_t *pool = req->r->pool;

    if (conf->store_old) {
        APR_ARRAY_PUSH(addresses, const char *) = gf_store_address(conf->store_old, pool);
        APR_ARRAY_PUSH(kinds, const char *) = conf->store_old->store->name;
    }
    if (!conf->store->put) {
        APR_ARRAY_PUSH(addresses, const char *) = apr_pstrcat(pool, conf->store_url, "/", NULL);
        APR_ARRAY_PUSH(kinds, const char *) = gf_store_fs.name;
    }
}

static const char *current_store(gf_req_t *req)
{
    const char *address = gf_store_address(req->conf, req->r->pool);

    return address ? address : req->conf->store->name;
}

static apr_array_header_t *texts(gf_req_t *req)
{
    return apr_array_make(req->r->pool, 4, sizeof(const char *));
}

/* Names of the types that this site defines, or of `only`. */
static const apr_array_header_t *types_of(gf_req_t *req, const gf_type_t *only)
{
    const apr_array_header_t *own = gf_servers_own_types(req->conf);
    apr_array_header_t *names = texts(req);
    int i;

    for (i = 0; i < own->nelts; i++) {
        const gf_type_t *type = APR_ARRAY_IDX(own, i, const gf_type_t *);

        if (!only || type == only) {
            APR_ARRAY_PUSH(names, const char *) = type->name;
        }
    }
    return names;
}

/* ---- handlers ---- */

static void put_store(gf_out_t *out, const char *kind, const char *address)
{
    gf_out_open(out, '{');
    gf_out_put_string(out, "kind", kind);
    gf_out_put_string(out, "address", address);
    gf_out_close(out, '}');
}

gf_err_t *api_admin_moves(gf_req_t *req)
{
    apr_array_header_t *addresses = texts(req);
    apr_array_header_t *kinds = texts(req);
    apr_array_header_t *moves;
    gf_out_t out;
    int i;

    old_stores(addresses, kinds, req);
    GF_TRY(gf_admin_moves(&moves, req->ctx, types_of(req, NULL), MOVES_MAX));
    gf_reply_begin(&out, req);
    gf_out_key(&out, "to");
    put_store(&out, req->conf->store->name, current_store(req));
    gf_out_key(&out, "from");
    gf_out_open(&out, '[');
    for (i = 0; i < addresses->nelts; i++) {
        put_store(&out, APR_ARRAY_IDX(kinds, i, const char *),
                  APR_ARRAY_IDX(addresses, i, const char *));
    }
    gf_out_close(&out, ']');
    gf_out_key(&out, "moves");
    gf_out_open(&out, '[');
    for (i = 0; i < moves->nelts; i++) {
        gf_out_raw(&out, APR_ARRAY_IDX(moves, i, const char *));
    }
    gf_out_close(&out, ']');
    return gf_reply_send(req, &out, HTTP_OK);
}

typedef struct move_body_t {
    const gf_type_t *type;
    apr_int64_t keep;
    const char *reason;
} move_body_t;

static gf_err_t *read_body(move_body_t *in, gf_req_t *req)
{
    static const gf_input_field_t fields[] = {
        { .names = { "type" }, .kind = GF_INPUT_TYPE, .offset = offsetof(move_body_t, type) },
        { .names = { "keepSeconds" },
          .kind = GF_INPUT_INT,
          .max = KEEP_MAX,
          .offset = offsetof(move_body_t, keep) },
        API_ADMIN_REASON(move_body_t, reason),
        GF_INPUT_END
    };
    static const gf_input_field_t *const tables[] = { fields, NULL };
    gf_input_t input;
    gf_json_t *body;
    const char *text;
    apr_size_t length;

    *in = (move_body_t){ .keep = KEEP };
    GF_TRY(api_body_json(req, &body, &text, &length));
    input = api_body_input(req, body);
    gf_input_read(&input, fields, in);
    gf_input_unknown(&input, tables);
    api_admin_rule_type(&input, req, in->type);
    GF_TRY(gf_input_end(&input));
    api_admin_reason(req, in->reason);
    return NULL;
}

gf_err_t *api_admin_move(gf_req_t *req)
{
    apr_array_header_t *sources = texts(req);
    gf_admin_move_t move;
    const char *json;
    move_body_t in;
    gf_out_t out;

    GF_TRY(read_body(&in, req));
    old_stores(sources, texts(req), req);
    if (sources->nelts == 0) {
        return gf_err_make(req->ctx, GF_E_MOVE_NOWHERE, APR_SUCCESS, "there is one store");
    }
    move = (gf_admin_move_t){ .types = types_of(req, in.type),
                              .sources = sources,
                              .target = current_store(req),
                              .keep = apr_time_from_sec(in.keep) };
    GF_TRY(gf_admin_move(&json, req->ctx, &move));
    gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0882",
           "pictures of %s are being moved to %s, by administrator %s",
           in.type ? in.type->name : "all types", move.target, req->user);
    gf_reply_begin(&out, req);
    gf_out_put_raw(&out, "moves", json);
    return gf_reply_send(req, &out, HTTP_ACCEPTED);
}

gf_err_t *api_admin_move_stop(gf_req_t *req)
{
    const char *json;
    apr_int64_t no;
    gf_out_t out;

    if (!gf_text_int(&no, req->args[0])) {
        return gf_err_make(req->ctx, GF_E_NO_ROUTE, APR_SUCCESS, "no move %s", req->args[0]);
    }
    GF_TRY(api_admin_need_reason(req));
    GF_TRY(gf_admin_move_stop(&json, req->ctx, no, types_of(req, NULL)));
    gf_log(req->ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0883",
           "move %s between stores is stopped by administrator %s", req->args[0], req->user);
    gf_reply_begin(&out, req);
    gf_out_put_raw(&out, "move", json);
    return gf_reply_send(req, &out, HTTP_OK);
}
