/* SPDX-License-Identifier: Apache-2.0 */
/* The settings that all hosts of one database must share, as hashes: the database compares those of
 * its hosts (sql/functions/hosts.sql). */
#ifndef GF_SETTINGS_H
#define GF_SETTINGS_H

#include <apr_pools.h>

#include "model/conf.h"

/* A JSON object in pool: a hash for each kind of settings (types, prices, store, day). It holds no
 * secret, and none can be guessed from it: keys are left out. The frozen configuration; any thread.
 */
const char *gf_settings_hashes(const gf_conf_t *conf, apr_pool_t *pool);

/* What a user of this configuration has without an administrator, as its directives state it, in
 * the words of sql/functions/amounts.sql: "realm=shop initial=20 daily=5 day=Europe/Berlin",
 * "none". The database compares these texts with its own, which win. Any thread. */
const char *gf_settings_amounts(const gf_conf_t *conf, apr_pool_t *pool);

/* The texts of all configurations of this httpd, as an array of PostgreSQL. */
const char *gf_settings_all_amounts(const gf_conf_t *conf, apr_pool_t *pool);

#endif
