/* SPDX-License-Identifier: Apache-2.0 */
/* A row of the table of directives (httpd/conf.c): type, bounds and default of one value. Start-up
 * only. */
#ifndef HTTPD_ROW_H
#define HTTPD_ROW_H

#include <stddef.h>

#include <apr_pools.h>

/* The place of a row's directive, and the struct that it writes to. IN_HTTPD: the main server's,
 * for all virtual hosts; IN_SERVER: each may have its own; IN_STORE: and <GenflowStoreOld>, too. */
typedef enum { IN_HTTPD, IN_SERVER, IN_STORE, IN_PROVIDER, IN_TYPE } httpd_place_t;

typedef enum {
    IS_FLAG,
    IS_WORD, /* one of the words that `bounds` lists: "none, optional or required" */
    IS_INT,
    IS_TIME,
    IS_SIZE,
    IS_TEXT, /* from here on texts */
    IS_URL,
    IS_FOLDER,
    IS_SECRET /* env:NAME or file:PATH */
} httpd_row_kind_t;

typedef struct httpd_row_t {
    httpd_place_t place;
    httpd_row_kind_t kind;
    size_t offset;
    apr_int64_t min, max;
    const char *bounds; /* min and max as one writes them, for the message */
    const char *value;  /* default; NULL: none */
} httpd_row_t;

/* Writes the value that `text` gives to the member of `base`, the struct of the row's place. NULL,
 * or the mistake as a sentence with the directive `name`, the text and the bounds. */
const char *httpd_row_set(apr_pool_t *pool, const httpd_row_t *row, void *base, const char *name,
                          const char *text);

#endif
