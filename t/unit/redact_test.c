/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider says of its errors and runs: whichever kind it is, wherever a key or a long text
 * stands in its answer, the detail and the log lines hold whole characters and no secret. */
#include "base/text.h"

#include "provider.h"

#define MODEL "any/model"
#define HOOK  "whsec_aG9vaw=="
#define OTHER "another-secret"

static const gf_prov_kind_t *const kinds[] = { &gf_prov_aiml, &gf_prov_fal, &gf_prov_openai,
                                               &gf_prov_replicate, &gf_prov_stability };

/* * stands for what is said. */
static const char *const bodies[] = {
    "{\"error\":{\"message\":\"*\",\"code\":\"c\",\"type\":\"t\"}}",
    "{\"error\":{\"message\":\"m\",\"code\":\"*\",\"type\":\"t\"}}",
    "{\"error\":{\"message\":\"m\",\"code\":\"\",\"type\":\"*\"}}",
    "{\"error\":\"*\"}",
    "{\"message\":\"*\"}",
    "{\"message\":[\"*\"]}",
    "{\"title\":\"*\"}",
    "{\"title\":\"t\",\"detail\":\"*\"}",
    "{\"detail\":[{\"msg\":\"*\",\"type\":\"t\"}]}",
    "{\"detail\":[{\"msg\":\"m\",\"type\":\"*\"}]}",
    "{\"detail\":\"d\",\"error_type\":\"*\"}",
    "{\"id\":\"i\",\"name\":\"*\",\"errors\":[\"e\"]}",
    "{\"id\":\"i\",\"name\":\"n\",\"errors\":[\"*\"]}",
    "{\"id\":\"i\",\"name\":\"n\",\"message\":\"*\"}",
    "{\"id\":\"i\",\"status\":\"failed\",\"error\":\"*\"}",
    "{\"id\":\"i\",\"status\":\"starting\",\"logs\":\"*\"}",
    "{\"request_id\":\"i\",\"status\":\"IN_PROGRESS\",\"logs\":[{\"message\":\"*\"}]}",
    "{\"data\":[{\"client_request_id\":\"0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b-1\","
    "\"status\":\"*\",\"inference_id\":\"i\"}]}",
    "{\"data\":[{\"client_request_id\":\"0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b-1\","
    "\"status\":\"failed\",\"inference_id\":\"*\"}]}",
};

static const char *body_of(const char *body, const char *said)
{
    const char *star = strchr(body, '*');

    return apr_psprintf(unit.ctx.pool, "%.*s%s%s", (int)(star - body), body, said, star + 1);
}

static void check_text(const char *text, const char *said)
{
    if (text) {
        ck_assert_msg(gf_text_utf8(text, strlen(text)) == strlen(text), "%s: %s", said, text);
        ck_assert_msg(!strstr(text, SECRET) && !strstr(text, HOOK) && !strstr(text, OTHER),
                      "%s: %s", said, text);
        ck_assert_msg(strpbrk(text, "\r\n\t\x1b") == NULL, "%s: %s", said, text);
    }
}

/* Whatever question it is an answer to. */
static void check_answers_with(const char *said)
{
    static const int statuses[] = { 200, 400, 401, 422, 500 };
    size_t k, b, s, r;

    for (k = 0; k < UNIT_COUNT(kinds); k++) {
        reader_t readers[] = { kinds[k]->read_submit, kinds[k]->read_poll,
                               kinds[k]->read_reconcile };
        scene_t *scene_of = scene(kinds[k], "https://stand-in.test", MODEL);
        apr_table_t *headers = apr_table_make(unit.ctx.pool, 2);

        apr_table_setn(headers, "X-Account", OTHER);
        apr_table_setn(headers, "X-Short", "i");
        scene_of->provider.headers = headers;
        scene_of->provider.webhook_secret = HOOK;
        scene_of->job.provider_ref = "r1";
        for (b = 0; b < UNIT_COUNT(bodies); b++) {
            for (s = 0; s < UNIT_COUNT(statuses); s++) {
                for (r = 0; r < UNIT_COUNT(readers); r++) {
                    gf_outcome_t outcome;

                    if (!readers[r]) {
                        continue;
                    }
                    outcome = reads(readers[r], scene_of, "https://stand-in.test/x", statuses[s],
                                    body_of(bodies[b], said));

                    check_text(outcome.detail, said);
                    check_text(outcome.progress.logs, said);
                    ck_assert(!outcome.detail || strlen(outcome.detail) < 400);
                }
            }
        }
    }
}

