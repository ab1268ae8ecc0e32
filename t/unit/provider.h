/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of translators share: a job and its call, recorded answers, and tables of what
 * each of them means. */
#ifndef PROVIDER_H
#define PROVIDER_H

#include "provider/provider.h"
#include "provider/run.h"

#include "lost.h"
#include "unit.h"

#define SECRET "sk-secret"

typedef gf_msg_reader_t *reader_t;

/* ---- a job ---- */

typedef struct scene_t {
    gf_provider_t provider;
    gf_type_t type;
    gf_job_t job;
    gf_prov_call_t call;
} scene_t;

/* A job with a prompt and the seed 77, in its first attempt with `model`, which has been sent. */
static inline scene_t *scene(const gf_prov_kind_t *kind, const char *url, const char *model)
{
    scene_t *scene = apr_pcalloc(unit.ctx.pool, sizeof(*scene));

    scene->provider.name = "stand-in";
    scene->provider.kind = kind;
    scene->provider.url = url;
    scene->provider.key = SECRET;
    scene->provider.deadline = apr_time_from_sec(120);
    scene->type.name = "neo-glitch";
    scene->type.lifetime = apr_time_from_sec(600);
    scene->job.pool = unit.ctx.pool;
    scene->job.type = &scene->type;
    scene->job.id = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"; /* made at 2025-10-01T21:34:31.380Z */
    scene->job.attempts = 1;
    scene->job.prompt = "a \"neon\" cat";
    scene->job.parameters = "{}";
    scene->job.seed = 77;
    scene->job.deadline = apr_time_from_sec(1700000660);
    scene->call.provider = &scene->provider;
    scene->call.model = model;
    scene->call.job = &scene->job;
    scene->call.pool = unit.ctx.pool;
    scene->job.request_hash = prov_run_hash(&scene->call);
    return scene;
}

/* ---- requests ---- */

static inline void is_request(const gf_msg_t *msg, const char *method, const char *url,
                              const char *authorization)
{
    ck_assert_str_eq(msg->method, method);
    ck_assert_str_eq(msg->url, url);
    ck_assert_str_eq(apr_table_get(msg->headers, "Authorization"), authorization);
    ck_assert_str_eq(apr_table_get(msg->headers, "Accept"), "application/json");
    ck_assert_ptr_null(msg->parts);
    ck_assert_uint_ge(msg->text_max, 1024 * 1024);
}

/* The body is exactly this document. */
static inline void has_body(const gf_msg_t *msg, const char *document)
{
    ck_assert_str_eq(apr_table_get(msg->headers, "Content-Type"), "application/json");
    ck_assert_str_eq(gf_json_text(unit_json(msg->body)), gf_json_text(unit_json(document)));
}

/* ---- answers ---- */

/* A recorded answer and what it means. `header` is one "Name: value". */
typedef struct answer_t {
    int status;
    const char *header;
    const char *text;
    gf_prov_state_t state;
    gf_err_code_t code; /* of the failing states */
    int wait;           /* seconds */
    bool alarm, locked_out, unknown_model;
} answer_t;

static inline apr_status_t free_exact(void *exact)
{
    free(exact);
    return APR_SUCCESS;
}

/* The text is of exactly its length on the heap: gone when the test ends. */
static inline gf_msg_t *answered(const char *url, int status, const char *header, const char *text)
{
    gf_msg_t *msg = gf_msg_make(unit.ctx.pool, "GET", url);
    char *exact = unit_exact(text, strlen(text) + 1);

    apr_pool_cleanup_register(unit.ctx.pool, exact, free_exact, apr_pool_cleanup_null);
    msg->end = GF_MSG_ANSWERED;
    msg->status = status;
    msg->text = exact;
    msg->text_length = strlen(text);
    if (header) {
        char *name = apr_pstrdup(unit.ctx.pool, header);
        char *colon = strstr(name, ": ");

        *colon = '\0';
        apr_table_setn(msg->answer, name, colon + 2);
    }
    return msg;
}

/* An outcome in which nothing is right before it is set. */
static inline gf_outcome_t garbage(void)
{
    gf_outcome_t outcome;

    memset(&outcome, 0x5a, sizeof(outcome));
    return outcome;
}

static inline gf_outcome_t outcome_of(reader_t read, const scene_t *scene, const gf_msg_t *msg)
{
    gf_outcome_t outcome = garbage();

    read(&outcome, &scene->call, msg); /* it sets all by itself, ... */
    ck_assert(outcome.state != garbage().state);
    gf_provider_read(&outcome, &scene->call, msg, read); /* ... and this is what work/ gets */
    ck_assert_msg(!outcome.detail || !strstr(outcome.detail, SECRET), "%s", outcome.detail);
    ck_assert_msg(outcome.state != GF_PROV_SUCCEEDED || !outcome.picture_url != !outcome.picture_b64
                      || msg->spooled > 0,
                  "a picture, and only one");
    ck_assert((outcome.state == GF_PROV_NEXT) == (outcome.next != NULL));
    ck_assert(!outcome.settled || outcome.state == GF_PROV_UNKNOWN);
    return outcome;
}

