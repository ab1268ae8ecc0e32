/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of runs (work/generate.c, restore.c, remove.c, move.c, deliver.c), without httpd,
 * database, writers and net: all pairs of state and event, the rules about money, and cases for each rule.
 * The cases notice every rule that is missing, also in one state or for one event alone, and every
 * guard that is turned round. `state_test --diagram` prints the table that ARCHITECTURE.md has. */
#include <stdio.h>

#include "state.h"

#define LATE      .given = { .ref = "r", .age = DEADLINE }
#define ON(event) GF_ON(event)
#define IN(state) GF_IN(state)
#define ABOUT_RUN (IN(SENT) | IN(POLL) | IN(LIST))
#define WAITS     (IN(SOURCE_WAIT) | IN(RUNNING) | IN(LOST) | IN(FETCH_WAIT))
#define WRITES                                                                              \
    (IN(ADOPT) | IN(ASSET) | IN(DRAW) | IN(INTENT) | IN(ACCEPT) | IN(PROGRESS) | IN(LOOKUP) \
     | IN(CHECK) | IN(SETTLE) | IN(TEMPORARY) | IN(REQUEUE) | IN(FAIL))
#define BUSY    (WRITES | ABOUT_RUN | IN(SOURCE) | IN(FETCH) | IN(STORE))
#define ANY_END (ON(WRITTEN) | ON(REFUSED))

/* In each of `states`, upon each of `events`: what comes next, and what is logged ("" nothing) or
 * decided. */
typedef struct case_t {
    unsigned states;
    unsigned events;
    gf_state_t next;
    given_t given;
    brought_t brought;
    const char *tag;
    gf_err_code_t code;        /* of a generation that fails or is requeued; 0: any */
    apr_interval_time_t delay; /* 0: any */
} case_t;

static void set_fetched_twice(gf_run_t *run)
{
    run->of.generate.source_fetches = 2;
}

static void set_polled(gf_run_t *run)
{
    run->of.generate.polled_at = the_time;
}

static void set_early(gf_run_t *run)
{
    run->delay = SECONDS;
}

static void set_listed(gf_run_t *run)
{
    run->of.generate.lost_at = the_time - 3 * FLOOR;
    run->of.generate.listed_at = the_time;
}

static void set_absent_now(gf_run_t *run)
{
    set_listed(run);
    run->of.generate.absent_at = the_time - FLOOR / 2;
}

static void set_absent_long(gf_run_t *run)
{
    set_listed(run);
    run->of.generate.absent_at = the_time - FLOOR;
}

static void set_uploaded_twice(gf_run_t *run)
{
    run->result.uploads = 2;
}

static void set_original(gf_run_t *run)
{
    run->result.original_url = HERE;
}

static void set_local_store(gf_run_t *run)
{
    (void)run;
    store_kind.remove = NULL;
}

static void set_folder(gf_run_t *run)
{
    (void)run;
    store_kind.put = fake_put;
}

static void set_same_store(gf_run_t *run)
{
    (void)run;
    unit.conf.store_public = "http://pictures.test";
}

static void set_address(gf_run_t *run)
{
    run->result.image_url = HERE;
}

static void set_objects(gf_run_t *run)
{
    (void)run;
    unit.conf.thumbnails.place = "https://pictures.test";
}

static void set_last_type_of_objects(gf_run_t *run)
{
    set_objects(run);
    run->of.remove.type = 2;
}

static void set_thumbnail_last(gf_run_t *run)
{
    set_objects(run);
    run->of.remove.thumbnail = true;
}

static void set_png_of_objects(gf_run_t *run)
{
    set_objects(run);
    run->job->media_type = "image/png";
}

static void set_old_store(gf_run_t *run)
{
    static gf_conf_t old;

    old = unit.conf;
    old.store = &old_store_kind;
    old_store_kind = store_kind;
    unit.conf.store_old = &old;
    run->of.remove.type = 2;
}

static void set_only_old_store(gf_run_t *run)
{
    set_old_store(run);
    set_local_store(run);
}

static void set_at_old_store(gf_run_t *run)
{
    set_old_store(run);
    run->of.remove.old = true;
}

static void set_last_type(gf_run_t *run)
{
    run->of.remove.type = 2;
}

static void set_any_type(gf_run_t *run)
{
    (void)run;
    store_kind.any_type = true;
}

static void set_png(gf_run_t *run)
{
    run->job->media_type = "image/png";
}

static void set_png_of_any_type(gf_run_t *run)
{
    set_png(run);
    set_any_type(run);
}

#define SAYS(...)   .brought = { .outcome = { __VA_ARGS__ } }
#define BRINGS(...) .brought = { __VA_ARGS__ }
#define GIVEN(...)  .given = { __VA_ARGS__ }
#define PLAIN       .tag = NULL

/* GenflowTypeUnknown next, and the entry after the next one is of another provider. */
#define ELSEWHERE .next = true, .others = true, .entries = 2

