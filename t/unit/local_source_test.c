/* SPDX-License-Identifier: Apache-2.0 */
/* mod_genflow_local with a source picture: each effect repaints it in its own manner,
 * the same wish to the same bytes; what is too large, cut or broken is refused, and harms nothing.
 */
#include "provider/provider.h"

#include <limits.h>

#include <apr_thread_proc.h>
#include <gd.h>

#include "base/hash.h"
#include "base/image.h"
#include "mod_genflow_local/kind.h"
#include "unit.h"

#define PIXELS_MAX (4096 * 4096)
#define EXIF       36 /* bytes of a segment that says nothing but the orientation */

/* A request; a member that is not set has a plain value. */
typedef struct wish_t {
    const char *model, *preset, *prompt, *parameters;
    apr_int64_t seed;
    apr_int64_t pixels_max;
} wish_t;

static apr_status_t repaint(const wish_t *wish, const char *source, const char *path,
                            apr_pool_t *pool)
{
    static const gf_type_t type = { .name = "neo-glitch" };
    gf_job_t job = { .type = &type,
                     .prompt = wish->prompt ? wish->prompt : "a neon cat",
                     .preset = wish->preset,
                     .seed = wish->seed ? wish->seed : 77,
                     .parameters = wish->parameters ? wish->parameters : "{}" };
    gf_prov_call_t call = { .model = wish->model ? wish->model : "glitch",
                            .job = &job,
                            .source_file = source,
                            .source_type = "image/png",
                            .pixels_max = wish->pixels_max ? wish->pixels_max : PIXELS_MAX,
                            .pool = pool };

    local_kind.begin(&gf_provider_host);
    return local_kind.draw(&call, path);
}

/* ---- sources ---- */

/* A picture with something to see: a disc before a slope of colours, each quarter of its own. */
static gdImagePtr scene(int w, int h)
{
    gdImagePtr image = gdImageCreateTrueColor(w, h);
    int x, y;

    for (y = 0; y < h; y++) {
        for (x = 0; x < w; x++) {
            int quarter = (2 * x >= w) + 2 * (2 * y >= h);
            int slope = 30 + 60 * x / w + 60 * y / h;

            image->tpixels[y][x] =
                gdTrueColor(slope + (quarter & 1) * 100, slope + (quarter == 2) * 100,
                            slope + (quarter == 3) * 60);
        }
    }
    gdImageFilledEllipse(image, w / 2, h / 2, w / 3, h / 3, gdTrueColor(226, 170, 140));
    return image;
}

/* Writes what gd made, and ends both. */
static const char *written(const char *name, void *bytes, int length, gdImagePtr image)
{
    const char *path = unit_path(name);

    ck_assert_ptr_nonnull(bytes);
    unit_write(path, bytes, (apr_size_t)length);
    gdFree(bytes);
    gdImageDestroy(image);
    return path;
}

static const char *png(const char *name, int w, int h)
{
    gdImagePtr image = scene(w, h);
    int length;
    void *bytes = gdImagePngPtr(image, &length);

    return written(name, bytes, length, image);
}

static const char *jpeg(const char *name, int w, int h)
{
    gdImagePtr image = scene(w, h);
    int length;
    void *bytes = gdImageJpegPtr(image, &length, 90);

    return written(name, bytes, length, image);
}

static const char *webp(const char *name, int w, int h)
{
    gdImagePtr image = scene(w, h);
    int length;
    void *bytes = gdImageWebpPtrEx(image, &length, 90);

    return written(name, bytes, length, image);
}

/* With few colours, and a corner that can be seen through. */
static const char *palette(const char *name, int w, int h)
{
    gdImagePtr image = scene(w, h);
    int length;
    void *bytes;

    gdImageTrueColorToPalette(image, 0, 16);
    gdImageColorTransparent(image, gdImageGetPixel(image, 0, 0));
    bytes = gdImagePngPtr(image, &length);
    return written(name, bytes, length, image);
}

