/* SPDX-License-Identifier: Apache-2.0 */
/* Every statement the module runs: name and text, nothing else. Each calls one SQL function; its
 * meaning, parameters and outcomes are documented there (sql/functions, sql/types). */
#ifndef GF_SQL_H
#define GF_SQL_H

typedef enum {
    GF_SQL_CREATE,
    GF_SQL_CREATE_BATCH,
    GF_SQL_MADE_BEFORE,
    GF_SQL_START,
    GF_SQL_GET,
    GF_SQL_CLAIM,
    GF_SQL_ACCEPTED,
    GF_SQL_SETTLE,
    GF_SQL_CANCEL,
    GF_SQL_DELETE,
    GF_SQL_TYPE_OF,
    GF_SQL_HISTORY,
    GF_SQL_HISTORY_COUNT,
    GF_SQL_ATTEMPT_BEGIN,
    GF_SQL_PROGRESS,
    GF_SQL_HOOK_REF,
    GF_SQL_REQUEUE,
    GF_SQL_HEARTBEAT,
    GF_SQL_ENDED,
    GF_SQL_HAND_BACK,
    GF_SQL_HOOK,
    GF_SQL_HOOK_KNOWN,
    GF_SQL_BREAKER_NOTE,
    GF_SQL_BREAKERS,
    GF_SQL_BUDGETS,
    GF_SQL_RESTORE_CLAIM,
    GF_SQL_RESTORE_LATER,
    GF_SQL_RESTORED,
    GF_SQL_REMOVAL_CLAIM,
    GF_SQL_REMOVAL_DONE,
    GF_SQL_DELIVERY_CLAIM,
    GF_SQL_DELIVERY_NOTE,
    GF_SQL_QUOTA,
    GF_SQL_RESERVE,
    GF_SQL_RESERVE_FINALIZE,
    GF_SQL_LEDGER_LIST,
    GF_SQL_ASSET_PUT,
    GF_SQL_ASSET_GET,
    GF_SQL_ASSET_BYTES,
    GF_SQL_ASSET_DELETE,
    GF_SQL_PRESETS,
    GF_SQL_TEMPLATE_PUT,
    GF_SQL_TEMPLATES,
    GF_SQL_TEMPLATE_GET,
    GF_SQL_TEMPLATE_DELETE,
    GF_SQL_JANITOR_PARTS,
    GF_SQL_JANITOR,
    GF_SQL_HEALTH,
    GF_SQL_SITE_LOOK,
    GF_SQL_SITE_RESTORED,
    GF_SQL_CONNECTIONS,
    GF_SQL_ADMIN_JOBS,
    GF_SQL_ADMIN_CANCEL,
    GF_SQL_ADMIN_CLEAR,
    GF_SQL_ADMIN_USERS,
    GF_SQL_ADMIN_USER_SET,
    GF_SQL_ADMIN_CREDIT,
    GF_SQL_ADMIN_REFUND,
    GF_SQL_ADMIN_STATS,
    GF_SQL_ADMIN_CHECK,
    GF_SQL_ADMIN_PRESETS,
    GF_SQL_ADMIN_PRESET_ADD,
    GF_SQL_ADMIN_PRESET_EDIT,
    GF_SQL_ADMIN_PRESET_DELETE,
    GF_SQL_ADMIN_BREAKER_RESET,
    GF_SQL_COUNT
} gf_sql_t;

#define GF_SQL_ARGS_MAX 40

/* Where the text names p_call, gf_db_call() adds the token of the call behind the arguments
 * (sql/functions/calls.sql), and where it names p_again whether the call is repeated; `args` does
 * not count them. The repetition of any other statement changes nothing and answers the same. */
typedef struct gf_sql_row_t {
    const char *name;
    const char *text; /* %s stands for the type's prefix; without it the statement is of no type */
    int args;
} gf_sql_row_t;

extern const gf_sql_row_t gf_sql_rows[GF_SQL_COUNT];

#endif
