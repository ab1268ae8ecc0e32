/* SPDX-License-Identifier: Apache-2.0 */
/* The statements. Prepared lazily per connection by db/db.c; the types of parameters are those of
 * the functions. */
#include "db/sql.h"

/* clang-format off */
/* What is told of a generation: genflow.generation. */
#define GENERATION \
    "outcome, type, id, run_id, status, preset, prompt, source_url, parameters, seed, cost," \
    " retry_count, max_retries, provider, model, stability_job_id, aiml_job_id, fal_job_id," \
    " replicate_id, image_url, original_url, persisted, expires_at, fallback_used, error_code," \
    " error_message, cause_code, created_at, started_at, finished_at, processing_ms, result," \
    " progress, queue_position, logs, at, webhook_url, priority"

const gf_sql_row_t gf_sql_rows[GF_SQL_COUNT] = {
    [GF_SQL_CREATE] = { "create",
        "SELECT outcome, id, epoch, status, created_at, balance, held, picture_secret FROM"
        " genflow.%s_create($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
        " $16, $17, $18, $19, $20, $21, $22, p_call => $23)", 22 },
    [GF_SQL_CREATE_BATCH] = { "create_batch",
        "SELECT outcome, id, epoch, status, created_at, balance, held, picture_secret FROM"
        " genflow.%s_create_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
        " $15, $16, $17, $18, $19, $20, $21, $22, p_call => $23)", 22 },
    [GF_SQL_MADE_BEFORE] = { "made_before",
        "SELECT outcome, id FROM genflow.made_before($1, $2, $3)", 3 },
    [GF_SQL_START] = { "start",
        "SELECT id, epoch, 'queued', 0, 0, 0, NULL, extract(epoch FROM $5::interval) * 1000, $1,"
        " preset, prompt, source_url, parameters, seed, max_retries, NULL, age_ms, outcome, status,"
        " picture_secret"
        " FROM genflow.%s_start($1, $2, $3, $4, $5, p_call => $6)", 5 },
    [GF_SQL_GET] = { "get",
        "SELECT " GENERATION " FROM genflow.%s_get($1, $2, $3, $4)", 4 },
    [GF_SQL_CLAIM] = { "claim",
        "SELECT id, epoch, phase, attempts, chain_pos, retries, provider_ref, deadline_ms, user_id,"
        " preset, prompt, source_url, parameters, seed, max_retries, due_at, age_ms,"
        " lane, provider, model, picture_secret, last_look"
        " FROM genflow.%s_claim($1, $2, $3, $4, ARRAY[$5, $6, $7]::timestamptz[], true,"
        " p_call => $8, p_again => $9)", 7 },
    [GF_SQL_ACCEPTED] = { "accepted",
        "SELECT genflow.%s_accepted($1, $2, $3, $4, $5, $6, $7, p_call => $8)", 7 },
    [GF_SQL_SETTLE] = { "settle",
        "SELECT genflow.%s_settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
        " p_call => $15)",
        14 },
    [GF_SQL_CANCEL] = { "cancel",
        "SELECT outcome, status, owner FROM genflow.%s_cancel($1, $2, p_call => $3)", 2 },
    [GF_SQL_DELETE] = { "delete",
        "SELECT outcome, status, image_url FROM genflow.%s_delete($1, $2, p_call => $3)", 2 },
    [GF_SQL_TYPE_OF] = { "type_of",
        "SELECT genflow.type_of($1)", 1 },
    [GF_SQL_HISTORY] = { "history",
        "SELECT " GENERATION " FROM genflow.history($1, $2, $3, $4, $5, $6, $7)", 7 },
    [GF_SQL_HISTORY_COUNT] = { "history_count",
        "SELECT genflow.history_count($1, $2, $3, $4, $5)", 5 },
    [GF_SQL_ATTEMPT_BEGIN] = { "attempt_begin",
        "SELECT genflow.attempt_begin($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", 11 },
    [GF_SQL_PROGRESS] = { "progress",
        "SELECT genflow.progress($1, $2, $3, $4, $5)", 5 },
    [GF_SQL_HOOK_REF] = { "hook_ref",
        "SELECT genflow.hook_ref($1, $2)", 2 },
    [GF_SQL_REQUEUE] = { "requeue",
        "SELECT genflow.requeue($1, $2, $3, $4, $5, $6, $7)", 7 },
    [GF_SQL_HEARTBEAT] = { "heartbeat",
        "SELECT genflow.heartbeat($1, $2, $3)", 3 },
    [GF_SQL_ENDED] = { "ended",
        "SELECT genflow.ended($1)", 1 },
    [GF_SQL_HAND_BACK] = { "hand_back",
        "SELECT genflow.hand_back($1, $2)", 2 },
    [GF_SQL_HOOK] = { "hook",
        "SELECT genflow.hook($1, $2, $3, $4, $5, $6, $7)", 7 },
    [GF_SQL_HOOK_KNOWN] = { "hook_known",
        "SELECT genflow.hook_known($1, $2, $3)", 3 },
    [GF_SQL_BREAKER_NOTE] = { "breaker_note",
        "SELECT genflow.breaker_note($1, $2, $3, $4, $5, $6, p_call => $7)", 6 },
    [GF_SQL_BUDGETS] = { "budgets",
        "SELECT provider, spent FROM genflow.budgets()", 0 },
    [GF_SQL_BREAKERS] = { "breakers",
        "SELECT provider, model, state, failures, open_until, opened_at, reason"
        " FROM genflow.breakers()", 0 },
    [GF_SQL_RESTORE_CLAIM] = { "restore_claim",
        "SELECT id, type, url, tries, picture_secret FROM genflow.restore_claim($1, $2, $3)", 3 },
    [GF_SQL_RESTORE_LATER] = { "restore_later",
        "SELECT genflow.restore_later($1, $2)", 2 },
    [GF_SQL_RESTORED] = { "restored",
        "SELECT genflow.%s_restored($1, $2, $3)", 3 },
    [GF_SQL_REMOVAL_CLAIM] = { "removal_claim",
        "SELECT id, type, url, media_type, picture_secret"
        " FROM genflow.removal_claim($1, $2, $3)", 3 },
    [GF_SQL_REMOVAL_DONE] = { "removal_done",
        "SELECT genflow.removal_done($1, $2)", 2 },
    [GF_SQL_DELIVERY_CLAIM] = { "delivery_claim",
        "SELECT id, type, user_id, tries, at FROM genflow.delivery_claim($1, $2, $3)", 3 },
    [GF_SQL_DELIVERY_NOTE] = { "delivery_note",
        "SELECT genflow.delivery_note($1, $2)", 2 },
    [GF_SQL_QUOTA] = { "quota",
        "SELECT balance, held, day_limit, day_used, week_limit, week_used, remaining, day_reset,"
        " at, wait FROM genflow.quota($1, $2)", 2 },
    [GF_SQL_RESERVE] = { "reserve",
        "SELECT outcome, action, expires_at, balance, held"
        " FROM genflow.reserve($1, $2, $3, $4, $5, $6)", 6 },
    [GF_SQL_RESERVE_FINALIZE] = { "reserve_finalize",
        "SELECT outcome, amount, job_id, status, charged, balance, held"
        " FROM genflow.reserve_finalize($1, $2, p_call => $3)", 2 },
    [GF_SQL_LEDGER_LIST] = { "ledger_list",
        "SELECT ref, kind, amount, balance_after, credits, reason, reference, job_id, request_id,"
        " at, cursor FROM genflow.ledger_list($1, $2, $3)", 3 },
    [GF_SQL_ASSET_PUT] = { "asset_put",
        "SELECT outcome, id, expires_at FROM genflow.asset_put($1, $2, $3, $4, $5, $6, $7)", 7 },
    [GF_SQL_ASSET_GET] = { "asset_get",
        "SELECT outcome, id, type, width, height, size, sha256, expires_at"
        " FROM genflow.asset_get($1, $2)", 2 },
    [GF_SQL_ASSET_BYTES] = { "asset_bytes",
        "SELECT type, encode(bytes, 'hex') FROM genflow.asset_bytes($1)", 1 },
    [GF_SQL_ASSET_DELETE] = { "asset_delete",
        "SELECT genflow.asset_delete($1, $2, p_call => $3)", 2 },
    [GF_SQL_PRESETS] = { "presets",
        "SELECT id, key, label, description, category, prompt, negative_prompt, strength,"
        " parameters, rotation_index, week, available_at, current_week, is_active, is_on"
        " FROM genflow.presets($1, $2)", 2 },
    [GF_SQL_TEMPLATE_PUT] = { "template_put",
        "SELECT outcome, id, created_at FROM genflow.template_put($1, $2, $3, $4, $5)", 5 },
    [GF_SQL_TEMPLATES] = { "templates",
        "SELECT id, name, type, config, created_at FROM genflow.templates($1, $2, $3)", 3 },
    [GF_SQL_TEMPLATE_GET] = { "template_get",
        "SELECT outcome, type, config FROM genflow.template_get($1, $2)", 2 },
    [GF_SQL_TEMPLATE_DELETE] = { "template_delete",
        "SELECT genflow.template_delete($1, $2, p_call => $3)", 2 },
    [GF_SQL_JANITOR_PARTS] = { "janitor_parts",
        "SELECT part FROM genflow.janitor_parts() AS part", 0 },
    [GF_SQL_JANITOR] = { "janitor",
        "SELECT genflow.janitor($1, $2, $3, $4, $5)", 5 },
    [GF_SQL_HEALTH] = { "health",
        "SELECT schema_version, types FROM genflow.health()", 0 },
    [GF_SQL_SITE_LOOK] = { "site_look",
        "SELECT restored, line, mark FROM genflow.site_look($1, $2)", 2 },
    [GF_SQL_SITE_RESTORED] = { "site_restored",
        "SELECT genflow.restored()", 0 },
    [GF_SQL_CONNECTIONS] = { "connections",
        "SELECT most, limited_by FROM genflow.connections()", 0 },
    [GF_SQL_ADMIN_JOBS] = { "admin_jobs",
        "SELECT type, user_id, id FROM genflow.admin_jobs($1, $2, $3, $4, $5)", 5 },
    [GF_SQL_ADMIN_CANCEL] = { "admin_cancel",
        "SELECT outcome, status, released, user_id"
        " FROM genflow.admin_cancel($1, p_call => $2)", 1 },
    [GF_SQL_ADMIN_CLEAR] = { "admin_clear",
        "SELECT seen, cancelled, released, last, ended"
        " FROM genflow.admin_clear($1, $2, $3, $4, $5, p_call => $6)", 5 },
    [GF_SQL_ADMIN_USERS] = { "admin_users",
        "SELECT user_id, account FROM genflow.admin_users($1, $2, $3, $4)", 4 },
    [GF_SQL_ADMIN_USER_SET] = { "admin_user_set",
        "SELECT genflow.admin_user_set($1, $2, p_call => $3)", 2 },
    [GF_SQL_ADMIN_CREDIT] = { "admin_credit",
        "SELECT genflow.admin_credit($1, $2, $3, $4, p_call => $5)", 4 },
    [GF_SQL_ADMIN_REFUND] = { "admin_refund",
        "SELECT outcome, user_id, amount"
        " FROM genflow.admin_refund($1, $2, $3, $4, p_call => $5)", 4 },
    [GF_SQL_ADMIN_STATS] = { "admin_stats",
        "SELECT genflow.admin_stats()", 0 },
    [GF_SQL_ADMIN_CHECK] = { "admin_check",
        "SELECT genflow.admin_check()", 0 },
    [GF_SQL_ADMIN_PRESETS] = { "admin_presets",
        "SELECT genflow.admin_presets($1, $2)", 2 },
    [GF_SQL_ADMIN_PRESET_ADD] = { "admin_preset_add",
        "SELECT outcome, preset FROM genflow.admin_preset_add($1, $2, $3, p_call => $4)", 3 },
    [GF_SQL_ADMIN_PRESET_EDIT] = { "admin_preset_edit",
        "SELECT outcome, preset FROM genflow.admin_preset_edit($1, $2, $3, p_call => $4)", 3 },
    [GF_SQL_ADMIN_PRESET_DELETE] = { "admin_preset_delete",
        "SELECT genflow.admin_preset_delete($1, $2, p_call => $3)", 2 },
    [GF_SQL_ADMIN_BREAKER_RESET] = { "admin_breaker_reset",
        "SELECT genflow.admin_breaker_reset($1, $2, p_call => $3)", 2 }
};
/* clang-format on */
