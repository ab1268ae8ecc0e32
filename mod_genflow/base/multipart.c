/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the parts of a multipart/form-data body from front to back, once. Leaves what a field means
 * to the caller. */
#include "base/multipart.h"

#include <stdbool.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#define BOUNDARY_MAX 70   /* RFC 2046 */
#define PARTS_MAX    64   /* of a body */
#define HEADERS_MAX  16   /* of a part */
#define HEADER_MAX   1024 /* bytes of a header */

/* The unread part. */
typedef struct rest_t {
    const char *at;
    const char *end;
} rest_t;

static bool take_text(rest_t *rest, const char *text)
{
    apr_size_t length = strlen(text);

    if ((apr_size_t)(rest->end - rest->at) < length || memcmp(rest->at, text, length) != 0) {
        return false;
    }
    rest->at += length;
    return true;
}

/* ---- parameters of a header: ; name=token; name="quoted" ---- */

/* A value, in quotes or not, from *at on; moves *at past it. NULL: malformed. */
static const char *value_at(const char **at, apr_pool_t *pool)
{
    const char *from = *at;
    char *value;
    char *to;

    if (*from != '"') {
        *at += strcspn(from, "; \t\"");
        return *at > from ? apr_pstrmemdup(pool, from, (apr_size_t)(*at - from)) : NULL;
    }
    to = value = apr_palloc(pool, strlen(from));
    for (from++; *from && *from != '"'; from++) {
        if (*from == '\\' && from[1]) {
            from++;
        }
        *to++ = *from;
    }
    *to = '\0';
    *at = *from ? from + 1 : from;
    return *from ? value : NULL;
}

/* The parameter `name` of what follows a header's first word; NULL: absent, twice, or the text is
 * malformed. */
static const char *header_parameter(const char *text, const char *name, apr_pool_t *pool)
{
    const char *found = NULL;

    for (;;) {
        const char *key;
        const char *value;
        apr_size_t length;

        text += strspn(text, " \t");
        if (!*text) {
            return found;
        }
        if (*text++ != ';') {
            return NULL;
        }
        key = text += strspn(text, " \t");
        length = strcspn(key, "=; \t\"");
        text += length;
        if (length == 0 || *text++ != '=') {
            return NULL;
        }
        value = value_at(&text, pool);
        if (!value) {
            return NULL;
        }
        if (strncasecmp(key, name, length) == 0 && name[length] == '\0') {
            if (found) {
                return NULL;
            }
            found = value;
        }
    }
}

/* The text after `word` if it begins with that, in any case; else NULL. */
static const char *text_behind(const char *text, const char *word)
{
    apr_size_t length = strlen(word);

    return strncasecmp(text, word, length) == 0 ? text + length : NULL;
}

const char *gf_multipart_boundary(apr_pool_t *pool, const char *content_type)
{
    const char *rest = text_behind(content_type, "multipart/form-data");
    const char *boundary = rest ? header_parameter(rest, "boundary", pool) : NULL;
    apr_size_t length;

    if (!boundary) {
        return NULL;
    }
    for (length = 0; boundary[length]; length++) {
        if (!apr_isalnum(boundary[length]) && !strchr("'()+_,-./:=? ", boundary[length])) {
            return NULL;
        }
    }
    return length > 0 && length <= BOUNDARY_MAX && boundary[length - 1] != ' ' ? boundary : NULL;
}

/* ---- parts ---- */

/* Takes one header line; an empty one ends them. NULL: malformed. */
static const char *header_line(rest_t *rest, apr_pool_t *pool)
{
    const char *from = rest->at;
    const char *end = memchr(from, '\r', (apr_size_t)(rest->end - from));
    apr_size_t length = end ? (apr_size_t)(end - from) : 0;
    const char *line;
    apr_size_t name;

    if (!end || length > HEADER_MAX || memchr(from, '\0', length) || memchr(from, '\n', length)) {
        return NULL;
    }
    rest->at = end;
    line = apr_pstrmemdup(pool, from, length);
    name = strcspn(line, ": \t");
    return take_text(rest, "\r\n") && (!*line || (name > 0 && line[name] == ':')) ? line : NULL;
}

/* Takes the headers of a part into it. False: malformed. */
static bool take_headers(gf_part_t *part, rest_t *rest, apr_pool_t *pool)
{
    int i;

    for (i = 0; i <= HEADERS_MAX; i++) {
        const char *line = header_line(rest, pool);
        const char *value;

        if (!line || !*line) {
            return line && part->name;
        }
        value = text_behind(line, "Content-Type:");
        if (value) {
            part->type = value + strspn(value, " \t");
        }
        value = text_behind(line, "Content-Disposition:");
        if (value) {
            value = text_behind(value + strspn(value, " \t"), "form-data");
            if (!value || part->name) {
                return false;
            }
            part->name = header_parameter(value, "name", pool);
            part->file = header_parameter(value, "filename", pool);
            if (!part->name) {
                return false;
            }
        }
    }
    return false;
}

/* The place where `delimiter` begins in the rest; NULL: it does not occur. */
static const char *find_delimiter(const rest_t *rest, const char *delimiter)
{
    apr_size_t length = strlen(delimiter);
    const char *at = rest->at;

    while ((apr_size_t)(rest->end - at) >= length) {
        at = memchr(at, delimiter[0], (apr_size_t)(rest->end - at) - length + 1);
        if (!at || memcmp(at, delimiter, length) == 0) {
            return at;
        }
        at++;
    }
    return NULL;
}

apr_array_header_t *gf_multipart_parts(apr_pool_t *pool, const char *boundary,
                                       const gf_bytes_t *body)
{
    const char *delimiter = apr_pstrcat(pool, "\r\n--", boundary, NULL);
    apr_array_header_t *parts = apr_array_make(pool, 8, sizeof(gf_part_t));
    rest_t rest = { body->at, body->at + body->length };

    if (!take_text(&rest, delimiter + 2)) { /* the first one stands on the first line */
        return NULL;
    }
    while (parts->nelts < PARTS_MAX && take_text(&rest, "\r\n")) {
        gf_part_t *part = apr_array_push(parts);
        const char *end;

        memset(part, 0, sizeof(*part));
        end = take_headers(part, &rest, pool) ? find_delimiter(&rest, delimiter) : NULL;
        if (!end) {
            return NULL;
        }
        part->bytes.at = rest.at;
        part->bytes.length = (apr_size_t)(end - rest.at);
        rest.at = end + strlen(delimiter);
    }
    return take_text(&rest, "--")
                   && (rest.at == rest.end || (take_text(&rest, "\r\n") && rest.at == rest.end))
               ? parts
               : NULL;
}

gf_multipart_result_t gf_multipart_find(gf_bytes_t *field, apr_pool_t *pool, const char *boundary,
                                        const gf_bytes_t *body, const char *name)
{
    const apr_array_header_t *parts = gf_multipart_parts(pool, boundary, body);
    gf_multipart_result_t result = GF_MULTIPART_ABSENT;
    int i;

    for (i = 0; parts && i < parts->nelts; i++) {
        const gf_part_t *part = &APR_ARRAY_IDX(parts, i, gf_part_t);

        if (strcmp(part->name, name) == 0) {
            if (result == GF_MULTIPART_FOUND) {
                return GF_MULTIPART_MALFORMED;
            }
            result = GF_MULTIPART_FOUND;
            *field = part->bytes;
        }
    }
    return parts ? result : GF_MULTIPART_MALFORMED;
}
