/* SPDX-License-Identifier: Apache-2.0 */
/* Statements by name. A statement calls one SQL function (sql/functions, sql/types, where its
 * meaning, parameters and outcomes are documented). Its parameters and its columns are rows of a
 * table here. Each row names the parameter or the column, and its member of a C struct. The text of
 * the statement is printed from these rows and the answer is read by them, so place i of either is
 * row i.
 *
 * A new statement: its label in GF_STATEMENTS, and a GF_STATEMENT() with its rows in the file of
 * db/ that uses it. gf_check_missing() (db/check.h) reports at start the parts that a database
 * lacks. Nothing here blocks; any thread. */
#ifndef GF_SQL_H
#define GF_SQL_H

#include <stdbool.h>
#include <stddef.h>

#include <apr_time.h>

#include "model/conf.h"

/* clang-format off */
/* The label of each, in the order of the alphabet: names it in log lines and on the connection, and
 * makes GF_SQL_<label> and gf_sql_<label>. t/00-docs.t compares statements and SQL functions. */
#define GF_STATEMENTS(X) \
    X(accepted) X(admin_api_key_put) X(admin_api_key_revoke) X(admin_api_keys) X(admin_audit) \
    X(admin_breaker_reset) X(admin_cancel) X(admin_check) X(admin_clear) X(admin_credit) \
    X(admin_erase) X(admin_erase_work) X(admin_holds) X(admin_jobs) X(admin_money) X(admin_move) \
    X(admin_move_stop) X(admin_moves) X(admin_now) X(admin_preset_add) X(admin_preset_delete) \
    X(admin_preset_edit) X(admin_presets) X(admin_refund) X(admin_stats) X(admin_takedown) \
    X(admin_user_set) X(admin_users) X(allowance) X(api_key_get) X(api_key_put) \
    X(api_key_revoke) X(api_key_used) X(api_keys) X(asset_bytes) X(asset_delete) X(asset_get) \
    X(asset_put) X(asset_upload) X(attempt_begin) X(breaker_note) X(breakers) X(budgets) \
    X(cancel) X(check_due) X(claim) X(compose) X(connections) X(create) X(create_batch) \
    X(delete) X(delivery_claim) X(delivery_note) X(due) X(edit) X(expected_compute) X(faults) \
    X(feed) X(gallery) X(gallery_count) X(generation_of) X(get) X(hand_back) X(health) \
    X(heartbeat) X(history) X(history_total) X(hook) X(hook_known) X(hook_ref) X(host_seen) \
    X(janitor) X(janitor_parts) X(ledger_list) X(live) X(lost_response_keep) \
    X(lost_response_put) X(lost_response_take) X(made_before) X(media_find) X(media_mark) \
    X(metrics) X(move_claim) X(move_failed) X(move_later) X(moved) X(moves_feed) X(presets) \
    X(progress) X(quota) X(removal_claim) X(removal_done) X(requeue) X(reserve) \
    X(reserve_finalize) X(restore_claim) X(restore_later) X(restored) X(schema_missing) \
    X(settle) X(site_look) X(site_restored) X(start) X(stray) X(template_delete) X(template_get) \
    X(template_put) X(templates) X(thumbnail) X(thumbnail_claim) X(type_states) X(user_events) \
    X(user_settings) X(user_state) X(user_versions)
/* clang-format on */

typedef enum {
#define GF_SQL_NUMBER(label) GF_SQL_##label,
    GF_STATEMENTS(GF_SQL_NUMBER)
#undef GF_SQL_NUMBER
        GF_SQL_COUNT
} gf_sql_t;

/* How a member is written as a parameter, or read from a column. */
typedef enum {
    GF_SQL_TEXT,     /* const char *; NULL is SQL's NULL */
    GF_SQL_INT,      /* int */
    GF_SQL_INT64,    /* apr_int64_t */
    GF_SQL_BOOL,     /* bool */
    GF_SQL_INTERVAL, /* parameter: apr_interval_time_t */
    GF_SQL_HEX,      /* parameter: const char *, the hex digits of a bytea */
    GF_SQL_WORD      /* column: an enum, by a table of words */
} gf_sql_kind_t;

/* A word that a column may hold and the value of the enum that it means. The last row of a table
 * has no word: its value is that of SQL's NULL, or GF_SQL_NO_WORD where that may not come. */
typedef struct gf_sql_word_t {
    const char *word;
    int value;
} gf_sql_word_t;

#define GF_SQL_NO_WORD (-1000)

/* One parameter or one column. */
typedef struct gf_sql_field_t {
    const char *name; /* of the SQL function's parameter ("p_id") or column ("id") */
    gf_sql_kind_t kind;
    size_t offset;              /* of the member in its struct */
    const gf_sql_word_t *words; /* of a WORD */

    /* Of a number or an interval. Column: the value for SQL's NULL, usually 0. Parameter with
     * has_null: the value that is sent as NULL. */
    apr_int64_t null;
    bool has_null;

    /* Column: the expression that is selected under this name; NULL: the column of that name. */
    const char *expression;
} gf_sql_field_t;

/* A statement: one call of one SQL function, as GF_STATEMENT() defines it. Constant. */
typedef struct gf_statement_t {
    gf_sql_t number;
    const char *label;
    const char *function; /* of schema genflow; %s at its begin stands for the type's prefix */

    /* Members of the struct that gf_db_call() gets; they are sent by name. */
    const gf_sql_field_t *params;
    int param_count;

    /* Members of the struct that gf_rows_read() fills, and that struct's size. */
    const gf_sql_field_t *columns;
    int column_count;
    size_t row_size;

    /* The function returns one value instead of a row; the one column names it. Without a column
     * the value is not read. */
    bool is_value;

    /* Takes p_by, the context's `by`, behind the members: what it changes is recorded with that
     * (sql/functions/audit.sql). */
    bool has_by;

    /* Takes p_call, the token of the call (sql/functions/calls.sql), as its last parameter but
     * p_again. Repeating any other statement changes nothing and returns the same. */
    bool has_call;
    bool has_again;   /* takes p_again: is the call repeated? */
    const char *text; /* written out; NULL: printed from the rows */
} gf_statement_t;

