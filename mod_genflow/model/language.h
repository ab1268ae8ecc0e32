/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in several languages, of which a client gets the one that its Accept-Language prefers. No
 * I/O; any thread once the configuration is frozen. */
#ifndef GF_LANGUAGE_H
#define GF_LANGUAGE_H

#include <apr_tables.h>

#define GF_LANGUAGE_TAG_MAX    35 /* characters of a language's tag: "ja", "zh-Hant-TW" */
#define GF_LANGUAGE_TEXTS_MAX  64 /* texts of one kind that a type may have */
#define GF_LANGUAGE_RANGES_MAX 64 /* languages of a header that are read */

/* A text and its language. */
typedef struct gf_language_text_t {
    const char *language; /* its tag; NULL: for clients of any language */
    const char *text;
} gf_language_text_t;

/* Adds a text to *texts (of gf_language_text_t; NULL: none yet), or replaces the one of that
 * language. language NULL: of any. The text has 1 to `max` characters of UTF-8, none of them a
 * control character. Returns the mistake, or NULL. Start-up only: the texts live in `pool`. */
const char *gf_language_add(apr_array_header_t **texts, const char *language, const char *text,
                            apr_size_t max, apr_pool_t *pool);

/* The text for a client that sends `accepted` (Accept-Language; NULL: none): that of the most
 * preferred language that has one, by RFC 4647: a text in `ja` serves `ja-JP`, and one in `en-GB`
 * serves `en`. Else the text of no language, else the first one. NULL: there are no texts. A header
 * that nothing can be read from counts as none. */
const char *gf_language_find(const apr_array_header_t *texts, const char *accepted);

#endif
