/* SPDX-License-Identifier: Apache-2.0 */
/* The services of httpd for the core: contexts, the error log as a sink, mod_dbd's connections. The
 * only user of mod_dbd. */
#ifndef HTTPD_GLUE_H
#define HTTPD_GLUE_H

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

#include "base/err.h"
#include "model/conf.h"

struct gf_cause_t;

extern module AP_MODULE_DECLARE_DATA genflow_module;
APLOG_USE_MODULE(genflow);

/* post_config: is mod_dbd loaded? */
bool httpd_glue_ready(void);

/* post_config: remembers DBDParams, for httpd_glue_cause(). */
void httpd_glue_note_params(const char *conninfo);

/* What was noted; it may have a password. NULL: there is none. */
const char *httpd_glue_params(void);

/* Why the database does not let this child in, as far as a connection of its own tells within 2 s;
 * NULL: it lets us in. Several calls within 2 s make one connection. Blocks; any thread. */
const struct gf_cause_t *httpd_glue_cause(void);

/* post_config: makes the shared memory in which children of this server record the state of the
 * database. */
apr_status_t httpd_glue_share(apr_pool_t *pconf);

/* Lines that are logged once for all children of a start. */
typedef enum { HTTPD_ONCE_CONNECTIONS = 1, HTTPD_ONCE_SCHEMA = 2, HTTPD_ONCE_OLD = 4 } httpd_once_t;

/* True for the first call of all children of this start; any thread. */
bool httpd_glue_once(httpd_once_t what);

/* Whether the database has other amounts of credits than the directives state: for all children.
 * Any thread. */
void httpd_glue_note_amounts(bool differ);

/* The word that httpd_glue_note_amounts() writes; after httpd_glue_share(). */
const volatile apr_uint32_t *httpd_glue_amounts(void);

struct gf_metrics_t;

/* child_init: prepares sink and lender for this child, whose contexts count in `metrics`. Before
 * any context is made. */
apr_status_t httpd_glue_child(apr_pool_t *pool, server_rec *server, const gf_conf_t *conf,
                              struct gf_metrics_t *metrics);

/* A context for the background of this child (no request); its pool is `pool`. */
void httpd_glue_ctx(gf_ctx_t *ctx, apr_pool_t *pool, const gf_conf_t *conf);

/* A context for one request, in its pool. Its subject stays empty until a line is to be logged
 * (httpd_glue_name). */
gf_ctx_t *httpd_glue_request_ctx(request_rec *r, const gf_conf_t *conf);

/* Adds the request's name to the lines of ctx. */
void httpd_glue_name(gf_ctx_t *ctx, request_rec *r);

/* From now on the statements of ctx, a request's, run as GenflowAdminDatabase. For the check of
 * administrators only (api/admin.c). False: this configuration has no such connection. */
bool httpd_glue_administer(gf_ctx_t *ctx);

/* The id of the request in logs and error responses: mod_unique_id's if it is loaded, else one of
 * ours. */
const char *httpd_glue_request_id(request_rec *r);

#endif
