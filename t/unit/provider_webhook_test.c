/* SPDX-License-Identifier: Apache-2.0 */
/* Provider webhooks of a run's end (provider/webhook.c, read_webhook of Replicate and fal): the
 * published vectors, and every way in which a report is not genuine, not of now, not of a known
 * key, or about nothing. */
#include <openssl/evp.h>

#include <apr_encode.h>
#include <apr_escape.h>

#include "base/hash.h"
#include "base/sign.h"
#include "provider/provider.h"

#include "unit.h"

#define NOW 1700000000
#define AT  "1700000000"

/* ---- a report ---- */

#define HEADERS 5

typedef struct header_t {
    const char *name, *value; /* NULL ends the list */
} header_t;

static gf_provider_webhook_t report(const char *body, const header_t *headers)
{
    gf_provider_webhook_t webhook = {
        .body = body, .length = strlen(body), .now = apr_time_from_sec(NOW), .pool = unit.ctx.pool
    };
    apr_table_t *table = apr_table_make(unit.ctx.pool, HEADERS);

    for (; headers->name; headers++) {
        apr_table_add(table, headers->name, headers->value);
    }
    webhook.headers = table;
    return webhook;
}

/* ---- Replicate ---- */

#define SECRET    "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define RAW       "0123456789abcdef0123456789abcdef" /* the same, decoded */
#define BODY      "{\"id\":\"p1\",\"status\":\"succeeded\"}"
#define SIGNATURE "v1,Fx3EI75U65WpS+0JAX2ydwBlGOHVb0wh85dovyn6vXo="
#define OTHER     "v1,AAAAI75U65WpS+0JAX2ydwBlGOHVb0wh85dovyn6vXo="

static const gf_provider_t replicate = { .name = "replicate", .webhook_secret = SECRET };

/* As its secret's owner signs. */
static const char *signed_by_hmac(const char *id, const char *at, const char *body)
{
    const char *text = apr_pstrcat(unit.ctx.pool, id, ".", at, ".", body, NULL);
    unsigned char mac[GF_SHA256_BYTES];

    gf_hash_hmac(mac, (const unsigned char *)RAW, strlen(RAW), text, strlen(text));
    return apr_pstrcat(
        unit.ctx.pool, "v1,",
        apr_pencode_base64_binary(unit.ctx.pool, mac, sizeof(mac), APR_ENCODE_NONE, NULL), NULL);
}

START_TEST(the_published_report_of_replicate_is_genuine)
{
    static const header_t headers[] = { { "Webhook-Id", "msg_1" },
                                        { "Webhook-Timestamp", AT },
                                        { "Webhook-Signature", SIGNATURE },
                                        { NULL, NULL } };
    gf_provider_webhook_t webhook = report(BODY, headers);

    ck_assert_int_eq(gf_prov_replicate.read_webhook(&webhook, &replicate), GF_WEBHOOK_GENUINE);
    ck_assert_str_eq(webhook.event, "msg_1");
    ck_assert_str_eq(webhook.ref, "p1");
    ck_assert_str_eq(signed_by_hmac("msg_1", AT, BODY), SIGNATURE);
}
END_TEST

/* The vector of Standard Webhooks' own libraries, and ours: what goes is signed as what comes is
 * checked. */
START_TEST(what_is_sent_is_signed_by_the_published_vectors)
{
    static const char body[] = "{\"test\": 2432232314}";
    apr_pool_t *pool = unit.ctx.pool;

    ck_assert_str_eq(gf_sign(pool, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                             "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body, strlen(body)),
                     "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    ck_assert_str_eq(apr_pstrcat(pool, GF_SIGN_VERSION,
                                 gf_sign(pool, SECRET, "msg_1", AT, BODY, strlen(BODY)), NULL),
                     SIGNATURE);
    ck_assert_ptr_null(gf_sign(pool, RAW, "msg_1", AT, BODY, strlen(BODY)));
    ck_assert_ptr_null(gf_sign(pool, NULL, "msg_1", AT, BODY, strlen(BODY)));
    ck_assert(gf_sign_is_secret(SECRET, pool));
    ck_assert(!gf_sign_is_secret("whsec_", pool));
}
END_TEST

#define ID                    \
    {                         \
        "webhook-id", "msg_1" \
    }
