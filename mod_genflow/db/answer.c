/* SPDX-License-Identifier: Apache-2.0 */
/* Sends what libpq has not sent, reads what comes, and gives a silent connection up. Leaves what an
 * answer means to db/db.c. */
#include "db/answer.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <apr_strings.h>

#include "base/clock.h"

#define POLL_MAX_MS 60000 /* of one poll(), whose argument is an int */

/* Until libpq has a result or knows that the connection is dead. False: neither before `end`. A
 * process that slept past `end` reads what came meanwhile before it gives up. */
static bool wait_for_result(PGconn *pg, apr_time_t end)
{
    for (;;) {
        int unsent = PQflush(pg);
        struct pollfd link = { .fd = PQsocket(pg), .events = POLLIN };
        apr_interval_time_t left = end - gf_clock_now();
        int ready;

        if (unsent < 0 || link.fd < 0 || (unsent == 0 && !PQisBusy(pg))) {
            return true;
        }
        link.events |= unsent ? POLLOUT : 0;
        left = left <= 0 ? 0 : apr_time_as_msec(left) + 1;
        ready = poll(&link, 1, (int)(left < POLL_MAX_MS ? left : POLL_MAX_MS));
        if ((ready == 0 && left == 0) || (ready < 0 && errno != EINTR)) {
            return false;
        }
        if ((link.revents & ~POLLOUT) && !PQconsumeInput(pg)) {
            return true;
        }
    }
}

/* The pool owns the connection and notices by PQstatus(): libpq reads the end of the stream. */
static void give_up(PGconn *pg)
{
    int fd = PQsocket(pg);

    if (fd >= 0) {
        shutdown(fd, SHUT_RDWR);
    }
    while (PQstatus(pg) == CONNECTION_OK && PQconsumeInput(pg)) {
    }
}

/* As PQexec() does, all results are read, and the last one counts: what comes before the server is
 * ready again is not committed. */
PGresult *gf_answer_wait(bool *silent, PGconn *pg, int sent, apr_time_t end)
{
    PGresult *last = sent ? NULL : PQmakeEmptyPGresult(pg, PGRES_FATAL_ERROR);
    PGresult *next = NULL;

    while (sent) {
        if (!wait_for_result(pg, end)) {
            *silent = true;
            PQclear(last);
            give_up(pg);
            return PQmakeEmptyPGresult(pg, PGRES_FATAL_ERROR);
        }
        next = PQgetResult(pg);
        if (!next) {
            break;
        }
        PQclear(last);
        last = next;
        if (PQstatus(pg) == CONNECTION_BAD) {
            break;
        }
    }
    return last;
}

apr_interval_time_t gf_answer_bound(PGconn *pg)
{
    static const char query[] = "SELECT (extract(epoch FROM"
                                " current_setting('statement_timeout')::interval) * 1000)::bigint";
    bool silent = false;
    apr_interval_time_t bound = 0;
    PGresult *result;

    PQsetnonblocking(pg, 1);
    result = gf_answer_wait(&silent, pg, PQsendQuery(pg, query), gf_clock_now() + GF_ANSWER_MARGIN);
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        bound = apr_time_from_msec(apr_atoi64(PQgetvalue(result, 0, 0)));
    }
    PQclear(result);
    if (PQstatus(pg) == CONNECTION_BAD) {
        return 0;
    }
    return bound ? bound + GF_ANSWER_MARGIN : GF_ANSWER_DEFAULT;
}
