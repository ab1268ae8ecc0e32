/* SPDX-License-Identifier: Apache-2.0 */
/* Maps the acts on API keys to their SQL functions. */
#include "db/api_key.h"

#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "model/servers.h"
#include "model/type.h"

#define PER_USER 200 /* keys that neither are revoked nor have expired */
#define NEVER    APR_INT64_MIN

/* ---- authentication ---- */

typedef struct id_in_t {
    const char *id;
} id_in_t;

typedef struct get_row_t {
    const char *hash, *user, *scopes, *types;
    bool revoked, has_budget, use_due;
    apr_int64_t left_ms;
} get_row_t;

static const gf_sql_field_t id_params[] = { GF_PARAM(id_in_t, id) };
static const gf_sql_field_t get_columns[] = {
    GF_COLUMN(get_row_t, hash),       GF_COLUMN_AS("user_id", get_row_t, user),
    GF_COLUMN(get_row_t, scopes),     GF_COLUMN(get_row_t, types),
    GF_COLUMN(get_row_t, revoked),    GF_COLUMN_OR(get_row_t, left_ms, NEVER),
    GF_COLUMN(get_row_t, has_budget), GF_COLUMN(get_row_t, use_due)
};

GF_STATEMENT(api_key_get, .function = "api_key_get", GF_PARAMS(id_params),
             GF_COLUMNS(get_row_t, get_columns));
GF_STATEMENT(api_key_used, .function = "api_key_used", .is_value = true, GF_PARAMS(id_params));

/* The types of that list that are configured, one bit each. */
static apr_uint64_t types_of(const gf_ctx_t *ctx, const char *names)
{
    char *text = apr_pstrdup(ctx->pool, names);
    apr_uint64_t types = 0;
    char *state = NULL;
    char *name;

    if (!names) {
        return GF_KEY_ALL_TYPES;
    }
    for (name = apr_strtok(text, " ", &state); name; name = apr_strtok(NULL, " ", &state)) {
        const gf_type_t *type = gf_servers_type(ctx->conf, name);

        types |= type ? APR_UINT64_C(1) << type->index : 0;
    }
    return types;
}

gf_err_t *gf_key_read(gf_key_t *key, gf_ctx_t *ctx, const char *id)
{
    const id_in_t in = { .id = id };
    apr_time_t before = gf_clock_now(); /* it expires no later than in the database */
    get_row_t row;
    gf_rows_t *rows;

    memset(key, 0, sizeof(*key));
    key->id = id;
    GF_TRY(gf_db_call(&rows, ctx, &gf_sql_api_key_get, NULL, &in, NULL));
    if (gf_rows_count(rows) == 0) {
        return NULL;
    }
    GF_TRY(gf_rows_read(&row, ctx, rows, 0, NULL));
    key->known = true;
    key->user = row.user;
    apr_cpystrn(key->hash, row.hash, sizeof(key->hash));
    key->scopes = gf_api_key_scopes(row.scopes);
    key->types = types_of(ctx, row.types);
    key->revoked = row.revoked;
    key->has_budget = row.has_budget;
    key->use_due = row.use_due;
    key->expires = row.left_ms == NEVER ? 0 : before + row.left_ms * 1000;
    key->expires = row.left_ms != NEVER && key->expires < 1 ? 1 : key->expires;
    return NULL;
}

gf_err_t *gf_key_used(gf_ctx_t *ctx, const char *id)
{
    const id_in_t in = { .id = id };

    return gf_db_do(ctx, &gf_sql_api_key_used, &in);
}

/* ---- making ---- */

typedef struct put_in_t {
    const char *user, *id, *hash, *name, *scopes, *types, *expires;
    apr_int64_t budget;
    const char *per, *by;
    int max;
    const char *admin; /* of administration: gf_ctx_t.by */
} put_in_t;

typedef struct put_row_t {
    gf_key_end_t outcome;
    const char *created_at, *expires_at;
} put_row_t;

static const gf_sql_word_t put_words[] = { { "ok", GF_KEY_MADE },
                                           { "too_many", GF_KEY_TOO_MANY },
                                           { "past", GF_KEY_PAST },
                                           { "admin", GF_KEY_ADMIN },
                                           { NULL, GF_SQL_NO_WORD } };
#define PUT_PARAMS                                                                       \
    GF_PARAM(put_in_t, user), GF_PARAM(put_in_t, id), GF_PARAM_HEX(put_in_t, hash),      \
        GF_PARAM(put_in_t, name), GF_PARAM(put_in_t, scopes), GF_PARAM(put_in_t, types), \
        GF_PARAM(put_in_t, expires), GF_PARAM_OR(put_in_t, budget, GF_KEY_NO_BUDGET),    \
        GF_PARAM(put_in_t, per), GF_PARAM(put_in_t, by), GF_PARAM(put_in_t, max)
static const gf_sql_field_t put_params[] = { PUT_PARAMS };
static const gf_sql_field_t admin_put_params[] = { PUT_PARAMS, GF_PARAM(put_in_t, admin) };
static const gf_sql_field_t put_columns[] = {
    GF_COLUMN_WORD("outcome", put_row_t, outcome, put_words),
    GF_COLUMN(put_row_t, created_at),
    GF_COLUMN(put_row_t, expires_at),
};

