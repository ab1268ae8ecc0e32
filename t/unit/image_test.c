/* SPDX-License-Identifier: Apache-2.0 */
/* base/gf_image.c: what a picture is and how large, from its first bytes; never a read beyond them,
 * whatever they are. */
#include "base/gf_image.h"

#include "unit.h"

#define BYTES(literal) (const unsigned char *)(literal), sizeof(literal) - 1

/* Heads as encoders write them. */
#define PNG       "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"
#define JPEG      "\xff\xd8"
#define APP0      "\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
#define DHT       "\xff\xc4\0\x04\0\0"
#define COMMENT   "\xff\xfe\0\x0a\xff\xc0\0\x11\x08\0\0\0"
#define SIZE(sof) "\xff" sof "\0\x11\x08\x02\x40\x04\0" /* 576 high, 1024 wide */
#define WEBP      "RIFF\x40\0\0\0WEBP"

static const struct {
    const char *what;
    const unsigned char *bytes;
    apr_size_t length;
    const char *type, *extension;
    int width, height;
    apr_size_t suffices; /* so many bytes tell it */
} pictures[] = {
    { "PNG", BYTES(PNG "\0\0\x03\0\0\0\x02\0\x08\x02\0\0\0"), "image/png", "png", 768, 512, 24 },
    { "the smallest PNG", BYTES(PNG "\0\0\0\x01\0\0\0\x01\x08\x02\0"), "image/png", "png", 1, 1,
      24 },
    { "a huge PNG", BYTES(PNG "\0\0\xea\x60\0\0\xea\x60\x08\x02\0"), "image/png", "png", 60000,
      60000, 24 },
    { "the largest PNG", BYTES(PNG "\x7f\xff\xff\xff\x7f\xff\xff\xff\x08"), "image/png", "png",
      APR_INT32_MAX, APR_INT32_MAX, 24 },
    { "JPEG", BYTES(JPEG APP0 SIZE("\xc0") "\x03"), "image/jpeg", "jpg", 1024, 576, 29 },
    { "progressive JPEG", BYTES(JPEG SIZE("\xc2") "\x03"), "image/jpeg", "jpg", 1024, 576, 11 },
    { "JPEG with tables first", BYTES(JPEG APP0 DHT SIZE("\xc0") "\x03"), "image/jpeg", "jpg", 1024,
      576, 35 },
    { "JPEG with fill bytes", BYTES(JPEG "\xff\xff\xff" SIZE("\xc1") "\x03"), "image/jpeg", "jpg",
      1024, 576, 14 },
    { "JPEG with a frame behind marks without a length",
      BYTES(JPEG "\xff\x01\xff\xd0" SIZE("\xc0") "\x03"), "image/jpeg", "jpg", 1024, 576, 15 },
    { "JPEG with a frame in its comment", BYTES(JPEG COMMENT SIZE("\xc0") "\x03"), "image/jpeg",
      "jpg", 1024, 576, 23 },
    { "WebP", BYTES(WEBP "VP8 \0\0\0\0\x10\0\0\x9d\x01\x2a\0\x04\x40\x02"), "image/webp", "webp",
      1024, 576, 30 },
    { "WebP with scale bits", BYTES(WEBP "VP8 \0\0\0\0\x10\0\0\x9d\x01\x2a\0\x44\x40\x82"),
      "image/webp", "webp", 1024, 576, 30 },
    { "lossless WebP", BYTES(WEBP "VP8L\0\0\0\0\x2f\xff\xc3\x8f\0\0\0\0\0\0"), "image/webp", "webp",
      1024, 576, 30 },
    { "the largest lossless WebP", BYTES(WEBP "VP8L\0\0\0\0\x2f\xff\xff\xff\x0f\0\0\0\0\0"),
      "image/webp", "webp", 16384, 16384, 30 },
    { "extended WebP", BYTES(WEBP "VP8X\x0a\0\0\0\0\0\0\0\xff\x03\0\x3f\x02\0"), "image/webp",
      "webp", 1024, 576, 30 },
};

/* Asks about a copy on the heap of just these bytes. */
static bool probe(gf_image_t *image, const unsigned char *bytes, apr_size_t length)
{
    unsigned char *exact = unit_exact(bytes, length);
    bool is;

    memset(image, 0, sizeof(*image));
    is = gf_image_probe(image, exact, length);
    free(exact);
    return is;
}

START_TEST(a_picture_tells_its_type_and_size)
{
    size_t i;

    for (i = 0; i < UNIT_COUNT(pictures); i++) {
        gf_image_t image;

        ck_assert_msg(probe(&image, pictures[i].bytes, pictures[i].length), "%s", pictures[i].what);
        ck_assert_str_eq(image.type, pictures[i].type);
        ck_assert_str_eq(image.extension, pictures[i].extension);
        ck_assert_msg(image.width == pictures[i].width && image.height == pictures[i].height,
                      "%s: %d x %d", pictures[i].what, image.width, image.height);
    }
}
END_TEST

START_TEST(a_picture_cut_before_its_size_is_none)
{
    size_t i;

    for (i = 0; i < UNIT_COUNT(pictures); i++) {
        apr_size_t length;

        for (length = 0; length <= pictures[i].length; length++) {
            gf_image_t image;

            ck_assert_msg(probe(&image, pictures[i].bytes, length)
                              == (length >= pictures[i].suffices),
                          "%s, %lu bytes", pictures[i].what, (unsigned long)length);
        }
    }
}
END_TEST

START_TEST(a_type_has_its_extension)
{
    ck_assert_str_eq(gf_image_extension("image/png"), "png");
    ck_assert_str_eq(gf_image_extension("image/jpeg"), "jpg");
    ck_assert_str_eq(gf_image_extension("image/webp"), "webp");
    ck_assert_ptr_null(gf_image_extension("image/gif"));
    ck_assert_ptr_null(gf_image_extension(NULL));
}
END_TEST

