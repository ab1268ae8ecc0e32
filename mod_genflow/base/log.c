/* SPDX-License-Identifier: Apache-2.0 */
/* Formats log lines for the sink. Leaves levels and destination to the sink. Any thread. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#define LINE_MAX_BYTES 1024
#define SUBJECT_BYTES  512    /* of them; the rest is the message's */
#define REALM_MARK     '\x1f' /* of model/realm.h: a user is shown as realm/name */

void gf_log_at(const char *file, int line, const gf_ctx_t *ctx, gf_log_level_t level,
               apr_status_t rv, const char *tag, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list args;
    char *at;
    int used;

    if (!ctx->log || level > ctx->log->level) {
        return;
    }
    used = apr_snprintf(text, sizeof(text), "%s: %.*s", tag, SUBJECT_BYTES,
                        ctx->subject ? ctx->subject : "");
    va_start(args, format);
    apr_vsnprintf(text + used, sizeof(text) - (size_t)used, format, args);
    va_end(args);
    for (at = text; (at = strchr(at, REALM_MARK));) {
        *at = '/';
    }
    ctx->log->write(ctx->log->baton, file, line, level, rv, text);
}
