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

typedef struct gf_log_sink_t {
    void (*write)(void *baton, const char *file, int line, gf_log_level_t level, apr_status_t rv,
                  const char *text);
    gf_log_level_t level; /* lines above it are not even formatted */
    void *baton;
} gf_log_sink_t;

/* gf_log(ctx, level, rv, tag, format, ...): rv is the cause, or APR_SUCCESS. */
#define gf_log(ctx, level, rv, tag, ...) \
    gf_log_at(__FILE__, __LINE__, ctx, level, rv, tag, __VA_ARGS__)

void gf_log_at(const char *file, int line, const gf_ctx_t *ctx, gf_log_level_t level,
               apr_status_t rv, const char *tag, const char *format, ...)
    __attribute__((format(printf, 7, 8)));

#endif
