/* SPDX-License-Identifier: Apache-2.0 */
/* model/source.c: which source pictures a request may bring, every rule at both sides of its
 * bound; all that is wrong is named at once; what a row of the database says becomes what the wire
 * shows. */
#include "model/source_url.h"
#include "model/source.h"

#include <apr_encode.h>
#include <apr_network_io.h>

#include "unit.h"

#define UUID     "01a1fc7d-bbf5-7c3a-8e9f-0100824fa663"
#define PNG_TAIL "\0\0\0\0IEND\xae\x42\x60\x82"

#define PNG_TAIL_BYTES 12
#define CHUNK_BYTES    12 /* of a chunk of none */

static gf_type_t type;

static void make(gf_source_use_t use)
{
    static const char *const allowed[] = { "127.0.0.1", "10.1.0.0/16", "fd00::/8" };
    size_t i;

    type.name = "lens";
    type.source = use;
    unit.conf.asset_max = 1000;
    unit.conf.asset_pixels_max = 100 * 100;
    unit.conf.source_allowed = apr_array_make(unit.ctx.pool, 3, sizeof(apr_ipsubnet_t *));
    for (i = 0; i < UNIT_COUNT(allowed); i++) {
        char *address = apr_pstrdup(unit.ctx.pool, allowed[i]);
        char *bits = strchr(address, '/');

        if (bits) {
            *bits++ = '\0';
        }
        ck_assert_int_eq(apr_ipsubnet_create(apr_array_push(unit.conf.source_allowed), address,
                                             bits, unit.ctx.pool),
                         APR_SUCCESS);
    }
}

/* ---- the request ---- */

static gf_source_t source; /* the first of them */
static apr_array_header_t *sources;

/* What is refused: "field: message; field: message"; "" if nothing is. */
static const char *check(const char *body)
{
    gf_input_t input = { .ctx = &unit.ctx, .body = unit_json(body) };
    const char *shown = "";
    bool taken;
    int i;

    sources = apr_array_make(unit.ctx.pool, 1, sizeof(gf_source_t));
    taken = gf_source_check(sources, &input, &type);
    memset(&source, 0, sizeof(source));
    if (sources->nelts > 0) {
        source = APR_ARRAY_IDX(sources, 0, gf_source_t);
    }

    for (i = 0; input.errors && i < input.errors->nelts; i++) {
        const gf_field_error_t *error = &APR_ARRAY_IDX(input.errors, i, gf_field_error_t);

        shown = apr_pstrcat(unit.ctx.pool, shown, i ? "; " : "", error->field,
                            error->missing ? " is missing" : "", ": ", error->message, NULL);
    }
    ck_assert_msg(taken == !input.errors, "%s", body);
    return shown;
}

static const char *member(const char *name, const char *text)
{
    return apr_psprintf(unit.ctx.pool, "{\"%s\":\"%s\"}", name, text);
}

static const char *chars(int count)
{
    char *text = apr_palloc(unit.ctx.pool, (apr_size_t)count + 1);

    memset(text, 'x', (apr_size_t)count);
    text[count] = '\0';
    return text;
}

/* ---- addresses ---- */

START_TEST(addresses_that_are_taken)
{
    const char *const rows[] = {
        "https://example.test/a.png",
        "HTTPS://EXAMPLE.TEST",
        "https://example.test:443?a=b#c",
        "https://a-b_c.example.test:65535/%E5%86%99%E7%9C%9F?x=[1]|2",
        "https://192.0.2.1/a@b",
        "https://[2001:db8::1]:1/",
        "https://x/?u=user:password@example.test",
        "http://127.0.0.1:8080/a.png",
        "http://10.1.2.3/",
        "http://[fd00::1]/",
        apr_pstrcat(unit.ctx.pool, "https://x/", chars(2038), NULL),
        apr_pstrcat(unit.ctx.pool, "https://", chars(253), "/", NULL),
    };
    size_t i;

    make(GF_SOURCE_MAY);
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_str_eq(check(member("sourceUrl", rows[i])), "");
        ck_assert_str_eq(source.url, rows[i]);
        ck_assert(!source.asset_id && !source.base64);
    }
}
END_TEST

