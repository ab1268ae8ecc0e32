/* SPDX-License-Identifier: Apache-2.0 */
/* What a client asks for, checked against its type. Every bad field is found before anything is
 * refused. */
#ifndef GF_PARAM_H
#define GF_PARAM_H

#include "model/form.h"
#include "model/source.h"

#define GF_BATCH_MAX 10

/* A checked request: for one generation, or for several that differ in seed and run id. */
typedef struct gf_ask_t {
    const gf_type_t *type;
    int count;          /* of generations */
    bool pending;       /* set by the caller: only made, not started */
    const char *run_id; /* NULL: the id serves */
    const char *preset; /* NULL: none */
    const char *prompt; /* composed: gf_prompt_compose() */
    gf_source_t source;
    const char *source_url; /* source's address; set by the caller for a picture of ours */
    const char *parameters; /* JSON object: the client's, and for what it left open the preset's */
    apr_int64_t seed;       /* the client's, or drawn */
    int max_retries;        /* the type's, or lower */
    gf_priority_t priority;
    const char *webhook_url; /* is told the end; NULL: none */
    int chain_pos;           /* the link of the chain that it begins with: 0, or GF_TYPE_LOCAL */
} gf_ask_t;

/* Checks the body of `form` against its type and presets. On error nothing of *ask may be used; the
 * error names every bad field. A preset is required where prompts are not (GenflowTypePromptMin 0)
 * and one is on: somebody has to say what to draw. A two-step body says it by its pictures. */
gf_err_t *gf_param_check(gf_ask_t *ask, gf_form_t *form);

/* Generation `i` (from 0) of what was asked for: of several each has its own seed and run id. */
gf_ask_t gf_param_nth(const gf_ask_t *ask, int i, apr_pool_t *pool);

/* A seed for somebody who gave none. */
apr_int64_t gf_param_draw_seed(void);

#endif
