/* SPDX-License-Identifier: Apache-2.0 */
/* API keys as authentication of httpd: AuthType GenflowKey, the provider `genflow` of
 * AuthBasicProvider, and Require genflow-scope. A request that came with a key has its user as
 * r->user, so that Require, GenflowUser, the access log and other modules work as with any other
 * authentication, and the key's id as the note genflow_key.
 *
 * The key itself goes no further than these functions: no log line, error, environment variable or
 * response has it. Request threads only; they may block on the database. Results live in the
 * request's pool. */
#ifndef API_AUTHN_H
#define API_AUTHN_H

#include <mod_auth.h>

#include "api/api.h"
#include "db/api_key.h"

#define API_AUTHN_TYPE     "GenflowKey"
#define API_AUTHN_PROVIDER "genflow"
#define API_AUTHN_SCOPE    "genflow-scope"

/* Makes a key unreadable that is sent as the user name of Basic, before authentication, at any
 * address: httpd's modules log the name that they refuse, and %u and REMOTE_USER show it. The id
 * remains. What follows here reads what was sent. */
void api_authn_hide(request_rec *r);

/* ... and back: for the server that the request is proxied to. */
void api_authn_restore(request_rec *r);

/* check_authn of AuthType GenflowKey. DECLINED: another AuthType. OK: the user is set. Else the
 * status of the error that api_authn_refused() returns: 401, 429 (too many unknown keys from this
 * address), 503 (no database). Reads `Authorization: Bearer K`, `Key K` or `Token K`, `api-key: K`,
 * and `Authorization: Basic` with K as the user name and an empty password. */
int api_authn_check(request_rec *r, const gf_api_t *api);

/* note_auth_failure of AuthType GenflowKey: writes WWW-Authenticate. */
int api_authn_challenge(request_rec *r, const char *type);

/* check_password of the provider: the password is a key of that user, or the user name is a key and
 * the password empty. Anything else is AUTH_USER_NOT_FOUND, so that a provider behind this one may
 * know the user. r->user becomes the key's user. */
authn_status api_authn_password(request_rec *r, const gf_api_t *api, const char *user,
                                const char *password);

/* Require genflow-scope, while httpd starts: *scopes of the words; returns the mistake, or NULL. */
const char *api_authn_parse_scopes(const void **scopes, const char *words, apr_pool_t *pool);

/* ... and for a request: has its key one of these scopes? One without a key has none. */
authz_status api_authn_check_scopes(request_rec *r, const void *scopes);

/* The key that the request came with; NULL: none. Of a subrequest, or behind an internal redirect:
 * that of the request before. */
const gf_key_t *api_authn_key(const request_rec *r);

/* Is the key that the request came with still valid? For streams, which outlast their first look at
 * it: as exact as authentication, to 5 s. Also true without a key, and while the database is away.
 * Blocks; reads with `ctx`. */
bool api_authn_is_valid_still(const gf_req_t *req, gf_ctx_t *ctx);

/* The error for which httpd refuses the request with the status `status`, if that was decided here;
 * NULL: another module did. */
gf_err_t *api_authn_refused(const request_rec *r, int status);

/* A key may do this? Errors: KEY_SCOPE, KEY_TYPE. Both are NULL for a request without a key. */
gf_err_t *api_authn_need(const gf_req_t *req, unsigned scopes);
gf_err_t *api_authn_need_type(const gf_req_t *req, const gf_type_t *type);

#endif
