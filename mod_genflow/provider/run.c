/* SPDX-License-Identifier: Apache-2.0 */
/* Runs that take their time: what one says while it works, and how a lost one is found in the
 * provider's list by what we sent. Leaves statuses and addresses to provider/<name>.c. Pure; runs
 * on the dispatcher thread. */
#include "provider/run.h"

#include <string.h>

#include <apr_date.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "base/hash.h"
#include "base/text.h"
#include "provider/json.h"

#define LINES_MAX   20  /* of what a run printed */
#define LINE_BYTES  300 /* of one */
#define HASH_DIGITS 16
#define CLOCK_SLACK apr_time_from_sec(900) /* between the database and the provider */
#define DATE_SLACK  apr_time_from_sec(300) /* between a provider's servers */

/* ---- polling ---- */

bool prov_run_poll_failed(gf_outcome_t *outcome, const gf_msg_t *msg)
{
    if (!gf_provider_unanswered(outcome, msg)) {
        return false;
    }
    if (msg->end != GF_MSG_TOO_LARGE) {
        outcome->state = GF_PROV_WORKING;
    }
    return true;
}

void prov_run_still_working(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    outcome->state = GF_PROV_WORKING;
    outcome->retry_after = gf_provider_retry_after(msg);
    outcome->detail = apr_psprintf(call->pool, "polling: HTTP %d", msg->status);
}

/* ---- what a run says while it works ---- */

/* Replaces addresses by "...". A log may have the picture's address, and a user who cancels then
 * would get the picture without paying. */
static const char *without_addresses(apr_pool_t *pool, const char *text)
{
    char *line = apr_pstrdup(pool, text);
    const char *clean = "";
    char *address;

    while ((address = strstr(line, "://"))) {
        char *scheme = address;

        while (scheme > line && apr_isalnum(scheme[-1])) {
            scheme--;
        }
        address += strcspn(address, " \t\"'<>");
        *scheme = '\0';
        clean = apr_pstrcat(pool, clean, line, "...", NULL);
        line = address;
    }
    return apr_pstrcat(pool, clean, line, NULL);
}

/* What the last `45%|` says; below 0: there is none. */
static double last_percent(const char *text)
{
    double progress = -1;
    const char *bar;

    for (bar = strstr(text, "%|"); bar; bar = strstr(bar + 1, "%|")) {
        int weight = 1;
        int percent = 0;
        const char *digit = bar;

        while (digit > text && apr_isdigit(digit[-1]) && weight <= 100) {
            percent += (*--digit - '0') * weight;
            weight *= 10;
        }
        if (digit < bar && percent <= 100) {
            progress = percent / 100.0;
        }
    }
    return progress;
}

void prov_run_logs_read(gf_outcome_t *outcome, const gf_prov_call_t *call, const char *text)
{
    apr_array_header_t *lines = apr_array_make(call->pool, 32, sizeof(const char *));
    gf_out_t out;
    int i;

    outcome->progress.fraction = last_percent(text);
    while (*text) {
        apr_size_t length = strcspn(text, "\r\n"); /* progress bars return without a new line */

        if (length > 0) {
            APR_ARRAY_PUSH(lines, const char *) =
                without_addresses(call->pool, gf_provider_redact(call->provider, call->pool, text,
                                                                 length, LINE_BYTES));
        }
        text += length + (text[length] != '\0');
    }
    if (lines->nelts == 0) {
        return;
    }
    gf_out_init(&out, call->pool, 1024);
    gf_out_open(&out, '[');
    for (i = lines->nelts > LINES_MAX ? lines->nelts - LINES_MAX : 0; i < lines->nelts; i++) {
        gf_out_string(&out, APR_ARRAY_IDX(lines, i, const char *));
    }
    gf_out_close(&out, ']');
    outcome->progress.logs = out.text;
}

/* ---- after a lost answer ---- */

