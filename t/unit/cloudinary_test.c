/* SPDX-License-Identifier: Apache-2.0 */
/* store/cloudinary.c: what is sent and how it is signed, by the published examples, and what
 * each answer means. No network. */
#include "store/cloudinary.h"

#define KIND gf_store_cloudinary
#include "store.h"

#define ID  "stefna/generated/neo_glitch_0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
#define URL "https://res.test/pictures/image/upload/v1700000001/" ID ".png"

/* SHA-1 of "public_id=" ID "&version=1700000001" and the secret */
#define SIGNATURE "3299b6f57b960c4ac4cb55b175ecda1218d8e528"

#define CLOUDINARY_SAYS(id, version, signature, more)                                    \
    "{\"public_id\":\"" id "\",\"version\":" version ",\"signature\":\"" signature "\"," \
    "\"bytes\":4711" more "}"
#define ADDRESS(url) ",\"secure_url\":\"" url "\""

/* ---- signatures ---- */

START_TEST(the_published_examples_are_signed_as_published)
{
    static const struct {
        const char *parts[6][2];
        const char *signature;
    } rows[] = {
        { { { "public_id", "genflow/job-1" }, { "timestamp", "1700000000" } },
          "0965d6c62629b2b4acd3384d17d03200ba683dec" },
        { { { "timestamp", "1700000000" },
            { "api_key", "a" },
            { "public_id", "genflow/job-1" },
            { "tags", "" } },
          "0965d6c62629b2b4acd3384d17d03200ba683dec" },
        { { { "public_id", "job-1" },
            { "context", "a=b&c|d=e" },
            { "folder", "genflow" },
            { "overwrite", "0" },
            { "timestamp", "1700000000" } },
          "a2eab41fc81bc0cd4710baea54af1b3e61bae1ff" },
    };
    size_t i, k;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_msg_t *msg = gf_msg_make(unit.ctx.pool, "POST", "https://api.test/");

        gf_msg_file(msg, "file", "/spool/picture", "image/png");
        for (k = 0; k < 6 && rows[i].parts[k][0]; k++) {
            gf_msg_part(msg, rows[i].parts[k][0], rows[i].parts[k][1]);
        }
        ck_assert_str_eq(store_cloudinary_sign(unit.ctx.pool, msg->parts, "abcd"),
                         rows[i].signature);
        ck_assert_msg(!APR_ARRAY_IDX(msg->parts, 0, gf_msg_part_t).text, "the form is as it was");
    }
}
END_TEST

/* ---- requests ---- */

static const gf_msg_part_t *part(const gf_msg_t *msg, const char *name)
{
    const gf_msg_part_t *found = NULL;
    int i;

    for (i = 0; i < msg->parts->nelts; i++) {
        const gf_msg_part_t *one = &APR_ARRAY_IDX(msg->parts, i, gf_msg_part_t);

        if (strcmp(one->name, name) == 0) {
            ck_assert_msg(!found, "%s comes twice", name);
            found = one;
        }
    }
    ck_assert_msg(found, "%s is missing", name);
    return found;
}

static const char *text(const gf_msg_t *msg, const char *name)
{
    return part(msg, name)->text;
}

/* The message carries this now, and the signature of its parts, which are named here in order. */
static void is_signed(const gf_msg_t *msg, const char *first, const char *value)
{
    apr_int64_t now = apr_time_sec(apr_time_now());
    apr_int64_t then = strtoll(text(msg, "timestamp"), NULL, 10);
    char hex[GF_SHA1_HEX];
    const char *signed_text =
        apr_psprintf(unit.ctx.pool, "%s=%s&public_id=%s&timestamp=%s" SECRET, first, value,
                     text(msg, "public_id"), text(msg, "timestamp"));

    ck_assert_msg(then <= now && then > now - 60, "%s", text(msg, "timestamp"));
    gf_hash_sha1(hex, signed_text, strlen(signed_text));
    ck_assert_str_eq(text(msg, "signature"), hex);
    ck_assert_str_eq(text(msg, "api_key"), "KEYID");
}

