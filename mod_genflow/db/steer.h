/* SPDX-License-Identifier: Apache-2.0 */
/* A user's acts on existing generations: finding one by its id, cancelling, deleting, history. The
 * SQL function of each documents its meaning and locks. All block; any thread with its own context.
 */
#ifndef GF_STEER_H
#define GF_STEER_H

#include "db/queue.h"
#include "model/job.h"

/* A generation that a client names by its id, or by the id that it had in the older system it was
 * moved from: its id, in small letters as the name of its picture has it, and its configured type.
 * Whose it is is not looked at. Error: NO_GENERATION. */
gf_err_t *gf_steer_find(const char **id, const gf_type_t **type, gf_ctx_t *ctx, const char *name);

/* Ends a live generation of `user` and releases its credits. *owner: the process that worked on it,
 * whose next heartbeat finds the end, or NULL. Errors: NO_GENERATION, NOT_YOURS, STATUS. */
gf_err_t *gf_steer_cancel(const char **owner, gf_ctx_t *ctx, const gf_type_t *type,
                          const char *user, const char *id);

/* Deletes an ended generation of `user`: its row goes, its ledger entries stay. *image_url: its
 * picture, which the background is going to remove; NULL: none. Errors: as above. */
gf_err_t *gf_steer_delete(const char **image_url, gf_ctx_t *ctx, const gf_type_t *type,
                          const char *user, const char *id);

/* What a user changes of what they wrote at a generation. */
typedef struct gf_edit_t {
    const char *tags;      /* an array of Postgres; NULL: they stay */
    const char *favourite; /* "t" or "f"; NULL: it stays */
    const char *title;     /* NULL: none */
    bool titled;           /* false: the title stays */
} gf_edit_t;

/* Edits a generation of `user`, in any state. Error: NO_GENERATION, also for another user's. */
gf_err_t *gf_steer_edit(gf_ctx_t *ctx, const gf_type_t *type, const char *user, const char *id,
                        const gf_edit_t *edit);

/* The generations that the caller's key made before, for a request that cannot make any now: *count
 * of them, at most GF_BATCH_MAX, in created[]: GF_REPLAY with its id, or GF_MISMATCH. */
gf_err_t *gf_steer_made_before(gf_created_t *created, int *count, gf_ctx_t *ctx,
                               const gf_caller_t *caller);

/* A page of a user's history. */
typedef struct gf_page_t {
    const char *user;
    const gf_type_t *type; /* NULL: all types */
    const char *status;    /* NULL: any */
    const char *preset;    /* NULL: any */
    const char *words;     /* an array of Postgres: all are in the prompt or title; NULL: any */
    const char *tag;       /* NULL: any */
    bool favourite;        /* only those */
    apr_time_t since;      /* created, ended or edited then or later; 0: at any time */
    int limit;
    const char *after; /* where the page before ended, an id; NULL: the first page */
    apr_int64_t at;    /* and the gf_view_t.at of it */

    apr_array_header_t *items; /* out: of gf_view_t, newest first, at most `limit` */
    const char *next;          /* out: where this page ends; NULL: there is no next page */
    apr_int64_t next_at;
} gf_page_t;

#define GF_STEER_COUNTED 1000 /* bound of a count, whose cost grows with its result */

/* Reads the page. It may have fewer items than `limit`, also none, and still a next page: a search
 * looks at some thousand generations at once. */
gf_err_t *gf_steer_history(gf_page_t *page, gf_ctx_t *ctx);

/* How many there are on all pages, up to GF_STEER_COUNTED. *exact: there are no more; a search does
 * not look at all of them for it. */
gf_err_t *gf_steer_count(apr_int64_t *total, bool *exact, gf_ctx_t *ctx, const gf_page_t *page);

#endif
