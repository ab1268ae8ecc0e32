/* SPDX-License-Identifier: Apache-2.0 */
/* model/job.c: a job has a pool of its own, and the generation object of the wire has every
 * member that it promises, no other, with the addresses that a client can use. */
#include "base/text.h"
#include "genflow/thumbnail.h"
#include "model/job.h"

#include "unit.h"

#define ID   "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
#define SITE "https://example.test"

static const gf_type_t type = { .name = "neo-glitch" };

static const gf_ref_name_t ref_names[] = { { "aiml", "aimlJobId" },
                                           { "fal", "falJobId" },
                                           { "replicate", "replicateId" },
                                           { "stability", "stabilityJobId" },
                                           { NULL, NULL } };

/* A row in which every column is filled, and one of which only the least is. */
static const gf_view_t full = {
    .type = &type,
    .id = ID,
    .run_id = "run-1",
    .tags_json = "[\"sea\",\"\u6d77\"]",
    .title = "The \"sea\"",
    .favourite = true,
    .status = "completed",
    .preset = "visor",
    .prompt = "a \"neon\" cat",
    .source_url = "https://example.test/source.png",
    .parameters_json = "{\"strength\":0.35}",
    .seed_json = "77",
    .cost_json = "2",
    .retry_count_json = "1",
    .max_retries_json = "3",
    .provider = "stability",
    .model = "sd3",
    .ref_names = ref_names,
    .provider_kind = "fal",
    .provider_ref = "f-1",
    .image_url = "/generated/neo-glitch/5b/" ID ".png",
    .original_url = "https://provider.test/x.png",
    .expires_at = "2026-11-21T22:00:00.000Z",
    .error_code = "E",
    .error_message = "M",
    .cause_code = "C",
    .created_at = "2026-11-20T22:00:00.000Z",
    .started_at = "2026-11-20T22:00:01.000Z",
    .finished_at = "2026-11-20T22:00:03.500Z",
    .processing_ms_json = "2500",
    .result_json = "{\"width\":768}",
    .user = "alice",
    .persisted = true,
    .taken_down_at = "2026-11-22T22:00:00.000Z",
    .fallback_used = true,
};
static const gf_view_t least = { .type = &type,
                                 .ref_names = ref_names,
                                 .id = ID,
                                 .run_id = ID,
                                 .status = "processing",
                                 .cost_json = "2",
                                 .user = "bob" };

static gf_json_t *written(const gf_view_t *view, const char *base, const char *site)
{
    gf_out_t out;

    gf_out_init(&out, unit.ctx.pool, 16);
    gf_out_open(&out, '{');
    gf_view_write(&out, view, base, site);
    gf_out_close(&out, '}');
    return unit_json(out.text);
}

/* "null" for a member that is there and null, "(absent)" for one that is not. */
static const char *member_of(gf_json_t *object, const char *name)
{
    const char *text = gf_json_text(object);
    gf_json_t *value = gf_json_get(object, name);

    if (value) {
        return gf_json_text(value);
    }
    return strstr(text, apr_psprintf(unit.ctx.pool, "\"%s\":null", name)) ? "null" : "(absent)";
}

/* How many members an object has, by the commas between them. */
static int members_of(gf_json_t *object)
{
    const char *at = gf_json_text(object);
    bool quoted = false;
    int depth = 0;
    int members = 1;

    for (; *at; at++) {
        if (quoted && *at == '\\') {
            at++;
        }
        else if (*at == '"') {
            quoted = !quoted;
        }
        else if (!quoted) {
            depth += *at == '{' || *at == '[';
            depth -= *at == '}' || *at == ']';
            members += *at == ',' && depth == 1;
        }
    }
    return members;
}

