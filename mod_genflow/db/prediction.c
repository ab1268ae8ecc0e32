/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the generations of a prediction by the run ids that front/create.c gave them. */
#include "db/prediction.h"

#include <string.h>

/* The one that `name` names; *found: it is there. */
static gf_err_t *read_one(gf_view_t *found_view, bool *found, gf_ctx_t *ctx, const char *name,
                          const gf_view_t *view)
{
    const gf_find_t find = { .run_id = name };
    gf_err_t *err = NULL;

    if (strcmp(name, view->run_id) == 0) {
        *found_view = *view;
    }
    else {
        err = gf_queue_get(found_view, ctx, view->type, view->user, &find);
    }
    *found = !err;
    return gf_err_is(err, GF_E_NO_GENERATION) ? NULL : err;
}

gf_err_t *gf_prediction_views(gf_view_t *views, int *count, gf_ctx_t *ctx,
                              const gf_prediction_t *prediction, const gf_view_t *view)
{
    const char *first = gf_prediction_nth(prediction, view, 0, ctx->pool);
    bool found;
    int i;

    *count = 0;
    for (i = 0; first && i < prediction->count; i++) {
        const char *name = gf_prediction_nth(prediction, view, i, ctx->pool);

        GF_TRY(read_one(&views[*count], &found, ctx, name, view));
        *count += found;
    }
    if (*count == 0) {
        views[0] = *view;
        *count = 1;
    }
    return NULL;
}
