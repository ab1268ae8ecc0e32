/* SPDX-License-Identifier: Apache-2.0 */
/* Is this the site's database, or one that was restored from a backup? Rules and reasons are in
 * sql/functions/site.sql; a host adds the mark in its picture folder. Blocks on database and disk;
 * any thread with its own context. */
#ifndef GF_SITE_H
#define GF_SITE_H

#include "db/db.h"

/* One child's knowledge of the site; zero at first. */
typedef struct gf_site_t {
    char line[40];  /* which file of the folder holds the mark */
    bool restored;  /* result of the last check: nothing may be claimed */
    apr_time_t due; /* time of the next check, by gf_clock_now() */
} gf_site_t;

/* Checks if it is due, moves the mark on, and logs when the result changes. Errors: of the
 * database; site->restored stays as it was. */
gf_err_t *gf_site_check(gf_site_t *site, gf_ctx_t *ctx);

/* *why: NULL, or why the database counts as restored. For callers without a folder to compare. */
gf_err_t *gf_site_restored(const char **why, gf_ctx_t *ctx);

/* RESTORED (503, Retry-After). */
gf_err_t *gf_site_closed(gf_ctx_t *ctx);

#endif
