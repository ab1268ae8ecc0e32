/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters that a request to a provider may carry, and the bounds of those that cost money
 * there. A request beyond the bounds of its type is refused (model/param.c). Translators send only
 * values that pass gf_bound_passes(), whatever a row holds. No I/O; any thread once the
 * configuration is frozen. */
#ifndef GF_BOUND_H
#define GF_BOUND_H

#include "base/json.h"
#include "model/conf.h"

#define GF_BOUND_PIXELS_MAX (2048 * 2048) /* of a type without GenflowTypeParameter for it */

/* GenflowTypeParameter. `pixels` bounds width x height, under any parameter name. */
typedef struct gf_bound_t {
    const char *name;
    double min, max;   /* of numbers */
    const char *words; /* of texts: "a|b|c"; NULL: numbers */
    const char *usual; /* JSON of the default; NULL: none */
} gf_bound_t;

/* Reads the arguments of the directive. Returns the mistake, or NULL. Start-up only. */
const char *gf_bound_read(gf_bound_t *bound, int argc, char *const argv[], apr_pool_t *pool);

/* The mistake in the value of a parameter of that type, for the client; NULL: none, or the
 * parameter has no bounds. `type` may be NULL: the bounds of a type without GenflowTypeParameter.
 */
const char *gf_bound_wrong(const gf_type_t *type, const char *name, gf_json_t *value,
                           apr_pool_t *pool);

/* The same for a client's value: the API's own bounds count, too, which are narrower for two-step
 * bodies. */
const char *gf_bound_refuses(const gf_type_t *type, const char *name, gf_json_t *value,
                             bool two_step, apr_pool_t *pool);

/* What a client may send for a parameter, as GET types shows it. */
typedef struct gf_bound_view_t {
    const char *name;
    const char *kind;                 /* "number", "integer", "choice" or "text" */
    double min, max;                  /* of numbers; of a text: characters */
    const char *usual;                /* JSON of the value that is sent without one; NULL: none */
    const apr_array_header_t *values; /* const char *: of a choice, all; of a text, some that are
                                         usual. NULL: none */
} gf_bound_view_t;

/* The i-th parameter of gf_bound_name() for a request of one step: gf_bound_refuses() takes what
 * the view allows. False: it is no choice, because one value alone, or none, is taken. */
bool gf_bound_look(gf_bound_view_t *view, int i, const gf_type_t *type, apr_pool_t *pool);

/* What a parameter is compared with, as GenflowTypePrice does. */
typedef enum {
    GF_BOUND_NOTHING, /* there is none of that name, or it costs nothing */
    GF_BOUND_NUMBERS,
    GF_BOUND_WORDS,
    GF_BOUND_PIXELS /* `pixels`, which is no parameter itself: gf_bound_pixels() */
} gf_bound_takes_t;

gf_bound_takes_t gf_bound_takes(const char *name);

/* The names of all that gf_bound_takes() knows, for a message. */
const char *gf_bound_listed(apr_pool_t *pool);

/* A number of the configuration, 0 to GF_BOUND_NUMBER_MAX. False: it is none. */
#define GF_BOUND_NUMBER_MAX (1 << 30)
bool gf_bound_number(double *number, const char *text);

/* Does the type's bound of pixels allow a size like "1536x1024", which a provider is sent for an
 * aspect ratio? */
bool gf_bound_allows(const gf_type_t *type, const char *sides, apr_pool_t *pool);

/* The mistake in the aspect ratio of checked parameters, for the client: this chain entry (NULL: no
 * mistake) would be sent a size for it that is beyond the bounds. NULL: none. */
const char *gf_bound_wrong_ratio(const gf_type_t *type, const gf_choice_t *choice,
                                 gf_json_t *parameters, apr_pool_t *pool);

/* Width x height that the parameters request of this chain entry (NULL: of none): of two sizes the
 * larger one, else the size of the aspect ratio. `honoured`: only sizes that the entry honours. 0:
 * no size that a provider gets is named. */
double gf_bound_pixels(const gf_type_t *type, const gf_choice_t *choice, bool honoured,
                       gf_json_t *parameters, apr_pool_t *pool);

/* Does the chain entry honour this parameter? Of NULL none is known. */
bool gf_bound_is_honoured(const gf_choice_t *choice, const char *name);

/* The name of the i-th parameter that a provider may get, from 0; NULL after the last. */
const char *gf_bound_name(int i);

/* May this value reach a provider? False beyond its bounds, and for a parameter that nothing
 * declares to be free of cost. */
bool gf_bound_passes(const gf_type_t *type, const char *name, gf_json_t *value, apr_pool_t *pool);

/* Adds the type's defaults for parameters that `parameters` does not have. */
gf_err_t *gf_bound_fill(gf_json_t *parameters, gf_ctx_t *ctx, const gf_type_t *type);

#endif
