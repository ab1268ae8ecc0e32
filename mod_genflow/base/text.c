/* SPDX-License-Identifier: Apache-2.0 */
/* Checks and conversions of text. Depends on no other file of ours. */
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#define NEAR_MAX 24 /* letters of words that gf_text_nearest() compares */

bool gf_text_is_uuid(const char *text)
{
    int i;

    if (!text || strlen(text) != 36) {
        return false;
    }
    for (i = 0; i < 36; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

        if (hyphen ? text[i] != '-' : !apr_isxdigit(text[i])) {
            return false;
        }
    }
    return true;
}

apr_time_t gf_text_uuid_time(const char *id)
{
    apr_uint64_t high, low;

    if (!gf_text_is_uuid(id) || id[14] != '7') {
        return 0;
    }
    high = strtoul(id, NULL, 16); /* each ends at its hyphen */
    low = strtoul(id + 9, NULL, 16);
    return (apr_time_t)(high << 16 | low) * 1000;
}

/* Bytes of the character at p, of which `left` bytes are there; 0: it is none. */
static apr_size_t utf8_character(const unsigned char *p, apr_size_t left)
{
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    apr_size_t length = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    apr_size_t i;

    if (length == 0 || length > left || p[0] > 0xF4) {
        return 0;
    }
    low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : low;   /* else overlong */
    high = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : high; /* else a surrogate, or too large */
    for (i = 1; i < length; i++) {
        if (p[i] < low || p[i] > high) {
            return 0;
        }
        low = 0x80;
        high = 0xBF;
    }
    return length;
}

apr_size_t gf_text_utf8(const char *text, apr_size_t length)
{
    apr_size_t at = 0;

    while (at < length) {
        apr_size_t step = utf8_character((const unsigned char *)text + at, length - at);

        if (step == 0) {
            break;
        }
        at += step;
    }
    return at;
}

/* Bytes of the longest secret that begins at text; 0: none does. */
static apr_size_t secret_at(const char *text, apr_size_t left, const char *const *secrets)
{
    apr_size_t longest = 0;

    for (; secrets && *secrets; secrets++) {
        apr_size_t length = strlen(*secrets);

        if (length > longest && length <= left && memcmp(text, *secrets, length) == 0) {
            longest = length;
        }
    }
    return longest;
}

bool gf_text_has_control(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    while (*p >= ' ' && *p != 0x7F && !(p[0] == 0xC2 && p[1] < 0xA0)) {
        p++;
    }
    return *p != '\0';
}

/* Bytes of the blank at `text`; 0: there is none. */
static apr_size_t blank_length(const char *text)
{
    return apr_isspace(*text)                      ? 1
           : strncmp(text, "\xC2\xA0", 2) == 0     ? 2
           : strncmp(text, "\xE3\x80\x80", 3) == 0 ? 3
                                                   : 0;
}

apr_array_header_t *gf_text_words(apr_pool_t *pool, const char *text)
{
    apr_array_header_t *words = apr_array_make(pool, 8, sizeof(const char *));

    while (*text) {
        apr_size_t length = 0;

        while (text[length] && !blank_length(text + length)) {
            length++;
        }
        if (length > 0) {
            APR_ARRAY_PUSH(words, const char *) = apr_pstrmemdup(pool, text, length);
        }
        text += length + blank_length(text + length);
    }
    return words;
}

const char *gf_text_trim(apr_pool_t *pool, const char *text)
{
    apr_size_t end = 0; /* of the last character that is no blank */
    apr_size_t i;

    while (blank_length(text)) {
        text += blank_length(text);
    }
    for (i = 0; text[i]; i += blank_length(text + i) ? blank_length(text + i) : 1) {
        end = blank_length(text + i) ? end : i + 1;
    }
    return apr_pstrmemdup(pool, text, end);
}

const char *gf_text_array(apr_pool_t *pool, const char *const *texts, int count)
{
    apr_size_t size = 3;
    char *array;
    char *at;
    int i;

    for (i = 0; i < count; i++) {
        size += 2 * strlen(texts[i]) + 3;
    }
    at = array = apr_palloc(pool, size);
    *at++ = '{';
    for (i = 0; i < count; i++) {
        const char *text = texts[i];

        if (i > 0) {
            *at++ = ',';
        }
        *at++ = '"';
        for (; *text; *at++ = *text++) {
            if (*text == '"' || *text == '\\') {
                *at++ = '\\';
            }
        }
        *at++ = '"';
    }
    *at++ = '}';
    *at = '\0';
    return array;
}

