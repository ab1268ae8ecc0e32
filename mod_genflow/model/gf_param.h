/* SPDX-License-Identifier: Apache-2.0 */
/* What a client asks for, checked against its type. Every bad field is found before anything is
 * refused. */
#ifndef GF_PARAM_H
#define GF_PARAM_H

#include "base/gf_json.h"
#include "model/gf_source.h"
#include "model/gf_type.h"

/* A checked request for one generation. */
typedef struct gf_ask_t {
    const gf_type_t *type;
    const char *run_id; /* NULL: the id serves */
    const char *preset; /* NULL: none */
    const char *prompt; /* composed: gf_prompt_compose() */
    gf_source_t source;
    const char *source_url; /* source's address; set by the caller for a picture of ours */
    const char *parameters; /* JSON object: the client's, and for what it left open the preset's */
    apr_int64_t seed;       /* the client's, or drawn */
    int max_retries;        /* the type's, or lower */
    int chain_pos;          /* the link of the chain that it begins with: 0, or GF_TYPE_LOCAL */
} gf_ask_t;

/* Checks `body` (an object) against `type` and its presets. On error nothing of *ask may be used;
 * the error names every bad field. A preset is required where prompts are not (GenflowTypePromptMin
 * 0) and one is on: somebody has to say what to draw. */
gf_err_t *gf_param_check(gf_ask_t *ask, gf_ctx_t *ctx, const gf_type_t *type,
                         const gf_presets_t *presets, const gf_json_t *body);

/* A seed for somebody who gave none. */
apr_int64_t gf_param_draw_seed(void);

#endif
