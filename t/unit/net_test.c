/* SPDX-License-Identifier: Apache-2.0 */
/* net/net.c against a server in a thread of this process: what is sent, where each answer goes,
 * how many exchanges run at a time, and what ends them from outside. */
#include "exchange.h"

/* ---- answers ---- */

START_TEST(a_whole_answer_is_answered_whatever_its_status)
{
    static const struct {
        const char *path;
        int status;
        const char *text;
    } rows[] = {
        { "/hello", 200, "hello" },
        { "/empty", 204, "" },
        { "/refused", 403, "{\"name\":\"not allowed\"}\r\n" },
        { "/busy", 429, "" },
        { "/moved", 302, "" },
        { "/continue", 200, "last" },
        { "/unframed", 200, SERVER_BODY SERVER_BODY },
        { "/empty-picture", 200, "" },
    };
    size_t i;

    begin();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_msg_t *msg = perform(message("GET", rows[i].path));

        ck_assert_msg(msg->end == GF_MSG_ANSWERED, "%s: end %d", rows[i].path, (int)msg->end);
        ck_assert_msg(msg->status == rows[i].status, "%s: %d", rows[i].path, msg->status);
        ck_assert_str_eq(msg->text, rows[i].text);
        ck_assert_uint_eq(msg->text_length, strlen(rows[i].text));
        ck_assert_int_eq(msg->spooled, -1);
        ck_assert(!msg->timed_out);
    }
    ck_assert_msg(server_requests(server) == (int)UNIT_COUNT(rows), "redirects are not followed");
    end();
}
END_TEST

START_TEST(header_fields_are_those_of_the_answer_itself)
{
    gf_msg_t *msg;

    begin();
    msg = perform(message("GET", "/busy"));
    ck_assert_str_eq(apr_table_get(msg->answer, "Retry-After"), "7");
    msg = perform(message("GET", "/continue"));
    ck_assert_str_eq(apr_table_get(msg->answer, "content-type"), "text/plain");
    ck_assert_msg(!apr_table_get(msg->answer, "X-Stage"), "that was 100 Continue");
    end();
}
END_TEST

START_TEST(trailers_are_not_kept)
{
    gf_msg_t *msg;

    begin();
    msg = perform(message("GET", "/trailers"));
    ck_assert_int_eq(msg->end, GF_MSG_ANSWERED);
    ck_assert_str_eq(msg->text, "ok");
    ck_assert_str_eq(apr_table_get(msg->answer, "X-Kept"), "yes");
    ck_assert_ptr_null(apr_table_get(msg->answer, "X-Line"));
    ck_assert_ptr_null(apr_table_get(msg->answer, "Retry-After"));
    end();
}
END_TEST

/* The texts of a request may live longer than those of its answer. */
START_TEST(an_answer_is_freed_before_its_message)
{
    gf_msg_t *msg;

    begin();
    msg = perform(paid("/hello"));
    ck_assert_str_eq(msg->text, "hello");
    gf_net_free_answer(msg);
    gf_net_free_answer(msg);
    ck_assert_str_eq(APR_ARRAY_IDX(msg->parts, 0, gf_msg_part_t).text, "a neon cat");
    msg = message("GET", "/hello");
    gf_net_free_answer(msg);
    end();
}
END_TEST

START_TEST(headers_and_trailers_are_bounded)
{
    static const char *const paths[] = { "/many-trailers", "/many-headers" };
    size_t i;

    begin();
    for (i = 0; i < UNIT_COUNT(paths); i++) {
        gf_msg_t *msg = perform(message("GET", paths[i]));

        ck_assert_msg(msg->end == GF_MSG_TOO_LARGE, "%s: end %d", paths[i], (int)msg->end);
    }
    end();
}
END_TEST

