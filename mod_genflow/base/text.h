/* SPDX-License-Identifier: Apache-2.0 */
/* Small questions about text: ids, urls, lengths, times. Any thread; nothing is kept. */
#ifndef GF_TEXT_H
#define GF_TEXT_H

#include <stdbool.h>

#include <apr_pools.h>
#include <apr_time.h>

/* Is text a UUID in its usual form (36 characters, any case)? NULL is not. */
bool gf_text_is_uuid(const char *text);

/* When an id was made (UUIDv7 begins with it), by the clock of who made it; 0: it does not tell. */
apr_time_t gf_text_uuid_time(const char *id);

/* How many of the `length` bytes at text are valid UTF-8 from the start: `length` if all are.
 * Overlong forms, surrogates and what is beyond U+10FFFF are not. */
apr_size_t gf_text_utf8(const char *text, apr_size_t length);

/* Characters (not bytes) of valid UTF-8. */
apr_size_t gf_text_length(const char *text);

/* What somebody else says, as it may be logged and stored: `length` bytes at text, without control
 * characters and what is no UTF-8, with *** in place of each of `secrets` (NULL-ended; "" is none;
 * NULL: there are none), and then cut between two characters to `max` bytes. */
const char *gf_text_redact(apr_pool_t *pool, const char *text, apr_size_t length, apr_size_t max,
                           const char *const *secrets);

/* Is text only made of A-Z a-z 0-9 . _ : - and from 1 to `max` long? Run ids. */
bool gf_text_is_token(const char *text, apr_size_t max);

/* Is text only made of a-z, 0-9 and single hyphens, from a letter on, and from 1 to `max` long?
 * Names of types and providers. */
bool gf_text_is_name(const char *text, apr_size_t max);

/* Is text only made of printable ASCII without spaces, from 1 to `max` long? Idempotency keys. */
bool gf_text_is_printable(const char *text, apr_size_t max);

/* Which of `words` (NULL-ended) is `text` most likely a slip of the pen for, by edit distance?
 * NULL: none of them is near. */
const char *gf_text_nearest(const char *text, const char *const *words);

/* Parses `30s`, `500ms`, `10m`, `2h` (no unit: seconds). False: not a time. */
bool gf_text_time(apr_interval_time_t *out, const char *text);

/* Parses `64k`, `10m`, `1g` (no unit: bytes). False: not a size. */
bool gf_text_size(apr_int64_t *out, const char *text);

/* A whole number, nothing before or behind it, within 64 bits. */
bool gf_text_int(apr_int64_t *out, const char *text);

/* `interval` as PostgreSQL reads it: "1500 milliseconds". */
const char *gf_text_interval(apr_pool_t *pool, apr_interval_time_t interval);

#endif
