/* SPDX-License-Identifier: Apache-2.0 */
/* Wraps libcrypto. Leaves what a hash or a signature means to the caller. */
#include "base/hash.h"

#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#define PIECE_BYTES 65536

static void finish_hex(EVP_MD_CTX *md, char *hex)
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
    finish_hex(md, hex);
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
    finish_hex(md, hex);
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
    finish_hex(md, hex);
    return APR_STATUS_IS_EOF(rv) ? APR_SUCCESS : rv;
}

void gf_hash_hmac(unsigned char mac[GF_SHA256_BYTES], const unsigned char *key,
                  apr_size_t key_length, const char *bytes, apr_size_t length)
{
    HMAC(EVP_sha256(), key, (int)key_length, (const unsigned char *)bytes, length, mac, NULL);
}

bool gf_hash_is_signed(const unsigned char key[GF_ED25519_KEY_BYTES],
                       const unsigned char signature[GF_ED25519_SIGNATURE_BYTES], const char *bytes,
                       apr_size_t length)
{
    EVP_PKEY *owner =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, GF_ED25519_KEY_BYTES);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool is_signed = owner && EVP_DigestVerifyInit(md, NULL, NULL, NULL, owner) == 1
                     && EVP_DigestVerify(md, signature, GF_ED25519_SIGNATURE_BYTES,
                                         (const unsigned char *)bytes, length)
                            == 1;

    EVP_MD_CTX_free(md);
    EVP_PKEY_free(owner);
    ERR_clear_error(); /* mod_ssl or curl would find the refusal in the thread's list */
    return is_signed;
}

bool gf_hash_equal(const void *one, const void *other, apr_size_t length)
{
    return CRYPTO_memcmp(one, other, length) == 0;
}

const char *gf_hash_random(apr_pool_t *pool, int bytes)
{
    unsigned char *raw = apr_palloc(pool, (apr_size_t)bytes);

    if (RAND_bytes(raw, bytes) != 1) {
        apr_generate_random_bytes(raw, (apr_size_t)bytes);
    }
    return apr_pescape_hex(pool, raw, (apr_size_t)bytes, 0);
}
