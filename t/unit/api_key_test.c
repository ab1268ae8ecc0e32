/* SPDX-License-Identifier: Apache-2.0 */
/* model/api_key.c: the form of keys, their checksum, their scopes. db/api_key_cache.c: what is
 * remembered, how long, and of how many. */
#include "model/api_key.h"

#include "base/hash.h"
#include "db/api_key_cache.h"
#include "unit.h"

#define MADE 200

/* Made by hand: the CRC-32 is zlib's, of the first 48 characters. */
#define KNOWN_KEY "gf_0123456789ab_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef1BuFqo"

START_TEST(a_key_is_made_whole_and_no_two_are_alike)
{
    const char *made[MADE];
    int i, k;

    for (i = 0; i < MADE; i++) {
        made[i] = gf_api_key_make(unit.ctx.pool);
        ck_assert_uint_eq(strlen(made[i]), GF_API_KEY_LENGTH);
        ck_assert_msg(gf_api_key_is_whole(made[i]), "%s", made[i]);
        ck_assert(gf_api_key_is_id(gf_api_key_id(made[i], unit.ctx.pool)));
        for (k = 0; k < i; k++) {
            ck_assert_int_ne(strncmp(made[i] + 3, made[k] + 3, GF_API_KEY_ID), 0);
            ck_assert_str_ne(made[i] + 16, made[k] + 16);
        }
    }
}
END_TEST

START_TEST(every_digit_occurs_in_the_secret)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    int count[128] = { 0 };
    int i, k;

    for (i = 0; i < MADE; i++) {
        const char *key = gf_api_key_make(unit.ctx.pool);

        for (k = 16; k < 48; k++) {
            count[(int)key[k]]++;
        }
    }
    for (i = 0; digits[i];
         i++) { /* 103 each; a fair draw has fewer than 50 once in a million runs */
        ck_assert_msg(count[(int)digits[i]] > 50 && count[(int)digits[i]] < 170, "%c: %d",
                      digits[i], count[(int)digits[i]]);
    }
}
END_TEST

START_TEST(the_checksum_is_the_crc_that_others_compute)
{
    ck_assert(gf_api_key_is_whole(KNOWN_KEY));
}
END_TEST

START_TEST(one_wrong_character_is_noticed_wherever_it_is)
{
    char key[GF_API_KEY_LENGTH + 1];
    int i;

    for (i = 0; i < GF_API_KEY_LENGTH; i++) {
        memcpy(key, KNOWN_KEY, sizeof(key));
        key[i] = key[i] == 'x' ? 'y' : 'x';
        ck_assert_msg(!gf_api_key_is_whole(key), "%s", key);
    }
    for (i = 3; i < GF_API_KEY_LENGTH - 1; i++) { /* two exchanged */
        char other;

        memcpy(key, KNOWN_KEY, sizeof(key));
        other = key[i];
        key[i] = key[i + 1];
        key[i + 1] = other;
        ck_assert_msg(!gf_api_key_is_whole(key), "%s", key);
    }
}
END_TEST

START_TEST(what_is_no_key_is_none)
{
    static const struct {
        const char *text;
        bool begins;
    } rows[] = { { NULL, false },
                 { "", false },
                 { "gf_", false },
                 { "gf_0123456789ab", false },
                 { "gf_0123456789ab_", true },
                 { "gf_0123456789a\xc3_", false },
                 { "gf-0123456789ab_ABC", false },
                 { "GF_0123456789ab_ABC", false },
                 { " gf_0123456789ab_ABC", false },
                 { KNOWN_KEY "x", true },
                 { KNOWN_KEY " ", true },
                 { "gf_0123456789ab_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef1BuFq", true },
                 { "gf_0123456789ab_ABCDEFGHIJKLM\nOPQRSTUVWXYZabcdef1BuFqo", true } };
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ck_assert_msg(!gf_api_key_is_whole(rows[i].text), "row %d", (int)i);
        ck_assert_msg(gf_api_key_begins(rows[i].text) == rows[i].begins, "row %d", (int)i);
    }
    ck_assert(!gf_api_key_is_id(NULL));
    ck_assert(!gf_api_key_is_id("0123456789a"));
    ck_assert(!gf_api_key_is_id("0123456789abc"));
    ck_assert(!gf_api_key_is_id("0123456789a'"));
}
END_TEST