START_TEST(a_request_has_its_parts_and_headers)
{
    gf_msg_t *msg;

    begin();
    msg = paid("/hello");
    gf_msg_part(msg, "seed", "77");
    gf_msg_part(msg, "left_out", NULL);
    gf_msg_part(msg, "empty", "");
    apr_table_set(msg->headers, "Authorization", "Bearer sk-test");
    perform(msg);
    ck_assert(strncmp(server->last, "POST /hello HTTP/1.1\r\n", 22) == 0);
    ck_assert(strstr(server->last, "\r\nAuthorization: Bearer sk-test\r\n"));
    ck_assert(strstr(server->last, "\r\nUser-Agent: mod_genflow/"));
    ck_assert(strstr(server->last, "\r\nContent-Type: multipart/form-data; boundary="));
    ck_assert(strstr(server->last, "name=\"prompt\"\r\n\r\na neon cat\r\n"));
    ck_assert(strstr(server->last, "name=\"seed\"\r\n\r\n77\r\n"));
    ck_assert(strstr(server->last, "name=\"empty\"\r\n\r\n\r\n"));
    ck_assert(!strstr(server->last, "left_out"));

    msg = message("POST", "/hello");
    msg->body = "{\"a\":1}";
    apr_table_set(msg->headers, "Content-Type", "application/json");
    perform(msg);
    ck_assert(strstr(server->last, "\r\n\r\n{\"a\":1}"));
    ck_assert(strstr(server->last, "\r\nContent-Type: application/json\r\n"));
    end();
}
END_TEST

START_TEST(a_large_request_waits_for_no_permission)
{
    enum { MUCH = 3000000 };
    char *much = apr_pcalloc(unit.ctx.pool, MUCH + 1);
    gf_msg_t *msg;

    begin();
    memset(much, 'x', MUCH);
    msg = paid("/hello");
    gf_msg_part(msg, "large", much);
    perform(msg);
    ck_assert_int_eq(msg->end, GF_MSG_ANSWERED);
    ck_assert(strstr(server->last, "name=\"large\"\r\n\r\nxxx"));
    ck_assert_msg(!strcasestr(server->last, "Expect:"), "it would wait for 100 Continue");
    end();
}
END_TEST

START_TEST(a_file_is_sent_as_a_part)
{
    gf_msg_t *msg;

    begin();
    unit_write(unit_path("source.png"), SERVER_BODY, strlen(SERVER_BODY));
    msg = paid("/hello");
    gf_msg_file(msg, "image", unit_path("source.png"), "image/png");
    perform(msg);
    ck_assert_int_eq(msg->end, GF_MSG_ANSWERED);
    ck_assert(strstr(server->last, "name=\"image\"; filename=\"source.png\"\r\n"));
    ck_assert(strstr(server->last, "Content-Type: image/png\r\n"));
    ck_assert(strstr(server->last, "\r\n\r\n" SERVER_BODY "\r\n"));
    end();
}
END_TEST

/* ---- files as bodies ---- */

#define FILE_BYTES 3000000

/* A file of FILE_BYTES, as the body of a PUT. */
static gf_msg_t *upload(const char *path)
{
    char *bytes = apr_palloc(unit.ctx.pool, FILE_BYTES);
    gf_msg_t *msg = message("PUT", path);

    memset(bytes, 'x', FILE_BYTES);
    msg->upload = unit_path("picture");
    unit_write(msg->upload, bytes, FILE_BYTES);
    return msg;
}

START_TEST(a_file_is_sent_as_the_body)
{
    gf_msg_t *msg;

    begin();
    msg = upload("/hello");
    apr_table_set(msg->headers, "Content-Type", "image/png");
    perform(msg);
    ck_assert_int_eq(msg->end, GF_MSG_ANSWERED);
    ck_assert_str_eq(msg->text, "hello");
    ck_assert(strncmp(server->last, "PUT /hello HTTP/1.1\r\n", 21) == 0);
    ck_assert(strstr(server->last, "\r\nContent-Length: 3000000\r\n"));
    ck_assert(strstr(server->last, "\r\nContent-Type: image/png\r\n"));
    ck_assert(strstr(server->last, "\r\n\r\nxxx"));
    ck_assert_msg(!strcasestr(server->last, "Expect:"), "it would wait for 100 Continue");
    end();
}
END_TEST