static const struct {
    const char *name;
    const char *full, *least;
} members[] = {
    { "id", "\"" ID "\"", "\"" ID "\"" },
    { "jobId", "\"" ID "\"", "\"" ID "\"" },
    { "generationId", "\"" ID "\"", "\"" ID "\"" },
    { "runId", "\"run-1\"", "\"" ID "\"" },
    { "type", "\"neo-glitch\"", "\"neo-glitch\"" },
    { "status", "\"completed\"", "\"processing\"" },
    { "imageUrl", "\"" SITE "/generated/neo-glitch/5b/" ID ".png\"", "null" },
    { "cloudinaryUrl", "\"" SITE "/generated/neo-glitch/5b/" ID ".png\"", "null" },
    { "resultImages", "[\"" SITE "/generated/neo-glitch/5b/" ID ".png\"]", "[]" },
    { "originalUrl", "\"https://provider.test/x.png\"", "null" },
    { "originalFalUrl", "\"https://provider.test/x.png\"", "null" },
    { "persisted", "true", "false" },
    { "expiresAt", "\"2026-11-21T22:00:00.000Z\"", "null" },
    { "takenDown", "{\"at\":\"2026-11-22T22:00:00.000Z\"}", "null" },
    { "provider", "\"stability\"", "null" },
    { "model", "\"sd3\"", "null" },
    { "stabilityJobId", "null", "null" },
    { "aimlJobId", "null", "null" },
    { "falJobId", "\"f-1\"", "null" },
    { "replicateId", "null", "null" },
    { "preset", "\"visor\"", "null" },
    { "prompt", "\"a \\\"neon\\\" cat\"", "null" },
    { "sourceUrl", "\"https://example.test/source.png\"", "null" },
    { "parameters", "{\"strength\":0.35}", "null" },
    { "visibility", "\"private\"", "\"private\"" },
    { "allowRemix", "false", "false" },
    { "tags", "[\"sea\",\"\u6d77\"]", "[]" },
    { "favourite", "true", "false" },
    { "title", "\"The \\\"sea\\\"\"", "null" },
    { "userId", "\"alice\"", "\"bob\"" },
    { "estimatedCost", "2", "2" },
    { "tokensUsed", "2", "0" },
    { "retryCount", "1", "null" },
    { "maxRetries", "3", "null" },
    { "fallbackUsed", "true", "false" },
    { "queuePosition", "null", "null" },
    { "expectedSeconds", "null", "null" },
    { "progress", "null", "null" },
    { "logs", "[]", "[]" },
    { "errorCode", "\"E\"", "null" },
    { "errorMessage", "\"M\"", "null" },
    { "causeCode", "\"C\"", "null" },
    { "createdAt", "\"2026-11-20T22:00:00.000Z\"", "null" },
    { "startedAt", "\"2026-11-20T22:00:01.000Z\"", "null" },
    { "finishedAt", "\"2026-11-20T22:00:03.500Z\"", "null" },
    { "completedAt", "\"2026-11-20T22:00:03.500Z\"", "null" },
    { "processingTime", "2500", "null" },
    { "pollUrl", "(absent)", "\"/api/neo-glitch/status?id=" ID "\"" },
    { "eventsUrl", "(absent)", "\"/api/generation/" ID "/events\"" },
    { "seed", "77", "null" }, /* beside the promised ones */
    { "result", "{\"width\":768}", "null" },
};

START_TEST(the_generation_object_has_every_member)
{
    gf_json_t *of_full = written(&full, "/api", SITE);
    gf_json_t *of_least = written(&least, "/api", SITE);
    size_t i;

    for (i = 0; i < UNIT_COUNT(members); i++) {
        ck_assert_msg(strcmp(member_of(of_full, members[i].name), members[i].full) == 0, "%s is %s",
                      members[i].name, member_of(of_full, members[i].name));
        ck_assert_msg(strcmp(member_of(of_least, members[i].name), members[i].least) == 0,
                      "%s is %s", members[i].name, member_of(of_least, members[i].name));
    }
    ck_assert_int_eq(members_of(of_full), (int)UNIT_COUNT(members) - 2); /* no pollUrl, eventsUrl */
    ck_assert_int_eq(members_of(of_least), (int)UNIT_COUNT(members));
}
END_TEST

