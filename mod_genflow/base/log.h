/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines of the core rooms. A line is `GFnnnn: <subject>message`; the tag is unique in the tree
 * and names one place. The sink writes it (httpd's error log; a buffer in unit tests). Any thread.
 */
#ifndef GF_LOG_H
#define GF_LOG_H

#include <apr_errno.h>

#include "base/ctx.h"

/* The level follows the party that must act: client INFO, provider or network WARNING, operator
 * ERR, us (a bug) CRIT; start and stop NOTICE. */
typedef enum {
    GF_LOG_CRIT,
    GF_LOG_ERR,
    GF_LOG_WARNING,
    GF_LOG_NOTICE,
    GF_LOG_INFO,
    GF_LOG_DEBUG
} gf_log_level_t;

/* Where lines go: httpd's error log (httpd/glue.c), or a buffer in unit tests. */
typedef struct gf_log_sink_t {
    /* Writes one line with its tag and subject. Any thread; must not block on the database. */
    void (*write)(void *baton, const char *file, int line, gf_log_level_t level, apr_status_t rv,
                  const char *text);
    gf_log_level_t level; /* lines above it are not even formatted */
    void *baton;          /* first argument of each write() */
} gf_log_sink_t;

/* gf_log(ctx, level, rv, tag, format, ...): writes `GFnnnn: <ctx->subject>message`. rv is the
 * cause, which httpd appends in words, or APR_SUCCESS. A new tag is one that no other place uses,
 * and gets a row in docs/log.md. The message has no prompt, key or token, and foreign text in it
 * has passed gf_text_redact(). A line has at most 1024 bytes, 512 of them its subject; the rest is
 * cut off. */
#define gf_log(ctx, level, rv, tag, ...) \
    gf_log_at(__FILE__, __LINE__, ctx, level, rv, tag, __VA_ARGS__)

void gf_log_at(const char *file, int line, const gf_ctx_t *ctx, gf_log_level_t level,
               apr_status_t rv, const char *tag, const char *format, ...)
    __attribute__((format(printf, 7, 8)));

#endif
