/* SPDX-License-Identifier: Apache-2.0 */
/* Makes error objects from the table's rows. Leaves their end (answer, job outcome) to api/reply.c
 * and the rules in work/. */
#include "base/err.h"

#include <stdarg.h>

#include <apr_strings.h>

static const gf_err_row_t rows[GF_E_COUNT] = {
#define GF_ERR(symbol, code, http, level, tag, text) { code, http, level, tag, text },
#include "base/err_table.h"
#undef GF_ERR
};

const gf_err_row_t *gf_err_row(gf_err_code_t code)
{
    return &rows[code];
}

gf_err_t *gf_err_make_at(const char *file, int line, const gf_ctx_t *ctx, gf_err_code_t code,
                         apr_status_t rv, const char *format, ...)
{
    gf_err_t *err = apr_pcalloc(ctx->pool, sizeof(*err));
    va_list args;

    err->row = &rows[code];
    err->rv = rv;
    err->file = file;
    err->line = line;
    va_start(args, format);
    err->detail = apr_pvsprintf(ctx->pool, format, args);
    va_end(args);
    return err;
}

static void add_field(gf_err_t *err, const gf_ctx_t *ctx, const char *field, bool missing,
                      const char *message)
{
    gf_field_error_t *error;

    if (!err->fields) {
        err->fields = apr_array_make(ctx->pool, 1, sizeof(gf_field_error_t));
    }
    error = apr_array_push(err->fields);
    error->field = field;
    error->message = message;
    error->missing = missing;
}

gf_err_t *gf_err_field(const gf_ctx_t *ctx, gf_err_code_t code, const char *field,
                       const char *message)
{
    gf_err_t *err = gf_err_make(ctx, code, APR_SUCCESS, "%s %s", field, message);

    add_field(err, ctx, field, false, message);
    return err;
}

gf_err_t *gf_err_add_field(gf_err_t *err, const gf_ctx_t *ctx, const char *field, bool missing,
                           const char *message)
{
    if (!err) {
        err = gf_err_make(ctx, GF_E_INVALID, APR_SUCCESS, "%s %s", field, message);
    }
    add_field(err, ctx, field, missing, message);
    return err;
}

bool gf_err_is(const gf_err_t *err, gf_err_code_t code)
{
    return err && err->row == &rows[code];
}

void gf_err_log(const gf_ctx_t *ctx, const gf_err_t *err)
{
    gf_log_at(err->file, err->line, ctx, err->row->level, err->rv, err->row->tag, "%s: %s",
              err->row->code, err->detail);
}
