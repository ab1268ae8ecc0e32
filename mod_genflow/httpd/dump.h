/* SPDX-License-Identifier: Apache-2.0 */
/* `httpd -t -D DUMP_GENFLOW`: the configuration as the module has read it, for genflow-doctor. */
#ifndef HTTPD_DUMP_H
#define HTTPD_DUMP_H

#include "model/conf.h"

/* Prints lines "genflow NAME VALUE" to standard output, without a secret. With -D GENFLOW_KEYS it
 * also asks each provider by its free call (gf_prov_kind_t.key_path) whether it accepts the key,
 * for at most 15 s each. After httpd_conf_finish(). */
void httpd_dump(const gf_conf_t *conf, apr_pool_t *pool);

#endif
