/* SPDX-License-Identifier: Apache-2.0 */
/* Walks a text by the grammar of RFC 8259 before anything is built of it: bounds the number of
 * values and their depth. No allocation; any thread. For base/json.c alone. */
#ifndef GF_JSON_WALK_H
#define GF_JSON_WALK_H

#include <stdbool.h>

#include <apr.h>

/* One walk: the caller sets the text and the bounds. */
typedef struct gf_json_walk_t {
    const char *text; /* need not end with a NUL; the caller has checked that it is UTF-8 */
    apr_size_t length;

    /* Bounds. Values are objects, arrays and scalars; names do not count. Depth is the number of
     * objects and arrays that may be open at a time, and bounds the recursion. */
    int values_max;
    int depth_max;

    /* Also refuses raw control characters, halves of surrogate pairs, NUL in names. */
    bool strict;

    /* Set by the walk: the byte at which it ended, and what it passed before. A repeated name
     * counts each time. */
    apr_size_t at;
    int values;
    int names;
} gf_json_walk_t;

/* NULL: the text is one JSON value with space around it. Else the reason, a constant text for the
 * client, and walk->at is the place. */
const char *gf_json_walk(gf_json_walk_t *walk);

#endif
