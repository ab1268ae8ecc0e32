/* SPDX-License-Identifier: Apache-2.0 */
/* The httpd module mod_genflow_local: brings the provider kind `local` and thumbnails to
 * mod_genflow. Leaves what it draws to kind.c. */
#include "genflow/module.h"

#include <ap_provider.h>
#include <httpd.h>
#include <http_config.h>

#include "mod_genflow_local/kind.h"

static void register_hooks(apr_pool_t *pool)
{
    GENFLOW_PROVIDER(pool, &local_kind);
    GENFLOW_THUMBNAIL(pool, &local_thumbnails);
}

AP_DECLARE_MODULE(genflow_local) = { STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL,
                                     register_hooks,          0 };
