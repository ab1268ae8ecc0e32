/* SPDX-License-Identifier: Apache-2.0 */
/* What a user has and has used, and whether the database is there. Both block; any thread with its
 * own context. */
#ifndef GF_LEDGER_H
#define GF_LEDGER_H

#include "db/gf_db.h"

/* See genflow.quota(). A limit of -1: there is none. */
typedef struct gf_quota_t {
    apr_int64_t balance, held, day_limit, day_used, week_limit, week_used, remaining;
    const char *day_reset;
    const char *at;
} gf_quota_t;

gf_err_t *gf_ledger_quota(gf_quota_t *quota, gf_ctx_t *ctx, const char *user);

/* The last migration that this module needs. */
#define GF_SCHEMA_VERSION 8

/* The version of the schema (its last migration). */
gf_err_t *gf_ledger_health(int *schema_version, gf_ctx_t *ctx);

#endif
