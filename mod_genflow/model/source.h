/* SPDX-License-Identifier: Apache-2.0 */
/* Source pictures as requests bring them: an https address, the id of an uploaded picture, or the
 * picture itself as a data: URI. No I/O; any thread. */
#ifndef GF_SOURCE_H
#define GF_SOURCE_H

#include "base/image.h"
#include "model/input.h"

/* At most one of url, asset_id and base64 is set. */
typedef struct gf_source_t {
    const char *url;
    const char *asset_id;
    const char *field;  /* of the body that named it */
    const char *base64; /* the picture itself, ... */
    const void *bytes;  /* ... decoded, and ... */
    gf_image_t image;   /* ... its type and size: image.end is the number of its bytes */
} gf_source_t;

/* The members that name a source picture, or several. */
extern const gf_input_field_t gf_source_fields[];

/* Takes the source pictures out of the body, or out of the template if the body has none, as `type`
 * requires, and adds each to `sources` (of gf_source_t). False: they are refused; `input` then has
 * every bad field, or the missing one. */
bool gf_source_check(apr_array_header_t *sources, gf_input_t *input, const gf_type_t *type);

/* The mistake in this address of a picture, for the client; NULL: none. */
const char *gf_source_wrong_url(gf_ctx_t *ctx, const char *url);

/* The id of the uploaded picture whose address on this site `url` is, absolute or relative
 * (input->own), or whose id it is; NULL: it is none. Such an address is never fetched: the caller
 * checks the owner and stores gf_source_of_asset(). */
const char *gf_source_own_id(const gf_input_t *input, const char *url);

/* Is this, in any case, the media type of an accepted picture? */
bool gf_source_takes(const char *media_type);

/* Can these bytes be a source picture: recognised, whole, within GenflowAssetMaxBytes and
 * GenflowAssetMaxPixels? Sets *image and returns NULL, or returns the mistake for the client. Bytes
 * after image->end do not belong to the picture: leave them out. */
const char *gf_source_probe(gf_image_t *image, gf_ctx_t *ctx, const void *bytes, apr_size_t length);

/* The same for one text of the list `field`: an https address, one of ours, or a data: URI. Sets
 * *source. Returns the mistake for the client; NULL: none. */
const char *gf_source_read(gf_source_t *source, const gf_input_t *input, const char *field,
                           const char *text);

/* The source_url of a row (model/source_url.h) of checked sources (gf_source_t). A picture that is
 * not yet stored stands as an asset without id. NULL: there are none. */
const char *gf_source_lines(apr_pool_t *pool, const apr_array_header_t *sources);

#endif
