/* SPDX-License-Identifier: Apache-2.0 */
/* Why a database does not serve, by its SQLSTATE: a word for {base}/health and the remedy. */
#ifndef GF_CAUSE_H
#define GF_CAUSE_H

#include <apr_pools.h>
#include <apr_time.h>

typedef struct gf_cause_t {
    const char *word;   /* "database_missing" */
    const char *advice; /* for the log */
} gf_cause_t;

/* The cause of this SQLSTATE; "" and NULL: the database gave no answer. Never NULL; constant. */
const gf_cause_t *gf_cause_of(const char *sqlstate);

/* Tries to connect, within `bound`: the cause of a refusal, or NULL if the database lets us in.
 * Blocks; any thread. conninfo is libpq's, and may hold a password: it is not logged. */
const gf_cause_t *gf_cause_of_refusal(const char *conninfo, apr_interval_time_t bound);

#endif
