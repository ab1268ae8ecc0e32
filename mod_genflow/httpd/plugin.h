/* SPDX-License-Identifier: Apache-2.0 */
/* Providers and stores of other modules (genflow/module.h), in httpd's registry of providers. Their
 * sections are configured like those of mod_genflow's own kinds. */
#ifndef HTTPD_PLUGIN_H
#define HTTPD_PLUGIN_H

#include <apr_pools.h>

#include "genflow/module.h"

/* Reads all registrations, and gives each kind the table of functions that it may call. NULL, or
 * the mistake, for configtest: a module compiled against another version, or a kind that cannot
 * work. Start-up only, before the functions below. */
const char *httpd_plugin_begin(apr_pool_t *pool);

/* The kind of another module of that name; NULL: there is none. Any thread. */
const gf_prov_kind_t *httpd_plugin_provider(const char *name);
const gf_store_kind_t *httpd_plugin_store(const char *name);

/* The kind that draws thumbnails; NULL: no loaded module has one. Any thread. */
const gf_thumbnail_kind_t *httpd_plugin_thumbnails(apr_pool_t *scratch_pool);

/* Names of all kinds of other modules, for messages, each with ", " before it; "" if none. */
const char *httpd_plugin_names(const char *group, apr_pool_t *pool);

/* Can these image->end bytes, which gf_image_probe() has recognised, be decoded to their end? True
 * also if no kind decodes pictures. Worker threads; may block for some seconds. */
bool httpd_plugin_decodes(const gf_image_t *image, const void *bytes, apr_pool_t *scratch_pool);

#endif
