/* SPDX-License-Identifier: Apache-2.0 */
/* db/queue.c: every act reports that the database is away, and, in the harness, each outcome of
 * the SQL functions becomes what the caller works with. */
#include "db/queue.h"

#include "admin_acts.h"
#include "base/clock.h"
#include "database.h"
#include "db/api_key.h"
#include "db/asset.h"
#include "db/breaker.h"
#include "db/check.h"
#include "db/provider_webhook.h"
#include "db/gallery.h"
#include "db/host.h"
#include "db/books.h"
#include "db/janitor.h"
#include "db/live.h"
#include "db/ledger.h"
#include "db/lost.h"
#include "db/metrics.h"
#include "db/picture.h"
#include "db/settle.h"
#include "db/preset.h"
#include "db/delivery.h"
#include "db/site.h"
#include "db/template.h"
#include "db/type_state.h"
#include "db/steer.h"
#include "db/user_events.h"
#include "work/generate.h"
#include "work/heartbeat.h"

#define HASH   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define RESULT "{\"width\": 768}"

static const gf_provider_t provider = { .name = "stability", .kind_name = "stability" };
static const gf_choice_t choice = { .provider = &provider, .model = "sd3" };
static apr_array_header_t chain = {
    .elt_size = sizeof(choice), .nelts = 1, .nalloc = 1, .elts = (char *)&choice
};
static const gf_type_t type = { .name = "unit-queue",
                                .prefix = "unit_queue",
                                .index = 6,
                                .cost = 2,
                                .chain = &chain,
                                .lifetime = 600 * APR_USEC_PER_SEC };

/* ---- every act once ---- */

static gf_job_t job = {
    .type = &type, .id = NO_ID, .epoch = 1, .attempts = 1, .provider_ref = "ref-1", .seed = 77
};
static gf_lease_answer_t lease;

static gf_err_t *call_health(void)
{
    int version = 0;

    return gf_ledger_health(&version, &unit.ctx);
}

static gf_err_t *call_quota(void)
{
    gf_quota_t quota;

    return gf_ledger_quota(&quota, &unit.ctx, "nobody");
}

static gf_err_t *call_reserve(void)
{
    gf_reservation_t reservation = { .request_id = "run-1", .amount = 2 };

    return gf_ledger_reserve(&reservation, &unit.ctx, "nobody");
}

static gf_err_t *call_reserve_finalize(void)
{
    gf_finalized_t finalized;

    return gf_ledger_finalize(&finalized, &unit.ctx, "nobody", "run-1");
}

static gf_err_t *call_ledger_list(void)
{
    apr_array_header_t *entries;

    return gf_ledger_list(&entries, &unit.ctx, "nobody", NULL, 10);
}

static gf_err_t *call_presets(void)
{
    gf_type_t of = { .name = "unit-queue" };
    gf_type_t *list[] = { &of };
    apr_array_header_t types = { .elts = (char *)list, .nelts = 1 };
    gf_conf_t conf = { .type_list = &types };
    gf_preset_cache_t *cache;
    gf_presets_t presets;

    gf_preset_cache_make(&cache, unit.ctx.pool, &conf, 0);
    return gf_preset_read(&presets, &unit.ctx, cache, &of);
}

static gf_err_t *call_create(void)
{
    gf_caller_t caller = { .user = "nobody", .key = "k", .hash = HASH };
    gf_spec_t spec = { .type = &type,
                       .priority = GF_PRIORITY_NORMAL,
                       .prompt = "a cat",
                       .parameters = "{}",
                       .seed = 77,
                       .cost = 2 };
    gf_begin_t begin = { .owner = NULL };
    gf_created_t created;

    return gf_queue_create(&created, &unit.ctx, &caller, &spec, &begin);
}

static gf_err_t *call_create_batch(void)
{
    gf_caller_t caller = { .user = "nobody", .key = "k", .hash = HASH };
    gf_spec_t spec = { .type = &type,
                       .priority = GF_PRIORITY_NORMAL,
                       .count = 2,
                       .prompt = "a cat",
                       .parameters = "{}",
                       .cost = 2 };
    gf_begin_t begin = { .owner = NULL };
    gf_created_t created[2];

    return gf_queue_create(created, &unit.ctx, &caller, &spec, &begin);
}

static gf_err_t *call_made_before(void)
{
    gf_caller_t caller = { .user = "nobody", .key = "k", .hash = HASH };
    gf_created_t created[GF_BATCH_MAX];
    int count;

    return gf_steer_made_before(created, &count, &unit.ctx, &caller);
}

static gf_err_t *call_start(void)
{
    gf_job_t *started;

    return gf_queue_start(&started, &unit.ctx, &type, "nobody", NO_ID, NULL);
}

static gf_err_t *call_key_get(void)
{
    gf_key_t key;

    return gf_key_read(&key, &unit.ctx, "0123456789ab");
}

static gf_err_t *call_key_used(void)
{
    return gf_key_used(&unit.ctx, "0123456789ab");
}

static gf_err_t *put_key(bool admin)
{
    gf_new_key_t key = { .user = "nobody",
                         .id = "0123456789ab",
                         .hash = HASH,
                         .name = "unit",
                         .scopes = GF_SCOPE_READ,
                         .budget = GF_KEY_NO_BUDGET };
    gf_key_end_t end;

    return gf_key_put(&end, &unit.ctx, &key, admin);
}

static gf_err_t *call_key_put(void)
{
    return put_key(false);
}

static gf_err_t *call_admin_key_put(void)
{
    return put_key(true);
}

static gf_err_t *call_keys(void)
{
    apr_array_header_t *list;

    return gf_key_list(&list, &unit.ctx, "nobody", NULL, 10, false);
}

static gf_err_t *call_admin_keys(void)
{
    apr_array_header_t *list;

    return gf_key_list(&list, &unit.ctx, NULL, NULL, 10, true);
}

static gf_err_t *call_key_revoke(void)
{
    bool found;

    return gf_key_revoke(&found, &unit.ctx, "nobody", "0123456789ab", false);
}

static gf_err_t *call_admin_key_revoke(void)
{
    bool found;

    return gf_key_revoke(&found, &unit.ctx, NULL, "0123456789ab", true);
}

