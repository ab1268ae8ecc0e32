/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the translators of JSON APIs: requests and their inputs, pictures, and refusals in all
 * their forms. Paths, states and peculiarities are in each provider's own file. Pure; results live
 * in the call's pool. Any thread. */
#ifndef PROV_JSON_H
#define PROV_JSON_H

#include "base/json.h"
#include "provider/provider.h"

/* ---- requests ---- */

/* gf_prov_kind_t.check for a provider that needs an address and a key: the missing directive, or
 * NULL. */
const char *prov_json_check(const gf_provider_t *provider, apr_pool_t *pool, const char *url,
                            const char *variable);

/* gf_provider_request() whose answer may be a picture in base64 or a page of a list. */
gf_msg_t *prov_json_request(const gf_prov_call_t *call, const char *method, const char *url);

/* Makes the JSON document the request's body, with its Content-Type. It is not copied. */
void prov_json_body(gf_msg_t *msg, const char *document);

/* One member of an input: where its value comes from, and what the provider calls it. `ours` is
 *   prompt      the prompt
 *   seed        our seed; 0 means any and is left out
 *   source      the source picture: its address or data: URI
 *   sources     the list of all source pictures
 *   image_size  the parameter of that name, else the one that fits `aspect_ratio`
 *   strength    the parameter of that name, but only beside a source picture
 * or the name of another parameter. The value is written as it is; without one there is no member.
 */
typedef struct prov_field_t {
    const char *ours;
    const char *theirs;
} prov_field_t;

/* The inputs of models. The first row whose name begins the model's name counts; the last one is
 * "". */
typedef struct prov_model_t {
    const char *name;
    const prov_field_t *fields; /* ends with { NULL, NULL } */
    gf_source_use_t source;
    int source_max; /* source pictures at a time; 0: one */
} prov_model_t;

/* The members of that model's input; never NULL. */
const prov_field_t *prov_json_fields_of(const prov_model_t *models, const char *model);

/* gf_prov_kind_t.source: as the row says. A model with `image-to-image` in its name is MUST. */
gf_source_use_t prov_json_source(const prov_model_t *models, const char *model);

/* gf_prov_kind_t.source_max: as the row says. */
int prov_json_source_max(const prov_model_t *models, const char *model);

/* gf_prov_kind_t.honours, of a model with these members. */
bool prov_json_honours(const prov_field_t *fields, const char *name);

/* gf_prov_kind_t.ratio_size, of a model with these members. */
const char *prov_json_ratio_size(const prov_field_t *fields, const char *ratio);

/* Writes the members into an open object. */
void prov_json_fields(gf_out_t *out, const gf_prov_call_t *call, const prov_field_t *fields);

/* The members as an object of their own. */
const char *prov_json_input(const gf_prov_call_t *call, const prov_field_t *fields);

/* ---- answers ---- */

/* An id that can stand in a path as it is: 1 to 128 of A-Z a-z 0-9 _ - (no dots: `..` would leave
 * the folder). NULL is none. Check every id from outside. */
bool prov_json_is_ref(const char *text);

/* The answer's JSON object; NULL if it is none. */
const gf_json_t *prov_json_document(const gf_prov_call_t *call, const gf_msg_t *msg);

/* The text of a member; "" if there is none. */
const char *prov_json_text(const gf_json_t *object, const char *name);

/* Sets state and code; all others stay. */
void prov_json_set(gf_outcome_t *outcome, gf_prov_state_t state, gf_err_code_t code);

/* Message, code and type of an error body, in any of the known forms; a missing one is "". */
typedef struct prov_refusal_t {
    const char *message;
    const char *code;
    const char *type;
} prov_refusal_t;

/* Reads it; `document` may be NULL. */
void prov_json_refusal_read(prov_refusal_t *refusal, const gf_json_t *document);

/* "HTTP 402 code: message" for the log. */
const char *prov_json_detail(const gf_prov_call_t *call, const gf_msg_t *msg,
                             const prov_refusal_t *refusal);

/* A submission was not taken: the rules that all share for status, code words and waits. Whether it
 * was the provider that said so, kind->own decides. */
void prov_json_refused(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg,
                       const gf_json_t *document);

/* The first picture among images[], data[] or image that is not marked as filtered: SUCCEEDED,
 * FILTERED or EMPTY. */
void prov_json_picture(gf_outcome_t *outcome, const gf_json_t *document);

/* A picture's address or bytes: a text, or an object with url or b64_json. */
bool prov_json_picture_in(gf_outcome_t *outcome, const gf_json_t *value);

/* A row of kind->own: an error in OpenAI's form. Its `type` is what gateways and proxies that speak
 * this form leave out or null (Google's APIs, LiteLLM). */
#define PROV_JSON_OPENAI_ERROR                           \
    {                                                    \
        400, 599, NULL, "error/message error/type", NULL \
    }

/* Rows of kind->own: an answer that should hold the picture. */
#define PROV_JSON_PICTURES                                                  \
    { 200, 299, NULL, "data?", NULL }, { 200, 299, NULL, "images?", NULL }, \
    {                                                                       \
        200, 299, NULL, "image?", NULL                                      \
    }

/* gf_prov_kind_t.read_submit of APIs that answer with the picture itself. */
void prov_json_read_answer(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg);

#endif
