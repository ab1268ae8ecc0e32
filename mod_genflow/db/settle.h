/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a generation, and the capture or release of its credits. */
#ifndef GF_SETTLE_H
#define GF_SETTLE_H

#include "db/db.h"
#include "model/final.h"

/* The end of a generation. A NULL error_code is success. */
typedef struct gf_end_t {
    const char *status;        /* "completed", "failed", "cancelled" */
    const gf_choice_t *choice; /* the chain entry that made it; NULL: none */
    bool fallback;             /* it is not the entry that the job began with */

    /* Of a success: the picture's public address, its address at the provider (NULL: it had none),
     * and its facts as gf_store_result() writes them. */
    const char *image_url;
    const char *original_url;

    /* image_url is no address of the store: a restore will put the picture there. The picture stays
     * at image_url for url_lifetime; 0: that copy is ours and stays. */
    bool stored_temporarily;
    apr_interval_time_t url_lifetime;
    const char *result;

    /* Of a failure: machine code and text of its row in base/err_table.h, and the code of what
     * caused it (of the last attempt's error after all retries), or NULL. */
    const char *error_code;
    const char *error_message;
    const char *cause_code;
} gf_end_t;

/* What settling did. Only DONE has changed anything of the generation. */
typedef enum gf_settled_t {
    GF_SETTLED_NOT,           /* it was not settled; no outcome of gf_settle_generation() */
    GF_SETTLED_DONE,          /* also when this very call is repeated, by its token */
    GF_SETTLED_SAME,          /* it had ended so before */
    GF_SETTLED_ALREADY_ENDED, /* it had ended otherwise */
    GF_SETTLED_STALE,         /* another host holds the lease */
    GF_SETTLED_UNKNOWN        /* it was deleted */
} gf_settled_t;

/* Settles a generation: its end and its credits in one transaction. A success is captured, exactly
 * once; everything else is released. Calling it again is harmless (SAME, ALREADY_ENDED). A success
 * counts from any caller, a failure only under the current lease (else STALE). A success that comes
 * after another end is not charged: SQL records it and removes its picture. final: the ended
 * generation, of which the caller is a holder; *final is NULL if it has not ended, or on an error.
 * NULL: it is not wanted. Errors: those of gf_db_call(). Blocks; writer threads. */
gf_err_t *gf_settle_generation(gf_settled_t *settled, gf_final_t **final, gf_ctx_t *ctx,
                               const gf_job_t *job, const gf_end_t *end);

#endif
