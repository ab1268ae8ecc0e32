/* SPDX-License-Identifier: Apache-2.0 */
/* Reads Prefer: #( token [ = word ] *( ; parameter ) ), where a word is a token or stands in
 * quotes. */
#include "model/prefer.h"

#include <string.h>

#include <apr_cstr.h>
#include <apr_strings.h>

#include "base/text.h"

#define BLANKS " \t"
#define TOKEN                                                    \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012345" \
    "6789!#$%&'*+-.^_`|~"

/* Both move *at past the text that they read. */

static const char *next_token(const char **at, apr_pool_t *pool)
{
    apr_size_t length = strspn(*at, TOKEN);
    const char *text = apr_pstrmemdup(pool, *at, length);

    *at += length;
    *at += strspn(*at, BLANKS);
    return text;
}

/* A text in quotes, without them and the backslashes; one without an end ends with the header. */
static const char *quoted_text(const char **at, apr_pool_t *pool)
{
    char *text = apr_pstrdup(pool, *at);
    char *end = text;

    for (++*at; **at && **at != '"'; ++*at) {
        if (**at == '\\' && (*at)[1]) {
            ++*at;
        }
        *end++ = **at;
    }
    *end = '\0';
    *at += **at == '"';
    return text;
}

/* The text up to the next preference: parameters, or no preference at all. */
static const char *next_preference(const char *at, apr_pool_t *pool)
{
    while (*at && *at != ',') {
        if (*at == '"') {
            quoted_text(&at, pool);
        }
        else {
            at++;
        }
    }
    return at + (*at == ',');
}

/* Seconds, bounded; false: it is no number of them. */
static bool read_wait(apr_interval_time_t *wait, const char *value)
{
    apr_int64_t seconds;

    if (!*value || value[strspn(value, "0123456789")]) {
        return false;
    }
    *wait = !gf_text_int(&seconds, value) || seconds > apr_time_sec(GF_PREFER_WAIT_MAX)
                ? GF_PREFER_WAIT_MAX
                : apr_time_from_sec(seconds);
    return true;
}

void gf_prefer_read(gf_prefer_t *prefer, const char *header, apr_pool_t *pool)
{
    const char *at = header ? header : "";
    bool waits = false; /* there was a `wait` */

    prefer->given = false;
    prefer->wait = 0;
    while (*at) {
        const char *value = "";
        const char *name;

        at += strspn(at, BLANKS);
        name = next_token(&at, pool);
        if (*name && *at == '=') {
            at += 1 + strspn(at + 1, BLANKS);
            value = *at == '"' ? quoted_text(&at, pool) : next_token(&at, pool);
        }
        if (apr_cstr_casecmp(name, "wait") == 0 && !waits) {
            waits = true;
            prefer->given = read_wait(&prefer->wait, value) || prefer->given;
        }
        else if (apr_cstr_casecmp(name, "respond-async") == 0) {
            prefer->given = true;
        }
        at = next_preference(at, pool);
    }
}
