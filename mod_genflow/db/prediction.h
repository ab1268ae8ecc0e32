/* SPDX-License-Identifier: Apache-2.0 */
/* The generations of a prediction (model/prediction.h). Blocks; any thread with its own context. */
#ifndef GF_DB_PREDICTION_H
#define GF_DB_PREDICTION_H

#include "db/queue.h"
#include "model/prediction.h"

/* Reads the others of the prediction that `view`, a row of its user, is a generation of: views,
 * with room for GF_BATCH_MAX, gets all *count of them in their order, but for those that were
 * deleted. */
gf_err_t *gf_prediction_views(gf_view_t *views, int *count, gf_ctx_t *ctx,
                              const gf_prediction_t *prediction, const gf_view_t *view);

#endif