START_TEST(addresses_that_are_refused)
{
    static const char https[] = "must begin with https://";
    static const char ascii[] = "must be an address";
    static const char host[] = "names no host";
    static const char port[] = "has no valid port";
    static const char user[] = "must not carry";
    const struct {
        const char *url;
        const char *message;
    } rows[] = {
        { "", ascii },
        { "x", https },
        { "/a.png", https },
        { "ftp://example.test/", https },
        { "file:///etc/passwd", https },
        { "data:image/png;base64,AAAA", https },
        { "https:/example.test/", https },
        { "https:example.test", https },
        { "http://example.test/a.png", https },
        { "http://localhost/", https },
        { "http://127.0.0.2/", https },
        { "http://192.0.2.1/", https },
        { "http://10.2.0.1/", https },
        { "http://127.1/", https },
        { "http://2130706433/", https },
        { "http://0x7f000001/", https },
        { "http://[::1]/", https },
        { "http://127.0.0.1.example.test/", https },
        { " https://example.test/", ascii },
        { "https://example.test/a b", ascii },
        { "https://example.test/\\t", ascii },
        { "https://example.test/\\u0001", ascii },
        { "https://example.test/\\r\\nHost: x", ascii },
        { "https://example.test/\\u007f", ascii },
        { "https://example.test/\\u5199", ascii },
        { "https://example.test\\\\@evil.test/", ascii },
        { "https://user@example.test/", user },
        { "https://user:password@example.test/", user },
        { "https://@example.test/", user },
        { "https://example.test:443@evil.test/", user },
        { "https://", host },
        { "https:///a.png", host },
        { "https://?a", host },
        { "https://:443/", host },
        { "https://.test/", host },
        { "https://-a.test/", host },
        { "https://a%2fb.test/", host },
        { "https://a!b.test/", host },
        { "https://[]/", host },
        { "https://[::1/", host },
        { "https://[::x]/", host },
        { "https://[fe80::1%25eth0]/", host },
        { "https://example.test:/", port },
        { "https://example.test:0/", port },
        { "https://example.test:65536/", port },
        { "https://example.test:-1/", port },
        { "https://example.test:99999999999999999999/", port },
        { "https://example.test:80:80/", port },
        { "https://[::1]x/", port },
        { apr_pstrcat(unit.ctx.pool, "https://x/", chars(2039), NULL), "must have at most 2048" },
        { apr_pstrcat(unit.ctx.pool, "https://", chars(254), "/", NULL), host },
    };
    size_t i;

    make(GF_SOURCE_MAY);
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *shown = check(member("sourceUrl", rows[i].url));
        const char *wanted = apr_pstrcat(unit.ctx.pool, "sourceUrl: ", rows[i].message, NULL);

        ck_assert_msg(strncmp(shown, wanted, strlen(wanted)) == 0, "%s: %s", rows[i].url, shown);
    }
}
END_TEST

/* ---- ids ---- */

START_TEST(uploaded_pictures_are_named_by_a_list_of_ids)
{
#define OTHER     "01a1fc7d-bbf5-7c3a-8e9f-0100824fa664"
#define LIST(ids) "{\"sourceAssetIds\":" ids "}"
    static const char *const bad[][2] = {
        { LIST("7"), "must be a list of 1 to 16 ids" },
        { LIST("\"" UUID "\""), "must be a list of 1 to 16 ids" },
        { LIST("[\"" UUID "\",7]"), "number 2 must be the id of an uploaded picture" },
        { LIST("[\"x\"]"), "number 1 must be the id of an uploaded picture" },
        { LIST("[\"https://elsewhere.example/a.png\"]"),
          "number 1 must be the id of an uploaded picture" },
        { LIST("[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]"), "must be a list of 1 to 16 ids" },
    };
    size_t i;

    make(GF_SOURCE_MUST);
    ck_assert_str_eq(check(LIST("[\"" UUID "\",\"" OTHER "\"]")), "");
    ck_assert_int_eq(sources->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(sources, 0, gf_source_t).asset_id, UUID);
    ck_assert_str_eq(APR_ARRAY_IDX(sources, 1, gf_source_t).asset_id, OTHER);
    ck_assert_str_eq(check("{\"sourceAssetIds\":[],\"sourceUrl\":\"https://x/\"}"), "");
    ck_assert_int_eq(sources->nelts, 1);
    ck_assert_str_eq(check(LIST("[]")),
                     "sourceUrl is missing: is required, or sourceAssetId, or image");
    for (i = 0; i < UNIT_COUNT(bad); i++) {
        ck_assert_str_eq(check(bad[i][0]),
                         apr_pstrcat(unit.ctx.pool, "sourceAssetIds: ", bad[i][1], NULL));
    }
}
END_TEST

