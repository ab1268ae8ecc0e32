/* SPDX-License-Identifier: Apache-2.0 */
/* The mark of the picture folder, compared and moved by genflow.site_look(). A folder that cannot
 * be read or written holds no mark: then the database's own marks decide alone. */
#include "db/site.h"

#include <stdlib.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_strings.h>

#include "base/clock.h"
#include "model/servers.h"

#define CHECK_INTERVAL APR_USEC_PER_SEC
#define RETRY_AFTER    60
#define MARK_MAX       32 /* bytes of its file */

static const char *mark_file(const gf_ctx_t *ctx, const char *line)
{
    return apr_pstrcat(ctx->pool, gf_servers_first(ctx->conf)->store_folder, "/.mark-", line, NULL);
}

/* The number in the folder's file; NULL: there is none. */
static const char *read_mark(gf_ctx_t *ctx, const char *line)
{
    char text[MARK_MAX] = "";
    apr_size_t length = sizeof(text) - 1;
    apr_file_t *file;
    char *end;

    if (apr_file_open(&file, mark_file(ctx, line), APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, ctx->pool)
        != APR_SUCCESS) {
        return NULL;
    }
    apr_file_read(file, text, &length);
    apr_file_close(file);
    return apr_strtoi64(text, &end, 10) >= 0 && end != text
               ? apr_pstrmemdup(ctx->pool, text, (apr_size_t)(end - text))
               : NULL;
}

/* Whole or not at all: a host that dies here leaves the earlier mark. */
static void write_mark(gf_ctx_t *ctx, const char *line, const char *mark)
{
    const char *path = mark_file(ctx, line);
    char *new_path = apr_pstrcat(ctx->pool, path, ".XXXXXX", NULL);
    apr_file_t *file;
    apr_status_t rv = apr_file_mktemp(
        &file, new_path, APR_FOPEN_CREATE | APR_FOPEN_WRITE | APR_FOPEN_EXCL, ctx->pool);

    if (rv == APR_SUCCESS) {
        rv = apr_file_write_full(file, mark, strlen(mark), NULL);
        apr_file_close(file);
        if (rv == APR_SUCCESS) {
            rv = apr_file_rename(new_path, path, ctx->pool);
        }
        if (rv != APR_SUCCESS) {
            apr_file_remove(new_path, ctx->pool);
        }
    }
    if (rv != APR_SUCCESS) {
        gf_log(ctx, GF_LOG_INFO, rv, "GF0643",
               "cannot write %s: a restored database would not be noticed by this folder", path);
    }
}

static void log_restored(gf_site_t *site, const gf_ctx_t *ctx, const char *why)
{
    if (why && !site->restored) {
        gf_log(ctx, GF_LOG_ERR, APR_SUCCESS, "GF0641",
               "this database was restored: %s. Nothing is submitted or delivered, and requests "
               "that begin work get 503, until you call genflow.resume('end') or "
               "genflow.resume('continue') in it (docs/troubleshooting.md, Backup and restore)",
               why);
    }
    else if (!why && site->restored) {
        gf_log(ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0642", "the database was resumed: work goes on");
    }
    site->restored = why != NULL;
}

typedef struct site_in_t {
    const char *line, *mark;
} site_in_t;

typedef struct site_row_t {
    const char *restored, *line, *mark;
} site_row_t;

static const gf_sql_field_t site_params[] = { GF_PARAM(site_in_t, line),
                                              GF_PARAM(site_in_t, mark) };
static const gf_sql_field_t site_columns[] = { GF_COLUMN(site_row_t, restored),
                                               GF_COLUMN(site_row_t, line),
                                               GF_COLUMN(site_row_t, mark) };

GF_STATEMENT(site_look, .function = "site_look", GF_PARAMS(site_params),
             GF_COLUMNS(site_row_t, site_columns));

/* One check with the known file; *same false: the database names another file by now. */
static gf_err_t *check_marks(bool *same, gf_site_t *site, gf_ctx_t *ctx)
{
    const char *old = site->line[0] ? read_mark(ctx, site->line) : NULL;
    const site_in_t in = { .line = site->line[0] ? site->line : NULL, .mark = old };
    site_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_site_look, NULL, &in));
    *same = !row.line || strcmp(row.line, site->line) == 0;
    if (!*same && !row.restored) {
        apr_cpystrn(site->line, row.line, sizeof(site->line));
        return NULL;
    }
    *same = true;
    log_restored(site, ctx, row.restored);
    if (!row.restored && row.mark && (!old || apr_atoi64(old) < apr_atoi64(row.mark))) {
        write_mark(ctx, site->line, row.mark);
    }
    return NULL;
}

gf_err_t *gf_site_check(gf_site_t *site, gf_ctx_t *ctx)
{
    bool same = false;
    int round;

    if (site->due > gf_clock_now()) {
        return NULL;
    }
    for (round = 0; round < 3 && !same; round++) {
        GF_TRY(check_marks(&same, site, ctx));
    }
    site->due = gf_clock_now() + CHECK_INTERVAL;
    return NULL;
}

static const gf_sql_field_t restored_columns[] = { GF_COLUMN(site_row_t, restored) };

GF_STATEMENT(site_restored, .function = "restored", .is_value = true,
             GF_COLUMNS(site_row_t, restored_columns));

gf_err_t *gf_site_restored(const char **why, gf_ctx_t *ctx)
{
    site_row_t row;

    GF_TRY(gf_db_one(&row, ctx, &gf_sql_site_restored, NULL, NULL));
    *why = row.restored;
    return NULL;
}

gf_err_t *gf_site_closed(gf_ctx_t *ctx)
{
    gf_err_t *err = gf_err_make(ctx, GF_E_RESTORED, APR_SUCCESS, "the database was restored");

    err->retry_after = RETRY_AFTER;
    return err;
}