START_TEST(scopes_have_names)
{
    unsigned all = GF_SCOPE_IMAGES | GF_SCOPE_READ | GF_SCOPE_KEYS | GF_SCOPE_ADMIN;

    ck_assert_uint_eq(gf_api_key_scopes("images read keys admin"), all);
    ck_assert_uint_eq(gf_api_key_scopes("read  images other"), GF_SCOPE_IMAGES | GF_SCOPE_READ);
    ck_assert_uint_eq(gf_api_key_scopes(""), 0);
    ck_assert_uint_eq(gf_api_key_scope("image"), 0);
    ck_assert_uint_eq(gf_api_key_scope("imagesx"), 0);
    ck_assert_uint_eq(gf_api_key_scope(""), 0);
    ck_assert_str_eq(gf_api_key_words(all, ",", unit.ctx.pool), "images,read,keys,admin");
    ck_assert_str_eq(gf_api_key_words(0, ",", unit.ctx.pool), "");
}
END_TEST

/* Hashes of keys are compared, by a function that looks at every byte: which byte differs shows
 * neither in the result nor, by what it calls, in the time (base/hash.h). */
START_TEST(hashes_are_equal_only_as_a_whole)
{
    char hash[GF_SHA256_HEX];
    char other[GF_SHA256_HEX];
    int i;

    gf_hash_sha256(hash, KNOWN_KEY, GF_API_KEY_LENGTH);
    for (i = 0; i < GF_SHA256_HEX - 1; i++) {
        memcpy(other, hash, sizeof(hash));
        ck_assert(gf_hash_equal(hash, other, sizeof(hash)));
        other[i] = other[i] == '0' ? '1' : '0';
        ck_assert(!gf_hash_equal(hash, other, sizeof(hash)));
    }
}
END_TEST

/* ---- the cache ---- */

#define NOW apr_time_from_sec(1000)

static gf_key_cache_t *cache;

static gf_key_t a_key(const char *id, const char *user)
{
    gf_key_t key = { .id = id, .user = user, .known = user != NULL, .scopes = GF_SCOPE_READ };

    return key;
}

static void remember(const char *id, const char *user, apr_time_t at)
{
    gf_key_t key = a_key(id, user);

    gf_key_cache_add(cache, &key, at);
}

static bool is_remembered(gf_key_t *key, const char *id, apr_time_t at)
{
    return gf_key_cache_find(key, cache, id, at, unit.ctx.pool);
}

static void make_cache(void)
{
    ck_assert_int_eq(gf_key_cache_make(&cache, unit.ctx.pool), APR_SUCCESS);
}

START_TEST(a_key_is_remembered_for_its_time)
{
    gf_key_t key;

    make_cache();
    ck_assert(!is_remembered(&key, "aaaaaaaaaaaa", NOW));
    remember("aaaaaaaaaaaa", "ann", NOW);
    ck_assert(is_remembered(&key, "aaaaaaaaaaaa", NOW + GF_KEY_AGE / 2));
    ck_assert(key.known);
    ck_assert_str_eq(key.user, "ann");
    ck_assert_str_eq(key.id, "aaaaaaaaaaaa");
    ck_assert_uint_eq(key.scopes, GF_SCOPE_READ);
    ck_assert(!is_remembered(&key, "aaaaaaaaaaaa", NOW + GF_KEY_AGE));
    ck_assert(!is_remembered(&key, "aaaaaaaaaaaa", NOW - 1)); /* the clock may not step back */
}
END_TEST

START_TEST(an_unknown_one_is_remembered_as_long)
{
    gf_key_t key;

    make_cache();
    remember("aaaaaaaaaaaa", NULL, NOW);
    ck_assert(is_remembered(&key, "aaaaaaaaaaaa", NOW + GF_KEY_AGE / 2));
    ck_assert(!key.known);
    ck_assert(!is_remembered(&key, "aaaaaaaaaaaa", NOW + GF_KEY_AGE));
}
END_TEST