START_TEST(only_a_running_generation_has_a_poll_url)
{
    static const struct {
        const char *status;
        bool ended;
        const char *tokens;
    } rows[] = {
        { "pending", false, "0" }, { "processing", false, "0" }, { "completed", true, "2" },
        { "failed", true, "0" },   { "cancelled", true, "0" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_view_t view = full;
        gf_json_t *object;

        view.status = rows[i].status;
        object = written(&view, "/api", SITE);
        ck_assert_msg(gf_view_ended(&view) == rows[i].ended, "%s", rows[i].status);
        ck_assert_msg((gf_json_get(object, "pollUrl") == NULL) == rows[i].ended, "%s",
                      rows[i].status);
        ck_assert_msg(strcmp(member_of(object, "tokensUsed"), rows[i].tokens) == 0,
                      "%s: only success costs", rows[i].status);
    }
}
END_TEST

START_TEST(our_own_addresses_become_absolute_and_others_stay)
{
    static const struct {
        const char *url, *site, *member_of;
    } rows[] = {
        { "/generated/a.png", SITE, "\"" SITE "/generated/a.png\"" },
        { "/generated/a.png", "", "\"/generated/a.png\"" },
        { "https://cdn.test/a.png", SITE, "\"https://cdn.test/a.png\"" },
        { NULL, SITE, "null" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_view_t view = full;
        gf_json_t *object;

        view.image_url = rows[i].url;
        object = written(&view, "/api", rows[i].site);
        ck_assert_str_eq(member_of(object, "imageUrl"), rows[i].member_of);
        ck_assert_str_eq(member_of(object, "cloudinaryUrl"), rows[i].member_of);
        ck_assert_str_eq(member_of(object, "resultImages"),
                         rows[i].url ? apr_psprintf(unit.ctx.pool, "[%s]", rows[i].member_of)
                                     : "[]");
    }
}
END_TEST

START_TEST(the_poll_address_begins_where_the_api_is_mounted)
{
    ck_assert_str_eq(member_of(written(&least, "", SITE), "pollUrl"),
                     "\"/neo-glitch/status?id=" ID "\"");
    ck_assert_str_eq(member_of(written(&least, "/a/b", ""), "pollUrl"),
                     "\"/a/b/neo-glitch/status?id=" ID "\"");
}
END_TEST

/* Names of the wire that have a twin, and what stands under both. */
START_TEST(members_have_twins_in_snake_case_where_they_are_wanted)
{
    static const struct {
        const char *name, *twin;
    } rows[] = {
        { "imageUrl", "image_url" },           { "runId", "run_id" },
        { "createdAt", "created_at" },         { "resultImages", "result_images" },
        { "estimatedCost", "estimated_cost" }, { "fallbackUsed", "fallback_used" },
        { "falJobId", "fal_job_id" },          { "processingTime", "processing_time" },
    };
    gf_json_t *object;
    gf_out_t out;
    size_t i;

    gf_out_init(&out, unit.ctx.pool, 16);
    out.twins = true;
    gf_out_open(&out, '{');
    gf_view_write(&out, &full, "/api", SITE);
    gf_out_close(&out, '}');
    object = unit_json(out.text);
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_msg(gf_json_get(object, rows[i].name), "%s is not there", rows[i].name);
        ck_assert_str_eq(member_of(object, rows[i].twin), member_of(object, rows[i].name));
    }
    ck_assert_str_eq(member_of(written(&full, "/api", SITE), "image_url"), "(absent)");
    ck_assert_str_eq(member_of(object, "parameters"), "{\"strength\":0.35}");
}
END_TEST

/* ---- the same as a job ---- */

static gf_json_t *job_written(const gf_view_t *view)
{
    gf_out_t out;

    gf_out_init(&out, unit.ctx.pool, 16);
    gf_out_open(&out, '{');
    gf_view_write_job(&out, view, "/api", SITE);
    gf_out_close(&out, '}');
    return unit_json(out.text);
}

START_TEST(a_job_has_every_member_and_no_other)
{
    static const char *const names[] = {
        "id",        "status",    "createdAt",    "startedAt",    "finishedAt",
        "error",     "errorCode", "errorMessage", "retryCount",   "maxRetries",
        "provider",  "model",     "input",        "inputSummary", "result",
        "resultUrl", "takenDown", "tags",         "favourite",    "title",
    };
    gf_json_t *of_full = job_written(&full);
    gf_json_t *of_least = job_written(&least);
    size_t i;

    for (i = 0; i < UNIT_COUNT(names); i++) {
        ck_assert_msg(gf_json_get(of_full, names[i]), "%s is not there", names[i]);
        ck_assert_msg(strcmp(member_of(of_least, names[i]), "(absent)") != 0, "%s", names[i]);
    }
    ck_assert_int_eq(members_of(of_full), (int)UNIT_COUNT(names));
    ck_assert_str_eq(member_of(of_full, "status"), "\"succeeded\"");
    ck_assert_str_eq(member_of(of_least, "status"), "\"running\"");
    ck_assert_str_eq(member_of(of_full, "error"), "\"M\"");
    ck_assert_str_eq(member_of(of_least, "result"), "null");
    ck_assert_str_eq(member_of(of_full, "resultUrl"),
                     "\"" SITE "/generated/neo-glitch/5b/" ID ".png\"");
    ck_assert_str_eq(member_of(gf_json_get(of_full, "result"), "imageUrl"),
                     member_of(of_full, "resultUrl"));
    ck_assert_str_eq(member_of(gf_json_get(of_full, "input"), "prompt"), "\"a \\\"neon\\\" cat\"");
    ck_assert_str_eq(member_of(gf_json_get(of_full, "input"), "type"), "\"neo-glitch\"");
}
END_TEST

START_TEST(a_jobs_summary_is_the_beginning_of_its_prompt)
{
    static const struct {
        const char *prompt;
        apr_size_t characters;
    } rows[] = { { NULL, 0 }, { "", 0 }, { "a cat", 5 }, { "\xe7\x8c\xab", 1 } };
    gf_view_t view = least;
    const char *summary;
    char long_prompt[304];
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        view.prompt = rows[i].prompt;
        ck_assert(gf_json_string(gf_json_get(job_written(&view), "inputSummary"), &summary));
        ck_assert_str_eq(summary, rows[i].prompt ? rows[i].prompt : "");
        ck_assert_uint_eq(gf_text_length(summary), rows[i].characters);
    }
    for (i = 0; i < 101; i++) { /* one character too many, of three bytes each */
        memcpy(long_prompt + 3 * i, "\xe7\x8c\xab", 4 - (i < 100));
    }
    view.prompt = long_prompt;
    ck_assert(gf_json_string(gf_json_get(job_written(&view), "inputSummary"), &summary));
    ck_assert_uint_eq(gf_text_length(summary), 103); /* three dots */
    ck_assert(strncmp(summary, long_prompt, 300) == 0 && strcmp(summary + 300, "...") == 0);
    long_prompt[300] = '\0';
    ck_assert(gf_json_string(gf_json_get(job_written(&view), "inputSummary"), &summary));
    ck_assert_str_eq(summary, long_prompt);
}
END_TEST

