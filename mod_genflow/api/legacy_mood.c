/* SPDX-License-Identifier: Apache-2.0 */
/* POST image/generate of an older system without sign-in: a body of moods becomes a prompt, as a
 * row of genflow.compositions says, and is kept as it was sent: the job view shows it as `input`,
 * and its client sends that again for a retry. Leaves making to api/generate.c. */
#include "api/spec.h"

#include <string.h>

#include <apr_strings.h>

#include "db/gallery.h"
#include "model/type.h"

#define ROW       "image"
#define INPUT_MAX 8192

/* {"prompt": ..., "input": the body, and the row's parameters} */
static gf_err_t *compose_body(api_spec_body_t *made, gf_req_t *req, const gf_composed_t *composed,
                              gf_json_t *body)
{
    gf_json_t *parameters;
    gf_out_t out;

    gf_out_init(&out, req->r->pool, 1024);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "prompt", composed->prompt);
    gf_out_put_raw(&out, "input", gf_json_text(body));
    gf_out_close(&out, '}');
    GF_TRY(gf_json_parse(&made->json, req->ctx, out.text, out.length));
    GF_TRY(
        gf_json_parse(&parameters, req->ctx, composed->parameters, strlen(composed->parameters)));
    gf_json_add_all(made->json, parameters);
    return NULL;
}

static gf_err_t *lacks_mood(gf_req_t *req)
{
    gf_err_t *err = gf_err_field(req->ctx, GF_E_FIELDS, "mood", "is required as text");

    err->error = "mood is required";
    return err;
}

gf_err_t *api_legacy_mood(gf_req_t *req)
{
    api_spec_body_t body = { .pending = false };
    gf_composed_t composed;
    const char *mood;

    GF_TRY(api_body_json(req, &body.json, &body.text, &body.length));
    if (!gf_json_string(gf_json_get(body.json, "mood"), &mood) || !*mood) {
        return lacks_mood(req);
    }
    if (body.length > INPUT_MAX || !gf_json_is_moderate(body.json)) {
        return gf_err_field(req->ctx, GF_E_FIELDS, "mood",
                            "the body must have at most 8 KB, and no number beyond 1e15");
    }
    GF_TRY(gf_gallery_compose(&composed, req->ctx, ROW, gf_json_text(body.json)));
    req->type = composed.type ? gf_type_find(req->conf, composed.type, req->r->pool) : NULL;
    if (!req->type) {
        return gf_err_make(req->ctx, GF_E_NO_PROVIDER, APR_SUCCESS,
                           "row " ROW " of genflow.compositions names no configured type");
    }
    GF_TRY(compose_body(&body, req, &composed, body.json));
    req->composed = true;
    return api_generate_body(req, &body);
}
