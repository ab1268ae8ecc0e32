/* SPDX-License-Identifier: Apache-2.0 */
/* News between the children of one httpd: the ids of generations that ended, each with a hash of
 * its user, in memory that they share. It holds the last GF_BOARD_SIZE ids. News are a hint that
 * the row changed: an id that a reader misses, because it was late or its writer died, is found by
 * the reader's next look at the rows. There is no lock, so that a child that dies or hangs stops no
 * other one. Any thread of any child. */
#ifndef GF_BOARD_H
#define GF_BOARD_H

#include <stdbool.h>

#include <apr.h>
#include <apr_time.h>

typedef struct gf_board_t gf_board_t;

#define GF_BOARD_SIZE   1024
#define GF_BOARD_ID     40 /* bytes for the id of a generation */
#define GF_BOARD_NOBODY 0  /* in place of a user's hash */

/* Bytes of memory that it needs, and the board made in it, before the children start. */
apr_size_t gf_board_bytes(void);
gf_board_t *gf_board_init(void *memory);

/* Where a reader that comes now begins to read. */
apr_uint32_t gf_board_end(gf_board_t *board);

/* From gf_board_listen() to gf_board_leave() a process is woken by what others put. `own` is 0
 * before, and shared by the threads of the process alone. One thread of it. */
void gf_board_listen(gf_board_t *board, volatile apr_uint32_t *own);
void gf_board_leave(gf_board_t *board, volatile apr_uint32_t *own);

/* Puts an id, of less than GF_BOARD_ID bytes, on the board and wakes the other processes that
 * listen. */
void gf_board_put(gf_board_t *board, const char *id, apr_uint32_t user, volatile apr_uint32_t *own);

/* While it listens: blocks until another process has put an id behind `at`, or for `timeout` (above
 * 0). It may return without either. */
void gf_board_wait(gf_board_t *board, apr_uint32_t at, apr_interval_time_t timeout);

/* The next id from *at on, which moves behind it, and its user's hash; false: there is none. Ids
 * that were overwritten are skipped. */
bool gf_board_take(gf_board_t *board, apr_uint32_t *at, char id[GF_BOARD_ID], apr_uint32_t *user);

#endif
