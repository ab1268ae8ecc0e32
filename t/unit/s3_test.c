/* SPDX-License-Identifier: Apache-2.0 */
/* store/s3.c: what is sent, and what each answer means. No network. */
#define KIND gf_store_s3
#include "store.h"

#define KEY  "stefna/generated/" NAME
#define HOME "https://s3.eu-central-1.amazonaws.com/pictures/"

#define XML(code) \
    "<?xml version=\"1.0\"?>\n<Error><Code>" code "</Code><Message>So it is</Message></Error>"

/* ---- requests ---- */

static const char *header(const gf_msg_t *msg, const char *name)
{
    return apr_table_get(msg->headers, name);
}

static void is_signed(const gf_msg_t *msg, const char *method, const char *url, const char *sha256)
{
    ck_assert_str_eq(msg->method, method);
    ck_assert_str_eq(msg->url, url);
    ck_assert_str_eq(msg->sigv4, "aws:amz:eu-central-1:s3");
    ck_assert_str_eq(msg->credentials, "KEYID:" SECRET);
    ck_assert_str_eq(header(msg, "x-amz-content-sha256"), sha256);
    ck_assert_ptr_null(msg->parts);
    ck_assert_ptr_null(msg->body);
}

START_TEST(a_picture_is_put_where_its_name_says_and_replaces_nothing)
{
    shelf_t *bucket = shelf(&KIND);
    gf_msg_t *msg = KIND.upload(&bucket->call);

    is_signed(msg, "PUT", HOME KEY, bucket->stored.sha256);
    ck_assert_str_eq(msg->upload, "/spool/picture");
    ck_assert_str_eq(header(msg, "Content-Type"), "image/png");
    ck_assert_str_eq(header(msg, "If-None-Match"), "*");
    ck_assert_str_eq(header(msg, "Cache-Control"), "public, max-age=3600, must-revalidate");
    ck_assert_int_eq(apr_table_elts(msg->headers)->nelts, 4);
}
END_TEST

START_TEST(directives_say_where_and_whether_it_replaces)
{
    shelf_t *bucket = shelf(&KIND);
    gf_msg_t *msg;

    bucket->conf.store_overwrite = 1;
    bucket->conf.store_api = "http://127.0.0.1:9000";
    bucket->conf.store_prefix = "x";
    msg = KIND.upload(&bucket->call);
    is_signed(msg, "PUT", "http://127.0.0.1:9000/pictures/x/" NAME, bucket->stored.sha256);
    ck_assert_ptr_null(header(msg, "If-None-Match"));
}
END_TEST

START_TEST(a_picture_is_removed_by_the_same_name)
{
    shelf_t *bucket = shelf(&KIND);
    gf_msg_t *msg;

    bucket->call.file = NULL;
    bucket->call.stored = NULL;
    msg = KIND.remove(&bucket->call);
    is_signed(msg, "DELETE", HOME KEY, EMPTY);
    ck_assert_ptr_null(msg->upload);
    ck_assert_int_eq(apr_table_elts(msg->headers)->nelts, 1);
}
END_TEST

/* ---- answers ---- */

START_TEST(a_stored_picture_has_the_address_of_its_object)
{
    static const struct {
        int status;
        const char *api, *url, *address;
    } rows[] = {
        { 200, NULL, NULL, HOME KEY },
        { 200, "http://127.0.0.1:9000", NULL, "http://127.0.0.1:9000/pictures/" KEY },
        { 200, NULL, "https://img.test/p", "https://img.test/p/" KEY },
        { 200, "http://127.0.0.1:9000", "http://img.test", "http://img.test/" KEY },
        { 412, NULL, NULL, HOME KEY }, /* it was there already */
        { 201, NULL, NULL, HOME KEY },
        { 204, NULL, NULL, HOME KEY },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        shelf_t *bucket = shelf(&KIND);
        gf_store_outcome_t outcome;

        bucket->conf.store_api = rows[i].api;
        bucket->conf.store_public = rows[i].url;
        outcome =
            read_upload(bucket, answered("https://s3.test/", rows[i].status, "ETag: \"x\"", ""));
        ck_assert_int_eq(outcome.state, GF_STORE_STORED);
        ck_assert_str_eq(outcome.url, rows[i].address);
        ck_assert(!outcome.alarm);
    }
}
END_TEST

