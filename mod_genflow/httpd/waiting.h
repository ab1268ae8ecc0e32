/* SPDX-License-Identifier: Apache-2.0 */
/* How many requests of a child may wait. Start-up only. */
#ifndef HTTPD_WAITING_H
#define HTTPD_WAITING_H

#include "model/conf.h"

/* Once the MPM knows its configuration: completes the bounds of GenflowWatch*. What was not given
 * follows from the MPM's threads, its connections, and the descriptors of a process. Returns NULL,
 * or the mistake. */
const char *httpd_waiting_finish(gf_conf_t *conf, apr_pool_t *pool);

/* NULL, or a line for the log: fewer requests are parked than GenflowWatchMax says, or than its
 * default. After httpd_waiting_finish(). */
const char *httpd_waiting_lowered(const gf_conf_t *conf, apr_pool_t *pool);

#endif