static gf_err_t *call_template_put(void)
{
    gf_template_t template = { .name = "mine", .config = "{}" };
    bool taken;

    return gf_template_put(&template, &taken, &unit.ctx, "nobody");
}

static gf_err_t *call_templates(void)
{
    apr_array_header_t *list;

    return gf_template_list(&list, &unit.ctx, "nobody", NULL, 10);
}

static gf_err_t *call_template_get(void)
{
    gf_template_t template;

    return gf_template_get(&template, &unit.ctx, "nobody", NO_ID);
}

static gf_err_t *call_template_delete(void)
{
    return gf_template_delete(&unit.ctx, "nobody", NO_ID);
}

static gf_err_t *call_get(void)
{
    gf_find_t find = { .id = NO_ID };
    gf_view_t view;

    return gf_queue_get(&view, &unit.ctx, &type, "nobody", &find);
}

static gf_err_t *call_claim(void)
{
    gf_claim_cursor_t cursor = { .owner = "unit",
                                 .limit = 10,
                                 .from = { "-infinity", "-infinity", "-infinity", "-infinity" } };
    gf_job_t *jobs = &job;
    gf_err_t *err = gf_queue_claim(&jobs, &unit.ctx, &type, &cursor);

    ck_assert_ptr_null(jobs);
    return err;
}

static gf_err_t *call_attempt(void)
{
    return gf_queue_attempt(&lease, &unit.ctx, &job, &choice, HASH);
}

static gf_err_t *call_accepted(void)
{
    return gf_queue_accepted(&lease, &unit.ctx, &job, &choice, "stability");
}

static gf_err_t *call_progress(void)
{
    const gf_progress_t progress = { .fraction = 0.5, .queue_position = 1, .logs = "[]" };

    return gf_queue_progress(&lease, &unit.ctx, &job, &progress);
}

static gf_err_t *call_hook_ref(void)
{
    const char *ref;

    return gf_provider_webhook_ref(&ref, &unit.ctx, &job);
}

static gf_err_t *call_hook_known(void)
{
    const gf_report_t report = { .provider = &provider, .id = NO_ID, .token = "t" };
    bool known;

    return gf_provider_webhook_known(&known, &unit.ctx, &report);
}

static gf_err_t *call_hook(void)
{
    const gf_report_t report = {
        .provider = &provider, .id = NO_ID, .token = "t", .event = "e", .ref = "r"
    };
    bool known;

    return gf_provider_webhook_record(&known, &unit.ctx, &report, "unit host");
}

static gf_err_t *call_breaker_note(void)
{
    gf_breaker_t did;

    return gf_breaker_note(&did, &unit.ctx, &choice, GF_WENT_WELL, NULL);
}

static gf_err_t *call_budgets(void)
{
    apr_array_header_t *list;

    return gf_breaker_spent(&list, &unit.ctx);
}

static gf_err_t *call_breakers(void)
{
    apr_array_header_t *list;

    return gf_breaker_list(&list, &unit.ctx);
}

/* With a type in the configuration. */
static gf_err_t *claim_by(gf_err_t *(*claim)(gf_job_t **jobs, gf_ctx_t *ctx,
                                             const gf_due_in_t *what))
{
    const gf_due_in_t what = { .lease = APR_USEC_PER_SEC, .from = "-infinity" };
    gf_type_t *list[] = { (gf_type_t *)&type };
    apr_array_header_t types = { .elts = (char *)list, .nelts = 1 };
    gf_conf_t conf = unit.conf;
    gf_ctx_t ctx = unit.ctx;
    gf_job_t *jobs;

    conf.type_list = &types;
    ctx.conf = &conf;
    return claim(&jobs, &ctx, &what);
}

static gf_err_t *call_missing(void)
{
    gf_type_t *list[] = { (gf_type_t *)&type };
    apr_array_header_t types = { .elts = (char *)list, .nelts = 1 };
    gf_conf_t conf = unit.conf;
    gf_ctx_t ctx = unit.ctx;
    const char *missing;

    conf.type_list = &types;
    ctx.conf = &conf;
    return gf_check_missing(&missing, &ctx);
}

/* As before the first look. */
static void begin_cursors(gf_claim_cursor_t *cursors, int count)
{
    int i;

    memset(cursors, 0, (size_t)count * sizeof(*cursors));
    for (i = 0; i < count * GF_LANES; i++) {
        apr_cpystrn(cursors[i / GF_LANES].from[i % GF_LANES], "infinity", 48);
    }
}

static gf_err_t *call_due(void)
{
    const gf_type_t *list[] = { &type };
    apr_array_header_t types = { .elts = (char *)list, .nelts = 1 };
    gf_claim_cursor_t cursors[1 + GF_DUE_KINDS];
    bool due[1 + GF_DUE_KINDS];
    gf_look_at_t look = { .due = due, .cursors = cursors };
    gf_conf_t conf = unit.conf;
    gf_ctx_t ctx = unit.ctx;

    conf.type_list = &types;
    ctx.conf = &conf;
    begin_cursors(cursors, 1 + GF_DUE_KINDS);
    return gf_queue_due(&look, &ctx);
}

static gf_err_t *call_restore_claim(void)
{
    return claim_by(gf_picture_restores);
}

static gf_err_t *call_removal_claim(void)
{
    return claim_by(gf_picture_removals);
}

static gf_err_t *call_move_claim(void)
{
    return claim_by(gf_picture_moves);
}

static gf_err_t *call_moved(void)
{
    gf_moved_t moved;

    return gf_picture_moved(&moved, &unit.ctx, &job, "/a.png");
}

static gf_err_t *call_move_later(void)
{
    return gf_picture_move_later(&unit.ctx, &job, APR_USEC_PER_SEC, "why", NULL, NULL);
}

static gf_err_t *call_move_failed(void)
{
    return gf_picture_move_failed(&unit.ctx, &job, "why", NULL, NULL);
}

static gf_err_t *call_moves_feed(void)
{
    int running;

    return gf_janitor_feed_moves(&running, &unit.ctx);
}

static gf_err_t *call_delivery_claim(void)
{
    return claim_by(gf_delivery_claim);
}

static gf_err_t *call_delivery_note(void)
{
    return gf_delivery_note(&unit.ctx, &job, 0);
}

static gf_err_t *call_site_look(void)
{
    gf_site_t site = { .restored = false };

    return gf_site_check(&site, &unit.ctx);
}

