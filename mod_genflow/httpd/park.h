/* SPDX-License-Identifier: Apache-2.0 */
/* Parks a request: it waits without a thread, its connection among those that the MPM polls. Needs
 * the event MPM of httpd 2.4.63 or later. A request of HTTP/2, a subrequest and a request after an
 * internal redirect cannot be parked.
 *
 * The handler calls httpd_park_make(), lets somebody keep the place for httpd_park_ring(), and
 * returns SUSPENDED. Each ring makes httpd call `resume` once in one of its threads, also one that
 * came before the handler had returned. A client that closes its side rings, too. When a place has
 * ended, the request may take another. */
#ifndef HTTPD_PARK_H
#define HTTPD_PARK_H

#include <stdbool.h>

#include <httpd.h>

#include "model/conf.h"

typedef struct httpd_park_t httpd_park_t;

/* Goes on with the request: SUSPENDED: it is parked again; OK, or the status of an error: its place
 * has ended and it is answered. gone: the client has closed its side. */
typedef int (*httpd_park_resume_t)(request_rec *r, void *baton, bool gone);

/* The hooks of connections; at the registration of all hooks. */
void httpd_park_register(void);

/* A place for `r`, until httpd_park_end() or the end of its pool. NULL: it cannot be parked. */
httpd_park_t *httpd_park_make(request_rec *r, const gf_conf_t *conf, httpd_park_resume_t resume,
                              void *baton);

/* Wakes the request. Any thread, before the place ends; does not block. */
void httpd_park_ring(void *park);

/* How many bytes can be written now without a wait for the client, of a response that is sent piece
 * by piece; 0: ring, and it goes on when the client has read. The first call bounds what the system
 * keeps for that client to `size` bytes, which it doubles for its own needs; by itself it goes up
 * to megabytes. From then on, a client that reads nothing of it for the Timeout of httpd is gone.
 * Only in the request's thread. */
apr_size_t httpd_park_room(httpd_park_t *park, int size);

/* Ends the place, once: the request is answered. */
void httpd_park_end(httpd_park_t *park);

/* Can this MPM park requests? After its configuration was read. */
bool httpd_park_can(void);

#endif
