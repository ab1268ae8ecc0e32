/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the source picture of a request. Each form of it is a row with its own rule. db/ stores
 * uploaded pictures; work/ fetches addresses, and net/guard.c checks the very address of the
 * connection. */
#include "model/source.h"

#include <arpa/inet.h>
#include <string.h>

#include <apr_cstr.h>
#include <apr_encode.h>
#include <apr_network_io.h>
#include <apr_strings.h>

#include "base/text.h"
#include "model/source_url.h"
#include "model/url.h"

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const char *const media_types[] = { "image/png", "image/jpeg", "image/jpg", "image/webp" };

/* ---- an address ---- */

/* Does the site allow this address, written as a literal, to be fetched from? */
static bool is_allowed_literal(gf_ctx_t *ctx, const char *host)
{
    unsigned char raw[sizeof(struct in6_addr)];
    int family = inet_pton(AF_INET, host, raw) == 1    ? APR_INET
                 : inet_pton(AF_INET6, host, raw) == 1 ? APR_INET6
                                                       : APR_UNSPEC;
    const apr_array_header_t *allowed = ctx->conf->source_allowed;
    apr_sockaddr_t *address;
    int i;

    if (family == APR_UNSPEC
        || apr_sockaddr_info_get(&address, host, family, 0, 0, ctx->pool) != APR_SUCCESS) {
        return false;
    }
    for (i = 0; allowed && i < allowed->nelts; i++) {
        if (apr_ipsubnet_test(APR_ARRAY_IDX(allowed, i, apr_ipsubnet_t *), address)) {
            return true;
        }
    }
    return false;
}

const char *gf_source_wrong_url(gf_ctx_t *ctx, const char *text)
{
    gf_url_t url;
    const char *wrong = gf_url_read(&url, text, ctx->pool);

    if (!wrong && !url.https && !is_allowed_literal(ctx, url.host)) {
        return GF_URL_NOT_HTTPS;
    }
    return wrong;
}

static const char *check_url(gf_source_t *source, const gf_input_t *input, const char *url)
{
    source->asset_id = gf_source_own_id(input, url);
    if (source->asset_id) {
        return NULL;
    }
    source->url = url;
    return gf_source_wrong_url(input->ctx, url);
}

/* ---- an uploaded picture ---- */

const char *gf_source_own_id(const gf_input_t *input, const char *url)
{
    const char *const *prefix = input->own;

    if (url && gf_text_is_uuid(url)) {
        return url;
    }
    for (; url && prefix && *prefix; prefix++) {
        apr_size_t length = strlen(*prefix);
        const char *id = url + length;

        if (strncasecmp(url, *prefix, length) == 0) {
            id = apr_pstrmemdup(input->ctx->pool, id, strcspn(id, "?#"));
            return gf_text_is_uuid(id) ? id : NULL;
        }
    }
    return NULL;
}

static const char *check_asset_id(gf_source_t *source, const gf_input_t *input, const char *id)
{
    (void)input;
    source->asset_id = id;
    return gf_text_is_uuid(id) ? NULL : "must be the id of an uploaded picture";
}

/* ---- the picture itself ---- */

bool gf_source_takes(const char *media_type)
{
    size_t i;

    for (i = 0; i < sizeof(media_types) / sizeof(media_types[0]); i++) {
        if (apr_cstr_casecmp(media_type, media_types[i]) == 0) {
            return true;
        }
    }
    return false;
}

const char *gf_source_probe(gf_image_t *image, gf_ctx_t *ctx, const void *bytes, apr_size_t length)
{
    if ((apr_int64_t)length > ctx->conf->asset_max) {
        return apr_psprintf(ctx->pool, "must have at most %" APR_INT64_T_FMT " bytes",
                            ctx->conf->asset_max);
    }
    if (!gf_image_probe(image, bytes, length) || !image->end) {
        return "must be a whole PNG, JPEG or WebP picture";
    }
    if (!gf_image_is_plain(image)) {
        return "is made of more scans or packed texts than a picture needs: save it anew";
    }
    if ((apr_int64_t)image->width * image->height > ctx->conf->asset_pixels_max) {
        return apr_psprintf(ctx->pool, "must have at most %" APR_INT64_T_FMT " pixels",
                            ctx->conf->asset_pixels_max);
    }
    return NULL;
}

/* Strict: the standard alphabet, padded, without line ends. */
static bool is_base64(const char *text, apr_size_t length)
{
    apr_size_t digits = strspn(text, base64_digits);

    return length % 4 == 0 && length - digits <= 2 && strspn(text + digits, "=") == length - digits;
}

static const char *check_image(gf_source_t *source, const gf_input_t *input, const char *uri)
{
    gf_ctx_t *ctx = input->ctx;
    const char *semicolon = strchr(uri, ';');
    const char *type =
        semicolon ? apr_pstrmemdup(ctx->pool, uri, (apr_size_t)(semicolon - uri)) : "";
    const char *wrong;
    apr_size_t length;

    if (strncasecmp(type, "data:", 5) != 0 || !gf_source_takes(type + 5)
        || strncasecmp(semicolon, ";base64,", 8) != 0) {
        return "must be data:image/png;base64,... or the like of image/jpeg or image/webp";
    }
    source->base64 = semicolon + 8;
    length = strlen(source->base64);
    if (!is_base64(source->base64, length)) {
        return "must be in base64, padded and without line ends";
    }
    source->bytes = apr_pdecode_base64_binary(ctx->pool, source->base64, (apr_ssize_t)length,
                                              APR_ENCODE_NONE, &length);
    wrong = gf_source_probe(&source->image, ctx, source->bytes, length);
    if (!wrong && source->image.end < (apr_int64_t)length) {
        source->base64 = apr_pencode_base64_binary(
            ctx->pool, source->bytes, (apr_ssize_t)source->image.end, APR_ENCODE_NONE, NULL);
    }
    return wrong;
}

