/* SPDX-License-Identifier: Apache-2.0 */
/* The configurations of this httpd: the main server's and those of virtual hosts with settings of
 * their own. The dispatcher of a child works for all of them, each job by the configuration that
 * defines its type. A type or provider of a virtual host has the name realm-name in the database,
 * in the store, in logs and metrics. Frozen as the configuration is: any thread. */
#ifndef GF_SERVERS_H
#define GF_SERVERS_H

#include "model/conf.h"

/* One for all configurations of this httpd. */
typedef struct gf_servers_t {
    apr_array_header_t *confs; /* of gf_conf_t *, the main server's first */
    apr_array_header_t *types; /* of gf_type_t *, of all of them, at gf_type_t.index */
    /* 1: the database has other amounts of credits than the directives; NULL: nobody looks */
    const volatile apr_uint32_t *amounts_differ;
} gf_servers_t;

/* Of gf_conf_t *: all configurations; without virtual hosts `conf` alone. */
const apr_array_header_t *gf_servers_confs(const gf_conf_t *conf, apr_pool_t *pool);

/* Of gf_type_t *: the types of all configurations, and those that this one defines. */
const apr_array_header_t *gf_servers_types(const gf_conf_t *conf);
const apr_array_header_t *gf_servers_own_types(const gf_conf_t *conf);

/* The type of that name in the database, of any configuration; NULL: there is none any more. */
const gf_type_t *gf_servers_type(const gf_conf_t *conf, const char *name);

/* The same, if `conf` may show it: its own or the main server's; else NULL. */
const gf_type_t *gf_servers_shown_type(const gf_conf_t *conf, const char *name);

/* The provider of that name in the database, of any configuration; NULL: there is none any more. */
const gf_provider_t *gf_servers_provider(const gf_conf_t *conf, const char *name);

/* Its name on the wire; `name` itself if there is no such provider any more. */
const char *gf_servers_provider_wire(const gf_conf_t *conf, const char *name);

/* The name on the wire of the type with this name in the database. */
const char *gf_servers_type_wire(const gf_conf_t *conf, const char *name);

/* The same of several, between blanks; NULL of NULL. */
const char *gf_servers_types_wire(const gf_conf_t *conf, const char *names, apr_pool_t *pool);

/* The configuration that defines `type`; `conf` if it is NULL. */
const gf_conf_t *gf_servers_of_type(const gf_conf_t *conf, const gf_type_t *type);

/* The first configuration with types of its own: its folder has the mark of the database. */
const gf_conf_t *gf_servers_first(const gf_conf_t *conf);

#endif
