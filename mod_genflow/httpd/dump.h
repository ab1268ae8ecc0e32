/* SPDX-License-Identifier: Apache-2.0 */
/* `httpd -t -D DUMP_GENFLOW`: the configuration as the module has read it, for genflow-doctor. */
#ifndef HTTPD_DUMP_H
#define HTTPD_DUMP_H

#include "base/msg.h"
#include "model/conf.h"

/* Performs one exchange on this thread. Returns an error if nothing was begun. */
typedef apr_status_t httpd_dump_perform_t(gf_msg_t *msg);

/* Prints lines "genflow NAME VALUE" to standard output, without a secret. `perform` sends each
 * provider its free call (gf_prov_kind_t.key_path), for at most 15 s, to see whether it accepts the
 * key; NULL: nothing is sent. After httpd_conf_finish(). */
void httpd_dump(const gf_conf_t *conf, httpd_dump_perform_t *perform, apr_pool_t *pool);

#endif