START_TEST(an_uploaded_picture_is_named_by_its_id)
{
    static const char *const bad[] = { "", "7", "asset:" UUID, UUID "0", "../" UUID };
    size_t i;

    make(GF_SOURCE_MAY);
    ck_assert_str_eq(check(member("sourceAssetId", UUID)), "");
    ck_assert_str_eq(source.asset_id, UUID);
    ck_assert(!source.url && !source.base64);
    for (i = 0; i < UNIT_COUNT(bad); i++) {
        ck_assert_str_eq(check(member("sourceAssetId", bad[i])),
                         "sourceAssetId: must be the id of an uploaded picture");
    }
}
END_TEST

/* ---- pictures ---- */

/* A PNG of that size in base64: a head, a chunk of `more` bytes in all (0: none), an end, and
 * `behind` bytes behind it. */
static const char *png_and(unsigned width, unsigned height, apr_size_t more, apr_size_t behind)
{
    apr_size_t length = UNIT_PNG_BYTES + more + PNG_TAIL_BYTES;
    unsigned char *bytes = apr_pcalloc(unit.ctx.pool, length + behind);

    unit_png(bytes, width, height);
    if (more) {
        bytes[UNIT_PNG_BYTES + 2] = (unsigned char)((more - CHUNK_BYTES) >> 8);
        bytes[UNIT_PNG_BYTES + 3] = (unsigned char)(more - CHUNK_BYTES);
    }
    memcpy(bytes + length - PNG_TAIL_BYTES, PNG_TAIL, PNG_TAIL_BYTES);
    return apr_pencode_base64_binary(unit.ctx.pool, bytes, (apr_ssize_t)(length + behind),
                                     APR_ENCODE_NONE, NULL);
}

static const char *png(unsigned width, unsigned height, apr_size_t more)
{
    return png_and(width, height, more, 0);
}

static const char *uri(const char *head, const char *base64)
{
    return member("image", apr_pstrcat(unit.ctx.pool, head, base64, NULL));
}

START_TEST(bytes_behind_a_picture_are_cut_off)
{
    make(GF_SOURCE_MAY);
    ck_assert_str_eq(check(uri("data:image/png;base64,", png_and(100, 100, 20, 7))), "");
    ck_assert_str_eq(source.base64, png(100, 100, 20));
    ck_assert_int_eq(source.image.end, UNIT_PNG_BYTES + 20 + PNG_TAIL_BYTES);
}
END_TEST

