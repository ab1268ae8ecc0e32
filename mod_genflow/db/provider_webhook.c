/* SPDX-License-Identifier: Apache-2.0 */
/* Maps reports to their SQL functions. Leaves verifying them to provider/. */
#include "db/provider_webhook.h"

#include <string.h>

#include <apr_strings.h>

gf_err_t *gf_hook_known(bool *known, gf_ctx_t *ctx, const gf_report_t *report)
{
    const char *args[] = { report->provider->name, report->id, report->token };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_HOOK_KNOWN, NULL, args, NULL));
    *known = gf_rows_bool(rows, 0, 0);
    return NULL;
}

gf_err_t *gf_hook_note(bool *known, gf_ctx_t *ctx, const gf_report_t *report, const char *owner)
{
    const char *args[] = { report->provider->name,
                           report->provider->kind_name,
                           report->id,
                           report->token,
                           report->event,
                           report->ref,
                           owner };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_HOOK, NULL, args, NULL));
    *known = strcmp(gf_rows_text(rows, 0, 0), "unknown") != 0;
    return NULL;
}

gf_err_t *gf_hook_ref(const char **ref, gf_ctx_t *ctx, const gf_job_t *job)
{
    const char *args[] = { job->id, apr_itoa(ctx->pool, job->epoch) };
    gf_rows_t *rows;

    GF_TRY(gf_db_call(&rows, ctx, GF_SQL_HOOK_REF, NULL, args, NULL));
    *ref = gf_rows_text(rows, 0, 0);
    return NULL;
}
