/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes, signatures and random bytes; the only user of libcrypto. Any thread. */
#ifndef GF_HASH_H
#define GF_HASH_H

#include <stdbool.h>

#include <apr_file_io.h>
#include <apr_pools.h>

#define GF_SHA1_HEX                41 /* 40 digits and the end */
#define GF_SHA256_HEX              65
#define GF_SHA256_BYTES            32
#define GF_ED25519_KEY_BYTES       32
#define GF_ED25519_SIGNATURE_BYTES 64

/* Hash of `length` bytes as lower-case hex. SHA-1 only for protocols that require it. */
void gf_hash_sha1(char hex[GF_SHA1_HEX], const char *bytes, apr_size_t length);
void gf_hash_sha256(char hex[GF_SHA256_HEX], const char *bytes, apr_size_t length);

/* Hash of two texts with a separator that neither can forge ("a","bc" differs from "ab","c").
 * Writes lower-case hex. */
void gf_hash_texts(char hex[GF_SHA256_HEX], const char *first, const char *second,
                   apr_size_t second_length);

/* Hash of a file, read in small pieces from its present position to its end, where it stays. Blocks
 * on the disk. Returns the error of reading; `hex` is then undefined. */
apr_status_t gf_hash_file(char hex[GF_SHA256_HEX], apr_file_t *file);

/* HMAC-SHA256 of `length` bytes, as 32 raw bytes. The key may have any length. */
void gf_hash_hmac(unsigned char mac[GF_SHA256_BYTES], const unsigned char *key,
                  apr_size_t key_length, const char *bytes, apr_size_t length);

/* Did the owner of this public key sign these bytes, by Ed25519? Also false if the key is invalid.
 * OpenSSL's list of errors of this thread is empty afterwards. */
bool gf_hash_is_signed(const unsigned char key[GF_ED25519_KEY_BYTES],
                       const unsigned char signature[GF_ED25519_SIGNATURE_BYTES], const char *bytes,
                       apr_size_t length);

/* Are these `length` bytes equal? Takes the same time wherever they differ: for secrets. The caller
 * has checked that both have that length. */
bool gf_hash_equal(const void *one, const void *other, apr_size_t length);

/* `bytes` random bytes as 2 x `bytes` lower-case hex digits in `pool`, from the operating system's
 * generator (if OpenSSL's fails, APR's). For tokens and secret names. */
const char *gf_hash_random(apr_pool_t *pool, int bytes);

#endif
