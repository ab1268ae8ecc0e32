/* SPDX-License-Identifier: Apache-2.0 */
/* Reads Accept-Language and compares languages. Leaves what texts there are to the configuration.
 */
#include "model/language.h"

#include <stdbool.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/text.h"

/* ---- the texts ---- */

/* "en", "zh-Hant-TW": pieces of 1 to 8 letters or digits, the first one of letters. */
static bool is_tag(const char *tag)
{
    const char *piece = tag;

    while (true) {
        apr_size_t length = strcspn(piece, "-");
        apr_size_t i;

        for (i = 0; i < length && (piece == tag ? apr_isalpha(piece[i]) : apr_isalnum(piece[i]));
             i++) {
        }
        if (i != length || length < 1 || length > 8) {
            return false;
        }
        if (!piece[length]) {
            return strlen(tag) <= GF_LANGUAGE_TAG_MAX;
        }
        piece += length + 1;
    }
}

/* C0, DEL and C1, which are two bytes of UTF-8. */
static bool has_control(const char *text)
{
    const unsigned char *at;

    for (at = (const unsigned char *)text; *at; at++) {
        if (*at < ' ' || *at == 0x7F || (at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F)) {
            return true;
        }
    }
    return false;
}

static bool is_same(const char *one, const char *other)
{
    return one && other ? strcasecmp(one, other) == 0 : one == other;
}

const char *gf_language_add(apr_array_header_t **texts, const char *language, const char *text,
                            apr_size_t max, apr_pool_t *pool)
{
    const gf_language_text_t added = { language, text };
    int i;

    if (language && !is_tag(language)) {
        return "the language must be a tag like en or zh-Hant, of at most 35 characters";
    }
    if (!*text || gf_text_utf8(text, strlen(text)) != strlen(text) || has_control(text)
        || gf_text_length(text) > max) {
        return apr_psprintf(pool,
                            "the text must have 1 to %" APR_SIZE_T_FMT
                            " characters of UTF-8, and no control characters",
                            max);
    }
    if (!*texts) {
        *texts = apr_array_make(pool, 2, sizeof(gf_language_text_t));
    }
    for (i = 0; i < (*texts)->nelts; i++) {
        if (is_same(APR_ARRAY_IDX(*texts, i, gf_language_text_t).language, language)) {
            APR_ARRAY_IDX(*texts, i, gf_language_text_t) = added;
            return NULL;
        }
    }
    if ((*texts)->nelts == GF_LANGUAGE_TEXTS_MAX) {
        return "there may be texts in 64 languages";
    }
    APR_ARRAY_PUSH(*texts, gf_language_text_t) = added;
    return NULL;
}

/* ---- the header ---- */

/* A language of the header and how much it is wanted, in thousandths. */
typedef struct range_t {
    const char *tag; /* not NUL-ended */
    apr_size_t length;
    int quality;
} range_t;

/* "0.8" of ";q=0.8": at most three digits count. */
static int read_quality(const char *text)
{
    int quality = *text == '1' ? 1000 : 0;
    int digit = 100;

    if (text[0] != '0' && text[0] != '1') {
        return 0;
    }
    text += text[1] == '.' ? 2 : 1;
    for (; apr_isdigit(*text) && digit; text++, digit /= 10) {
        quality += (*text - '0') * digit;
    }
    return quality < 1000 ? quality : 1000;
}

/* Reads the next one of a list, and moves *at behind it. False: there is none. */
static bool next_range(range_t *range, const char **at)
{
    static const char blanks[] = " \t,";
    const char *parameter;
    apr_size_t length;

    *at += strspn(*at, blanks);
    length = strcspn(*at, ",");
    range->tag = *at;
    range->length = strcspn(*at, ";, \t");
    range->quality = 1000;
    parameter = memchr(*at, ';', length);
    if (parameter) {
        parameter += 1 + strspn(parameter + 1, " \t");
        range->quality = strncasecmp(parameter, "q=", 2) == 0 ? read_quality(parameter + 2) : 0;
    }
    *at += length;
    return length > 0;
}

/* How many characters both have from their begin, up to the end of a piece in both. 0: they are
 * different languages. */
static apr_size_t common_length(const range_t *range, const char *tag)
{
    apr_size_t shorter = strlen(tag) < range->length ? strlen(tag) : range->length;
    apr_size_t common = 0;
    apr_size_t i;

    for (i = 0; i <= shorter; i++) {
        bool range_ends = i == range->length || range->tag[i] == '-';
        bool tag_ends = !tag[i] || tag[i] == '-';

        if (range_ends && tag_ends) {
            common = i;
        }
        if (i == shorter || apr_tolower(range->tag[i]) != apr_tolower(tag[i])) {
            break;
        }
    }
    return common;
}

/* The one of no language, else the first. */
static const char *usual_text(const apr_array_header_t *texts)
{
    int i;

    for (i = 0; i < texts->nelts; i++) {
        if (!APR_ARRAY_IDX(texts, i, gf_language_text_t).language) {
            return APR_ARRAY_IDX(texts, i, gf_language_text_t).text;
        }
    }
    return APR_ARRAY_IDX(texts, 0, gf_language_text_t).text;
}

/* The text that shares most with the language, of several the most general one; NULL: none is of
 * it. */
static const char *find_text(const apr_array_header_t *texts, const range_t *range)
{
    const char *found = NULL;
    apr_size_t most = 0;
    int i;

    if (range->length == 1 && *range->tag == '*') {
        return usual_text(texts);
    }
    for (i = 0; i < texts->nelts; i++) {
        const gf_language_text_t *text = &APR_ARRAY_IDX(texts, i, gf_language_text_t);
        apr_size_t common = text->language ? common_length(range, text->language) : 0;
        apr_size_t shared = common ? 2 * common + (strlen(text->language) == common) : 0;

        if (shared > most) {
            most = shared;
            found = text->text;
        }
    }
    return found;
}

const char *gf_language_find(const apr_array_header_t *texts, const char *accepted)
{
    const char *at = accepted ? accepted : "";
    const char *best = NULL;
    int quality = 0;
    range_t range;
    int i;

    if (!texts || texts->nelts == 0) {
        return NULL;
    }
    for (i = 0; i < GF_LANGUAGE_RANGES_MAX && next_range(&range, &at); i++) {
        const char *text = range.quality > quality ? find_text(texts, &range) : NULL;

        if (text) {
            best = text;
            quality = range.quality;
        }
    }
    return best ? best : usual_text(texts);
}