/* clang-format off */
static const case_t of_generate[] = {
    /* the beginning */
    { IN(START), ON(BEGUN), GF_STATE_INTENT, PLAIN },
    { IN(START), ON(BEGUN), GF_STATE_ADOPT, GIVEN(.phase = GF_PHASE_SENDING) },
    { IN(START), ON(BEGUN), GF_STATE_ADOPT, GIVEN(.phase = GF_PHASE_WORKING, .ref = "r") },
    { IN(START), ON(BEGUN), GF_STATE_ADOPT, GIVEN(.last_look = true) },
    { IN(START), ON(BEGUN), GF_STATE_FAIL, GIVEN(.entries = -1), .code = GF_E_NO_PROVIDER },
    { IN(START), ON(BEGUN), GF_STATE_REQUEUE, GIVEN(.unreached = true), .tag = "GF0622" },
    { IN(START), ON(BEGUN), GF_STATE_ASSET, GIVEN(.source = "asset:0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b") },
    { IN(START), ON(BEGUN), GF_STATE_ASSET, GIVEN(.source = "asset:0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", .provider = FILES) },
    { IN(START), ON(BEGUN), GF_STATE_SOURCE, GIVEN(.source = HERE, .provider = FILES) },
    { IN(START), ON(BEGUN), GF_STATE_SOURCE, GIVEN(.source = HERE, .provider = DRAWS) },
    { IN(START), ON(BEGUN), GF_STATE_SOURCE, GIVEN(.source = "asset:0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b\n" HERE, .provider = FILES) },
    { IN(START), ON(BEGUN), GF_STATE_INTENT, GIVEN(.source = HERE) },
    { IN(START), ON(BEGUN), GF_STATE_SENT, GIVEN(.intended = true) },
    { IN(START), ON(BEGUN), GF_STATE_SENT, GIVEN(.intended = true, .source = HERE) },
    { IN(START), ON(BEGUN), GF_STATE_REQUEUE, GIVEN(.intended = true, .age = LEASE + 1), .tag = "GF0420", .code = GF_E_NETWORK },
    { IN(START), ON(BEGUN), GF_STATE_REQUEUE, GIVEN(.intended = true, .unreached = true), .tag = "GF0622", .code = GF_E_NETWORK },
    { IN(START), ON(BEGUN), GF_STATE_ADOPT, GIVEN(.intended = true, .phase = GF_PHASE_SENDING) },
    { IN(START), ON(BEGUN), GF_STATE_DRAW, GIVEN(.provider = DRAWS) },

    /* after a lost lease */
    { IN(ADOPT), ON(WRITTEN), GF_STATE_OVER, GIVEN(.phase = GF_PHASE_SENDING, .checked = true), BRINGS(.settled = GF_SETTLED_DONE), .tag = "GF0405" },
    { IN(ADOPT), ON(WRITTEN), GF_STATE_TEMPORARY, GIVEN(.phase = GF_PHASE_SENDING, .checked = true, .shut = true) },
    { IN(ADOPT), ON(WRITTEN), GF_STATE_STORE, GIVEN(.phase = GF_PHASE_SENDING, .checked = true) },
    { IN(ADOPT), ON(WRITTEN), GF_STATE_STORE, GIVEN(.last_look = true, .checked = true) },
    { IN(ADOPT), ON(WRITTEN), GF_STATE_FAIL, GIVEN(.phase = GF_PHASE_WORKING, .ref = "r", .last_look = true), .code = GF_E_TIMEOUT },
    { IN(ADOPT), ON(WRITTEN), GF_STATE_FAIL, GIVEN(.phase = GF_PHASE_SENDING, .entries = -1), .code = GF_E_NO_PROVIDER },
    { IN(ADOPT), ON(WRITTEN), GF_STATE_POLL, GIVEN(.phase = GF_PHASE_WORKING, .ref = "r") },
    { IN(ADOPT), ON(WRITTEN), GF_STATE_LOST, GIVEN(.phase = GF_PHASE_SENDING) },
    { IN(ADOPT), ON(WRITTEN), GF_STATE_FAIL, GIVEN(.phase = GF_PHASE_SENDING, .provider = SYNC), .code = GF_E_NETWORK },
    { IN(ADOPT), ON(WRITTEN), GF_STATE_REQUEUE, GIVEN(.phase = GF_PHASE_SENDING, .provider = SYNC, ELSEWHERE), .tag = "GF0425", .code = GF_E_NETWORK },
    { IN(ADOPT), ON(WRITTEN), GF_STATE_LOST, GIVEN(.phase = GF_PHASE_SENDING, ELSEWHERE) },
    { IN(ADOPT), ON(WRITTEN), GF_STATE_FAIL, GIVEN(.phase = GF_PHASE_SENDING, .provider = SYNC, .next = true, .entries = 2), .code = GF_E_NETWORK },
    { IN(ADOPT), ON(WRITTEN), GF_STATE_FAIL, GIVEN(.phase = GF_PHASE_SENDING, .provider = SYNC, .last_look = true, ELSEWHERE), .code = GF_E_TIMEOUT },

    /* the source image */
    { IN(SOURCE), ON(ANSWERED), GF_STATE_ASSET, GIVEN(.provider = FILES), BRINGS(.status = 200, .spooled = 1) },
    { IN(SOURCE), ON(ANSWERED), GF_STATE_SOURCE, GIVEN(.provider = FILES), BRINGS(.status = 302, .location = HERE) },
    { IN(SOURCE), ON(ANSWERED), GF_STATE_SOURCE, GIVEN(.provider = FILES, .source = HERE "\n" HERE), BRINGS(.status = 200, .spooled = 1) },
    { IN(SOURCE), ON(ANSWERED), GF_STATE_ASSET, GIVEN(.provider = FILES, .source = HERE "\nasset:0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"), BRINGS(.status = 200, .spooled = 1) },
    { IN(SOURCE), ON(ANSWERED), GF_STATE_SOURCE_WAIT, GIVEN(.provider = FILES), BRINGS(.status = 503) },
    { IN(SOURCE), ON(ANSWERED), GF_STATE_FAIL, GIVEN(.provider = FILES), BRINGS(.status = 503, .also = set_fetched_twice), .code = GF_E_SOURCE },
    { IN(SOURCE), ON(ANSWERED), GF_STATE_FAIL, GIVEN(.provider = FILES), BRINGS(.status = 404), .code = GF_E_SOURCE },
    { IN(SOURCE_WAIT), ON(ALARM), GF_STATE_SOURCE, PLAIN },
    { IN(ASSET), ON(WRITTEN), GF_STATE_DRAW, GIVEN(.provider = DRAWS) },
    { IN(ASSET), ON(WRITTEN), GF_STATE_INTENT, PLAIN },

    /* the intent */
    { IN(INTENT), ON(WRITTEN), GF_STATE_SENT, BRINGS(.lease = GF_LEASE_OURS) },
    { IN(INTENT), ON(WRITTEN), GF_STATE_SENT, BRINGS(.lease = GF_LEASE_WATCHED) },
    { IN(INTENT), ON(WRITTEN), GF_STATE_REQUEUE, GIVEN(.age = LEASE + 1), BRINGS(.lease = GF_LEASE_OURS), .tag = "GF0420", .code = GF_E_NETWORK },
    { IN(INTENT), ON(WRITTEN), GF_STATE_REQUEUE, GIVEN(.entries = 1), BRINGS(.lease = GF_LEASE_BREAKER_OPEN), .code = GF_E_NO_PROVIDER },
    { IN(INTENT), ON(WRITTEN), GF_STATE_REQUEUE, GIVEN(.entries = 1), BRINGS(.lease = GF_LEASE_BUDGET_SPENT), .tag = "GF0720" },
    { IN(INTENT), ON(WRITTEN), GF_STATE_REQUEUE, GIVEN(.entries = 1), BRINGS(.lease = GF_LEASE_UNSURE), .tag = "GF0426", .code = GF_E_NO_PROVIDER },
    { IN(INTENT), ON(WRITTEN), GF_STATE_FAIL, BRINGS(.lease = GF_LEASE_UNSURE), .tag = "GF0426", .code = GF_E_NETWORK },
    { IN(INTENT), ON(WRITTEN), GF_STATE_FAIL, BRINGS(.lease = GF_LEASE_BREAKER_OPEN), .code = GF_E_NO_PROVIDER },
    { IN(INTENT), ON(WRITTEN), GF_STATE_FAIL, BRINGS(.lease = GF_LEASE_BUDGET_SPENT), .code = GF_E_NO_PROVIDER },
    { IN(INTENT), ON(WRITTEN), GF_STATE_FAIL, GIVEN(.entries = 1), BRINGS(.lease = GF_LEASE_ENDED), .code = GF_E_TIMEOUT },
    { IN(INTENT), ON(WRITTEN), GF_STATE_OVER, GIVEN(.entries = 1), BRINGS(.lease = GF_LEASE_LOST) },
    { IN(INTENT), ON(WRITTEN), GF_STATE_OVER, BRINGS(.lease = GF_LEASE_REPORTED) },
    { IN(INTENT) | IN(DRAW), ON(REFUSED), GF_STATE_REQUEUE, BRINGS(.err = GF_E_STORE_CLOSED), .code = GF_E_STORE_CLOSED },

    /* a picture */
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_CHECK, SAYS(.state = GF_PROV_SUCCEEDED, .picture_b64 = "AAAA") },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_CHECK, SAYS(.state = GF_PROV_SUCCEEDED, .picture_url = "data:image/png;base64,AAAA") },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_CHECK, SAYS(.state = GF_PROV_SUCCEEDED) },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_FETCH, SAYS(.state = GF_PROV_SUCCEEDED, .picture_url = HERE) },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_FAIL, GIVEN(.entries = 1), SAYS(.state = GF_PROV_SUCCEEDED, .picture_url = "ftp://a/b"), .code = GF_E_RESULT },
    { IN(FETCH), ON(ANSWERED), GF_STATE_CHECK, BRINGS(.status = 200, .spooled = 1) },
    { IN(FETCH), ON(ANSWERED), GF_STATE_FETCH, BRINGS(.status = 302, .location = HERE) },
    { IN(FETCH), ON(ANSWERED), GF_STATE_FETCH_WAIT, BRINGS(.status = 503) },
    { IN(FETCH), ON(ANSWERED), GF_STATE_FAIL, GIVEN(.entries = 1), BRINGS(.status = 404), .code = GF_E_RESULT },
    { IN(FETCH), ON(ANSWERED), GF_STATE_REQUEUE, GIVEN(.entries = 1, .empty_fails = true), BRINGS(.status = 404) },

    /* it works */
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_ACCEPT, SAYS(.state = GF_PROV_WORKING, .ref = "r") },
    { IN(POLL), ON(ANSWERED), GF_STATE_PROGRESS, GIVEN(.ref = "r"), SAYS(.state = GF_PROV_WORKING, .ref = "r", .progress = { .fraction = 0.5 }) },
    { IN(POLL), ON(ANSWERED), GF_STATE_RUNNING, GIVEN(.ref = "r"), SAYS(.state = GF_PROV_WORKING, .ref = "r"), .delay = POLLS },
    { IN(SENT) | IN(LIST), ON(ANSWERED), GF_STATE_LOST, SAYS(.state = GF_PROV_WORKING, .progress = { .fraction = 0.5 }) },

    /* there is more to read */
    { IN(LIST), ON(ANSWERED), GF_STATE_LIST, SAYS(.state = GF_PROV_NEXT) },
    { IN(LIST), ON(ANSWERED), GF_STATE_FAIL, LATE, SAYS(.state = GF_PROV_NEXT), .code = GF_E_TIMEOUT },
    { IN(LIST), ON(ANSWERED), GF_STATE_REQUEUE, GIVEN(.age = DEADLINE, ELSEWHERE), SAYS(.state = GF_PROV_NEXT), .tag = "GF0425" },
    { IN(LIST), ON(ANSWERED), GF_STATE_FAIL, LATE, SAYS(.state = GF_PROV_UNKNOWN, .code = GF_E_NETWORK), .code = GF_E_TIMEOUT },
    { IN(LIST), ON(ANSWERED), GF_STATE_FAIL, LATE, SAYS(.state = GF_PROV_UNKNOWN, .settled = true, .code = GF_E_NETWORK), .code = GF_E_NETWORK },
    { IN(LIST), ON(ANSWERED), GF_STATE_LIST, GIVEN(ELSEWHERE), SAYS(.state = GF_PROV_NEXT) },
    { IN(SENT) | IN(POLL), ON(ANSWERED), GF_STATE_POLL, SAYS(.state = GF_PROV_NEXT) },
    { IN(SENT) | IN(POLL), ON(ANSWERED), GF_STATE_POLL, LATE, SAYS(.state = GF_PROV_NEXT) },

    /* nothing: it is not sent again */
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_LOOKUP, GIVEN(.hooks = true, .retries = 1, .entries = 1), SAYS(.state = GF_PROV_UNKNOWN), .delay = POLLS },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_LOOKUP, GIVEN(.hooks = true), SAYS(.state = GF_PROV_UNKNOWN, .settled = true) },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_LOST, GIVEN(.retries = 1, .entries = 1), SAYS(.state = GF_PROV_UNKNOWN), .delay = POLLS },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_FAIL, GIVEN(.retries = 1, .entries = 1), SAYS(.state = GF_PROV_UNKNOWN, .settled = true, .code = GF_E_NETWORK), .code = GF_E_NETWORK },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_FAIL, GIVEN(.hooks = true, .age = DEADLINE, .retries = 1, .entries = 1), SAYS(.state = GF_PROV_UNKNOWN) },
    { IN(SENT), ON(ANSWERED), GF_STATE_FAIL, GIVEN(.provider = SYNC, .retries = 1, .entries = 1), SAYS(.state = GF_PROV_UNKNOWN) },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_LOOKUP, GIVEN(.hooks = true, ELSEWHERE), SAYS(.state = GF_PROV_UNKNOWN) },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_LOST, GIVEN(ELSEWHERE), SAYS(.state = GF_PROV_UNKNOWN) },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_REQUEUE, GIVEN(.retries = 1, ELSEWHERE), SAYS(.state = GF_PROV_UNKNOWN, .settled = true, .code = GF_E_API), .tag = "GF0425", .code = GF_E_NETWORK },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_REQUEUE, GIVEN(.hooks = true, .age = DEADLINE, ELSEWHERE), SAYS(.state = GF_PROV_UNKNOWN), .tag = "GF0425" },
    { IN(SENT), ON(ANSWERED), GF_STATE_REQUEUE, GIVEN(.provider = SYNC, ELSEWHERE), SAYS(.state = GF_PROV_UNKNOWN), .tag = "GF0425" },
    { IN(SENT), ON(ANSWERED), GF_STATE_FAIL, GIVEN(.provider = SYNC, .next = true, .entries = 2), SAYS(.state = GF_PROV_UNKNOWN) },
    { IN(SENT), ON(ANSWERED), GF_STATE_FAIL, GIVEN(.provider = SYNC, .others = true, .entries = 2), SAYS(.state = GF_PROV_UNKNOWN) },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_FAIL, GIVEN(ELSEWHERE), SAYS(.state = GF_PROV_FILTERED, .code = GF_E_FILTERED), .code = GF_E_FILTERED },
    { IN(LIST), ON(ANSWERED), GF_STATE_LOST, GIVEN(.retries = 1, .entries = 1), SAYS(.state = GF_PROV_TRANSIENT, .absent = true) },
    { IN(LIST), ON(ANSWERED), GF_STATE_LOST, GIVEN(.retries = 1), BRINGS(.outcome = { .state = GF_PROV_TRANSIENT, .absent = true }, .also = set_listed) },
    { IN(LIST), ON(ANSWERED), GF_STATE_LOST, GIVEN(.retries = 1), BRINGS(.outcome = { .state = GF_PROV_TRANSIENT, .absent = true }, .also = set_absent_now) },
    { IN(LIST), ON(ANSWERED), GF_STATE_REQUEUE, GIVEN(.retries = 1), BRINGS(.outcome = { .state = GF_PROV_TRANSIENT, .absent = true }, .also = set_absent_long) },

    /* a failure */
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_REQUEUE, GIVEN(.retries = 1), SAYS(.state = GF_PROV_TRANSIENT, .code = GF_E_API), .code = GF_E_API, .delay = 4 * SECONDS },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_REQUEUE, GIVEN(.entries = 1), SAYS(.state = GF_PROV_TRANSIENT, .code = GF_E_API), .code = GF_E_API },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_FAIL, SAYS(.state = GF_PROV_TRANSIENT, .code = GF_E_API), .code = GF_E_RETRIES },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_REQUEUE, GIVEN(.entries = 1), SAYS(.state = GF_PROV_PERMANENT, .code = GF_E_API) },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_FAIL, GIVEN(.retries = 1), SAYS(.state = GF_PROV_PERMANENT, .code = GF_E_API), .code = GF_E_API },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_FAIL, GIVEN(.entries = 1, .retries = 1), SAYS(.state = GF_PROV_EMPTY, .code = GF_E_EMPTY), .code = GF_E_EMPTY },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_REQUEUE, GIVEN(.entries = 1, .empty_fails = true), SAYS(.state = GF_PROV_EMPTY, .code = GF_E_EMPTY) },
    { ABOUT_RUN, ON(ANSWERED), GF_STATE_FAIL, GIVEN(.entries = 1, .retries = 1), SAYS(.state = GF_PROV_FILTERED, .code = GF_E_FILTERED), .code = GF_E_FILTERED },

    /* the provider works */
    { IN(ACCEPT) | IN(PROGRESS), ON(WRITTEN), GF_STATE_FAIL, BRINGS(.lease = GF_LEASE_ENDED), .code = GF_E_TIMEOUT },
    { IN(ACCEPT) | IN(PROGRESS), ON(WRITTEN), GF_STATE_OVER, BRINGS(.lease = GF_LEASE_LOST) },
    { IN(ACCEPT) | IN(PROGRESS), ON(WRITTEN), GF_STATE_POLL, BRINGS(.lease = GF_LEASE_REPORTED) },
    { IN(ACCEPT), ON(WRITTEN), GF_STATE_RUNNING, BRINGS(.lease = GF_LEASE_OURS), .delay = POLLS },
    { IN(PROGRESS), ON(WRITTEN), GF_STATE_RUNNING, BRINGS(.lease = GF_LEASE_OURS) },
    { IN(RUNNING), ON(ALARM) | ON(WEBHOOK_RECEIVED), GF_STATE_POLL, GIVEN(.ref = "r") },
    { IN(RUNNING), ON(ALARM) | ON(WEBHOOK_RECEIVED), GF_STATE_POLL, LATE },
    { IN(RUNNING), ON(ALARM) | ON(WEBHOOK_RECEIVED), GF_STATE_FAIL, LATE, BRINGS(.also = set_polled), .code = GF_E_TIMEOUT },
    { IN(FETCH_WAIT), ON(ALARM) | ON(WEBHOOK_RECEIVED), GF_STATE_FETCH, PLAIN },
    { IN(FETCH_WAIT), ON(ALARM) | ON(WEBHOOK_RECEIVED), GF_STATE_FAIL, LATE, BRINGS(.also = set_polled), .code = GF_E_TIMEOUT },

    /* the answer is lost */
    { IN(LOST), ON(ALARM) | ON(WEBHOOK_RECEIVED), GF_STATE_LOOKUP, PLAIN },
    { IN(LOST), ON(ALARM) | ON(WEBHOOK_RECEIVED), GF_STATE_POLL, GIVEN(.ref = "r") },
    { IN(LOST), ON(ALARM) | ON(WEBHOOK_RECEIVED), GF_STATE_FAIL, GIVEN(.age = DEADLINE), .code = GF_E_TIMEOUT },
    { IN(LOST), ON(ALARM) | ON(WEBHOOK_RECEIVED), GF_STATE_LOOKUP, GIVEN(ELSEWHERE) },
    { IN(LOST), ON(ALARM) | ON(WEBHOOK_RECEIVED), GF_STATE_REQUEUE, GIVEN(.age = DEADLINE, ELSEWHERE), .tag = "GF0425", .code = GF_E_NETWORK },
    { IN(LOOKUP), ON(WRITTEN), GF_STATE_POLL, BRINGS(.ref = "r") },
    { IN(LOOKUP), ON(WRITTEN), GF_STATE_LOST, BRINGS(.also = set_early) },
    { IN(LOOKUP), ON(WRITTEN), GF_STATE_LIST, PLAIN },
    { IN(LOOKUP), ON(WRITTEN), GF_STATE_LOST, GIVEN(.provider = SYNC), .delay = POLLS },

    /* the store */
    { IN(DRAW) | IN(CHECK) | IN(SETTLE) | IN(TEMPORARY), ON(WRITTEN), GF_STATE_OVER, GIVEN(.checked = true), BRINGS(.settled = GF_SETTLED_DONE), .tag = "GF0405" },
    { IN(DRAW) | IN(CHECK) | IN(SETTLE) | IN(TEMPORARY), ON(WRITTEN), GF_STATE_OVER, GIVEN(.checked = true), BRINGS(.settled = GF_SETTLED_ALREADY_ENDED), .tag = "GF0404" },
    { IN(DRAW) | IN(CHECK), ON(WRITTEN), GF_STATE_STORE, GIVEN(.checked = true) },
    { IN(DRAW) | IN(CHECK), ON(WRITTEN), GF_STATE_TEMPORARY, GIVEN(.checked = true, .shut = true) },
    { IN(DRAW) | IN(CHECK), ON(WRITTEN), GF_STATE_STORE, GIVEN(.checked = true, .shut = true, .strict = true) },
    { IN(STORE), ON(ANSWERED), GF_STATE_SETTLE, BRINGS(.store = GF_STORE_STORED) },
    { IN(STORE), ON(ANSWERED), GF_STATE_STORE_WAIT, BRINGS(.store = GF_STORE_LATER) },
    { IN(STORE), ON(ANSWERED), GF_STATE_TEMPORARY, BRINGS(.store = GF_STORE_LATER, .also = set_uploaded_twice) },
    { IN(STORE), ON(ANSWERED), GF_STATE_TEMPORARY, BRINGS(.store = GF_STORE_REFUSED) },
    { IN(STORE), ON(ANSWERED), GF_STATE_FAIL, GIVEN(.strict = true), BRINGS(.store = GF_STORE_REFUSED), .code = GF_E_STORE },
    { IN(STORE_WAIT), ON(ALARM), GF_STATE_STORE, GIVEN(.checked = true) },
    { IN(CHECK), ON(REFUSED), GF_STATE_TEMPORARY, GIVEN(.checked = true), BRINGS(.err = GF_E_STORE, .also = set_original) },
    { IN(CHECK), ON(REFUSED), GF_STATE_FAIL, GIVEN(.checked = true, .strict = true), BRINGS(.err = GF_E_STORE, .also = set_original), .code = GF_E_STORE },

    /* ends */
    { WRITES & ~IN(FAIL), ON(REFUSED), GF_STATE_FAIL, BRINGS(.err = GF_E_STORE), .code = GF_E_STORE },
    { WRITES & ~IN(FAIL), ON(REFUSED), GF_STATE_FAIL, BRINGS(.err = GF_E_RESULT), .code = GF_E_RESULT },
    { WRITES & ~IN(FAIL), ON(REFUSED), GF_STATE_FAIL, BRINGS(.err = GF_E_EMPTY), .code = GF_E_EMPTY },
    { WRITES & ~IN(FAIL), ON(REFUSED), GF_STATE_FAIL, BRINGS(.err = GF_E_SOURCE), .code = GF_E_SOURCE },
    { WRITES, ON(REFUSED), GF_STATE_OVER, BRINGS(.err = GF_E_INTERNAL) },
    { IN(FAIL), ON(REFUSED), GF_STATE_OVER, BRINGS(.err = GF_E_STORE) },
    { IN(FAIL), ON(WRITTEN), GF_STATE_OVER, BRINGS(.settled = GF_SETTLED_DONE) },
    { IN(REQUEUE), ON(WRITTEN), GF_STATE_OVER, PLAIN },

    /* from outside */
    { WAITS, ON(JOB_ENDED), GF_STATE_FAIL, .code = GF_E_TIMEOUT },
    { WAITS, ON(LEASE_LOST), GF_STATE_OVER, PLAIN },
    { BUSY, ON(JOB_ENDED) | ON(WEBHOOK_RECEIVED), GF_NEXT_POSTPONE, PLAIN },
    { BUSY | IN(STORE_WAIT), ON(LEASE_LOST), GF_NEXT_STAY, PLAIN },
    { IN(STORE_WAIT), ON(JOB_ENDED), GF_STATE_FAIL, GIVEN(.checked = true), .tag = "", .code = GF_E_STORE },
    { IN(STORE_WAIT) | IN(SOURCE_WAIT), ON(WEBHOOK_RECEIVED), GF_NEXT_STAY, PLAIN },
    { WRITES, ON(NO_DATABASE), GF_NEXT_PAUSE, BRINGS(.err = GF_E_DB_DOWN) },
    { WRITES, ON(ALARM), GF_NEXT_AGAIN, PLAIN },
};

