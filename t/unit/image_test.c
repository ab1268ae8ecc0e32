/* SPDX-License-Identifier: Apache-2.0 */
/* base/image.c: what a picture is and how large, from its first bytes; never a read beyond them,
 * whatever they are. */
#include "base/image.h"

#include <apr_portable.h>

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
    apr_size_t suffices; /* so many bytes show it */
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

/* Probes a copy on the heap of just these bytes. */
static bool probe(gf_image_t *image, const unsigned char *bytes, apr_size_t length)
{
    unsigned char *exact = unit_exact(bytes, length);
    bool is;

    memset(image, 0, sizeof(*image));
    is = gf_image_probe(image, exact, length);
    free(exact);
    return is;
}

START_TEST(a_picture_has_its_type_and_size_read)
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

#define IDAT     \
    "\0\0\0\x04" \
    "IDAT"       \
    "\0\0\0\0\1\2\3\4"
#define IEND "\0\0\0\0IEND\xae\x42\x60\x82"
#define HEAD PNG "\0\0\0\x08\0\0\0\x10\x08\2\0\0\0\1\2\3\4"
#define SCAN "\xff\xda\0\x08\1\1\0\0\x3f\0 data \xff\0 data \xff\xd0 data "
#define EXIF         \
    "\xff\xe1\0\x0e" \
    "Exif\0\0"       \
    "\xff\xd8\xff\xd9\xff\xda"
#define VP8 "VP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2a\0\x04\x40\x02"

START_TEST(the_end_of_a_picture_is_where_its_end_mark_is)
{
    static const struct {
        const char *what;
        const unsigned char *bytes;
        apr_size_t length;
        apr_int64_t end; /* 0: it is cut or damaged */
    } rows[] = {
        { "PNG", BYTES(HEAD IDAT IEND), 33 + 16 + 12 },
        { "PNG with bytes behind it", BYTES(HEAD IDAT IEND "trailer"), 33 + 16 + 12 },
        { "PNG that was cut", BYTES(HEAD IDAT "\0\0\0\0IEND\xae\x42\x60"), 0 },
        { "PNG with a chunk beyond its end",
          BYTES(HEAD "\0\0\xff\xff"
                     "IDAT" IEND),
          0 },
        { "PNG with an end mark inside of a chunk that was cut",
          BYTES(HEAD "\0\0\0\x40"
                     "IDAT" IEND),
          0 },
        { "PNG with a second header", BYTES(HEAD "\0\0\0\0IHDR\1\2\3\4" IEND), 0 },
        { "PNG whose end mark has a length", BYTES(HEAD "\0\0\0\1IENDx\1\2\3\4"), 0 },
        { "PNG with a chunk longer than a number",
          BYTES(HEAD "\xff\xff\xff\xff"
                     "IDAT" IEND),
          0 },
        { "JPEG", BYTES(JPEG APP0 SIZE("\xc0") "\003012345678" SCAN "\xff\xd9"), 73 },
        { "JPEG with bytes behind it",
          BYTES(JPEG APP0 SIZE("\xc0") "\003012345678" SCAN "\xff\xd9"
                                       "trailer\xff\xd9"),
          73 },
        { "JPEG with another JPEG in its Exif",
          BYTES(JPEG EXIF SIZE("\xc0") "\003012345678" SCAN "\xff\xd9"), 71 },
        { "JPEG of two scans",
          BYTES(JPEG SIZE("\xc2") "\003012345678" SCAN DHT SCAN "\xff\xff\xd9"), 94 },
        { "JPEG that was cut", BYTES(JPEG APP0 SIZE("\xc0") "\003012345678" SCAN), 0 },
        { "JPEG that was cut in its end mark",
          BYTES(JPEG APP0 SIZE("\xc0") "\003012345678" SCAN "\xff"), 0 },
        { "JPEG with a second frame",
          BYTES(JPEG SIZE("\xc0") "\003012345678" SIZE("\xc0") "\003012345678" SCAN "\xff\xd9"),
          0 },
        { "WebP", BYTES("RIFF\x1a\0\0\0WEBP" VP8 "1234"), 34 },
        { "WebP with bytes behind it", BYTES("RIFF\x1a\0\0\0WEBP" VP8 "1234trailer"), 34 },
        { "WebP that was cut", BYTES("RIFF\x1a\0\0\0WEBP" VP8 "123"), 0 },
        { "WebP that says that it is nothing", BYTES("RIFF\0\0\0\0WEBP" VP8 "1234"), 0 },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_image_t image;

        ck_assert_msg(probe(&image, rows[i].bytes, rows[i].length), "%s", rows[i].what);
        ck_assert_msg(image.end == rows[i].end, "%s: %d", rows[i].what, (int)image.end);
    }
}
END_TEST

