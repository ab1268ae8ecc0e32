/* SPDX-License-Identifier: Apache-2.0
 *
 * A source picture becomes a plane: looked at before it is decoded, decoded by gd, laid over white
 * where it is transparent, scaled down by the share of each pixel, turned upright as a camera's
 * Exif says. Leaves what becomes of it to the effects.
 */
#include "mod_genflow_local/photo.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <gd.h>

#include "mod_genflow_local/draw.h"
#include "mod_genflow_local/effect.h"

#define UPRIGHT         1
#define TAG_ORIENTATION 0x0112
#define WHITE           255
#define HEAD            65536 /* bytes that are searched for a JPEG's Exif */

/* A source file while it is read. */
typedef struct source_t {
    FILE *file;
    const unsigned char *head; /* its first bytes */
    apr_size_t length;         /* of them */
    gf_image_t image;
    gdImagePtr pixels;
} source_t;

/* ---- looking ---- */

static apr_status_t file_close(void *file)
{
    fclose(file);
    return APR_SUCCESS;
}

static bool is_jpeg(const source_t *source)
{
    return strcmp(source->image.extension, "jpg") == 0;
}

static apr_status_t inspect_source(source_t *source, const local_wish_t *wish, apr_pool_t *pool)
{
    unsigned char *head = apr_palloc(pool, HEAD);

    source->file = fopen(wish->source, "rb");
    if (source->file == NULL) {
        return APR_FROM_OS_ERROR(errno);
    }
    apr_pool_cleanup_register(pool, source->file, file_close, apr_pool_cleanup_null);
    if (head == NULL) {
        return APR_ENOMEM;
    }
    source->head = head;
    source->length = fread(head, 1, HEAD, source->file);
    rewind(source->file);
    return wish->look(&source->image, fileno(source->file)) && source->image.end
                   && (apr_int64_t)source->image.width * source->image.height <= wish->pixels_max
               ? APR_SUCCESS
               : APR_EINVAL;
}

/* ---- decoding ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The status reports a bad picture; gd would write to stderr, too. */
static void say_nothing(int priority, const char *format, va_list args)
{
}

static void quieten_libgd(void)
{
    gdSetErrorMethod(say_nothing);
}

static apr_status_t pixels_free(void *pixels)
{
    gdImageDestroy(pixels);
    return APR_SUCCESS;
}

static apr_status_t decode_source(source_t *source, apr_pool_t *pool)
{
    pthread_once(&once, quieten_libgd);
    if (is_jpeg(source)) {
        source->pixels = gdImageCreateFromJpeg(source->file);
    }
    else if (strcmp(source->image.extension, "png") == 0) {
        source->pixels = gdImageCreateFromPng(source->file);
    }
    else {
        source->pixels = gdImageCreateFromWebp(source->file);
    }
    if (source->pixels == NULL) {
        return APR_EINVAL;
    }
    apr_pool_cleanup_register(pool, source->pixels, pixels_free, apr_pool_cleanup_null);
    return source->pixels->sx == source->image.width && source->pixels->sy == source->image.height
               ? APR_SUCCESS
               : APR_EINVAL;
}

bool local_decodes(const gf_image_t *image, const void *bytes)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    void *data = (void *)bytes; /* gd only reads */
    int length = (int)image->end;
    gdImagePtr pixels;
    bool decodes;

    pthread_once(&once, quieten_libgd);
    pthread_mutex_lock(&one_at_a_time);
    pixels = strcmp(image->extension, "jpg") == 0   ? gdImageCreateFromJpegPtr(length, data)
             : strcmp(image->extension, "png") == 0 ? gdImageCreateFromPngPtr(length, data)
                                                    : gdImageCreateFromWebpPtr(length, data);
    decodes = pixels && pixels->sx == image->width && pixels->sy == image->height;
    if (pixels) {
        gdImageDestroy(pixels);
    }
    pthread_mutex_unlock(&one_at_a_time);
    return decodes;
}

/* ---- which side is up ---- */

static unsigned read_number(const unsigned char *p, int bytes, bool little)
{
    unsigned value = 0;
    int i;

    for (i = 0; i < bytes; i++) {
        value = value << 8 | p[little ? bytes - 1 - i : i];
    }
    return value;
}

/* The orientation, 1..8, that the first directory of a TIFF header names. */
static int orientation_in(const unsigned char *tiff, apr_size_t length)
{
    bool little = length >= 8 && tiff[0] == 'I';
    apr_size_t at = length >= 8 ? read_number(tiff + 4, 4, little) : length;
    unsigned entries, i;

    if (length < 2 || at > length - 2) {
        return UPRIGHT;
    }
    entries = read_number(tiff + at, 2, little);
    for (i = 0, at += 2; i < entries && at + 12 <= length; i++, at += 12) {
        if (read_number(tiff + at, 2, little) == TAG_ORIENTATION) {
            unsigned value = read_number(tiff + at + 8, 2, little);

            return value >= 1 && value <= 8 ? (int)value : UPRIGHT;
        }
    }
    return UPRIGHT;
}

/* Exif is a segment of its own near the beginning of a JPEG. */
static int orientation_of(const source_t *source)
{
    apr_size_t at = 2;

    if (!is_jpeg(source)) {
        return UPRIGHT;
    }
    while (at + 10 < source->length && source->head[at] == 0xFF) {
        const unsigned char *segment = source->head + at;
        apr_size_t length = 2 + read_number(segment + 2, 2, false);

        if (segment[1] == 0xE1 && length > 10 && at + length <= source->length
            && memcmp(segment + 4, "Exif\0\0", 6) == 0) {
            return orientation_in(segment + 10, length - 10);
        }
        at += length;
    }
    return UPRIGHT;
}