START_TEST(a_picture_in_the_body_is_taken)
{
    static const char *const heads[] = {
        "data:image/png;base64,", "DATA:IMAGE/PNG;BASE64,",  "data:image/jpeg;base64,",
        "data:image/jpg;base64,", "data:image/webp;base64,",
    };
    const char *const pictures[] = { png(1, 1, 0), png(100, 100, 13), png(10000, 1, 14),
                                     png(7, 8, 1000 - UNIT_PNG_BYTES - PNG_TAIL_BYTES) };
    size_t i;

    make(GF_SOURCE_MAY);
    for (i = 0; i < UNIT_COUNT(heads); i++) {
        ck_assert_str_eq(check(uri(heads[i], pictures[0])), "");
        ck_assert_str_eq(source.image.type, "image/png"); /* whatever it is called */
    }
    for (i = 0; i < UNIT_COUNT(pictures); i++) {
        ck_assert_str_eq(check(uri(heads[0], pictures[i])), "");
        ck_assert_str_eq(source.base64, pictures[i]);
        ck_assert_int_eq(source.image.end, strlen(pictures[i]) / 4 * 3
                                               - (strchr(pictures[i], '=') ? 1 : 0)
                                               - (strstr(pictures[i], "==") ? 1 : 0));
        ck_assert(!source.url && !source.asset_id);
    }
    ck_assert_int_eq(source.image.width, 7);
    ck_assert_int_eq(source.image.height, 8);
}
END_TEST

START_TEST(a_picture_in_the_body_is_refused)
{
    static const char head[] = "data:image/png;base64,";
    static const char shape[] = "must be data:image/png;base64,";
    static const char base64[] = "must be in base64";
    static const char whole[] = "must be a whole PNG";
    char *cut = apr_pstrdup(unit.ctx.pool, png(1, 1, 3));
    const struct {
        const char *head;
        const char *content;
        const char *message;
    } rows[] = {
        { "", "", shape },
        { "", "https://example.test/a.png", shape },
        { "", png(1, 1, 0), shape },
        { "data:,", png(1, 1, 0), shape },
        { "data:image/png,", png(1, 1, 0), shape },
        { "data:image/png;base64", "", shape },
        { "data:image/png;charset=utf-8;base64,", png(1, 1, 0), shape },
        { "data:image/gif;base64,", png(1, 1, 0), shape },
        { "data:image/svg+xml;base64,", png(1, 1, 0), shape },
        { "data:text/html;base64,", png(1, 1, 0), shape },
        { "data: image/png;base64,", png(1, 1, 0), shape },
        { head, "", whole },
        { head, "A", base64 },
        { head, "AAA", base64 },
        { head, "AA=A", base64 },
        { head, "A===", base64 },
        { head, "====", base64 },
        { head, "AAAA====", base64 },
        { head, "AA-_", base64 },
        { head, "AAA\\n", base64 },
        { head, "AAAA\\r\\nAA", base64 },
        { head, "AAA%3D", base64 },
        { head, "AAAA", whole },
        { head, "R0lGODlhAQABAAAAACw=", whole },
        { head, "PHN2Zz48L3N2Zz4=", whole },
        { head, cut, whole },
        { head, png(101, 100, 0), "must have at most 10000 pixels" },
        { head, png(0, 1, 0), whole },
        { head, png(0x7fffffff, 0x7fffffff, 0), "must have at most 10000 pixels" },
        { head, png(1, 1, 1001 - UNIT_PNG_BYTES - PNG_TAIL_BYTES), "must have at most 1000 bytes" },
    };
    size_t i;

    cut[40] = '\0'; /* whole quads, but not the whole picture */
    make(GF_SOURCE_MAY);
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *shown = check(uri(rows[i].head, rows[i].content));
        const char *wanted = apr_pstrcat(unit.ctx.pool, "image: ", rows[i].message, NULL);

        ck_assert_msg(strncmp(shown, wanted, strlen(wanted)) == 0, "%s%s: %s", rows[i].head,
                      rows[i].content, shown);
    }
}
END_TEST

