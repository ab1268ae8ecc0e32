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
#include "model/job.h"
#include "store/kinds.h"

#define GF_STORE_SPOOL                                                         \
    ".spool" /* folder inside the store, so that keeping is a link, not a copy \
              */

typedef struct gf_stored_t {
    const char *url; /* public address */
    gf_image_t image;
    apr_int64_t bytes;
    char sha256[GF_SHA256_HEX];
} gf_stored_t;

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
gf_err_t *gf_store_look(gf_stored_t *stored, gf_ctx_t *ctx, const char *file);

/* The same of a source picture, within GenflowAssetMaxPixels. */
gf_err_t *gf_store_look_source(gf_stored_t *stored, gf_ctx_t *ctx, const char *file);

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

/* ---- for stores ---- */

/* What a store is asked about: one checked picture. Messages and texts are made in `pool`. */
typedef struct gf_store_call_t {
    const gf_conf_t *conf;
    const char *name;          /* of gf_store_name(): the same for every try */
    const char *file;          /* upload: the picture */
    const gf_stored_t *stored; /* upload: its facts */
    apr_pool_t *pool;
} gf_store_call_t;

typedef enum {
    GF_STORE_KEPT,   /* it is there, at outcome->url */
    GF_STORE_LATER,  /* not now: may be tried again */
    GF_STORE_REFUSED /* trying again cannot help */
} gf_store_state_t;

typedef struct gf_store_outcome_t {
    gf_store_state_t state;
    const char *url;                 /* KEPT: public address */
    const char *detail;              /* for the log; never holds a secret */
    bool alarm;                      /* key or account trouble: an operator must look */
    apr_interval_time_t retry_after; /* LATER: what it asked for; 0: nothing */
} gf_store_outcome_t;

/* A store. The folder keeps by itself (put, on a writer thread); the others are pure translators as
 * providers are, whose exchanges work/ performs. Storing twice is harmless: the name is the job's.
 */
typedef struct gf_store_kind_t {
    const char *name; /* as in GenflowStoreKind */

    /* Is its configuration complete? NULL, or what is missing (for configtest). */
    const char *(*check)(const gf_conf_t *conf, apr_pool_t *pool);

    /* The folder: puts the whole, checked, flushed file under `name`. If the name is taken, the
     * picture there stays and *existing is set: its facts count. */
    gf_err_t *(*put)(bool *existing, gf_ctx_t *ctx, const char *name, const char *file);

    bool any_type; /* its names of pictures do not tell their type: one removal is for all */

    /* Over HTTP; limits and times of a message are set by the caller. */
    gf_msg_t *(*upload)(const gf_store_call_t *call);
    void (*read_upload)(gf_store_outcome_t *outcome, const gf_store_call_t *call,
                        const gf_msg_t *msg);
    gf_msg_t *(*remove)(const gf_store_call_t *call);
    bool (*read_remove)(const gf_store_call_t *call, const gf_msg_t *msg); /* is it gone? */
} gf_store_kind_t;

/* The kind of that name, or NULL. */
const gf_store_kind_t *gf_store_kind(const char *name);

#define GF_STORE_DECLARE(name, kind) extern const gf_store_kind_t kind;
GF_STORE_KINDS(GF_STORE_DECLARE, GF_STORE_DECLARE)
#undef GF_STORE_DECLARE

/* Path of a stored picture in the folder store. */
const char *gf_store_fs_path(const gf_conf_t *conf, const char *name, apr_pool_t *pool);

#endif