static gf_err_t *call_host_seen(void)
{
    gf_host_seen_t seen;

    return gf_host_seen(&seen, &unit.ctx, "web1", "{}", "{}");
}

static gf_err_t *call_faults(void)
{
    apr_array_header_t *faults;

    return gf_host_faults(&faults, &unit.ctx);
}

static gf_err_t *call_site_restored(void)
{
    const char *why;

    return gf_site_restored(&why, &unit.ctx);
}

static gf_err_t *call_live(void)
{
    apr_array_header_t *known = apr_array_make(unit.ctx.pool, 1, sizeof(gf_live_t));
    apr_array_header_t *changed;

    ((gf_live_t *)apr_array_push(known))->id = job.id;
    return gf_live_changes(&changed, &unit.ctx, known);
}

static gf_err_t *call_user_events(void)
{
    const gf_user_look_t look = { .user = "me", .limit = 1 };
    gf_user_events_t events;

    return gf_user_events_read(&events, &unit.ctx, &look);
}

static gf_err_t *call_user_versions(void)
{
    apr_array_header_t *users = apr_array_make(unit.ctx.pool, 1, sizeof(const char *));
    apr_array_header_t *versions;

    APR_ARRAY_PUSH(users, const char *) = "me";
    return gf_user_versions(&versions, &unit.ctx, users);
}

static gf_err_t *call_gallery(void)
{
    gf_gallery_t gallery = { .user = "me", .type = &type, .limit = 1 };

    return gf_gallery_read(&gallery, &unit.ctx);
}

static gf_err_t *call_feed(void)
{
    gf_gallery_t gallery = { .viewer = "me", .type = &type, .limit = 1 };

    return gf_gallery_read(&gallery, &unit.ctx);
}

static gf_err_t *call_gallery_count(void)
{
    gf_gallery_t gallery = { .user = "me", .type = &type };

    return gf_gallery_count(&gallery, &unit.ctx);
}

static gf_err_t *call_media_mark(void)
{
    const gf_mark_t mark = { .visibility = "public" };

    return gf_gallery_mark(&unit.ctx, "me", job.id, &mark);
}

/* With a type in the configuration. */
static gf_err_t *call_media_find(void)
{
    gf_type_t *list[] = { (gf_type_t *)&type };
    apr_array_header_t types = { .elts = (char *)list, .nelts = 1 };
    gf_conf_t conf = unit.conf;
    gf_ctx_t ctx = unit.ctx;
    const char *id;

    conf.type_list = &types;
    ctx.conf = &conf;
    return gf_gallery_find(&id, &ctx, "me", "{/a.png}");
}

static gf_err_t *call_user_settings(void)
{
    const char *settings;

    return gf_gallery_settings(&settings, &unit.ctx, "me", NULL);
}

static gf_err_t *call_allowance(void)
{
    gf_conf_t conf = unit.conf;
    gf_ctx_t ctx = unit.ctx;

    conf.credit_initial = 30;
    conf.credit_day = "UTC";
    ctx.conf = &conf;
    return gf_gallery_allowance(&ctx, "me");
}

static gf_err_t *call_compose(void)
{
    gf_composed_t composed;

    return gf_gallery_compose(&composed, &unit.ctx, "image", "{}");
}

static gf_err_t *call_connections(void)
{
    const char *limit;
    int most;

    return gf_janitor_connections(&most, &limit, &unit.ctx);
}

static gf_err_t *call_restored(void)
{
    gf_moved_t restored;

    return gf_picture_restored(&restored, &unit.ctx, &job, "/a.png", RESULT);
}

static gf_err_t *call_stray(void)
{
    return gf_picture_stray(&unit.ctx, &job);
}

static gf_err_t *call_thumbnail(void)
{
    bool gone;

    return gf_picture_thumbnail(&gone, &unit.ctx, job.type, job.id, "#3a2b1c");
}

static gf_err_t *call_thumbnail_claim(void)
{
    bool claimed;

    return gf_picture_thumbnail_claim(&claimed, &unit.ctx, job.type, job.id, APR_USEC_PER_SEC);
}

static gf_err_t *call_restore_later(void)
{
    return gf_picture_later(&unit.ctx, &job, 0);
}

static gf_err_t *call_requeue(void)
{
    return gf_queue_requeue(&lease, &unit.ctx, &job, 0, "API_ERROR");
}

static gf_err_t *call_settle(void)
{
    gf_end_t settled = { .status = "cancelled" };
    gf_settled_t outcome;

    return gf_settle_generation(&outcome, NULL, &unit.ctx, &job, &settled);
}

static gf_err_t *call_cancel(void)
{
    const char *owner;

    return gf_steer_cancel(&owner, &unit.ctx, &type, "nobody", NO_ID);
}

static gf_err_t *call_delete(void)
{
    const char *url;

    return gf_steer_delete(&url, &unit.ctx, &type, "nobody", NO_ID);
}

static gf_err_t *call_edit(void)
{
    const gf_edit_t edit = { .tags = "{\"a tag\"}", .favourite = "t", .title = "a title" };

    return gf_steer_edit(&unit.ctx, &type, "nobody", NO_ID, &edit);
}

static gf_err_t *call_generation_of(void)
{
    const gf_type_t *found;
    const char *id;

    return gf_steer_find(&id, &found, &unit.ctx, NO_ID);
}

static gf_page_t page = { .user = "nobody", .type = &type, .limit = 10 };

static gf_err_t *call_history(void)
{
    return gf_steer_history(&page, &unit.ctx);
}

static gf_err_t *call_history_total(void)
{
    apr_int64_t total;
    bool exact;

    return gf_steer_count(&total, &exact, &unit.ctx, &page);
}

static gf_err_t *call_removal_done(void)
{
    return gf_picture_removed(&unit.ctx, &job);
}

static apr_array_header_t *lease_of(const gf_job_t *leased)
{
    apr_array_header_t *leases = apr_array_make(unit.ctx.pool, 1, sizeof(gf_lease_t));
    gf_lease_t *lease = apr_array_push(leases);

    lease->id = leased->id;
    lease->epoch = leased->epoch;
    return leases;
}

