/* SPDX-License-Identifier: Apache-2.0 */
/* Whose account it is. A virtual host with GenflowRealm has users of its own: between module and
 * database a user is one text, the identity. It is the name; in a realm: realm, U+001F, name. No
 * name has control characters. Pure: any thread. */
#ifndef GF_REALM_H
#define GF_REALM_H

#include <stdbool.h>

#include "model/conf.h"

#define GF_REALM_MARK '\x1f'

/* Can a user have this name? None has control characters, of which the mark is one. */
bool gf_realm_takes(const char *name);

/* The identity of the user `name` there; `name` "": of all its users, for lists. */
const char *gf_realm_identity(const gf_conf_t *conf, const char *name, apr_pool_t *pool);

/* The users that lists of administration show: those of this realm; at a main server with realms
 * beside it those without one. NULL: all users. */
const char *gf_realm_scope(const gf_conf_t *conf, apr_pool_t *pool);

/* The user's name of an identity; NULL of NULL. */
const char *gf_realm_name(const char *identity);

/* Is it an identity of this virtual host? */
bool gf_realm_is(const gf_conf_t *conf, const char *identity);

/* The configuration of its realm; `conf`: it has no realm, or that is not configured any more. */
const gf_conf_t *gf_realm_conf(const gf_conf_t *conf, const char *identity);

#endif
