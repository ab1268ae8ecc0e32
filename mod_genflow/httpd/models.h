/* SPDX-License-Identifier: Apache-2.0 */
/* GenflowModel: the names under which clients of another API know our types. Start-up only, except
 * httpd_models_find(). */
#ifndef HTTPD_MODELS_H
#define HTTPD_MODELS_H

#include <apr_tables.h>

#include "model/conf.h"
#include "model/model.h"

/* Reads the arguments of the directive, which live as long as the configuration, into a zeroed
 * *model. Returns NULL, or the mistake. */
const char *httpd_models_read(gf_model_t *model, apr_pool_t *pool, int argc, char *const argv[]);

/* Those of a section and of the one around it; a name inside replaces the one around it. Either may
 * be NULL. */
apr_array_header_t *httpd_models_merge(apr_pool_t *pool, apr_array_header_t *around,
                                       apr_array_header_t *inside);

/* Finds the types of all names. Returns NULL, or the mistake, for configtest. */
const char *httpd_models_finish(const gf_conf_t *conf, apr_pool_t *pool);

/* The one of that name among `models` (of gf_model_t *; NULL: none). NULL: there is none. Any
 * thread. */
const gf_model_t *httpd_models_find(const apr_array_header_t *models, const char *name);

#endif
