/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a move: a picture in an old store is copied to the current one, read back, and then
 * its generation gets the new address. No money is touched. It has no lease: its claim's time runs
 * out, and to copy it twice is harmless.
 *
 * While a store is away it is retried after 1 s, then ever later up to once an hour. A picture that
 * is gone, or has other bytes than were stored, stays where it is. */
#ifndef WORK_MOVE_H
#define WORK_MOVE_H

#include "work/run.h"

extern const gf_kind_t gf_kind_move;

#endif