static const case_t of_restore[] = {
    { IN(START), ON(BEGUN), GF_STATE_FETCH, PLAIN },
    { IN(START), ON(BEGUN), GF_STATE_CHECK, GIVEN(.copied = true) },
    { IN(FETCH), ON(ANSWERED), GF_STATE_FETCH, BRINGS(.status = 302, .location = HERE) },
    { IN(FETCH), ON(ANSWERED), GF_STATE_CHECK, BRINGS(.status = 200, .spooled = 1) },
    { IN(FETCH), ON(ANSWERED), GF_STATE_REQUEUE, BRINGS(.status = 503), .delay = SECONDS },
    { IN(FETCH), ON(ANSWERED), GF_STATE_REQUEUE, BRINGS(.status = 404), .tag = "GF0416" },
    { IN(CHECK) | IN(SETTLE), ON(WRITTEN), GF_STATE_OVER, BRINGS(.settled = GF_SETTLED_DONE), .tag = "GF0413" },
    { IN(CHECK) | IN(SETTLE), ON(WRITTEN), GF_STATE_OVER, BRINGS(.settled = GF_SETTLED_UNKNOWN), .tag = "GF0404" },
    { IN(CHECK), ON(WRITTEN), GF_STATE_STORE, GIVEN(.checked = true) },
    { IN(CHECK) | IN(SETTLE), ON(WRITTEN), GF_STATE_REQUEUE, BRINGS(.also = set_address), .delay = SECONDS },
    { IN(STORE), ON(ANSWERED), GF_STATE_SETTLE, BRINGS(.store = GF_STORE_STORED) },
    { IN(STORE), ON(ANSWERED), GF_STATE_STORE_WAIT, BRINGS(.store = GF_STORE_LATER) },
    { IN(STORE), ON(ANSWERED), GF_STATE_REQUEUE, BRINGS(.store = GF_STORE_REFUSED), .delay = SECONDS },
    { IN(STORE), ON(ANSWERED), GF_STATE_REQUEUE, BRINGS(.store = GF_STORE_LATER, .also = set_uploaded_twice) },
    { IN(STORE_WAIT), ON(ALARM), GF_STATE_STORE, GIVEN(.checked = true) },
    { IN(CHECK) | IN(SETTLE), ON(REFUSED), GF_STATE_REQUEUE, BRINGS(.err = GF_E_STORE), .delay = SECONDS },
    { IN(CHECK) | IN(SETTLE), ON(REFUSED), GF_STATE_REQUEUE, BRINGS(.err = GF_E_RESULT), .tag = "GF0416" },
    { IN(REQUEUE), ANY_END, GF_STATE_OVER, BRINGS(.err = GF_E_INTERNAL) },
    { IN(CHECK) | IN(SETTLE) | IN(REQUEUE), ON(NO_DATABASE), GF_NEXT_PAUSE, BRINGS(.err = GF_E_DB_DOWN) },
    { IN(CHECK) | IN(SETTLE) | IN(REQUEUE), ON(ALARM), GF_NEXT_AGAIN, PLAIN },
};