START_TEST(a_file_is_sent_again_when_a_kept_connection_has_died)
{
    int i;

    begin();
    server->one_each = true;
    for (i = 0; i < 3; i++) {
        gf_msg_t *msg = perform(upload("/hello"));

        ck_assert_msg(msg->end == GF_MSG_ANSWERED, "upload %d: %s", i, msg->detail);
        ck_assert(strstr(server->last, "\r\nContent-Length: 3000000\r\n"));
        ck_assert(strstr(server->last, "\r\n\r\nxxx"));
    }
    ck_assert_msg(server_requests(server) > 3, "no connection died: %d", server_requests(server));
    end();
}
END_TEST

START_TEST(without_its_file_nothing_is_sent)
{
    gf_msg_t *messages[2];
    int i;

    begin();
    messages[0] = message("PUT", "/hello");
    messages[0]->upload = unit_path("nowhere");
    messages[1] = paid("/hello");
    gf_msg_file(messages[1], "file", unit_path("nowhere"), "image/png");
    for (i = 0; i < 2; i++) {
        gf_msg_t *msg = perform(messages[i]);

        ck_assert_int_eq(msg->end, GF_MSG_NOT_SENT);
        ck_assert_msg(strstr(msg->detail, "nowhere"), "%s", msg->detail);
    }
    ck_assert_int_eq(server_requests(server), 0);
    end();
}
END_TEST

START_TEST(a_file_that_shrinks_ends_its_exchange)
{
    gf_msg_t *messages[2];
    int i;

    begin();
    messages[0] = upload("/hello");
    messages[1] = paid("/hello");
    gf_msg_file(messages[1], "file", messages[0]->upload, "image/png");
    for (i = 0; i < 2; i++) {
        upload("/hello"); /* makes the file anew */
        gf_net_start(net, messages[i]);
        ck_assert_int_eq(truncate(messages[0]->upload, FILE_BYTES - 1), 0);
        ck_assert_ptr_eq(next_done(), messages[i]);
        ck_assert_int_eq(messages[i]->end, GF_MSG_UNKNOWN);
        ck_assert_msg(strstr(messages[i]->detail, "picture"), "%s", messages[i]->detail);
    }
    ck_assert_int_eq(server_requests(server), 0);
    end();
}
END_TEST

START_TEST(a_signed_request_names_its_key_and_what_it_signs)
{
    static const char *const expected[] = {
        "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=KEYID/",
        "/eu-central-1/s3/aws4_request, SignedHeaders=",
        "content-type;host;if-none-match;x-amz-content-sha256;x-amz-date, Signature=",
        "\r\nX-Amz-Date: ",
        "\r\nIf-None-Match: *\r\n",
    };
    gf_msg_t *msg;
    size_t i;

    begin();
    msg = upload("/hello");
    msg->sigv4 = "aws:amz:eu-central-1:s3";
    msg->credentials = "KEYID:se/cret:with+signs";
    apr_table_set(msg->headers, "Content-Type", "image/png");
    apr_table_set(msg->headers, "If-None-Match", "*");
    apr_table_set(msg->headers, "x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    perform(msg);
    ck_assert_int_eq(msg->end, GF_MSG_ANSWERED);
    for (i = 0; i < UNIT_COUNT(expected); i++) {
        ck_assert_msg(strstr(server->last, expected[i]), "%s\nis not in\n%.700s", expected[i],
                      server->last);
    }
    ck_assert(!strstr(server->last, "se/cret"));
    end();
}
END_TEST

/* ---- pictures ---- */

START_TEST(a_picture_goes_to_its_file_and_text_stays_in_memory)
{
    static const struct {
        const char *path;
        bool named; /* is a spool file named? */
        apr_int64_t spooled;
        apr_size_t text_length;
    } rows[] = {
        { "/picture", true, 1600000, 0 }, { "/Picture", true, 16, 0 },
        { "/no-picture", true, -1, 16 },  { "/hello", true, -1, 5 },
        { "/Picture", false, -1, 16 },    { "/empty-picture", true, -1, 0 },
    };
    const char *spool = NULL;
    size_t i;

    begin();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_msg_t *msg = message("GET", rows[i].path);
        apr_size_t length = 0;
        char *bytes;

        spool = unit_path(apr_psprintf(unit.ctx.pool, "spool-%lu", (unsigned long)i));
        msg->spool = rows[i].named ? spool : NULL;
        perform(msg);
        ck_assert_msg(msg->end == GF_MSG_ANSWERED, "%s: %s", rows[i].path, msg->detail);
        ck_assert_msg(msg->spooled == rows[i].spooled, "%s: spooled %" APR_INT64_T_FMT,
                      rows[i].path, msg->spooled);
        ck_assert_uint_eq(msg->text_length, rows[i].text_length);
        ck_assert_msg(unit_exists(spool) == (rows[i].spooled >= 0), "%s", rows[i].path);
        if (rows[i].spooled >= 0) {
            bytes = unit_read(spool, &length);
            ck_assert_int_eq((apr_int64_t)length, rows[i].spooled);
            ck_assert(strncmp(bytes + length - 16, SERVER_BODY, 16) == 0);
        }
    }
    end();
}
END_TEST