#define GF_SQL_PARAMS_MAX 40 /* p_by, p_call and p_again among them */

/* ---- rows ---- */

/* The kind that the C type of a member has. Any other type does not compile. */
#define GF_SQL_KIND_OF(struct_type, member) \
    _Generic(((const struct_type *)0)->member,                                                     \
             const char *: GF_SQL_TEXT,                                                            \
             int: GF_SQL_INT,                                                                      \
             apr_int64_t: GF_SQL_INT64,                                                            \
             bool: GF_SQL_BOOL)

#define GF_SQL_FIELD(field, struct_type, member, ...)                         \
    {                                                                         \
        .name = (field), .offset = offsetof(struct_type, member), __VA_ARGS__ \
    }

/* A parameter named p_ and its member.
 *
 *   GF_PARAM           by the member's type
 *   GF_PARAM_INTERVAL  apr_interval_time_t as an interval, in whole milliseconds
 *   GF_PARAM_HEX       hex digits as a bytea
 *   ..._OR             the value `none` is sent as NULL */
#define GF_PARAM(struct_type, member) \
    GF_SQL_FIELD("p_" #member, struct_type, member, .kind = GF_SQL_KIND_OF(struct_type, member))
#define GF_PARAM_INTERVAL(struct_type, member) \
    GF_SQL_FIELD("p_" #member, struct_type, member, .kind = GF_SQL_INTERVAL)
#define GF_PARAM_HEX(struct_type, member) \
    GF_SQL_FIELD("p_" #member, struct_type, member, .kind = GF_SQL_HEX)
#define GF_PARAM_OR(struct_type, member, none)                                                   \
    GF_SQL_FIELD("p_" #member, struct_type, member, .kind = GF_SQL_KIND_OF(struct_type, member), \
                 .null = (none), .has_null = true)
#define GF_PARAM_INTERVAL_OR(struct_type, member, none)                                      \
    GF_SQL_FIELD("p_" #member, struct_type, member, .kind = GF_SQL_INTERVAL, .null = (none), \
                 .has_null = true)

/* A column and its member.
 *
 *   GF_COLUMN       named like the member, which is no member of a member
 *   GF_COLUMN_AS    under another name
 *   GF_COLUMN_OR    NULL is stored as `none` instead of 0
 *   GF_COLUMN_WORD  a word of a table, for an enum
 *   GF_COLUMN_FROM  an expression in SQL */
#define GF_COLUMN(struct_type, member) GF_COLUMN_AS(#member, struct_type, member)
#define GF_COLUMN_AS(column, struct_type, member) \
    GF_SQL_FIELD(column, struct_type, member, .kind = GF_SQL_KIND_OF(struct_type, member))
#define GF_COLUMN_OR(struct_type, member, none)                                             \
    GF_SQL_FIELD(#member, struct_type, member, .kind = GF_SQL_KIND_OF(struct_type, member), \
                 .null = (none))
#define GF_COLUMN_WORD(column, struct_type, member, table) \
    GF_SQL_FIELD(column, struct_type, member, .kind = GF_SQL_WORD, .words = (table))
#define GF_COLUMN_FROM(sql, column, struct_type, member)                                   \
    GF_SQL_FIELD(column, struct_type, member, .kind = GF_SQL_KIND_OF(struct_type, member), \
                 .expression = (sql))

/* ---- statements ---- */

#define GF_PARAMS(rows) .params = (rows), .param_count = (int)(sizeof(rows) / sizeof((rows)[0]))
#define GF_COLUMNS(struct_type, rows)                                           \
    .columns = (rows), .column_count = (int)(sizeof(rows) / sizeof((rows)[0])), \
    .row_size = sizeof(struct_type)

/* Defines gf_sql_<name>. */
#define GF_STATEMENT(name, ...) \
    const gf_statement_t gf_sql_##name = { .number = GF_SQL_##name, .label = #name, __VA_ARGS__ }

#define GF_SQL_DECLARE(name) extern const gf_statement_t gf_sql_##name;
GF_STATEMENTS(GF_SQL_DECLARE)
#undef GF_SQL_DECLARE

/* All of them, by their number. */
extern const gf_statement_t *const gf_statements[GF_SQL_COUNT];

/* Is it of a type, whose prefix is part of its function's name? */
bool gf_sql_is_typed(const gf_statement_t *statement);

/* The statement's text, for PREPARE: parameter i is $i + 1. prefix: of the type; NULL: of none. */
const char *gf_sql_text(const gf_statement_t *statement, const char *prefix, apr_pool_t *pool);

/* The values of its parameters, in the order of the text, from the struct `in` (NULL if it has no
 * parameter): args[0] to args[n - 1], which share the texts of `in`. Returns n, without p_call and
 * p_again. */
int gf_sql_args(const char **args, const gf_statement_t *statement, const void *in,
                apr_pool_t *pool);

/* Stores a column's text (NULL: SQL's NULL) to its member of `out`; a text is shared. False: the
 * table does not have this word. */
bool gf_sql_store(void *out, const gf_sql_field_t *column, const char *text);

/* Texts (const char *) as an array of Postgres. */
const char *gf_sql_array(const apr_array_header_t *texts, apr_pool_t *pool);

#endif