/* The one lease that "unit host" names, or drops; *said: what it says about it, -1: nothing. */
static gf_err_t *beat(int *said, const gf_job_t *names, const gf_job_t *drops)
{
    apr_array_header_t *none = apr_array_make(unit.ctx.pool, 1, sizeof(gf_lease_t));
    const gf_beat_t in = { .owner = "unit host",
                           .leads = true,
                           .leases = names ? lease_of(names) : none,
                           .dropped = drops ? lease_of(drops) : none };
    apr_array_header_t *rows;
    gf_err_t *err = gf_queue_heartbeat(&rows, &unit.ctx, &in);

    if (!err) {
        *said = rows->nelts ? (int)APR_ARRAY_IDX(rows, 0, gf_beat_row_t).word : -1;
    }
    return err;
}

static gf_err_t *call_heartbeat(void)
{
    int said;

    return beat(&said, &job, NULL);
}

static gf_err_t *call_hand_back(void)
{
    return gf_queue_hand_back(&unit.ctx, lease_of(&job));
}

static gf_err_t *call_asset_put(void)
{
    gf_image_t image = { .type = "image/png", .width = 1, .height = 1 };
    gf_asset_t asset;

    return gf_asset_put(&asset, &unit.ctx, "nobody", &image, "AAAA");
}

static gf_err_t *call_asset_upload(void)
{
    gf_image_t image = { .type = "image/png", .width = 1, .height = 1 };
    gf_asset_t asset;

    return gf_asset_upload(&asset, &unit.ctx, "nobody", NO_ID, &image, "AAAA");
}

static const gf_lost_t nobodys = { "nobody", "01", "0123456789abcdef0123456789abcdef" };

static gf_err_t *call_lost_response_put(void)
{
    static const char *const ids[] = { NO_ID };

    return gf_lost_put(&unit.ctx, &nobodys, ids, 1);
}

static gf_err_t *call_lost_response_take(void)
{
    apr_array_header_t *ids;
    bool may_come;

    return gf_lost_take(&ids, &may_come, &unit.ctx, &nobodys, true);
}

static gf_err_t *call_lost_response_keep(void)
{
    bool is_kept;

    return gf_lost_keep(&is_kept, &unit.ctx, &nobodys);
}

static gf_err_t *call_asset_get(void)
{
    gf_asset_t asset;

    return gf_asset_get(&asset, &unit.ctx, "nobody", NO_ID);
}

static gf_err_t *call_asset_bytes(void)
{
    gf_asset_t asset;

    return gf_asset_read(&asset, &unit.ctx, NO_ID);
}

static gf_err_t *call_asset_delete(void)
{
    return gf_asset_delete(&unit.ctx, "nobody", NO_ID);
}

static gf_err_t *call_janitor_parts(void)
{
    apr_array_header_t *parts;

    return gf_janitor_parts(&parts, &unit.ctx);
}

static gf_err_t *call_metrics(void)
{
    apr_array_header_t *values;

    return gf_metrics_read(&values, &unit.ctx);
}

static gf_err_t *call_janitor(void)
{
    int cleaned;

    return gf_janitor_clean(&cleaned, &unit.ctx, "keys", 1);
}

static gf_err_t *call_user_state(void)
{
    apr_array_header_t none = { .nelts = 0 };
    gf_conf_t conf = unit.conf;
    gf_ctx_t ctx = unit.ctx;
    gf_user_state_t state;

    conf.type_list = &none;
    ctx.conf = &conf;
    return gf_ledger_user_state(&state, &ctx, "nobody");
}

static gf_err_t *call_expected_compute(void)
{
    return gf_janitor_expect(&unit.ctx, APR_USEC_PER_SEC);
}

static gf_err_t *call_check_due(void)
{
    bool due;

    return gf_books_due(&due, &unit.ctx, APR_USEC_PER_SEC);
}

static gf_err_t *call_type_states(void)
{
    const gf_type_t *list[] = { &type };
    apr_array_header_t types = { .elts = (char *)list, .nelts = 1 };
    gf_conf_t conf = unit.conf;
    gf_ctx_t ctx = unit.ctx;
    apr_array_header_t *states;

    conf.type_list = &types;
    ctx.conf = &conf;
    return gf_type_states(&states, &ctx);
}

