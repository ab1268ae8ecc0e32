/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the body of a request against its type: that of {type}/generate, and that of the two-step
 * calls. It finds every bad field before it refuses. No I/O; one thread at a time. Results live in
 * the pool of the input's context. */
#ifndef GF_PARAM_H
#define GF_PARAM_H

#include "model/input.h"
#include "model/price.h"
#include "model/source.h"
#include "model/type.h"

/* A checked request: for one generation, or for several that differ in seed and run id. */
typedef struct gf_spec_t {
    const gf_type_t *type;
    int count;          /* of generations, 1 to GF_BATCH_MAX */
    bool pending;       /* set by the caller: only created, not started */
    bool two_step;      /* its body was one of two steps */
    const char *run_id; /* NULL: the id is the run id */
    const char *preset; /* NULL: none */
    const char *prompt; /* composed: gf_prompt_compose() */

    /* The source pictures, gf_source_t in the client's order; NULL: none. The first product_count
     * are those of productImages, the others those of modelImages. */
    apr_array_header_t *sources;
    int product_count;

    /* `sources` as a row has them (model/source_url.h). The caller sets it anew once pictures in
     * the body are stored. */
    const char *source_url;

    /* JSON object: the client's, completed by the preset's, then by the type's defaults. */
    const char *parameters;
    apr_int64_t seed; /* of the first generation: the client's, or drawn */
    int max_retries;  /* the type's, or lower */
    gf_priority_t priority;
    const char *webhook_url; /* gets the end delivered; NULL: none */
    int chain_pos;           /* the chain entry that it begins with: 0, or GF_TYPE_LOCAL */

    /* Id of the failed generation that this one draws here, which costs GenflowTypeFallbackCost;
     * NULL: none. */
    const char *fallback_of;

    apr_int64_t cost; /* credits of one generation: gf_param_price() */
} gf_spec_t;

/* A body that requests generations, and the facts to check it against. */
typedef struct gf_param_t {
    gf_input_t input; /* ctx, body, fallback (a template) and lenient are the caller's to set */
    const gf_type_t *type; /* NULL (two-step only): the body's `type` names none */
    const gf_presets_t *presets;
    bool two_step; /* it has the fields of generation/create; bad ones are FIELDS (400) */
    bool old;      /* an older client's: presetKey "default" is no preset */
    bool composed; /* its member `input` is kept among the parameters, as it is */
} gf_param_t;

/* Checks the body. On error *spec is not to be used; the error names every bad field. A preset is
 * required where a prompt is not (GenflowTypePromptMin 0) and a preset is on. For a two-step body
 * the pictures suffice. */
gf_err_t *gf_param_check(gf_spec_t *spec, const gf_param_t *param);

/* The parameters of the spec completed by `productImages` and `modelImages`: the addresses of all
 * source pictures in order, as the wire shows them. For a spec of two steps. */
gf_err_t *gf_param_name_pictures(gf_spec_t *spec, gf_ctx_t *ctx, const char *const *shown);

/* All members that a template's config may have: tables of rows, NULL-ended. api/template.c refuses
 * others when it stores the template. */
extern const gf_input_field_t *const gf_param_config[];

/* Generation `i` (from 0) of the spec. Of several each has its own seed, which is the first one's
 * plus i (beyond the largest: from 1 on), and its own run id, "<run id>-<i + 1>". Other
 * texts are shared. */
gf_spec_t gf_param_nth(const gf_spec_t *spec, int i, apr_pool_t *pool);

/* Sets the spec's cost: the type's price for what it requests, or that of a fallback. A checked
 * spec has it; one that is made otherwise needs it. */
gf_err_t *gf_param_price(gf_spec_t *spec, gf_ctx_t *ctx);

/* A random seed for a request without one: 1 to 2^31 - 1, as 0 means "any" to providers. */
apr_int64_t gf_param_draw_seed(void);

#endif
