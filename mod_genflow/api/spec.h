/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that make and start generations, in the order in which a request passes them, each
 * file once:
 *
 *   generate.c, twostep.c or retry.c    the handler
 *   spec.c                              body, template and type become a checked gf_spec_t
 *   create.c                            one SQL statement holds the credits and makes the rows
 *   start.c                             the jobs begin here; wait as the client prefers; answer
 *
 * Request threads only. Results live as long as the request. */
#ifndef API_SPEC_H
#define API_SPEC_H

#include "api/api.h"
#include "base/hash.h"

/* ---- spec.c ---- */

/* A body that requests generations. */
typedef struct api_spec_body_t {
    gf_json_t *json;
    const char *text; /* as it was sent */
    apr_size_t length;
    bool pending; /* another call starts the generations */
} api_spec_body_t;

/* Checks a body. Without req->type, sets it as the body says. Errors: NO_PROVIDER, STORE_CLOSED;
 * one that names every bad field. */
gf_err_t *api_spec_read(gf_spec_t *spec, gf_req_t *req, const api_spec_body_t *body);

/* Completes a checked body: the caller's key, and its picture among the assets. `hash` is the room
 * for the caller's. */
gf_err_t *api_spec_finish(gf_caller_t *caller, char hash[GF_SHA256_HEX], gf_req_t *req,
                          gf_spec_t *spec, const api_spec_body_t *body);

/* Sets the caller's hash: of the body and of its address. `hash` is the room for it. */
void api_spec_hash(gf_caller_t *caller, char hash[GF_SHA256_HEX], const gf_req_t *req,
                   const api_spec_body_t *body);

/* Sets who the caller is and its key: the client's Idempotency-Key, or else `own`. */
gf_err_t *api_spec_key(gf_caller_t *caller, gf_req_t *req, const char *own);

/* SOURCE_URL, naming `field`, when these bytes, which gf_image_probe() has recognised, cannot be
 * decoded (asset.c). */
gf_err_t *api_asset_check(gf_req_t *req, const char *field, const gf_image_t *image,
                          const void *bytes);

/* The template that `body` names: its members, and its type; both NULL without one (template.c). */
gf_err_t *api_template_read(const gf_json_t **config, const char **type, gf_req_t *req,
                            const gf_json_t *body);

/* ---- generate.c ---- */

/* Creates the generations of the body, starts them unless they stay pending, and replies. */
gf_err_t *api_generate_body(gf_req_t *req, const api_spec_body_t *body);

/* ---- create.c ---- */

/* Creates the generations of the spec, or finds those that the key made before (created->outcome:
 * one for each of spec->count). *begin: how they begin here; its owner is NULL if this process has
 * no places for them. Refusals are errors. */
gf_err_t *api_create(gf_created_t *created, gf_begin_t *begin, gf_req_t *req,
                     const gf_caller_t *caller, const gf_spec_t *spec);

/* How many of `count` are new. */
int api_create_count(const gf_created_t *created, int count);

/* The error of an outcome that is neither new nor a replay, of a request that costs so many
 * credits. */
gf_err_t *api_create_refused(gf_req_t *req, const gf_created_t *created, apr_int64_t cost);

/* The new generations: as views and, if they begin here, as jobs for the hub; else these are NULL.
 * Replayed ones have no view and no job. */
void api_create_views(gf_view_t *views, gf_job_t **jobs, gf_req_t *req, const gf_spec_t *spec,
                      const gf_created_t *created, const gf_begin_t *begin);

/* ?dryRun=1: what the request would cost, and the provider that would begin; nothing happens. */
gf_err_t *api_create_dry(gf_req_t *req, apr_int64_t cost, const char *prompt,
                         const char *parameters, const char *source_url);

/* ---- start.c ---- */

/* Starts the generations of one request, waits as the client prefers, and replies. `views`: their
 * current state, in the request's pool. `jobs`: their jobs in this process; NULL: another process
 * takes them. */
gf_err_t *api_start(gf_req_t *req, gf_view_t *views, gf_job_t **jobs, int count);

/* Replies with generations in their current state: 200 when all have ended, else 202. */
gf_err_t *api_start_answer(gf_req_t *req, const gf_view_t *views, int count);

/* Completes the view of a new generation: below the older names a setting of the user decides who
 * sees it, and its row knows. Without the row it stays a private one. */
void api_start_visibility(gf_req_t *req, gf_view_t *view);

/* NULL if generations of req->type can be made now. Errors: NO_PROVIDER, STORE_CLOSED. */
gf_err_t *api_start_open(gf_req_t *req);

/* NO_PROVIDER: no provider of req->type can be used. */
gf_err_t *api_start_closed(gf_req_t *req);

#endif