static const struct {
    const char *name;
    gf_err_t *(*spec)(void);
} acts[] = {
    { "health", call_health },
    { "schema_missing", call_missing },
    { "quota", call_quota },
    { "reserve", call_reserve },
    { "reserve_finalize", call_reserve_finalize },
    { "ledger_list", call_ledger_list },
    { "presets", call_presets },
    { "create", call_create },
    { "create_batch", call_create_batch },
    { "made_before", call_made_before },
    { "start", call_start },
    { "api_key_get", call_key_get },
    { "api_key_used", call_key_used },
    { "api_key_put", call_key_put },
    { "admin_api_key_put", call_admin_key_put },
    { "api_keys", call_keys },
    { "admin_api_keys", call_admin_keys },
    { "api_key_revoke", call_key_revoke },
    { "admin_api_key_revoke", call_admin_key_revoke },
    { "template_put", call_template_put },
    { "templates", call_templates },
    { "template_get", call_template_get },
    { "template_delete", call_template_delete },
    { "get", call_get },
    { "claim", call_claim },
    { "attempt_begin", call_attempt },
    { "accepted", call_accepted },
    { "progress", call_progress },
    { "hook_ref", call_hook_ref },
    { "hook", call_hook },
    { "hook_known", call_hook_known },
    { "requeue", call_requeue },
    { "settle", call_settle },
    { "heartbeat", call_heartbeat },
    { "live", call_live },
    { "feed", call_feed },
    { "gallery", call_gallery },
    { "gallery_count", call_gallery_count },
    { "media_find", call_media_find },
    { "media_mark", call_media_mark },
    { "user_events", call_user_events },
    { "user_settings", call_user_settings },
    { "user_versions", call_user_versions },
    { "allowance", call_allowance },
    { "compose", call_compose },
    { "hand_back", call_hand_back },
    { "check_due", call_check_due },
    { "janitor_parts", call_janitor_parts },
    { "janitor", call_janitor },
    { "metrics", call_metrics },
    { "expected_compute", call_expected_compute },
    { "type_states", call_type_states },
    { "user_state", call_user_state },
    { "cancel", call_cancel },
    { "delete", call_delete },
    { "generation_of", call_generation_of },
    { "edit", call_edit },
    { "history", call_history },
    { "history_total", call_history_total },
    { "move_claim", call_move_claim },
    { "move_failed", call_move_failed },
    { "move_later", call_move_later },
    { "moved", call_moved },
    { "moves_feed", call_moves_feed },
    { "removal_claim", call_removal_claim },
    { "removal_done", call_removal_done },
    { "delivery_claim", call_delivery_claim },
    { "delivery_note", call_delivery_note },
    { "due", call_due },
    { "breaker_note", call_breaker_note },
    { "breakers", call_breakers },
    { "budgets", call_budgets },
    { "restore_claim", call_restore_claim },
    { "restored", call_restored },
    { "stray", call_stray },
    { "thumbnail", call_thumbnail },
    { "thumbnail_claim", call_thumbnail_claim },
    { "site_look", call_site_look },
    { "site_restored", call_site_restored },
    { "host_seen", call_host_seen },
    { "faults", call_faults },
    { "connections", call_connections },
    { "restore_later", call_restore_later },
    { "asset_put", call_asset_put },
    { "asset_upload", call_asset_upload },
    { "lost_response_keep", call_lost_response_keep },
    { "lost_response_put", call_lost_response_put },
    { "lost_response_take", call_lost_response_take },
    { "asset_get", call_asset_get },
    { "asset_bytes", call_asset_bytes },
    { "asset_delete", call_asset_delete },
    { "admin_jobs", call_admin_jobs },
    { "admin_cancel", call_admin_cancel },
    { "admin_clear", call_admin_clear },
    { "admin_users", call_admin_users },
    { "admin_user_set", call_admin_user_set },
    { "admin_credit", call_admin_credit },
    { "admin_refund", call_admin_refund },
    { "admin_money", call_admin_money },
    { "admin_now", call_admin_now },
    { "admin_stats", call_admin_stats },
    { "admin_check", call_admin_check },
    { "admin_presets", call_admin_presets },
    { "admin_preset_add", call_admin_preset_add },
    { "admin_preset_edit", call_admin_preset_edit },
    { "admin_preset_delete", call_admin_preset_delete },
    { "admin_breaker_reset", call_admin_breaker_reset },
    { "admin_move", call_admin_move },
    { "admin_move_stop", call_admin_move_stop },
    { "admin_moves", call_admin_moves },
    { "admin_takedown", call_admin_takedown },
    { "admin_holds", call_admin_holds },
    { "admin_erase", call_admin_erase },
    { "admin_erase_work", call_admin_erase_work },
    { "admin_audit", call_admin_audit },
};

/* Each act reports that the database is away, with Retry-After. */
static void check_all_down(void)
{
    size_t i;

    ck_assert_msg(UNIT_COUNT(acts) == GF_SQL_COUNT, "a statement has no row here");
    for (i = 0; i < UNIT_COUNT(acts); i++) {
        gf_err_t *err = acts[i].spec();

        ck_assert_msg(gf_err_is(err, GF_E_DB_DOWN), "%s: %s", acts[i].name,
                      err ? err->row->code : "no error");
        ck_assert_msg(err->retry_after > 0, "%s does not say when to come again", acts[i].name);
        ck_assert_msg(strncmp(err->detail, acts[i].name, strlen(acts[i].name)) == 0, "%s: %s",
                      acts[i].name, err->detail);
        ck_assert_msg(unit.taken == (int)i + 1, "%s", acts[i].name);
    }
}

START_TEST(without_a_connection_every_act_says_so)
{
    unit.conf.lease = apr_time_from_sec(30);
    check_all_down();
    ck_assert_msg(unit.line_count == 0, "the lender has logged why");
}
END_TEST

START_TEST(on_a_dead_connection_every_act_says_so)
{
    lend("host=/nowhere/at/all");
    check_all_down();
    ck_assert_msg(unit.line_count == GF_SQL_COUNT, "each tries to connect again and says so");
    ck_assert(strncmp(unit.lines[0].text, "GF0301: unit: lost a database connection in health", 50)
              == 0);
    end();
}
END_TEST

/* ---- with the database of the harness ---- */

/* A user with credits, that no other test uses. */
static const char *rich_user(int credits)
{
    static int users;
    const char *user = apr_psprintf(unit.ctx.pool, "unit-%ld-%d", (long)getpid(), ++users);

    ck_assert_str_eq(
        as_owner(apr_psprintf(unit.ctx.pool, "SELECT genflow.grant_credits('%s', %d, 'unit test')",
                              user, credits)),
        "ok");
    return user;
}

static gf_created_t create_with(const char *user, const char *key, const char *hash,
                                const gf_begin_t *begin)
{
    gf_caller_t caller = { .user = user, .key = key, .hash = hash };
    gf_spec_t spec = { .type = &type,
                       .priority = GF_PRIORITY_NORMAL,
                       .run_id = "run-1",
                       .preset = "base",
                       .prompt = "a \"neon\" cat",
                       .parameters = "{\"strength\": 0.3}",
                       .seed = 77,
                       .max_retries = 3,
                       .cost = 2 };
    gf_created_t created;

    memset(&created, 0, sizeof(created));
    unit_no_error(gf_queue_create(&created, &unit.ctx, &caller, &spec, begin));
    return created;
}

static gf_created_t create(const char *user, const char *key, const char *hash, const char *owner)
{
    gf_begin_t begin = { .owner = owner };

    return create_with(user, key, hash, &begin);
}

static gf_quota_t quota_of(const char *user)
{
    gf_quota_t quota;

    unit_no_error(gf_ledger_quota(&quota, &unit.ctx, user));
    return quota;
}

static gf_job_t job_of(const gf_created_t *created)
{
    gf_job_t made = { .type = &type, .id = created->id, .epoch = created->epoch, .seed = 77 };

    return made;
}

static gf_settled_t settle(const gf_job_t *settled, const gf_end_t *how)
{
    gf_settled_t outcome = GF_SETTLED_NOT;

    unit_no_error(gf_settle_generation(&outcome, NULL, &unit.ctx, settled, how));
    return outcome;
}