bool prov_run_list_failed(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    bool unanswered = gf_provider_unanswered(outcome, msg);

    outcome->state = GF_PROV_UNKNOWN;
    if (unanswered) {
        return true;
    }
    outcome->code = GF_E_NETWORK;
    outcome->detail = apr_psprintf(call->pool, "its list cannot be read: HTTP %d", msg->status);
    outcome->settled = msg->status / 100 == 4 && msg->status != 408 && msg->status != 429;
    return msg->status != 200;
}

static const char *iso_time(apr_pool_t *pool, apr_time_t at)
{
    apr_time_exp_t time;

    apr_time_exp_gmt(&time, at > 0 ? at : 0);
    return apr_psprintf(pool, "%04d-%02d-%02dT%02d:%02d:%02dZ", time.tm_year + 1900,
                        time.tm_mon + 1, time.tm_mday, time.tm_hour, time.tm_min, time.tm_sec);
}

/* The time is the one in the job's id. This host's clock may be wrong: if it were late, the list
 * would be empty, and the run would be paid twice. */
const char *prov_run_since(const gf_prov_call_t *call)
{
    return iso_time(call->pool, gf_text_uuid_time(call->job->id) - CLOCK_SLACK);
}

const char *prov_run_query_value(const gf_prov_call_t *call, const gf_msg_t *msg, const char *name)
{
    const char *query = strchr(msg->url, '?');
    const char *at = query ? strstr(query, apr_pstrcat(call->pool, name, "=", NULL)) : NULL;

    if (!at || (at[-1] != '?' && at[-1] != '&')) {
        return "";
    }
    at += strlen(name) + 1;
    return apr_pstrmemdup(call->pool, at, strcspn(at, "&"));
}

const char *prov_run_list_start(const gf_prov_call_t *call, const gf_msg_t *msg, const char *since)
{
    const char *header = apr_table_get(msg->answer, "Date");
    apr_time_t date = header ? apr_date_parse_http(header) : APR_DATE_BAD;
    apr_time_t made = date - (call->age > 0 ? call->age : 0);

    if (!since[0]) { /* a further page */
        return NULL;
    }
    if (date == APR_DATE_BAD) {
        return "";
    }
    return strcmp(since, iso_time(call->pool, made - DATE_SLACK)) <= 0
               ? NULL
               : iso_time(call->pool, made - CLOCK_SLACK);
}

typedef enum { OTHERS, DOUBTFUL, OURS } likeness_t;

/* The recorded digits of a value's hash. Equal numbers have equal hashes in any notation. */
static const char *hash_value(gf_json_t *value, apr_pool_t *pool)
{
    char hex[GF_SHA256_HEX];
    const char *text = gf_json_text(value);
    double number;

    if (gf_json_number(value, &number)) {
        text = apr_psprintf(pool, "%.17g", number);
    }
    gf_hash_sha256(hex, text, strlen(text));
    return apr_pstrmemdup(pool, hex, HASH_DIGITS);
}

const char *prov_run_hash(const gf_prov_call_t *call)
{
    gf_ctx_t ctx = { .pool = call->pool };
    const char *input = call->provider->kind->input ? call->provider->kind->input(call) : NULL;
    const apr_array_header_t *names;
    gf_json_t *document;
    gf_out_t out;
    int i;

    if (!input || gf_json_parse_reply(&document, &ctx, input, strlen(input))) {
        return NULL;
    }
    names = gf_json_names(document, call->pool);
    gf_out_init(&out, call->pool, 256);
    gf_out_open(&out, '{');
    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        gf_out_put_string(&out, name, hash_value(gf_json_get(document, name), call->pool));
    }
    gf_out_close(&out, '}');
    return out.text;
}

static bool is_same(const gf_json_t *hash, gf_json_t *shown, apr_pool_t *pool)
{
    const char *sent = "";

    return shown && gf_json_string(hash, &sent) && strcmp(sent, hash_value(shown, pool)) == 0;
}

/* Is all that we sent beside the prompt in the input that is shown, by the hashes of the attempt?
 * More may be: the model's defaults, but no source image. An attempt without hashes is doubtful. */
