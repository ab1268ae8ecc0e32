/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a generation, and the capture or release of its credits. */
#ifndef GF_SETTLE_H
#define GF_SETTLE_H

#include "db/db.h"
#include "model/job.h"

/* The end of a generation. A NULL error_code is success. */
typedef struct gf_end_t {
    const char *status;        /* "completed", "failed", "cancelled" */
    const gf_choice_t *choice; /* the chain entry that made it; NULL: none */
    bool fallback;
    const char *image_url;
    const char *original_url;         /* the provider's own, or NULL */
    bool stored_temporarily;          /* image_url is temporary: the picture is to be restored */
    apr_interval_time_t url_lifetime; /* then: how long the picture stays there; 0: unlimited */
    const char *result;               /* JSON: width, height, bytes, type, sha256 */
    const char *error_code;
    const char *error_message;
    const char *cause_code;
} gf_end_t;

typedef enum gf_settled_t {
    GF_SETTLED_NOT, /* it was not settled; no outcome of gf_settle_generation() */
    GF_SETTLED_DONE,
    GF_SETTLED_SAME,          /* it had ended so before */
    GF_SETTLED_ALREADY_ENDED, /* it had ended otherwise */
    GF_SETTLED_STALE,         /* another host holds the lease */
    GF_SETTLED_UNKNOWN        /* it was deleted */
} gf_settled_t;

/* Settles a generation: its end and its credits in one transaction. A success is captured, exactly
 * once; everything else is released. Calling it again is harmless (SAME, ALREADY_ENDED). Writer
 * threads. */
gf_err_t *gf_settle_generation(gf_settled_t *settled, gf_ctx_t *ctx, const gf_job_t *job,
                               const gf_end_t *end);

#endif