#define TIME                    \
    {                           \
        "webhook-timestamp", AT \
    }
#define SIGN                           \
    {                                  \
        "webhook-signature", SIGNATURE \
    }

START_TEST(a_report_of_replicate_is_forged_if_anything_is_wrong)
{
    static const struct {
        gf_webhook_verdict_t verdict;
        const char *body;
        header_t headers[HEADERS];
    } rows[] = {
        /* the list of signatures */
        { GF_WEBHOOK_GENUINE, BODY, { ID, TIME, { "webhook-signature", OTHER " " SIGNATURE } } },
        { GF_WEBHOOK_GENUINE, BODY, { ID, TIME, { "webhook-signature", SIGNATURE "  v2,x" } } },
        { GF_WEBHOOK_GENUINE, BODY, { ID, TIME, { "webhook-signature", " , v1 v1, " SIGNATURE } } },
        { GF_WEBHOOK_FORGED, BODY, { ID, TIME, { "webhook-signature", OTHER } } },
        { GF_WEBHOOK_FORGED, BODY, { ID, TIME, { "webhook-signature", "" } } },
        { GF_WEBHOOK_FORGED, BODY, { ID, TIME, { "webhook-signature", "v1," } } },
        { GF_WEBHOOK_FORGED, BODY, { ID, TIME, { "webhook-signature", SIGNATURE "x" } } },
        { GF_WEBHOOK_FORGED,
          BODY,
          { ID, TIME, { "webhook-signature", "Fx3EI75U65WpS+0JAX2ydwBlGOHVb0wh85dovyn6vXo=" } } },
        { GF_WEBHOOK_FORGED,
          BODY,
          { ID,
            TIME,
            { "webhook-signature", "v2,Fx3EI75U65WpS+0JAX2ydwBlGOHVb0wh85dovyn6vXo=" } } },
        { GF_WEBHOOK_FORGED,
          BODY,
          { ID,
            TIME,
            { "webhook-signature", "v1,fx3EI75U65WpS+0JAX2ydwBlGOHVb0wh85dovyn6vXo=" } } },
        { GF_WEBHOOK_FORGED, BODY, { ID, TIME, { "webhook-signature", SIGNATURE "," OTHER } } },
        /* what is signed */
        { GF_WEBHOOK_FORGED, "{\"id\":\"p2\",\"status\":\"succeeded\"}", { ID, TIME, SIGN } },
        { GF_WEBHOOK_FORGED, BODY " ", { ID, TIME, SIGN } },
        { GF_WEBHOOK_FORGED, "", { ID, TIME, SIGN } },
        { GF_WEBHOOK_FORGED, BODY, { { "webhook-id", "msg_2" }, TIME, SIGN } },
        { GF_WEBHOOK_FORGED, BODY, { ID, { "webhook-timestamp", "1700000001" }, SIGN } },
        { GF_WEBHOOK_FORGED, BODY, { ID, { "webhook-timestamp", "01700000000" }, SIGN } },
        /* headers that are missing or came twice */
        { GF_WEBHOOK_FORGED, BODY, { TIME, SIGN } },
        { GF_WEBHOOK_FORGED, BODY, { ID, SIGN } },
        { GF_WEBHOOK_FORGED, BODY, { ID, TIME } },
        { GF_WEBHOOK_FORGED, BODY, { { NULL, NULL } } },
        { GF_WEBHOOK_FORGED, BODY, { ID, ID, TIME, SIGN } },
        { GF_WEBHOOK_FORGED, BODY, { ID, TIME, TIME, SIGN } },
        { GF_WEBHOOK_FORGED, BODY, { { "webhook-id", "msg_1, msg_1" }, TIME, SIGN } },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_provider_webhook_t webhook = report(rows[i].body, rows[i].headers);

        ck_assert_msg(gf_prov_replicate.read_webhook(&webhook, &replicate) == rows[i].verdict,
                      "row %lu", (unsigned long)i);
    }
}
END_TEST

static gf_webhook_verdict_t of_replicate(const char *id)
{
    header_t headers[] = { { "webhook-id", id },
                           TIME,
                           { "webhook-signature", signed_by_hmac(id, AT, BODY) },
                           { NULL, NULL } };
    gf_provider_webhook_t webhook = report(BODY, headers);

    return gf_prov_replicate.read_webhook(&webhook, &replicate);
}

