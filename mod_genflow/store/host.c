/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that kinds of other modules may call, and the checks of these kinds
 * (genflow/store.h). httpd/plugin.c finds the modules. Pure; any thread. */
#include "base/json_pick.h"
#include "base/text.h"
#include "model/conf.h"
#include "store/remote.h"
#include "store/store.h"

#define NAME_MAX_BYTES 32

static gf_store_settings_t host_settings(const gf_conf_t *conf)
{
    return (gf_store_settings_t){ .account = conf->store_account,
                                  .key = conf->store_key,
                                  .secret = conf->store_secret,
                                  .region = conf->store_region,
                                  .prefix = conf->store_prefix,
                                  .api = conf->store_api,
                                  .public_url = conf->store_public,
                                  .overwrite = conf->store_overwrite == 1 };
}

const gf_store_host_t gf_store_host = { .settings = host_settings,
                                        .message = gf_msg_make,
                                        .part = gf_msg_part,
                                        .file = gf_msg_file,
                                        .unanswered = store_remote_unanswered,
                                        .refused = store_remote_refused,
                                        .json = gf_json_pick };

const char *gf_store_wrong(const gf_store_kind_t *kind, apr_pool_t *pool)
{
    if (!gf_text_is_name(kind->name, NAME_MAX_BYTES)) {
        return "its name is not of a-z, 0-9 and single hyphens, at most 32 long";
    }
    if (gf_store_kind(kind->name)) {
        return "mod_genflow has a kind of this name itself";
    }
    if (kind->put) {
        return "put() is for mod_genflow's own folder";
    }
    if (!kind->upload || !kind->read_upload) {
        return "it has no upload() or no read_upload()";
    }
    if (!kind->remove != !kind->read_remove) {
        return "it has a question without the reader of its answer, or the reverse";
    }
    return NULL;
}