const char *gf_text_redact(apr_pool_t *pool, const char *text, apr_size_t length, apr_size_t max,
                           const char *const *secrets)
{
    char *redacted = apr_palloc(pool, max + 1);
    apr_size_t size = 0;
    apr_size_t at = 0;

    while (at < length) {
        const unsigned char *p = (const unsigned char *)text + at;
        apr_size_t secret = secret_at(text + at, length - at, secrets);
        apr_size_t step = secret ? secret : utf8_character(p, length - at);
        bool control = *p < ' ' || *p == 0x7F;
        const char *as = secret ? "***" : step == 0 ? "?" : control ? " " : text + at;
        apr_size_t bytes = secret ? 3 : step ? step : 1;

        if (size + bytes > max) {
            break;
        }
        memcpy(redacted + size, as, bytes);
        size += bytes;
        at += step ? step : 1;
    }
    redacted[size] = '\0';
    return redacted;
}

apr_size_t gf_text_length(const char *text)
{
    apr_size_t length = 0;

    for (; *text; text++) {
        length += ((unsigned char)*text & 0xC0) != 0x80; /* continuation bytes do not count */
    }
    return length;
}

bool gf_text_is_token(const char *text, apr_size_t max)
{
    apr_size_t length = 0;

    for (; text[length]; length++) {
        if (!apr_isalnum(text[length]) && !strchr("._:-", text[length])) {
            return false;
        }
    }
    return length >= 1 && length <= max;
}

bool gf_text_is_name(const char *text, apr_size_t max)
{
    const char *at;

    for (at = text; *at; at++) {
        if (!apr_islower(*at)
            && !(at > text && (apr_isdigit(*at) || (*at == '-' && at[-1] != '-' && at[1])))) {
            return false;
        }
    }
    return at > text && (apr_size_t)(at - text) <= max;
}

bool gf_text_is_printable(const char *text, apr_size_t max)
{
    apr_size_t length = 0;

    for (; text[length]; length++) {
        if (text[length] <= ' ' || text[length] > '~') {
            return false;
        }
    }
    return length >= 1 && length <= max;
}

bool gf_text_is_listed(const char *words, const char *text)
{
    apr_size_t length = strlen(text);

    while (*words) {
        apr_size_t word = strcspn(words, "|");

        if (word == length && strncmp(words, text, length) == 0) {
            return true;
        }
        words += word + (words[word] == '|');
    }
    return false;
}

bool gf_text_int(apr_int64_t *out, const char *text)
{
    char *end = NULL;

    errno = 0;
    *out = apr_strtoi64(text, &end, 10);
    return errno == 0 && apr_isdigit(text[text[0] == '-']) && end != text && *end == '\0';
}

/* A number followed by one of a few units. */
struct unit {
    const char *name;
    apr_int64_t factor;
};

static bool number_with_unit(apr_int64_t *out, const char *text, const struct unit *units)
{
    char *end = NULL;
    apr_int64_t number;

    errno = 0;
    number = apr_strtoi64(text, &end, 10);
    if (errno != 0 || !apr_isdigit(text[0])) { /* no blanks, no sign */
        return false;
    }
    for (; units->name; units++) {
        if (strcasecmp(end, units->name) == 0) {
            if (number > APR_INT64_MAX / units->factor) {
                return false;
            }
            *out = number * units->factor;
            return true;
        }
    }
    return false;
}

/* Of two words that are at most NEAR_MAX long: how many letters have to be put in, left out or
 * exchanged; letters that changed places count once. */
static int edit_distance(const char *one, const char *other)
{
    int before[NEAR_MAX + 1], last[NEAR_MAX + 1], row[NEAR_MAX + 1];
    int width = (int)strlen(other);
    int i, j;

    for (j = 0; j <= width; j++) {
        before[j] = last[j] = j;
    }
    for (i = 1; one[i - 1]; i++) {
        row[0] = i;
        for (j = 1; j <= width; j++) {
            bool same = apr_tolower(one[i - 1]) == apr_tolower(other[j - 1]);
            int best = last[j - 1] + !same;

            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1]
                && before[j - 2] + 1 < best) {
                best = before[j - 2] + 1;
            }
            row[j] = best;
        }
        memcpy(before, last, sizeof(before));
        memcpy(last, row, sizeof(last));
    }
    return last[width];
}

