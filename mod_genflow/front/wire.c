/* SPDX-License-Identifier: Apache-2.0 */
/* What the translators of all fronts have in common. */
#include "front/wire.h"

#include <string.h>

#include <apr_strings.h>

front_reply_t *front_reply_make(apr_pool_t *pool, int status)
{
    front_reply_t *reply = apr_pcalloc(pool, sizeof(*reply));

    reply->status = status;
    reply->headers = apr_table_make(pool, 4);
    return reply;
}

bool front_fault_passes(const gf_err_t *err)
{
    return err->row->http == 503 || (err->row->http == 429 && !gf_err_is(err, GF_E_QUOTA))
           || err->row->http == 409;
}

static const gf_field_error_t *first_field(const gf_err_t *err)
{
    return err->fields && err->fields->nelts > 0 ? &APR_ARRAY_IDX(err->fields, 0, gf_field_error_t)
                                                 : NULL;
}

const char *front_fault_field(const gf_err_t *err)
{
    const gf_field_error_t *field = first_field(err);

    return field ? field->field : NULL;
}

const char *front_fault_message(const gf_err_t *err, apr_pool_t *pool)
{
    const gf_field_error_t *field = first_field(err);

    if (field) {
        return apr_pstrcat(pool, field->field, " ", field->message, NULL);
    }
    return err->text ? err->text : err->row->text;
}

gf_err_t *front_fault_of(gf_ctx_t *ctx, const gf_view_t *view)
{
    gf_err_code_t code = GF_E_FAILED;
    gf_err_code_t at;
    gf_err_t *err;

    if (strcmp(view->status, "cancelled") == 0) {
        return gf_err_make(ctx, GF_E_CANCELLED, APR_SUCCESS, "%s", view->id);
    }
    for (at = GF_E_COUNT; at-- > GF_E_TIMEOUT && view->error_code;) { /* the first row of jobs */
        if (strcmp(gf_err_row(at)->code, view->error_code) == 0) {
            code = at;
        }
    }
    err = gf_err_make(ctx, code, APR_SUCCESS, "%s: %s", view->id,
                      view->error_code ? view->error_code : "no picture");
    err->text = view->error_message;
    return err;
}