START_TEST(an_old_spool_file_is_replaced)
{
    apr_size_t length = 0;
    gf_msg_t *msg;

    begin();
    msg = message("GET", "/Picture");
    msg->spool = unit_path("old");
    unit_write(msg->spool, "more than sixteen bytes were here before", 40);
    perform(msg);
    ck_assert_str_eq(unit_read(msg->spool, &length), SERVER_BODY);
    end();
}
END_TEST

START_TEST(a_spool_file_that_cannot_be_written_is_reported)
{
    gf_msg_t *msg;

    begin();
    msg = paid("/picture");
    msg->spool = unit_path("nowhere/spool");
    perform(msg);
    ck_assert_msg(msg->end == GF_MSG_UNKNOWN, "it was sent, and the picture is lost");
    ck_assert_msg(strstr(msg->detail, "nowhere/spool"), "%s", msg->detail);
    ck_assert_msg(APR_STATUS_IS_ENOENT(msg->spool_rv), "error %d", msg->spool_rv);
    ck_assert_int_eq(server_requests(server), 1);
    end();
}
END_TEST

/* Small enough to be written at its end. */
START_TEST(a_full_disk_is_reported)
{
    gf_msg_t *msg;

    begin();
    msg = message("GET", "/Picture");
    msg->spool = "/dev/full";
    perform(msg);
    ck_assert_int_eq(msg->end, GF_MSG_UNKNOWN);
    ck_assert_int_eq(msg->spool_rv, ENOSPC);
    ck_assert_msg(strstr(msg->detail, "/dev/full"), "%s", msg->detail);
    end();
}
END_TEST

START_TEST(an_answer_has_a_byte_limit)
{
    static const struct {
        const char *path;
        apr_size_t text_max;
        apr_int64_t file_max;
        gf_msg_end_t end;
    } rows[] = {
        { "/text", 1024, 0, GF_MSG_ANSWERED },
        { "/text", 1023, 2000000, GF_MSG_TOO_LARGE },
        { "/text", 0, 2000000, GF_MSG_TOO_LARGE },
        { "/picture", 0, 1600000, GF_MSG_ANSWERED },
        { "/picture", 2000000, 1599999, GF_MSG_TOO_LARGE },
        { "/unframed", 31, 0, GF_MSG_TOO_LARGE },
    };
    size_t i;

    begin();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_msg_t *msg = message("GET", rows[i].path);

        msg->text_max = rows[i].text_max;
        msg->file_max = rows[i].file_max;
        msg->spool = unit_path("limit");
        perform(msg);
        ck_assert_msg(msg->end == rows[i].end, "row %lu: end %d", (unsigned long)i, (int)msg->end);
        ck_assert_msg(msg->text_length <= rows[i].text_max, "row %lu", (unsigned long)i);
        ck_assert_msg(msg->spooled <= rows[i].file_max, "row %lu", (unsigned long)i);
        ck_assert_msg((msg->detail != NULL) == (msg->end == GF_MSG_TOO_LARGE), "row %lu",
                      (unsigned long)i);
    }
    end();
}
END_TEST

/* ---- many at a time, and ends from outside ---- */