START_TEST(a_picture_is_sent_under_the_name_of_its_generation)
{
    shelf_t *cloud = shelf(&KIND);
    gf_msg_t *msg = KIND.upload(&cloud->call);

    ck_assert_str_eq(msg->method, "POST");
    ck_assert_str_eq(msg->url, "https://api.cloudinary.com/v1_1/pictures/image/upload");
    ck_assert_int_eq(msg->parts->nelts, 6);
    ck_assert_str_eq(text(msg, "public_id"), ID);
    ck_assert_str_eq(part(msg, "file")->file, "/spool/picture");
    ck_assert_str_eq(part(msg, "file")->type, "image/png");
    is_signed(msg, "overwrite", "0");
    ck_assert_msg(apr_is_empty_table(msg->headers), "the key is in the form");

    cloud->conf.store_overwrite = 1;
    cloud->conf.store_api = "http://127.0.0.1:8080/cloud";
    msg = KIND.upload(&cloud->call);
    ck_assert_str_eq(msg->url, "http://127.0.0.1:8080/cloud/v1_1/pictures/image/upload");
    is_signed(msg, "overwrite", "1");
}
END_TEST

START_TEST(a_picture_is_removed_by_the_same_name)
{
    shelf_t *cloud = shelf(&KIND);
    gf_msg_t *msg;

    cloud->call.file = NULL;
    cloud->call.stored = NULL;
    msg = KIND.remove(&cloud->call);
    ck_assert_str_eq(msg->method, "POST");
    ck_assert_str_eq(msg->url, "https://api.cloudinary.com/v1_1/pictures/image/destroy");
    ck_assert_int_eq(msg->parts->nelts, 5);
    ck_assert_str_eq(text(msg, "public_id"), ID);
    is_signed(msg, "invalidate", "1");
}
END_TEST

/* ---- names by run id ---- */

#define RANDOM "00112233445566778899aabbccddeeff"

static shelf_t *shelf_of_run(gf_public_id_t public_id, const char *run_id)
{
    shelf_t *cloud = shelf(&KIND);

    cloud->conf.store_public_id = public_id;
    cloud->call.name = "neo-glitch/5b/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b-" RANDOM ".png";
    cloud->call.secret = RANDOM;
    cloud->call.run_id = run_id;
    return cloud;
}

START_TEST(a_picture_may_be_named_by_the_run_id_of_its_client)
{
    static const struct {
        gf_public_id_t public_id;
        const char *run_id, *name;
    } rows[] = {
        { GF_PUBLIC_GENERATION, "run-1", "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b-" RANDOM },
        { GF_PUBLIC_RUN, "run-1", "run-1_" RANDOM },
        { GF_PUBLIC_RUN, "a.b:c_D", "a_b_c_D_" RANDOM },
        { GF_PUBLIC_RUN, RANDOM, RANDOM "_" RANDOM },
        { GF_PUBLIC_BARE, "run-1", "run-1" },
        { GF_PUBLIC_BARE, "a.b:c_D", "a_b_c_D" },
        /* this could be the whole name of another picture */
        { GF_PUBLIC_BARE, RANDOM, RANDOM "_" RANDOM },
        { GF_PUBLIC_BARE, "run-1_" RANDOM, "run-1_" RANDOM "_" RANDOM },
        { GF_PUBLIC_BARE, "x-" RANDOM, "x-" RANDOM "_" RANDOM },
    };
    shelf_t *cloud;
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        cloud = shelf_of_run(rows[i].public_id, rows[i].run_id);
        ck_assert_str_eq(
            text(KIND.upload(&cloud->call), "public_id"),
            apr_pstrcat(unit.ctx.pool, "stefna/generated/neo_glitch_", rows[i].name, NULL));
    }
    cloud = shelf_of_run(GF_PUBLIC_RUN, apr_pstrcat(unit.ctx.pool, RANDOM, RANDOM, RANDOM, RANDOM,
                                                    RANDOM, RANDOM, NULL));
    ck_assert_uint_lt(strlen(text(KIND.upload(&cloud->call), "public_id")), 200);
    cloud->call.secret = NULL; /* from before names had a random part */
    ck_assert_ptr_nonnull(strstr(text(KIND.upload(&cloud->call), "public_id"), "0c1d2e3f4a5b"));
}
END_TEST

