/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators remove of users, as db/admin.h: a picture, or all of a user. Any thread with
 * its own context; all block. */
#ifndef GF_ADMIN_REMOVE_H
#define GF_ADMIN_REMOVE_H

#include "db/db.h"
#include "model/type.h"

typedef struct gf_admin_takedown_t {
    bool applied;          /* false: it was taken down before */
    const char *user;      /* whose it was */
    const char *type;      /* its name */
    const char *image_url; /* the address that it had; NULL: not known any more */
    const char *at;        /* when it was taken down */
} gf_admin_takedown_t;

/* Takes down the picture of a generation, whose removal is recorded: the background makes sure of
 * it. ctx->by has the reason. Errors: NO_GENERATION; STATUS: it has no picture. */
gf_err_t *gf_admin_takedown(gf_admin_takedown_t *done, gf_ctx_t *ctx, const char *id,
                            const char *scope);

/* Erases `user`: the account loses its name; *account is its number. All else is deleted by
 * gf_admin_erase_work(), or by the janitor. ctx->by has the reason. Errors: NO_ROUTE. */
gf_err_t *gf_admin_erase(apr_int64_t *account, gf_ctx_t *ctx, const char *user);

/* Deletes a batch of what is left of that account. *left: how many rows it deleted; 0: nothing is
 * left. */
gf_err_t *gf_admin_erase_work(int *left, gf_ctx_t *ctx, apr_int64_t account);

#endif