static inline gf_outcome_t reads(reader_t read, const scene_t *scene, const char *url, int status,
                                 const char *text)
{
    return outcome_of(read, scene, answered(url, status, NULL, text));
}

static inline bool fails(gf_prov_state_t state)
{
    return state != GF_PROV_SUCCEEDED && state != GF_PROV_WORKING && state != GF_PROV_NEXT;
}

static inline void check_answers(reader_t read, const scene_t *scene, const char *url,
                                 const answer_t *rows, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const answer_t *row = &rows[i];
        const char *what = apr_psprintf(unit.ctx.pool, "row %lu: HTTP %d %s %s", (unsigned long)i,
                                        row->status, row->header ? row->header : "", row->text);
        gf_outcome_t outcome =
            outcome_of(read, scene, answered(url, row->status, row->header, row->text));

        ck_assert_msg(outcome.state == row->state, "%s: state %d", what, (int)outcome.state);
        ck_assert_msg(!fails(row->state) || outcome.code == row->code, "%s: %s", what,
                      gf_err_row(outcome.code)->code);
        ck_assert_msg(outcome.retry_after == apr_time_from_sec(row->wait),
                      "%s: wait of %" APR_INT64_T_FMT " us", what, outcome.retry_after);
        ck_assert_msg(outcome.alarm == row->alarm, "%s: alarm", what);
        ck_assert_msg(outcome.locked_out == row->locked_out, "%s: locked out", what);
        ck_assert_msg(outcome.unknown_model == row->unknown_model, "%s: unknown model", what);
    }
}

/* A machine in between knows nothing of the provider. */
static inline void check_gateways(reader_t read, const scene_t *scene, const char *url,
                                  gf_prov_state_t state)
{
    const answer_t rows[] = {
        { 502, NULL, "<html>", state, GF_E_NETWORK, 0, false, false, false },
        { 504, NULL, "", state, GF_E_NETWORK, 0, false, false, false },
    };

    check_answers(read, scene, url, rows, UNIT_COUNT(rows));
}

/* What stays unknown, and whether it will for ever. */
typedef struct unknown_t {
    int status;
    const char *text;
    bool settled;
} unknown_t;

static inline void check_unknown(reader_t read, const scene_t *scene, const char *url,
                                 const unknown_t *rows, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        gf_outcome_t outcome = reads(read, scene, url, rows[i].status, rows[i].text);

        ck_assert_msg(outcome.state == GF_PROV_UNKNOWN && outcome.code == GF_E_NETWORK
                          && outcome.settled == rows[i].settled,
                      "row %lu: state %d, %s", (unsigned long)i, (int)outcome.state,
                      outcome.settled ? "settled" : "open");
    }
}

/* A list that cannot be read: refused now, and so it will be next time; or the next answer may have
 * it. */
static inline void check_refused_list(reader_t read, const scene_t *scene, const char *url,
                                      const char *page)
{
    const unknown_t rows[] = { { 401, page, true },      { 403, "", true },
                               { 429, "", false },       { 500, "", false },
                               { 502, "<html>", false }, { 200, "<html>", false },
                               { 200, "", false } };

    check_unknown(read, scene, url, rows, UNIT_COUNT(rows));
}

/* A text that is cut anywhere never means one of these. */
static inline void check_cut(reader_t read, const scene_t *scene, const char *url, int status,
                             const char *text, gf_prov_state_t never, gf_prov_state_t nor)
{
    size_t length;

    for (length = 0; length < strlen(text); length++) {
        const char *part = apr_pstrmemdup(unit.ctx.pool, text, length);
        gf_prov_state_t state = reads(read, scene, url, status, part).state;

        ck_assert_msg(state != never && state != nor, "state %d of %s", (int)state, part);
    }
}

/* ---- no answer ---- */

static inline gf_outcome_t lost(reader_t read, const scene_t *scene, const char *url,
                                gf_msg_end_t end, bool timed_out)
{
    gf_msg_t *msg = gf_msg_make(unit.ctx.pool, "GET", url);
    gf_outcome_t outcome;

    msg->end = end;
    msg->timed_out = timed_out;
    msg->detail = "why";
    msg->status = 200;
    outcome = outcome_of(read, scene, msg);
    ck_assert_str_eq(outcome.detail, "why");
    ck_assert(!outcome.alarm && !outcome.unknown_model);
    return outcome;
}

/* A submission without answer is sent again only if no byte of it left. */
static inline void check_lost_submission(reader_t read, const scene_t *scene)
{
    size_t i;

    for (i = 0; i < UNIT_COUNT(lost_submissions); i++) {
        CHECK_LOST(i, lost(read, scene, scene->provider.url, lost_submissions[i].end,
                           lost_submissions[i].timed_out));
    }
}