static apr_status_t count_end(void *count)
{
    (*(int *)count)++;
    return APR_SUCCESS;
}

START_TEST(a_job_has_a_pool_of_its_own_and_ends_with_it)
{
    gf_job_t *job = gf_job_make(&type);
    gf_job_t *other = gf_job_make(&type);
    int ended = 0;

    ck_assert_ptr_eq(job->type, &type);
    ck_assert_ptr_ne(job->pool, other->pool);
    ck_assert_msg(!apr_pool_is_ancestor(unit.ctx.pool, job->pool), "it outlives the request");
    ck_assert_ptr_ne(apr_pool_allocator_get(job->pool), apr_pool_allocator_get(other->pool));
    apr_pool_cleanup_register(job->pool, &ended, count_end, apr_pool_cleanup_null);
    gf_job_free(other);
    ck_assert_int_eq(ended, 0);
    gf_job_free(job);
    ck_assert_int_eq(ended, 1);
}
END_TEST

START_TEST(a_log_line_says_which_job_it_is_about)
{
    gf_job_t job = { .type = &type, .id = ID, .user = "alice", .retries = 1, .max_retries = 3 };

    ck_assert_str_eq(gf_job_subject(&job, unit.ctx.pool),
                     "job=" ID " type=neo-glitch user=alice: ");
    job.provider = "stability";
    job.model = "sd3";
    ck_assert_str_eq(gf_job_subject(&job, unit.ctx.pool),
                     "job=" ID
                     " type=neo-glitch user=alice provider=stability model=sd3 attempt=2/4: ");
}
END_TEST

