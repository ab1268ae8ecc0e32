/* SPDX-License-Identifier: Apache-2.0 */
/* Can a picture be stored now? Checked before credits are held or a request is sent: a picture that
 * cannot be stored would be paid for and lost. The gate tests spool and folders at most every few
 * seconds. It judges a store over HTTP by its answers, as a breaker does. The state is in memory
 * that the children of a host share, because folders and networks are a host's own. The background
 * reports it to genflow.breakers for other hosts and the doctor. Any thread. */
#ifndef STORE_GATE_H
#define STORE_GATE_H

#include "base/err.h"
#include "model/conf.h"

typedef struct gf_gate_t gf_gate_t;

/* Bytes of memory that the gate needs, and the gate made in it. It is open until the first check.
 */
apr_size_t gf_gate_bytes(const gf_conf_t *conf);
gf_gate_t *gf_gate_init(void *memory, const gf_conf_t *conf);

/* May a generation of `type` begin? NULL, or STORE_CLOSED with its Retry-After. `sends`: the caller
 * is about to send and may be the one that tries a store whose breaker was open. May block on the
 * disk for a moment. Logs the state when it changes. */
gf_err_t *gf_gate_check(gf_ctx_t *ctx, const gf_type_t *type, bool sends);

/* The same without an error and without trying: false, too, while the breaker of the store is half
 * open, when only one caller may send. */
bool gf_gate_is_open(gf_ctx_t *ctx, const gf_type_t *type);

/* The reason why no picture of any type can be stored; NULL: pictures can be stored. */
const char *gf_gate_closed(gf_ctx_t *ctx);

/* The word of {base}/health for what is wrong with the store of this host: "store_full",
 * "store_read_only", "store_missing", "store_refuses" (our key or account), "store_fails"; NULL:
 * nothing. */
const char *gf_gate_word(gf_ctx_t *ctx);

/* Records that the file at `path` in the spool could not be written. */
void gf_gate_failed(const gf_ctx_t *ctx, apr_status_t rv, const char *path);

/* gf_gate_answered(): records how a store over HTTP answered an upload. gf_gate_uploads(): may one
 * begin, or is its breaker open? */
void gf_gate_answered(const gf_ctx_t *ctx, bool stored);
void gf_gate_refused(
    const gf_conf_t *conf); /* our key or account: counts until an upload is stored */
bool gf_gate_uploads(const gf_conf_t *conf);

/* Must the caller report the state to the database now, because it changed or the last report is
 * old? gf_gate_report_failed(): the report was not written, the next call returns true. */
bool gf_gate_report_due(const gf_conf_t *conf, bool closed);
void gf_gate_report_failed(const gf_conf_t *conf);

#endif