START_TEST(a_stored_picture_is_removed_by_the_name_in_its_address)
{
#define AT "https://res.test/pictures/image/upload/v1700000001/stefna/generated/neo_glitch_"
    static const struct {
        gf_public_id_t public_id;
        const char *secret, *url, *name;
    } rows[] = {
        { GF_PUBLIC_RUN, RANDOM, AT "run-1_" RANDOM ".png", "run-1_" RANDOM },
        { GF_PUBLIC_GENERATION, RANDOM, AT "run-1_" RANDOM ".png", "run-1_" RANDOM },
        { GF_PUBLIC_RUN, RANDOM, AT RANDOM "_" RANDOM ".png", RANDOM "_" RANDOM },
        { GF_PUBLIC_RUN, RANDOM, AT "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b-" RANDOM ".png",
          "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b-" RANDOM },
        { GF_PUBLIC_GENERATION, NULL, AT "run-1.png", "run-1" },
        { GF_PUBLIC_BARE, NULL, AT "run-1.jpg", "run-1" },
        /* another's name is never derived from an address */
        { GF_PUBLIC_RUN, RANDOM, AT "run-1_" RANDOM "x.png", "run-1_" RANDOM },
        { GF_PUBLIC_RUN, RANDOM, AT RANDOM ".png", "run-1_" RANDOM },
        { GF_PUBLIC_RUN, RANDOM, "https://res.test/x/other_" RANDOM ".png", "run-1_" RANDOM },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        shelf_t *cloud = shelf_of_run(rows[i].public_id, "run-1");
        gf_msg_t *msg;

        cloud->call.secret = rows[i].secret;
        cloud->call.url = rows[i].url;
        msg = KIND.remove(&cloud->call);
        ck_assert_str_eq(msg->url, "https://api.cloudinary.com/v1_1/pictures/image/destroy");
        ck_assert_str_eq(
            text(msg, "public_id"),
            apr_pstrcat(unit.ctx.pool, "stefna/generated/neo_glitch_", rows[i].name, NULL));
    }
}
END_TEST

START_TEST(a_bare_name_that_may_be_anothers_is_told_apart_by_a_tag)
{
#define BARE "stefna/generated/neo_glitch_run-1"
    /* SHA-1 of "public_id=" BARE "&version=1700000001" and the secret */
    static const char signed_text[] = "public_id=" BARE "&version=1700000001" SECRET;
    static const struct {
        const char *more;
        bool taken;
    } rows[] = {
        { "", false },
        { ",\"tags\":[\"genflow-" RANDOM "\"],\"existing\":true", false },
        { ",\"tags\":[\"x\",\"genflow-" RANDOM "\"],\"existing\":true", false },
        { ",\"existing\":true", true },
        { ",\"tags\":[],\"existing\":true", true },
        { ",\"tags\":[\"genflow-ff\",7],\"existing\":true", true },
    };
    shelf_t *cloud = shelf_of_run(GF_PUBLIC_BARE, "run-1");
    gf_msg_t *msg = KIND.remove(&cloud->call);
    char hex[GF_SHA1_HEX];
    size_t i;

    ck_assert_str_eq(text(KIND.upload(&cloud->call), "tags"), "genflow-" RANDOM);
    ck_assert_str_eq(msg->method, "DELETE");
    ck_assert_str_eq(msg->url, "https://api.cloudinary.com/v1_1/pictures/resources/image/tags/"
                               "genflow-" RANDOM "?invalidate=true");
    ck_assert_ptr_nonnull(apr_table_get(msg->headers, "Authorization"));
    ck_assert(gone(cloud, 200, "{\"deleted\":{},\"partial\":false}"));
    ck_assert(gone(cloud, 200, "{\"deleted\":{\"" BARE "\":\"deleted\"}}"));
    ck_assert(!gone(cloud, 200, "{\"deleted\":{},\"partial\":true}"));
    ck_assert(!gone(cloud, 200, "{\"result\":\"ok\"}"));
    ck_assert(!gone(cloud, 401, "{\"deleted\":{}}"));
    ck_assert(!gone(cloud, 200, "<html>"));
    gf_hash_sha1(hex, signed_text, strlen(signed_text));
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *says = apr_psprintf(unit.ctx.pool,
                                        "{\"public_id\":\"" BARE "\",\"version\":1700000001,"
                                        "\"signature\":\"%s\"" ADDRESS(URL) "%s}",
                                        hex, rows[i].more);

        gf_store_outcome_t outcome =
            read_upload(cloud, answered("https://api.test/", 200, NULL, says));

        ck_assert_int_eq(outcome.state, rows[i].taken ? GF_STORE_LATER : GF_STORE_STORED);
        ck_assert(outcome.taken == rows[i].taken && !outcome.alarm);
    }
    cloud->call.taken = true;
    ck_assert_str_eq(text(KIND.upload(&cloud->call), "public_id"), BARE "_" RANDOM);
    ck_assert_str_eq(text(KIND.upload(&cloud->call), "tags"), "genflow-" RANDOM);
    cloud->conf.store_overwrite = 1;
    ck_assert_ptr_nonnull(strstr(KIND.check(&cloud->conf, unit.ctx.pool), "GenflowStoreOverwrite"));
}
END_TEST

