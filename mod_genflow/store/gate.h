/* SPDX-License-Identifier: Apache-2.0 */
/* Can a picture be stored now? Asked before anything is held or sent to a provider: a picture that
 * cannot be stored would be paid for and thrown away. The spool and the folders are tried at most
 * every few seconds; a store over HTTP is judged by its answers, as by a breaker. The state is in
 * memory that the children of a host share, because folders and networks are a host's own; the
 * background tells it to genflow.breakers, where other hosts and the doctor read it. Any thread. */
#ifndef STORE_GATE_H
#define STORE_GATE_H

#include "base/err.h"
#include "model/conf.h"

typedef struct gf_gate_t gf_gate_t;

/* How much memory it takes, and the gate made in it; all is well until it was looked at. */
apr_size_t gf_gate_bytes(const gf_conf_t *conf);
gf_gate_t *gf_gate_init(void *memory, const gf_conf_t *conf);

/* May a generation of `type` be begun? NULL, or STORE_CLOSED with its Retry-After. `sends`: it is
 * about to be sent, so that it may be the one that tries a store whose breaker was open. May block
 * on the disk for a moment. Logs the state when it changes. */
gf_err_t *gf_gate_check(gf_ctx_t *ctx, const gf_type_t *type, bool sends);

/* Why no picture of any type can be stored; NULL: they can. */
const char *gf_gate_closed(gf_ctx_t *ctx);

/* A file at `path` in the spool could not be written. */
void gf_gate_failed(const gf_ctx_t *ctx, apr_status_t rv, const char *path);

/* How a store over HTTP answered an upload; and may one be begun, or is its breaker open? */
void gf_gate_answered(const gf_ctx_t *ctx, bool stored);
bool gf_gate_uploads(const gf_conf_t *conf);

/* Is the state to be told to the database now, because it changed or was told long ago? Then this
 * caller tells it. gf_gate_report_failed(): it could not. */
bool gf_gate_report_due(const gf_conf_t *conf, bool closed);
void gf_gate_report_failed(const gf_conf_t *conf);

#endif