START_TEST(mutated_pictures_harm_nobody)
{
    char *text = apr_pstrdup(unit.ctx.pool, png(3, 3, 20));
    apr_size_t length = strlen(text);
    apr_uint32_t drawn = 11;
    int taken = 0;
    int i;

    make(GF_SOURCE_MAY);
    for (i = 0; i < 20000; i++) {
        apr_uint32_t at = (drawn >> 8) % (apr_uint32_t)length;
        char before = text[at];
        apr_size_t cut = (drawn >> 20) % 3 ? length : length - at;
        apr_size_t decoded = cut / 4 * 3;
        unsigned char *bytes =
            unit_exact(apr_pdecode_base64_binary(unit.ctx.pool, text, (apr_ssize_t)(cut / 4 * 4),
                                                 APR_ENCODE_NONE, &decoded),
                       decoded);
        gf_image_t image;

        taken += gf_source_probe(&image, &unit.ctx, bytes, decoded) == NULL;
        free(bytes);
        text[at] = (drawn >> 28) % 2 ? before : "ABCabc059+/"[(drawn >> 4) % 11];
        drawn = drawn * 1664525u + 1013904223u;
        if (i % 50 == 0) {
            text = apr_pstrdup(unit.ctx.pool, png(3, 3, 20));
        }
    }
    ck_assert_msg(taken > 100 && taken < 19900, "%d were taken", taken);
}
END_TEST

/* ---- the three of them ---- */

START_TEST(a_type_decides_if_it_takes_a_source)
{
    const char *two = "{\"sourceUrl\":\"https://x/\",\"image\":7}";
    static const struct {
        const char *name;
        const char *field;
    } names[] = {
        { "sourceUrl", "sourceUrl" },
        { "source_url", "sourceUrl" },
        { "imageUrl", "sourceUrl" },
        { "image_url", "sourceUrl" },
        { "image", "image" },
        { "sourceAssetId", "sourceAssetId" },
        { "source_asset_id", "sourceAssetId" },
        { "sourceAssetIds", "sourceAssetIds" },
        { "source_asset_ids", "sourceAssetIds" },
    };
    size_t i;

    make(GF_SOURCE_MUST);
    ck_assert_str_eq(check("{}"), "sourceUrl is missing: is required, or sourceAssetId, or image");
    ck_assert_str_eq(check("{\"sourceUrl\":null}"),
                     "sourceUrl is missing: is required, or sourceAssetId, or image");
    ck_assert_str_eq(check(member("imageUrl", "https://x/")), "");
    ck_assert_str_eq(source.url, "https://x/");

    make(GF_SOURCE_MAY);
    ck_assert_str_eq(check("{}"), "");
    ck_assert(!source.url && !source.asset_id && !source.base64);
    ck_assert_str_eq(check("{\"sourceUrl\":7}"),
                     "sourceUrl: must be a text without NUL characters");
    ck_assert_str_eq(check("{\"sourceAssetId\":[]}"),
                     "sourceAssetId: must be a text without NUL characters");
    ck_assert_str_eq(check("{\"image\":\"a\\u0000\"}"),
                     "image: must be a text without NUL characters");
    ck_assert_str_eq(check(two),
                     "sourceUrl: give one of sourceUrl, sourceAssetId, sourceAssetIds and image "
                     "only; image: give one of sourceUrl, sourceAssetId, sourceAssetIds and image "
                     "only");

    make(GF_SOURCE_NONE);
    ck_assert_str_eq(check("{}"), "");
    for (i = 0; i < UNIT_COUNT(names); i++) {
        ck_assert_str_eq(check(member(names[i].name, "https://x/")),
                         apr_pstrcat(unit.ctx.pool, names[i].field,
                                     ": lens takes no source picture: leave it out", NULL));
    }
    ck_assert_str_eq(check(two), "sourceUrl: lens takes no source picture: leave it out; "
                                 "image: lens takes no source picture: leave it out");
}
END_TEST

START_TEST(an_uploaded_picture_is_shown_by_its_address_in_the_api)
{
    apr_pool_t *pool = unit.ctx.pool;
    const char *ours = gf_source_of_asset(pool, UUID);

    ck_assert_str_eq(ours, "asset:" UUID);
    ck_assert_str_eq(gf_source_asset_id(ours), UUID);
    ck_assert_ptr_null(gf_source_asset_id("https://x/asset:" UUID));
    ck_assert_ptr_null(gf_source_asset_id(NULL));
    ck_assert_str_eq(gf_source_shown(pool, ours, "/api", "https://site"),
                     "https://site/api/assets/" UUID);
    ck_assert_str_eq(gf_source_shown(pool, "https://x/", "/api", "https://site"), "https://x/");
    ck_assert_ptr_null(gf_source_shown(pool, NULL, "/api", "https://site"));
}
END_TEST