/* ---- answers ---- */

START_TEST(a_stored_picture_has_the_address_that_cloudinary_gives_it)
{
    static const char *const rows[] = {
        CLOUDINARY_SAYS(ID, "1700000001", SIGNATURE, ADDRESS(URL)),
        CLOUDINARY_SAYS(ID, "1700000001", SIGNATURE, ADDRESS(URL) ",\"existing\":true"),
        CLOUDINARY_SAYS(ID, "1700000001", SIGNATURE,
                        ",\"etag\":\"x\",\"format\":\"png\"" ADDRESS(URL)),
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_store_outcome_t outcome =
            read_upload(shelf(&KIND), answered("https://api.test/", 200, NULL, rows[i]));

        ck_assert_int_eq(outcome.state, GF_STORE_STORED);
        ck_assert_str_eq(outcome.url, URL);
        ck_assert(!outcome.alarm);
    }
}
END_TEST

START_TEST(an_answer_about_another_picture_stores_nothing)
{
    static const upload_row_t rows[] = {
        { 200, NULL, CLOUDINARY_SAYS(ID, "1700000002", SIGNATURE, ADDRESS(URL)), GF_STORE_LATER, 0,
          "GenflowStoreSecret" },
        { 200, NULL, CLOUDINARY_SAYS("another", "1700000001", SIGNATURE, ADDRESS(URL)),
          GF_STORE_LATER, 0, "GenflowStoreSecret" },
        { 200, NULL, CLOUDINARY_SAYS(ID, "1700000001", "", ADDRESS(URL)), GF_STORE_LATER, 0,
          "GenflowStoreSecret" },
        { 200, NULL, CLOUDINARY_SAYS(ID, "\"1700000001\"", SIGNATURE, ADDRESS(URL)), GF_STORE_LATER,
          0, "GenflowStoreSecret" },
        { 200, NULL, "{}", GF_STORE_LATER, 0, "GenflowStoreSecret" },
        { 200, NULL, CLOUDINARY_SAYS(ID, "1700000001", SIGNATURE, ""), GF_STORE_LATER, 0, NULL },
        { 200, NULL, CLOUDINARY_SAYS(ID, "1700000001", SIGNATURE, ADDRESS("")), GF_STORE_LATER, 0,
          NULL },
        { 200, NULL, CLOUDINARY_SAYS(ID, "1700000001", SIGNATURE, ADDRESS("javascript:x")),
          GF_STORE_LATER, 0, NULL },
        { 200, NULL, CLOUDINARY_SAYS(ID, "1700000001", SIGNATURE, ADDRESS("https://a b/")),
          GF_STORE_LATER, 0, NULL },
        { 200, NULL, CLOUDINARY_SAYS(ID, "1700000001", SIGNATURE, ",\"secure_url\":7"),
          GF_STORE_LATER, 0, NULL },
        { 200, NULL, "<html>a page of somebody in between</html>", GF_STORE_LATER, 0, NULL },
        { 200, NULL, "", GF_STORE_LATER, 0, NULL },
        { 200, NULL, "[]", GF_STORE_LATER, 0, NULL },
    };

    check_uploads(shelf(&KIND), rows, UNIT_COUNT(rows));
}
END_TEST