static const gf_end_t unwanted = { .status = "cancelled" };
static const gf_end_t success = {
    .status = "completed", .choice = &choice, .image_url = "/generated/a.png", .result = RESULT
};
static const gf_end_t failure = {
    .status = "failed", .error_code = "TIMEOUT", .error_message = "too slow", .cause_code = "X"
};

START_TEST(each_outcome_of_a_creation_is_returned)
{
    gf_created_t created, again;
    const char *user;
    gf_job_t made;

    lend_app();
    user = rich_user(3);
    created = create(user, "key", HASH, "unit host");
    ck_assert_int_eq(created.outcome, GF_CREATED);
    ck_assert_uint_eq(strlen(created.id), 36);
    ck_assert_int_eq(created.epoch, 1);
    ck_assert_str_eq(created.status, "processing");
    ck_assert_int_eq(quota_of(user).held, 2);
    ck_assert_int_eq(quota_of(user).remaining, 1);

    again = create(user, "key", HASH, "unit host");
    ck_assert_int_eq(again.outcome, GF_REPLAY);
    ck_assert_str_eq(again.id, created.id);
    ck_assert_str_eq(again.status, "processing");
    again = create(user, "key", "ff", "unit host");
    ck_assert_int_eq(again.outcome, GF_MISMATCH);
    again = create(user, "other", HASH, "unit host");
    ck_assert_int_eq(again.outcome, GF_NO_CREDIT);
    ck_assert_int_eq(again.balance, 3);
    ck_assert_int_eq(again.held, 2);

    made = job_of(&created);
    ck_assert_int_eq(settle(&made, &unwanted), GF_SETTLED_DONE);
    as_owner(apr_psprintf(unit.ctx.pool,
                          "UPDATE genflow.accounts SET day_limit = 1 WHERE name = '%s'", user));
    ck_assert_int_eq(create(user, "third", HASH, "unit host").outcome, GF_QUOTA_SPENT);
    as_owner(apr_psprintf(unit.ctx.pool,
                          "UPDATE genflow.accounts SET blocked = true WHERE name = '%s'", user));
    ck_assert_int_eq(create(user, "fourth", HASH, "unit host").outcome, GF_ACCOUNT_BLOCKED);
    end();
}
END_TEST

START_TEST(a_creation_records_the_intent_and_settling_returns_the_generation)
{
    gf_begin_t begin = {
        .owner = "unit host", .choice = &choice, .webhook_token = HASH, .request_hash = "{}"
    };
    gf_find_t find = { 0 };
    gf_final_t *final = NULL;
    gf_settled_t settled;
    gf_created_t created, created_queued;
    const char *user;
    gf_view_t view;
    gf_job_t made;

    lend_app();
    user = rich_user(4);
    created = create_with(user, "key", HASH, &begin);
    ck_assert_int_eq(created.intent, GF_INTENT_RECORDED);
    created_queued = create(user, "other", HASH, "unit host");
    ck_assert_int_eq(created_queued.intent, GF_INTENT_NONE);
    made = job_of(&created_queued);
    ck_assert_int_eq(settle(&made, &unwanted), GF_SETTLED_DONE);
    made = job_of(&created);
    made.attempts = 1;
    made.user = user;
    unit_no_error(gf_queue_attempt(&lease, &unit.ctx, &made, &choice, HASH));
    ck_assert_msg(lease == GF_LEASE_OURS, "it is the intent of attempt 1");

    unit_no_error(gf_settle_generation(&settled, &final, &unit.ctx, &made, &success));
    ck_assert_int_eq(settled, GF_SETTLED_DONE);
    ck_assert_ptr_nonnull(final);
    find.id = created.id;
    unit_no_error(gf_queue_get(&view, &unit.ctx, &type, user, &find));
    ck_assert_str_eq(final->view.id, view.id);
    ck_assert_str_eq(final->view.status, "completed");
    ck_assert_str_eq(final->view.image_url, view.image_url);
    ck_assert_str_eq(final->view.finished_at, view.finished_at);
    ck_assert_str_eq(final->view.user, user);
    ck_assert_ptr_eq(final->view.type, &type);
    gf_final_release(final);

    made.id = NO_ID;
    unit_no_error(gf_settle_generation(&settled, &final, &unit.ctx, &made, &success));
    ck_assert_int_eq(settled, GF_SETTLED_UNKNOWN);
    ck_assert_msg(!final, "there is none");
    end();
}
END_TEST

START_TEST(a_generation_is_read_as_it_was_made_and_as_it_ended)
{
    gf_find_t find = { 0 };
    gf_created_t created;
    const char *user;
    gf_view_t view;
    gf_job_t made;

    lend_app();
    user = rich_user(2);
    created = create(user, "key", HASH, "unit host");
    made = job_of(&created);
    find.run_id = "run-1";
    memset(&view, 0, sizeof(view));
    unit_no_error(gf_queue_get(&view, &unit.ctx, &type, user, &find));
    ck_assert_str_eq(view.id, created.id);
    ck_assert_str_eq(view.prompt, "a \"neon\" cat");
    ck_assert_str_eq(view.preset, "base");
    ck_assert_str_eq(view.parameters_json, "{\"strength\": 0.3}");
    ck_assert_str_eq(view.seed_json, "77");
    ck_assert_str_eq(view.cost_json, "2");
    ck_assert_str_eq(view.max_retries_json, "3");
    ck_assert_str_eq(view.user, user);
    ck_assert_ptr_eq(view.type, &type);
    ck_assert_ptr_null(view.image_url);
    ck_assert_ptr_null(view.finished_at);
    ck_assert(!view.persisted && !gf_view_ended(&view));

    ck_assert_int_eq(settle(&made, &success), GF_SETTLED_DONE);
    ck_assert_int_eq(settle(&made, &success), GF_SETTLED_SAME);
    ck_assert_int_eq(settle(&made, &failure), GF_SETTLED_ALREADY_ENDED);
    find.id = created.id;
    unit_no_error(gf_queue_get(&view, &unit.ctx, &type, user, &find));
    ck_assert_str_eq(view.status, "completed");
    ck_assert_str_eq(view.image_url, "/generated/a.png");
    ck_assert_str_eq(view.result_json, RESULT);
    ck_assert_str_eq(view.provider, "stability");
    ck_assert_str_eq(view.model, "sd3");
    ck_assert(view.persisted && gf_view_ended(&view));
    ck_assert_int_eq(quota_of(user).balance, 0);
    ck_assert_int_eq(quota_of(user).held, 0);
    end();
}
END_TEST