START_TEST(a_picture_in_a_file_is_recognised_as_in_memory)
{
    enum { LARGE = 100000 };
    unsigned char *bytes = apr_pcalloc(unit.ctx.pool, LARGE + 100);
    const char *path = unit_path("picture");
    apr_size_t length = 0;
    gf_image_t memory, file;
    apr_file_t *opened;
    apr_os_file_t descriptor;
    int i;

    memcpy(bytes, JPEG, 2);
    for (i = 0, length = 2; i < 2; i++, length += LARGE / 2) { /* the size is behind all that */
        memcpy(bytes + length, "\xff\xe2\xc3\x4e", 4);
    }
    memcpy(bytes + length,
           SIZE("\xc0") "\003012345678" SCAN "\xff\xd9"
                        "more",
           57);
    unit_write(path, bytes, length + 57);
    ck_assert_int_eq(
        apr_file_open(&opened, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, unit.ctx.pool), 0);
    apr_os_file_get(&descriptor, opened);
    ck_assert(gf_image_probe(&memory, bytes, length + 57));
    ck_assert(gf_image_probe_file(&file, descriptor));
    ck_assert_int_eq(memory.width, 1024);
    ck_assert_int_eq(memory.end, (apr_int64_t)length + 53);
    ck_assert(memcmp(&memory, &file, sizeof(file)) == 0);
    apr_file_close(opened);
}
END_TEST

/* libjpeg searches for the next mark behind FF 00 and finds the size that the segment hides. */
START_TEST(a_jpeg_that_hides_a_second_header_is_no_picture)
{
    static const char hidden[] = JPEG APP0
        "\xff\0\0\x15" SIZE("\xc0") "\003012345678" SIZE("\xc0") "\003012345678" SCAN "\xff\xd9";
    gf_image_t image;

    ck_assert(!probe(&image, (const unsigned char *)hidden, sizeof(hidden) - 1));
}
END_TEST

START_TEST(a_picture_of_many_scans_or_packed_texts_is_not_plain)
{
    static const char frame[] = JPEG SIZE("\xc2") "\003012345678";
    static const char text[] = "\0\0\0\1zTXtx\1\2\3\4";
    char *jpeg = apr_palloc(unit.ctx.pool, 10000);
    char *png = apr_palloc(unit.ctx.pool, 1000);
    apr_size_t jpeg_length = sizeof(frame) - 1;
    apr_size_t png_length = sizeof(HEAD) - 1;
    gf_image_t image;
    int i;

    memcpy(jpeg, frame, jpeg_length);
    memcpy(png, HEAD, png_length);
    for (i = 1; i <= 33; i++) {
        memcpy(jpeg + jpeg_length, SCAN, sizeof(SCAN) - 1);
        jpeg_length += sizeof(SCAN) - 1;
        ck_assert(gf_image_probe(&image, jpeg, jpeg_length));
        ck_assert_msg(image.scans == i && gf_image_is_plain(&image) == (i <= 32), "%d scans", i);
    }
    for (i = 1; i <= 9; i++) {
        memcpy(png + png_length, text, sizeof(text) - 1);
        png_length += sizeof(text) - 1;
        ck_assert(gf_image_probe(&image, png, png_length));
        ck_assert_msg(image.packed == i && gf_image_is_plain(&image) == (i <= 8), "%d texts", i);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_picture_has_its_type_and_size_read,
        a_picture_cut_before_its_size_is_none,
        a_type_has_its_extension,
        what_is_no_picture_is_refused,
        random_bytes_behind_a_good_start_do_no_harm,
        the_end_of_a_picture_is_where_its_end_mark_is,
        a_picture_in_a_file_is_recognised_as_in_memory,
        a_jpeg_that_hides_a_second_header_is_no_picture,
        a_picture_of_many_scans_or_packed_texts_is_not_plain,
        NULL,
    };

    return unit_run("image", tests);
}
