/* SPDX-License-Identifier: Apache-2.0 */
/* The generation object of an ended generation, as settle returned it. The requests that wait for
 * the end share it, so that none of them reads the row. Any thread. */
#ifndef MODEL_FINAL_H
#define MODEL_FINAL_H

#include "model/job.h"

typedef struct gf_final_t {
    apr_pool_t *pool; /* its own: the texts of `view` */
    gf_view_t view;
    volatile apr_uint32_t holders;
} gf_final_t;

/* An object without a view, of one holder: the caller, which fills it before it hands it on. It
 * does not change any more then. */
gf_final_t *gf_final_make(void);

/* One holder more. gf_final_release(): one less, as a cleanup of a pool; the last one frees it. */
void gf_final_hold(gf_final_t *final);
apr_status_t gf_final_release(void *final);

#endif
