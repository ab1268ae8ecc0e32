/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of providers of this module, one row each, in the order of the alphabet: nothing else
 * lists them. FIRST is called with the first name, NEXT with each other one. The registry, the help
 * of GenflowProviderKind and (by a test) the manual take them from here. A kind is
 * provider/<name>.c, which defines gf_prov_<name>. */
#ifndef PROVIDER_KINDS_H
#define PROVIDER_KINDS_H

#define GF_PROVIDER_KINDS(FIRST, NEXT) \
    FIRST(aiml)                        \
    NEXT(fal)                          \
    NEXT(openai)                       \
    NEXT(replicate)                    \
    NEXT(stability)

/* "aiml, fal, ...": for texts that the compiler concatenates. */
#define GF_PROVIDER_FIRST(name) #name
#define GF_PROVIDER_NEXT(name)  ", " #name
#define GF_PROVIDER_KIND_NAMES  GF_PROVIDER_KINDS(GF_PROVIDER_FIRST, GF_PROVIDER_NEXT)

#endif
