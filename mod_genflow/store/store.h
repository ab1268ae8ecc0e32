/* SPDX-License-Identifier: Apache-2.0 */
/* Where pictures are stored for good. The spool holds a file of a provider or a drawing. It is
 * inspected (type, size, end) and then given to the configured store: the folder here, the others
 * by exchanges that work/ performs. Storing twice is harmless: the name comes from the job. Blocks
 * on the disk: writer threads only, except for names and translators. Results live in the context's
 * pool. */
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

/* Folder inside the store, so that storing is a link, not a copy. */
#define GF_STORE_SPOOL ".spool"

/* Makes the missing folders, for httpd's user and group, and sweeps the spool. Root does nothing
 * inside of the folder: a process of httpd's user does. Start-up. Returns NULL, or the mistake. */
const char *gf_store_prepare(const gf_conf_t *conf, apr_pool_t *pool, apr_uid_t user,
                             apr_gid_t group);

/* Removes old spool files of runs that died. Children only, never root. */
void gf_store_sweep(const gf_conf_t *conf, apr_pool_t *pool);

/* Name of the spool file for an attempt of a job. */
const char *gf_store_spool(const gf_conf_t *conf, const gf_job_t *job, apr_pool_t *pool);

/* Name of a checked picture in the spool on its way to a store over HTTP. A process that takes over
 * the job finds it there. */
const char *gf_store_ready(const gf_conf_t *conf, const gf_job_t *job, apr_pool_t *pool);

/* Name of a spool file for a copy of a stored picture. `name`: no other copy of this host has it.
 */
const char *gf_store_copy(const gf_conf_t *conf, const char *name, apr_pool_t *pool);

/* Name of a spool file for the picture `name` or its thumbnail, while a thumbnail is made of it for
 * a store over HTTP. */
const char *gf_store_draft(const gf_conf_t *conf, const char *name, apr_pool_t *pool);

/* gf_thumbnails_t.place. */
const char *gf_store_place(const gf_conf_t *conf, apr_pool_t *pool);

/* The Cache-Control of pictures and thumbnails: GenflowStoreCacheTime. */
const char *gf_store_caching(const gf_conf_t *conf, apr_pool_t *pool);

/* What the addresses of pictures in the store of `conf` begin with, with a slash at its end; NULL:
 * it is not known. */
const char *gf_store_address(const gf_conf_t *conf, apr_pool_t *pool);

/* `conf` or its <GenflowStoreOld>: the one whose store has a picture at that address, which then
 * did not come from outside; where one store is inside of the other, the inner one. NULL: neither.
 */
const gf_conf_t *gf_store_conf_of(const gf_conf_t *conf, const char *url, apr_pool_t *pool);

/* Inspects the picture in `file` and cuts off bytes after its end; sets all but the url. Errors:
 * RESULT (no picture, too many pixels, cut), EMPTY (no bytes), STORE (could not be read). */
gf_err_t *gf_store_inspect(gf_stored_t *stored, gf_ctx_t *ctx, const char *file);

/* The same of a source picture, within GenflowAssetMaxPixels. */
gf_err_t *gf_store_inspect_source(gf_stored_t *stored, gf_ctx_t *ctx, const char *file);

/* Name of a job's picture in every store: "neo-glitch/a7/<id>-<secret>.png". No client can know it
 * before the completed generation shows it. */
const char *gf_store_name(const gf_stored_t *stored, const gf_job_t *job, apr_pool_t *pool);

/* Inspects `file` and stores it in the folder as the picture of `job`; on success the file is gone.
 * A picture that is there already stays, and its facts count. Errors: those of inspecting; STORE
 * (could not be stored). */
gf_err_t *gf_store_put(gf_stored_t *stored, gf_ctx_t *ctx, const gf_job_t *job, const char *file);

/* The picture of `job` that an earlier run stored in the folder before it died; false: there is
 * none. */
bool gf_store_find(gf_stored_t *stored, gf_ctx_t *ctx, const gf_job_t *job);

/* The file of the picture of `job` in the folder, if its address names that; NULL: it is elsewhere.
 * An address may come from a provider: all of it must be as our own store names the picture of this
 * very job, except the secret, of which only the digits are checked. */
const char *gf_store_file(const gf_conf_t *conf, const gf_job_t *job, const char *url,
                          apr_pool_t *pool);

/* Is that (NULL: no) how our own store names the picture of this very job? Of the secret only the
 * digits are checked; *secret becomes them, or NULL. */
bool gf_store_is_name(const char **secret, const char *name, const gf_job_t *job, apr_pool_t *pool);

/* Removes the picture of `job` from the folder and the spool of this host. */
apr_status_t gf_store_clear(const gf_conf_t *conf, const gf_job_t *job, apr_pool_t *pool);

/* The input of a store's translators for the picture of `job` with these facts, made in `pool`. */
gf_store_call_t gf_store_call(const gf_conf_t *conf, const gf_job_t *job, const gf_stored_t *stored,
                              apr_pool_t *pool);

/* The stored facts as JSON: width, height, bytes, type, sha256. */
const char *gf_store_result(const gf_stored_t *stored, apr_pool_t *pool);

/* ---- kinds (genflow/store.h) ---- */

/* The kind of this module of that name, or NULL. */
const gf_store_kind_t *gf_store_kind(const char *name);

/* The functions that a kind of another module may call. */
extern const gf_store_host_t gf_store_host;

/* The mistake in a kind of another module; NULL: none. */
const char *gf_store_wrong(const gf_store_kind_t *kind, apr_pool_t *pool);

#define GF_STORE_DECLARE(name, kind) extern const gf_store_kind_t kind;
GF_STORE_KINDS(GF_STORE_DECLARE, GF_STORE_DECLARE)
#undef GF_STORE_DECLARE

/* Where browsers find the pictures if not at this site: "https://a.example https://b.example"; "":
 * at this site. As the configuration says: an upload may be answered with another address. */
const char *gf_store_origins(const gf_conf_t *conf, apr_pool_t *pool);

/* Path of a stored picture in the folder store. */
const char *gf_store_fs_path(const gf_conf_t *conf, const char *name, apr_pool_t *pool);

/* A thumbnail comes beside a picture and goes with it, also if a child dies: both calls lock the
 * picture, so that none is made beside one that is being removed. A lock ends with its process.
 *
 * gf_store_fs_attach(): links `file`, open as `fd`, to `path`, whose bytes reach the disk before.
 * ENOENT: there is no such picture any more. EBUSY: it is being removed. One that is there stays.
 * gf_store_fs_remove(): removes the picture at `path`, and its thumbnail. EBUSY: nothing is removed
 * now, try again later. Without the picture, or with the picture alone, it is successful, too.
 * gf_store_fs_unlink(): removes the name alone, without a lock: one that is not the picture's. */
apr_status_t gf_store_fs_attach(const char *picture, const char *path, const char *file, int fd);
apr_status_t gf_store_fs_remove(const char *path, apr_pool_t *pool);
apr_status_t gf_store_fs_unlink(const char *path);

#endif
