/* SPDX-License-Identifier: Apache-2.0 */
/* The generation types as configured: finding them and making their chains ready; and their
 * presets, which are rows of the database. Any thread once the configuration is frozen. */
#ifndef GF_TYPE_H
#define GF_TYPE_H

#include "base/ctx.h"
#include "model/conf.h"

/* Finds a type that `conf` offers by its name on the wire; `-` and `_` in the name are the same.
 * NULL: there is none. Names from the database: gf_servers_type(). */
const gf_type_t *gf_type_find(const gf_conf_t *conf, const char *name, apr_pool_t *scratch_pool);

#define GF_TYPE_CHAIN_MAX 32 /* chain entries */

/* A position after every chain: the entry that draws here, which only a user's request selects.
 * Rows hold this number, so it never changes. */
#define GF_TYPE_LOCAL 1000

/* The chain entry at `position`; NULL after its end. A chain without entries belongs to a closed
 * type: none of its providers has a key. */
const gf_choice_t *gf_type_choice(const gf_type_t *type, int position);

/* Position of the first entry from `position` on that fits a job: one that takes all source
 * pictures of the job (`source_url`), or that needs none if it is NULL. After the end: none fits.
 */
int gf_type_next(const gf_type_t *type, int position, const char *source_url);

/* The most source pictures that an entry of the chain takes; 0: none takes one. */
int gf_type_source_max(const gf_type_t *type);

/* Position of the first entry that fits a job, as above, and that `model` names: by its model, by
 * provider/model as in the configuration, or by its provider if it has no model. -1: none. */
int gf_type_model(const gf_type_t *type, const char *model, const char *source_url);

/* The names of all entries that fit such a job, for messages: "sd3, local". */
const char *gf_type_models(const gf_type_t *type, const char *source_url, apr_pool_t *pool);

/* Position of the entry that a job begins with: the one of the model that its parameters (a JSON
 * object) name, else the first that fits. */
int gf_type_begin(const gf_type_t *type, gf_ctx_t *ctx, const char *parameters,
                  const char *source_url);

/* The provider that a directive of this configuration names: its own, else the main server's. NULL:
 * there is none. Start-up only. */
const gf_provider_t *gf_type_provider(const gf_conf_t *conf, const char *name,
                                      apr_pool_t *scratch_pool);

/* Resolves chain_text into chain. Returns NULL, or the mistake, for configtest. Start-up only. */
const char *gf_type_resolve(gf_type_t *type, const gf_conf_t *conf, apr_pool_t *pool);

/* Compares the type's use of source pictures with the models of its chain. If no model takes a
 * picture, the type takes none; if every model needs one, so does the type. Returns NULL, or the
 * mistake, for configtest. Start-up only. */
const char *gf_type_source(gf_type_t *type, apr_pool_t *pool);

/* The type that generation/create makes if none is named (GenflowTypeTwoStep On); NULL: there is
 * none. */
const gf_type_t *gf_type_two_step(const gf_conf_t *conf);

/* Does at most one type have it? Returns NULL, or the mistake, for configtest. */
const char *gf_type_only_two_step(const gf_conf_t *conf, apr_pool_t *pool);

/* ---- presets ---- */

/* A row of genflow.presets(), which documents each: text as Postgres gives it, NULL for null. */
typedef struct gf_preset_t {
    const char *id, *key, *label, *description, *category;
    const char *prompt; /* goes before the user's own */
    const char *negative_prompt, *strength;
    const char *parameters; /* JSON object: all parameters of a generation, strength included */
    const char *rotation_index, *week, *available_at;
    bool is_active;
    bool is_on; /* this week */
} gf_preset_t;

/* The presets of one type; none: it has no presets. */
typedef struct gf_presets_t {
    apr_array_header_t *list; /* of gf_preset_t */
    apr_int64_t week;         /* the week of the cycle, from 1 */
} gf_presets_t;

/* The preset of that key, on or not; NULL: there is none. */
const gf_preset_t *gf_type_preset(const gf_presets_t *presets, const char *key);

/* A preset that is on, of `category` if there is one, else the first. NULL: none is on. */
const gf_preset_t *gf_type_preset_on(const gf_presets_t *presets, const char *category);

#endif