#define COLOR "\"#3a2b1c\""

START_TEST(a_stored_picture_shows_its_thumbnail_and_its_colour)
{
    static const gf_thumbnail_kind_t kind = { .name = "local" };
    static const gf_thumbnails_t folder = { .kind = &kind, .folder_url = "/pictures" };
    static const gf_thumbnails_t cloud = { .transformation = "f_auto",
                                           .kind = &kind,
                                           .folder_url = "/pictures" };
    static const gf_thumbnails_t bucket = { .kind = &kind,
                                            .folder_url = "/pictures",
                                            .place = "https://s3.test/b/p" };
    static const gf_thumbnails_t off = { .folder_url = "/pictures",
                                         .place = "https://s3.test/b/p" };
    static const char cloudy[] = "https://r.test/c/image/upload/v1/a/b.png";
    static const struct {
        const gf_thumbnails_t *thumbnails;
        const char *url, *can;
        bool persisted;
        const char *shown, *color;
    } rows[] = {
        { &cloud, cloudy, NULL, true, "\"https://r.test/c/image/upload/f_auto/v1/a/b.png\"",
          COLOR },
        { &cloud, cloudy, NULL, false, "null", "null" },
        { &cloud, "https://s3.test/a/b.png", NULL, true, "null", "null" },
        { &cloud, "/pictures/a/b.png", "true", true, "\"" SITE "/pictures/a/b-384.webp\"", COLOR },
        { &folder, "/pictures/a/b.png", NULL, true, "\"" SITE "/pictures/a/b-384.webp\"", COLOR },
        { &folder, "/pictures/a/b.webp", "true", true, "\"" SITE "/pictures/a/b-384.webp\"",
          COLOR },
        { &folder, "/pictures/a/b.png", "true", false, "null", "null" },
        { &folder, "/pictures/a/b.png", "false", true, "null", "null" },
        { &folder, "/picturesque/a/b.png", "true", true, "null", "null" },
        { &folder, "/pictures/a/b", "true", true, "null", "null" },
        { &folder, cloudy, NULL, true, "null", "null" },
        { &bucket, "https://s3.test/b/p/a/b.png", "true", true,
          "\"https://s3.test/b/p/a/b-384.webp\"", COLOR },
        { &bucket, "https://s3.test/b/p/a/b.png", NULL, true, "null", "null" },
        { &bucket, "https://s3.test/b/p/a/b.png", "false", true, "null", "null" },
        { &bucket, "https://s3.test/b/p/a/b.png", "true", false, "null", "null" },
        { &bucket, "https://s3.test/b/other/a/b.png", "true", true, "null", "null" },
        { &bucket, "/pictures/a/b.png", NULL, true, "\"" SITE "/pictures/a/b-384.webp\"", COLOR },
        { &off, "https://s3.test/b/p/a/b.png", "true", true, "null", "null" },
        { &off, "/pictures/a/b.png", "true", true, "null", "null" },
        { NULL, "/pictures/a/b.png", "true", true, "(absent)", "(absent)" },
    };
    gf_view_t view = full;
    size_t i;

    view.color = "#3a2b1c";
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        view.thumbnails = rows[i].thumbnails;
        view.image_url = rows[i].url;
        view.thumbnail = rows[i].can;
        view.persisted = rows[i].persisted;
        ck_assert_str_eq(member_of(written(&view, "/api", SITE), "thumbnailUrl"), rows[i].shown);
        ck_assert_str_eq(member_of(written(&view, "/api", SITE), "color"), rows[i].color);
    }
}
END_TEST

