/* SPDX-License-Identifier: Apache-2.0 */
/* This httpd says that it is there, at its start and then every 20 s: a row with its settings for
 * the doctor and {base}/health (sql/functions/hosts.sql). What the database answers is logged when
 * it changes. Called by the janitor's thread, in one child of the httpd. */
#ifndef HTTPD_ANNOUNCE_H
#define HTTPD_ANNOUNCE_H

#include <httpd.h>

#include "base/err.h"
#include "model/conf.h"

typedef struct httpd_announce_t httpd_announce_t;

/* post_config. */
httpd_announce_t *httpd_announce_make(const gf_conf_t *conf, server_rec *server, apr_pool_t *pconf);

/* Says it if it is time to; NULL, or the error of the database. Blocks. */
gf_err_t *httpd_announce(httpd_announce_t *announce, gf_ctx_t *ctx);

#endif
