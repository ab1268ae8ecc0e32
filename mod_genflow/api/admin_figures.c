/* SPDX-License-Identifier: Apache-2.0 */
/* Administration's figures: what is going on, what came in and what it cost, and the check of the
 * ledger. The sums are the database's; the configuration adds budgets, the currency and the folder.
 */
#include "api/admin.h"

#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "base/text.h"
#include "db/admin.h"
#include "httpd/gauges.h"
#include "model/money.h"
#include "store/store.h"

#define DAY      apr_time_from_sec(24 * 60 * 60)
#define HOURS_OF (7 * DAY)   /* at most, by the hour */
#define DAYS_OF  (366 * DAY) /* and by the day */
#define INSTANT                                                                               \
    "must be a date, or an instant like 2026-11-20T22:00:00Z (a + of a time zone is %%2B in " \
    "an address)"

/* Sums and checks are those of all sites of the database: for the main server, who owns them. */
static gf_err_t *refuse_site(const gf_req_t *req)
{
    return req->conf->realm
               ? gf_err_make(req->ctx, GF_E_NO_ROUTE, APR_SUCCESS,
                             "realm=%s: these figures are of all sites; ask the main server",
                             req->conf->realm)
               : NULL;
}

gf_err_t *api_admin_stats(gf_req_t *req)
{
    const char *json;
    gf_out_t out;

    GF_TRY(refuse_site(req));
    GF_TRY(gf_admin_stats(&json, req->ctx));
    gf_reply_begin(&out, req);
    gf_out_put_raw(&out, "stats", json);
    return gf_reply_send(req, &out, HTTP_OK);
}

