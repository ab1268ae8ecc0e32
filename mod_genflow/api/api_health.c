/* SPDX-License-Identifier: Apache-2.0 */
/* GET health: is the database there and its schema new enough? 200 or 503, for load balancers and
 * people. */
#include "api/gf_api.h"

#include "db/gf_ledger.h"

gf_err_t *api_health(gf_req_t *req)
{
    int version = 0;
    gf_err_t *err = gf_ledger_health(&version, req->ctx);
    bool ok = !err && version >= GF_SCHEMA_VERSION;
    gf_out_t out;

    if (err) {
        gf_err_log(req->ctx, err);
    }
    gf_out_init(&out, req->r->pool, 256);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "status", ok ? "ok" : "unavailable");
    gf_out_put_string(&out, "database", err ? "unreachable" : "ok");
    gf_out_put_int(&out, "schema", version);
    gf_out_put_int(&out, "schemaNeeded", GF_SCHEMA_VERSION);
    gf_out_put_string(&out, "version", GENFLOW_VERSION);
    return gf_reply_send(req, &out, ok ? HTTP_OK : HTTP_SERVICE_UNAVAILABLE);
}