/* A question without answer leaves everything as it was. */
static inline void check_lost_question(reader_t read, const scene_t *scene, const char *url,
                                       gf_prov_state_t state)
{
    static const gf_msg_end_t ends[] = { GF_MSG_NOT_SENT, GF_MSG_UNKNOWN, GF_MSG_CANCELLED,
                                         GF_MSG_OPEN };
    size_t i;

    for (i = 0; i < UNIT_COUNT(ends); i++) {
        ck_assert_int_eq(lost(read, scene, url, ends[i], false).state, state);
        ck_assert_int_eq(lost(read, scene, url, ends[i], true).state, state);
    }
}

/* A section needs an address and a key. */
static inline void check_section(const gf_prov_kind_t *kind)
{
    gf_provider_t half = { .name = "half" };

    ck_assert_ptr_eq(gf_provider_kind(kind->name), kind);
    ck_assert_msg(!kind->draw, "a second run would cost a second time");
    ck_assert(strstr(kind->check(&half, unit.ctx.pool), "GenflowProviderUrl"));
    half.url = "https://stand-in.test";
    ck_assert(strstr(kind->check(&half, unit.ctx.pool), "GenflowProviderKey"));
    half.key = SECRET;
    ck_assert_ptr_null(kind->check(&half, unit.ctx.pool));
}

/* Headers of the section are on every request, but never in place of ours. */
static inline void check_headers(const gf_prov_kind_t *kind, scene_t *scene)
{
    apr_table_t *headers = apr_table_make(unit.ctx.pool, 4);
    const gf_msg_t *msgs[4] = { NULL, NULL, NULL, NULL };
    size_t i;

    scene->job.provider_ref = "r1";
    scene->provider.headers = headers;
    apr_table_setn(headers, "X-Site", "my-site");
    apr_table_setn(headers, "accept", "text/html");
    apr_table_setn(headers, "authorization", "Bearer other");
    msgs[0] = kind->submit(&scene->call);
    msgs[1] = kind->poll ? kind->poll(&scene->call) : NULL;
    msgs[2] = kind->cancel ? kind->cancel(&scene->call) : NULL;
    msgs[3] = kind->reconcile ? kind->reconcile(&scene->call) : NULL;
    for (i = 0; i < UNIT_COUNT(msgs); i++) {
        if (msgs[i]) {
            ck_assert_str_eq(apr_table_get(msgs[i]->headers, "X-Site"), "my-site");
            ck_assert_str_eq(apr_table_get(msgs[i]->headers, "Accept"), "application/json");
            ck_assert_msg(
                !strstr(apr_table_getm(unit.ctx.pool, msgs[i]->headers, "Authorization"), "other"),
                "our key is sent, and no other");
        }
    }
    ck_assert_str_eq(apr_table_get(headers, "authorization"), "Bearer other");
    scene->provider.headers = NULL;
    ck_assert_ptr_null(apr_table_get(kind->submit(&scene->call)->headers, "X-Site"));
}

/* What models do with a source picture. */
typedef struct source_t {
    const char *model;
    gf_source_use_t use;
} source_t;

static inline void check_sources(const gf_prov_kind_t *kind, const source_t *rows, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        ck_assert_msg(kind->source(rows[i].model) == rows[i].use, "`%s`", rows[i].model);
    }
    ck_assert_msg(!kind->source_as_file, "it takes an address or a data: URI");
}

/* Ids that may stand in an address, and such that may not. */
static inline void check_ids(reader_t read, const scene_t *scene, const char *format)
{
    static const struct {
        const char *id;
        bool taken;
    } rows[] = {
        { "a1b2", true },
        { "764cabcf-b745-4b3e-ae38-1200304cf45b", true },
        { "gm3qorzdhgbfurvjtvhg6dckhu_", true },
        { "12345678901234567890123456789012345678901234567890123456789012345678901234567890"
          "123456789012345678901234567890123456789012345678",
          true },
        { "12345678901234567890123456789012345678901234567890123456789012345678901234567890"
          "1234567890123456789012345678901234567890123456789",
          false },
        { "", false },
        { "..", false },
        { ".", false },
        { "a.b", false },
        { "../x", false },
        { "a/b", false },
        { "a?b", false },
        { "a#b", false },
        { "a%2fb", false },
        { "a b", false },
        { "a:b", false },
        { "a@b", false },
        { "a\\nb", false },
        { "a\\u0000b", false },
        { "caf\xc3\xa9", false },
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        char *text = apr_pstrcat(unit.ctx.pool, format, NULL);
        char *mark = strchr(text, '*');
        gf_outcome_t outcome;

        *mark = '\0';
        outcome = reads(read, scene, scene->provider.url, 200,
                        apr_pstrcat(unit.ctx.pool, text, rows[i].id, mark + 1, NULL));
        ck_assert_msg((outcome.state == GF_PROV_WORKING) == rows[i].taken, "`%s`", rows[i].id);
        ck_assert_msg(rows[i].taken || outcome.state == GF_PROV_UNKNOWN, "`%s`", rows[i].id);
        ck_assert_pstr_eq(outcome.ref, rows[i].taken ? rows[i].id : NULL);
    }
}

#endif
