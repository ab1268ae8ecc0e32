/* SPDX-License-Identifier: Apache-2.0 */
/* mod_genflow_local: the same request is the same picture to the byte, another request another
 * one, and it has the requested shape. */
#include "provider/provider.h"

#include <apr_thread_proc.h>

#include "base/hash.h"
#include "base/image.h"
#include "mod_genflow_local/kind.h"
#include "unit.h"

static gf_job_t job_with(const char *prompt, const char *preset, apr_int64_t seed,
                         const char *parameters)
{
    static const gf_type_t type = { .name = "sketch" };
    gf_job_t job = { .type = &type,
                     .prompt = prompt,
                     .preset = preset,
                     .seed = seed,
                     .parameters = parameters };

    return job;
}

static apr_status_t draw(const gf_job_t *job, const char *path, apr_pool_t *pool)
{
    gf_prov_call_t call = { .model = "", .job = job, .pool = pool };

    local_kind.begin(&gf_provider_host);
    return local_kind.draw(&call, path);
}

/* Draws the job, looks at the file and returns its hash. */
static const char *drawn(gf_image_t *image, const gf_job_t *job)
{
    const char *path = unit_path("picture");
    char *hex = apr_palloc(unit.ctx.pool, GF_SHA256_HEX);
    apr_size_t length = 0;
    char *bytes;

    ck_assert_int_eq(draw(job, path, unit.ctx.pool), APR_SUCCESS);
    bytes = unit_read(path, &length);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_msg(length > 10000, "%lu bytes are no picture", (unsigned long)length);
    ck_assert(gf_image_probe(image, (const unsigned char *)bytes, length));
    gf_hash_texts(hex, "", bytes, length);
    ck_assert_int_eq(remove(path), 0);
    return hex;
}

START_TEST(the_same_request_is_the_same_picture)
{
    gf_job_t job = job_with("a neon cat", "visor", 77, "{\"strength\":0.35}");
    gf_image_t image;
    const char *first = drawn(&image, &job);

    ck_assert_str_eq(drawn(&image, &job), first);
    ck_assert_str_eq(image.type, "image/png");
}
END_TEST

START_TEST(another_request_is_another_picture)
{
    static const struct {
        const char *prompt, *preset;
        apr_int64_t seed;
    } rows[] = {
        { "a neon cat", "base", 77 },           { "a neon cat", "base", 78 },
        { "a neon cat", "base", 4294967294LL }, { "a neon dog", "base", 77 },
        { "a neon cat", "visor", 77 },          { "a neon cat", "tattoos", 77 },
        { "a neon cat", "scanlines", 77 },      { "", "base", 77 },
    };
    const char *seen[UNIT_COUNT(rows)];
    size_t i, j;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_job_t job = job_with(rows[i].prompt, rows[i].preset, rows[i].seed, "{}");
        gf_image_t image;

        seen[i] = drawn(&image, &job);
        for (j = 0; j < i; j++) {
            ck_assert_msg(strcmp(seen[i], seen[j]) != 0, "rows %lu and %lu are one picture",
                          (unsigned long)i, (unsigned long)j);
        }
    }
}
END_TEST

START_TEST(a_picture_has_the_requested_shape)
{
    static const struct {
        const char *parameters;
        int width, height;
    } rows[] = {
        { "{}", 768, 768 },
        { "{\"aspect_ratio\":\"1:1\"}", 768, 768 },
        { "{\"aspect_ratio\":\"16:9\"}", 1024, 576 },
        { "{\"aspect_ratio\":\"9:16\"}", 576, 1024 },
        { "{\"aspect_ratio\":\"3:2\"}", 936, 624 },
        { "{\"aspect_ratio\":\"2:3\"}", 624, 936 },
        { "{\"aspect_ratio\":\"4:3\"}", 880, 660 },
        { "{\"aspect_ratio\":\"3:4\"}", 660, 880 },
        { "{\"aspect_ratio\":\"99:1\"}", 768, 768 },
        { "{\"aspect_ratio\":\"\"}", 768, 768 },
        { "{\"aspect_ratio\":null}", 768, 768 },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_job_t job = job_with("a neon cat", "base", 77, rows[i].parameters);
        gf_image_t image;

        drawn(&image, &job);
        ck_assert_msg(image.width == rows[i].width && image.height == rows[i].height, "%s: %d x %d",
                      rows[i].parameters, image.width, image.height);
    }
}
END_TEST

START_TEST(a_job_without_preset_is_drawn_as_base)
{
    gf_job_t none = job_with("a neon cat", NULL, 77, "{}");
    gf_job_t base = job_with("a neon cat", "base", 77, "{}");
    gf_image_t image;
    const char *first = drawn(&image, &none);

    ck_assert_str_eq(drawn(&image, &base), first);
}
END_TEST

START_TEST(what_stands_there_is_left_alone)
{
    gf_job_t job = job_with("a neon cat", "base", 77, "{}");
    const char *path = unit_path("taken");
    apr_size_t length = 0;

    unit_write(path, "mine", 4);
    ck_assert_msg(APR_STATUS_IS_EEXIST(draw(&job, path, unit.ctx.pool)), "it was drawn over");
    ck_assert_str_eq(unit_read(path, &length), "mine");
}
END_TEST

START_TEST(a_folder_that_is_missing_is_an_error)
{
    gf_job_t job = job_with("a neon cat", "base", 77, "{}");

    ck_assert_msg(APR_STATUS_IS_ENOENT(draw(&job, unit_path("nowhere/picture"), unit.ctx.pool)),
                  "no error");
    ck_assert(!unit_exists(unit_path("nowhere")));
}
END_TEST

/* One of several threads that draw at a time. */
typedef struct painter_t {
    apr_thread_t *thread;
    apr_pool_t *pool;
    const char *path;
    apr_status_t rv;
} painter_t;

static void *APR_THREAD_FUNC paint(apr_thread_t *thread, void *data)
{
    painter_t *painter = data;
    gf_job_t job = job_with("a neon cat", "scanlines", 77, "{}");

    (void)thread;
    painter->rv = draw(&job, painter->path, painter->pool);
    return NULL;
}

START_TEST(any_number_may_draw_at_a_time)
{
    enum { PAINTERS = 4 };
    painter_t painters[PAINTERS];
    apr_size_t length = 0;
    char *first;
    int i;

    for (i = 0; i < PAINTERS; i++) {
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
        apr_pool_destroy(painters[i].pool);
    }
    first = unit_read(painters[0].path, &length);
    for (i = 1; i < PAINTERS; i++) {
        apr_size_t other = 0;
        char *bytes = unit_read(painters[i].path, &other);

        ck_assert_msg(other == length && memcmp(bytes, first, length) == 0, "painter %d", i);
    }
}
END_TEST

START_TEST(a_lost_run_is_simply_drawn_again)
{
    ck_assert_ptr_nonnull(local_kind.draw);
    ck_assert_ptr_null(local_kind.submit);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_same_request_is_the_same_picture,
        another_request_is_another_picture,
        a_picture_has_the_requested_shape,
        a_job_without_preset_is_drawn_as_base,
        what_stands_there_is_left_alone,
        a_folder_that_is_missing_is_an_error,
        any_number_may_draw_at_a_time,
        a_lost_run_is_simply_drawn_again,
        NULL,
    };

    return unit_run("local", tests);
}
