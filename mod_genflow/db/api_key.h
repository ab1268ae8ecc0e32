/* SPDX-License-Identifier: Apache-2.0 */
/* API keys in the database (sql/functions/api_keys.sql documents rules, locks and answers). It
 * holds the hash of a key, never the key. All block; any thread with its own context. Results live
 * in the context's pool. */
#ifndef GF_DB_API_KEY_H
#define GF_DB_API_KEY_H

#include "base/hash.h"
#include "db/db.h"
#include "model/api_key.h"

/* A key as authentication needs it. */
typedef struct gf_key_t {
    const char *id;
    const char *user;
    char hash[GF_SHA256_HEX]; /* of the whole key */
    unsigned scopes;          /* of gf_scope_t */

    /* The types that it may create generations of: bit i for gf_type_t.index i. */
    apr_uint64_t types;

    bool known;   /* false: there is none of this id, and the members below are not set */
    bool revoked; /* for good */
    bool has_budget;
    bool use_due;       /* its last use is not recorded for this minute */
    apr_time_t expires; /* by gf_clock_now(); 0: never */
} gf_key_t;

#define GF_KEY_ALL_TYPES (~APR_UINT64_C(0))

/* Reads the key of that id; key->known says whether there is one. */
gf_err_t *gf_key_read(gf_key_t *key, gf_ctx_t *ctx, const char *id);

/* Records that the key was used, to the minute. */
gf_err_t *gf_key_used(gf_ctx_t *ctx, const char *id);

/* A key to make, and what becomes of it. */
typedef struct gf_new_key_t {
    const char *user;
    const char *id;
    const char *hash; /* SHA-256 of the whole key, in hex */
    const char *name; /* for people; 1 to 100 characters */
    unsigned scopes;
    const char *types;   /* an array of SQL: "{neo-glitch,presets}"; NULL: all */
    const char *expires; /* an instant as PostgreSQL reads it; NULL: never */
    apr_int64_t budget;  /* credits; GF_KEY_NO_BUDGET: any number */
    const char *per;     /* "day" or "total"; NULL without a budget */
    const char *by;      /* id of the key that the request came with; NULL: none */
    const char *created_at;
    const char *expires_at; /* as the wire shows them */
} gf_new_key_t;

#define GF_KEY_NO_BUDGET (-1)

/* What became of it. Only MADE has changed anything. */
typedef enum {
    GF_KEY_MADE, /* created_at and expires_at are set */
    GF_KEY_TOO_MANY,
    GF_KEY_PAST, /* it would have expired before */
    GF_KEY_ADMIN /* only administration gives that scope */
} gf_key_end_t;

/* Stores it. `admin`: ctx runs statements as administration, which may give any scope. */
gf_err_t *gf_key_put(gf_key_end_t *end, gf_ctx_t *ctx, gf_new_key_t *key, bool admin);

/* A key in a list: all as the wire shows it; NULL: null. */
typedef struct gf_key_row_t {
    const char *id, *user, *name;
    const char *scopes, *types; /* words between blanks; types NULL: all */
    const char *budget, *per, *spent;
    const char *created_by, *created_at, *expires_at, *revoked_at, *used_at;
} gf_key_row_t;

/* Up to `limit` keys of `user` (array of gf_key_row_t), newest first, after the one of the id
 * `before` (NULL: from the first). `admin`: as above, and user NULL means all users. */
gf_err_t *gf_key_list(apr_array_header_t **list, gf_ctx_t *ctx, const char *user,
                      const char *before, int limit, bool admin);

/* Revokes a key of `user`; repeating it is harmless. *found: the user has such a key. `admin`: as
 * above. */
gf_err_t *gf_key_revoke(bool *found, gf_ctx_t *ctx, const char *user, const char *id, bool admin);

#endif