GF_STATEMENT(api_key_put, .function = "api_key_put", GF_PARAMS(put_params),
             GF_COLUMNS(put_row_t, put_columns));
GF_STATEMENT(admin_api_key_put, .function = "admin_api_key_put", GF_PARAMS(admin_put_params),
             GF_COLUMNS(put_row_t, put_columns));

gf_err_t *gf_key_put(gf_key_end_t *end, gf_ctx_t *ctx, gf_new_key_t *key, bool admin)
{
    const put_in_t in = { .user = key->user,
                          .id = key->id,
                          .hash = key->hash,
                          .name = key->name,
                          .scopes =
                              apr_pstrcat(ctx->pool, "{",
                                          gf_api_key_words(key->scopes, ",", ctx->pool), "}", NULL),
                          .types = key->types,
                          .expires = key->expires,
                          .budget = key->budget,
                          .per = key->per,
                          .by = key->by,
                          .max = PER_USER,
                          .admin = ctx->by };
    put_row_t row;

    GF_TRY(
        gf_db_one(&row, ctx, admin ? &gf_sql_admin_api_key_put : &gf_sql_api_key_put, NULL, &in));
    *end = row.outcome;
    key->created_at = row.created_at;
    key->expires_at = row.expires_at;
    return NULL;
}

/* ---- listing ---- */

typedef struct list_in_t {
    const char *user, *before;
    int limit;
    const char *day;
} list_in_t;

static const gf_sql_field_t list_params[] = { GF_PARAM(list_in_t, user),
                                              GF_PARAM(list_in_t, before),
                                              GF_PARAM(list_in_t, limit),
                                              GF_PARAM(list_in_t, day) };
static const gf_sql_field_t list_columns[] = {
    GF_COLUMN(gf_key_row_t, id),         GF_COLUMN_AS("user_id", gf_key_row_t, user),
    GF_COLUMN(gf_key_row_t, name),       GF_COLUMN(gf_key_row_t, scopes),
    GF_COLUMN(gf_key_row_t, types),      GF_COLUMN(gf_key_row_t, budget),
    GF_COLUMN(gf_key_row_t, per),        GF_COLUMN(gf_key_row_t, spent),
    GF_COLUMN(gf_key_row_t, created_by), GF_COLUMN(gf_key_row_t, created_at),
    GF_COLUMN(gf_key_row_t, expires_at), GF_COLUMN(gf_key_row_t, revoked_at),
    GF_COLUMN(gf_key_row_t, used_at)
};

GF_STATEMENT(api_keys, .function = "api_keys", GF_PARAMS(list_params),
             GF_COLUMNS(gf_key_row_t, list_columns));
GF_STATEMENT(admin_api_keys, .function = "admin_api_keys", GF_PARAMS(list_params),
             GF_COLUMNS(gf_key_row_t, list_columns));

gf_err_t *gf_key_list(apr_array_header_t **list, gf_ctx_t *ctx, const char *user,
                      const char *before, int limit, bool admin)
{
    const list_in_t in = {
        .user = user, .before = before, .limit = limit, .day = ctx->conf->credit_day
    };

    int i;

    GF_TRY(gf_db_list(list, ctx, admin ? &gf_sql_admin_api_keys : &gf_sql_api_keys, &in));
    for (i = 0; i < (*list)->nelts; i++) {
        gf_key_row_t *key = &APR_ARRAY_IDX(*list, i, gf_key_row_t);

        key->types = gf_servers_types_wire(ctx->conf, key->types, ctx->pool);
    }
    return NULL;
}

/* ---- revoking ---- */

typedef struct revoke_in_t {
    const char *user, *id;
} revoke_in_t;

typedef struct revoke_row_t {
    gf_owned_t outcome;
} revoke_row_t;

static const gf_sql_field_t revoke_params[] = { GF_PARAM(revoke_in_t, user),
                                                GF_PARAM(revoke_in_t, id) };
static const gf_sql_field_t revoke_columns[] = {
    GF_COLUMN_WORD("outcome", revoke_row_t, outcome, gf_db_owned_words),
};

GF_STATEMENT(api_key_revoke, .function = "api_key_revoke", .is_value = true,
             GF_PARAMS(revoke_params), GF_COLUMNS(revoke_row_t, revoke_columns));
GF_STATEMENT(admin_api_key_revoke, .function = "admin_api_key_revoke", .is_value = true,
             .has_by = true, GF_PARAMS(revoke_params), GF_COLUMNS(revoke_row_t, revoke_columns));

gf_err_t *gf_key_revoke(bool *found, gf_ctx_t *ctx, const char *user, const char *id, bool admin)
{
    const revoke_in_t in = { .user = user, .id = id };
    revoke_row_t row;

    GF_TRY(gf_db_one(&row, ctx, admin ? &gf_sql_admin_api_key_revoke : &gf_sql_api_key_revoke, NULL,
                     &in));
    *found = row.outcome == GF_OWNED;
    return NULL;
}
