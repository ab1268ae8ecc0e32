/* SPDX-License-Identifier: Apache-2.0 */
/* What front ends of older systems read about pictures and users: galleries by offset, marks on a
 * user's own pictures, settings, the allowance of an account, and what a body of another system
 * means. The SQL function of each documents its meaning and locks. All block; any thread with its
 * own context. */
#ifndef GF_GALLERY_H
#define GF_GALLERY_H

#include "db/generation.h"

#define GF_GALLERY_OFFSET_MAX 100000 /* rows before a page: they are read, too */
#define GF_GALLERY_COUNTED    10000  /* bound of a count, whose cost grows with its result */

/* A page of completed generations. */
typedef struct gf_gallery_t {
    const char *user;      /* whose; NULL: the public ones of all users */
    const char *viewer;    /* of public ones: who sees their own name in them; NULL: no user */
    const gf_type_t *type; /* NULL: all types */

    /* Rows before the page, at most GF_GALLERY_OFFSET_MAX, which the caller checks; rows of it. */
    apr_int64_t offset, limit;

    /* out: of gf_view_t with its user, newest first. The user of a public one is a name that tells
     * nothing, unless it is the viewer. */
    apr_array_header_t *items;
    apr_int64_t total; /* out: of all pages, up to GF_GALLERY_COUNTED */
    bool more;         /* out: more rows follow */
} gf_gallery_t;

/* Reads the page, and counts. */
gf_err_t *gf_gallery_read(gf_gallery_t *gallery, gf_ctx_t *ctx);

/* Only counts: sets gallery->total. */
gf_err_t *gf_gallery_count(gf_gallery_t *gallery, gf_ctx_t *ctx);

/* The newest picture of `user` at one of these addresses (an array of Postgres): *id, NULL: none.
 * For clients that know a picture by its address alone. */
gf_err_t *gf_gallery_find(const char **id, gf_ctx_t *ctx, const char *user, const char *urls);

/* What a user may change of a picture; NULL: stays. */
typedef struct gf_mark_t {
    const char *visibility; /* "private", "public" */
    const char *remix;      /* "t", "f" */
    const char *tags;       /* an array of Postgres */
    const char *meta;       /* a JSON object, whose members are added */
} gf_mark_t;

/* Changes the marks of a completed generation of `user`, in any type. Errors: NO_GENERATION,
 * NOT_YOURS, STATUS (not completed), INVALID (no room for meta). */
gf_err_t *gf_gallery_mark(gf_ctx_t *ctx, const char *user, const char *id, const gf_mark_t *mark);

/* The settings of `user` as a JSON object, after these changes (an object; NULL: none). */
gf_err_t *gf_gallery_settings(const char **settings, gf_ctx_t *ctx, const char *user,
                              const char *changes);

/* Gives the account of `user` what the amounts of the database say (GenflowCreditInitial and its
 * siblings state them), and makes the account of a new user; without amounts it does nothing. Each
 * grant counts once, so every request that shows or uses credits calls it. */
gf_err_t *gf_gallery_allowance(gf_ctx_t *ctx, const char *user);

/* What a body means by row `name` of genflow.compositions. */
typedef struct gf_composed_t {
    const char *type; /* its name; NULL: there is no such row */
    const char *prompt;
    const char *parameters; /* JSON object */
} gf_composed_t;

/* Composes prompt and parameters of a body (JSON text) by that row, which an administrator edits.
 */
gf_err_t *gf_gallery_compose(gf_composed_t *composed, gf_ctx_t *ctx, const char *name,
                             const char *body);

#endif