START_TEST(near_its_end_one_caller_reads_it_again)
{
    apr_time_t late = NOW + GF_KEY_AGE - 1;
    gf_key_t key;

    make_cache();
    remember("aaaaaaaaaaaa", "ann", NOW);
    ck_assert(!is_remembered(&key, "aaaaaaaaaaaa", late));
    ck_assert(is_remembered(&key, "aaaaaaaaaaaa", late));
    ck_assert(is_remembered(&key, "aaaaaaaaaaaa", late));
    ck_assert(!is_remembered(&key, "aaaaaaaaaaaa", NOW + GF_KEY_AGE)); /* the reader may hang */
    remember("aaaaaaaaaaaa", "ann", late);
    ck_assert(is_remembered(&key, "aaaaaaaaaaaa", late + GF_KEY_AGE / 2));
}
END_TEST

START_TEST(what_was_read_later_counts)
{
    gf_key_t key = a_key("aaaaaaaaaaaa", "ann");

    make_cache();
    key.revoked = true;
    gf_key_cache_add(cache, &key, NOW + 2);
    remember("aaaaaaaaaaaa", "ann", NOW + 1); /* a statement that took longer */
    ck_assert(is_remembered(&key, "aaaaaaaaaaaa", NOW + 3));
    ck_assert(key.revoked);
    remember("aaaaaaaaaaaa", NULL, NOW + 4); /* its row was deleted */
    ck_assert(is_remembered(&key, "aaaaaaaaaaaa", NOW + 5));
    ck_assert(!key.known);
}
END_TEST

START_TEST(a_revoked_key_is_dropped)
{
    gf_key_t key;

    make_cache();
    gf_key_cache_drop(cache, "aaaaaaaaaaaa");
    remember("aaaaaaaaaaaa", "ann", NOW);
    gf_key_cache_drop(cache, "aaaaaaaaaaaa");
    ck_assert(!is_remembered(&key, "aaaaaaaaaaaa", NOW));
}
END_TEST

START_TEST(one_caller_records_the_use)
{
    gf_key_t key = a_key("aaaaaaaaaaaa", "ann");

    make_cache();
    ck_assert(!gf_key_cache_take_use(cache, "aaaaaaaaaaaa"));
    key.use_due = true;
    gf_key_cache_add(cache, &key, NOW);
    ck_assert(gf_key_cache_take_use(cache, "aaaaaaaaaaaa"));
    ck_assert(!gf_key_cache_take_use(cache, "aaaaaaaaaaaa"));
}
END_TEST

START_TEST(unknown_ids_push_no_known_key_out)
{
    char id[GF_API_KEY_ID + 1];
    char user[300];
    gf_key_t key;
    int found = 0;
    int i;

    make_cache();
    memset(user, 'u', sizeof(user));
    user[sizeof(user) - 1] = '\0';
    for (i = 0; i < 300; i++) { /* of 1024 places in 256 sets */
        apr_snprintf(id, sizeof(id), "known%07d", i);
        remember(id, i % 2 ? user : "ann", NOW);
    }
    for (i = 0; i < 100000; i++) {
        apr_snprintf(id, sizeof(id), "other%07d", i);
        remember(id, NULL, NOW + 1);
    }
    for (i = 0; i < 300; i++) {
        apr_snprintf(id, sizeof(id), "known%07d", i);
        if (is_remembered(&key, id, NOW + 2)) {
            ck_assert_str_eq(key.user, i % 2 ? user : "ann");
            found++;
        }
    }
    ck_assert_int_gt(found, 290);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { a_key_is_made_whole_and_no_two_are_alike,
                                   every_digit_occurs_in_the_secret,
                                   the_checksum_is_the_crc_that_others_compute,
                                   one_wrong_character_is_noticed_wherever_it_is,
                                   what_is_no_key_is_none,
                                   scopes_have_names,
                                   hashes_are_equal_only_as_a_whole,
                                   a_key_is_remembered_for_its_time,
                                   an_unknown_one_is_remembered_as_long,
                                   near_its_end_one_caller_reads_it_again,
                                   what_was_read_later_counts,
                                   a_revoked_key_is_dropped,
                                   one_caller_records_the_use,
                                   unknown_ids_push_no_known_key_out,
                                   NULL };

    return unit_run("api_key", tests);
}
