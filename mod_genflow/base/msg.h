/* SPDX-License-Identifier: Apache-2.0 */
/* Makes messages (genflow/exchange.h). A provider or store describes an exchange, net performs it,
 * work carries it across; none of them needs to know the other. Messages and their texts live in
 * the given pool. Any thread. */
#ifndef GF_MSG_H
#define GF_MSG_H

#include "genflow/exchange.h"

/* An empty message with sane limits. */
gf_msg_t *gf_msg_make(apr_pool_t *pool, const char *method, const char *url);

/* Adds a text part; a NULL value adds nothing. */
void gf_msg_part(gf_msg_t *msg, const char *name, const char *text);

/* Adds a file as a part. */
void gf_msg_file(gf_msg_t *msg, const char *name, const char *path, const char *type);

/* The wait of the answer's `Retry-After` (seconds), at most `most` seconds; 0: none. */
apr_interval_time_t gf_msg_retry_after(const gf_msg_t *msg, int most);

#endif
