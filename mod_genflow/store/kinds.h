/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of stores of this module, one row each, with the variable that holds it: nothing else
 * lists them. FIRST is called with the default's row, NEXT with each other one. The registry, the
 * help of GenflowStoreKind and (by a test) the manual take them from here. */
#ifndef STORE_KINDS_H
#define STORE_KINDS_H

#define GF_STORE_KINDS(FIRST, NEXT)       \
    FIRST(folder, gf_store_fs)            \
    NEXT(cloudinary, gf_store_cloudinary) \
    NEXT(s3, gf_store_s3)

/* "folder, cloudinary, s3": for texts that the compiler concatenates. */
#define GF_STORE_KIND_FIRST(name, kind) #name
#define GF_STORE_KIND_NEXT(name, kind)  ", " #name
#define GF_STORE_KIND_NAMES             GF_STORE_KINDS(GF_STORE_KIND_FIRST, GF_STORE_KIND_NEXT)

#endif
