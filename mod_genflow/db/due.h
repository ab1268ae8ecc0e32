/* SPDX-License-Identifier: Apache-2.0 */
/* Claims for generations that have ended: restores, removals and deliveries. Such a job has no
 * lease and no epoch. The files that own the statements call this. */
#ifndef GF_DUE_H
#define GF_DUE_H

#include "db/db.h"
#include "model/job.h"

/* Parameters of each of these statements: the configured types as an array of Postgres, the most
 * rows, and how long no other process gets them. */
typedef struct gf_due_in_t {
    const char *types;
    int limit;
    apr_interval_time_t lease;
} gf_due_in_t;

/* Columns of each of these statements. A statement's own columns name members of `job`; members
 * without a column are as gf_job_make() sets them. */
typedef struct gf_due_row_t {
    const char *type; /* its name */
    gf_job_t job;
} gf_due_row_t;

#define GF_DUE_PARAMS 3

extern const gf_sql_field_t gf_due_params[GF_DUE_PARAMS];

/* Claims up to `limit` due jobs by `statement`: *jobs is a list linked by `next`, each job in a
 * pool of its own; NULL if there are none. No other process gets them for `lease`. A job has the
 * user "-" unless the statement returns one. Blocks; any thread with its own context. */
gf_err_t *gf_due_claim(gf_job_t **jobs, gf_ctx_t *ctx, const gf_statement_t *statement, int limit,
                       apr_interval_time_t lease);

#endif
