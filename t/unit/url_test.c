/* SPDX-License-Identifier: Apache-2.0 */
/* model/url.c: the parts of an address as they are written, and which addresses are read at all.
 * What a type or a site allows is in source_test.c and t/api/webhook-bad.t. */
#include "model/url.h"

#include "unit.h"

START_TEST(an_address_has_an_origin_and_a_path)
{
    static const struct {
        const char *text, *origin, *path;
        bool is_http;
    } rows[] = {
        { "https://a.example", "https://a.example", "", true },
        { "https://a.example/", "https://a.example", "", true },
        { "https://a.example/api", "https://a.example", "/api", true },
        { "https://a.example/api/b?c=/d", "https://a.example", "/api/b?c=/d", true },
        { "http://a.example:8080/x", "http://a.example:8080", "/x", true },
        { "HTTPS://A.example", "HTTPS://A.example", "", true },
        { "https://[::1]:443/x", "https://[::1]:443", "/x", true },
        { "https://a.example?x=/y", "https://a.example", "", true },
        { "https://a.example#/y", "https://a.example", "", true },
        { "ftp://a.example/x", "ftp://a.example", "/x", false },
        { "chrome-extension://abc", "chrome-extension://abc", "", false },
        { "://a.example/x", "://a.example", "/x", false },
        { "https:///x", "https://", "/x", false },
        { "https://", "https://", "", false },
        { "https:/a.example", NULL, "", false },
        { "/api", NULL, "", false },
        { "a.example", NULL, "", false },
        { "", NULL, "", false },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_pstr_eq(gf_url_origin(rows[i].text, unit.ctx.pool), rows[i].origin);
        ck_assert_str_eq(gf_url_path(rows[i].text), rows[i].path);
        ck_assert_msg(gf_url_is_http(rows[i].text) == rows[i].is_http, "%s", rows[i].text);
    }
    ck_assert(!gf_url_is_http(NULL));
}
END_TEST

START_TEST(an_address_of_a_user_is_read_strictly)
{
    static const struct {
        const char *text, *host; /* NULL: refused */
        bool https;
    } rows[] = {
        { "https://a.example", "a.example", true },
        { "HttpS://A.example:65535/x?y#z", "A.example", true },
        { "http://10.1.2.3:80/", "10.1.2.3", false },
        { "https://[fd00::1]/x", "fd00::1", true },
        { "https://a_b.example", "a_b.example", true },
        { "https://user@a.example", NULL, false },
        { "https://a.example:0", NULL, false },
        { "https://a.example:65536", NULL, false },
        { "https://a.example:x", NULL, false },
        { "https://[fd00::1", NULL, false },
        { "https://[a.example]", NULL, false },
        { "https://-a.example", NULL, false },
        { "https://", NULL, false },
        { "https:///x", NULL, false },
        { "ftp://a.example", NULL, false },
        { "xhttps://a.example", NULL, false },
        { "x://https://a.example", NULL, false },
        { "https:\\\\a.example", NULL, false },
        { "https://a.example/ x", NULL, false },
        { "https://a.example/\xc3\xa4", NULL, false },
        { "a.example", NULL, false },
        { "", NULL, false },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_url_t url;
        const char *wrong = gf_url_read(&url, rows[i].text, unit.ctx.pool);

        ck_assert_msg(!wrong == (rows[i].host != NULL), "%s: %s", rows[i].text, wrong);
        if (!wrong) {
            ck_assert_str_eq(url.host, rows[i].host);
            ck_assert(url.https == rows[i].https);
        }
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { an_address_has_an_origin_and_a_path,
                                   an_address_of_a_user_is_read_strictly, NULL };

    return unit_run("url", tests);
}