static const case_t of_remove[] = {
    { IN(START), ON(BEGUN), GF_STATE_SETTLE, GIVEN(.remove_url = ""), BRINGS(.also = set_local_store), .tag = "" },
    { IN(START), ON(BEGUN), GF_STATE_SETTLE, GIVEN(.remove_url = HERE), .tag = "GF0417" },
    { IN(START), ON(BEGUN), GF_STATE_OVER, GIVEN(.remove_url = HERE, .copy = true), .tag = "GF0424" },
    { IN(START), ON(BEGUN), GF_STATE_OVER, GIVEN(.remove_url = HERE, .copy = true), BRINGS(.also = set_png), .tag = "GF0424" },
    { IN(START), ON(BEGUN), GF_STATE_SETTLE, GIVEN(.remove_url = HERE), BRINGS(.also = set_local_store), .tag = "GF0417" },
    { IN(START), ON(BEGUN), GF_STATE_REMOVE, GIVEN(.remove_url = "") },
    { IN(START), ON(BEGUN), GF_STATE_REMOVE, GIVEN(.remove_url = ""), BRINGS(.also = set_only_old_store) },
    { IN(REMOVE), ON(ANSWERED), GF_STATE_REMOVE, GIVEN(.remove_url = ""), BRINGS(.gone = true, .also = set_old_store) },
    { IN(REMOVE), ON(ANSWERED), GF_STATE_SETTLE, GIVEN(.remove_url = ""), BRINGS(.gone = true, .also = set_at_old_store) },
    { IN(START), ON(BEGUN), GF_STATE_REMOVE, GIVEN(.remove_url = HERE), BRINGS(.also = set_png) },
    { IN(START), ON(BEGUN), GF_STATE_SETTLE, GIVEN(.remove_url = HERE, .beside = true), BRINGS(.also = set_any_type), .tag = "" },
    { IN(START), ON(BEGUN), GF_STATE_REMOVE, GIVEN(.remove_url = HERE), BRINGS(.also = set_png_of_any_type) },
    { IN(REMOVE), ON(ANSWERED), GF_STATE_OVER, GIVEN(.remove_url = ""), BRINGS(.status = 503), .tag = "GF0418" },
    { IN(REMOVE), ON(ANSWERED), GF_STATE_REMOVE, GIVEN(.remove_url = ""), BRINGS(.gone = true) },
    { IN(REMOVE), ON(ANSWERED), GF_STATE_SETTLE, GIVEN(.remove_url = ""), BRINGS(.gone = true, .also = set_last_type) },
    { IN(REMOVE), ON(ANSWERED), GF_STATE_SETTLE, GIVEN(.remove_url = ""), BRINGS(.gone = true, .also = set_any_type) },
    { IN(REMOVE), ON(ANSWERED), GF_STATE_SETTLE, GIVEN(.remove_url = HERE), BRINGS(.gone = true, .also = set_png) },
    { IN(REMOVE), ON(ANSWERED), GF_STATE_REMOVE, GIVEN(.remove_url = ""), BRINGS(.gone = true, .also = set_last_type_of_objects) },
    { IN(REMOVE), ON(ANSWERED), GF_STATE_REMOVE, GIVEN(.remove_url = HERE), BRINGS(.gone = true, .also = set_png_of_objects) },
    { IN(REMOVE), ON(ANSWERED), GF_STATE_SETTLE, GIVEN(.remove_url = HERE, .beside = true), BRINGS(.gone = true, .also = set_png_of_objects) },
    { IN(REMOVE), ON(ANSWERED), GF_STATE_SETTLE, GIVEN(.remove_url = ""), BRINGS(.gone = true, .also = set_thumbnail_last) },
    { IN(REMOVE), ON(ANSWERED), GF_STATE_OVER, GIVEN(.remove_url = ""), BRINGS(.status = 503, .also = set_thumbnail_last), .tag = "GF0418" },
    { IN(SETTLE), ANY_END, GF_STATE_OVER, GIVEN(.remove_url = ""), BRINGS(.err = GF_E_STORE) },
    { IN(SETTLE), ON(NO_DATABASE), GF_NEXT_PAUSE, GIVEN(.remove_url = ""), BRINGS(.err = GF_E_DB_DOWN) },
    { IN(SETTLE), ON(ALARM), GF_NEXT_AGAIN, GIVEN(.remove_url = "") },
};

