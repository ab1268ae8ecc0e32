/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by stores over HTTP: the check of their directives, and the answers that mean the same
 * everywhere. Requests and successes are in each store's own file. Any thread; texts live in the
 * given pool or in that of the message. */
#ifndef STORE_REMOTE_H
#define STORE_REMOTE_H

#include "store/store.h"

/* Is text one or more names of A-Z a-z 0-9 _ . - with single slashes between them? */
bool store_remote_is_path(const char *text);

/* Can the directives of these stores work? NULL, or the missing or wrong one. `account` explains
 * GenflowStoreAccount for this store. */
const char *store_remote_check(const gf_conf_t *conf, apr_pool_t *pool, const char *account);

/* Is text an http(s) address that the wire may show? NULL is not. */
bool store_remote_is_address(const char *text);

/* Sets STORED. */
void store_remote_stored(gf_store_outcome_t *outcome, const char *url);

/* For an upload without a whole answer: sets LATER and returns true. The same name can always be
 * sent again. */
bool store_remote_unanswered(gf_store_outcome_t *outcome, const gf_msg_t *msg);

/* For an answer that did not store the picture: LATER if its status is transient, else REFUSED.
 * `says` is the store's own text. An alarm names the directives to check. */
void store_remote_refused(gf_store_outcome_t *outcome, const gf_msg_t *msg, const char *says);

/* Makes it an alarm. Its line ends with the directives to check. */
void store_remote_alarm(gf_store_outcome_t *outcome, apr_pool_t *pool, const char *directives);

#endif