START_TEST(an_id_of_replicate_is_a_word_however_well_signed)
{
    static const char *const ids[] = { "", "a b", "a,b", "caf\xc3\xa9", "a\tb", "a/b" };
    char *many = apr_pcalloc(unit.ctx.pool, 130);
    size_t i;

    for (i = 0; i < UNIT_COUNT(ids); i++) {
        ck_assert_msg(of_replicate(ids[i]) == GF_WEBHOOK_FORGED, "`%s`", ids[i]);
    }
    memset(many, 'a', 128);
    ck_assert_int_eq(of_replicate(many), GF_WEBHOOK_GENUINE);
    many[128] = 'a';
    ck_assert_int_eq(of_replicate(many), GF_WEBHOOK_FORGED);
}
END_TEST

START_TEST(a_list_without_end_is_not_read)
{
    char *list = apr_pcalloc(unit.ctx.pool, 5000);
    header_t headers[] = { ID, TIME, { "webhook-signature", list }, { NULL, NULL } };
    gf_provider_webhook_t webhook;

    memset(list, ' ', 4000);
    memcpy(list + 4000, SIGNATURE, strlen(SIGNATURE));
    webhook = report(BODY, headers);
    ck_assert_int_eq(gf_prov_replicate.read_webhook(&webhook, &replicate), GF_WEBHOOK_GENUINE);
    memset(list, ' ', 4900);
    memcpy(list + 4900, SIGNATURE, strlen(SIGNATURE));
    webhook = report(BODY, headers);
    ck_assert_int_eq(gf_prov_replicate.read_webhook(&webhook, &replicate), GF_WEBHOOK_FORGED);
}
END_TEST

START_TEST(without_a_secret_nothing_of_replicate_is_genuine)
{
    static const char *const secrets[] = { NULL,
                                           "",
                                           RAW,
                                           "whsec_",
                                           "whsec_!!!!",
                                           "WHSEC_MDEy",
                                           "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=" };
    static const header_t headers[] = { ID, TIME, SIGN, { NULL, NULL } };
    size_t i;

    for (i = 0; i < UNIT_COUNT(secrets); i++) {
        gf_provider_t section = { .url = "https://a.test",
                                  .key = "k",
                                  .webhook_secret = secrets[i] };
        gf_provider_webhook_t webhook = report(BODY, headers);
        const char *wrong = gf_prov_replicate.check(&section, unit.ctx.pool);

        ck_assert_int_eq(gf_prov_replicate.read_webhook(&webhook, &section), GF_WEBHOOK_FORGED);
        ck_assert_msg(!secrets[i] ? !wrong : wrong && strstr(wrong, "GenflowProviderHookSecret"),
                      "configtest says so");
    }
}
END_TEST

/* ---- fal ---- */

#define FAL_BODY "{\"request_id\":\"r-1\",\"status\":\"OK\",\"payload\":null}"
#define FAL_SIGN                                                       \
    "64b61915b99326f2956a88721b83fe29fd3e968d695ce32d8a5ae5daf966b3d3" \
    "4070ca9689e6b7f7c22de0bced972a00489f6cb0077e2939172bc8bda1b1cd01"
#define X       "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
#define JWK(x)  "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k\",\"x\":\"" x "\"}"
#define ELSE_X  "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define JWKS(k) "{\"keys\":[" k "]}"

static const gf_provider_t fal = { .name = "fal" };

/* As the owner of the published key signs: its secret are the bytes 0 to 31. */
static const char *signed_by_key(const char *id, const char *user, const char *at, const char *body)
{
    unsigned char secret[GF_ED25519_KEY_BYTES];
    unsigned char signature[GF_ED25519_SIGNATURE_BYTES];
    size_t length = sizeof(signature);
    char hash[GF_SHA256_HEX];
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    const char *text;
    EVP_PKEY *key;
    size_t i;

    for (i = 0; i < sizeof(secret); i++) {
        secret[i] = (unsigned char)i;
    }
    gf_hash_sha256(hash, body, strlen(body));
    text = apr_pstrcat(unit.ctx.pool, id, "\n", user, "\n", at, "\n", hash, NULL);
    key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof(secret));
    ck_assert_int_eq(EVP_DigestSignInit(md, NULL, NULL, NULL, key), 1);
    ck_assert_int_eq(
        EVP_DigestSign(md, signature, &length, (const unsigned char *)text, strlen(text)), 1);
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(key);
    return apr_pescape_hex(unit.ctx.pool, signature, sizeof(signature), 0);
}

