/* SPDX-License-Identifier: Apache-2.0 */
/* Checks and conversions of text: ids, urls, lengths, times. Pure; results live in the given pool.
 * Any thread. */
#ifndef GF_TEXT_H
#define GF_TEXT_H

#include <stdbool.h>

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

/* Is text a UUID in its usual form (36 characters, any case)? NULL is not. */
bool gf_text_is_uuid(const char *text);

/* The time at which an id was made (UUIDv7 begins with it), by the clock of its maker; 0: it has
 * none. */
apr_time_t gf_text_uuid_time(const char *id);

/* Number of the `length` bytes at text that are valid UTF-8 from the start: `length` if all are.
 * Overlong forms, surrogates and code points above U+10FFFF are invalid. */
apr_size_t gf_text_utf8(const char *text, apr_size_t length);

/* Characters (not bytes) of valid UTF-8. */
apr_size_t gf_text_length(const char *text);

/* Does valid UTF-8 have a control character (below U+0020, U+007F to U+009F)? */
bool gf_text_has_control(const char *text);

/* Valid UTF-8 without the blanks around it. Blanks are ASCII's, U+00A0 and U+3000, which Japanese
 * keyboards write. */
const char *gf_text_trim(apr_pool_t *pool, const char *text);

/* The words of valid UTF-8, between blanks: an array of const char *. */
apr_array_header_t *gf_text_words(apr_pool_t *pool, const char *text);

/* An array of texts as Postgres reads it. */
const char *gf_text_array(apr_pool_t *pool, const char *const *texts, int count);

/* Makes foreign text fit for the log and the database: takes `length` bytes at text, replaces
 * control characters and invalid UTF-8, writes *** for each of `secrets` (NULL-ended; "" is none;
 * NULL: there are none), and then cuts between two characters to `max` bytes. */
const char *gf_text_redact(apr_pool_t *pool, const char *text, apr_size_t length, apr_size_t max,
                           const char *const *secrets);

/* Is text only made of A-Z a-z 0-9 . _ : - and from 1 to `max` long? Run ids. */
bool gf_text_is_token(const char *text, apr_size_t max);

/* Is text only made of a-z, 0-9 and single hyphens, from a letter on, and from 1 to `max` long?
 * Names of types and providers. */
bool gf_text_is_name(const char *text, apr_size_t max);

/* Is text only made of printable ASCII without spaces, from 1 to `max` long? Idempotency keys. */
bool gf_text_is_printable(const char *text, apr_size_t max);

/* Is text one of the words of "a|b|c"? */
bool gf_text_is_listed(const char *words, const char *text);

/* The word of `words` (NULL-ended) that is nearest to `text` by edit distance; NULL: none of them
 * is near. */
const char *gf_text_nearest(const char *text, const char *const *words);

/* Parses `30s`, `500ms`, `10m`, `2h` (no unit: seconds), a whole number without sign, the unit in
 * any case. False: not a time, or beyond 64 bits of microseconds; *out is then unchanged. */
bool gf_text_time(apr_interval_time_t *out, const char *text);

/* Parses `64k`, `10m`, `1g` (no unit: bytes; k is 1024), in the same way. False: not a size. */
bool gf_text_size(apr_int64_t *out, const char *text);

/* Parses an instant as RFC 3339 writes it: 2026-11-20T22:00:00.5Z, or +09:00 in place of Z. False:
 * it is none, or there is no such day; *out is then unchanged. */
bool gf_text_instant(apr_time_t *out, const char *text);

/* A whole decimal number, nothing but a minus before it and nothing after it, within 64 bits.
 * False: it is none; *out is then undefined. */
bool gf_text_int(apr_int64_t *out, const char *text);

/* `interval` as PostgreSQL reads it: "1500 milliseconds". */
const char *gf_text_interval(apr_pool_t *pool, apr_interval_time_t interval);

#endif
