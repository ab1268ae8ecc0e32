/* SPDX-License-Identifier: Apache-2.0 */
/* Is this the site's database, or one that was restored from a backup? Rules and reasons are in
 * sql/functions/site.sql; here is what a host adds: the mark in its picture folder. Blocks on
 * database and disk; any thread with its own context. */
#ifndef GF_SITE_H
#define GF_SITE_H

#include "db/db.h"

/* What one child knows of it; zero at first. */
typedef struct gf_site_t {
    char line[40];  /* which file of the folder holds the mark */
    bool restored;  /* as last looked: nothing may be claimed */
    apr_time_t due; /* when to look again, by gf_clock_now() */
} gf_site_t;

/* Looks if it is due, moves the mark on, and logs when the answer changes. Errors: of the database;
 * site->restored stays as it was. */
gf_err_t *gf_site_check(gf_site_t *site, gf_ctx_t *ctx);

/* *why: NULL, or why the database counts as restored. For those who have no folder to compare. */
gf_err_t *gf_site_restored(const char **why, gf_ctx_t *ctx);

/* RESTORED (503, Retry-After). */
gf_err_t *gf_site_closed(gf_ctx_t *ctx);

#endif
