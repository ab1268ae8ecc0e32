/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses an exchange may go to whose URL somebody else chose: public ones, and those that
 * the site allows. Asked for the very address that is connected to, so a name that resolves to
 * something else a moment later gains nothing. Any thread. */
#ifndef GF_GUARD_H
#define GF_GUARD_H

#include <stdbool.h>
#include <sys/socket.h>

#include <apr_tables.h>

/* allowed: of apr_ipsubnet_t *, GenflowFetchAllow or GenflowSourceAllow; may be empty. */
bool gf_guard_allows(const struct sockaddr *address, const apr_array_header_t *allowed);

#endif
