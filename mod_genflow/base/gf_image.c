/* SPDX-License-Identifier: Apache-2.0 */
/* Sniffs PNG, JPEG and WebP. Leaves limits to the store. */
#include "base/gf_image.h"

#include <string.h>

const char *const gf_image_extensions[] = { "png", "jpg", "webp", NULL };

const char *gf_image_extension(const char *type)
{
    return !type                             ? NULL
           : strcmp(type, "image/png") == 0  ? "png"
           : strcmp(type, "image/jpeg") == 0 ? "jpg"
           : strcmp(type, "image/webp") == 0 ? "webp"
                                             : NULL;
}

static int be16(const unsigned char *p)
{
    return p[0] << 8 | p[1];
}

static int le24(const unsigned char *p)
{
    return p[0] | p[1] << 8 | p[2] << 16;
}

static bool found(gf_image_t *image, const char *type, const char *extension, apr_int64_t width,
                  apr_int64_t height)
{
    image->type = type;
    image->extension = extension;
    image->width = (int)width;
    image->height = (int)height;
    return width > 0 && height > 0 && width <= APR_INT32_MAX && height <= APR_INT32_MAX;
}

static bool probe_png(gf_image_t *image, const unsigned char *b, apr_size_t length)
{
    if (length < 24 || memcmp(b, "\x89PNG\r\n\x1a\n", 8) != 0 || memcmp(b + 12, "IHDR", 4) != 0) {
        return false;
    }
    return found(image, "image/png", "png", (apr_int64_t)be16(b + 16) << 16 | be16(b + 18),
                 (apr_int64_t)be16(b + 20) << 16 | be16(b + 22));
}

/* Walks the segments to the first frame header (SOF0..SOF15 without the tables DHT, JPG, DAC). */
static bool probe_jpeg(gf_image_t *image, const unsigned char *b, apr_size_t length)
{
    apr_size_t at = 2;

    if (length < 4 || b[0] != 0xFF || b[1] != 0xD8) {
        return false;
    }
    while (at + 9 <= length && b[at] == 0xFF) {
        unsigned char marker = b[at + 1];

        if (marker == 0xFF) { /* fill byte */
            at++;
            continue;
        }
        if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7)) { /* TEM, RST: without a length */
            at += 2;
            continue;
        }
        if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8
            && marker != 0xCC) {
            return found(image, "image/jpeg", "jpg", be16(b + at + 7), be16(b + at + 5));
        }
        at += 2 + (apr_size_t)be16(b + at + 2);
    }
    return false;
}

static bool probe_webp(gf_image_t *image, const unsigned char *b, apr_size_t length)
{
    if (length < 30 || memcmp(b, "RIFF", 4) != 0 || memcmp(b + 8, "WEBP", 4) != 0) {
        return false;
    }
    if (memcmp(b + 12, "VP8X", 4) == 0) {
        return found(image, "image/webp", "webp", le24(b + 24) + 1, le24(b + 27) + 1);
    }
    if (memcmp(b + 12, "VP8L", 4) == 0 && b[20] == 0x2F) {
        return found(image, "image/webp", "webp", 1 + (b[21] | (b[22] & 0x3F) << 8),
                     1 + (b[22] >> 6 | b[23] << 2 | (b[24] & 0x0F) << 10));
    }
    if (memcmp(b + 12, "VP8 ", 4) == 0 && memcmp(b + 23, "\x9d\x01\x2a", 3) == 0) {
        return found(image, "image/webp", "webp", (b[26] | b[27] << 8) & 0x3FFF,
                     (b[28] | b[29] << 8) & 0x3FFF);
    }
    return false;
}

bool gf_image_probe(gf_image_t *image, const unsigned char *bytes, apr_size_t length)
{
    return probe_png(image, bytes, length) || probe_jpeg(image, bytes, length)
           || probe_webp(image, bytes, length);
}

bool gf_image_is_whole(const gf_image_t *image, const unsigned char *head,
                       const unsigned char *tail, apr_int64_t size)
{
    if (size < GF_IMAGE_TAIL) {
        return false;
    }
    if (strcmp(image->extension, "png") == 0) {
        return memcmp(tail + 4, "IEND", 4) == 0;
    }
    if (strcmp(image->extension, "jpg") == 0) {
        return tail[GF_IMAGE_TAIL - 2] == 0xFF && tail[GF_IMAGE_TAIL - 1] == 0xD9;
    }
    return (apr_int64_t)le24(head + 4) + ((apr_int64_t)head[7] << 24) + 8 <= size;
}