START_TEST(each_refusal_means_now_or_never)
{
    static const upload_row_t rows[] = {
        { 200, NULL, "<html>a page of somebody in between</html>", GF_STORE_LATER, 0, NULL },
        { 301, NULL, XML("PermanentRedirect"), GF_STORE_REFUSED, 0, "GenflowStoreRegion" },
        { 307, NULL, XML("TemporaryRedirect"), GF_STORE_REFUSED, 0, "GenflowStoreRegion" },
        { 400, NULL, XML("AuthorizationHeaderMalformed"), GF_STORE_REFUSED, 0,
          "GenflowStoreRegion" },
        { 400, NULL, XML("XAmzContentSHA256Mismatch"), GF_STORE_REFUSED, 0, NULL },
        { 400, NULL, XML("RequestTimeout"), GF_STORE_LATER, 0, NULL },
        { 400, NULL, "", GF_STORE_REFUSED, 0, NULL },
        { 403, NULL, XML("SignatureDoesNotMatch"), GF_STORE_REFUSED, 0, "GenflowStoreSecret" },
        { 403, NULL, XML("InvalidAccessKeyId"), GF_STORE_REFUSED, 0, "GenflowStoreKey" },
        { 403, NULL, XML("AccessDenied"), GF_STORE_REFUSED, 0, "GenflowStoreKey" },
        { 403, NULL, XML("RequestTimeTooSkewed"), GF_STORE_REFUSED, 0, "GenflowStoreKey" },
        { 403, NULL, "", GF_STORE_REFUSED, 0, "GenflowStoreKey" },
        { 404, NULL, XML("NoSuchBucket"), GF_STORE_REFUSED, 0, "GenflowStoreAccount" },
        { 405, NULL, XML("MethodNotAllowed"), GF_STORE_REFUSED, 0, NULL },
        { 409, NULL, XML("ConditionalRequestConflict"), GF_STORE_LATER, 0, NULL },
        { 429, "Retry-After: 3", "", GF_STORE_LATER, 3, NULL },
        { 500, NULL, XML("InternalError"), GF_STORE_LATER, 0, NULL },
        { 503, "Retry-After: 9", XML("SlowDown"), GF_STORE_LATER, 9, NULL },
        { 503, NULL, "<html>maintenance</html>", GF_STORE_LATER, 0, NULL },
        { 500, NULL, "<Error><Code>never closed", GF_STORE_LATER, 0, NULL },
        { 500, NULL, "</Code><Code>", GF_STORE_LATER, 0, NULL },
        { 500, NULL, "<Code></Code>", GF_STORE_LATER, 0, NULL },
    };

    check_uploads(shelf(&KIND), rows, UNIT_COUNT(rows));
}
END_TEST

START_TEST(the_answer_of_s3_is_reported)
{
    gf_store_outcome_t outcome =
        read_upload(shelf(&KIND), answered("https://s3.test/", 400, NULL, XML("EntityTooLarge")));

    ck_assert_str_eq(outcome.detail, "HTTP 400 EntityTooLarge: So it is");
}
END_TEST

START_TEST(a_removed_picture_is_gone_whether_or_not_it_was_there)
{
    shelf_t *bucket = shelf(&KIND);

    ck_assert(gone(bucket, 204, ""));
    ck_assert(gone(bucket, 200, ""));
    ck_assert(gone(bucket, 404, XML("NoSuchKey")));
    ck_assert(!gone(bucket, 404, XML("NoSuchBucket")));
    ck_assert(!gone(bucket, 404, "<html>"));
    ck_assert(!gone(bucket, 403, XML("AccessDenied")));
    ck_assert(!gone(bucket, 503, XML("SlowDown")));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_picture_is_put_where_its_name_says_and_replaces_nothing,
        directives_say_where_and_whether_it_replaces,
        a_picture_is_removed_by_the_same_name,
        a_stored_picture_has_the_address_of_its_object,
        each_refusal_means_now_or_never,
        the_answer_of_s3_is_reported,
        without_an_answer_it_may_be_sent_again,
        a_removed_picture_is_gone_whether_or_not_it_was_there,
        what_its_configuration_lacks_is_named,
        NULL,
    };

    return unit_run("s3", tests);
}