#define FAL_ID                            \
    {                                     \
        "X-Fal-Webhook-Request-Id", "r-1" \
    }
#define FAL_USER                       \
    {                                  \
        "X-Fal-Webhook-User-Id", "u-1" \
    }
#define FAL_TIME                      \
    {                                 \
        "X-Fal-Webhook-Timestamp", AT \
    }
#define FAL_MADE                            \
    {                                       \
        "X-Fal-Webhook-Signature", FAL_SIGN \
    }

static gf_webhook_verdict_t of_fal(gf_provider_webhook_t *webhook, const char *body,
                                   const char *keys, const header_t *headers)
{
    *webhook = report(body, headers);
    webhook->keys = keys;
    return gf_prov_fal.read_webhook(webhook, &fal);
}

START_TEST(the_published_report_of_fal_is_genuine)
{
    static const header_t headers[] = { { "x-fal-webhook-request-id", "r-1" },
                                        { "x-fal-webhook-user-id", "u-1" },
                                        { "x-fal-webhook-timestamp", AT },
                                        { "x-fal-webhook-signature", FAL_SIGN },
                                        { NULL, NULL } };
    gf_provider_webhook_t webhook;

    ck_assert_int_eq(of_fal(&webhook, FAL_BODY, JWKS(JWK(X)), headers), GF_WEBHOOK_GENUINE);
    ck_assert_str_eq(webhook.event, "r-1:OK");
    ck_assert_str_eq(webhook.ref, "r-1");
    ck_assert_str_eq(signed_by_key("r-1", "u-1", AT, FAL_BODY), FAL_SIGN);
    ck_assert_str_eq(gf_prov_fal.webhook_keys, "https://rest.fal.ai/.well-known/jwks.json");
}
END_TEST

START_TEST(a_report_of_fal_is_forged_if_anything_is_wrong)
{
    static const char half[] = "64b61915b99326f2956a88721b83fe29fd3e968d695ce32d8a5ae5daf966b3d3";
    static const struct {
        gf_webhook_verdict_t verdict;
        const char *body;
        header_t headers[HEADERS + 1];
    } rows[] = {
        /* well formed, but not by this key: another one may have been meant */
        { GF_WEBHOOK_NO_KEY, FAL_BODY " ", { FAL_ID, FAL_USER, FAL_TIME, FAL_MADE } },
        { GF_WEBHOOK_NO_KEY, "", { FAL_ID, FAL_USER, FAL_TIME, FAL_MADE } },
        { GF_WEBHOOK_NO_KEY,
          FAL_BODY,
          { { "X-Fal-Webhook-Request-Id", "r-2" }, FAL_USER, FAL_TIME, FAL_MADE } },
        { GF_WEBHOOK_NO_KEY,
          FAL_BODY,
          { FAL_ID, { "X-Fal-Webhook-User-Id", "u-2" }, FAL_TIME, FAL_MADE } },
        { GF_WEBHOOK_NO_KEY,
          FAL_BODY,
          { FAL_ID, FAL_USER, { "X-Fal-Webhook-Timestamp", "1700000001" }, FAL_MADE } },
        /* no signature at all */
        { GF_WEBHOOK_FORGED,
          FAL_BODY,
          { FAL_ID, FAL_USER, FAL_TIME, { "X-Fal-Webhook-Signature", "" } } },
        { GF_WEBHOOK_FORGED,
          FAL_BODY,
          { FAL_ID, FAL_USER, FAL_TIME, { "X-Fal-Webhook-Signature", half } } },
        { GF_WEBHOOK_FORGED,
          FAL_BODY,
          { FAL_ID, FAL_USER, FAL_TIME, { "X-Fal-Webhook-Signature", FAL_SIGN "00" } } },
        { GF_WEBHOOK_FORGED,
          FAL_BODY,
          { FAL_ID, FAL_USER, FAL_TIME, { "X-Fal-Webhook-Signature", FAL_SIGN "," FAL_SIGN } } },
        { GF_WEBHOOK_FORGED,
          FAL_BODY,
          { FAL_ID,
            FAL_USER,
            FAL_TIME,
            { "X-Fal-Webhook-Signature",
              "g4b61915b99326f2956a88721b83fe29fd3e968d695ce32d8a5ae5daf966b3d3"
              "4070ca9689e6b7f7c22de0bced972a00489f6cb0077e2939172bc8bda1b1cd01" } } },
        { GF_WEBHOOK_FORGED,
          FAL_BODY,
          { FAL_ID,
            FAL_USER,
            FAL_TIME,
            { "X-Fal-Webhook-Signature",
              "64:b61915b99326f2956a88721b83fe29fd3e968d695ce32d8a5ae5daf966b3d"
              "4070ca9689e6b7f7c22de0bced972a00489f6cb0077e2939172bc8bda1b1cd01" } } },
        /* headers that are missing or came twice */
        { GF_WEBHOOK_FORGED, FAL_BODY, { FAL_USER, FAL_TIME, FAL_MADE } },
        { GF_WEBHOOK_FORGED, FAL_BODY, { FAL_ID, FAL_TIME, FAL_MADE } },
        { GF_WEBHOOK_FORGED, FAL_BODY, { FAL_ID, FAL_USER, FAL_MADE } },
        { GF_WEBHOOK_FORGED, FAL_BODY, { FAL_ID, FAL_USER, FAL_TIME } },
        { GF_WEBHOOK_FORGED, FAL_BODY, { FAL_ID, FAL_ID, FAL_USER, FAL_TIME, FAL_MADE } },
        { GF_WEBHOOK_FORGED, FAL_BODY, { FAL_ID, FAL_USER, FAL_USER, FAL_TIME, FAL_MADE } },
        { GF_WEBHOOK_FORGED, FAL_BODY, { FAL_ID, FAL_USER, FAL_TIME, FAL_MADE, FAL_MADE } },
    };
    gf_provider_webhook_t webhook;
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_msg(of_fal(&webhook, rows[i].body, JWKS(JWK(X)), rows[i].headers)
                          == rows[i].verdict,
                      "row %lu", (unsigned long)i);
    }
}
END_TEST

