/* SPDX-License-Identifier: Apache-2.0 */
/* Who wrote an answer, by the marks of its kind (genflow/provider.h). Leaves what an answer means
 * to provider/<name>.c, and what follows to provider/provider.c. */
#include "provider/own.h"

#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "base/text.h"

/* Is this one of the words of a list, which are separated by spaces? */
static bool is_listed(const char *list, const char *word, apr_size_t length)
{
    while (*list) {
        apr_size_t next = strcspn(list, " ");

        if (next == length && strncmp(list, word, length) == 0) {
            return true;
        }
        list += next + (list[next] == ' ');
    }
    return false;
}

/* Is there a member of the object by that name, null or not? */
static bool is_named(const gf_json_t *object, const char *name, apr_pool_t *pool)
{
    const apr_array_header_t *names = gf_json_names(object, pool);
    int i;

    for (i = 0; i < names->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(names, i, const char *), name) == 0) {
            return true;
        }
    }
    return false;
}

/* The value at the path: names of members, or places in arrays; NULL: it is not there, or null. */
static const gf_json_t *value_at(const gf_json_t *value, char *path)
{
    char *last = NULL;
    char *name;
    apr_int64_t at;

    for (name = apr_strtok(path, "/", &last); value && name; name = apr_strtok(NULL, "/", &last)) {
        value = !gf_json_is_array(value)            ? gf_json_get(value, name)
                : gf_text_int(&at, name) && at >= 0 ? gf_json_at(value, (apr_size_t)at)
                                                    : NULL;
    }
    return value;
}

static bool has_all(const gf_json_t *document, const char *paths, apr_pool_t *pool)
{
    char *last = NULL;
    char *path;

    for (path = apr_strtok(apr_pstrdup(pool, paths), " ", &last); path;
         path = apr_strtok(NULL, " ", &last)) {
        apr_size_t length = strlen(path);
        bool may_be_null = path[length - 1] == '?';

        if (may_be_null) {
            path[length - 1] = '\0';
        }
        if (!(may_be_null ? is_named(document, path, pool) : value_at(document, path) != NULL)) {
            return false;
        }
    }
    return true;
}

static bool has_no_other(const gf_json_t *document, const char *list, apr_pool_t *pool)
{
    const apr_array_header_t *names = gf_json_names(document, pool);
    int i;

    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (!is_listed(list, name, strlen(name))) {
            return false;
        }
    }
    return true;
}

static bool has_mark(const gf_prov_mark_t *mark, const gf_msg_t *msg, const gf_json_t *document)
{
    return msg->status >= mark->from && msg->status <= mark->to
           && (!mark->header || apr_table_get(msg->answer, mark->header))
           && (!mark->has || (document && has_all(document, mark->has, msg->pool)))
           && (!mark->only || (document && has_no_other(document, mark->only, msg->pool)));
}

bool prov_own_is_marked(const gf_prov_mark_t *marks, const gf_msg_t *msg)
{
    gf_ctx_t ctx = { .pool = msg->pool };
    gf_json_t *document = NULL;

    if (gf_json_parse_reply(&document, &ctx, msg->text, msg->text_length)) {
        document = NULL; /* a page, a word, or nothing */
    }
    for (; marks && marks->from; marks++) {
        if (has_mark(marks, msg, document)) {
            return true;
        }
    }
    return false;
}
