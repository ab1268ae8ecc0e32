/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of lists: the number of rows, and the row before the first one. Every list of the API reads
 * its page here, so that a bad `limit` or `cursor` is answered in one way: 422, with the field.
 *
 * Only the list itself interprets its cursors; clients send them back unchanged. A list reads one
 * row more than it shows: if it exists, there is a next page. Request threads only. */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "model/input.h"

typedef struct api_page_t {
    apr_int64_t limit;  /* rows to show: 1 to 100, 50 without ?limit= */
    const char *cursor; /* as the client sent it; NULL: the first page */
} api_page_t;

/* The rows of `limit` and `cursor`, for readers that have them beside others. */
extern const gf_input_field_t api_page_fields[];

/* Reads the page. Bad fields are recorded in `input`. */
void api_page_read(api_page_t *page, gf_input_t *input);

/* Records that the cursor does not belong to this list. */
void api_page_refuse_cursor(gf_input_t *input);

/* Makes a cursor of a row's key, and back. NULL for a cursor that api_page_wrap() did not make. The
 * results are in `pool`. */
const char *api_page_wrap(const char *text, apr_pool_t *pool);
const char *api_page_unwrap(const char *cursor, apr_pool_t *pool);

/* The number of `rows` that are shown. There is a next page if it is smaller than theirs. */
int api_page_shown(const api_page_t *page, const apr_array_header_t *rows);

/* Writes "hasMore" and "nextCursor" (`next`; NULL: this was the last page). */
void api_page_put(gf_out_t *out, const char *next);

/* Writes "count" and "nextCursor", as the lists of administration end. */
void api_page_put_count(gf_out_t *out, int count, const char *next);

#endif
