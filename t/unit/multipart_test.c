/* SPDX-License-Identifier: Apache-2.0 */
/* base/multipart.c: one field is found as browsers, curl and scripts send it; anything else is
 * absent or malformed. Whatever the bytes are, nothing behind them is read, and what is found lies
 * between two boundaries. */
#include "base/multipart.h"

#include "unit.h"

#define MUTATIONS 40000

#define FILE_HEAD "Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n"
#define GOOD      "--b\r\n" FILE_HEAD "Content-Type: image/png\r\n\r\nPNG\r\n--b--\r\n"

/* What stands between quotes and dots: the result, and the content where it was found. The body is
 * looked at in a copy of exactly its length. */
static const char *look(const char *body, apr_size_t length, const char *boundary)
{
    static const char *const words[] = { "found ", "absent", "malformed" };
    char *copy = unit_exact(body, length);
    gf_bytes_t bytes = { copy, length };
    gf_bytes_t field = { NULL, 0 };
    gf_multipart_result_t result =
        gf_multipart_find(&field, unit.ctx.pool, boundary, &bytes, "file");
    const char *outcome = words[result];

    if (result == GF_MULTIPART_FOUND) {
        ck_assert(field.at >= copy && field.at + field.length <= copy + length);
        outcome = apr_pstrcat(unit.ctx.pool, outcome,
                              apr_pstrmemdup(unit.ctx.pool, field.at, field.length), NULL);
    }
    free(copy);
    return outcome;
}

START_TEST(a_boundary_is_one_of_rfc_2046)
{
    static const struct {
        const char *type;
        const char *boundary;
    } rows[] = {
        { "multipart/form-data; boundary=b", "b" },
        { "multipart/form-data;boundary=b", "b" },
        { "Multipart/Form-Data ; BOUNDARY=\"b\"", "b" },
        { "multipart/form-data; boundary=----WebKitFormBoundaryx7", "----WebKitFormBoundaryx7" },
        { "multipart/form-data; charset=utf-8; boundary=b", "b" },
        { "multipart/form-data; boundary=\"a b'()+_,-./:=?z\"", "a b'()+_,-./:=?z" },
        { "multipart/form-data; boundary=\"\\b\"", "b" },
        { "multipart/form-data; boundary="
          "1234567890123456789012345678901234567890123456789012345678901234567890",
          "1234567890123456789012345678901234567890123456789012345678901234567890" },
        { "multipart/form-data; boundary="
          "12345678901234567890123456789012345678901234567890123456789012345678901",
          NULL },
        { "multipart/form-data", NULL },
        { "multipart/form-data;", NULL },
        { "multipart/form-data; boundary", NULL },
        { "multipart/form-data; boundary=", NULL },
        { "multipart/form-data; boundary=\"\"", NULL },
        { "multipart/form-data; boundary=\"b", NULL },
        { "multipart/form-data; boundary=\"b\\", NULL },
        { "multipart/form-data; boundary=\"b \"", NULL },
        { "multipart/form-data; boundary=\"b\"c", NULL },
        { "multipart/form-data; boundary=b*", NULL },
        { "multipart/form-data; boundary=b; boundary=b", NULL },
        { "multipart/form-data; =b; boundary=b", NULL },
        { "multipart/form-data boundary=b", NULL },
        { "multipart/form-datax; boundary=b", NULL },
        { "multipart/mixed; boundary=b", NULL },
        { "", NULL },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *got = gf_multipart_boundary(unit.ctx.pool, rows[i].type);

        ck_assert_msg(!got == !rows[i].boundary && (!got || strcmp(got, rows[i].boundary) == 0),
                      "%s: %s", rows[i].type, got ? got : "none");
    }
}
END_TEST