START_TEST(every_key_of_the_list_is_tried)
{
    static const header_t headers[] = { FAL_ID, FAL_USER, FAL_TIME, FAL_MADE, { NULL, NULL } };
    static const struct {
        gf_webhook_verdict_t verdict;
        const char *keys;
    } rows[] = {
        { GF_WEBHOOK_GENUINE, JWKS(JWK(ELSE_X) "," JWK(X)) },
        { GF_WEBHOOK_GENUINE, JWKS(JWK(X) "," JWK(ELSE_X)) },
        { GF_WEBHOOK_GENUINE, JWKS("null,7,[],{},{\"kty\":\"RSA\",\"n\":\"AQAB\"}," JWK(X)) },
        { GF_WEBHOOK_GENUINE, JWKS(JWK("") "," JWK("AAAA") "," JWK("????") "," JWK(X)) },
        { GF_WEBHOOK_GENUINE, JWKS("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":7}," JWK(X)) },
        { GF_WEBHOOK_NO_KEY, NULL },
        { GF_WEBHOOK_NO_KEY, "" },
        { GF_WEBHOOK_NO_KEY, "<html>" },
        { GF_WEBHOOK_NO_KEY, "{}" },
        { GF_WEBHOOK_NO_KEY, "{\"keys\":{\"x\":\"" X "\"}}" },
        { GF_WEBHOOK_NO_KEY, "{\"keys\":\"" X "\"}" },
        { GF_WEBHOOK_NO_KEY, JWKS("") },
        { GF_WEBHOOK_NO_KEY, JWKS(JWK(ELSE_X)) },
        { GF_WEBHOOK_NO_KEY, JWKS(JWK(X X)) },
        { GF_WEBHOOK_NO_KEY, JWKS("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" X "\"}") },
        { GF_WEBHOOK_NO_KEY, JWKS("{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"x\":\"" X "\"}") },
    };
    gf_provider_webhook_t webhook;
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_msg(of_fal(&webhook, FAL_BODY, rows[i].keys, headers) == rows[i].verdict,
                      "row %lu", (unsigned long)i);
    }
}
END_TEST

