/* SPDX-License-Identifier: Apache-2.0 */
/* How another httpd module brings providers, stores and thumbnails to mod_genflow. This folder is
 * the public interface, and the only header that such a module needs:
 *
 *     #include <genflow/module.h>
 *
 *     static const gf_prov_kind_t kind = { .name = "mine", ... };      genflow/provider.h
 *
 *     static void hooks(apr_pool_t *pool)
 *     {
 *         GENFLOW_PROVIDER(pool, &kind);
 *     }
 *
 * Build it with apxs -c -i; load it beside mod_genflow, in any order. <GenflowProvider> sections
 * may then say `GenflowProviderKind mine`, and GenflowStoreKind takes the stores. mod_genflow
 * exports no symbol: what a kind may call is in the table that its begin() gets.
 *
 * The version of a group changes with every change of its structures that a compiled module would
 * notice. mod_genflow refuses to start beside a module that was compiled against another version
 * (GF0001): compile that module again. */
#ifndef GENFLOW_MODULE_H
#define GENFLOW_MODULE_H

#include "genflow/provider.h"
#include "genflow/store.h"
#include "genflow/thumbnail.h"

#define GENFLOW_PROVIDER_GROUP    "genflow-provider"
#define GENFLOW_PROVIDER_VERSION  "4"
#define GENFLOW_STORE_GROUP       "genflow-store"
#define GENFLOW_STORE_VERSION     "1"
#define GENFLOW_THUMBNAIL_GROUP   "genflow-thumbnail"
#define GENFLOW_THUMBNAIL_VERSION "1"

/* For register_hooks; needs <ap_provider.h>. `pool` is that function's, `kind` is static. */
#define GENFLOW_PROVIDER(pool, kind) \
    ap_register_provider(pool, GENFLOW_PROVIDER_GROUP, (kind)->name, GENFLOW_PROVIDER_VERSION, kind)
#define GENFLOW_STORE(pool, kind) \
    ap_register_provider(pool, GENFLOW_STORE_GROUP, (kind)->name, GENFLOW_STORE_VERSION, kind)
#define GENFLOW_THUMBNAIL(pool, kind)                                                            \
    ap_register_provider(pool, GENFLOW_THUMBNAIL_GROUP, (kind)->name, GENFLOW_THUMBNAIL_VERSION, \
                         kind)

#endif