START_TEST(a_job_is_claimed_worked_on_and_ended_under_its_lease)
{
    gf_claim_cursor_t cursor = { .owner = "unit host",
                                 .limit = 10,
                                 .from = { "-infinity", "-infinity", "-infinity", "-infinity" } };
    int said;
    gf_created_t created;
    gf_job_t *claimed = NULL;
    gf_job_t late;
    const char *user, *ref;

    lend_app();
    user = rich_user(2);
    created = create(user, "key", HASH, NULL);
    ref = apr_pstrcat(unit.ctx.pool, "ref-", created.id, NULL);
    ck_assert_int_eq(created.epoch, 0);
    unit_no_error(gf_queue_claim(&claimed, &unit.ctx, &type, &cursor));
    ck_assert_msg(claimed && !claimed->next, "not just the one job that is due");
    ck_assert_str_eq(claimed->id, created.id);
    ck_assert_int_eq(claimed->epoch, 1);
    ck_assert_int_eq(claimed->phase, GF_PHASE_QUEUED);
    ck_assert_int_eq(claimed->attempts, 0);
    ck_assert_int_eq(claimed->max_retries, 3);
    ck_assert_int_eq(claimed->seed, 77);
    ck_assert_str_eq(claimed->user, user);
    ck_assert_str_eq(claimed->prompt, "a \"neon\" cat");
    ck_assert_ptr_null(claimed->provider_ref);
    ck_assert_ptr_null(claimed->source_url);
    ck_assert(claimed->deadline > gf_clock_now() + apr_time_from_sec(500));
    ck_assert_str_ne(cursor.from[2], "-infinity");

    late = *claimed; /* as a host that lost it knows the job */
    late.epoch = 0;
    claimed->attempts = 1;
    unit_no_error(gf_queue_attempt(&lease, &unit.ctx, claimed, &choice, HASH));
    ck_assert_int_eq(lease, GF_LEASE_OURS);
    unit_no_error(gf_queue_attempt(&lease, &unit.ctx, &late, &choice, HASH));
    ck_assert_int_eq(lease, GF_LEASE_LOST);
    claimed->provider_ref = ref; /* no provider gives an id twice */
    unit_no_error(gf_queue_accepted(&lease, &unit.ctx, claimed, &choice, "stability"));
    ck_assert_int_eq(lease, GF_LEASE_OURS);
    unit_no_error(beat(&said, claimed, NULL));
    ck_assert_int_eq(said, GF_BEAT_HELD);
    unit_no_error(beat(&said, NULL, NULL));
    ck_assert_int_eq(said, -1);
    unit_no_error(beat(&said, &late, NULL));
    ck_assert_int_eq(said, GF_BEAT_LOST);

    unit_no_error(gf_queue_hand_back(&unit.ctx, lease_of(claimed)));
    gf_job_free(claimed);
    unit_no_error(gf_queue_claim(&claimed, &unit.ctx, &type, &cursor));
    ck_assert_int_eq(claimed->epoch, 2);
    ck_assert_int_eq(claimed->phase, GF_PHASE_WORKING);
    ck_assert_str_eq(claimed->provider_ref, ref);
    claimed->chain_pos = 1;
    unit_no_error(gf_queue_requeue(&lease, &unit.ctx, claimed, apr_time_from_sec(60), "API_ERROR"));
    ck_assert_int_eq(lease, GF_LEASE_OURS);
    ck_assert_msg(!call_claim(), "it is not due");
    claimed->attempts = 2;
    ck_assert_int_eq(settle(claimed, &unwanted), GF_SETTLED_DONE);
    unit_no_error(gf_queue_attempt(&lease, &unit.ctx, claimed, &choice, HASH));
    ck_assert_msg(lease == GF_LEASE_ENDED, "somebody ended it");
    unit_no_error(beat(&said, claimed, NULL));
    ck_assert_msg(said == GF_BEAT_ENDED, "who held it learns so");
    gf_job_free(claimed);
    end();
}
END_TEST

static apr_time_t still; /* for so long the process stood still */
static int still_for;    /* ... in so many statements from now on */

static apr_time_t standing_clock(void)
{
    return gf_clock_now() + still;
}

static bool take_and_stand(gf_connection_t *connection, apr_pool_t *pool, void *baton)
{
    still += still_for-- > 0 ? apr_time_from_sec(10) : 0;
    return take_connection(connection, pool, baton);
}

START_TEST(a_clock_is_not_judged_by_a_statement_that_took_long)
{
    static const struct {
        int slow, statements;
        bool sure;
    } rows[] = { { 0, 1, true }, { 1, 2, true }, { 2, 3, true }, { 3, 3, false } };
    gf_host_seen_t seen;
    size_t i;

    lend("");
    unit.ctx.clock = standing_clock;
    unit.lender.take = take_and_stand;
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        unit.taken = 0;
        still_for = rows[i].slow;
        unit_no_error(gf_host_seen(&seen, &unit.ctx, "unit host", "{}", "{}"));
        ck_assert_int_eq(unit.taken, rows[i].statements);
        ck_assert_int_eq(seen.clock_is_sure, rows[i].sure);
    }
    end();
}
END_TEST

#define LEASES 1201

