/* SPDX-License-Identifier: Apache-2.0 */
/* The generation types as configured: finding them, their presets, and making their chains ready.
 * Any thread once the configuration is frozen. */
#ifndef GF_TYPE_H
#define GF_TYPE_H

#include "base/gf_ctx.h"
#include "model/gf_conf.h"

/* Finds a configured type; `-` and `_` in the name are the same. NULL: there is none. */
const gf_type_t *gf_type_find(const gf_conf_t *conf, const char *name, apr_pool_t *scratch_pool);

/* The preset of that key, or NULL. */
const gf_preset_t *gf_type_preset(const gf_type_t *type, const char *key);

/* The link of the chain at `position`; NULL behind its end. */
const gf_choice_t *gf_type_choice(const gf_type_t *type, int position);

/* Place of the first link at or behind `position` that fits a job: one that takes a source picture
 * if it has one (`source_url`), that needs none if it is NULL. Behind the end: none does. */
int gf_type_next(const gf_type_t *type, int position, const char *source_url);

/* Resolves chain_text into chain. Returns NULL, or what is wrong, for configtest. Start-up only. */
const char *gf_type_resolve(gf_type_t *type, const gf_conf_t *conf, apr_pool_t *pool);

#endif
