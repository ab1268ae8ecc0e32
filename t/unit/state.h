/* SPDX-License-Identifier: Apache-2.0 */
/* What t/unit/state_test.c stands on: runs in any state, with a clock, providers and stores that do
 * what a case says, and no writer, net, httpd or database. The test is the dispatcher. */
#ifndef STATE_H
#define STATE_H

#include "store/gate.h"
#include "work/intent.h"
#include "work/kind.h"
#include "work/run.h"

#include "unit.h"

#define SECONDS  APR_USEC_PER_SEC
#define LEASE    (30 * SECONDS)
#define DEADLINE (100 * SECONDS) /* of the provider, after the beginning */
#define FLOOR    (10 * SECONDS)  /* GenflowProviderListWait */
#define POLLS    (2 * SECONDS)   /* GenflowProviderPoll */
#define HERE     "http://pictures.test/1.png"

/* What a run is given. All zero: a new generation with one chain entry, whose provider can be
 * polled, lists its runs and reports by webhook to a site without GenflowPublicUrl. */
typedef struct given_t {
    gf_phase_t phase;
    const char *ref;    /* the provider's id of the run */
    const char *source; /* the user's source image */
    enum { FULL, SYNC, FILES, DRAWS } provider;
    int entries;   /* chain entries beside the first; -1: not even that one */
    int retries;   /* left */
    bool intended; /* create recorded the intent */
    bool last_look, unreached, hooks, strict, empty_fails, shut, checked;
    bool next;   /* GenflowTypeUnknown next */
    bool others; /* the last entry is of another provider */
    bool copied; /* restore, move: in the folder */
    const char *remove_url;
    bool copy;               /* remove: of a copy */
    bool beside;             /* ... whose name differs by its ending */
    int attempt;             /* deliver */
    apr_interval_time_t age; /* of the attempt: the clock stands so much behind its beginning */
} given_t;

/* What an event brings. */
typedef struct brought_t {
    gf_lease_answer_t lease;
    gf_settled_t settled;
    gf_err_code_t err;
    gf_outcome_t outcome;
    gf_store_state_t store;
    bool alarm; /* store: its key is refused */
    bool gone;  /* remove: the store does not have it any more */
    int status;
    const char *location;
    apr_int64_t spooled;
    const char *ref, *body, *url;
    void (*also)(gf_run_t *run);
} brought_t;

static gf_flow_t flow;
static apr_time_t the_time;
static gf_type_t type;
static gf_provider_t provider;
static gf_provider_t other_provider;
static gf_prov_kind_t provider_kind;
static gf_store_kind_t store_kind;
static gf_store_kind_t old_store_kind;
static const brought_t *coming; /* what fake readers read */

static apr_time_t fake_clock(void)
{
    return the_time;
}

/* ---- a provider and a store that answer as the test says ---- */

static gf_msg_t *fake_submit(const gf_prov_call_t *call)
{
    return gf_msg_make(call->pool, "POST", "http://provider.test/submit");
}

static gf_msg_t *fake_question(const gf_prov_call_t *call)
{
    return gf_msg_make(call->pool, "GET", "http://provider.test/");
}

static void fake_read(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    (void)msg;
    *outcome = coming->outcome;
    if (outcome->state == GF_PROV_NEXT) {
        outcome->next = gf_msg_make(call->pool, "GET", "http://provider.test/more");
    }
}

static gf_webhook_verdict_t fake_webhook(gf_provider_webhook_t *webhook, const gf_provider_t *from)
{
    (void)webhook;
    (void)from;
    return GF_WEBHOOK_GENUINE;
}

static apr_status_t fake_draw(const gf_prov_call_t *call, const char *path)
{
    (void)call;
    (void)path;
    return APR_SUCCESS;
}

static gf_err_t *fake_put(bool *existing, gf_ctx_t *ctx, const char *name, const char *file)
{
    (void)existing;
    (void)ctx;
    (void)name;
    (void)file;
    return NULL;
}

static gf_msg_t *fake_upload(const gf_store_call_t *call)
{
    return gf_msg_make(call->pool, "PUT", "http://store.test/");
}

static void fake_read_upload(gf_store_outcome_t *outcome, const gf_store_call_t *call,
                             const gf_msg_t *msg)
{
    (void)call;
    (void)msg;
    outcome->state = coming->store;
    outcome->url = HERE;
    outcome->alarm = coming->alarm;
}

