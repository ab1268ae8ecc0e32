/* SPDX-License-Identifier: Apache-2.0 */
/* multipart/form-data (RFC 7578) in a whole body: finds one field. Strict: a preamble, folded
 * headers and LF without CR are malformed, because no client of today sends them. Any thread. */
#ifndef GF_MULTIPART_H
#define GF_MULTIPART_H

#include <apr_tables.h>

/* What became of a search. Only FOUND has set the field. */
typedef enum {
    GF_MULTIPART_FOUND,
    GF_MULTIPART_ABSENT,   /* well-formed, but without that field */
    GF_MULTIPART_MALFORMED /* or cut, or with the field more than once */
} gf_multipart_result_t;

/* Borrowed bytes: a body, or the content of a field in it. */
typedef struct gf_bytes_t {
    const char *at;
    apr_size_t length;
} gf_bytes_t;

/* The boundary of a Content-Type, in `pool` and without quotes. NULL: the type is no
 * multipart/form-data, names no boundary or two, or one that RFC 2046 does not allow (1 to 70
 * characters, no space at the end). */
const char *gf_multipart_boundary(apr_pool_t *pool, const char *content_type);

/* Finds the field `name` in `body`, and checks all of the body. If it is found, sets *field to its
 * bytes inside the body, which are not copied. More than 64 parts, 16 headers of a part or 1024
 * bytes of a header are malformed. `pool` is for scratch only. */
gf_multipart_result_t gf_multipart_find(gf_bytes_t *field, apr_pool_t *pool, const char *boundary,
                                        const gf_bytes_t *body, const char *name);

/* A part of a form. */
typedef struct gf_part_t {
    const char *name;
    const char *file; /* its file name; NULL: it is no file */
    const char *type; /* its Content-Type; NULL: it has none */
    gf_bytes_t bytes; /* inside the body, not copied */
} gf_part_t;

/* All parts of `body` in their order (gf_part_t), in `pool`; NULL: it is malformed or cut. Bounds
 * as above; a name may occur more than once. */
apr_array_header_t *gf_multipart_parts(apr_pool_t *pool, const char *boundary,
                                       const gf_bytes_t *body);

#endif
