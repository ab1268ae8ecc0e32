/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a generation: the members of `parameters`, and for missing ones those beside
 * the prompt; within the bounds of the API and of the type (model/bound.h). No I/O; one thread at a
 * time. */
#ifndef GF_PARAMETERS_H
#define GF_PARAMETERS_H

#include "model/bound.h"
#include "model/input.h"

#define GF_PARAMETERS_SEED_MAX 4294967294LL /* the largest that every provider takes */

/* The members beside the prompt that are read here. */
extern const gf_input_field_t gf_parameters_fields[];

/* The request that they belong to. */
typedef struct gf_parameters_for_t {
    const gf_type_t *type;
    bool two_step;      /* narrower bounds */
    bool has_ratio;     /* a good aspectRatio is there: it becomes aspect_ratio */
    const char *source; /* any text if there is a source picture: `model` must take one */
} gf_parameters_for_t;

/* Gathers them from the body and the template into `object`, which the caller has made and whose
 * values may belong to these documents. *seed: the requested one, or -1. Bad ones are recorded in
 * `input`. */
void gf_parameters_read(gf_json_t *object, apr_int64_t *seed, gf_input_t *input,
                        const gf_parameters_for_t *given_for);

/* Is the size that a job of these parameters (with all defaults) begins with within the bounds,
 * where its provider is sent one for an aspect ratio? `given`: the client's ratio; NULL: it gave
 * none, and what is beyond the bounds is not sent. An error is the refusal. */
gf_err_t *gf_parameters_check_ratio(const gf_json_t *given, gf_json_t *parameters,
                                    gf_input_t *input, const gf_type_t *type, const char *source);

/* The parameters that a client may choose in a request of one step, in `pool`: gf_bound_view_t.
 * Those that no model of the chain honours are left out; gf_parameters_read() takes them, too.
 * gf_parameters_read() takes what they allow, except for a `model` that does not fit the source
 * picture of the request. */
apr_array_header_t *gf_parameters_list(const gf_type_t *type, apr_pool_t *pool);

#endif
