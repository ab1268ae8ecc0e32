/* SPDX-License-Identifier: Apache-2.0 */
/* front/fal_*.c: the requests that @fal-ai/client 1.10.1 and @ai-sdk/fal 2.0.59 send, as they were
 * recorded, become bodies of ours; an address for an upload is good for what it was made for. No
 * network. */
#include "base/sign.h"
#include "front/fal.h"

#include "unit.h"

#define ID    "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
#define OTHER "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c"

/* ---- the address of a proxied request ---- */

START_TEST(a_target_becomes_an_address_of_ours)
{
    static const struct {
        const char *url, *path, *query;
    } rows[] = {
        { "https://queue.fal.run/fal-ai/flux/dev", "queue/fal-ai/flux/dev", NULL },
        { "https://queue.fal.run/fal-ai/flux/"
          "dev?fal_webhook=https%3A%2F%2Fexample.com%2Fhook%3Fa%3D1",
          "queue/fal-ai/flux/dev", "fal_webhook=https%3A%2F%2Fexample.com%2Fhook%3Fa%3D1" },
        { "https://queue.fal.run/fal-ai/flux/requests/rid/status?logs=1",
          "queue/fal-ai/flux/requests/rid/status", "logs=1" },
        { "https://queue.fal.run/fal-ai/flux/requests/rid/status/stream?logs=1",
          "queue/fal-ai/flux/requests/rid/status/stream", "logs=1" },
        { "https://fal.run/fal-ai/flux/dev/stream", "run/fal-ai/flux/dev/stream", NULL },
        { "https://rest.fal.ai/storage/upload/initiate?storage_type=fal-cdn-v3",
          "rest/storage/upload/initiate", "storage_type=fal-cdn-v3" },
        { "HTTPS://FAL.RUN/x", "run/x", NULL },
        { "https://fal.run", "run", NULL },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *path = NULL;
        const char *query = NULL;
        const char *wrong = front_fal_target(&path, &query, rows[i].url, unit.ctx.pool);

        ck_assert_msg(!wrong, "%s: %s", rows[i].url, wrong);
        ck_assert_str_eq(path, rows[i].path);
        ck_assert_pstr_eq(query, rows[i].query);
    }
}
END_TEST

START_TEST(other_targets_are_refused)
{
    static const char *const rows[] = {
        "https://fal.run.evil.test/x",
        "https://evil.test/fal.run",
        "https://evil.fal.run/x",
        "https://queue.fal.run@evil.test/x",
        "https://me:secret@queue.fal.run/x",
        "https://fal.run:8443/x",
        "http://fal.run/x",
        "//fal.run/x",
        "/queue/x",
        "https://fal.run\\@evil.test/x",
        "https://169.254.169.254/latest",
        "file:///etc/passwd",
        "https://fal.run/a b",
        "",
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *path;
        const char *query;

        ck_assert_msg(front_fal_target(&path, &query, rows[i], unit.ctx.pool) != NULL, "%s",
                      rows[i]);
    }
}
END_TEST

/* ---- inputs ---- */

static gf_err_t *read_input(front_fal_input_t *input, const char *text)
{
    return front_fal_input_read(input, &unit.ctx, unit_json(text));
}

/* Our body, with the pictures as they were sent. */
static const char *body_of(const char *text)
{
    front_fal_beside_t beside = { .sources = NULL };
    gf_out_t sources;
    int i;

    front_fal_input_t input;

    unit_no_error(read_input(&input, text));
    gf_out_init(&sources, unit.ctx.pool, 64);
    for (i = 0; i < input.pictures->nelts; i++) {
        gf_out_put_string(&sources, input.pictures_name,
                          APR_ARRAY_IDX(input.pictures, i, const char *));
    }
    beside.sources = i > 0 ? sources.text : NULL;
    return front_fal_input_body(&input, &beside, unit.ctx.pool);
}

/* ---- the recordings ---- */

#define RECORDED "t/clients/recorded/fal.json" /* from the top, where the harness runs this */
#define PNG                                                                                        \
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChw" \
    "GA60e6kgAAAABJRU5ErkJggg=="

static gf_json_t *recordings(void)
{
    apr_size_t length = 0;
    const char *text = unit_read(RECORDED, &length);
    gf_json_t *document;

    ck_assert_msg(text != NULL, "there is no " RECORDED);
    unit_no_error(gf_json_parse_reply(&document, &unit.ctx, text, length));
    return gf_json_get(document, "recorded");
}