static bool fake_read_remove(const gf_store_call_t *call, const gf_msg_t *msg)
{
    (void)call;
    (void)msg;
    return coming->gone;
}

/* ---- the world of a run ---- */

static void make_provider(const given_t *given)
{
    static const gf_prov_kind_t full = { .name = "full",
                                         .submit = fake_submit,
                                         .read_submit = fake_read,
                                         .poll = fake_question,
                                         .read_poll = fake_read,
                                         .cancel = fake_question,
                                         .reconcile = fake_question,
                                         .read_reconcile = fake_read,
                                         .read_webhook = fake_webhook,
                                         .webhook_keys = "http://provider.test/keys" };

    provider_kind = full;
    if (given->provider == SYNC) {
        provider_kind.poll = NULL;
        provider_kind.reconcile = NULL;
    }
    provider_kind.draw = given->provider == DRAWS ? fake_draw : NULL;
    provider_kind.source_as_file = given->provider == FILES || given->provider == DRAWS;
    memset(&provider, 0, sizeof(provider));
    provider.name = "far";
    provider.kind = &provider_kind;
    provider.deadline = DEADLINE;
    provider.poll = POLLS;
    provider.list_wait = FLOOR;
    provider.backoff = provider.backoff_max = 4 * SECONDS; /* without jitter */
    other_provider = provider;
    other_provider.name = "elsewhere";
}

static void make_type(const given_t *given, apr_pool_t *pool)
{
    int i;

    memset(&type, 0, sizeof(type));
    type.name = "neo-glitch";
    type.empty_fails = given->empty_fails;
    type.unknown_next = given->next;
    type.chain = apr_array_make(pool, 2, sizeof(gf_choice_t));
    for (i = 0; i <= given->entries; i++) {
        gf_choice_t *choice = apr_array_push(type.chain);

        choice->provider =
            given->others && i > 0 && i == given->entries ? &other_provider : &provider;
        choice->model = i ? "second" : "first";
        choice->source = GF_SOURCE_MAY;
        choice->source_max = 9;
    }
}

static void shut_store(apr_pool_t *pool)
{
    gf_conf_t *conf = &unit.conf;
    int i;

    conf->store_gate = gf_gate_init(apr_pcalloc(pool, gf_gate_bytes(conf)), conf);
    for (i = 0; i < 10; i++) {
        gf_gate_answered(&flow.ctx, false);
    }
}

static void make_conf(const given_t *given, apr_pool_t *pool)
{
    static const gf_store_kind_t store = { .name = "fake",
                                           .upload = fake_upload,
                                           .read_upload = fake_read_upload,
                                           .remove = fake_upload,
                                           .read_remove = fake_read_remove };
    gf_conf_t *conf = &unit.conf;

    store_kind = store;
    memset(conf, 0, sizeof(*conf));
    conf->lease = LEASE;
    conf->store = &store_kind;
    conf->store_folder = unit_folder;
    conf->store_url = "/generated";
    conf->store_strict = given->strict;
    conf->public_url = given->hooks ? "https://site.test/api" : NULL;
    conf->webhook_hosts = apr_array_make(pool, 1, sizeof(char *));
    APR_ARRAY_PUSH(conf->webhook_hosts, const char *) = "client.test";
    conf->webhook_secret = "a secret";
    conf->webhook_shared = 1;
    conf->webhook_timeout = 10 * SECONDS;
    conf->providers = apr_hash_make(pool);
    apr_hash_set(conf->providers, "far", APR_HASH_KEY_STRING, &provider);
    conf->type_list = apr_array_make(pool, 1, sizeof(gf_type_t *));
    APR_ARRAY_PUSH(conf->type_list, gf_type_t *) = &type;
    if (given->shut) {
        shut_store(pool);
    }
}

static gf_hub_t *hub; /* made once: it has a descriptor */

static void make_flow(const given_t *given, apr_pool_t *pool)
{
    static const gf_hub_bounds_t bounds = { .jobs = 10 };

    if (!hub) {
        ck_assert_int_eq(gf_hub_make(&hub, unit.ctx.pool, &bounds), APR_SUCCESS);
    }
    memset(&flow, 0, sizeof(flow));
    flow.ctx = unit.ctx;
    flow.ctx.clock = fake_clock;
    flow.ctx.pool = flow.pool = pool;
    flow.hub = hub;
    flow.asides = apr_array_make(pool, 2, sizeof(gf_msg_t *));
    gf_reach_init(&flow.reach, pool);
    make_provider(given);
    make_type(given, pool);
    make_conf(given, pool);
    if (given->unreached) {
        gf_reach_missed(&flow.reach, &flow.ctx, &provider, "no route");
    }
}