/* ---- results ---- */

static const char *hash_of(const char *path)
{
    char *hex = apr_palloc(unit.ctx.pool, GF_SHA256_HEX);
    apr_size_t length = 0;
    char *bytes = unit_read(path, &length);

    ck_assert_ptr_nonnull(bytes);
    gf_hash_texts(hex, "", bytes, length);
    return hex;
}

/* The wish is done; what it came to is in the file `path` alone. */
static const char *done(const wish_t *wish, const char *source)
{
    const char *path = unit_path("result");

    remove(path);
    ck_assert_int_eq(repaint(wish, source, path, unit.ctx.pool), APR_SUCCESS);
    return path;
}

static void refused(const wish_t *wish, const char *source, apr_status_t why, const char *what)
{
    const char *path = unit_path("refused");
    apr_status_t rv = repaint(wish, source, path, unit.ctx.pool);

    ck_assert_msg(rv == why, "%s: status %d", what, rv);
    ck_assert_msg(!unit_exists(path), "%s: something was written", what);
}

static gdImagePtr opened(const char *path)
{
    apr_size_t length = 0;
    char *bytes = unit_read(path, &length);
    gdImagePtr image = gdImageCreateFromPngPtr((int)length, bytes);

    ck_assert_ptr_nonnull(image);
    return image;
}

/* How far two pictures of one size are from each other: 0 to 255, by channel and pixel. */
static double distance(gdImagePtr one, gdImagePtr other)
{
    double sum = 0;
    int x, y;

    ck_assert(one->sx == other->sx && one->sy == other->sy);
    for (y = 0; y < one->sy; y++) {
        for (x = 0; x < one->sx; x++) {
            int a = gdImageGetTrueColorPixel(one, x, y);
            int b = gdImageGetTrueColorPixel(other, x, y);

            sum += abs(gdTrueColorGetRed(a) - gdTrueColorGetRed(b))
                   + abs(gdTrueColorGetGreen(a) - gdTrueColorGetGreen(b))
                   + abs(gdTrueColorGetBlue(a) - gdTrueColorGetBlue(b));
        }
    }
    return sum / (3.0 * one->sx * one->sy);
}

static const char *const models[] = { "glitch", "mask",  "ghibli",
                                     "film",    "film", "oil" };

/* ---- what it does ---- */

START_TEST(each_type_repaints_the_picture_visibly_and_in_proportion_to_the_strength)
{
    static const char *const strengths[] = { "{\"strength\":0}", "{\"strength\":0.5}",
                                             "{\"strength\":1}" };
    const char *source = png("source", 320, 240);
    gdImagePtr was = opened(source);
    size_t i, j;

    for (i = 0; i < UNIT_COUNT(models); i++) {
        double last = 0;

        for (j = 0; j < UNIT_COUNT(strengths); j++) {
            wish_t wish = { .model = models[i], .parameters = strengths[j] };
            gdImagePtr is = opened(done(&wish, source));
            double far = distance(was, is);

            ck_assert_msg(far > 2, "%s with %s is hardly seen: %g", models[i], strengths[j], far);
            ck_assert_msg(far > last * 1.15, "%s with %s: %g after %g", models[i], strengths[j], far,
                          last);
            last = far;
            gdImageDestroy(is);
        }
    }
    gdImageDestroy(was);
}
END_TEST

