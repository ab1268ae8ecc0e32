/* SPDX-License-Identifier: Apache-2.0 */
/* Where pictures are kept for good. A file that a provider or drawing left in the spool is looked
 * at (type sniffed, limits kept), then given to the configured store: the folder here, the others
 * by exchanges that work/ performs. Storing twice is harmless: the name comes from the job. Blocks
 * on the disk; writer threads only, but for names and translators. */
#ifndef GF_STORE_H
#define GF_STORE_H

#include <apr_user.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/image.h"
#include "base/msg.h"
#include "genflow/store.h"
#include "model/job.h"
#include "store/kinds.h"

#define GF_STORE_SPOOL                                                         \
    ".spool" /* folder inside the store, so that keeping is a link, not a copy \
              */

/* Makes the folders that are missing, for httpd's user and group, and sweeps the spool. Root does
 * nothing inside of the folder: a process of httpd's user does. Start-up; NULL, or what is wrong.
 */
const char *gf_store_prepare(const gf_conf_t *conf, apr_pool_t *pool, apr_uid_t user,
                             apr_gid_t group);

/* Removes what runs that died left in the spool long ago. Children only, never root. */
void gf_store_sweep(const gf_conf_t *conf, apr_pool_t *pool);

/* Name of the spool file for an attempt of a job. */
const char *gf_store_spool(const gf_conf_t *conf, const gf_job_t *job, apr_pool_t *pool);

/* Name that a checked picture has in the spool on its way to a store over HTTP: a process that
 * takes its job over finds it there. */
const char *gf_store_ready(const gf_conf_t *conf, const gf_job_t *job, apr_pool_t *pool);

/* Looks at the picture in `file`, cuts off what stands behind its end: sets all but the url.
 * Errors: RESULT (no picture, too many pixels, cut), EMPTY (no bytes), STORE (could not be read).
 */
gf_err_t *gf_store_inspect(gf_stored_t *stored, gf_ctx_t *ctx, const char *file);

/* The same of a source picture, within GenflowAssetMaxPixels. */
gf_err_t *gf_store_inspect_source(gf_stored_t *stored, gf_ctx_t *ctx, const char *file);

/* Name of a job's picture in every store: "neo-glitch/a7/<id>-<secret>.png", which nobody can know
 * before the completed generation shows it. */
const char *gf_store_name(const gf_stored_t *stored, const gf_job_t *job, apr_pool_t *pool);

/* Looks at `file` and keeps it in the folder as the picture of `job`; on success the file is gone.
 * A picture that is there already stays, and its facts count. Errors: as of look; STORE (could not
 * be kept). */
gf_err_t *gf_store_put(gf_stored_t *stored, gf_ctx_t *ctx, const gf_job_t *job, const char *file);

/* The picture of `job` that an earlier run may have kept in the folder before it could say so;
 * false: there is none. */
bool gf_store_find(gf_stored_t *stored, gf_ctx_t *ctx, const gf_job_t *job);

/* The file of the picture of `job` in the folder, if that is what its address names; NULL: it is
 * elsewhere. An address may be a provider's word: all of it must be as our own store names the
 * picture of this very job, but for the secret, which has digits alone. */
const char *gf_store_file(const gf_conf_t *conf, const gf_job_t *job, const char *url,
                          apr_pool_t *pool);

/* Removes whatever the folder and the spool of this host have of the picture of `job`. */
apr_status_t gf_store_clear(const gf_conf_t *conf, const gf_job_t *job, apr_pool_t *pool);

/* The stored facts as JSON: width, height, bytes, type, sha256. */
const char *gf_store_result(const gf_stored_t *stored, apr_pool_t *pool);

/* ---- kinds (genflow/store.h) ---- */

/* The kind of this module of that name, or NULL. */
const gf_store_kind_t *gf_store_kind(const char *name);

/* What a kind of another module may call. */
extern const gf_store_host_t gf_store_host;

/* What is wrong with a kind of another module; NULL: nothing. */
const char *gf_store_wrong(const gf_store_kind_t *kind, apr_pool_t *pool);

#define GF_STORE_DECLARE(name, kind) extern const gf_store_kind_t kind;
GF_STORE_KINDS(GF_STORE_DECLARE, GF_STORE_DECLARE)
#undef GF_STORE_DECLARE

/* Path of a stored picture in the folder store. */
const char *gf_store_fs_path(const gf_conf_t *conf, const char *name, apr_pool_t *pool);

#endif
