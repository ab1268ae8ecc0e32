/* SPDX-License-Identifier: Apache-2.0 */
/* Walks PNG, JPEG and WebP to their end marks. Leaves limits to the store and to model/. */
#include "base/image.h"

#include <string.h>
#include <unistd.h>

#define WINDOW  16384
#define NOTHING (-1) /* beyond the last byte */

/* Each scan of a progressive JPEG may be a few bytes and costs a walk over all pixels: cameras and
 * programs write some ten of them. Each compressed text of a PNG may unpack to 8 MB, which libpng
 * holds in memory: programs write one or two of them. */
#define SCANS_MAX  32
#define PACKED_MAX 8

const char *const gf_image_extensions[] = { "png", "jpg", "webp", NULL };

const char *gf_image_extension(const char *type)
{
    return !type                             ? NULL
           : strcmp(type, "image/png") == 0  ? "png"
           : strcmp(type, "image/jpeg") == 0 ? "jpg"
           : strcmp(type, "image/webp") == 0 ? "webp"
                                             : NULL;
}

/* ---- bytes ---- */

/* The bytes in view: all of them, or a part of a file. */
typedef struct reader_t {
    const unsigned char *view;
    apr_int64_t start; /* where the view begins */
    apr_int64_t length;
    unsigned char *window; /* of a file; NULL: all bytes are in view */
    int descriptor;
} reader_t;

static int byte_at(reader_t *reader, apr_int64_t at)
{
    if (at < reader->start || at >= reader->start + reader->length) {
        ssize_t length =
            reader->window ? pread(reader->descriptor, reader->window, WINDOW, (off_t)at) : 0;

        if (length <= 0) {
            return NOTHING;
        }
        reader->start = at;
        reader->length = length;
    }
    return reader->view[at - reader->start];
}

/* A number of `bytes` bytes, the highest first; NOTHING: it is cut. */
static apr_int64_t read_big_endian(reader_t *reader, apr_int64_t at, int bytes)
{
    apr_int64_t value = 0;
    int i;

    for (i = 0; i < bytes; i++) {
        int byte = byte_at(reader, at + i);

        if (byte == NOTHING) {
            return NOTHING;
        }
        value = value << 8 | byte;
    }
    return value;
}

/* The same, the lowest first. */
static apr_int64_t read_little_endian(reader_t *reader, apr_int64_t at, int bytes)
{
    apr_int64_t value = 0;
    int i;

    for (i = bytes - 1; i >= 0; i--) {
        int byte = byte_at(reader, at + i);

        if (byte == NOTHING) {
            return NOTHING;
        }
        value = value << 8 | byte;
    }
    return value;
}

static bool is_text(reader_t *reader, apr_int64_t at, const char *text, int length)
{
    int i;

    for (i = 0; i < length; i++) {
        if (byte_at(reader, at + i) != (unsigned char)text[i]) {
            return false;
        }
    }
    return true;
}

static bool set_found(gf_image_t *image, const char *type, const char *extension, apr_int64_t width,
                      apr_int64_t height)
{
    if (width <= 0 || height <= 0 || width > APR_INT32_MAX || height > APR_INT32_MAX) {
        return false;
    }
    image->type = type;
    image->extension = extension;
    image->width = (int)width;
    image->height = (int)height;
    return true;
}

/* ---- PNG ---- */

/* From the end of its first chunk to IEND. */
static void png_end(gf_image_t *image, reader_t *reader, apr_int64_t at)
{
    for (;;) {
        apr_int64_t length = read_big_endian(reader, at, 4);

        if (length < 0 || length > APR_INT32_MAX || is_text(reader, at + 4, "IHDR", 4)
            || byte_at(reader, at + length + 11) == NOTHING) {
            return;
        }
        if (is_text(reader, at + 4, "IEND", 4)) {
            image->end = length == 0 ? at + 12 : 0;
            return;
        }
        image->packed += is_text(reader, at + 4, "zTXt", 4) || is_text(reader, at + 4, "iTXt", 4);
        at += length + 12;
    }
}

static bool walk_png(gf_image_t *image, reader_t *reader)
{
    if (!is_text(reader, 0, "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", 16)
        || !set_found(image, "image/png", "png", read_big_endian(reader, 16, 4),
                      read_big_endian(reader, 20, 4))) {
        return false;
    }
    png_end(image, reader, 33);
    return true;
}

/* ---- JPEG ---- */

enum { TEM = 0x01, RST0 = 0xD0, RST7 = 0xD7, SOI = 0xD8, EOI = 0xD9, SOS = 0xDA, FILL = 0xFF };

