/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for the answer of a statement, no longer than its bound. No other timeout ends the wait
 * when packets vanish (a cut network, a firewall that dropped the connection, a stopped server).
 * Any thread; it blocks. */
#ifndef GF_ANSWER_H
#define GF_ANSWER_H

#include <stdbool.h>

#include <apr_time.h>
#include <libpq-fe.h>

/* Time for the way there and back and for a busy server, added to the server's statement_timeout.
 */
#define GF_ANSWER_MARGIN  apr_time_from_sec(5)
#define GF_ANSWER_DEFAULT apr_time_from_sec(30) /* the bound where statement_timeout is 0 */

/* The result of the statement that PQsend...() has just taken (`sent` is its return value); for
 * PQclear(). When gf_clock_now() passes `end`, sets `silent`, and the connection is dead
 * (PQstatus() is CONNECTION_BAD), so that its pool opens another. The statement may have been
 * committed. */
PGresult *gf_answer_wait(bool *silent, PGconn *pg, int sent, apr_time_t end);

/* The bound for a statement on this connection; reads the server's statement_timeout. 0: the
 * connection is dead. */
apr_interval_time_t gf_answer_bound(PGconn *pg);

#endif
