/* SPDX-License-Identifier: Apache-2.0 */
/* Part of the public interface (genflow/module.h): a store kind is a table of pure translators, as
 * a provider kind is. It turns a checked picture into an upload, and reads the answer. mod_genflow
 * performs exchanges and retries, and settles the generation once the picture is stored. Storing
 * twice is harmless: the name comes from the job and is the same at every attempt.
 *
 * Threads: check() runs at the start. The one dispatcher thread of a child calls the others; they
 * must not block. Ownership: as in genflow/provider.h. */
#ifndef GENFLOW_STORE_H
#define GENFLOW_STORE_H

#include "genflow/exchange.h"

struct gf_conf_t; /* the directives that begin with GenflowStore */
struct gf_ctx_t;
struct gf_err_t;
struct gf_store_host_t;

#define GF_STORE_SHA256 65 /* hex digits and the NUL */

/* A checked picture: recognised, whole, within GenflowStoreMaxBytes and GenflowStoreMaxPixels. */
typedef struct gf_stored_t {
    const char *url; /* public address; NULL: it has none yet */
    gf_image_t image;
    apr_int64_t bytes;            /* of its file */
    char sha256[GF_STORE_SHA256]; /* of its bytes, lower-case hex */
} gf_stored_t;

/* The input of a store's translators: one checked picture. Messages and texts are made in `pool`.
 */
typedef struct gf_store_call_t {
    const struct gf_conf_t *conf; /* read it by host->settings() */

    /* "neo-glitch/a7/<id>-<secret>.png": the same at each attempt and for the removal. The secret
     * part is what makes its address unguessable. */
    const char *name;
    const char *file;          /* upload: path of the picture */
    const gf_stored_t *stored; /* upload: its facts */
    apr_pool_t *pool;
    const char *run_id; /* the client's name of the generation, or its id; any other client may
                           use the same */
    const char *secret; /* the random part of `name`; NULL: it has none */
    const char *url;    /* removal: where the picture was stored; NULL: it may have been */
    bool taken;         /* upload: an earlier one found the name taken (outcome->taken) */
} gf_store_call_t;

/* The meaning of an answer to an upload. LATER is repeated a few times; then, and for REFUSED, the
 * generation completes at a temporary address and the picture is restored later, or it fails with
 * GenflowStoreStrict On. */
typedef enum {
    GF_STORE_STORED, /* it is there, at outcome->url */
    GF_STORE_LATER,  /* not now: may be retried */
    GF_STORE_REFUSED /* a retry cannot help */
} gf_store_state_t;

/* Zeroed before read_upload() gets it. */
typedef struct gf_store_outcome_t {
    gf_store_state_t state;
    const char *url;                 /* STORED: public address, http or https */
    const char *detail;              /* for the log; never holds a secret; NULL: nothing to add */
    bool alarm;                      /* key or account trouble: an operator must act */
    apr_interval_time_t retry_after; /* LATER: the requested wait; 0: none */
    bool taken; /* LATER: another picture has the name; the next upload of this one has call->taken
                 */
} gf_store_outcome_t;

/* A kind. Those of other modules have upload() and read_upload(); members that they do not need are
 * NULL. If the type of a picture is unknown, a removal uses the name of each type in turn. */
typedef struct gf_store_kind_t {
    const char *name; /* as in GenflowStoreKind: a-z, 0-9 and single hyphens */

    /* mod_genflow calls it before any other function, at each reading of the configuration. `host`
     * is the table of functions that a kind of another module may call. */
    void (*begin)(const struct gf_store_host_t *host);

    /* Is its configuration complete? NULL, or the missing directive (for configtest). */
    const char *(*check)(const struct gf_conf_t *conf, apr_pool_t *pool);

    /* Only mod_genflow's own folder, which stores on a writer thread: puts the whole, checked,
     * flushed file under `name`. If the name is taken, the picture there stays and *existing is
     * set: its facts count. NULL in all others. */
    struct gf_err_t *(*put)(bool *existing, struct gf_ctx_t *ctx, const char *name,
                            const char *file);

    bool any_type; /* its names of pictures do not contain their type: one removal is for all */

    /* Over HTTP. mod_genflow sets limits and times of a message. read_remove(): is the picture
     * gone? Without remove() and read_remove() pictures of deleted generations stay, with a
     * warning. */
    gf_msg_t *(*upload)(const gf_store_call_t *call);

    /* Gets whole answers of any status. An upload without one is LATER. */
    void (*read_upload)(gf_store_outcome_t *outcome, const gf_store_call_t *call,
                        const gf_msg_t *msg);

    /* read_remove() also gets exchanges without a whole answer: these say false. call->stored has
     * no more than the extension; call->file is NULL. */
    gf_msg_t *(*remove)(const gf_store_call_t *call);
    bool (*read_remove)(const gf_store_call_t *call, const gf_msg_t *msg);
} gf_store_kind_t;

/* ---- what a kind may call ---- */

/* The directives for stores over HTTP. A directive without value and default is NULL. */
typedef struct gf_store_settings_t {
    const char *account, *key;
    const char *secret; /* never log it */
    const char *region, *prefix;
    const char *api;        /* address of its API, without a slash at its end */
    const char *public_url; /* as `api`, for browsers that show the pictures */
    bool overwrite;
} gf_store_settings_t;

/* Any thread. */
typedef struct gf_store_host_t {
    gf_store_settings_t (*settings)(const struct gf_conf_t *conf);

    /* An empty message; set msg->upload to the file, or add parts of a form. */
    gf_msg_t *(*message)(apr_pool_t *pool, const char *method, const char *url);
    void (*part)(gf_msg_t *msg, const char *name, const char *text);
    void (*file)(gf_msg_t *msg, const char *name, const char *path, const char *type);

    /* unanswered(): for an upload without a whole answer it sets LATER and returns true. refused():
     * for an answer that did not store the picture it sets LATER if the status is transient, else
     * REFUSED; `says` is the store's text. */
    bool (*unanswered)(gf_store_outcome_t *outcome, const gf_msg_t *msg);
    void (*refused)(gf_store_outcome_t *outcome, const gf_msg_t *msg, const char *says);

    /* As in genflow/provider.h. */
    const char *(*json)(apr_pool_t *pool, const char *text, apr_size_t length, const char *path);
} gf_store_host_t;

#endif