/* ---- scaling ---- */

/* Adds a pixel of the source (0xAARRGGBB, alpha 127 is clear) to a narrower one. */
static void add_pixel(apr_uint64_t *sum, int pixel, apr_uint64_t share)
{
    unsigned clear = (unsigned)gdTrueColorGetAlpha(pixel);
    unsigned cover = gdAlphaMax - clear;

    if (clear == 0) { /* almost every pixel: the same without a division */
        sum[0] += share * (unsigned)gdTrueColorGetRed(pixel);
        sum[1] += share * (unsigned)gdTrueColorGetGreen(pixel);
        sum[2] += share * (unsigned)gdTrueColorGetBlue(pixel);
        return;
    }
    sum[0] += share * ((unsigned)gdTrueColorGetRed(pixel) * cover + WHITE * clear) / gdAlphaMax;
    sum[1] += share * ((unsigned)gdTrueColorGetGreen(pixel) * cover + WHITE * clear) / gdAlphaMax;
    sum[2] += share * ((unsigned)gdTrueColorGetBlue(pixel) * cover + WHITE * clear) / gdAlphaMax;
}

/* Row `y` of the source in `w` pixels: each is cut into w parts, and sx parts make a pixel. */
static void narrow_row(apr_uint64_t *sums, gdImagePtr pixels, int y, int w)
{
    int left = pixels->sx; /* parts that the pixel at sums still takes */
    int x;

    memset(sums, 0, 3 * (apr_size_t)w * sizeof(*sums));
    for (x = 0; x < pixels->sx; x++) {
        int pixel = gdImageGetTrueColorPixel(pixels, x, y);
        int parts = w;

        while (parts > 0) {
            int taken = parts < left ? parts : left;

            add_pixel(sums, pixel, (apr_uint64_t)taken);
            parts -= taken;
            left -= taken;
            if (left == 0) {
                left = pixels->sx;
                sums += 3;
            }
        }
    }
}

/* A row of `w` sums, row `y` of `h`, as light where it belongs on the upright plane. */
static void put_row(pl_plane_t *plane, const apr_uint64_t *sums, pl_box_t row, int orientation,
                    apr_uint64_t parts)
{
    int x, c;

    for (x = 0; x < row.w; x++, sums += 3) {
        int right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8
                        ? row.w - 1 - x
                        : x;
        int down = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7
                       ? row.h - 1 - row.y
                       : row.y;
        int at_x = orientation >= 5 ? down : right;
        int at_y = orientation >= 5 ? right : down;
        apr_uint16_t *light = plane->light + 3 * ((apr_size_t)at_y * plane->w + at_x);

        for (c = 0; c < 3; c++) {
            light[c] = (apr_uint16_t)(sums[c] * 16 / parts);
        }
    }
}

/* All rows, lowered as narrow_row() narrows. */
static apr_status_t scale_rows(pl_plane_t *plane, gdImagePtr pixels, int orientation,
                               apr_pool_t *pool)
{
    pl_box_t row = { 0, 0, orientation >= 5 ? plane->h : plane->w,
                     orientation >= 5 ? plane->w : plane->h };
    apr_size_t size = 3 * (apr_size_t)row.w * sizeof(apr_uint64_t);
    apr_uint64_t *sums = apr_palloc(pool, size);
    apr_uint64_t *narrowed = apr_palloc(pool, size);
    apr_uint64_t parts = (apr_uint64_t)pixels->sx * (apr_uint64_t)pixels->sy;
    int left = pixels->sy;
    int y, i;

    if (sums == NULL || narrowed == NULL) {
        return APR_ENOMEM;
    }
    memset(sums, 0, size);
    for (y = 0; y < pixels->sy; y++) {
        int rest = row.h;

        narrow_row(narrowed, pixels, y, row.w);
        while (rest > 0) {
            int taken = rest < left ? rest : left;

            for (i = 0; i < 3 * row.w; i++) {
                sums[i] += narrowed[i] * (apr_uint64_t)taken;
            }
            rest -= taken;
            left -= taken;
            if (left == 0) {
                put_row(plane, sums, row, orientation, parts);
                memset(sums, 0, size);
                left = pixels->sy;
                row.y++;
            }
        }
    }
    return APR_SUCCESS;
}

/* A side of the plane, where `longest` is the longest one of the source. */
static int work_side(const local_wish_t *wish, int side, int longest)
{
    int most = wish->side_max ? wish->side_max : LOCAL_WORK_SIDE;
    int least = wish->side_max ? 1 : LOCAL_SIDE_MIN;

    if (longest > most) {
        side = (int)((apr_int64_t)side * most / longest);
    }
    return side > least ? side : least;
}

apr_status_t pl_source_read(pl_plane_t **plane, const local_wish_t *wish, apr_pool_t *pool)
{
    source_t source;
    apr_status_t rv = inspect_source(&source, wish, pool);
    int orientation, longest, w, h;

    if (rv == APR_SUCCESS) {
        rv = decode_source(&source, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    orientation = orientation_of(&source);
    longest = source.pixels->sx > source.pixels->sy ? source.pixels->sx : source.pixels->sy;
    w = work_side(wish, source.pixels->sx, longest);
    h = work_side(wish, source.pixels->sy, longest);
    *plane = orientation >= 5 ? pl_plane_make(h, w, pool) : pl_plane_make(w, h, pool);
    if (*plane == NULL) {
        return APR_ENOMEM;
    }
    rv = scale_rows(*plane, source.pixels, orientation, pool);
    apr_pool_cleanup_run(pool, source.pixels, pixels_free);
    return rv;
}