START_TEST(a_field_is_found_as_clients_send_it)
{
    static const struct {
        const char *body;
        const char *outcome;
    } rows[] = {
        { GOOD, "found PNG" },
        { "--b\r\n" FILE_HEAD "\r\nPNG\r\n--b--", "found PNG" },
        { "--b\r\n" FILE_HEAD "\r\n\r\n--b--", "found " },
        { "--b\r\n" FILE_HEAD "\r\n\r\n--\r\n-- b\r\n--b--", "found \r\n--\r\n-- b" },
        { "--b\r\n" FILE_HEAD "\r\n\r\r\n\r\n--b--", "found \r\r\n" },
        { "--b\r\ncontent-DISPOSITION:form-data;NAME=file\r\n\r\nPNG\r\n--b--", "found PNG" },
        { "--b\r\nContent-Type: image/png\r\nX-Any:\r\n" FILE_HEAD "\r\nPNG\r\n--b--",
          "found PNG" },
        { "--b\r\nContent-Disposition: form-data; filename=\"a;\\\"b.png\"; name=\"file\"\r\n\r\n"
          "PNG\r\n--b--",
          "found PNG" },
        { "--b\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''%e2%82%ac\r\n\r\n"
          "PNG\r\n--b--",
          "found PNG" },
        { "--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nname=file\r\n" GOOD,
          "found PNG" },
        { "--b\r\n" FILE_HEAD "\r\nPNG\r\n--b\r\nContent-Disposition: form-data; name=x\r\n\r\n\r\n"
          "--b--",
          "found PNG" },
        { "--b\r\nContent-Disposition: form-data; name=\"File\"\r\n\r\nPNG\r\n--b--", "absent" },
        { "--b\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nPNG\r\n--b--", "absent" },
        { "--b--\r\n", "absent" },
        { "--b--", "absent" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *outcome = look(rows[i].body, strlen(rows[i].body), "b");

        ck_assert_msg(strcmp(outcome, rows[i].outcome) == 0, "%s: %s", rows[i].body, outcome);
    }
}
END_TEST

START_TEST(what_is_not_well_formed_is_refused)
{
    static const char *const rows[] = {
        "",
        "-",
        "--b",
        "--b-",
        "--c\r\n" FILE_HEAD "\r\nPNG\r\n--c--",
        "\r\n" GOOD,                                          /* a preamble */
        GOOD "more",                                          /* an epilogue */
        GOOD "\r\n",                                          /* also this one */
        "--b\n" FILE_HEAD "\r\nPNG\r\n--b--",                 /* LF without CR */
        "--b \r\n" FILE_HEAD "\r\nPNG\r\n--b--",              /* padding */
        "--b\r\n" FILE_HEAD "\r\nPNG\r\n--b",                 /* cut */
        "--b\r\n" FILE_HEAD "\r\nPNG\r\n--b\r\n",             /* cut */
        "--b\r\n" FILE_HEAD "\r\nPNG--b--",                   /* no delimiter */
        "--b\r\n" FILE_HEAD "\r\nPNG\r\n--bc\r\n--b--",       /* a longer one */
        "--b\r\n" FILE_HEAD "\r\n--b--",                      /* no content */
        "--b\r\n" FILE_HEAD,                                  /* no end of the headers */
        "--b\r\n\r\nPNG\r\n--b--",                            /* no name */
        "--b\r\nContent-Type: image/png\r\n\r\nPNG\r\n--b--", /* no name */
        "--b\r\nContent-Disposition: form-data\r\n\r\nPNG\r\n--b--",
        "--b\r\nContent-Disposition: form-data; filename=\"file\"\r\n\r\nPNG\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=\"file\r\n\r\nPNG\r\n--b--",
        "--b\r\nContent-Disposition: form-data; name=\"file\"; name=\"x\"\r\n\r\nPNG\r\n--b--",
        "--b\r\nContent-Disposition: attachment; name=\"file\"\r\n\r\nPNG\r\n--b--",
        "--b\r\nContent-Disposition: form-data;\r\n name=\"file\"\r\n\r\nPNG\r\n--b--", /* folded */
        "--b\r\nno header\r\n" FILE_HEAD "\r\nPNG\r\n--b--",
        "--b\r\n: x\r\n" FILE_HEAD "\r\nPNG\r\n--b--",
        "--b\r\nX: a\nY: b\r\n" FILE_HEAD "\r\nPNG\r\n--b--",
        "--b\r\n" FILE_HEAD FILE_HEAD "\r\nPNG\r\n--b--", /* two dispositions */
        "--b\r\n" FILE_HEAD "\r\nPNG\r\n" GOOD,           /* two files */
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *outcome = look(rows[i], strlen(rows[i]), "b");

        ck_assert_msg(strcmp(outcome, "malformed") == 0, "%s: %s", rows[i], outcome);
    }
}
END_TEST

/* `count` times the same text in front of a good rest. */
static const char *repeated(const char *first, const char *text, int count, const char *rest)
{
    const char *all = first;

    while (count-- > 0) {
        all = apr_pstrcat(unit.ctx.pool, all, text, NULL);
    }
    return apr_pstrcat(unit.ctx.pool, all, rest, NULL);
}

START_TEST(parts_and_headers_are_bounded)
{
    static const char part[] = "--b\r\nContent-Disposition: form-data; name=x\r\n\r\ny\r\n";
    static const char rest[] = FILE_HEAD "\r\nPNG\r\n--b--";
    const struct {
        const char *body;
        const char *outcome;
    } rows[] = {
        { repeated("", part, 63, GOOD), "found PNG" },
        { repeated("", part, 64, GOOD), "malformed" },
        { repeated("--b\r\n", "X: y\r\n", 15, rest), "found PNG" },
        { repeated("--b\r\n", "X: y\r\n", 16, rest), "malformed" },
        { repeated("--b\r\nX:", "y", 1022, "\r\n" FILE_HEAD "\r\nPNG\r\n--b--"), "found PNG" },
        { repeated("--b\r\nX:", "y", 1023, "\r\n" FILE_HEAD "\r\nPNG\r\n--b--"), "malformed" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *outcome = look(rows[i].body, strlen(rows[i].body), "b");

        ck_assert_msg(strcmp(outcome, rows[i].outcome) == 0, "row %d: %s", (int)i, outcome);
    }
}
END_TEST

START_TEST(a_name_or_header_with_a_nul_is_malformed_and_content_may_have_one)
{
    static const char content[] = "--b\r\n" FILE_HEAD "\r\nP\0G\r\n--b--";
    static const char header[] = "--b\r\n" FILE_HEAD "X: \0\r\n\r\nPNG\r\n--b--";
    gf_bytes_t body = { content, sizeof(content) - 1 };
    gf_bytes_t field;

    ck_assert_int_eq(gf_multipart_find(&field, unit.ctx.pool, "b", &body, "file"),
                     GF_MULTIPART_FOUND);
    ck_assert_int_eq(field.length, 3);
    ck_assert(memcmp(field.at, "P\0G", 3) == 0);
    ck_assert_str_eq(look(header, sizeof(header) - 1, "b"), "malformed");
}
END_TEST

/* ---- whatever the bytes are ---- */

static apr_uint32_t drawn = 7;

static apr_uint32_t draw(apr_uint32_t below)
{
    drawn = drawn * 1664525u + 1013904223u;
    return (drawn >> 8) % below;
}

/* Cuts, doubles, exchanges or spoils a few bytes of a good body. */
static apr_size_t mutate(char *body, apr_size_t length, apr_size_t room)
{
    static const char spoilers[] = "\r\n-b\":;= \\\0\xff";
    apr_uint32_t at = draw((apr_uint32_t)length);
    apr_size_t piece = 1 + draw(12);

    switch (draw(4)) {
    case 0:
        return at > 0 ? at : length;
    case 1:
        if (at + piece <= length && length + piece <= room) {
            memmove(body + at + piece, body + at, length - at);
            return length + piece;
        }
        return length;
    case 2:
        if (at + piece <= length) {
            memmove(body + at, body + at + piece, length - at - piece);
            return length - piece > 0 ? length - piece : 1;
        }
        return length;
    default:
        body[at] = spoilers[draw(sizeof(spoilers) - 1)];
        return length;
    }
}

/* What was found stands behind an empty line and in front of a delimiter, and holds none. */
static void check_field(const char *body, apr_size_t length, const gf_bytes_t *field)
{
    apr_size_t i;

    ck_assert(field->at >= body + 9 && field->at + field->length + 5 <= body + length);
    ck_assert(memcmp(field->at - 4, "\r\n\r\n", 4) == 0);
    ck_assert(memcmp(field->at + field->length, "\r\n--b", 5) == 0);
    for (i = 0; i < field->length; i++) {
        ck_assert(memcmp(field->at + i, "\r\n--b", 5) != 0);
    }
}

START_TEST(mutated_bodies_harm_nobody)
{
    static const char seed[] =
        "--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nv\r\n" GOOD;
    int results[3] = { 0 };
    int i;

    for (i = 0; i < MUTATIONS; i++) {
        char body[sizeof(seed) + 64];
        apr_size_t length = sizeof(seed) - 1;
        apr_uint32_t rounds = 1 + draw(4);
        gf_bytes_t bytes;
        gf_bytes_t field;
        gf_multipart_result_t result;
        apr_pool_t *pool;
        char *copy;

        memcpy(body, seed, sizeof(seed));
        while (rounds-- > 0) {
            length = mutate(body, length, sizeof(body));
        }
        apr_pool_create(&pool, unit.ctx.pool);
        copy = unit_exact(body, length);
        bytes.at = copy;
        bytes.length = length;
        result = gf_multipart_find(&field, pool, "b", &bytes, "file");
        results[result]++;
        if (result == GF_MULTIPART_FOUND) {
            check_field(copy, length, &field);
        }
        free(copy);
        apr_pool_destroy(pool);
    }
    ck_assert_msg(results[GF_MULTIPART_FOUND] > 100 && results[GF_MULTIPART_ABSENT] > 100
                      && results[GF_MULTIPART_MALFORMED] > 1000,
                  "%d found, %d absent, %d malformed", results[0], results[1], results[2]);
}
END_TEST

START_TEST(mutated_types_harm_nobody)
{
    static const char seed[] = "multipart/form-data; charset=\"u\"; boundary=\"--bB\"";
    int i;

    for (i = 0; i < MUTATIONS; i++) {
        char text[sizeof(seed) + 64];
        apr_size_t length = mutate(memcpy(text, seed, sizeof(seed)), sizeof(seed) - 1, 100);
        apr_pool_t *pool;
        const char *boundary;
        char *copy;

        apr_pool_create(&pool, unit.ctx.pool);
        text[length] = '\0';
        copy = unit_exact(text, strlen(text) + 1);
        boundary = gf_multipart_boundary(pool, copy);
        ck_assert(!boundary || (strlen(boundary) >= 1 && strlen(boundary) <= 70));
        free(copy);
        apr_pool_destroy(pool);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_boundary_is_one_of_rfc_2046,
        a_field_is_found_as_clients_send_it,
        what_is_not_well_formed_is_refused,
        parts_and_headers_are_bounded,
        a_name_or_header_with_a_nul_is_malformed_and_content_may_have_one,
        mutated_bodies_harm_nobody,
        mutated_types_harm_nobody,
        NULL,
    };

    return unit_run("multipart", tests);
}
