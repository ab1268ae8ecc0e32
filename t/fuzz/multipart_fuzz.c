/* SPDX-License-Identifier: Apache-2.0 */
/* base/multipart.c: a Content-Type on the first line, a body behind it. */
#define FUZZ_NAME "multipart"

#include "base/multipart.h"
#include "fuzz.h"

static void fuzz_one(void)
{
    const char *boundary = gf_multipart_boundary(fuzz.ctx.pool, fuzz_line());
    gf_bytes_t body, field = { NULL, 0 };
    size_t length;
    char *text = fuzz_rest(&length);

    body.at = text;
    body.length = length;
    if (boundary
        && gf_multipart_find(&field, fuzz.ctx.pool, boundary, &body, "file")
               == GF_MULTIPART_FOUND) {
        FUZZ_HOLDS(field.at >= body.at && field.at + field.length <= body.at + body.length);
    }
    free(text);
}