const char *gf_source_read(gf_source_t *source, const gf_input_t *input, const char *field,
                           const char *text)
{
    memset(source, 0, sizeof(*source));
    source->field = field;
    return strncasecmp(text, "data:", 5) == 0 ? check_image(source, input, text)
                                              : check_url(source, input, text);
}

/* ---- the four of them ---- */

const gf_input_field_t gf_source_fields[] = {
    { .names = { "sourceUrl", "source_url", "imageUrl", "image_url" }, .kind = GF_INPUT_KNOWN },
    { .names = { "sourceAssetId", "source_asset_id" }, .kind = GF_INPUT_KNOWN },
    { .names = { "image" }, .kind = GF_INPUT_KNOWN },
    { .names = { "sourceAssetIds", "source_asset_ids" }, .kind = GF_INPUT_KNOWN },
    GF_INPUT_END
};

/* Their rules: NULL, or what is wrong. */
static const char *(*const checks[])(gf_source_t *source, const gf_input_t *input,
                                     const char *text) = { check_url, check_asset_id, check_image };

#define LIST ((int)(sizeof(checks) / sizeof(checks[0]))) /* the row behind them */

/* The member of a row; NULL: it is not there, or an empty list. */
static gf_json_t *member_of(const gf_input_t *input, int row)
{
    gf_json_t *value = gf_input_member(input, gf_source_fields[row].names);

    return row == LIST && gf_json_is_array(value) && gf_json_length(value) == 0 ? NULL : value;
}

/* The number of members that the body has. */
static int count_members(const gf_input_t *input)
{
    int given = 0;
    int i;

    for (i = 0; i <= LIST; i++) {
        given += member_of(input, i) != NULL;
    }
    return given;
}

static const char *wrong_list(apr_array_header_t *sources, const gf_input_t *input,
                              const gf_json_t *list)
{
    apr_size_t given = gf_json_length(list);
    apr_size_t i;

    if (!gf_json_is_array(list) || given > GF_SOURCES_MAX) {
        return apr_psprintf(input->ctx->pool, "must be a list of 1 to %d ids", GF_SOURCES_MAX);
    }
    for (i = 0; i < given; i++) {
        gf_source_t *source = apr_array_push(sources);
        const char *text = NULL;

        source->field = gf_source_fields[LIST].names[0];
        source->asset_id =
            gf_json_string(gf_json_at(list, i), &text) ? gf_source_own_id(input, text) : NULL;
        if (!source->asset_id) {
            return apr_psprintf(input->ctx->pool, "number %d must be the id of an uploaded picture",
                                (int)i + 1);
        }
    }
    return NULL;
}

static const char *wrong_member(apr_array_header_t *sources, const gf_input_t *input,
                                const gf_json_t *value, int row)
{
    gf_source_t *source;
    const char *text;

    if (row == LIST) {
        return wrong_list(sources, input, value);
    }
    source = apr_array_push(sources);
    source->field = gf_source_fields[row].names[0];
    return gf_json_string(value, &text) ? checks[row](source, input, text)
                                        : "must be a text without NUL characters";
}

bool gf_source_check(apr_array_header_t *sources, gf_input_t *input, const gf_type_t *type)
{
    const gf_input_t body = { .ctx = input->ctx, .body = input->body };
    const gf_input_t template = { .ctx = input->ctx, .body = input->fallback };
    const gf_input_t *from = count_members(&body) ? &body : &template;
    int given = count_members(from);
    bool good = true;
    int i;

    if (given == 0 && type->source == GF_SOURCE_MUST) {
        gf_input_missing(input, gf_source_fields[0].names[0],
                         "is required, or sourceAssetId, or image");
        return false;
    }
    for (i = 0; i <= LIST; i++) {
        gf_json_t *value = member_of(from, i);
        const char *wrong = NULL;

        if (!value) {
            continue;
        }
        if (type->source == GF_SOURCE_NONE) {
            wrong = apr_psprintf(input->ctx->pool, "%s takes no source picture: leave it out",
                                 gf_type_wire(type));
        }
        else if (given > 1) {
            wrong = "give one of sourceUrl, sourceAssetId, sourceAssetIds and image only";
        }
        else {
            wrong = wrong_member(sources, input, value, i);
        }
        if (wrong) {
            gf_input_refuse(input, GF_E_SOURCE_URL, gf_source_fields[i].names[0], "%s", wrong);
            good = false;
        }
    }
    return good;
}

/* ---- source_url ---- */

const char *gf_source_lines(apr_pool_t *pool, const apr_array_header_t *sources)
{
    const char *lines = NULL;
    int i;

    for (i = 0; sources && i < sources->nelts; i++) {
        const gf_source_t *source = &APR_ARRAY_IDX(sources, i, gf_source_t);
        const char *id = source->asset_id ? source->asset_id : "";

        lines =
            gf_source_append(pool, lines, source->url ? source->url : gf_source_of_asset(pool, id));
    }
    return lines;
}
