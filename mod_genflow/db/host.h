/* SPDX-License-Identifier: Apache-2.0 */
/* The hosts of a database, and what is wrong with the site as far as the database knows
 * (sql/functions/hosts.sql). Both block; any thread with its own context. */
#ifndef GF_HOST_H
#define GF_HOST_H

#include "db/db.h"

/* What the database answers a host that announces itself. */
typedef struct gf_host_seen_t {
    apr_int64_t clock_ahead; /* milliseconds, of this machine's clock before the database's */
    bool clock_is_sure;      /* else each statement took so long that clock_ahead says nothing */
    const char *differs;     /* settings in which it differs from other hosts; NULL: none */
    bool idle;               /* no host works on jobs */
    bool late;               /* jobs live past their deadline */
    const char *amounts;     /* the command that sets the amounts stated; NULL: they are so */
} gf_host_seen_t;

/* Announces this host: `name`, its settings (gf_settings_hashes()) and the amounts that its
 * directives state (gf_settings_all_amounts()). If the process stood still
 * meanwhile it repeats the statement, up to three times in all. */
gf_err_t *gf_host_seen(gf_host_seen_t *seen, gf_ctx_t *ctx, const char *name, const char *settings,
                       const char *amounts);

/* A fault: its word in {base}/health, and what it is about. */
typedef struct gf_fault_t {
    const char *fault, *subject;
} gf_fault_t;

/* Array of gf_fault_t. */
gf_err_t *gf_host_faults(apr_array_header_t **faults, gf_ctx_t *ctx);

#endif
