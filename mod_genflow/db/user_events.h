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
    bool changed;     /* false: it waits in our queue, and its place may have changed */
} gf_user_change_t;

/* What is to be looked for. A first look has neither `since` nor changes: it gives the instant from
 * which a new stream goes on. A replay goes in pages of `limit` by `after`. */
typedef struct gf_user_look_t {
    const char *user;
    const char *since; /* the instant that the client knows; NULL: now */
    const char *after; /* only generations behind this id; NULL: all */
    bool waiting;      /* also those that wait in our queue */
    int limit;         /* generations */
} gf_user_look_t;

/* A look. Texts are in ctx->pool. What it finds may have been found before, while a transaction
 * runs for long (docs/decisions/0054): the stream drops what its client has. */
typedef struct gf_user_events_t {
    const char *instant; /* of this look */
    const char *version; /* as gf_user_versions() has it */
    apr_int64_t balance, held, remaining;
    bool is_reset;               /* `since` is unknown or too long ago; there are no changes */
    bool is_paid;                /* the ledger has new entries */
    bool waits;                  /* a generation waits in our queue */
    apr_array_header_t *changes; /* gf_user_change_t, by id */
} gf_user_events_t;

/* One look for look->user alone: nothing of another user is ever in it. One statement. */
gf_err_t *gf_user_events_read(gf_user_events_t *events, gf_ctx_t *ctx, const gf_user_look_t *look);

/* A user's version: changes when the account or a live generation changes. */
typedef struct gf_user_version_t {
    const char *user;
    const char *version;
} gf_user_version_t;

/* Those of `users` (const char *): gf_user_version_t, in ctx->pool, in any order. */
gf_err_t *gf_user_versions(apr_array_header_t **versions, gf_ctx_t *ctx,
                           const apr_array_header_t *users);

#endif
