/* SPDX-License-Identifier: Apache-2.0 */
/* The events of a user, for streams of them. The rules are in sql/functions/user_events.sql. All
 * block; any thread with its own context. Errors: those of gf_db_call(). */
#ifndef GF_USER_EVENTS_H
#define GF_USER_EVENTS_H

#include "db/db.h"

/* A generation of a look. */
typedef struct gf_user_change_t {
    const char *id;
    const char *type; /* its name */

    /* Of its live row, as gf_view_t has it; NULL: it has ended. */
    const char *row_version;
    bool changed; /* false: it waits in our queue, and its place may have changed */
} gf_user_change_t;

/* What is to be looked for. A first look has neither `since` nor changes: it gives the instant from
 * which a new stream goes on. A look of more than `limit` goes on by gf_user_events_part(). */
typedef struct gf_user_look_t {
    const char *user;
    const char *since; /* the instant that the client knows, or the part of a look; NULL: now */
    bool waiting;      /* also those that wait in our queue */
    int limit;         /* generations */
} gf_user_look_t;

#define GF_USER_INSTANT_MAX 2560 /* bytes of an instant or a part at the most */

/* A look. Texts are in ctx->pool. It finds what the look before did not find, and not what has
 * changed again when a look goes on: the next look finds that. A generation that is read later may
 * have changed, too: then its row_version is another one. */
typedef struct gf_user_events_t {
    const char *instant; /* of this look; of the look that goes on */
    const char *version; /* as gf_user_versions() has it */
    apr_int64_t balance, held, remaining;
    bool is_reset;               /* `since` is unknown or too long ago; there are no changes */
    bool is_paid;                /* the ledger has new entries */
    bool waits;                  /* a generation waits in our queue */
    apr_array_header_t *changes; /* gf_user_change_t, by id */
} gf_user_events_t;

/* One look for look->user alone: nothing of another user is ever in it. One statement. */
gf_err_t *gf_user_events_read(gf_user_events_t *events, gf_ctx_t *ctx, const gf_user_look_t *look);

/* The part of a look that has the changes up to generation `id`: `since` of the look that goes on
 * behind it. since: where the look began, or a part of it; instant: of the look. In pool. */
const char *gf_user_events_part(const char *since, const char *instant, const char *id,
                                apr_pool_t *pool);

/* Is it the part of a look? */
bool gf_user_events_is_part(const char *since);

/* A user's version: changes when the account or a live generation changes. */
typedef struct gf_user_version_t {
    const char *user;
    const char *version;
} gf_user_version_t;

/* Those of `users` (const char *): gf_user_version_t, in ctx->pool, in any order. */
gf_err_t *gf_user_versions(apr_array_header_t **versions, gf_ctx_t *ctx,
                           const apr_array_header_t *users);

#endif