START_TEST(the_same_wish_is_the_same_picture_and_another_one_another)
{
    static const wish_t rows[] = {
        { .model = "glitch", .preset = "base" },
        { .model = "glitch", .preset = "visor" },
        { .model = "glitch", .preset = "neo_tokyo_tattoos" },
        { .model = "glitch", .preset = "scanlines" },
        { .model = "glitch", .preset = "base", .seed = 78 },
        { .model = "glitch", .preset = "base", .prompt = "a neon dog" },
        { .model = "mask", .preset = "joy" },
        { .model = "mask", .preset = "anger" },
        { .model = "mask", .preset = "emotion_mask_joy_sadness" },
        { .model = "mask", .prompt = "Peace, then FEAR" },
        { .model = "mask", .prompt = "nothing known" },
        { .model = "ghibli", .preset = "ghibli_tears" },
        { .model = "ghibli", .preset = "ghibli_shock" },
        { .model = "ghibli", .preset = "ghibli_sparkle" },
        { .model = "ghibli" },
        { .model = "film", .preset = "winter" },
        { .model = "film" },
        { .model = "film", .prompt = "a walk" },
        { .model = "oil" },
        { .model = "oil", .parameters = "{\"strength\":0.2}" },
    };
    const char *source = jpeg("source", 200, 260);
    const char *seen[UNIT_COUNT(rows)];
    size_t i, j;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        seen[i] = hash_of(done(&rows[i], source));
        ck_assert_msg(strcmp(hash_of(done(&rows[i], source)), seen[i]) == 0, "row %lu",
                      (unsigned long)i);
        for (j = 0; j < i; j++) {
            ck_assert_msg(strcmp(seen[i], seen[j]) != 0, "rows %lu and %lu are one picture",
                          (unsigned long)i, (unsigned long)j);
        }
    }
}
END_TEST

START_TEST(an_emotion_is_named_in_the_preset_or_else_in_the_prompt)
{
    const char *source = png("source", 120, 120);
    wish_t joy = { .model = "mask",
                   .prompt = "full of JOY",
                   .parameters = "{\"strength\":1}" };
    wish_t sad = { .model = "mask", .prompt = "so sad", .parameters = "{\"strength\":1}" };
    wish_t both = { .model = "mask",
                    .preset = "sadness",
                    .prompt = "full of joy",
                    .parameters = "{\"strength\":1}" };
    int red[3], blue[3];
    int i;

    for (i = 0; i < 3; i++) {
        gdImagePtr is = opened(done(i == 0 ? &joy : i == 1 ? &sad : &both, source));
        int pixel = gdImageGetTrueColorPixel(is, 60, 60);

        red[i] = gdTrueColorGetRed(pixel);
        blue[i] = gdTrueColorGetBlue(pixel);
        gdImageDestroy(is);
    }
    ck_assert_msg(red[0] > blue[0], "joy is warm");
    ck_assert_msg(red[1] < blue[1], "sadness is cold");
    ck_assert_msg(red[2] < blue[2], "what the preset says counts");
}
END_TEST

START_TEST(a_result_has_the_shape_of_its_source_in_working_size)
{
    static const struct {
        const char *(*make)(const char *name, int w, int h);
        int w, h, to_w, to_h;
    } rows[] = {
        { png, 300, 200, 300, 200 },     { jpeg, 300, 200, 300, 200 },
        { webp, 300, 200, 300, 200 },    { palette, 99, 101, 99, 101 },
        { jpeg, 1024, 768, 1024, 768 },  { png, 1025, 513, 1024, 512 },
        { jpeg, 2000, 3000, 682, 1024 }, { webp, 4000, 1000, 1024, 256 },
        { png, 1, 1, 64, 64 },           { png, 64, 10, 64, 64 },
        { png, 4000, 3, 1024, 64 },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        wish_t wish = { .model = models[i % UNIT_COUNT(models)] };
        gdImagePtr is = opened(done(&wish, rows[i].make("source", rows[i].w, rows[i].h)));

        ck_assert_msg(is->sx == rows[i].to_w && is->sy == rows[i].to_h, "row %lu: %d x %d",
                      (unsigned long)i, is->sx, is->sy);
        gdImageDestroy(is);
    }
}
END_TEST

