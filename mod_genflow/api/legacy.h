/* SPDX-License-Identifier: Apache-2.0 */
/* The wire of older systems, below GenflowLegacyNames On. Their requests become the ones of the
 * API, their replies are written from the same rows; everything between is the API's own. The
 * handlers are the OLD rows of api/route_table.h, in files of this name:
 *
 *   legacy.c             what their requests and replies have in common
 *   legacy_generate.c    {type}/generate, {type}/status: one address may do either
 *   legacy_credit.c      credits-reserve, credits-finalize
 *
 * Request threads only. */
#ifndef API_LEGACY_H
#define API_LEGACY_H

#include "api/api.h"

/* May this body, of the type `media` ("" for none), be read as JSON? Pages of the older systems
 * send text/plain, as browsers do for a text. A browser cannot be made to send `Authorization:
 * Bearer` to another site without a preflight, so that such a request is its owner's. */
bool api_legacy_plain(const gf_req_t *req, const char *media);

/* The error of a request without a user: NOT_SIGNED_IN_OLD at the addresses of the first older
 * system, NOT_SIGNED_IN at those of the third, whose front end knows the code of today. */
gf_err_code_t api_legacy_not_signed_in(const request_rec *r);

/* Does a one-step call without Prefer wait for the picture, also where a provider has a queue?
 * Older clients treat a 202 as a failure. */
bool api_legacy_waits(const gf_req_t *req);

/* What a body asks for, as a text to compare: the members that the API reads, without those that
 * differ between two sendings of the same request. */
const char *api_legacy_text(const gf_req_t *req, const gf_json_t *body);

/* Writes the members of a generation, as gf_reply_members(). The ids of all kinds of provider are
 * there: that of the provider, or else ours. */
void api_legacy_members(gf_out_t *out, gf_req_t *req, const gf_view_t *view);

/* Writes the members of a generation as a job. Its clients know no cancelled one. */
void api_legacy_job(gf_out_t *out, gf_req_t *req, const gf_view_t *view);

/* Writes the further members that older systems have in the reply about one generation. */
void api_legacy_more(gf_out_t *out, gf_req_t *req, const gf_view_t *view);

#endif
