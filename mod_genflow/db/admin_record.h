/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators read of users' credits and of what administrators did, as db/admin.h. Any
 * thread with its own context; all block. */
#ifndef GF_ADMIN_RECORD_H
#define GF_ADMIN_RECORD_H

#include "db/db.h"

/* The credits of `user` that are held now: a JSON array. */
gf_err_t *gf_admin_holds(const char **json, gf_ctx_t *ctx, const char *user);

/* The record of what administrators did; NULL: no filter. */
typedef struct gf_admin_audit_t {
    const char *user, *action, *admin;
    apr_int64_t before; /* only entries older than that id; 0: all */
    int limit;
} gf_admin_audit_t;

typedef struct gf_audit_entry_t {
    apr_int64_t id;
    const char *json;
} gf_audit_entry_t;

/* Newest first: array of gf_audit_entry_t. */
gf_err_t *gf_admin_audit(apr_array_header_t **entries, gf_ctx_t *ctx,
                         const gf_admin_audit_t *filter);

#endif