/* The file with an Exif segment that names the orientation, in either order of bytes. */
static const char *turned(const char *source, int orientation, bool little)
{
    static const char motorola[EXIF] = "\xff\xe1\0\x22"
                                       "Exif\0\0MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\1";
    static const char intel[EXIF] = "\xff\xe1\0\x22"
                                    "Exif\0\0II*\0\10\0\0\0\1\0\x12\1\3\0\1";
    const char *path = unit_path("turned");
    apr_size_t length = 0;
    char *bytes = unit_read(source, &length);
    char *all = apr_palloc(unit.ctx.pool, length + EXIF);

    memcpy(all, bytes, 2);
    memcpy(all + 2, little ? intel : motorola, EXIF);
    all[2 + (little ? 28 : 29)] = (char)orientation;
    memcpy(all + 2 + EXIF, bytes + 2, length - 2);
    unit_write(path, all, length + EXIF);
    return path;
}

/* The colour near the corner in that quarter. */
static int colour_in(gdImagePtr image, int quarter)
{
    return gdImageGetTrueColorPixel(image, image->sx * (1 + 6 * (quarter % 2)) / 8,
                                    image->sy * (1 + 6 * (quarter / 2)) / 8);
}

static int nearest_quarter(gdImagePtr image, int colour)
{
    int nearest = 0;
    int least = INT_MAX;
    int q;

    for (q = 0; q < 4; q++) {
        int here = colour_in(image, q);
        int off = abs(gdTrueColorGetRed(here) - gdTrueColorGetRed(colour))
                  + abs(gdTrueColorGetGreen(here) - gdTrueColorGetGreen(colour))
                  + abs(gdTrueColorGetBlue(here) - gdTrueColorGetBlue(colour));

        if (off < least) {
            least = off;
            nearest = q;
        }
    }
    return nearest;
}

START_TEST(a_picture_stands_upright_as_its_camera_says)
{
    /* where the quarters of the source, top left, top right, bottom left, bottom right, go */
    static const struct {
        int orientation;
        const char *quarters;
        bool lies;
    } rows[] = {
        { 1, "0123", false }, { 2, "1032", false }, { 3, "3210", false }, { 4, "2301", false },
        { 5, "0213", true },  { 6, "2031", true },  { 7, "3120", true },  { 8, "1302", true },
        { 0, "0123", false }, { 9, "0123", false },
    };
    const char *source = jpeg("source", 192, 96);
    wish_t wish = { .model = "film", .parameters = "{\"strength\":0}" };
    gdImagePtr plain = opened(done(&wish, source));
    size_t i;
    int q;

    for (i = 0; i < 2 * UNIT_COUNT(rows); i++) {
        int orientation = rows[i / 2].orientation;
        gdImagePtr is = opened(done(&wish, turned(source, orientation, i % 2)));

        ck_assert_int_eq(is->sx, rows[i / 2].lies ? 96 : 192);
        for (q = 0; q < 4; q++) {
            int nearest = nearest_quarter(plain, colour_in(is, q));

            ck_assert_msg(nearest == rows[i / 2].quarters[q] - '0', "orientation %d: %d is at %d",
                          orientation, nearest, q);
        }
        gdImageDestroy(is);
    }
    gdImageDestroy(plain);
}
END_TEST

START_TEST(what_can_be_seen_through_is_white)
{
    gdImagePtr image = gdImageCreateTrueColor(64, 64);
    wish_t wish = { .model = "oil", .parameters = "{\"strength\":0}" };
    const char *source;
    int length, pixel;
    void *bytes;

    gdImageSaveAlpha(image, 1);
    gdImageAlphaBlending(image, 0);
    gdImageFilledRectangle(image, 0, 0, 63, 63, gdTrueColorAlpha(0, 0, 0, gdAlphaTransparent));
    bytes = gdImagePngPtr(image, &length);
    source = written("clear", bytes, length, image);
    image = opened(done(&wish, source));
    pixel = gdImageGetTrueColorPixel(image, 32, 32);
    ck_assert_int_gt(gdTrueColorGetGreen(pixel), 200);
    gdImageDestroy(image);
}
END_TEST

/* ---- what it does not take ---- */