START_TEST(source_pictures_are_lines_in_their_order)
{
    apr_pool_t *pool = unit.ctx.pool;
    apr_array_header_t *sources = apr_array_make(pool, 3, sizeof(gf_source_t));
    const char *lines = "https://x/1\nasset:" UUID "\nasset:";

    ck_assert_ptr_null(gf_source_lines(pool, NULL));
    ck_assert_ptr_null(gf_source_lines(pool, sources));
    APR_ARRAY_PUSH(sources, gf_source_t) = (gf_source_t){ .url = "https://x/1" };
    ck_assert_str_eq(gf_source_lines(pool, sources), "https://x/1");
    APR_ARRAY_PUSH(sources, gf_source_t) = (gf_source_t){ .asset_id = UUID };
    APR_ARRAY_PUSH(sources, gf_source_t) = (gf_source_t){ .base64 = "AAAA" };
    ck_assert_str_eq(gf_source_lines(pool, sources), lines);
    ck_assert_int_eq(gf_source_count(lines), 3);
    ck_assert_int_eq(gf_source_count("https://x/1"), 1);
    ck_assert_int_eq(gf_source_count(NULL), 0);
    ck_assert_str_eq(gf_source_nth(pool, lines, 0), "https://x/1");
    ck_assert_str_eq(gf_source_nth(pool, lines, 1), "asset:" UUID);
    ck_assert_str_eq(gf_source_nth(pool, lines, 3), "");
    ck_assert(gf_source_has_asset(lines) && gf_source_has_asset("asset:" UUID));
    ck_assert(!gf_source_has_asset("https://x/asset:1") && !gf_source_has_asset(NULL));
    ck_assert_str_eq(gf_source_shown(pool, lines, "/api", "https://site"), "https://x/1");
}
END_TEST

/* The caller checks whose it is; here only what names one. */
START_TEST(an_address_of_ours_is_an_uploaded_picture)
{
    static const char *const own[] = { "https://site/api/assets/", "http://site/api/assets/",
                                       "/api/assets/", NULL };
    static const char *const names[] = { "https://site/api/assets/" UUID,
                                         "HTTP://Site/api/assets/" UUID, "/api/assets/" UUID,
                                         "/api/assets/" UUID "?size=1", UUID };
    static const char *const others[] = { "https://site/api/assets/" UUID "/x",
                                          "https://site.example/api/assets/" UUID,
                                          "https://site@x/api/assets/" UUID,
                                          "//site/api/assets/" UUID,
                                          "api/assets/" UUID,
                                          "/api/assets/",
                                          "/api/assets/" UUID "0",
                                          "" };
    gf_input_t input = { .ctx = &unit.ctx, .own = own };
    size_t i;

    for (i = 0; i < UNIT_COUNT(names); i++) {
        ck_assert_str_eq(gf_source_own_id(&input, names[i]), UUID);
    }
    for (i = 0; i < UNIT_COUNT(others); i++) {
        ck_assert_ptr_null(gf_source_own_id(&input, others[i]));
    }
    ck_assert_ptr_null(gf_source_own_id(&input, NULL));
    input.own = NULL;
    ck_assert_ptr_null(gf_source_own_id(&input, names[0]));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        addresses_that_are_taken,
        addresses_that_are_refused,
        uploaded_pictures_are_named_by_a_list_of_ids,
        an_uploaded_picture_is_named_by_its_id,
        a_picture_in_the_body_is_taken,
        bytes_behind_a_picture_are_cut_off,
        a_picture_in_the_body_is_refused,
        mutated_pictures_harm_nobody,
        a_type_decides_if_it_takes_a_source,
        an_uploaded_picture_is_shown_by_its_address_in_the_api,
        an_address_of_ours_is_an_uploaded_picture,
        source_pictures_are_lines_in_their_order,
        NULL,
    };

    return unit_run("source", tests);
}
