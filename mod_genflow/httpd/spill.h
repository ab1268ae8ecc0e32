/* SPDX-License-Identifier: Apache-2.0 */
/* A response that is written to a file first, and sent from there as fast as its client reads: no
 * thread and no memory waits for the client. The rest of the way is that of a parked request
 * (httpd/park.h), so that it is the same over TLS. Where a request cannot be parked httpd gets the
 * file at once, which it sends without a thread over HTTP/2, and with the event MPM without TLS. */
#ifndef HTTPD_SPILL_H
#define HTTPD_SPILL_H

#include <stdbool.h>

#include <httpd.h>

#include "model/conf.h"

/* Called once, in a thread of httpd, when all was written to the client, or when the client has
 * gone. */
typedef void (*httpd_spill_end_t)(void *baton, bool is_sent);

/* The filter; at the registration of all hooks. */
void httpd_spill_register(void);

/* From now on what is written of `r` goes to a file in the spool of `conf`, which has no name and
 * ends with the response. Where there can be no file, the response is written as any other, and the
 * log says so. `end` (NULL: nobody) is told how it ended; where the request cannot be parked, a
 * thread waits for that. Another call for the same response changes nothing. */
void httpd_spill(request_rec *r, const gf_conf_t *conf, httpd_spill_end_t end, void *baton);

/* When all of the response was written, if httpd_spill() was called or not: OK, or SUSPENDED, which
 * the handler or its httpd_park_resume_t returns. */
int httpd_spill_send(request_rec *r);

#endif