START_TEST(a_picture_of_too_many_pixels_is_refused_before_it_is_decoded)
{
    wish_t just = { .pixels_max = 100 * 80 };
    wish_t less = { .pixels_max = 100 * 80 - 1 };
    const char *source = png("source", 100, 80);
    const char *claims = unit_path("claims");
    unsigned char head[UNIT_PNG_BYTES + 12];

    done(&just, source);
    refused(&less, source, APR_EINVAL, "a pixel too many");
    unit_png(head, 60000, 60000);
    memcpy(head + UNIT_PNG_BYTES, "\0\0\0\0IEND\xae\x42\x60\x82", 12);
    unit_write(claims, head, sizeof(head));
    refused(&just, claims, APR_EINVAL, "60000 x 60000");
}
END_TEST

START_TEST(what_is_no_whole_picture_is_refused)
{
    static const char *(*const makers[])(const char *name, int w, int h) = { png, jpeg, webp,
                                                                             palette };
    const wish_t wish = { NULL };
    const char *path = unit_path("cut");
    size_t i;

    refused(&wish, unit_path("nowhere"), APR_ENOENT, "no file");
    unit_write(path, "", 0);
    refused(&wish, path, APR_EINVAL, "no byte");
    unit_write(path, "<html>this is no picture</html>", 31);
    refused(&wish, path, APR_EINVAL, "a page");
    for (i = 0; i < UNIT_COUNT(makers); i++) {
        apr_size_t length = 0;
        char *bytes = unit_read(makers[i]("whole", 80, 60), &length);
        apr_size_t cut;

        for (cut = 1; cut < length; cut += 1 + length / 40) {
            unit_write(path, bytes, length - cut);
            refused(&wish, path, APR_EINVAL,
                    apr_psprintf(unit.ctx.pool, "kind %lu without %lu bytes", (unsigned long)i,
                                 (unsigned long)cut));
        }
    }
}
END_TEST

START_TEST(a_jpeg_of_endless_scans_is_refused)
{
    enum { AGAIN = 100 };
    const wish_t wish = { NULL };
    const char *path = unit_path("progressive");
    gdImagePtr image = scene(80, 60);
    apr_size_t length = 0, last = 0, at;
    apr_size_t scan;
    int size, i;
    void *made;
    char *bytes, *all;

    gdImageInterlace(image, 1);
    made = gdImageJpegPtr(image, &size, 90);
    bytes = unit_read(written("progressive", made, size, image), &length);
    done(&wish, path);
    for (at = 2; at + 1 < length; at++) {
        last = (unsigned char)bytes[at] == 0xFF && (unsigned char)bytes[at + 1] == 0xDA ? at : last;
    }
    ck_assert_uint_gt(last, 0);
    scan = length - 2 - last; /* without the end of the picture */
    all = apr_palloc(unit.ctx.pool, length + AGAIN * scan);
    memcpy(all, bytes, last);
    for (i = 0; i <= AGAIN; i++) {
        memcpy(all + last + (apr_size_t)i * scan, bytes + last, scan + 2);
    }
    unit_write(path, all, length + AGAIN * scan);
    refused(&wish, path, APR_EINVAL, "a hundred scans more");
}
END_TEST

/* Some bytes of a sound picture are changed: either it can still be used or it is refused. */
static void mutate(const char *source, int turns)
{
    const char *path = unit_path("mutant");
    const char *result = unit_path("of-mutant");
    apr_uint32_t dice = 12345;
    apr_size_t length = 0;
    char *bytes = unit_read(source, &length);
    int taken = 0;
    int turn, i;

    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr)); /* libpng prints all errors */
    for (turn = 0; turn < turns; turn++) {
        wish_t wish = { .model = models[turn % (int)UNIT_COUNT(models)] };
        char *mutant = apr_pmemdup(unit.ctx.pool, bytes, length);
        apr_status_t rv;

        for (i = 0; i <= turn % 5; i++) {
            dice = dice * 1664525 + 1013904223;
            /* every other turn where the headers are */
            mutant[(dice >> 8)
                   % (turn % 2       ? length
                      : length < 200 ? length
                                     : 200)] ^= (char)(1 << (dice >> 5) % 8);
        }
        unit_write(path, mutant, length);
        rv = repaint(&wish, path, result, unit.ctx.pool);
        ck_assert_msg(rv == APR_SUCCESS || rv == APR_EINVAL, "turn %d: status %d", turn, rv);
        ck_assert_msg(unit_exists(result) == (rv == APR_SUCCESS), "turn %d", turn);
        if (rv == APR_SUCCESS) {
            gdImageDestroy(opened(result));
            remove(result);
            taken++;
        }
    }
    ck_assert_msg(taken < turns, "nothing was refused");
}

