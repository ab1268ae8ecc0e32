/* SPDX-License-Identifier: Apache-2.0 */
/* Makes and reads API keys. Leaves storing to db/api_key.c, and who may use one to api/authn.c. */
#include "model/api_key.h"

#include <stdint.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/hash.h"

#define BASE     62
#define SECRET   32
#define CHECKSUM 6
#define START    (sizeof(GF_API_KEY_PREFIX) - 1) /* of the id */
#define DRAWN    (4 * SECRET)                    /* random bytes for one draw: some are refused */

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* The CRC-32 of zip and Ethernet, four bits at a time. */
static uint32_t crc_of(const char *bytes, apr_size_t length)
{
    static const uint32_t table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                        0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };
    uint32_t crc = 0xffffffff;
    apr_size_t i;

    for (i = 0; i < length; i++) {
        crc ^= (unsigned char)bytes[i];
        crc = table[crc & 15] ^ (crc >> 4);
        crc = table[crc & 15] ^ (crc >> 4);
    }
    return ~crc;
}

/* 62^6 is more than 2^32: any CRC has its place. */
static void write_checksum(char checksum[CHECKSUM], const char *text, apr_size_t length)
{
    uint32_t crc = crc_of(text, length);
    int i;

    for (i = CHECKSUM - 1; i >= 0; i--) {
        checksum[i] = digits[crc % BASE];
        crc /= BASE;
    }
}

static unsigned nibble_of(char hex)
{
    return (unsigned)(hex <= '9' ? hex - '0' : hex - 'a' + 10);
}

/* `count` random characters, each as likely as any other: six bits that are no digit are dropped.
 */
static void draw(char *out, int count, apr_pool_t *pool)
{
    while (count > 0) {
        const char *hex = gf_hash_random(pool, DRAWN);

        for (; count > 0 && hex[0]; hex += 2) {
            unsigned value = (nibble_of(hex[0]) << 4 | nibble_of(hex[1])) & 63;

            if (value < BASE) {
                *out++ = digits[value];
                count--;
            }
        }
    }
}

const char *gf_api_key_make(apr_pool_t *pool)
{
    char *key = apr_pcalloc(pool, GF_API_KEY_LENGTH + 1);
    char *at = key + START;

    memcpy(key, GF_API_KEY_PREFIX, START);
    draw(at, GF_API_KEY_ID, pool);
    at += GF_API_KEY_ID;
    *at++ = '_';
    draw(at, SECRET, pool);
    write_checksum(at + SECRET, key, GF_API_KEY_LENGTH - CHECKSUM);
    return key;
}

/* Are these characters, all `length` of them, of ours? */
static bool are_digits(const char *text, apr_size_t length)
{
    apr_size_t i;

    for (i = 0; i < length; i++) {
        if (!apr_isalnum(text[i]) || (text[i] & 0x80)) {
            return false;
        }
    }
    return true;
}

bool gf_api_key_begins(const char *text)
{
    return text && strncmp(text, GF_API_KEY_PREFIX, START) == 0
           && are_digits(text + START, GF_API_KEY_ID) && text[START + GF_API_KEY_ID] == '_';
}

bool gf_api_key_is_whole(const char *text)
{
    char checksum[CHECKSUM];

    if (!gf_api_key_begins(text) || strlen(text) != GF_API_KEY_LENGTH
        || !are_digits(text + START + GF_API_KEY_ID + 1, SECRET + CHECKSUM)) {
        return false;
    }
    write_checksum(checksum, text, GF_API_KEY_LENGTH - CHECKSUM);
    return memcmp(checksum, text + GF_API_KEY_LENGTH - CHECKSUM, CHECKSUM) == 0;
}

const char *gf_api_key_id(const char *text, apr_pool_t *pool)
{
    return apr_pstrmemdup(pool, text + START, GF_API_KEY_ID);
}

bool gf_api_key_is_id(const char *text)
{
    return text && strlen(text) == GF_API_KEY_ID && are_digits(text, GF_API_KEY_ID);
}

/* ---- scopes ---- */

static const struct {
    unsigned scope;
    const char *name;
} scopes_named[] = { { GF_SCOPE_IMAGES, "images" },
                     { GF_SCOPE_READ, "read" },
                     { GF_SCOPE_KEYS, "keys" },
                     { GF_SCOPE_ADMIN, "admin" } };

#define SCOPES (sizeof(scopes_named) / sizeof(scopes_named[0]))

static unsigned scope_of(const char *name, apr_size_t length)
{
    apr_size_t i;

    for (i = 0; i < SCOPES; i++) {
        if (strncmp(scopes_named[i].name, name, length) == 0 && !scopes_named[i].name[length]) {
            return scopes_named[i].scope;
        }
    }
    return 0;
}

unsigned gf_api_key_scope(const char *name)
{
    return scope_of(name, strlen(name));
}

unsigned gf_api_key_scopes(const char *words)
{
    unsigned scopes = 0;

    while (*words) {
        apr_size_t length = strcspn(words, " ");

        scopes |= length ? scope_of(words, length) : 0;
        words += length + (words[length] != '\0');
    }
    return scopes;
}

const char *gf_api_key_words(unsigned scopes, const char *separator, apr_pool_t *pool)
{
    const char *words = "";
    apr_size_t i;

    for (i = 0; i < SCOPES; i++) {
        if (scopes & scopes_named[i].scope) {
            words = apr_pstrcat(pool, words, *words ? separator : "", scopes_named[i].name, NULL);
        }
    }
    return words;
}
