/* SPDX-License-Identifier: Apache-2.0 */
/* What a client asks for, checked against its type. Every bad field is found before anything is
 * refused. */
#ifndef GF_PARAM_H
#define GF_PARAM_H

#include "base/gf_json.h"
#include "model/gf_conf.h"
#include "model/gf_source.h"

/* A checked request for one generation. */
typedef struct gf_ask_t {
    const gf_type_t *type;
    const char *run_id; /* NULL: the id serves */
    const char *preset; /* NULL: the type has none */
    const char *prompt; /* composed: the preset's, then the user's */
    gf_source_t source;
    const char *source_url; /* source's address; set by the caller for a picture of ours */
    const char *parameters; /* JSON object; `strength` is filled from the preset where absent */
    apr_int64_t seed;       /* the client's, or drawn */
    int max_retries;        /* the type's, or lower */
} gf_ask_t;

/* Checks `body` (an object) against `type`. On error nothing of *ask may be used; the error names
 * every bad field. */
gf_err_t *gf_param_check(gf_ask_t *ask, gf_ctx_t *ctx, const gf_type_t *type,
                         const gf_json_t *body);

#endif