static const case_t of_move[] = {
    { IN(START), ON(BEGUN), GF_STATE_FETCH, PLAIN },
    { IN(START), ON(BEGUN), GF_STATE_CHECK, GIVEN(.copied = true) },
    { IN(START), ON(BEGUN), GF_STATE_REQUEUE, GIVEN(.copied = true), BRINGS(.also = set_folder), .tag = "GF0423", .delay = SECONDS },
    { IN(START), ON(BEGUN), GF_STATE_REQUEUE, BRINGS(.also = set_same_store), .tag = "GF0423" },
    { IN(FETCH), ON(ANSWERED), GF_STATE_FETCH, BRINGS(.status = 302, .location = HERE) },
    { IN(FETCH), ON(ANSWERED), GF_STATE_CHECK, BRINGS(.status = 200, .spooled = 1) },
    { IN(FETCH), ON(ANSWERED), GF_STATE_REQUEUE, BRINGS(.status = 503), .tag = "GF0423", .delay = SECONDS },
    { IN(FETCH), ON(ANSWERED), GF_STATE_FAIL, BRINGS(.status = 404), .tag = "GF0422" },
    { IN(CHECK) | IN(SETTLE), ON(WRITTEN), GF_STATE_OVER, BRINGS(.settled = GF_SETTLED_DONE), .tag = "GF0419" },
    { IN(CHECK) | IN(SETTLE), ON(WRITTEN), GF_STATE_OVER, BRINGS(.settled = GF_SETTLED_UNKNOWN), .tag = "GF0404" },
    { IN(CHECK), ON(WRITTEN), GF_STATE_STORE, GIVEN(.checked = true) },
    { IN(CHECK) | IN(SETTLE), ON(WRITTEN), GF_STATE_REQUEUE, BRINGS(.also = set_address), .tag = "GF0423" },
    { IN(STORE), ON(ANSWERED), GF_STATE_READ_BACK, BRINGS(.store = GF_STORE_STORED) },
    { IN(STORE), ON(ANSWERED), GF_STATE_STORE_WAIT, BRINGS(.store = GF_STORE_LATER) },
    { IN(STORE), ON(ANSWERED), GF_STATE_FAIL, BRINGS(.store = GF_STORE_REFUSED), .tag = "GF0422" },
    { IN(STORE), ON(ANSWERED), GF_STATE_REQUEUE, BRINGS(.store = GF_STORE_REFUSED, .alarm = true), .delay = SECONDS },
    { IN(STORE), ON(ANSWERED), GF_STATE_REQUEUE, BRINGS(.store = GF_STORE_LATER, .also = set_uploaded_twice) },
    { IN(STORE_WAIT), ON(ALARM), GF_STATE_STORE, GIVEN(.checked = true) },
    { IN(READ_BACK), ON(ANSWERED), GF_STATE_SETTLE, BRINGS(.status = 200, .spooled = 1, .also = set_address) },
    { IN(READ_BACK), ON(ANSWERED), GF_STATE_REQUEUE, BRINGS(.status = 404, .also = set_address), .tag = "GF0423", .delay = SECONDS },
    { IN(READ_BACK), ON(ANSWERED), GF_STATE_REQUEUE, BRINGS(.status = 302, .location = HERE, .also = set_address), .tag = "GF0423" },
    { IN(CHECK) | IN(SETTLE), ON(REFUSED), GF_STATE_REQUEUE, BRINGS(.err = GF_E_STORE), .tag = "GF0423", .delay = SECONDS },
    { IN(CHECK) | IN(SETTLE), ON(REFUSED), GF_STATE_FAIL, BRINGS(.err = GF_E_RESULT), .tag = "GF0422" },
    { IN(REQUEUE) | IN(FAIL), ANY_END, GF_STATE_OVER, BRINGS(.err = GF_E_INTERNAL) },
    { IN(CHECK) | IN(SETTLE) | IN(REQUEUE) | IN(FAIL), ON(NO_DATABASE), GF_NEXT_PAUSE, BRINGS(.err = GF_E_DB_DOWN) },
    { IN(CHECK) | IN(SETTLE) | IN(REQUEUE) | IN(FAIL), ON(ALARM), GF_NEXT_AGAIN, PLAIN },
};

static const case_t of_deliver[] = {
    { IN(START), ON(BEGUN), GF_STATE_READ, GIVEN(.attempt = 1) },
    { IN(READ), ON(WRITTEN), GF_STATE_SETTLE, GIVEN(.attempt = 1), .tag = "" },
    { IN(READ), ON(WRITTEN), GF_STATE_SETTLE, GIVEN(.attempt = 1), BRINGS(.body = "{}", .url = "https://other.test/"), .tag = "GF0431" },
    { IN(READ), ON(WRITTEN), GF_STATE_DELIVER, GIVEN(.attempt = 1), BRINGS(.body = "{}") },
    { IN(READ), ON(REFUSED), GF_STATE_SETTLE, GIVEN(.attempt = 1), BRINGS(.err = GF_E_INTERNAL), .tag = "GF0431" },
    { IN(DELIVER), ON(ANSWERED), GF_STATE_SETTLE, GIVEN(.attempt = 1), BRINGS(.status = 204), .tag = "GF0430" },
    { IN(DELIVER), ON(ANSWERED), GF_STATE_SETTLE, GIVEN(.attempt = 1), BRINGS(.status = 410), .tag = "GF0433" },
    { IN(DELIVER), ON(ANSWERED), GF_STATE_SETTLE, GIVEN(.attempt = 9), BRINGS(.status = 500), .tag = "GF0431" },
    { IN(DELIVER), ON(ANSWERED), GF_STATE_SETTLE, GIVEN(.attempt = 10), BRINGS(.status = 302), .tag = "GF0432" },
    { IN(SETTLE), ANY_END, GF_STATE_OVER, GIVEN(.attempt = 1), BRINGS(.err = GF_E_INTERNAL) },
    { IN(READ) | IN(SETTLE), ON(NO_DATABASE), GF_NEXT_PAUSE, GIVEN(.attempt = 1), BRINGS(.err = GF_E_DB_DOWN) },
    { IN(READ) | IN(SETTLE), ON(ALARM), GF_NEXT_AGAIN, GIVEN(.attempt = 1) },
};
/* clang-format on */

static const struct {
    gf_job_kind_t kind;
    const case_t *cases;
    size_t count;
} tables[] = { { GF_JOB_GENERATE, of_generate, UNIT_COUNT(of_generate) },
               { GF_JOB_RESTORE, of_restore, UNIT_COUNT(of_restore) },
               { GF_JOB_REMOVE, of_remove, UNIT_COUNT(of_remove) },
               { GF_JOB_MOVE, of_move, UNIT_COUNT(of_move) },
               { GF_JOB_DELIVER, of_deliver, UNIT_COUNT(of_deliver) } };

/* ---- one case in one state, upon one event ---- */

/* Is there a line with this tag; with "": is there none? */
static bool is_logged(const char *tag)
{
    int i;

    for (i = 0; tag[0] && i < unit.line_count && i < UNIT_LINES_MAX; i++) {
        if (strncmp(unit.lines[i].text, tag, strlen(tag)) == 0) {
            return true;
        }
    }
    return !tag[0] && unit.line_count == 0;
}

/* What the engine did with the run, as a rule would say it. */
static gf_state_t done(const gf_run_t *run, gf_state_t state, gf_event_t event, gf_step_t step)
{
    if (step == GF_STEP_STAYS) {
        return run->postponed == event ? GF_NEXT_POSTPONE : GF_NEXT_STAY;
    }
    if (run->state == state && run->pauses && run->pending == GF_PENDING_ALARM) {
        return GF_NEXT_PAUSE;
    }
    return run->state == state && run->pending == GF_PENDING_WRITER ? GF_NEXT_AGAIN : run->state;
}

/* NULL: all is as the case says; else what is not. A rule that leads elsewhere is not followed:
 * what it does may need what its own state has. */
static const char *differs(const gf_kind_t *kind, const case_t *one, gf_state_t state,
                           gf_event_t event, apr_pool_t *pool)
{
    gf_run_t *run = make_run(kind, &one->given, pool);
    const char *what =
        apr_psprintf(pool, "%s, %s in %s", kind->name, gf_event_name(event), gf_state_name(state));
    const gf_rule_t *rule;
    gf_state_t next;
    gf_step_t step;

    put(run, state, &one->given);
    bring(run, &one->brought);
    unit.line_count = 0;
    if (event == GF_EVENT_ANSWERED && kind->duties[state].read) {
        gf_run_t copy = *run;

        kind->duties[state].read(&flow, &copy, pool);
        rule = gf_run_rule(&flow, &copy, event);
    }
    else {
        rule = gf_run_rule(&flow, run, event);
    }
    if (!rule || rule->next != one->next) {
        return apr_psprintf(pool, "%s: %s instead of %s", what,
                            rule ? gf_state_name(rule->next) : "no rule", gf_state_name(one->next));
    }
    unit.line_count = 0;
    step = gf_run_take(&flow, run, event);
    next = done(run, state, event, step);
    if (next != one->next) {
        return apr_psprintf(pool, "%s: the engine did %s instead of %s", what, gf_state_name(next),
                            gf_state_name(one->next));
    }
    return one->tag && !is_logged(one->tag) ? apr_psprintf(pool, "%s: no %s", what, one->tag)
           : one->code && kind->leased && run->of.generate.code != one->code
               ? apr_psprintf(pool, "%s: code %s", what, gf_err_row(run->of.generate.code)->code)
           : one->delay && run->delay != one->delay
               ? apr_psprintf(pool, "%s: delay %d ms", what, (int)(run->delay / 1000))
               : NULL;
}

