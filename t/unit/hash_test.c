/* SPDX-License-Identifier: Apache-2.0 */
/* base/hash.c: known hashes and signatures, a separator that cannot be forged, files from where
 * they stand, and randomness that differs. */
#include "base/hash.h"

#include <apr_escape.h>

#include "unit.h"

/* The bytes of hex digits. */
static unsigned char *bytes_of(const char *hex, apr_size_t *length)
{
    unsigned char *bytes = apr_pcalloc(unit.ctx.pool, strlen(hex) / 2 + 1);

    ck_assert_int_eq(apr_unescape_hex(bytes, hex, APR_ESCAPE_STRING, 0, length), APR_SUCCESS);
    return bytes;
}

START_TEST(bytes_have_their_published_hashes)
{
    static const struct {
        const char *bytes, *sha1, *sha256;
    } rows[] = { /* FIPS 180, RFC 3174 */
                 { "", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
                   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
                 { "abc", "a9993e364706816aba3e25717850c26c9cd0d89d",
                   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
                 { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                   "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
                   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" }
    };
    char sha1[GF_SHA1_HEX], sha256[GF_SHA256_HEX], with_nul[GF_SHA256_HEX];
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_hash_sha1(sha1, rows[i].bytes, strlen(rows[i].bytes));
        gf_hash_sha256(sha256, rows[i].bytes, strlen(rows[i].bytes));
        ck_assert_str_eq(sha1, rows[i].sha1);
        ck_assert_str_eq(sha256, rows[i].sha256);
    }
    gf_hash_sha256(with_nul, "abc\0d", 5);
    ck_assert_str_ne(with_nul, rows[1].sha256);
}
END_TEST

START_TEST(two_texts_have_one_known_hash)
{
    static const struct {
        const char *first, *second, *hex;
    } rows[] = { /* SHA-256 of first, a NUL, second */
                 { "", "", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
                 { "a", "bc", "40bb547d936bbd31318ee37ac8799e7ecbb22eda2651f65e3214bffb8ce97bb4" },
                 { "ab", "c", "6c032e631d39a14d85aff7e319546af701e26c97b57ca95fbfe9c6ba855f67bf" }
    };
    char hex[GF_SHA256_HEX];
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_hash_texts(hex, rows[i].first, rows[i].second, strlen(rows[i].second));
        ck_assert_str_eq(hex, rows[i].hex);
    }
}
END_TEST

START_TEST(the_second_text_may_hold_anything)
{
    char with[GF_SHA256_HEX], without[GF_SHA256_HEX];

    gf_hash_texts(with, "a", "b\0c", 3);
    gf_hash_texts(without, "a", "b", 1);
    ck_assert_str_ne(with, without);
}
END_TEST

START_TEST(a_file_is_hashed_from_where_it_stands)
{
    enum { MUCH = 200000 }; /* several pieces */
    char *bytes = apr_palloc(unit.ctx.pool, MUCH);
    char whole[GF_SHA256_HEX], text[GF_SHA256_HEX], rest[GF_SHA256_HEX];
    apr_off_t start = 0;
    apr_file_t *file;
    int i;

    for (i = 0; i < MUCH; i++) {
        bytes[i] = (char)(i / 7);
    }
    bytes[0] = 'x';
    bytes[1] = '\0';
    unit_write(unit_path("hashed"), bytes, MUCH);
    ck_assert_int_eq(apr_file_open(&file, unit_path("hashed"), APR_FOPEN_READ, 0, unit.ctx.pool),
                     APR_SUCCESS);
    ck_assert_int_eq(gf_hash_file(whole, file), APR_SUCCESS);
    gf_hash_texts(text, "x", bytes + 2, MUCH - 2);
    ck_assert_str_eq(whole, text);

    ck_assert_int_eq(gf_hash_file(rest, file), APR_SUCCESS);
    ck_assert_msg(strcmp(rest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
                      == 0,
                  "it stood at its end: nothing is left");
    ck_assert_int_eq(apr_file_seek(file, APR_SET, &start), APR_SUCCESS);
    ck_assert_int_eq(gf_hash_file(rest, file), APR_SUCCESS);
    ck_assert_str_eq(rest, whole);
    apr_file_close(file);
}
END_TEST

START_TEST(a_keyed_hash_is_the_published_one)
{
    static const struct {
        const char *key, *text, *mac; /* key in hex */
    } rows[] = {                      /* RFC 4231, test cases 1, 2 and 6 */
                 { "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There",
                   "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
                 { "4a656665", "what do ya want for nothing?",
                   "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
                 { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                   "Test Using Larger Than Block-Size Key - Hash Key First",
                   "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" }
    };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        unsigned char mac[GF_SHA256_BYTES];
        apr_size_t length;
        unsigned char *key = bytes_of(rows[i].key, &length);

        gf_hash_hmac(mac, key, length, rows[i].text, strlen(rows[i].text));
        ck_assert_str_eq(apr_pescape_hex(unit.ctx.pool, mac, sizeof(mac), 0), rows[i].mac);
    }
}
END_TEST

START_TEST(a_signature_holds_for_its_key_and_its_bytes_alone)
{
    static const struct {
        const char *key, *text, *signature;
    } rows[] = { /* RFC 8032, 7.1, tests 1 to 3 */
                 { "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                   "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                   "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
                 { "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                   "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                   "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
                 { "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                   "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                   "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" }
    };
    size_t i, j;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        apr_size_t length;
        unsigned char *key = bytes_of(rows[i].key, &length);
        unsigned char *signature = bytes_of(rows[i].signature, &length);
        char *text = (char *)bytes_of(rows[i].text, &length);

        ck_assert(gf_hash_is_signed(key, signature, text, length));
        for (j = 0; j < GF_ED25519_SIGNATURE_BYTES; j++) {
            signature[j] ^= 1;
            ck_assert(!gf_hash_is_signed(key, signature, text, length));
            signature[j] ^= 1;
        }
        key[1] ^= 1;
        ck_assert(!gf_hash_is_signed(key, signature, text, length));
        key[1] ^= 1;
        text[0] ^= 1;
        ck_assert(!gf_hash_is_signed(key, signature, text, length + (length == 0)));
    }
}
END_TEST

START_TEST(secrets_are_compared_to_their_end)
{
    ck_assert(gf_hash_equal("", "", 0));
    ck_assert(gf_hash_equal("a\0b", "a\0b", 3));
    ck_assert(!gf_hash_equal("a\0b", "a\0c", 3));
    ck_assert(!gf_hash_equal("xbc", "abc", 3));
    ck_assert(gf_hash_equal("abx", "aby", 2));
}
END_TEST

START_TEST(random_bytes_are_hex_and_differ)
{
    static const int lengths[] = { 1, 16, 32 };
    size_t i;

    for (i = 0; i < UNIT_COUNT(lengths); i++) {
        const char *hex = gf_hash_random(unit.ctx.pool, lengths[i]);

        ck_assert_uint_eq(strlen(hex), (size_t)lengths[i] * 2);
        ck_assert_uint_eq(strspn(hex, "0123456789abcdef"), strlen(hex));
    }
    ck_assert_str_ne(gf_hash_random(unit.ctx.pool, 16), gf_hash_random(unit.ctx.pool, 16));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        bytes_have_their_published_hashes,
        two_texts_have_one_known_hash,
        the_second_text_may_hold_anything,
        a_file_is_hashed_from_where_it_stands,
        a_keyed_hash_is_the_published_one,
        a_signature_holds_for_its_key_and_its_bytes_alone,
        secrets_are_compared_to_their_end,
        random_bytes_are_hex_and_differ,
        NULL,
    };

    return unit_run("hash", tests);
}
