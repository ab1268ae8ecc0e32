/* SPDX-License-Identifier: Apache-2.0 */
/* Maps hosts and faults to their SQL functions. Leaves when a host announces itself to
 * httpd/announce.c. */
#include "db/host.h"

#include "db/ledger.h"

#define SURE_WITHIN APR_USEC_PER_SEC /* a slower statement does not show the clock */
#define SEEN_TRIES  3

typedef struct seen_in_t {
    const char *name, *version;
    int needed;
    bool dispatches;
    const char *settings;
    apr_int64_t clock;
    const char *amounts;
} seen_in_t;

static const gf_sql_field_t seen_params[] = {
    GF_PARAM(seen_in_t, name),       GF_PARAM(seen_in_t, version),  GF_PARAM(seen_in_t, needed),
    GF_PARAM(seen_in_t, dispatches), GF_PARAM(seen_in_t, settings), GF_PARAM(seen_in_t, clock),
    GF_PARAM(seen_in_t, amounts)
};
static const gf_sql_field_t seen_columns[] = { GF_COLUMN(gf_host_seen_t, clock_ahead),
                                               GF_COLUMN(gf_host_seen_t, differs),
                                               GF_COLUMN(gf_host_seen_t, idle),
                                               GF_COLUMN(gf_host_seen_t, late),
                                               GF_COLUMN(gf_host_seen_t, amounts) };

GF_STATEMENT(host_seen, .function = "host_seen", GF_PARAMS(seen_params),
             GF_COLUMNS(gf_host_seen_t, seen_columns));

gf_err_t *gf_host_seen(gf_host_seen_t *seen, gf_ctx_t *ctx, const char *name, const char *settings,
                       const char *amounts)
{
    seen_in_t in = { .name = name,
                     .version = GENFLOW_VERSION,
                     .needed = GF_SCHEMA_VERSION,
                     .dispatches = ctx->conf->dispatch != 0,
                     .settings = settings,
                     .amounts = amounts };
    apr_time_t began;
    int tries = 0;

    do { /* the row has the clock of the last statement */
        began = gf_ctx_now(ctx);
        in.clock = apr_time_as_msec(apr_time_now());
        GF_TRY(gf_db_one(seen, ctx, &gf_sql_host_seen, NULL, &in));
        seen->clock_is_sure = gf_ctx_now(ctx) - began <= SURE_WITHIN;
    } while (!seen->clock_is_sure && ++tries < SEEN_TRIES);
    return NULL;
}

static const gf_sql_field_t faults_columns[] = { GF_COLUMN(gf_fault_t, fault),
                                                 GF_COLUMN(gf_fault_t, subject) };

GF_STATEMENT(faults, .function = "faults", GF_COLUMNS(gf_fault_t, faults_columns));

gf_err_t *gf_host_faults(apr_array_header_t **faults, gf_ctx_t *ctx)
{
    return gf_db_list(faults, ctx, &gf_sql_faults, NULL);
}