/* A frame header: SOF0 to SOF15 without DHT, JPG and DAC, which stand between them. */
static bool is_frame(int mark)
{
    return mark >= 0xC0 && mark <= 0xCF && mark != 0xC4 && mark != 0xC8 && mark != 0xCC;
}

/* The mark at *at; moves *at past it. In a scan's data: the first mark that ends it. NOTHING: there
 * is no mark. */
static int next_mark(reader_t *reader, apr_int64_t *at, bool in_scan)
{
    int byte = byte_at(reader, (*at)++);

    while (byte != NOTHING) {
        if (byte != 0xFF && !in_scan) {
            return NOTHING;
        }
        if (byte == 0xFF) {
            while ((byte = byte_at(reader, (*at)++)) == FILL) {
            }
            if (byte == NOTHING || (byte == 0 && !in_scan)) {
                return NOTHING;
            }
            if (!in_scan || (byte != 0 && !(byte >= RST0 && byte <= RST7))) {
                return byte;
            }
        }
        byte = byte_at(reader, (*at)++);
    }
    return NOTHING;
}

/* Was the size read? Then the end was read, too, if the walk reached it. */
static bool walk_jpeg(gf_image_t *image, reader_t *reader)
{
    apr_int64_t at = 2;
    bool framed = false;
    bool in_scan = false;

    if (byte_at(reader, 0) != 0xFF || byte_at(reader, 1) != SOI) {
        return false;
    }
    for (;;) {
        int mark = next_mark(reader, &at, in_scan);
        apr_int64_t length;

        if (mark == EOI && framed) {
            image->end = at;
        }
        if (mark == NOTHING || mark == SOI || mark == EOI || (mark == SOS && !framed)
            || (framed && is_frame(mark))) {
            return framed;
        }
        in_scan = mark == SOS;
        if (mark == TEM || (mark >= RST0 && mark <= RST7)) {
            continue; /* these have no length */
        }
        length = read_big_endian(reader, at, 2);
        if (is_frame(mark)) {
            framed = set_found(image, "image/jpeg", "jpg", read_big_endian(reader, at + 5, 2),
                               read_big_endian(reader, at + 3, 2));
        }
        if (length < 2 || (is_frame(mark) && !framed)) {
            return framed;
        }
        image->scans += in_scan;
        at += length;
    }
}

/* ---- WebP ---- */

static bool walk_webp(gf_image_t *image, reader_t *reader)
{
    apr_int64_t length = read_little_endian(reader, 4, 4);
    apr_int64_t size;

    if (!is_text(reader, 0, "RIFF", 4) || !is_text(reader, 8, "WEBP", 4)
        || byte_at(reader, 29) == NOTHING) {
        return false;
    }
    if (length >= 22 && byte_at(reader, 8 + length - 1) != NOTHING) {
        image->end = 8 + length;
    }
    if (is_text(reader, 12, "VP8X", 4)) {
        return set_found(image, "image/webp", "webp", read_little_endian(reader, 24, 3) + 1,
                         read_little_endian(reader, 27, 3) + 1);
    }
    if (is_text(reader, 12, "VP8L", 4) && byte_at(reader, 20) == 0x2F) {
        size = read_little_endian(reader, 21, 4);
        return set_found(image, "image/webp", "webp", (size & 0x3FFF) + 1,
                         (size >> 14 & 0x3FFF) + 1);
    }
    if (is_text(reader, 12, "VP8 ", 4) && is_text(reader, 23, "\x9d\x01\x2a", 3)) {
        return set_found(image, "image/webp", "webp", read_little_endian(reader, 26, 2) & 0x3FFF,
                         read_little_endian(reader, 28, 2) & 0x3FFF);
    }
    return false;
}

/* ---- any ---- */

bool gf_image_is_plain(const gf_image_t *image)
{
    return image->scans <= SCANS_MAX && image->packed <= PACKED_MAX;
}

static bool walk_image(gf_image_t *image, reader_t *reader)
{
    memset(image, 0, sizeof(*image));
    return walk_png(image, reader) || walk_jpeg(image, reader) || walk_webp(image, reader);
}

bool gf_image_probe(gf_image_t *image, const void *bytes, apr_size_t length)
{
    reader_t reader = { .view = bytes, .length = (apr_int64_t)length };

    return walk_image(image, &reader);
}

bool gf_image_probe_file(gf_image_t *image, int descriptor)
{
    unsigned char window[WINDOW];
    reader_t reader = { .view = window, .window = window, .descriptor = descriptor };

    return walk_image(image, &reader);
}
