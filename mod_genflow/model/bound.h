/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters that a provider may be sent, and the bounds of those that cost money there. A
 * request beyond the bounds of its type is refused (model/param.c); whatever stands on a row, the
 * translators send only what gf_bound_passes() lets through. No I/O; any thread once the
 * configuration is frozen. */
#ifndef GF_BOUND_H
#define GF_BOUND_H

#include "base/json.h"
#include "model/conf.h"

#define GF_BOUND_PIXELS_MAX (2048 * 2048) /* of a type that says nothing else */

/* GenflowTypeParameter. `pixels` bounds width x height, whatever a parameter calls it. */
typedef struct gf_bound_t {
    const char *name;
    double min, max;   /* of numbers */
    const char *words; /* of texts: "a|b|c"; NULL: numbers */
    const char *usual; /* JSON of the default; NULL: none */
} gf_bound_t;

/* Reads the arguments of the directive. Returns what is wrong, or NULL. Start-up only. */
const char *gf_bound_read(gf_bound_t *bound, int argc, char *const argv[], apr_pool_t *pool);

/* What is wrong with the value of a parameter of that type, for the client; NULL: nothing, or the
 * parameter has no bounds. `type` may be NULL: the bounds of a type that says nothing. */
const char *gf_bound_wrong(const gf_type_t *type, const char *name, gf_json_t *value,
                           apr_pool_t *pool);

/* The same of what a client sends: the API's own bounds count, too, which for two-step bodies are
 * narrower. */
const char *gf_bound_refuses(const gf_type_t *type, const char *name, gf_json_t *value,
                             bool two_step, apr_pool_t *pool);

/* The name of the i-th parameter that a provider may be sent, from 0; NULL behind the last. */
const char *gf_bound_name(int i);

/* May this value reach a provider? Not if it is beyond its bounds, nor if nobody declared whether
 * the parameter costs money. */
bool gf_bound_passes(const gf_type_t *type, const char *name, gf_json_t *value, apr_pool_t *pool);

/* Adds the type's defaults for what `parameters` leaves open. */
gf_err_t *gf_bound_fill(gf_json_t *parameters, gf_ctx_t *ctx, const gf_type_t *type);

#endif
