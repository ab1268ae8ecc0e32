/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: stored requests of a user, under a name. The SQL functions document rules, locks and
 * answers. All block; any thread with its own context. */
#ifndef GF_TEMPLATE_H
#define GF_TEMPLATE_H

#include "db/db.h"

typedef struct gf_template_t {
    const char *id;
    const char *name;
    const char *type;   /* NULL: none */
    const char *config; /* JSON object: members of a create body */
    const char *created_at;
} gf_template_t;

/* Stores name, type and config; sets id and created_at. The same content under the same name is the
 * same template, so repeating the call is harmless. *taken: another template of the user has
 * that name (nothing is stored then). Errors: TEMPLATES_FULL. */
gf_err_t *gf_template_put(gf_template_t *template, bool *taken, gf_ctx_t *ctx, const char *user);

/* Up to `limit` templates of `user` (array of gf_template_t), newest first, after the one with the
 * id `before`; NULL: from the first. */
gf_err_t *gf_template_list(apr_array_header_t **list, gf_ctx_t *ctx, const char *user,
                           const char *before, int limit);

/* Type and config of a template of `user`. Errors: NO_TEMPLATE, NOT_YOURS. */
gf_err_t *gf_template_get(gf_template_t *template, gf_ctx_t *ctx, const char *user, const char *id);

/* Deletes a template of `user`. Errors: NO_TEMPLATE, NOT_YOURS. */
gf_err_t *gf_template_delete(gf_ctx_t *ctx, const char *user, const char *id);

#endif