static const char *text_of(const gf_json_t *object, const char *name)
{
    const char *text = NULL;

    gf_json_string(gf_json_get(object, name), &text);
    return text;
}

/* The address below our <Location> that a recorded request is for; NULL: it is for none of ours. */
static const char *place_of(const gf_json_t *request)
{
    const char *target = text_of(gf_json_get(request, "headers"), "x-fal-target-url");
    const char *path = text_of(request, "path");
    const char *query;

    if (target) {
        ck_assert_str_eq(path, "/fal");
        ck_assert_ptr_null(front_fal_target(&path, &query, target, unit.ctx.pool));
        return path;
    }
    return strncmp(path, "/fal/", 5) == 0
               ? apr_pstrmemdup(unit.ctx.pool, path + 5, strcspn(path + 5, "?"))
               : NULL;
}

START_TEST(each_recorded_request_has_its_place)
{
    static const struct {
        const char *method, *place;
    } rows[] = {
        { "POST", "queue/fal-ai/flux/dev" },
        { "GET", "queue/fal-ai/flux/requests/r1" },
        { "GET", "queue/fal-ai/flux/requests/r1/status" },
        { "GET", "queue/fal-ai/flux/requests/r1/status/stream" },
        { "PUT", "queue/fal-ai/flux/requests/r1/cancel" },
        { "POST", "run/fal-ai/flux/dev" },
        { "POST", "run/fal-ai/flux/dev/stream" },
        { "POST", "run/fal-ai/flux/dev/image-to-image" },
        { "POST", "rest/storage/upload/initiate" },
    };
    const gf_json_t *list = recordings();
    bool seen[UNIT_COUNT(rows)] = { false };
    apr_size_t i;
    size_t row;

    for (i = 0; i < gf_json_length(list); i++) {
        const gf_json_t *request = gf_json_at(list, i);
        const char *place = place_of(request);

        for (row = 0; place && row < UNIT_COUNT(rows); row++) {
            if (strcmp(rows[row].method, text_of(request, "method")) == 0
                && strcmp(rows[row].place, place) == 0) {
                seen[row] = true;
                break;
            }
        }
        ck_assert_msg(!place || row < UNIT_COUNT(rows), "%s", place);
    }
    for (row = 0; row < UNIT_COUNT(rows); row++) {
        ck_assert_msg(seen[row], "%s was not recorded", rows[row].place);
    }
}
END_TEST

/* What the input of that call becomes; of several submissions the last one. */
static const char *recorded_body(const gf_json_t *list, const char *call)
{
    const char *body = NULL;
    apr_size_t i;

    for (i = 0; i < gf_json_length(list); i++) {
        const gf_json_t *request = gf_json_at(list, i);
        gf_json_t *input = gf_json_get(request, "body");

        if (strcmp(text_of(request, "call"), call) == 0 && gf_json_get(input, "prompt")) {
            body = body_of(gf_json_text(input));
        }
    }
    ck_assert_msg(body != NULL, "%s was not recorded", call);
    return body;
}

START_TEST(recorded_inputs_become_bodies_of_ours)
{
    static const char usual[] = "{\"prompt\":\"a cat in the rain\",\"seed\":7,\"n\":1,"
                                "\"parameters\":{\"image_size\":\"landscape_4_3\","
                                "\"aspect_ratio\":\"3:2\"}}";
    static const struct {
        const char *call, *body;
    } rows[] = {
        { "rewritten submit", usual },
        { "rewritten subscribe", usual },
        { "rewritten run", usual },
        { "rewritten stream", usual },
        { "proxied submit", usual },
        { "proxied run", usual },
        { "proxied Blob", "{\"prompt\":\"a cat in the rain\",\"strength\":0.5,"
                          "\"image_url\":\"http://site.test/file/u1\"}" },
        { "ai-sdk", "{\"prompt\":\"a cat in the rain\",\"seed\":7,\"n\":1,\"parameters\":{"
                    "\"image_size\":\"landscape_16_9\",\"aspect_ratio\":\"16:9\"}}" },
        { "ai-sdk size", "{\"prompt\":\"a cat in the rain\",\"n\":1,\"parameters\":{"
                         "\"image_size\":{\"width\":1024,\"height\":768},"
                         "\"aspect_ratio\":\"3:2\"}}" },
        { "ai-sdk edit", "{\"prompt\":\"a cat in the rain\",\"strength\":0.4,"
                         "\"guidance_scale\":3,\"num_inference_steps\":20,"
                         "\"output_format\":\"png\",\"n\":1,\"image_url\":\"" PNG "\"}" },
        { "ai-sdk edit of several", "{\"prompt\":\"a cat in the rain\",\"n\":1,"
                                    "\"image_urls\":\"" PNG "\",\"image_urls\":\"" PNG "\"}" },
    };
    const gf_json_t *list = recordings();
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_str_eq(recorded_body(list, rows[i].call), rows[i].body);
    }
    ck_assert_str_eq(body_of("{\"num_images\":2,\"mask_url\":null,\"loras\":[]}"), "{\"n\":2}");
    ck_assert_str_eq(body_of("{}"), "{}");
}
END_TEST