static gf_job_t *make_job(const gf_kind_t *kind, const given_t *given, apr_pool_t *pool)
{
    gf_job_t *job = apr_pcalloc(pool, sizeof(*job));

    job->pool = pool;
    job->type = &type;
    job->id = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
    job->user = "alice";
    job->phase = given->phase;
    job->provider = given->entries < 0 ? "gone" : "far";
    job->model = "first";
    job->provider_ref = given->ref;
    job->source_url = given->source;
    job->max_retries = given->retries;
    job->last_look = given->last_look;
    job->created = the_time;
    job->deadline = the_time + 600 * SECONDS;
    job->remove_url = given->remove_url;
    job->remove_copy = given->copy;
    job->remove_beside = given->beside;
    job->delivery_attempts = given->attempt;
    job->webhook_timestamp = "1700000000";
    job->intent_until = given->intended ? the_time + LEASE : 0;
    job->webhook_token = given->intended && given->hooks ? "of create" : NULL;
    job->restore_tries = 1;
    job->restore_url = HERE;
    if (given->copied) {
        gf_stored_t facts = { .image = { .extension = "png" } };

        job->restore_url =
            apr_pstrcat(pool, unit.conf.store_url, "/", gf_store_name(&facts, job, pool), NULL);
    }
    job->move_tries = job->restore_tries;
    job->move_url = job->restore_url;
    (void)kind;
    return job;
}

/* A run in START, made ready as the engine does it, at a time of its own. */
static gf_run_t *make_run(const gf_kind_t *kind, const given_t *given, apr_pool_t *pool)
{
    gf_run_t *run;

    the_time = 1000 * SECONDS;
    make_flow(given, pool);
    run = gf_run_make(make_job(kind, given, pool), kind);
    if (kind->prepare) {
        kind->prepare(&flow, run);
    }
    return run;
}

/* Puts the run into a state as if it had come there by the rules. */
static void put(gf_run_t *run, gf_state_t state, const given_t *given)
{
    const gf_duty_t *duty = &run->kind->duties[state];
    gf_stored_t *facts = apr_pcalloc(run->job->pool, sizeof(*facts));

    facts->image.extension = "png";
    run->state = state;
    run->result.facts = given->checked || state == GF_STATE_STORE ? facts : NULL;
    if (run->kind->leased) {
        run->of.generate.provider_deadline = the_time + DEADLINE;
        run->of.generate.intent_until = the_time + LEASE;
        run->of.generate.webhook_token = given->hooks ? "token" : NULL;
    }
    the_time += given->age;
    if (duty->by == GF_BY_NET) {
        run->msg = gf_msg_make(gf_run_pool(&flow), "GET", "http://open.test/");
        run->pending = GF_PENDING_EXCHANGE;
    }
    else {
        run->pending = duty->by == GF_BY_WRITER  ? GF_PENDING_WRITER
                       : duty->by == GF_BY_ALARM ? GF_PENDING_ALARM
                                                 : GF_PENDING_NOTHING;
    }
}

/* What the writer or the net leaves in the run. */
static void bring(gf_run_t *run, const brought_t *brought)
{
    coming = brought;
    run->lease = brought->lease;
    run->settled = brought->settled;
    run->err =
        brought->err ? gf_err_make(&flow.ctx, brought->err, APR_SUCCESS, "as scripted") : NULL;
    run->job->provider_ref = brought->ref ? brought->ref : run->job->provider_ref;
    if (run->msg) {
        run->msg->end = GF_MSG_ANSWERED;
        run->msg->status = brought->status;
        run->msg->spooled = brought->spooled;
        run->msg->answer = apr_table_make(run->msg->pool, 1);
        if (brought->location) {
            apr_table_setn(run->msg->answer, "Location", brought->location);
        }
    }
    if (brought->also) {
        brought->also(run);
    }
    if (!run->kind->leased && run->kind->duties[GF_STATE_DELIVER].by == GF_BY_NET) {
        run->of.deliver.url = brought->url ? brought->url : "https://client.test/hook";
        run->of.deliver.body = brought->body;
    }
}

#endif
