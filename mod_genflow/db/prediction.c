/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the generations of a prediction by the run ids that front/create.c gave them. */
#include "db/prediction.h"

#include <string.h>

gf_err_t *gf_prediction_views(gf_view_t *views, int *count, gf_ctx_t *ctx,
                              const gf_prediction_t *prediction, const gf_view_t *view)
{
    const char *name = gf_prediction_nth(prediction, view, 0, ctx->pool);
    int i;

    views[0] = *view;
    *count = 1;
    if (!name) {
        return NULL;
    }
    *count = 0;
    for (i = 0; i < prediction->count; i++) {
        gf_find_t find = { .run_id = gf_prediction_nth(prediction, view, i, ctx->pool) };
        gf_err_t *err = NULL;

        if (strcmp(find.run_id, view->run_id) == 0) {
            views[*count] = *view;
        }
        else {
            err = gf_queue_get(&views[*count], ctx, view->type, view->user, &find);
        }
        if (err && !gf_err_is(err, GF_E_NO_GENERATION)) {
            return err;
        }
        *count += !err;
    }
    return NULL;
}
