/* SPDX-License-Identifier: Apache-2.0 */
/* The composite type genflow.generation, in which SQL functions return a generation, and reading
 * one. It blocks; any thread with its own context. */
#ifndef GF_GENERATION_H
#define GF_GENERATION_H

#include "db/db.h"
#include "model/job.h"

/* A row of it. The reader of the row sets what the database does not know: view.type, and of the
 * configuration view.ref_names and view.thumbnail. */
typedef struct gf_generation_row_t {
    gf_owned_t outcome; /* other than GF_OWNED: nothing else is set */
    const char *type;   /* its name */
    gf_view_t view;
} gf_generation_row_t;

extern const gf_sql_field_t gf_generation_columns[];
#define GF_GENERATION_COUNT 44 /* of its columns */

/* For a GF_STATEMENT() that returns such rows. */
#define GF_GENERATION_COLUMNS                                              \
    .columns = gf_generation_columns, .column_count = GF_GENERATION_COUNT, \
    .row_size = sizeof(gf_generation_row_t)

/* Selects a generation: by the first of these that is not NULL. Older clients know a generation
 * only by its run id or by the provider's. */
typedef struct gf_find_t {
    const char *id;
    const char *run_id;
    const char *ref;      /* the provider's id of the run */
    const char *ref_kind; /* the kind of provider that gave it; NULL: any */
} gf_find_t;

/* Reads a generation of `user`, whole, with its progress while it is live. The texts of the view
 * are in ctx->pool. Errors: NO_GENERATION, NOT_YOURS, those of gf_db_call(). */
gf_err_t *gf_queue_get(gf_view_t *view, gf_ctx_t *ctx, const gf_type_t *type, const char *user,
                       const gf_find_t *find);

/* STATUS: the act is not possible in state `status`, which the response contains. */
gf_err_t *gf_steer_status(gf_ctx_t *ctx, const char *id, const char *status);

#endif