/* The first case that is not as it says, in the given states and upon the given events. */
static const char *first_difference(const gf_kind_t *kind, size_t table, unsigned states,
                                    unsigned events)
{
    const char *different = NULL;
    gf_state_t state;
    gf_event_t event;
    apr_pool_t *pool;
    size_t i;

    for (i = 0; i < tables[table].count; i++) {
        const case_t *one = &tables[table].cases[i];

        for (state = 0; !different && state < GF_STATES; state++) {
            for (event = 0; !different && event < GF_EVENTS; event++) {
                if ((one->states & states & 1u << state) && (one->events & events & 1u << event)) {
                    apr_pool_create(&pool, unit.ctx.pool);
                    different = differs(kind, one, state, event, pool);
                    different = apr_pstrdup(unit.ctx.pool, different);
                    apr_pool_destroy(pool);
                }
            }
        }
    }
    return different;
}

START_TEST(every_case_comes_out_as_it_says)
{
    size_t i;

    for (i = 0; i < UNIT_COUNT(tables); i++) {
        const char *different = first_difference(gf_kind_of(tables[i].kind), i, ~0u, ~0u);

        ck_assert_msg(!different, "%s", different);
    }
}
END_TEST

/* ---- mutants ---- */

static bool (*turned)(const gf_flow_t *flow, const gf_run_t *run);

static bool turn_round(const gf_flow_t *of, const gf_run_t *run)
{
    return !turned(of, run);
}

/* Does a case notice what was done to rule i? */
static void expect_noticed(const gf_kind_t *mutant, size_t table, unsigned states, unsigned events,
                           const gf_rule_t *rule, const char *how)
{
    ck_assert_msg(first_difference(mutant, table, states, events),
                  "%s: no case notices a rule that is %s: (%s, %s) -> %s", mutant->name, how,
                  rule->name, gf_state_name((gf_state_t)__builtin_ctz(states)),
                  gf_state_name(rule->next));
}

static void mutate(size_t table)
{
    const gf_kind_t *kind = gf_kind_of(tables[table].kind);
    gf_rule_t *rules =
        apr_pmemdup(unit.ctx.pool, kind->rules, (size_t)kind->rule_count * sizeof(*rules));
    gf_kind_t mutant = *kind;
    unsigned bit;
    int i;

    mutant.rules = rules;
    for (i = 0; i < kind->rule_count; i++) {
        const gf_rule_t *rule = &kind->rules[i];

        for (bit = 1; bit; bit <<= 1) {
            if (rule->states & bit) {
                rules[i].states &= ~bit;
                expect_noticed(&mutant, table, bit, rule->events, rule, "missing there");
                rules[i].states = rule->states;
            }
            if (rule->events & bit) {
                rules[i].events &= ~bit;
                expect_noticed(&mutant, table, rule->states, bit, rule, "missing for an event");
                rules[i].events = rule->events;
            }
        }
        if (rule->when) {
            turned = rule->when;
            rules[i].when = turn_round;
            expect_noticed(&mutant, table, rule->states, rule->events, rule, "turned round");
            rules[i].when = rule->when;
        }
    }
}

START_TEST(the_cases_notice_each_mutant_of_generate)
{
    mutate(0);
}
END_TEST

START_TEST(the_cases_notice_each_mutant_of_the_other_kinds)
{
    mutate(1);
    mutate(2);
    mutate(3);
}
END_TEST

/* ---- all pairs ---- */

/* The events that a state is meant to get: of what it started, and from outside. */
static unsigned expected_events(const gf_kind_t *kind, gf_state_t state)
{
    unsigned outside = ON(WEBHOOK_RECEIVED) | ON(JOB_ENDED) | ON(LEASE_LOST);
    unsigned own[] = { [GF_BY_NOBODY] = 0,
                       [GF_BY_ITSELF] = 0,
                       [GF_BY_WRITER] = ON(WRITTEN) | ON(NO_DATABASE) | ON(REFUSED) | ON(ALARM),
                       [GF_BY_NET] = ON(ANSWERED),
                       [GF_BY_ALARM] = ON(ALARM) };
    gf_performer_t by = kind->duties[state].by;

    return state == GF_STATE_START ? ON(BEGUN) : own[by] | (kind->leased && own[by] ? outside : 0);
}

static unsigned events_with_rules(const gf_kind_t *kind, gf_state_t state)
{
    unsigned events = 0;
    int i;

    for (i = 0; i < kind->rule_count; i++) {
        events |= kind->rules[i].states & 1u << state ? kind->rules[i].events : 0;
    }
    return events;
}

START_TEST(every_pair_of_state_and_event_has_a_rule_or_cannot_happen)
{
    gf_state_t state;
    size_t k;

    for (k = 0; k < UNIT_COUNT(tables); k++) {
        const gf_kind_t *kind = gf_kind_of(tables[k].kind);

        for (state = 0; state < GF_STATES; state++) {
            ck_assert_msg(events_with_rules(kind, state) == expected_events(kind, state),
                          "%s, %s: rules for events %x instead of %x", kind->name,
                          gf_state_name(state), events_with_rules(kind, state),
                          expected_events(kind, state));
        }
    }
}
END_TEST

START_TEST(every_rule_leads_to_a_state_of_its_kind)
{
    size_t k;
    int i;

    for (k = 0; k < UNIT_COUNT(tables); k++) {
        const gf_kind_t *kind = gf_kind_of(tables[k].kind);

        for (i = 0; i < kind->rule_count; i++) {
            gf_state_t next = kind->rules[i].next;

            ck_assert_msg(next >= GF_STATES || kind->duties[next].by != GF_BY_NOBODY,
                          "%s has no state %s", kind->name, gf_state_name(next));
        }
    }
}
END_TEST

START_TEST(a_pair_without_a_rule_is_logged_and_begins_nothing)
{
    static const given_t given = { .attempt = 1, .remove_url = "" };
    static const brought_t nothing = { .lease = GF_LEASE_OURS };
    gf_state_t state;
    gf_event_t event;
    size_t k;

    for (k = 0; k < UNIT_COUNT(tables); k++) {
        const gf_kind_t *kind = gf_kind_of(tables[k].kind);

        for (state = GF_STATE_START; state < GF_STATE_OVER; state++) {
            for (event = GF_EVENT_BEGUN; event < GF_EVENTS; event++) {
                bool possible = kind->duties[state].by != GF_BY_NOBODY && event != GF_EVENT_ANSWERED
                                && event != GF_EVENT_REFUSED;
                apr_pool_t *pool;
                gf_run_t *run;

                if (!possible || expected_events(kind, state) & 1u << event) {
                    continue;
                }
                apr_pool_create(&pool, unit.ctx.pool);
                run = make_run(kind, &given, pool);
                put(run, state, &given);
                bring(run, &nothing);
                unit.line_count = 0;
                ck_assert_int_ne(gf_run_take(&flow, run, event), GF_STEP_BEGINS);
                ck_assert_msg(is_logged("GF0440"), "%s, %s in %s", kind->name, gf_event_name(event),
                              gf_state_name(state));
                ck_assert_int_eq(unit.lines[0].level, GF_LOG_CRIT);
                apr_pool_destroy(pool);
            }
        }
    }
}
END_TEST

/* ---- money ---- */

START_TEST(a_submission_follows_a_recorded_intent_within_its_lease_and_nothing_else)
{
    const gf_kind_t *kind = gf_kind_of(GF_JOB_GENERATE);
    const apr_interval_time_t ages[] = { 0, LEASE - 1, LEASE, LEASE + 1, 2 * LEASE };
    gf_lease_answer_t lease;
    size_t k;
    int i;

    for (i = 0; i < kind->rule_count; i++) {
        const gf_rule_t *rule = &kind->rules[i];

        ck_assert(rule->next != GF_STATE_SENT
                  || (rule->states == IN(INTENT) && rule->events == ON(WRITTEN)
                      && rule->when == gf_intent_may_send)
                  || (rule->states == IN(START) && rule->events == ON(BEGUN)
                      && rule->when == gf_intent_may_send_at_once));
    }
    for (lease = GF_LEASE_OURS; lease <= GF_LEASE_LOST; lease++) {
        for (k = 0; k < UNIT_COUNT(ages); k++) {
            const given_t given = { .entries = 1, .age = ages[k] };
            const brought_t brought = { .lease = lease };
            bool may = (lease == GF_LEASE_OURS || lease == GF_LEASE_WATCHED) && ages[k] <= LEASE;
            gf_run_t *run = make_run(kind, &given, unit.ctx.pool);

            put(run, GF_STATE_INTENT, &given);
            bring(run, &brought);
            gf_run_take(&flow, run, GF_EVENT_WRITTEN);
            ck_assert_int_eq(run->state == GF_STATE_SENT, may);
            ck_assert_int_eq(run->msg && strstr(run->msg->url, "submit") != NULL, may);
        }
    }
}
END_TEST

