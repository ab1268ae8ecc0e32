/* SPDX-License-Identifier: Apache-2.0 */
/* Makes messages (genflow/exchange.h). A provider or store describes an exchange, net performs it,
 * work carries it across; none of them needs to know the other. Messages and their texts live in
 * the given pool. Any thread. */
#ifndef GF_MSG_H
#define GF_MSG_H

#include "genflow/exchange.h"

/* A message in `pool` without headers, body and parts. `method` and `url` are not copied. The
 * answer's text is bounded; its timeouts are 0 until work/exchange.c sets them. */
gf_msg_t *gf_msg_make(apr_pool_t *pool, const char *method, const char *url);

/* Adds a text part of a multipart/form-data body; a NULL text adds nothing. Name and text are not
 * copied. */
void gf_msg_part(gf_msg_t *msg, const char *name, const char *text);

/* Adds a file as a part, with its media type. net/ reads the file while it sends it, so the file
 * must stay until the exchange has ended. */
void gf_msg_file(gf_msg_t *msg, const char *name, const char *path, const char *type);

/* The wait of the answer's `Retry-After` (seconds), at most `most` seconds; 0: none. */
apr_interval_time_t gf_msg_retry_after(const gf_msg_t *msg, int most);

#endif
