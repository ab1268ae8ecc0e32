/* SPDX-License-Identifier: Apache-2.0 */
/* Which members a body may have. One that nobody knows is a slip of the pen, and what it should
 * have said would be charged without it: it is refused, with the name that is nearest. No I/O; any
 * thread. */
#ifndef GF_KNOWN_H
#define GF_KNOWN_H

#include "model/form.h"

/* Lists of names, NULL-ended: bodies of {type}/generate, of the two-step calls, and a template's
 * config. */
extern const char *const gf_known_one_step[];
extern const char *const gf_known_two_step[];
extern const char *const gf_known_config[];

/* What is said of a member that is none of `known`. */
const char *gf_known_hint(const char *name, const char *const *known, apr_pool_t *pool);

/* The members of `object` that are none of `known`, at most GF_KNOWN_TOLD of them: array of const
 * char *, cut where they are long. */
#define GF_KNOWN_TOLD 10
apr_array_header_t *gf_known_strangers(const gf_json_t *object, const char *const *known,
                                       apr_pool_t *pool);

/* Refuses them in `form`, as members of `object`; `prefix` stands before their names. */
void gf_known_check(gf_form_t *form, const gf_json_t *object, const char *prefix,
                    const char *const *known);

#endif