START_TEST(sizes_become_the_nearest_frame)
{
    static const struct {
        const char *size, *ratio;
    } rows[] = {
        { "\"square\"", "\"1:1\"" },
        { "\"portrait_16_9\"", "\"9:16\"" },
        { "{\"width\":2560,\"height\":1080}", "\"16:9\"" },
        { "{\"width\":1080,\"height\":2560}", "\"9:16\"" },
        { "{\"width\":1280,\"height\":800}", "\"3:2\"" },
        { "{\"width\":800,\"height\":1280}", "\"2:3\"" },
        { "{\"width\":1000,\"height\":1001}", "\"1:1\"" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *body =
            body_of(apr_psprintf(unit.ctx.pool, "{\"image_size\":%s}", rows[i].size));

        ck_assert_str_eq(body, apr_psprintf(unit.ctx.pool,
                                            "{\"parameters\":{\"image_size\":%s,"
                                            "\"aspect_ratio\":%s}}",
                                            rows[i].size, rows[i].ratio));
    }
    ck_assert_str_eq(body_of("{\"image_size\":\"auto\",\"aspect_ratio\":\"auto\"}"), "{}");
    ck_assert_str_eq(body_of("{\"image_size\":\"square\",\"aspect_ratio\":\"21:9\"}"),
                     "{\"parameters\":{\"aspect_ratio\":\"21:9\",\"image_size\":\"square\"}}");
    ck_assert_str_eq(body_of("{\"image_size\":{\"width\":0,\"height\":5}}"),
                     "{\"parameters\":{\"image_size\":{\"width\":0,\"height\":5}}}");
}
END_TEST

START_TEST(inputs_that_no_provider_would_get_are_refused)
{
    static const struct {
        const char *input, *field;
    } rows[] = {
        { "{\"prompt\":\"p\",\"mask_url\":\"" PNG "\"}", "mask_url" },
        { "{\"prompt\":\"p\",\"loras\":[{\"path\":\"x\"}]}", "loras" },
        { "{\"num_images\":0}", "num_images" },
        { "{\"num_images\":5}", "num_images" },
        { "{\"num_images\":\"2\"}", "num_images" },
        { "{\"num_images\":1.5}", "num_images" },
        { "{\"image_url\":7}", "image_url" },
        { "{\"image_url\":\"\"}", "image_url" },
        { "{\"image_urls\":\"x\"}", "image_urls" },
        { "{\"image_urls\":[null]}", "image_urls" },
        { "{\"image_urls\":[{}]}", "image_urls" },
        { "{\"image_url\":\"x\",\"image_urls\":[\"y\"]}", "image_urls" },
        { "{\"image_urls\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\","
          "\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\"]}",
          "image_urls" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        front_fal_input_t input;
        gf_err_t *err = read_input(&input, rows[i].input);

        ck_assert_msg(gf_err_is(err, GF_E_INVALID), "%s", rows[i].input);
        ck_assert_str_eq(APR_ARRAY_IDX(err->fields, 0, gf_field_error_t).field, rows[i].field);
    }
}
END_TEST

START_TEST(what_stands_beside_the_input_joins_the_body)
{
    front_fal_input_t input;
    static const front_fal_beside_t beside = { .sources = "\"sourceUrl\":\"https://a.test/b\"",
                                               .webhook = "https://example.com/hook?a=1",
                                               .priority = "low",
                                               .front = "{\"api\":\"fal\"}" };
    double seconds;

    unit_no_error(read_input(&input, "{\"prompt\":\"p\"}"));
    ck_assert_str_eq(front_fal_input_body(&input, &beside, unit.ctx.pool),
                     "{\"prompt\":\"p\",\"sourceUrl\":\"https://a.test/b\",\"parameters\":{"
                     "\"front\":{\"api\":\"fal\"}},\"webhookUrl\":"
                     "\"https://example.com/hook?a=1\",\"priority\":\"low\"}");
    ck_assert_str_eq(front_fal_priority("low"), "low");
    ck_assert_ptr_null(front_fal_priority("normal")); /* what the client always sends */
    ck_assert_ptr_null(front_fal_priority(NULL));
    ck_assert(front_fal_timeout(&seconds, NULL) && seconds == 0);
    ck_assert(front_fal_timeout(&seconds, "30") && seconds == 30);
    ck_assert(front_fal_timeout(&seconds, "1.5") && seconds == 1.5);
    ck_assert(!front_fal_timeout(&seconds, "") && !front_fal_timeout(&seconds, "-1"));
    ck_assert(!front_fal_timeout(&seconds, "0") && !front_fal_timeout(&seconds, "nan"));
    ck_assert(!front_fal_timeout(&seconds, "5s") && !front_fal_timeout(&seconds, "1e9"));
}
END_TEST

/* ---- addresses for uploads ---- */

#define SECRET "whsec_cmVjZWl2ZXJzIG9mIHRoZSB0ZXN0cyBrbm93IGl0"

START_TEST(an_upload_address_is_good_for_its_time_and_user)
{
    static const front_fal_link_t link = { ID, "al ice&b", "1800000000" };
    static const front_fal_link_t wrong[] = {
        { OTHER, "al ice&b", "1800000000" }, { ID, "bob", "1800000000" },
        { ID, "al ice&b", "1800000001" },    { ID, "al ice&b", "01800000000" },
        { ID, "al ice&b", "1800000000.x" },  { "x", "al ice&b", "1800000000" },
    };
    apr_time_t before = apr_time_from_sec(1799999999);
    const char *query = front_fal_link_query(&link, SECRET, unit.ctx.pool);
    const char *signature = gf_sign(
        unit.ctx.pool, gf_sign_purpose_secret(unit.ctx.pool, SECRET, "uploads of genflow-fal"), ID,
        "1800000000", "al ice&b", 8);
    size_t i;

    ck_assert_int_eq(strncmp(query, "user=al+ice%26b&expires=1800000000&signature=", 45), 0);
    ck_assert(front_fal_link_is_good(&link, signature, SECRET, before, unit.ctx.pool));
    ck_assert(!front_fal_link_is_good(&link, signature, SECRET, before + APR_USEC_PER_SEC,
                                      unit.ctx.pool));
    for (i = 0; i < UNIT_COUNT(wrong); i++) {
        ck_assert(!front_fal_link_is_good(&wrong[i], signature, SECRET, before, unit.ctx.pool));
    }
    ck_assert(!front_fal_link_is_good(&link, "", SECRET, before, unit.ctx.pool));
    ck_assert(!front_fal_link_is_good(&link, apr_pstrcat(unit.ctx.pool, signature, "=", NULL),
                                      SECRET, before, unit.ctx.pool));
    ck_assert(!front_fal_link_is_good(&link, signature, "whsec_AAAA", before, unit.ctx.pool));
    ck_assert(!front_fal_link_is_good(&link, signature, NULL, before, unit.ctx.pool));
    ck_assert_ptr_null(front_fal_link_query(&link, NULL, unit.ctx.pool));
}
END_TEST

START_TEST(no_users_secret_signs_uploads)
{
    const char *purpose = gf_sign_purpose_secret(unit.ctx.pool, SECRET, "p");

    ck_assert(gf_sign_is_secret(purpose, unit.ctx.pool));
    ck_assert_str_ne(purpose, gf_sign_user_secret(unit.ctx.pool, SECRET, "p"));
    ck_assert_str_ne(purpose, gf_sign_purpose_secret(unit.ctx.pool, SECRET, "q"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { a_target_becomes_an_address_of_ours,
                                   other_targets_are_refused,
                                   each_recorded_request_has_its_place,
                                   recorded_inputs_become_bodies_of_ours,
                                   sizes_become_the_nearest_frame,
                                   inputs_that_no_provider_would_get_are_refused,
                                   what_stands_beside_the_input_joins_the_body,
                                   an_upload_address_is_good_for_its_time_and_user,
                                   no_users_secret_signs_uploads,
                                   NULL };

    return unit_run("front_fal", tests);
}
