/* SPDX-License-Identifier: Apache-2.0 */
/* Wraps libcrypto. Leaves what a hash means to the caller. */
#include "base/gf_hash.h"

#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#define PIECE_BYTES 65536

static void finish(EVP_MD_CTX *md, char *hex)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned int length = 0;

    EVP_DigestFinal_ex(md, raw, &length);
    EVP_MD_CTX_free(md);
    apr_escape_hex(hex, raw, length, 0, NULL);
}

static void of_bytes(char *hex, const EVP_MD *kind, const char *bytes, apr_size_t length)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    EVP_DigestInit_ex(md, kind, NULL);
    EVP_DigestUpdate(md, bytes, length);
    finish(md, hex);
}

void gf_hash_sha1(char hex[GF_SHA1_HEX], const char *bytes, apr_size_t length)
{
    of_bytes(hex, EVP_sha1(), bytes, length);
}

void gf_hash_sha256(char hex[GF_SHA256_HEX], const char *bytes, apr_size_t length)
{
    of_bytes(hex, EVP_sha256(), bytes, length);
}

void gf_hash_texts(char hex[GF_SHA256_HEX], const char *first, const char *second,
                   apr_size_t second_length)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    EVP_DigestInit_ex(md, EVP_sha256(), NULL);
    EVP_DigestUpdate(md, first, strlen(first) + 1); /* the NUL separates: no text holds one */
    EVP_DigestUpdate(md, second, second_length);
    finish(md, hex);
}

apr_status_t gf_hash_file(char hex[GF_SHA256_HEX], apr_file_t *file)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    char piece[PIECE_BYTES];
    apr_status_t rv;

    EVP_DigestInit_ex(md, EVP_sha256(), NULL);
    for (;;) {
        apr_size_t got = sizeof(piece);

        rv = apr_file_read(file, piece, &got);
        if (rv != APR_SUCCESS) {
            break;
        }
        EVP_DigestUpdate(md, piece, got);
    }
    finish(md, hex);
    return APR_STATUS_IS_EOF(rv) ? APR_SUCCESS : rv;
}

const char *gf_hash_random(apr_pool_t *pool, int bytes)
{
    unsigned char *raw = apr_palloc(pool, (apr_size_t)bytes);

    if (RAND_bytes(raw, bytes) != 1) {
        apr_generate_random_bytes(raw, (apr_size_t)bytes);
    }
    return apr_pescape_hex(pool, raw, (apr_size_t)bytes, 0);
}
