/* SPDX-License-Identifier: Apache-2.0 */
/* Errors that a client or operator must see: made once (gf_err_make), carried untouched (GF_TRY),
 * ended once, by gf_reply_error() for a request and by the rules of its kind for a job
 * (work/generate.c). NULL is success. An error lives in its context's pool and does not log by
 * itself. Any thread. */
#ifndef GF_ERR_H
#define GF_ERR_H

#include <apr_errno.h>
#include <apr_tables.h>

#include "base/ctx.h"
#include "base/log.h"

/* GF_E_<symbol> for each row of base/err_table.h. Its number is nowhere stored. */
typedef enum {
#define GF_ERR(symbol, code, http, level, tag, text) GF_E_##symbol,
#include "base/err_table.h"
#undef GF_ERR
    GF_E_COUNT
} gf_err_code_t;

/* A row of base/err_table.h. Rows are constant and live for ever. */
typedef struct gf_err_row_t {
    const char *code; /* machine code, as on the wire */
    int http;         /* status of a response that reports it */
    gf_log_level_t level;
    const char *tag;  /* "GFnnnn", of its log line (docs/log.md) */
    const char *text; /* for the client */
} gf_err_row_t;

/* One bad field of a request. The texts are not copied: they live as long as the error's pool. */
typedef struct gf_field_error_t {
    const char *field;   /* its name on the wire */
    const char *message; /* for the client: what the field must be */
    bool missing;        /* it is absent, not wrong */
} gf_field_error_t;

/* An error on its way to the reply or to the end of a job. Callers do not change it, except
 * `extra`, `sqlstate` and `retry_after`, which the function that made it may fill. */
typedef struct gf_err_t {
    const gf_err_row_t *row;
    apr_status_t rv; /* cause, or APR_SUCCESS */

    /* For the log alone: what happened, and the place that made the error. */
    const char *detail;
    const char *file;
    int line;

    /* For the client: a text instead of the row's; the member `error`, where an older front end
     * shows it. NULL: as the row says. */
    const char *text;
    const char *error;

    /* JSON members for the response, without brackets: "\"a\":1,\"b\":2". NULL: none. */
    const char *extra;
    apr_array_header_t *fields; /* of gf_field_error_t, or NULL */

    const char *sqlstate; /* of a statement that failed; NULL: it has none */

    /* Seconds, for Retry-After; 0: the response has none. */
    int retry_after;
} gf_err_t;

/* The row of a code; never NULL. For a row's code or text without an error, and to show an error as
 * another one (err->row) where an older wire has another status. */
const gf_err_row_t *gf_err_row(gf_err_code_t code);

/* gf_err_make(ctx, code, rv, format, ...): a new error in ctx->pool; never NULL. `rv` is the cause,
 * or APR_SUCCESS. The formatted text is private: the log has it, the client never does, so it may
 * name hosts, paths and users, but no key, token or prompt. */
#define gf_err_make(ctx, code, rv, ...) \
    gf_err_make_at(__FILE__, __LINE__, ctx, code, rv, __VA_ARGS__)

gf_err_t *gf_err_make_at(const char *file, int line, const gf_ctx_t *ctx, gf_err_code_t code,
                         apr_status_t rv, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* An error about one field of the request; `message` is for the client. The field is wrong, not
 * missing. Field and message are not copied. */
gf_err_t *gf_err_field(const gf_ctx_t *ctx, gf_err_code_t code, const char *field,
                       const char *message);

/* Names one more bad field of the request in `err`; NULL makes an INVALID error of it. */
gf_err_t *gf_err_add_field(gf_err_t *err, const gf_ctx_t *ctx, const char *field, bool missing,
                           const char *message);

/* Is err that error? NULL is none. */
bool gf_err_is(const gf_err_t *err, gf_err_code_t code);

/* Writes the one log line of an error, at the level and with the tag of its row: "GF0112:
 * VALIDATION_FAILED: detail". Only the two functions that end an error call it. */
void gf_err_log(const gf_ctx_t *ctx, const gf_err_t *err);

/* Returns a non-NULL error to the caller, unchanged: no caller wraps an error or logs it again. */
#define GF_TRY(expr)                   \
    do {                               \
        gf_err_t *gf_try_err = (expr); \
        if (gf_try_err) {              \
            return gf_try_err;         \
        }                              \
    } while (0)

#endif