START_TEST(a_picture_in_s3_lacks_a_thumbnail_that_nobody_has_made)
{
    static const gf_thumbnail_kind_t kind = { .name = "local" };
    static const gf_thumbnails_t on = { .kind = &kind, .place = "https://s3.test/b" };
    static const gf_thumbnails_t off = { .place = "https://s3.test/b" };

    ck_assert_str_eq(gf_thumbnail_lacks(&on, "https://s3.test/b/a/b.png", NULL), "a/b.png");
    ck_assert_ptr_null(gf_thumbnail_lacks(&on, "https://s3.test/b/a/b.png", "true"));
    ck_assert_ptr_null(gf_thumbnail_lacks(&on, "https://s3.test/b/a/b.png", "false"));
    ck_assert_ptr_null(gf_thumbnail_lacks(&on, "https://s3.test/c/a/b.png", NULL));
    ck_assert_ptr_null(gf_thumbnail_lacks(&off, "https://s3.test/b/a/b.png", NULL));
}
END_TEST

START_TEST(the_name_of_a_thumbnail_is_that_of_its_picture)
{
    const char *stem = "unchanged";

    ck_assert_str_eq(gf_thumbnail_name("t/5b/" ID ".png", unit.ctx.pool), "t/5b/" ID "-384.webp");
    ck_assert_str_eq(gf_thumbnail_name("/a.b/c.webp", unit.ctx.pool), "/a.b/c-384.webp");
    ck_assert(gf_thumbnail_is_name(&stem, "t/5b/" ID "-384.webp", unit.ctx.pool));
    ck_assert_str_eq(stem, "t/5b/" ID);
    stem = "unchanged";
    ck_assert(!gf_thumbnail_is_name(&stem, "t/5b/" ID ".webp", unit.ctx.pool));
    ck_assert(!gf_thumbnail_is_name(&stem, "-384.webp", unit.ctx.pool));
    ck_assert_str_eq(stem, "unchanged");
}
END_TEST

START_TEST(the_hint_for_polls_doubles_up_to_its_bound)
{
    static const struct {
        apr_int64_t age_ms;
        int seconds;
    } cases[] = { { 0, 2 },      { 1999, 2 },   { 2000, 4 },   { 5999, 4 },       { 6000, 8 },
                  { 14000, 16 }, { 29999, 16 }, { 30000, 30 }, { 1000000000, 30 } };
    gf_conf_t conf = { .poll_after = 2 * APR_USEC_PER_SEC,
                       .poll_after_max = 30 * APR_USEC_PER_SEC };
    gf_view_t view = { .age_ms = 0 };
    size_t i;

    for (i = 0; i < UNIT_COUNT(cases); i++) {
        view.age_ms = cases[i].age_ms;
        ck_assert_int_eq(gf_view_poll_after(&view, &conf), cases[i].seconds);
    }
    conf.poll_after = 100000;
    view.age_ms = 0;
    ck_assert_int_eq(gf_view_poll_after(&view, &conf), 1); /* whole seconds, never 0 */
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_generation_object_has_every_member,
        a_stored_picture_shows_its_thumbnail_and_its_colour,
        a_picture_in_s3_lacks_a_thumbnail_that_nobody_has_made,
        the_name_of_a_thumbnail_is_that_of_its_picture,
        only_a_running_generation_has_a_poll_url,
        our_own_addresses_become_absolute_and_others_stay,
        the_poll_address_begins_where_the_api_is_mounted,
        members_have_twins_in_snake_case_where_they_are_wanted,
        a_job_has_every_member_and_no_other,
        a_jobs_summary_is_the_beginning_of_its_prompt,
        a_job_has_a_pool_of_its_own_and_ends_with_it,
        a_log_line_says_which_job_it_is_about,
        the_hint_for_polls_doubles_up_to_its_bound,
        NULL,
    };

    return unit_run("job", tests);
}