/* The first and the last are live; the others are not there any more. */
START_TEST(new_leases_are_named_in_statements_of_500)
{
    gf_heartbeat_t heartbeat = { .owner = "unit host", .leads = true };
    int held = 0;
    gf_created_t created[2];
    gf_job_t live[2];
    const char *user;
    int i;

    lend_app();
    user = rich_user(4);
    heartbeat.pool = unit.ctx.pool;
    heartbeat.leases = apr_array_make(unit.ctx.pool, LEASES, sizeof(gf_lease_t));
    heartbeat.dropped = apr_array_make(unit.ctx.pool, 1, sizeof(gf_lease_t));
    for (i = 0; i < LEASES; i++) {
        gf_lease_t *one = apr_array_push(heartbeat.leases);

        one->id = apr_psprintf(unit.ctx.pool, "00000000-0000-7000-8000-%012d", i);
        one->epoch = 1;
    }
    for (i = 0; i < 2; i++) {
        created[i] = create(user, i ? "last" : "first", HASH, "unit host");
        live[i] = job_of(&created[i]);
        APR_ARRAY_IDX(heartbeat.leases, i * (LEASES - 1), gf_lease_t).id = created[i].id;
    }
    unit.taken = 0;
    unit_no_error(gf_heartbeat_renew(&heartbeat, &unit.ctx));
    ck_assert_int_eq(unit.taken, 3);
    ck_assert_uint_eq(apr_hash_count(heartbeat.words), LEASES);
    for (i = 0; i < LEASES; i++) {
        const gf_lease_t *one = &APR_ARRAY_IDX(heartbeat.leases, i, gf_lease_t);
        const gf_beat_row_t *row = apr_hash_get(
            heartbeat.words, apr_psprintf(unit.ctx.pool, "%s 1", one->id), APR_HASH_KEY_STRING);

        held += row->word == GF_BEAT_HELD;
        ck_assert_int_eq(row->word, i % (LEASES - 1) ? GF_BEAT_ENDED : GF_BEAT_HELD);
    }
    ck_assert_int_eq(held, 2);
    heartbeat.leases = apr_array_make(unit.ctx.pool, 1, sizeof(gf_lease_t));
    unit.taken = 0;
    unit_no_error(gf_heartbeat_renew(&heartbeat, &unit.ctx));
    ck_assert_msg(unit.taken == 1, "they are renewed in one, which names none");
    ck_assert_uint_eq(apr_hash_count(heartbeat.words), 0);
    for (i = 0; i < 2; i++) {
        ck_assert_int_eq(settle(&live[i], &failure), GF_SETTLED_DONE);
    }
    end();
}
END_TEST

static void says(gf_heartbeat_t *heartbeat, const char *lease, gf_beat_word_t word)
{
    gf_beat_row_t *row = apr_pcalloc(unit.ctx.pool, sizeof(*row));

    row->word = word;
    apr_hash_set(heartbeat->words, lease, APR_HASH_KEY_STRING, row);
}

/* What an answered heartbeat means for runs, by job and epoch. */
START_TEST(a_heartbeat_speaks_of_leases)
{
    gf_heartbeat_t heartbeat = { .succeeded = true, .words = apr_hash_make(unit.ctx.pool) };
    gf_job_t leased = { .id = "a job", .epoch = 2 };
    gf_run_t run = { .job = &leased, .kind = &gf_kind_generate };

    ck_assert_int_eq(gf_heartbeat_event(&heartbeat, &run), GF_EVENT_NONE);
    says(&heartbeat, "a job 1", GF_BEAT_LOST);
    says(&heartbeat, "another job 2", GF_BEAT_ENDED);
    ck_assert_int_eq(gf_heartbeat_event(&heartbeat, &run), GF_EVENT_NONE);
    ck_assert_msg(!run.led, "it said nothing about it");
    says(&heartbeat, "a job 2", GF_BEAT_LOST);
    ck_assert_int_eq(gf_heartbeat_event(&heartbeat, &run), GF_EVENT_LEASE_LOST);
    says(&heartbeat, "a job 2", GF_BEAT_ENDED);
    ck_assert_int_eq(gf_heartbeat_event(&heartbeat, &run), GF_EVENT_JOB_ENDED);
    says(&heartbeat, "a job 2", GF_BEAT_HELD);
    heartbeat.succeeded = false;
    ck_assert_int_eq(gf_heartbeat_event(&heartbeat, &run), GF_EVENT_NONE);
    ck_assert_msg(!run.led, "a failed heartbeat says nothing");
    heartbeat.succeeded = true;
    ck_assert_int_eq(gf_heartbeat_event(&heartbeat, &run), GF_EVENT_NONE);
    ck_assert_msg(run.led, "it is ours");
}
END_TEST

/* A lease that is given up is named until a heartbeat has succeeded; one that no heartbeat has
 * named ends by itself. */
START_TEST(a_dropped_lease_is_kept_until_a_heartbeat_succeeds)
{
    gf_heartbeat_t heartbeat = { .parent = unit.ctx.pool, .open = true };
    gf_job_t leased = { .id = "a job", .epoch = 2 };
    gf_run_t run = { .job = &leased, .kind = &gf_kind_generate };

    gf_heartbeat_drop(&heartbeat, &run);
    ck_assert_ptr_null(heartbeat.drops);
    run.named = true;
    gf_heartbeat_drop(&heartbeat, &run);
    ck_assert_ptr_nonnull(heartbeat.drops);
    heartbeat.dropping = heartbeat.drops; /* a heartbeat has it, and fails */
    heartbeat.drops = NULL;
    leased.epoch = 3;
    gf_heartbeat_drop(&heartbeat, &run); /* meanwhile */
    gf_heartbeat_end(&heartbeat);
    ck_assert(!heartbeat.open && heartbeat.leads);
    ck_assert_ptr_null(heartbeat.dropping);
    ck_assert_int_eq(heartbeat.drops->lease.epoch, 2);
    ck_assert_int_eq(heartbeat.drops->next->lease.epoch, 3);
    ck_assert_ptr_null(heartbeat.drops->next->next);
    heartbeat.dropping = heartbeat.drops;
    heartbeat.drops = NULL;
    heartbeat.leads = false;
    heartbeat.succeeded = true;
    gf_heartbeat_end(&heartbeat);
    ck_assert_ptr_null(heartbeat.drops);
    ck_assert_ptr_null(heartbeat.dropping);
    ck_assert_msg(!heartbeat.leads, "the row is gone");
}
END_TEST

int main(void)
{
    const TTest *const without[] = {
        a_heartbeat_speaks_of_leases,
        a_dropped_lease_is_kept_until_a_heartbeat_succeeds,
        without_a_connection_every_act_says_so,
        on_a_dead_connection_every_act_says_so,
        NULL,
    };
    const TTest *const with[] = {
        each_outcome_of_a_creation_is_returned,
        a_creation_records_the_intent_and_settling_returns_the_generation,
        a_generation_is_read_as_it_was_made_and_as_it_ended,
        a_job_is_claimed_worked_on_and_ended_under_its_lease,
        new_leases_are_named_in_statements_of_500,
        a_clock_is_not_judged_by_a_statement_that_took_long,
        NULL,
    };

    return run_with_database("queue", &type, without, with);
}