const char *gf_text_nearest(const char *text, const char *const *words)
{
    int length = (int)strnlen(text, NEAR_MAX + 1);
    int nearest = length > 3 ? length / 2 + 1 : 2; /* what is that far away is something else */
    const char *found = NULL;

    for (; length <= NEAR_MAX && *words; words++) {
        int far = strlen(*words) <= NEAR_MAX ? edit_distance(text, *words) : nearest;

        if (far < nearest) {
            nearest = far;
            found = *words;
        }
    }
    return found;
}

bool gf_text_time(apr_interval_time_t *out, const char *text)
{
    static const struct unit units[] = {
        { "", APR_USEC_PER_SEC },         { "ms", 1000 },
        { "s", APR_USEC_PER_SEC },        { "m", 60 * APR_USEC_PER_SEC },
        { "h", 3600 * APR_USEC_PER_SEC }, { NULL, 0 }
    };

    return number_with_unit(out, text, units);
}

bool gf_text_size(apr_int64_t *out, const char *text)
{
    static const struct unit units[] = {
        { "", 1 }, { "k", 1 << 10 }, { "m", 1 << 20 }, { "g", 1 << 30 }, { NULL, 0 }
    };

    return number_with_unit(out, text, units);
}

/* Days from 1970-01-01 to that one of the Gregorian calendar. */
static apr_int64_t days_until(int year, int month, int day)
{
    int y = month > 2 ? year : year - 1; /* years that begin in March end with the leap day */
    int m = month > 2 ? month - 3 : month + 9;

    return (apr_int64_t)365 * y + (y + 400) / 4 - (y + 400) / 100 + (y + 400) / 400
           + (153 * m + 2) / 5 + day - 1 - 719468 - 97;
}

static int two_digits(const char *text)
{
    return (text[0] - '0') * 10 + text[1] - '0';
}

/* Seconds of +hh:mm or -hh:mm, or of Z. False: it is none. */
static bool read_zone(int *seconds, const char *text)
{
    if (strcmp(text, "Z") == 0) {
        *seconds = 0;
        return true;
    }
    if ((*text != '+' && *text != '-') || !apr_isdigit(text[1]) || !apr_isdigit(text[2])
        || text[3] != ':' || !apr_isdigit(text[4]) || !apr_isdigit(text[5]) || text[6]
        || two_digits(text + 1) > 23 || two_digits(text + 4) > 59) {
        return false;
    }
    *seconds = (two_digits(text + 1) * 60 + two_digits(text + 4)) * (*text == '-' ? -60 : 60);
    return true;
}

/* Reads .123456 and moves *text behind it. False: there is a point and no digit. */
static bool read_fraction(int *microseconds, const char **text)
{
    int unit = APR_USEC_PER_SEC / 10;

    *microseconds = 0;
    if (**text != '.') {
        return true;
    }
    for (++*text; apr_isdigit(**text); ++*text, unit /= 10) {
        *microseconds += unit * (**text - '0');
    }
    return apr_isdigit((*text)[-1]);
}

bool gf_text_instant(apr_time_t *out, const char *text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    const char *rest;
    int year, month, day, microseconds, zone;
    apr_size_t i;

    for (i = 0; i < sizeof(form) - 1; i++) {
        if (form[i] == 'd' ? !apr_isdigit(text[i]) : text[i] != form[i]) {
            return false;
        }
    }
    rest = text + i;
    year = two_digits(text) * 100 + two_digits(text + 2);
    month = two_digits(text + 5);
    day = two_digits(text + 8);
    if (month < 1 || month > 12 || day < 1
        || day > days_until(month < 12 ? year : year + 1, month % 12 + 1, 1)
                     - days_until(year, month, 1)
        || two_digits(text + 11) > 23 || two_digits(text + 14) > 59 || two_digits(text + 17) > 59
        || !read_fraction(&microseconds, &rest) || !read_zone(&zone, rest)) {
        return false;
    }
    *out = (days_until(year, month, day) * 86400 + two_digits(text + 11) * 3600
            + two_digits(text + 14) * 60 + two_digits(text + 17) - zone)
               * APR_USEC_PER_SEC
           + microseconds;
    return true;
}

const char *gf_text_interval(apr_pool_t *pool, apr_interval_time_t interval)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT " milliseconds",
                        (apr_int64_t)apr_time_as_msec(interval));
}