START_TEST(half_an_answer_stores_nothing)
{
    const char *whole = CLOUDINARY_SAYS(ID, "1700000001", SIGNATURE, ADDRESS(URL));
    size_t length;

    for (length = 0; length < strlen(whole); length++) {
        const char *half = apr_pstrmemdup(unit.ctx.pool, whole, length);

        ck_assert_int_eq(
            read_upload(shelf(&KIND), answered("https://api.test/", 200, NULL, half)).state,
            GF_STORE_LATER);
    }
}
END_TEST

START_TEST(each_refusal_means_now_or_never)
{
#define SAYS(message) "{\"error\":{\"message\":\"" message "\"}}"
    static const upload_row_t rows[] = {
        { 400, NULL, SAYS("Invalid image file"), GF_STORE_REFUSED, 0, NULL },
        { 400, NULL, SAYS("Stale request"), GF_STORE_REFUSED, 0, NULL },
        { 401, NULL, SAYS("Invalid Signature ab. String to sign - 'public_id=x'."),
          GF_STORE_REFUSED, 0, "GenflowStoreSecret" },
        { 401, NULL, SAYS("Unknown API key KEYID"), GF_STORE_REFUSED, 0, "GenflowStoreKey" },
        { 403, NULL, "<html>", GF_STORE_REFUSED, 0, "GenflowStoreKey" },
        { 404, NULL, SAYS("no such cloud"), GF_STORE_REFUSED, 0, "GenflowStoreAccount" },
        { 413, NULL, "", GF_STORE_REFUSED, 0, NULL },
        { 302, NULL, "", GF_STORE_REFUSED, 0, NULL },
        { 420, NULL, SAYS("Rate Limit Exceeded"), GF_STORE_LATER, 0, NULL },
        { 420, "Retry-After: 7", SAYS("Rate Limit Exceeded"), GF_STORE_LATER, 7, NULL },
        { 423, NULL, SAYS("locked"), GF_STORE_LATER, 0, NULL },
        { 429, "Retry-After: 999999", "", GF_STORE_LATER, 300, NULL },
        { 429, "Retry-After: never", "", GF_STORE_LATER, 0, NULL },
        { 500, NULL, SAYS("Server Error"), GF_STORE_LATER, 0, NULL },
        { 502, NULL, "<html>502 Bad Gateway</html>", GF_STORE_LATER, 0, NULL },
        { 503, NULL, "{\"error\":7}", GF_STORE_LATER, 0, NULL },
    };
    char *much = apr_pcalloc(unit.ctx.pool, 10001);
    const char *text = apr_psprintf(unit.ctx.pool, SAYS("%s"), (char *)memset(much, 'x', 10000));
    upload_row_t talkative = { 400, NULL, text, GF_STORE_REFUSED, 0, NULL };

    check_uploads(shelf(&KIND), rows, UNIT_COUNT(rows));
    check_uploads(shelf(&KIND), &talkative, 1);
}
END_TEST

START_TEST(a_removed_picture_is_gone_whether_or_not_it_was_there)
{
    shelf_t *cloud = shelf(&KIND);

    ck_assert(gone(cloud, 200, "{\"result\":\"ok\"}"));
    ck_assert(gone(cloud, 200, "{\"result\":\"not found\"}"));
    ck_assert(!gone(cloud, 200, "{\"result\":\"blocked\"}"));
    ck_assert(!gone(cloud, 200, "{}"));
    ck_assert(!gone(cloud, 200, "<html>"));
    ck_assert(!gone(cloud, 401, "{\"result\":\"ok\"}"));
    ck_assert(!gone(cloud, 503, ""));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_published_examples_are_signed_as_published,
        a_picture_is_sent_under_the_name_of_its_generation,
        a_picture_is_removed_by_the_same_name,
        a_picture_may_be_named_by_the_run_id_of_its_client,
        a_stored_picture_is_removed_by_the_name_in_its_address,
        a_bare_name_that_may_be_anothers_is_told_apart_by_a_tag,
        a_stored_picture_has_the_address_that_cloudinary_gives_it,
        an_answer_about_another_picture_stores_nothing,
        half_an_answer_stores_nothing,
        each_refusal_means_now_or_never,
        without_an_answer_it_may_be_sent_again,
        a_removed_picture_is_gone_whether_or_not_it_was_there,
        what_its_configuration_lacks_is_named,
        NULL,
    };

    return unit_run("cloudinary", tests);
}