START_TEST(many_exchanges_run_at_a_time)
{
    enum { MANY = 30 };
    gf_msg_t *messages[MANY];
    int seen[MANY] = { 0 };
    int i, k;

    begin();
    for (i = 0; i < MANY; i++) {
        messages[i] = message("GET", i % 3 == 0 ? "/drop" : i % 3 == 1 ? "/picture" : "/hello");
        messages[i]->once = true;
        messages[i]->owner = &seen[i];
        messages[i]->spool = unit_path(apr_psprintf(unit.ctx.pool, "many-%d", i));
        gf_net_start(net, messages[i]);
    }
    for (i = 0; i < MANY; i++) {
        (*(int *)next_done()->owner)++;
    }
    for (k = 0; k < MANY; k++) {
        ck_assert_msg(seen[k] == 1, "exchange %d was done %d times", k, seen[k]);
        ck_assert_int_eq(messages[k]->end, k % 3 == 0 ? GF_MSG_UNKNOWN : GF_MSG_ANSWERED);
        ck_assert_int_eq(messages[k]->spooled, k % 3 == 1 ? 1600000 : -1);
    }
    end();
}
END_TEST

START_TEST(an_exchange_can_be_dropped)
{
    gf_msg_t *dropped, *kept;

    begin();
    dropped = paid("/hang");
    kept = paid("/hang");
    kept->timeout = apr_time_from_sec(1);
    gf_net_start(net, kept);
    gf_net_start(net, dropped);
    until_seen(2);
    gf_net_cancel(net, dropped);
    ck_assert_int_eq(dropped->end, GF_MSG_CANCELLED);
    ck_assert_ptr_eq(next_done(), kept);
    ck_assert_ptr_null(gf_net_next_done(net));
    end();
}
END_TEST

START_TEST(what_is_open_when_the_net_ends_is_dropped)
{
    apr_pool_t *pool;
    gf_msg_t *msg, *fresh;

    begin();
    apr_pool_create(&pool, unit.ctx.pool);
    ck_assert_int_eq(gf_net_make(&net, pool, bell), APR_SUCCESS);
    msg = paid("/hang");
    fresh = paid("/hello");
    gf_net_start(net, msg);
    until_seen(1);
    gf_net_start(net, fresh);
    apr_pool_destroy(pool);
    ck_assert_int_eq(msg->end, GF_MSG_CANCELLED);
    ck_assert_int_eq(fresh->end, GF_MSG_CANCELLED);
    end();
}
END_TEST

START_TEST(the_bell_ends_a_wait)
{
    apr_uint64_t one = 1;
    apr_time_t start;

    begin();
    start = apr_time_now();
    gf_net_wait(net, apr_time_from_msec(50));
    ck_assert_msg(apr_time_now() - start >= apr_time_from_msec(50), "it did not wait");
    ck_assert_int_eq((int)write(bell, &one, sizeof(one)), (int)sizeof(one));
    start = apr_time_now();
    gf_net_wait(net, LONG);
    ck_assert_msg(apr_time_now() - start < LONG / 2, "it did not hear the bell");
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_whole_answer_is_answered_whatever_its_status,
        header_fields_are_those_of_the_answer_itself,
        trailers_are_not_kept,
        an_answer_is_freed_before_its_message,
        headers_and_trailers_are_bounded,
        a_request_has_its_parts_and_headers,
        a_large_request_waits_for_no_permission,
        a_file_is_sent_as_a_part,
        a_file_is_sent_as_the_body,
        a_file_is_sent_again_when_a_kept_connection_has_died,
        without_its_file_nothing_is_sent,
        a_file_that_shrinks_ends_its_exchange,
        a_signed_request_names_its_key_and_what_it_signs,
        a_picture_goes_to_its_file_and_text_stays_in_memory,
        an_old_spool_file_is_replaced,
        a_spool_file_that_cannot_be_written_is_reported,
        a_full_disk_is_reported,
        an_answer_has_a_byte_limit,
        many_exchanges_run_at_a_time,
        an_exchange_can_be_dropped,
        what_is_open_when_the_net_ends_is_dropped,
        the_bell_ends_a_wait,
        NULL,
    };

    return unit_run("net", tests);
}
