/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses that an exchange may connect to when its URL came from outside: public ones, and
 * those that the site allows. The check is for the very address of the connection, so a name that
 * resolves differently a moment later gains nothing. Any thread. */
#ifndef GF_GUARD_H
#define GF_GUARD_H

#include <stdbool.h>
#include <sys/socket.h>

#include <apr_tables.h>

/* allowed: of apr_ipsubnet_t *, GenflowFetchAllow or GenflowSourceAllow; may be empty. */
bool gf_guard_allows(const struct sockaddr *address, const apr_array_header_t *allowed);

#endif