START_TEST(a_list_of_keys_without_end_is_not_tried)
{
    static const header_t headers[] = { FAL_ID, FAL_USER, FAL_TIME, FAL_MADE, { NULL, NULL } };
    const char *many = "";
    gf_provider_webhook_t webhook;
    int i;

    for (i = 0; i < 63; i++) {
        many = apr_pstrcat(unit.ctx.pool, many, "{},", NULL);
    }
    ck_assert_int_eq(of_fal(&webhook, FAL_BODY,
                            apr_pstrcat(unit.ctx.pool, "{\"keys\":[", many, JWK(X) "]}", NULL),
                            headers),
                     GF_WEBHOOK_GENUINE);
    ck_assert_int_eq(
        of_fal(&webhook, FAL_BODY,
               apr_pstrcat(unit.ctx.pool, "{\"keys\":[", many, "{}," JWK(X) "]}", NULL), headers),
        GF_WEBHOOK_NO_KEY);
}
END_TEST

/* ---- both ---- */

START_TEST(a_report_is_of_now_give_or_take_five_minutes)
{
    static const struct {
        const char *at;
        bool now;
    } rows[] = {
        { AT, true },
        { "1700000300", true },
        { "1699999700", true },
        { "1700000301", false },
        { "1699999699", false },
        { "0", false },
        { "-1700000000", false },
        { "1700000000.0", false },
        { "1700000000 ", false },
        { "17e8", false },
        { "0x6553f100", false },
        { "2023-11-14T22:13:20Z", false },
        { "1700000000000", false },
        { "9223372036854775807", false },
        { "-9223372036854775808", false },
        { "18446744075409551616", false }, /* 2^64 + 1700000000 */
        { "", false },
    };
    gf_provider_webhook_t webhook;
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *at = rows[i].at;
        header_t one[] = { ID,
                           { "webhook-timestamp", at },
                           { "webhook-signature", signed_by_hmac("msg_1", at, BODY) },
                           { NULL, NULL } };
        header_t other[] = { FAL_ID,
                             FAL_USER,
                             { "X-Fal-Webhook-Timestamp", at },
                             { "X-Fal-Webhook-Signature",
                               signed_by_key("r-1", "u-1", at, FAL_BODY) },
                             { NULL, NULL } };
        gf_webhook_verdict_t verdict = rows[i].now ? GF_WEBHOOK_GENUINE : GF_WEBHOOK_FORGED;

        webhook = report(BODY, one);
        ck_assert_msg(gf_prov_replicate.read_webhook(&webhook, &replicate) == verdict, "`%s`", at);
        ck_assert_msg(of_fal(&webhook, FAL_BODY, JWKS(JWK(X)), other) == verdict, "`%s`", at);
        ck_assert_msg(of_fal(&webhook, FAL_BODY, NULL, other)
                          == (rows[i].now ? GF_WEBHOOK_NO_KEY : GF_WEBHOOK_FORGED),
                      "`%s`: no keys are fetched for what is too late", at);
    }
}
END_TEST

