/* SPDX-License-Identifier: Apache-2.0 */
/* What the two kinds of calls about API keys share: those of a user (api/key.c) and those of
 * administration (api/admin_key.c). */
#ifndef API_KEY_H
#define API_KEY_H

#include "api/api.h"
#include "db/api_key.h"

/* Makes the key that the body describes, for `user` (NULL: the body names them), and sends it,
 * once: 201. Errors: of bad fields; KEY_SCOPE, a key makes none that may do more than itself;
 * KEYS_FULL.
 */
gf_err_t *api_key_make(gf_req_t *req, const char *user);

/* One row of a list, as an object. `user`: with the member of that name. */
void api_key_put_row(gf_out_t *out, const gf_key_row_t *row, bool user);

/* Revokes the key of {id}, of `user` (NULL: of any user), and replies. Error: NO_KEY. */
gf_err_t *api_key_revoke_answer(gf_req_t *req, const char *user);

#endif
