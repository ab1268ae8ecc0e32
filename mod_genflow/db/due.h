/* SPDX-License-Identifier: Apache-2.0 */
/* Claims for generations that have ended: restores, removals, moves and deliveries. Such a job has
 * no lease and no epoch. The files that own the statements call this. */
#ifndef GF_DUE_H
#define GF_DUE_H

#include "db/db.h"
#include "model/job.h"

/* Parameters of each of these statements. */
typedef struct gf_due_in_t {
    int limit;                 /* the most rows */
    apr_interval_time_t lease; /* how long no other process gets them */
    const char *from;          /* the scan begins at this due time (gf_claim_cursor_t.from[0]) */
    const char *types;         /* the configured types; gf_due_claim() sets it in a copy */
} gf_due_in_t;

/* Columns of each of these statements. A statement's own columns name members of `job`; members
 * without a column are as gf_job_make() sets them. */
typedef struct gf_due_row_t {
    const char *type; /* its name */
    gf_job_t job;
} gf_due_row_t;

#define GF_DUE_PARAMS 4

extern const gf_sql_field_t gf_due_params[GF_DUE_PARAMS];

/* Claims due jobs by `statement`: *jobs is a list linked by `next`, each job in a pool of its own;
 * NULL if there are none. A job has the user "-" unless the statement returns one. Blocks; any
 * thread with its own context. */
gf_err_t *gf_due_claim(gf_job_t **jobs, gf_ctx_t *ctx, const gf_statement_t *statement,
                       const gf_due_in_t *what);

#endif
