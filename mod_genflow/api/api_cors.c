/* SPDX-License-Identifier: Apache-2.0 */
/* Which pages of other sites may read our answers (GenflowCorsOrigin). The headers are set before
 * httpd asks who it is, and in err_headers_out: so every answer has them, also a refusal of httpd's
 * own, a 304 or a stream. */
#include "api/gf_api.h"

#include "httpd/httpd_conf.h"

#define ALLOWED_METHODS "GET, HEAD, POST, PUT, DELETE"
#define ALLOWED_HEADERS \
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer"
#define EXPOSED "ETag, Idempotency-Replayed, Location, Retry-After"
#define MAX_AGE "7200" /* seconds; browsers do not remember longer */

/* What Access-Control-Allow-Origin says to a page of `origin`; NULL: nothing. */
static const char *allowed(const apr_array_header_t *origins, const char *origin)
{
    int i;

    for (i = 0; i < origins->nelts; i++) {
        const char *one = APR_ARRAY_IDX(origins, i, const char *);

        if (strcmp(one, "*") == 0 || strcmp(one, origin) == 0) {
            return one;
        }
    }
    return NULL;
}

int api_cors(request_rec *r)
{
    const apr_array_header_t *origins = httpd_conf_dir(r)->origins;
    const char *origin = apr_table_get(r->headers_in, "Origin");
    bool preflight = origin && r->method_number == M_OPTIONS
                     && apr_table_get(r->headers_in, "Access-Control-Request-Method");
    const char *answer;

    if (!origins) {
        return DECLINED;
    }
    if (strcmp(APR_ARRAY_IDX(origins, 0, const char *), "*") != 0) {
        apr_table_mergen(r->err_headers_out, "Vary", "Origin");
    }
    answer = origin ? allowed(origins, origin) : NULL;
    if (answer) {
        apr_table_setn(r->err_headers_out, "Access-Control-Allow-Origin", answer);
        apr_table_setn(r->err_headers_out, "Access-Control-Expose-Headers", EXPOSED);
        if (strcmp(answer, "*") != 0) {
            apr_table_setn(r->err_headers_out, "Access-Control-Allow-Credentials", "true");
        }
    }
    if (answer && preflight) {
        apr_table_setn(r->err_headers_out, "Access-Control-Allow-Methods", ALLOWED_METHODS);
        apr_table_setn(r->err_headers_out, "Access-Control-Allow-Headers", ALLOWED_HEADERS);
        apr_table_setn(r->err_headers_out, "Access-Control-Max-Age", MAX_AGE);
    }
    return preflight ? HTTP_NO_CONTENT : DECLINED;
}
