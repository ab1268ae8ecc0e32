/* SPDX-License-Identifier: Apache-2.0 */
/* multipart/form-data (RFC 7578) in a body that is there as a whole: finds one field. Strict: what
 * no client of today sends (a preamble, folded headers, LF without CR) is malformed. Any thread. */
#ifndef GF_MULTIPART_H
#define GF_MULTIPART_H

#include <apr_pools.h>

typedef enum {
    GF_MULTIPART_FOUND,
    GF_MULTIPART_ABSENT,   /* well-formed, but without that field */
    GF_MULTIPART_MALFORMED /* or cut, or with the field more than once */
} gf_multipart_result_t;

/* Bytes that belong to somebody else: a body, the content of a field in it. */
typedef struct gf_bytes_t {
    const char *at;
    apr_size_t length;
} gf_bytes_t;

/* The boundary that a Content-Type names; NULL: none that is allowed. */
const char *gf_multipart_boundary(apr_pool_t *pool, const char *content_type);

/* Looks for the field `name` in `body`; all of the body is checked. *field is set if it is found.
 */
gf_multipart_result_t gf_multipart_find(gf_bytes_t *field, apr_pool_t *pool, const char *boundary,
                                        const gf_bytes_t *body, const char *name);

#endif
