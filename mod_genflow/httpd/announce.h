/* SPDX-License-Identifier: Apache-2.0 */
/* This httpd announces itself at its start and then every 20 s: a row with its settings for the
 * doctor and {base}/health (sql/functions/hosts.sql). It logs the database's answer when that
 * changes. Called by the janitor's thread, in one child of the httpd. */
#ifndef HTTPD_ANNOUNCE_H
#define HTTPD_ANNOUNCE_H

#include <httpd.h>

#include "base/err.h"
#include "model/conf.h"

typedef struct httpd_announce_t httpd_announce_t;

/* post_config. */
httpd_announce_t *httpd_announce_make(const gf_conf_t *conf, server_rec *server, apr_pool_t *pconf);

/* Announces the host if it is time to; NULL, or the error of the database. Blocks. */
gf_err_t *httpd_announce(httpd_announce_t *announce, gf_ctx_t *ctx);

#endif
