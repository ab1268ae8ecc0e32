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

/* Each moves *at past the text that it reads. A header may be long: only what is needed is copied.
 */

/* Returns the length of the token, which begins where *at was. */
static apr_size_t skip_token(const char **at)
{
    apr_size_t length = strspn(*at, TOKEN);

    *at += length;
    *at += strspn(*at, BLANKS);
    return length;
}

/* A text in quotes; one without an end ends with the header. */
static void skip_quoted(const char **at)
{
    for (++*at; **at && **at != '"'; ++*at) {
        if (**at == '\\' && (*at)[1]) {
            ++*at;
        }
    }
    *at += **at == '"';
}

/* The text up to the next preference: parameters, or no preference at all. */
static void skip_rest(const char **at)
{
    while (**at && **at != ',') {
        if (**at == '"') {
            skip_quoted(at);
        }
        else {
            ++*at;
        }
    }
    *at += **at == ',';
}

/* A text in quotes, without them and the backslashes. */
static const char *quoted_text(const char *at, apr_pool_t *pool)
{
    const char *behind = at;
    char *text;
    char *end;

    skip_quoted(&behind);
    text = end = apr_palloc(pool, (apr_size_t)(behind - at) + 1);
    for (at++; at < behind && *at != '"'; at++) {
        if (*at == '\\' && at[1]) {
            at++;
        }
        *end++ = *at;
    }
    *end = '\0';
    return text;
}

/* The value of a preference whose name ends at `at`; "": it has none. */
static const char *value_of(const char *at, apr_pool_t *pool)
{
    if (*at != '=') {
        return "";
    }
    at += 1 + strspn(at + 1, BLANKS);
    return *at == '"' ? quoted_text(at, pool) : apr_pstrmemdup(pool, at, strspn(at, TOKEN));
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

static bool is_name(const char *text, apr_size_t length, const char *name)
{
    return length == strlen(name) && apr_cstr_casecmpn(text, name, length) == 0;
}

void gf_prefer_read(gf_prefer_t *prefer, const char *header, apr_pool_t *pool)
{
    const char *at = header ? header : "";
    bool has_wait = false; /* of any value */

    memset(prefer, 0, sizeof(*prefer));
    while (*at) {
        const char *name;
        apr_size_t length;

        at += strspn(at, BLANKS);
        name = at;
        length = skip_token(&at);
        if (is_name(name, length, "wait") && !has_wait) {
            has_wait = true;
            prefer->waits = read_wait(&prefer->wait, value_of(at, pool));
        }
        else if (is_name(name, length, "respond-async")) {
            prefer->async = true;
        }
        skip_rest(&at);
    }
    prefer->given = prefer->waits || prefer->async;
}

const char *gf_prefer_applied(const gf_prefer_t *prefer, bool waited, bool ended, apr_pool_t *pool)
{
    const char *wait = prefer->waits && waited
                           ? apr_psprintf(pool, "wait=%" APR_TIME_T_FMT, apr_time_sec(prefer->wait))
                           : NULL;

    if (!prefer->async || ended) {
        return wait;
    }
    return wait ? apr_pstrcat(pool, "respond-async, ", wait, NULL) : "respond-async";
}