static bool is_whole(const gf_prov_call_t *call, const gf_json_t *input, const prov_field_t *fields)
{
    gf_ctx_t ctx = { .pool = call->pool };
    const char *text = call->job->request_hash;
    const apr_array_header_t *names;
    gf_json_t *hashes;
    int i;

    if (!text || gf_json_parse_reply(&hashes, &ctx, text, strlen(text))) {
        return false;
    }
    names = gf_json_names(hashes, call->pool);
    for (i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (strcmp(name, "prompt") != 0
            && !is_same(gf_json_get(hashes, name), gf_json_get(input, name), call->pool)) {
            return false;
        }
    }
    for (; fields->ours; fields++) {
        bool is_source =
            strcmp(fields->ours, "source") == 0 || strcmp(fields->ours, "sources") == 0;

        if (is_source && gf_json_get(input, fields->theirs)
            && !gf_json_get(hashes, fields->theirs)) {
            return false;
        }
    }
    return true;
}

/* Is this the input that we sent? Models without a prompt do not show one. */
static likeness_t compare_input(const gf_prov_call_t *call, const gf_json_t *input,
                                const prov_run_list_t *list)
{
    const gf_job_t *job = call->job;
    const char *prompt = job->prompt;
    apr_int64_t seed;

    gf_json_string(gf_json_get(input, "prompt"), &prompt);
    if (!gf_json_int(gf_json_get(input, "seed"), &seed) || seed != job->seed
        || strcmp(prompt, job->prompt) != 0) {
        return OTHERS;
    }
    return is_whole(call, input, list->fields_of(call->model)) ? OURS : DOUBTFUL;
}

/* Does the model's input hold our seed? */
static bool takes_seed(const prov_field_t *fields)
{
    while (fields->ours && strcmp(fields->ours, "seed") != 0) {
        fields++;
    }
    return fields->ours != NULL;
}

/* Providers wipe old inputs. */
static bool is_shown(gf_json_t *input)
{
    return gf_json_is_object(input) && strcmp(gf_json_text(input), "{}") != 0;
}

prov_run_found_t prov_run_find(gf_outcome_t *outcome, const gf_prov_call_t *call,
                               const gf_json_t *rows, const prov_run_list_t *list)
{
    prov_run_found_t missing = PROV_RUN_ABSENT;
    const char *oldest = NULL;
    bool failed = false;
    apr_size_t i;

    if (call->job->seed <= 0 || !takes_seed(list->fields_of(call->model))) {
        outcome->settled = true; /* it was sent without a seed */
        return PROV_RUN_UNSEEN;
    }
    for (i = 0; i < gf_json_length(rows); i++) {
        const gf_json_t *row = gf_json_at(rows, i);
        gf_json_t *input = gf_json_get(row, list->input);
        const char *id = prov_json_text(row, list->id);
        const char *sent = prov_json_text(row, list->sent);
        prov_run_row_t kind = list->row_of(call, row);
        likeness_t like = kind == PROV_RUN_OTHERS ? OTHERS : compare_input(call, input, list);

        if (kind == PROV_RUN_VOID) {
            failed = failed || (call->job->attempts == 1 && like == OURS);
        }
        if (kind != PROV_RUN_COUNTS) {
            continue;
        }
        if (!is_shown(input) || like == DOUBTFUL || (like == OURS && !prov_json_is_ref(id))) {
            missing = PROV_RUN_UNSEEN;
        }
        else if (like == OURS && (!oldest || strcmp(sent, oldest) <= 0)) {
            oldest = sent;
            outcome->ref = id;
        }
    }
    if (oldest) {
        outcome->state = GF_PROV_WORKING;
        outcome->detail = "found in its list";
        return PROV_RUN_FOUND;
    }
    if (failed) {
        prov_json_set(outcome, GF_PROV_TRANSIENT, GF_E_API);
        outcome->detail = "its list shows that the run failed";
        return PROV_RUN_FAILED;
    }
    return missing;
}
