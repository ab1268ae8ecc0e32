/* SPDX-License-Identifier: Apache-2.0 */
/* Part of the public interface (genflow/module.h): a store kind is a table of pure translators, as
 * a provider kind is. It turns a checked picture into an upload, and says what the answer means.
 * mod_genflow performs exchanges, tries again, and settles the generation once the picture is kept.
 * Storing twice is harmless: the name is the job's, and the same for every try.
 *
 * Threads: check() runs at the start; the others on the one dispatcher thread of a child, where
 * they must not block. Ownership: as in genflow/provider.h. */
#ifndef GENFLOW_STORE_H
#define GENFLOW_STORE_H

#include "genflow/exchange.h"

struct gf_conf_t; /* the directives that begin with GenflowStore */
struct gf_ctx_t;
struct gf_err_t;
struct gf_store_host_t;

#define GF_STORE_SHA256 65 /* hex digits and the NUL */

/* A checked picture. */
typedef struct gf_stored_t {
    const char *url; /* public address; NULL: it has none yet */
    gf_image_t image;
    apr_int64_t bytes;
    char sha256[GF_STORE_SHA256];
} gf_stored_t;

/* What a store is asked about: one checked picture. Messages and texts are made in `pool`. */
typedef struct gf_store_call_t {
    const struct gf_conf_t *conf; /* host->settings() tells it */
    const char *name;             /* "neo-glitch/a7/<id>-<secret>.png" */
    const char *file;             /* upload: the picture */
    const gf_stored_t *stored;    /* upload: its facts */
    apr_pool_t *pool;
} gf_store_call_t;

typedef enum {
    GF_STORE_STORED, /* it is there, at outcome->url */
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

/* A kind. Those of other modules have upload() and read_upload(); what they do not need is NULL.
 * A removal asks for the name of each type of picture, if nobody knows which it was. */
typedef struct gf_store_kind_t {
    const char *name; /* as in GenflowStoreKind: a-z, 0-9 and single hyphens */

    /* Called before any other function, at each reading of the configuration, with the functions
     * of mod_genflow that a kind of another module may call. */
    void (*begin)(const struct gf_store_host_t *host);

    /* Is its configuration complete? NULL, or what is missing (for configtest). */
    const char *(*check)(const struct gf_conf_t *conf, apr_pool_t *pool);

    /* mod_genflow's own folder, which keeps by itself on a writer thread: puts the whole, checked,
     * flushed file under `name`. If the name is taken, the picture there stays and *existing is
     * set: its facts count. NULL in all others. */
    struct gf_err_t *(*put)(bool *existing, struct gf_ctx_t *ctx, const char *name,
                            const char *file);

    bool any_type; /* its names of pictures do not tell their type: one removal is for all */

    /* Over HTTP; limits and times of a message are set by the caller. read_remove: is it gone?
     * Without remove() and read_remove() pictures of deleted generations stay, with a warning. */
    gf_msg_t *(*upload)(const gf_store_call_t *call);
    void (*read_upload)(gf_store_outcome_t *outcome, const gf_store_call_t *call,
                        const gf_msg_t *msg);
    gf_msg_t *(*remove)(const gf_store_call_t *call);
    bool (*read_remove)(const gf_store_call_t *call, const gf_msg_t *msg);
} gf_store_kind_t;

/* ---- what a kind may call ---- */

/* The directives for stores over HTTP. What is not configured and has no default is NULL. */
typedef struct gf_store_settings_t {
    const char *account, *key;
    const char *secret; /* never log it */
    const char *region, *prefix;
    const char *api;        /* address of its API, without a slash at its end */
    const char *public_url; /* as api, for whoever looks at the pictures */
    bool overwrite;
} gf_store_settings_t;

/* Any thread. */
typedef struct gf_store_host_t {
    gf_store_settings_t (*settings)(const struct gf_conf_t *conf);

    /* An empty message; set msg->upload to the file, or add parts of a form. */
    gf_msg_t *(*message)(apr_pool_t *pool, const char *method, const char *url);
    void (*part)(gf_msg_t *msg, const char *name, const char *text);
    void (*file)(gf_msg_t *msg, const char *name, const char *path, const char *type);

    /* For an upload without a whole answer: sets LATER and returns true. For an answer that keeps
     * nothing: LATER if its status passes by itself, else REFUSED; `says` is what the store says.
     */
    bool (*unanswered)(gf_store_outcome_t *outcome, const gf_msg_t *msg);
    void (*refused)(gf_store_outcome_t *outcome, const gf_msg_t *msg, const char *says);

    /* As in genflow/provider.h. */
    const char *(*json)(apr_pool_t *pool, const char *text, apr_size_t length, const char *path);
} gf_store_host_t;

#endif
