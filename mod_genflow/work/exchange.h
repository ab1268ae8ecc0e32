/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges that all kinds of jobs share: limits, and fetching from an address that came from
 * outside. Decides nothing. Dispatcher thread only. */
#ifndef WORK_EXCHANGE_H
#define WORK_EXCHANGE_H

#include "work/run.h"

/* For all that is no provider's own time: fetches, uploads, removals, cancels. */
#define GF_EXCHANGE_TIMEOUT (60 * APR_USEC_PER_SEC)

/* Sets the usual times and the byte limit of a file. Returns msg. */
gf_msg_t *gf_exchange_limit(const gf_flow_t *flow, gf_msg_t *msg);

/* A GET of `url` into `file`. No key goes there; it connects to public addresses and those of
 * `allowed` (apr_ipsubnet_t *) only. */
gf_msg_t *gf_exchange_guarded(gf_flow_t *flow, const char *url, const char *file,
                              const apr_array_header_t *allowed);

/* The same of a picture in a configured store, which may be in a private network. At another
 * address it is guarded by GenflowFetchAllow. */
gf_msg_t *gf_exchange_stored(gf_flow_t *flow, const char *url, const char *file);

/* Fetches the picture at run->result.url into the spool. */
gf_msg_t *gf_exchange_fetch(gf_flow_t *flow, gf_run_t *run);

/* Reads the answer of a guarded GET into run->outcome: SUCCEEDED (a redirect, which counts into
 * run->result.redirects, with its picture_url), WORKING (may be fetched again, which costs
 * nothing), EMPTY. */
void gf_exchange_read_fetch(gf_flow_t *flow, gf_run_t *run, apr_pool_t *pool);

#endif
