/* SPDX-License-Identifier: Apache-2.0 */
/* db/admin.c: every act once, for queue_test.c, which has no database. */
#ifndef ADMIN_ACTS_H
#define ADMIN_ACTS_H

#include "database.h"
#include "db/admin.h"
#include "db/admin_move.h"
#include "db/admin_record.h"
#include "db/admin_remove.h"

static const gf_type_t admin_type = { .name = "unit-queue", .prefix = "unit_queue" };

static gf_err_t *call_admin_jobs(void)
{
    const gf_admin_filter_t filter = { .type = &admin_type, .limit = 1 };
    gf_ctx_t ctx = unit.ctx;
    apr_array_header_t types = { 0 };
    gf_conf_t conf = unit.conf;
    apr_array_header_t *jobs;

    conf.type_list = &types;
    ctx.conf = &conf;
    return gf_admin_jobs(&jobs, &ctx, &filter);
}

static gf_err_t *call_admin_cancel(void)
{
    gf_admin_cancelled_t done;

    return gf_admin_cancel(&done, &unit.ctx, NO_ID, NULL);
}

static gf_err_t *call_admin_clear(void)
{
    const gf_admin_filter_t filter = { .limit = 1 };
    gf_admin_cleared_t done;

    return gf_admin_clear(&done, &unit.ctx, &filter, "admin");
}

static gf_err_t *call_admin_users(void)
{
    apr_array_header_t *users;

    return gf_admin_users(&users, &unit.ctx, NULL, NULL, 1);
}

static gf_err_t *call_admin_user_set(void)
{
    bool found;

    return gf_admin_user_set(&found, &unit.ctx, "nobody", "{}");
}

static gf_err_t *call_admin_credit(void)
{
    const gf_admin_entry_t entry = { .user = "nobody", .amount = 1 };
    gf_entry_end_t end;

    return gf_admin_credit(&end, &unit.ctx, &entry);
}

static gf_err_t *call_admin_refund(void)
{
    gf_admin_entry_t entry = { .generation = NO_ID };
    gf_entry_end_t end;

    return gf_admin_refund(&end, &unit.ctx, &entry);
}

static gf_err_t *call_admin_stats(void)
{
    const char *json;

    return gf_admin_stats(&json, &unit.ctx);
}

static gf_err_t *call_admin_now(void)
{
    gf_admin_now_t now;

    return gf_admin_now(&now, &unit.ctx, "{}");
}

static gf_err_t *call_admin_money(void)
{
    gf_admin_money_t money = { .to = 1, .per = "day" };
    gf_ctx_t ctx = unit.ctx;

    ctx.conf = &unit.conf;
    return gf_admin_money(&money, &ctx);
}

static gf_err_t *call_admin_check(void)
{
    const char *json;

    return gf_admin_check(&json, &unit.ctx);
}

static gf_err_t *call_admin_presets(void)
{
    apr_array_header_t *presets;

    return gf_admin_presets(&presets, &unit.ctx, NULL, NULL);
}

static gf_err_t *call_admin_preset_add(void)
{
    gf_admin_preset_t preset = { .type = &admin_type, .key = "k", .fields = "{}" };
    gf_preset_end_t end;

    return gf_admin_preset_add(&end, &unit.ctx, &preset);
}

static gf_err_t *call_admin_preset_edit(void)
{
    gf_admin_preset_t preset = { .type = &admin_type, .key = "k", .fields = "{}" };
    gf_preset_end_t end;

    return gf_admin_preset_edit(&end, &unit.ctx, &preset);
}

static gf_err_t *call_admin_preset_delete(void)
{
    bool found;

    return gf_admin_preset_delete(&found, &unit.ctx, &admin_type, "k");
}

static gf_err_t *call_admin_erase(void)
{
    apr_int64_t account;

    return gf_admin_erase(&account, &unit.ctx, "nobody");
}

static gf_err_t *call_admin_erase_work(void)
{
    int left;

    return gf_admin_erase_work(&left, &unit.ctx, 1);
}

static gf_err_t *call_admin_holds(void)
{
    const char *json;

    return gf_admin_holds(&json, &unit.ctx, "nobody");
}

static gf_err_t *call_admin_audit(void)
{
    const gf_admin_audit_t filter = { .limit = 1 };
    apr_array_header_t *entries;

    return gf_admin_audit(&entries, &unit.ctx, &filter);
}

static const apr_array_header_t no_texts;

static gf_err_t *call_admin_move(void)
{
    const gf_admin_move_t move = { .types = &no_texts, .sources = &no_texts, .target = "/" };
    const char *json;

    return gf_admin_move(&json, &unit.ctx, &move);
}

static gf_err_t *call_admin_moves(void)
{
    apr_array_header_t *moves;

    return gf_admin_moves(&moves, &unit.ctx, &no_texts, 1);
}

static gf_err_t *call_admin_move_stop(void)
{
    const char *json;

    return gf_admin_move_stop(&json, &unit.ctx, 1, &no_texts);
}

static gf_err_t *call_admin_takedown(void)
{
    gf_admin_takedown_t done;

    return gf_admin_takedown(&done, &unit.ctx, NO_ID, NULL);
}

static gf_err_t *call_admin_breaker_reset(void)
{
    int count;

    return gf_admin_breaker_reset(&count, &unit.ctx, "nobody", NULL);
}

#endif