gf_err_t *api_admin_check(gf_req_t *req)
{
    const char *json;
    gf_out_t out;

    GF_TRY(refuse_site(req));
    GF_TRY(gf_admin_check(&json, req->ctx));
    gf_reply_begin(&out, req);
    gf_out_put_bool(&out, "sound", strcmp(json, "[]") == 0);
    gf_out_put_raw(&out, "broken", json);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* ---- now ---- */

/* {"stability": 1000}: the configured ones. */
static const char *budgets_of(const gf_conf_t *conf, apr_pool_t *pool)
{
    apr_hash_index_t *at;
    gf_out_t out;

    gf_out_init(&out, pool, 256);
    gf_out_open(&out, '{');
    for (at = apr_hash_first(pool, conf->providers); at; at = apr_hash_next(at)) {
        const gf_provider_t *provider = apr_hash_this_val(at);

        if (provider->budget) {
            gf_out_put_int(&out, provider->name, provider->budget);
        }
    }
    gf_out_close(&out, '}');
    return apr_pstrmemdup(pool, out.text, out.length);
}

static void put_store(gf_out_t *out, const gf_conf_t *conf)
{
    apr_int64_t available;
    apr_int64_t total;

    gf_out_key(out, "store");
    gf_out_open(out, '{');
    gf_out_put_string(out, "kind", conf->store->name);
    gf_out_put_string(out, "folder", conf->store_folder);
    if (conf->store_folder && httpd_gauges_disk(&available, &total, conf->store_folder)) {
        gf_out_put_int(out, "bytesFree", available);
        gf_out_put_int(out, "bytesTotal", total);
    }
    else {
        gf_out_put_raw(out, "bytesFree", NULL);
        gf_out_put_raw(out, "bytesTotal", NULL);
    }
    gf_out_close(out, '}');
}

gf_err_t *api_admin_now(gf_req_t *req)
{
    gf_admin_now_t now;
    gf_out_t out;

    GF_TRY(refuse_site(req));
    GF_TRY(gf_admin_now(&now, req->ctx, budgets_of(req->conf, req->r->pool)));
    gf_reply_begin(&out, req);
    gf_out_put_raw(&out, "ledger", now.ledger);
    gf_out_put_raw(&out, "jobs", now.jobs);
    gf_out_put_raw(&out, "failed", now.failed);
    gf_out_put_raw(&out, "breakers", now.breakers);
    gf_out_put_raw(&out, "budgets", now.budgets);
    put_store(&out, req->conf);
    gf_out_put_raw(&out, "database", now.database);
    gf_out_put_raw(&out, "hosts", now.hosts);
    gf_out_put_raw(&out, "faults", now.faults);
    return gf_reply_send(req, &out, HTTP_OK);
}

/* ---- money ---- */

typedef struct money_t {
    const char *from_text, *to_text;
    const gf_prompt_word_t *per;
    const gf_type_t *type;
    apr_time_t from, to;
} money_t;

static const gf_prompt_word_t per_words[] = { { "day", NULL }, { "hour", "hour" }, { NULL, NULL } };

/* An instant, or a date: its midnight in UTC. */
static void read_time(gf_input_t *input, apr_time_t *out, const char *field, const char *text)
{
    if (text && !gf_text_instant(out, text)
        && !gf_text_instant(out, apr_pstrcat(input->ctx->pool, text, "T00:00:00Z", NULL))) {
        gf_input_refuse(input, GF_E_INVALID, field, INSTANT);
    }
}

static void rule_from(gf_input_t *input, void *record)
{
    money_t *money = record;

    read_time(input, &money->from, "from", money->from_text);
}

static void rule_to(gf_input_t *input, void *record)
{
    money_t *money = record;

    read_time(input, &money->to, "to", money->to_text);
}

static const gf_input_field_t money_fields[] = {
    { .names = { "from" },
      .kind = GF_INPUT_TEXT,
      .offset = offsetof(money_t, from_text),
      .rule = rule_from },
    { .names = { "to" },
      .kind = GF_INPUT_TEXT,
      .offset = offsetof(money_t, to_text),
      .rule = rule_to },
    { .names = { "per" },
      .kind = GF_INPUT_WORD,
      .words = per_words,
      .offset = offsetof(money_t, per) },
    { .names = { "type" }, .kind = GF_INPUT_TYPE, .offset = offsetof(money_t, type) },
    GF_INPUT_END
};

/* Without `from` 30 days, or the last day by the hour. */
static gf_err_t *read_money(gf_admin_money_t *ask, gf_req_t *req)
{
    gf_input_t input = api_body_query_input(req);
    money_t money = { .to = req->r->request_time };
    bool hourly;

    gf_input_read(&input, money_fields, &money);
    hourly = money.per && money.per->says;
    if (!money.from_text) {
        money.from = money.to - (hourly ? DAY : 30 * DAY);
    }
    if (!input.errors && (money.from < 0 || money.from >= money.to)) {
        gf_input_refuse(&input, GF_E_INVALID, "from", "must be before `to`, and not before 1970");
    }
    else if (!input.errors && money.to - money.from > (hourly ? HOURS_OF : DAYS_OF)) {
        gf_input_refuse(&input, GF_E_INVALID, "from", "must be at most %d days before `to`",
                        (int)((hourly ? HOURS_OF : DAYS_OF) / DAY));
    }
    ask->from = money.from;
    ask->to = money.to;
    ask->per = hourly ? "hour" : "day";
    ask->type = money.type;
    return gf_input_end(&input);
}

gf_err_t *api_admin_money(gf_req_t *req)
{
    const gf_conf_t *conf = req->conf;
    gf_admin_money_t money;
    gf_out_t out;

    GF_TRY(refuse_site(req));
    GF_TRY(read_money(&money, req));
    GF_TRY(gf_admin_money(&money, req->ctx));
    gf_reply_begin(&out, req);
    gf_out_put_string(&out, "currency", conf->currency);
    gf_out_put_raw(&out, "creditValue",
                   conf->currency ? gf_money_text(conf->credit_value, req->r->pool) : NULL);
    gf_out_put_string(&out, "per", money.per);
    gf_out_put_raw(&out, "providerCost", money.provider_cost);
    if (money.margin) {
        gf_out_put_raw(&out, "margin", money.margin);
    }
    gf_out_put_raw(&out, "rows", money.rows);
    gf_out_put_raw(&out, "unsettled", money.unsettled);
    return gf_reply_send(req, &out, HTTP_OK);
}
