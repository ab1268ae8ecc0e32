/* SPDX-License-Identifier: Apache-2.0 */
/* What stores over HTTP share: a complete configuration, and what answers mean that say the same
 * everywhere. Leaves requests and successes to store_<kind>.c. Any thread. */
#ifndef STORE_REMOTE_H
#define STORE_REMOTE_H

#include "store/store.h"

/* Can the directives of these stores work? NULL, or which is missing or wrong. `account` says what
 * GenflowStoreAccount means to this store. */
const char *store_remote_check(const gf_conf_t *conf, apr_pool_t *pool, const char *account);

/* Is text an http(s) address that may be shown to the world? NULL is not. */
bool store_remote_is_address(const char *text);

/* Sets KEPT. */
void store_remote_stored(gf_store_outcome_t *outcome, const char *url);

/* For an upload without a whole answer: sets LATER, because the same name can be sent again
 * whatever became of it, and returns true. */
bool store_remote_unanswered(gf_store_outcome_t *outcome, const gf_msg_t *msg);

/* For an answer that keeps nothing: LATER if its status passes by itself, REFUSED otherwise. `says`
 * is what the store says for itself. An alarm names the directives to look at. */
void store_remote_refused(gf_store_outcome_t *outcome, const gf_msg_t *msg, const char *says);

/* Makes it an alarm, whose line ends with the directives to look at. */
void store_remote_alarm(gf_store_outcome_t *outcome, apr_pool_t *pool, const char *directives);

#endif