START_TEST(an_intent_of_create_is_sent_within_its_lease_as_attempt_1)
{
    const gf_kind_t *kind = gf_kind_of(GF_JOB_GENERATE);
    const apr_interval_time_t ages[] = { 0, LEASE - 1, LEASE, LEASE + 1, 2 * LEASE };
    size_t i;

    for (i = 0; i < 2 * UNIT_COUNT(ages); i++) {
        const given_t given = { .intended = true, .hooks = true, .entries = 1 };
        bool watched = i >= UNIT_COUNT(ages);
        bool may = ages[i % UNIT_COUNT(ages)] <= LEASE;
        gf_run_t *run = make_run(kind, &given, unit.ctx.pool);

        run->job->intent_watched = watched;
        the_time += ages[i % UNIT_COUNT(ages)];
        gf_run_begin(&flow, run);
        ck_assert_int_eq(run->state, may ? GF_STATE_SENT : GF_STATE_REQUEUE);
        ck_assert_int_eq(run->msg && strstr(run->msg->url, "submit") != NULL, may);
        ck_assert_int_eq(run->job->attempts, 1);
        ck_assert_int_eq(run->job->retries, 0);
        ck_assert_str_eq(run->of.generate.webhook_token, "of create");
        ck_assert_int_eq(run->of.generate.health.watched, may && watched);
    }
}
END_TEST

/* All states that rules lead to from these. */
static unsigned reached_from(const gf_kind_t *kind, unsigned states)
{
    unsigned before = 0;
    int i;

    while (before != states) {
        before = states;
        for (i = 0; i < kind->rule_count; i++) {
            if (kind->rules[i].states & states && kind->rules[i].next < GF_STATES) {
                states |= 1u << kind->rules[i].next;
            }
        }
    }
    return states;
}

START_TEST(what_was_sent_is_never_sent_again_in_a_run)
{
    const gf_kind_t *kind = gf_kind_of(GF_JOB_GENERATE);
    unsigned after = 0;
    int i;

    for (i = 0; i < kind->rule_count; i++) {
        after |= kind->rules[i].states & IN(SENT) && kind->rules[i].next < GF_STATES
                     ? 1u << kind->rules[i].next
                     : 0;
    }
    after = reached_from(kind, after);
    ck_assert_uint_eq(
        after & (IN(START) | IN(ADOPT) | IN(ASSET) | IN(SOURCE) | IN(DRAW) | IN(INTENT) | IN(SENT)),
        0);
    after = reached_from(kind, IN(ADOPT));
    ck_assert_uint_eq(
        after & (IN(START) | IN(ASSET) | IN(SOURCE) | IN(DRAW) | IN(INTENT) | IN(SENT)), 0);
}
END_TEST

/* Whatever else is left: retries, other providers, a webhook, a list, time. */
START_TEST(an_unknown_answer_gives_the_job_to_nobody_else)
{
    const gf_kind_t *kind = gf_kind_of(GF_JOB_GENERATE);
    const gf_state_t answered[] = { GF_STATE_SENT, GF_STATE_POLL, GF_STATE_LIST };
    unsigned i;

    for (i = 0; i < 3 * 64; i++) {
        const given_t given = { .provider = i & 1 ? SYNC : FULL,
                                .hooks = i & 2,
                                .age = i & 4 ? DEADLINE : 0,
                                .retries = i & 8 ? 1 : 0,
                                .entries = i & 16 ? 1 : 0,
                                .empty_fails = true };
        const brought_t brought = { .outcome = { .state = GF_PROV_UNKNOWN, .settled = i & 32 } };
        gf_run_t *run = make_run(kind, &given, unit.ctx.pool);

        put(run, answered[i / 64], &given);
        bring(run, &brought);
        gf_run_take(&flow, run, GF_EVENT_ANSWERED);
        ck_assert_uint_ne(1u << run->state & (IN(LOST) | IN(LOOKUP) | IN(FAIL)), 0);
    }
}
END_TEST

/* GenflowTypeUnknown next: to the first entry of another provider, and the attempt ends as unknown.
 */
START_TEST(an_unknown_answer_goes_on_at_another_provider_alone)
{
    static const given_t given = { .provider = SYNC, ELSEWHERE };
    static const brought_t lost = { .outcome = { .state = GF_PROV_UNKNOWN } };
    gf_run_t *run = make_run(gf_kind_of(GF_JOB_GENERATE), &given, unit.ctx.pool);

    put(run, GF_STATE_SENT, &given);
    run->job->retries = 2;
    bring(run, &lost);
    gf_run_take(&flow, run, GF_EVENT_ANSWERED);
    ck_assert_int_eq(run->state, GF_STATE_REQUEUE);
    ck_assert(run->of.generate.unsure);
    ck_assert_int_eq(run->job->chain_pos, 2); /* not 1, which is of the same provider */
    ck_assert_int_eq(run->job->retries, 0);
}
END_TEST

/* The whole way of a lost answer by the clock: two lists that agree, a floor apart. */
START_TEST(a_run_counts_as_never_taken_when_two_lists_a_floor_apart_agree)
{
    static const given_t given = { .retries = 1 };
    static const brought_t lost = { .outcome = { .state = GF_PROV_UNKNOWN } };
    static const brought_t absent = { .outcome = { .state = GF_PROV_TRANSIENT, .absent = true } };
    static const brought_t nothing = { .lease = GF_LEASE_OURS };
    gf_run_t *run = make_run(gf_kind_of(GF_JOB_GENERATE), &given, unit.ctx.pool);
    apr_time_t begin;
    int lists = 0;

    put(run, GF_STATE_SENT, &given);
    begin = the_time;
    bring(run, &lost);
    gf_run_take(&flow, run, GF_EVENT_ANSWERED);
    while (run->state == GF_STATE_LOST) {
        the_time = run->wake;
        gf_run_take(&flow, run, GF_EVENT_ALARM);
        ck_assert_int_eq(run->state, GF_STATE_LOOKUP);
        bring(run, &nothing);
        gf_run_take(&flow, run, GF_EVENT_WRITTEN);
        ck_assert_int_eq(run->state, GF_STATE_LIST);
        lists++;
        bring(run, &absent);
        gf_run_take(&flow, run, GF_EVENT_ANSWERED);
    }
    ck_assert_int_eq(run->state, GF_STATE_REQUEUE);
    ck_assert_int_ge(the_time, begin + 2 * FLOOR);
    ck_assert_int_ge(lists, 3);
}
END_TEST

START_TEST(only_the_states_with_a_picture_may_charge)
{
    const gf_kind_t *kind = gf_kind_of(GF_JOB_GENERATE);
    unsigned charging = 0;
    gf_state_t state;
    gf_state_t other;

    for (state = 0; state < GF_STATES; state++) {
        charging |= kind->duties[state].charges ? 1u << state : 0;
        for (other = 0; other < GF_STATES; other++) { /* no other state does the same */
            ck_assert(!kind->duties[state].charges || kind->duties[other].charges
                      || kind->duties[state].act != kind->duties[other].act);
        }
    }
    ck_assert_uint_eq(charging, IN(ADOPT) | IN(DRAW) | IN(CHECK) | IN(SETTLE) | IN(TEMPORARY));
}
END_TEST

/* ---- the waits between tries ---- */

START_TEST(waits_double_from_the_first_one_and_scatter_up_to_a_fifth_below_the_longest)
{
    static const given_t given = { .retries = 10 };
    static const brought_t failed = { .outcome = { .state = GF_PROV_TRANSIENT } };
    const apr_interval_time_t least[] = { 2, 4, 8, 16, 30, 30, 30 };
    apr_interval_time_t shortest, longest;
    size_t i;
    int n;

    for (i = 0; i < UNIT_COUNT(least); i++) {
        shortest = 1000 * SECONDS;
        longest = 0;
        for (n = 0; n < 100; n++) {
            gf_run_t *run = make_run(gf_kind_of(GF_JOB_GENERATE), &given, unit.ctx.pool);

            provider.backoff = 2 * SECONDS;
            provider.backoff_max = 30 * SECONDS;
            run->job->retries = (int)i;
            put(run, GF_STATE_SENT, &given);
            bring(run, &failed);
            gf_run_take(&flow, run, GF_EVENT_ANSWERED);
            ck_assert_int_eq(run->state, GF_STATE_REQUEUE);
            shortest = run->delay < shortest ? run->delay : shortest;
            longest = run->delay > longest ? run->delay : longest;
        }
        ck_assert_int_ge(shortest, least[i] * SECONDS);
        ck_assert_int_le(longest, 30 * SECONDS);
        ck_assert_int_le(longest, least[i] * SECONDS * 6 / 5);
        ck_assert(least[i] == 30 || longest > shortest);
    }
}
END_TEST

/* What a poll of a run that still works sets, in milliseconds. */
static apr_int64_t poll_wait_after(gf_run_t *run, int status)
{
    const brought_t working = { .outcome = { .state = GF_PROV_WORKING, .ref = "r" },
                                .status = status };

    gf_run_take(&flow, run, GF_EVENT_ALARM);
    ck_assert_int_eq(run->state, GF_STATE_POLL);
    bring(run, &working);
    gf_run_take(&flow, run, GF_EVENT_ANSWERED);
    ck_assert_int_eq(run->state, GF_STATE_RUNNING);
    return apr_time_as_msec(run->delay);
}

