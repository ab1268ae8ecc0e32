/* SPDX-License-Identifier: Apache-2.0 */
/* base/gf_hash.c: known hashes, a separator that cannot be forged, files from where they stand, and
 * randomness that differs. */
#include "base/gf_hash.h"

#include "unit.h"

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
        random_bytes_are_hex_and_differ,
        NULL,
    };

    return unit_run("hash", tests);
}
