/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 and random bytes; the only user of libcrypto. Any thread. */
#ifndef GF_HASH_H
#define GF_HASH_H

#include <apr_file_io.h>
#include <apr_pools.h>

#define GF_SHA256_HEX 65 /* 64 digits and the end */

/* Hash of two texts with a separator that neither can forge ("a","bc" differs from "ab","c").
 * Writes lower-case hex. */
void gf_hash_texts(char hex[GF_SHA256_HEX], const char *first, const char *second,
                   apr_size_t second_length);

/* Hash of a whole file, read from where it stands to its end in small pieces. */
apr_status_t gf_hash_file(char hex[GF_SHA256_HEX], apr_file_t *file);

/* `bytes` random bytes as hex, from the operating system's generator. */
const char *gf_hash_random(apr_pool_t *pool, int bytes);

#endif
