/* SPDX-License-Identifier: Apache-2.0 */
/* `httpd -t -D DUMP_GENFLOW`: the configuration as the module has read it, for genflow-doctor. */
#ifndef HTTPD_DUMP_H
#define HTTPD_DUMP_H

#include "model/conf.h"

/* Prints lines "genflow NAME VALUE" to standard output, without a secret. After
 * httpd_conf_finish(). */
void httpd_dump(const gf_conf_t *conf, apr_pool_t *pool);

#endif