START_TEST(a_secret_is_redacted_wherever_the_provider_quotes_it)
{
    check_answers_with(SECRET);
    check_answers_with("your key " SECRET " is bad");
    check_answers_with(HOOK " and " SECRET SECRET);
    check_answers_with(OTHER);
    check_answers_with("\\t\\n\\u001b[31m" SECRET);
}
END_TEST

START_TEST(a_long_text_is_cut_between_two_characters)
{
    const char *kanji = "";
    int i;

    for (i = 0; i < 120; i++) {
        kanji = apr_pstrcat(unit.ctx.pool, kanji, "\xe6\xbc\xa2", NULL);
    }
    check_answers_with(kanji);
    check_answers_with(apr_pstrcat(unit.ctx.pool, "x", kanji, NULL));
    check_answers_with(apr_pstrcat(unit.ctx.pool, "xx", kanji, NULL));
    check_answers_with(apr_pstrcat(unit.ctx.pool, "xxx", kanji, SECRET, NULL));
}
END_TEST

START_TEST(a_secret_is_not_shown_in_part_where_the_text_is_cut)
{
    const char *text = "";
    int i;

    for (i = 0; i < 220; i++) {
        scene_t *at = scene(&gf_prov_aiml, "https://stand-in.test", MODEL);
        const char *detail =
            reads(gf_prov_aiml.read_submit, at, "https://stand-in.test/x", 400,
                  body_of(bodies[4], apr_pstrcat(unit.ctx.pool, text, SECRET, NULL)))
                .detail;

        ck_assert_msg(!strstr(detail, "sk-"), "%s", detail);
        text = apr_pstrcat(unit.ctx.pool, text, "x", NULL);
    }
}
END_TEST

START_TEST(foreign_text_is_redacted_cut_and_valid_utf8)
{
    static const char *const secrets[] = { "", "key", "key-2", NULL };
    static const struct {
        const char *text;
        apr_size_t max;
        const char *redacted;
    } rows[] = {
        { "", 10, "" },
        { "plain", 10, "plain" },
        { "plain", 5, "plain" },
        { "plain", 4, "plai" },
        { "plain", 0, "" },
        { "a\r\nb\x7f", 10, "a  b " },
        { "a\xff\xc3", 10, "a??" },
        { "\xc3\xa9\xc3\xa9", 3, "\xc3\xa9" },
        { "\xf0\x9f\x91\x8d!", 4, "\xf0\x9f\x91\x8d" },
        { "\xf0\x9f\x91\x8d!", 3, "" },
        { "key", 10, "***" },
        { "key-2", 10, "***" },
        { "keykey-", 10, "******-" },
        { "a key here", 4, "a " },
        { "ke", 10, "ke" },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        char *exact = unit_exact(rows[i].text, strlen(rows[i].text));
        const char *redacted =
            gf_text_redact(unit.ctx.pool, exact, strlen(rows[i].text), rows[i].max, secrets);

        free(exact);
        ck_assert_str_eq(redacted, rows[i].redacted);
    }
    ck_assert_str_eq(gf_text_redact(unit.ctx.pool, "key", 3, 10, NULL), "key");
}
END_TEST

START_TEST(a_detail_is_made_of_what_there_is)
{
    static const gf_provider_t provider = { .name = "acme", .key = SECRET };
    static const struct {
        const char *head, *word, *text, *detail;
    } rows[] = { { "HTTP 400", "bad", "no", "HTTP 400 bad: no" },
                 { "HTTP 400", NULL, "no", "HTTP 400: no" },
                 { NULL, "bad", "no", "bad: no" },
                 { NULL, NULL, "no", "no" } };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_str_eq(
            gf_provider_detail(&provider, unit.ctx.pool, rows[i].head, rows[i].word, rows[i].text),
            rows[i].detail);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_secret_is_redacted_wherever_the_provider_quotes_it,
        a_long_text_is_cut_between_two_characters,
        a_secret_is_not_shown_in_part_where_the_text_is_cut,
        foreign_text_is_redacted_cut_and_valid_utf8,
        a_detail_is_made_of_what_there_is,
        NULL,
    };

    return unit_run("redact", tests);
}