/* Forty arrays in one another. */
#define DEEP                                   \
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[" \
    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"

START_TEST(a_genuine_report_may_be_about_nothing)
{
    static const struct {
        const char *rest; /* behind the member that names the run */
        bool means;
    } rows[] = {
        { "\"p1\",\"status\":\"OK\"}", true },
        { "\"764cabcf-b745-4b3e-ae38-1200304cf45b\",\"status\":\"ERROR\",\"payload\":{\"a\":[]}}",
          true },
        { "\"p1\",\"status\":\"OK\",\"seed\":17454220438242315174}", true },
        { "\"p1\",\"status\":\"OK\"", false },
        { "\"p1\",\"status\":\"OK\"}}", false },
        { "\"p1\",\"status\":\"OK\",\"deep\":" DEEP "}", false },
        { "\"p1\",\"status\":\"OK\",\"text\":\"\xff\"}", true },
        { "\"\",\"status\":\"OK\"}", false },
        { "\"..\",\"status\":\"OK\"}", false },
        { "\"../../v1/account\",\"status\":\"OK\"}", false },
        { "\"a?b=c\",\"status\":\"OK\"}", false },
        { "\"a\\u0000b\",\"status\":\"OK\"}", false },
        { "7,\"status\":\"OK\"}", false },
        { "null,\"status\":\"OK\"}", false },
        { "{\"id\":\"p1\"},\"status\":\"OK\"}", false },
    };
    static const char *const bodies[] = { "", "null", "[]", "\"p1\"", "{}", "<html>", "{\"a\":1}" };
    const size_t count = UNIT_COUNT(rows) + UNIT_COUNT(bodies);
    size_t i;

    for (i = 0; i < count; i++) {
        bool known = i < UNIT_COUNT(rows);
        const char *rest = known ? rows[i].rest : bodies[i - UNIT_COUNT(rows)];
        const char *body = known ? apr_pstrcat(unit.ctx.pool, "{\"id\":", rest, NULL) : rest;
        const char *fals =
            known ? apr_pstrcat(unit.ctx.pool, "{\"request_id\":", rest, NULL) : rest;
        header_t one[] = {
            ID, TIME, { "webhook-signature", signed_by_hmac("msg_1", AT, body) }, { NULL, NULL }
        };
        header_t other[] = { FAL_ID,
                             FAL_USER,
                             FAL_TIME,
                             { "X-Fal-Webhook-Signature", signed_by_key("r-1", "u-1", AT, fals) },
                             { NULL, NULL } };
        gf_webhook_verdict_t verdict =
            known && rows[i].means ? GF_WEBHOOK_GENUINE : GF_WEBHOOK_MEANINGLESS;
        gf_provider_webhook_t webhook = report(body, one);

        ck_assert_msg(gf_prov_replicate.read_webhook(&webhook, &replicate) == verdict, "%s", body);
        ck_assert_msg(of_fal(&webhook, fals, JWKS(JWK(X)), other) == verdict, "%s", fals);
    }
}
END_TEST

START_TEST(the_end_of_fal_names_the_event)
{
    static const struct {
        const char *body, *event; /* NULL: it has no meaning */
    } rows[] = {
        { FAL_BODY, "r-1:OK" },
        { "{\"request_id\":\"r-1\",\"status\":\"OK\",\"payload\":{\"seed\":1}}", "r-1:OK" },
        { "{\"request_id\":\"r-1\",\"status\":\"ERROR\",\"error\":\"x\"}", "r-1:ERROR" },
        { "{\"request_id\":\"r-2\",\"status\":\"OK\"}", "r-2:OK" },
        { "{\"request_id\":\"r-1\",\"status\":\"ok\"}", NULL },
        { "{\"request_id\":\"r-1\",\"status\":\"\"}", NULL },
        { "{\"request_id\":\"r-1\",\"status\":7}", NULL },
        { "{\"request_id\":\"r-1\"}", NULL },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *made = signed_by_key("r-1", "u-1", AT, rows[i].body);
        header_t headers[] = {
            FAL_ID, FAL_USER, FAL_TIME, { "X-Fal-Webhook-Signature", made }, { NULL, NULL }
        };
        gf_provider_webhook_t webhook;

        ck_assert_msg(of_fal(&webhook, rows[i].body, JWKS(JWK(X)), headers)
                          == (rows[i].event ? GF_WEBHOOK_GENUINE : GF_WEBHOOK_MEANINGLESS),
                      "%s", rows[i].body);
        ck_assert(!rows[i].event || strcmp(webhook.event, rows[i].event) == 0);
    }
}
END_TEST

START_TEST(only_these_two_report)
{
    ck_assert_ptr_null(gf_prov_aiml.read_webhook);
    ck_assert_ptr_null(gf_prov_openai.read_webhook);
    ck_assert_ptr_null(gf_prov_stability.read_webhook);
    ck_assert_msg(!gf_prov_replicate.webhook_keys, "its key is the section's secret");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_published_report_of_replicate_is_genuine,
        what_is_sent_is_signed_by_the_published_vectors,
        a_report_of_replicate_is_forged_if_anything_is_wrong,
        an_id_of_replicate_is_a_word_however_well_signed,
        a_list_without_end_is_not_read,
        without_a_secret_nothing_of_replicate_is_genuine,
        the_published_report_of_fal_is_genuine,
        a_report_of_fal_is_forged_if_anything_is_wrong,
        every_key_of_the_list_is_tried,
        a_list_of_keys_without_end_is_not_tried,
        a_report_is_of_now_give_or_take_five_minutes,
        a_genuine_report_may_be_about_nothing,
        the_end_of_fal_names_the_event,
        only_these_two_report,
        NULL,
    };

    return unit_run("hook", tests);
}