START_TEST(a_broken_png_harms_nobody)
{
    mutate(png("source", 64, 64), 150);
    mutate(palette("source", 64, 64), 50);
}
END_TEST

START_TEST(a_broken_jpeg_harms_nobody)
{
    mutate(jpeg("source", 64, 64), 150);
    mutate(turned(jpeg("source", 64, 64), 6, true), 50);
}
END_TEST

START_TEST(a_broken_webp_harms_nobody)
{
    mutate(webp("source", 64, 64), 200);
}
END_TEST

/* ---- beside others ---- */

typedef struct painter_t {
    apr_thread_t *thread;
    apr_pool_t *pool;
    const char *source, *path;
    apr_status_t rv;
} painter_t;

static void *APR_THREAD_FUNC paint(apr_thread_t *thread, void *data)
{
    painter_t *painter = data;
    wish_t wish = { .model = "ghibli" };

    (void)thread;
    painter->rv = repaint(&wish, painter->source, painter->path, painter->pool);
    return NULL;
}

START_TEST(any_number_may_repaint_at_a_time)
{
    enum { PAINTERS = 4 };
    painter_t painters[PAINTERS];
    const char *source = webp("source", 300, 300);
    int i;

    for (i = 0; i < PAINTERS; i++) {
        painters[i].source = source;
        painters[i].path = unit_path(apr_psprintf(unit.ctx.pool, "painter-%d", i));
        ck_assert_int_eq(apr_pool_create_unmanaged_ex(&painters[i].pool, NULL, NULL), APR_SUCCESS);
        ck_assert_int_eq(
            apr_thread_create(&painters[i].thread, NULL, paint, &painters[i], unit.ctx.pool),
            APR_SUCCESS);
    }
    for (i = 0; i < PAINTERS; i++) {
        apr_status_t rv;

        ck_assert_int_eq(apr_thread_join(&rv, painters[i].thread), APR_SUCCESS);
        ck_assert_int_eq(painters[i].rv, APR_SUCCESS);
        ck_assert_str_eq(hash_of(painters[i].path), hash_of(painters[0].path));
        apr_pool_destroy(painters[i].pool);
    }
}
END_TEST

START_TEST(a_source_may_be_there_and_then_it_is_a_file)
{
    ck_assert_int_eq(local_kind.source(""), GF_SOURCE_MAY);
    ck_assert(local_kind.source_as_file);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_type_repaints_the_picture_visibly_and_in_proportion_to_the_strength,
        the_same_wish_is_the_same_picture_and_another_one_another,
        an_emotion_is_named_in_the_preset_or_else_in_the_prompt,
        a_result_has_the_shape_of_its_source_in_working_size,
        a_picture_stands_upright_as_its_camera_says,
        what_can_be_seen_through_is_white,
        a_picture_of_too_many_pixels_is_refused_before_it_is_decoded,
        what_is_no_whole_picture_is_refused,
        a_jpeg_of_endless_scans_is_refused,
        a_broken_png_harms_nobody,
        a_broken_jpeg_harms_nobody,
        a_broken_webp_harms_nobody,
        any_number_may_repaint_at_a_time,
        a_source_may_be_there_and_then_it_is_a_file,
        NULL,
    };

    return unit_run("local_source", tests);
}