START_TEST(what_is_no_picture_is_refused)
{
    static const struct {
        const char *what;
        const unsigned char *bytes;
        apr_size_t length;
    } rows[] = {
        { "nothing", BYTES("") },
        { "text", BYTES("this is no picture at all, only words") },
        { "HTML", BYTES("<!DOCTYPE html><html><body>502 Bad Gateway</body></html>") },
        { "JSON", BYTES("{\"id\":\"0123456789\",\"status\":\"in-progress\"}") },
        { "GIF",
          BYTES("GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0") },
        { "BMP",
          BYTES("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x02\0\0\0\x01\0\x18\0") },
        { "WAVE", BYTES("RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x44\xac\0\0\x10\xb1\x02\0") },
        { "PNG without IHDR", BYTES("\x89PNG\r\n\x1a\n\0\0\0\x0dIDAT\0\0\x03\0\0\0\x02\0") },
        { "PNG after a text transfer", BYTES("\x89PNG\n\x1a\n\0\0\0\x0dIHDR\0\0\x03\0\0\0\x02\0") },
        { "PNG of no width", BYTES(PNG "\0\0\0\0\0\0\x02\0") },
        { "PNG of no height", BYTES(PNG "\0\0\x02\0\0\0\0\0") },
        { "PNG wider than a number", BYTES(PNG "\x80\0\0\0\0\0\x02\0") },
        { "PNG of all ones", BYTES(PNG "\xff\xff\xff\xff\xff\xff\xff\xff") },
        { "JPEG of no size", BYTES(JPEG "\xff\xc0\0\x11\x08\0\0\0\0\x03") },
        { "JPEG that only ends", BYTES(JPEG "\xff\xd9\0\0\0\0\0\0\0\0") },
        { "JPEG with a segment of no length", BYTES(JPEG "\xff\xe0\0\0\0\0\0\0\0\0\0\0\0\0") },
        { "JPEG without a marker", BYTES(JPEG "\0\0\0\0\0\0\0\0\0\0\0\0") },
        { "JPEG with a segment beyond its end", BYTES(JPEG "\xff\xe1\xff\xff Exif and so on") },
        { "JPEG of fill bytes", BYTES(JPEG "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff") },
        { "WebP of an unknown kind", BYTES(WEBP "VP9 \0\0\0\0\x10\0\0\x9d\x01\x2a\0\x04\x40\x02") },
        { "WebP without its start code", BYTES(WEBP "VP8 \0\0\0\0\x10\0\0\0\0\0\0\x04\x40\x02") },
        { "lossless WebP without signature", BYTES(WEBP "VP8L\0\0\0\0\0\xff\xc3\x8f\0\0\0\0\0\0") },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_image_t image;

        ck_assert_msg(!probe(&image, rows[i].bytes, rows[i].length), "%s", rows[i].what);
    }
}
END_TEST

START_TEST(random_bytes_behind_a_good_start_do_no_harm)
{
    enum { ROUNDS = 20000, MOST = 96 };
    apr_uint32_t dice = 2026;
    int round;

    for (round = 0; round < ROUNDS; round++) {
        unsigned char bytes[MOST];
        const unsigned char *start = pictures[round % UNIT_COUNT(pictures)].bytes;
        apr_size_t length, i;
        gf_image_t image;

        for (i = 0; i < MOST; i++) {
            dice = dice * 1664525 + 1013904223;
            bytes[i] = (unsigned char)(dice >> 24);
            if (bytes[i] < 80) {
                bytes[i] = 0xFF; /* markers are what a JPEG is walked by */
            }
        }
        memcpy(bytes, start, round % 3 == 0 ? 2 : 12);
        length = dice % (MOST + 1);
        ck_assert_msg(!probe(&image, bytes, length) || (image.width > 0 && image.height > 0),
                      "round %d: %d x %d", round, image.width, image.height);
    }
}
END_TEST

START_TEST(a_picture_that_was_cut_is_not_whole)
{
    static const struct {
        const char *what;
        gf_image_t image;
        const char *head, *tail;
        apr_int64_t size;
        bool whole;
    } rows[] = {
        { "PNG", { .extension = "png" }, "", "\0\0\0\0IEND\xae\x42\x60\x82", 99, true },
        { "PNG that was cut", { .extension = "png" }, "", "\0\0\0\0IDAT\1\2\3\4", 99, false },
        { "JPEG", { .extension = "jpg" }, "", "0123456789\xff\xd9", 99, true },
        { "JPEG that was cut", { .extension = "jpg" }, "", "0123456789\xff\x00", 99, false },
        { "WebP", { .extension = "webp" }, "RIFF\x5b\0\0\0", "0123456789ab", 99, true },
        { "WebP that was cut",
          { .extension = "webp" },
          "RIFF\x5c\0\0\0",
          "0123456789ab",
          99,
          false },
        { "a few bytes", { .extension = "png" }, "", "\0\0\0\0IEND\xae\x42\x60\x82", 11, false }
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_msg(gf_image_is_whole(&rows[i].image, (const unsigned char *)rows[i].head,
                                        (const unsigned char *)rows[i].tail, rows[i].size)
                          == rows[i].whole,
                      "%s", rows[i].what);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_picture_tells_its_type_and_size,
        a_picture_cut_before_its_size_is_none,
        a_type_has_its_extension,
        what_is_no_picture_is_refused,
        random_bytes_behind_a_good_start_do_no_harm,
        a_picture_that_was_cut_is_not_whole,
        NULL,
    };

    return unit_run("image", tests);
}
