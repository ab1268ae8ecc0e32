/* SPDX-License-Identifier: Apache-2.0 */
/* GET types: what the caller may request, for pages that offer it. The configuration has the types,
 * model/ the bounds of a request, the database (db/type_state.h) how each type is now. */
#include "api/api.h"

#include <apr_strings.h>

#include "api/authn.h"
#include "db/type_state.h"
#include "model/language.h"
#include "model/param.h"
#include "model/parameters.h"
#include "model/price.h"
#include "store/gate.h"

static void put_number(gf_out_t *out, const char *name, double number)
{
    gf_out_put_raw(out, name, gf_json_of_number(number, out->pool));
}

/* ---- parameters ---- */

static void put_values(gf_out_t *out, const apr_array_header_t *values)
{
    int i;

    if (!values) {
        gf_out_put_raw(out, "values", NULL);
        return;
    }
    gf_out_key(out, "values");
    gf_out_open(out, '[');
    for (i = 0; i < values->nelts; i++) {
        gf_out_string(out, APR_ARRAY_IDX(values, i, const char *));
    }
    gf_out_close(out, ']');
}

/* Without a largest value it has no bounds: a choice, or a text of any length. */
static void put_parameter(gf_out_t *out, const gf_bound_view_t *view)
{
    gf_out_open(out, '{');
    gf_out_put_string(out, "name", view->name);
    gf_out_put_string(out, "kind", view->kind);
    if (view->max > 0) {
        put_number(out, "min", view->min);
        put_number(out, "max", view->max);
    }
    else {
        gf_out_put_raw(out, "min", NULL);
        gf_out_put_raw(out, "max", NULL);
    }
    gf_out_put_raw(out, "default", view->usual);
    put_values(out, view->values);
    gf_out_close(out, '}');
}

static void put_parameters(gf_out_t *out, const gf_type_t *type)
{
    const apr_array_header_t *list = gf_parameters_list(type, out->pool);
    int i;

    gf_out_key(out, "parameters");
    gf_out_open(out, '[');
    for (i = 0; i < list->nelts; i++) {
        put_parameter(out, &APR_ARRAY_IDX(list, i, gf_bound_view_t));
    }
    gf_out_close(out, ']');
}

/* ---- a type ---- */

static void put_words(gf_out_t *out, const gf_type_t *type, const char *accepted)
{
    const char *label = gf_language_find(type->labels, accepted);

    gf_out_put_string(out, "name", gf_type_wire(type));
    gf_out_put_string(out, "label", label ? label : gf_type_wire(type));
    gf_out_put_string(out, "description", gf_language_find(type->texts, accepted));
}

static void put_prompt(gf_out_t *out, const gf_type_t *type)
{
    gf_out_key(out, "prompt");
    gf_out_open(out, '{');
    gf_out_put_int(out, "min", type->prompt_min);
    gf_out_put_int(out, "max", type->prompt_max);
    gf_out_put_bool(out, "composed", type->prompt_min == 0);
    gf_out_close(out, '}');
}

/* ---- open or closed ---- */

typedef struct closed_t {
    const char *reason, *message; /* NULL: it is open */
} closed_t;

/* A request would be refused for the same reason (api/create.c). */
static const closed_t *closed_of(const gf_req_t *req, const gf_type_state_t *state)
{
    static const closed_t store = { "store_closed", "Pictures cannot be stored now" };
    static const closed_t states[] = {
        [GF_TYPE_OPEN] = { NULL, NULL },
        [GF_TYPE_NO_PROVIDER] = { "no_provider", "No provider of this type has a key" },
        [GF_TYPE_BREAKER_OPEN] = { "breaker_open", "No provider of this type can be reached now, "
                                                   "or their budgets of the day are spent" },
        [GF_TYPE_FAULT] = { "fault", "The database lacks the table of this type" }
    };
    bool is_open = state->open == GF_TYPE_OPEN;

    return is_open && gf_gate_check(req->ctx, state->type, false) ? &store : &states[state->open];
}

/* Whether it can be requested now, its presets, and how long it takes. */
static void put_state(gf_out_t *out, const gf_req_t *req, const gf_type_state_t *state)
{
    const closed_t *closed = closed_of(req, state);

    gf_out_put_raw(out, "presets",
                   state->presets ? apr_psprintf(out->pool, "{\"total\":%d,\"active\":%d}",
                                                 state->presets, state->presets_on)
                                  : NULL);
    gf_out_put_bool(out, "open", !closed->reason);
    gf_out_put_string(out, "closedReason", closed->reason);
    gf_out_put_string(out, "closedMessage", closed->message);
    gf_out_put_raw(out, "expected",
                   state->half < 0
                       ? NULL
                       : apr_psprintf(out->pool, "{\"p50\":%.1f,\"p90\":%.1f}",
                                      (double)state->half / 1000, (double)state->most / 1000));
}

/* The price of a request is in its dry run; these say what changes it. */
static void put_prices(gf_out_t *out, const gf_type_t *type)
{
    int i;

    gf_out_key(out, "prices");
    gf_out_open(out, '[');
    for (i = 0; type->prices && i < type->prices->nelts; i++) {
        const gf_price_t *price = &APR_ARRAY_IDX(type->prices, i, gf_price_t);

        gf_out_open(out, '{');
        gf_out_put_int(out, "cost", price->credits);
        gf_out_key(out, "when");
        gf_price_put_terms(out, price);
        gf_out_close(out, '}');
    }
    gf_out_close(out, ']');
}

static void put_type(gf_out_t *out, const gf_req_t *req, const gf_type_state_t *state)
{
    static const char *const sources[] = {
        [GF_SOURCE_NONE] = "none", [GF_SOURCE_MAY] = "optional", [GF_SOURCE_MUST] = "required"
    };
    const gf_conf_t *conf = req->conf;
    const gf_type_t *type = state->type;
    apr_int64_t live = conf->limit_concurrent;

    gf_out_open(out, '{');
    put_words(out, type, apr_table_get(req->r->headers_in, "Accept-Language"));
    gf_out_put_int(out, "cost", type->cost);
    put_prices(out, type);
    gf_out_key(out, "fallbackCost");
    gf_out_raw(out, type->local ? apr_psprintf(out->pool, "%" APR_INT64_T_FMT, type->fallback_cost)
                                : NULL);
    gf_out_put_int(out, "maxRetries", type->retries);
    gf_out_put_string(out, "source", sources[type->source]);
    put_prompt(out, type);
    put_parameters(out, type);
    gf_out_put_int(out, "maxCount", live > 0 && live < GF_BATCH_MAX ? live : GF_BATCH_MAX);
    put_state(out, req, state);
    gf_out_close(out, '}');
}

gf_err_t *api_type_list(gf_req_t *req)
{
    apr_array_header_t *states;
    gf_out_t out;
    int i;

    GF_TRY(gf_type_states(&states, req->ctx));
    apr_table_mergen(req->r->headers_out, "Vary", "Accept-Language");
    gf_reply_begin(&out, req);
    gf_out_key(&out, "types");
    gf_out_open(&out, '[');
    for (i = 0; i < states->nelts; i++) {
        const gf_type_state_t *state = &APR_ARRAY_IDX(states, i, gf_type_state_t);

        if (!api_authn_need_type(req, state->type)) {
            put_type(&out, req, state);
        }
    }
    gf_out_close(&out, ']');
    return gf_reply_tagged(req, &out, 0);
}
