/* SPDX-License-Identifier: Apache-2.0 */
/* Walks a text by the grammar of RFC 8259 before anything is built of it: bounds the number of
 * values and their depth. No allocation; any thread. For base/json.c alone. */
#ifndef GF_JSON_WALK_H
#define GF_JSON_WALK_H

#include <stdbool.h>

#include <apr.h>

typedef struct gf_json_walk_t {
    const char *text; /* UTF-8 */
    apr_size_t length;
    int values_max; /* objects, arrays and scalars; names do not count */
    int depth_max;
    bool strict; /* also refuses raw control characters, halves of surrogate pairs, NUL in names */

    apr_size_t at; /* out: the byte at which the walk ended */
    int values;    /* out */
    int names;     /* out: in all objects, a repeated one each time */
} gf_json_walk_t;

/* NULL: the text is one JSON value with space around it. Else the reason, and walk->at is the
 * place. */
const char *gf_json_walk(gf_json_walk_t *walk);

#endif