/* A submission that the provider has just accepted, which waits for its first poll. */
static gf_run_t *make_accepted(const given_t *given)
{
    static const brought_t accepted = { .outcome = { .state = GF_PROV_WORKING, .ref = "r" },
                                        .lease = GF_LEASE_OURS };
    gf_run_t *run = make_run(gf_kind_of(GF_JOB_GENERATE), given, unit.ctx.pool);

    put(run, GF_STATE_SENT, given);
    bring(run, &accepted);
    gf_run_take(&flow, run, GF_EVENT_ANSWERED);
    ck_assert_int_eq(run->state, GF_STATE_ACCEPT);
    gf_run_take(&flow, run, GF_EVENT_WRITTEN);
    ck_assert_int_eq(run->state, GF_STATE_RUNNING);
    return run;
}

START_TEST(polls_begin_250_ms_after_the_acceptance_and_double_up_to_the_interval)
{
    static const given_t given = { .retries = 0 };
    const int waits[] = { 500, 1000, 2000, 2000, 2000 };
    gf_run_t *run = make_accepted(&given);
    size_t i;

    ck_assert_int_eq(apr_time_as_msec(run->delay), 250);
    ck_assert_int_eq(run->wake, the_time + run->delay);
    for (i = 0; i < UNIT_COUNT(waits); i++) {
        ck_assert_int_eq(poll_wait_after(run, 200), waits[i]);
    }
}
END_TEST

START_TEST(a_poll_that_is_refused_is_repeated_after_the_interval)
{
    static const given_t given = { .retries = 0 };
    gf_run_t *run = make_accepted(&given);

    ck_assert_int_eq(poll_wait_after(run, 429), 2000);
    ck_assert_int_eq(poll_wait_after(run, 200), 2000);
}
END_TEST

START_TEST(a_run_with_a_webhook_is_polled_in_the_interval_alone)
{
    static const given_t given = { .hooks = true };
    gf_run_t *run = make_accepted(&given);

    ck_assert_int_eq(apr_time_as_msec(run->delay), 2000);
    ck_assert_int_eq(poll_wait_after(run, 200), 2000);
}
END_TEST

/* ---- the engine ---- */

START_TEST(what_came_while_the_run_was_busy_happens_when_it_waits)
{
    static const given_t given = { .ref = "r" };
    static const brought_t working = { .outcome = { .state = GF_PROV_WORKING, .ref = "r" } };
    const gf_event_t events[] = { GF_EVENT_WEBHOOK_RECEIVED, GF_EVENT_JOB_ENDED };
    const gf_state_t next[] = { GF_STATE_POLL, GF_STATE_FAIL };
    size_t i;

    for (i = 0; i < UNIT_COUNT(events); i++) {
        gf_run_t *run = make_run(gf_kind_of(GF_JOB_GENERATE), &given, unit.ctx.pool);

        put(run, GF_STATE_POLL, &given);
        ck_assert_int_eq(gf_run_take(&flow, run, events[i]), GF_STEP_STAYS);
        ck_assert_int_eq(gf_run_take(&flow, run, GF_EVENT_WEBHOOK_RECEIVED), GF_STEP_STAYS);
        bring(run, &working);
        ck_assert_int_eq(gf_run_take(&flow, run, GF_EVENT_ANSWERED), GF_STEP_BEGINS);
        ck_assert_int_eq(run->state, next[i]);
        ck_assert_int_eq(run->postponed, GF_EVENT_NONE);
        ck_assert_int_eq(flow.asides->nelts, i); /* the run is cancelled at the provider */
    }
}
END_TEST

START_TEST(an_act_waits_for_a_database_under_one_token_and_one_line)
{
    static const given_t given = { .retries = 0 };
    static const brought_t away = { .err = GF_E_DB_DOWN };
    gf_run_t *run = make_run(gf_kind_of(GF_JOB_GENERATE), &given, unit.ctx.pool);
    int i;

    gf_run_take(&flow, run, GF_EVENT_BEGUN);
    ck_assert_int_eq(run->state, GF_STATE_INTENT);
    strcpy(run->call, "the token");
    unit.line_count = 0;
    for (i = 0; i < 3; i++) {
        bring(run, &away);
        ck_assert_int_eq(gf_run_written(run), GF_EVENT_NO_DATABASE);
        ck_assert_int_eq(gf_run_take(&flow, run, GF_EVENT_NO_DATABASE), GF_STEP_BEGINS);
        ck_assert_int_eq(run->pending, GF_PENDING_ALARM);
        ck_assert_int_eq(run->wake, the_time + SECONDS / 2);
        ck_assert_int_eq(gf_run_take(&flow, run, GF_EVENT_ALARM), GF_STEP_BEGINS);
        ck_assert_int_eq(run->pending, GF_PENDING_WRITER);
    }
    ck_assert_str_eq(run->call, "the token");
    ck_assert_int_eq(unit.line_count, 1);
}
END_TEST

/* ---- the table in ARCHITECTURE.md ---- */

static const char *const performers[] = { [GF_BY_NOBODY] = "",
                                          [GF_BY_ITSELF] = "",
                                          [GF_BY_WRITER] = "writer",
                                          [GF_BY_NET] = "exchange",
                                          [GF_BY_ALARM] = "alarm" };

/* The states that follow upon an event, each once, in the order of the rules. */
static const char *nexts(const gf_kind_t *kind, gf_state_t state, gf_event_t event,
                         apr_pool_t *pool)
{
    const char *text = "";
    unsigned seen = 0;
    int i;

    for (i = 0; i < kind->rule_count; i++) {
        const gf_rule_t *rule = &kind->rules[i];

        if (rule->states & 1u << state && rule->events & 1u << event && rule->next < GF_STATES
            && !(seen & 1u << rule->next)) {
            seen |= 1u << rule->next;
            text = apr_pstrcat(pool, text, " ", gf_state_name(rule->next), NULL);
        }
    }
    return text;
}

static const char *row_of(const gf_kind_t *kind, gf_state_t state, apr_pool_t *pool)
{
    const char *text = apr_psprintf(pool, "| %s | %s | %s |", kind->name, gf_state_name(state),
                                    performers[kind->duties[state].by]);
    const char *separator = " ";
    gf_event_t event;

    for (event = 0; event < GF_EVENTS; event++) {
        const char *next = nexts(kind, state, event, pool);

        if (next[0]) {
            text = apr_pstrcat(pool, text, separator, gf_event_name(event), ":", next, NULL);
            separator = "; ";
        }
    }
    return apr_pstrcat(pool, text, " |\n", NULL);
}

static const char *diagram(apr_pool_t *pool)
{
    const char *text = "| kind | state | performed by | next states, in the order of the rules |\n"
                       "|---|---|---|---|\n";
    gf_state_t state;
    size_t k;

    for (k = 0; k < UNIT_COUNT(tables); k++) {
        const gf_kind_t *kind = gf_kind_of(tables[k].kind);

        for (state = 0; state < GF_STATE_OVER; state++) {
            if (kind->duties[state].by != GF_BY_NOBODY) {
                text = apr_pstrcat(pool, text, row_of(kind, state, pool), NULL);
            }
        }
    }
    return text;
}

START_TEST(the_table_in_the_architecture_is_printed_from_the_rules)
{
    apr_size_t length;
    const char *document = unit_read("ARCHITECTURE.md", &length);

    ck_assert_ptr_nonnull(document);
    ck_assert_msg(strstr(document, diagram(unit.ctx.pool)) != NULL,
                  "put the output of t/unit/state_test --diagram into ARCHITECTURE.md");
}
END_TEST

int main(int argc, const char *const *argv)
{
    const TTest *const tests[] = {
        every_case_comes_out_as_it_says,
        the_cases_notice_each_mutant_of_generate,
        the_cases_notice_each_mutant_of_the_other_kinds,
        every_pair_of_state_and_event_has_a_rule_or_cannot_happen,
        every_rule_leads_to_a_state_of_its_kind,
        a_pair_without_a_rule_is_logged_and_begins_nothing,
        a_submission_follows_a_recorded_intent_within_its_lease_and_nothing_else,
        an_intent_of_create_is_sent_within_its_lease_as_attempt_1,
        what_was_sent_is_never_sent_again_in_a_run,
        an_unknown_answer_gives_the_job_to_nobody_else,
        an_unknown_answer_goes_on_at_another_provider_alone,
        a_run_counts_as_never_taken_when_two_lists_a_floor_apart_agree,
        only_the_states_with_a_picture_may_charge,
        waits_double_from_the_first_one_and_scatter_up_to_a_fifth_below_the_longest,
        polls_begin_250_ms_after_the_acceptance_and_double_up_to_the_interval,
        a_poll_that_is_refused_is_repeated_after_the_interval,
        a_run_with_a_webhook_is_polled_in_the_interval_alone,
        what_came_while_the_run_was_busy_happens_when_it_waits,
        an_act_waits_for_a_database_under_one_token_and_one_line,
        the_table_in_the_architecture_is_printed_from_the_rules,
        NULL,
    };

    if (argc > 1 && strcmp(argv[1], "--diagram") == 0) {
        apr_pool_t *pool;

        apr_initialize();
        apr_pool_create(&pool, NULL);
        fputs(diagram(pool), stdout);
        apr_terminate();
        return EXIT_SUCCESS;
    }
    return unit_run("state", tests);
}
