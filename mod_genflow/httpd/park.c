/* SPDX-License-Identifier: Apache-2.0 */
/* A parked connection is in the MPM's state ASYNC_WAITIO. While the MPM has it, the connection's
 * socket is replaced by an epoll descriptor of ours, which holds the socket: the MPM polls ours,
 * and a ring is one epoll_ctl(). It is level-triggered, so that no ring is lost. Only the hang-up
 * of the client is watched, so that pipelined bytes do not wake it; a ring waits until the client
 * reads, so that a slow reader holds no thread. */
#include "httpd/park.h"

#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ap_mpm.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mpm_common.h>
#include <scoreboard.h>

#include "base/clock.h"
#include "httpd/glue.h"

#ifdef AP_MPMQ_CAN_WAITIO
#define CAN_WAITIO 1
#else
#define CAN_WAITIO 0
#endif

struct httpd_park_t {
    request_rec *r;
    httpd_park_resume_t resume;
    void *baton;
    int poll;   /* our epoll descriptor */
    int socket; /* the client's */
    bool is_bounded;
    int unread;           /* bytes that the client had not taken when the request was parked last */
    apr_time_t read_last; /* when it was last seen to take some, or to lack none */
};

/* What a connection keeps of its parked request. */
typedef struct seat_t {
    httpd_park_t *park; /* NULL: no request is parked */
    bool inside;        /* our hook runs the others */
    bool swapped;       /* the MPM has our descriptor in place of the socket */
} seat_t;

bool httpd_park_can(void)
{
#if CAN_WAITIO
    int can = 0;

    return ap_mpm_query(AP_MPMQ_CAN_WAITIO, &can) == APR_SUCCESS && can;
#else
    return false;
#endif
}

#if CAN_WAITIO

static seat_t *seat_of(const conn_rec *c)
{
    return ap_get_module_config(c->conn_config, &genflow_module);
}

static bool watch_for(const httpd_park_t *park, int how, unsigned events)
{
    struct epoll_event event = { .events = EPOLLRDHUP | events };

    return epoll_ctl(park->poll, how, park->socket, &event) == 0;
}

/* The connection gets its socket back. Where httpd has closed what it took for the socket, that was
 * our descriptor, and the socket is closed here. */
static void take_back(conn_rec *c, seat_t *seat)
{
    apr_socket_t *socket = ap_get_conn_socket(c);
    int held = -1;

    seat->swapped = false;
    apr_os_sock_get(&held, socket);
    if (held == seat->park->poll) {
        apr_os_sock_put(&socket, &seat->park->socket, c->pool);
    }
    else {
        close(seat->park->socket);
        seat->park->poll = -1;
    }
}

static apr_status_t close_place(void *data)
{
    httpd_park_t *park = data;
    seat_t *seat = seat_of(park->r->connection);

    if (seat->park == park && seat->swapped) {
        take_back(park->r->connection, seat);
    }
    if (park->poll >= 0) {
        close(park->poll);
    }
    if (seat->park == park) {
        seat->park = NULL;
    }
    return APR_SUCCESS;
}

httpd_park_t *httpd_park_make(request_rec *r, const gf_conf_t *conf, httpd_park_resume_t resume,
                              void *baton)
{
    conn_rec *c = r->connection;
    seat_t *seat = c->master ? NULL : seat_of(c);
    httpd_park_t *park;

    if (!seat || !seat->inside || conf->watch_mode != GF_WATCH_PARK || r->main || r->prev
        || !c->cs) {
        return NULL;
    }
    park = apr_pcalloc(r->pool, sizeof(*park));
    park->r = r;
    park->resume = resume;
    park->baton = baton;
    apr_os_sock_get(&park->socket, ap_get_conn_socket(c));
    park->poll = epoll_create1(EPOLL_CLOEXEC);
    if (park->poll < 0) {
        return NULL;
    }
    if (!watch_for(park, EPOLL_CTL_ADD, 0)) {
        close(park->poll);
        return NULL;
    }
    seat->park = park;
    apr_pool_cleanup_register(r->pool, park, close_place, apr_pool_cleanup_null);
    return park;
}

/* ---- slow readers ---- */

/* Bytes that were written, and that the client's side has not acknowledged. */
static int unread_bytes(const httpd_park_t *park)
{
    int bytes = 0;

    return ioctl(park->socket, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

apr_size_t httpd_park_room(httpd_park_t *park, int size)
{
    apr_uint32_t memory[SK_MEMINFO_VARS] = { 0 };
    socklen_t length = sizeof(memory);

    if (!park->is_bounded) {
        park->is_bounded = true;
        park->read_last = gf_clock_now();
        setsockopt(park->socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    }
    if (getsockopt(park->socket, SOL_SOCKET, SO_MEMINFO, memory, &length) != 0) {
        return (apr_size_t)size; /* Linux before 4.12 has none: a slow reader may hold a thread */
    }
    /* The other half is for what TLS, HTTP and the system add. */
    return memory[SK_MEMINFO_SNDBUF] > memory[SK_MEMINFO_WMEM_QUEUED]
               ? (memory[SK_MEMINFO_SNDBUF] - memory[SK_MEMINFO_WMEM_QUEUED]) / 2
               : 0;
}

/* Has the client read nothing of what waits for it, for httpd's Timeout? */
static bool has_stalled(httpd_park_t *park)
{
    int unread = park->is_bounded ? unread_bytes(park) : 0;

    if (unread == 0 || unread < park->unread) {
        park->read_last = gf_clock_now();
    }
    return unread > 0 && gf_clock_now() - park->read_last >= park->r->server->timeout;
}

/* Before the request is parked. httpd closes a connection that rests for its Timeout, and then
 * waits for the client to close it, too: 2 s for one that does not read, not 30 s. */
static void note_unread(httpd_park_t *park)
{
    apr_table_t *notes = park->r->connection->notes;

    park->unread = park->is_bounded ? unread_bytes(park) : 0;
    if (park->unread > 0) {
        apr_table_setn(notes, "short-lingering-close", "1");
    }
    else if (park->is_bounded) {
        apr_table_unset(notes, "short-lingering-close");
    }
}

void httpd_park_ring(void *data)
{
    watch_for(data, EPOLL_CTL_MOD, EPOLLOUT);
}

void httpd_park_end(httpd_park_t *park)
{
#ifdef SO_BUF_LOCK /* Linux 5.14: the next response may be a large one */
    int none = 0;

    if (park->is_bounded) {
        setsockopt(park->socket, SOL_SOCKET, SO_BUF_LOCK, &none, sizeof(none));
    }
#endif
    apr_pool_cleanup_run(park->r->pool, park, close_place);
}

/* ---- the connection ---- */

static void wait_for_ring(conn_rec *c)
{
    c->cs->state = CONN_STATE_ASYNC_WAITIO;
    c->cs->sense = CONN_SENSE_WANT_READ;
}

/* The MPM begins to poll the connection. */
static void park_suspend(conn_rec *c, request_rec *r)
{
    seat_t *seat = c->master ? NULL : seat_of(c);

    (void)r;
    if (seat && seat->park && !seat->swapped && c->cs->state == CONN_STATE_ASYNC_WAITIO) {
        apr_socket_t *socket = ap_get_conn_socket(c);

        apr_os_sock_put(&socket, &seat->park->poll, c->pool);
        seat->swapped = true;
    }
}

/* The MPM has stopped polling it: to process it, or to close it. */
static void park_resume(conn_rec *c, request_rec *r)
{
    seat_t *seat = c->master ? NULL : seat_of(c);

    (void)r;
    if (seat && seat->swapped) {
        take_back(c, seat);
    }
}

/* The scoreboard shows the connection at work again. */
static void show_work(const conn_rec *c, request_rec *r)
{
    ap_update_child_status(c->sbh, SERVER_BUSY_WRITE, r);
    if (ap_extended_status) {
        ap_time_process_request(c->sbh, START_PREQUEST);
    }
}

static int go_on(conn_rec *c, httpd_park_t *park)
{
    request_rec *r = park->r;
    struct epoll_event event = { .events = 0 };
    bool gone;
    int status;

    show_work(c, r);
    gone = epoll_wait(park->poll, &event, 1, 0) == 1
           && (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
    gone = gone || has_stalled(park);
    watch_for(park, EPOLL_CTL_MOD, 0); /* a ring from here on is one more */
    c->aborted = c->aborted || gone;
    status = park->resume(r, park->baton, gone);
    if (status == SUSPENDED) {
        note_unread(seat_of(c)->park); /* that one, or the next one of the request */
        wait_for_ring(c);
        return OK;
    }
    ap_die(status, r); /* OK: completes the response */
    ap_process_request_after_handler(r);
    return OK;
}

/* Runs around the hook that reads requests, which leaves a parked one in the state SUSPENDED. */
static int park_process(conn_rec *c)
{
    seat_t *seat;
    int rv;

    if (c->master || !c->cs || !httpd_park_can()) {
        return DECLINED;
    }
    seat = seat_of(c);
    if (!seat) {
        seat = apr_pcalloc(c->pool, sizeof(*seat));
        ap_set_module_config(c->conn_config, &genflow_module, seat);
    }
    if (seat->inside) {
        return DECLINED;
    }
    seat->inside = true;
    rv = seat->park ? go_on(c, seat->park) : ap_run_process_connection(c);
    seat->inside = false;
    if (seat->park && c->cs->state == CONN_STATE_SUSPENDED) {
        note_unread(seat->park);
        wait_for_ring(c);
    }
    return rv;
}

void httpd_park_register(void)
{
    ap_hook_process_connection(park_process, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_suspend_connection(park_suspend, NULL, NULL, APR_HOOK_LAST);
    ap_hook_resume_connection(park_resume, NULL, NULL, APR_HOOK_FIRST);
}

#else /* httpd before 2.4.63 */

httpd_park_t *httpd_park_make(request_rec *r, const gf_conf_t *conf, httpd_park_resume_t resume,
                              void *baton)
{
    (void)r;
    (void)conf;
    (void)resume;
    (void)baton;
    return NULL;
}

void httpd_park_ring(void *park)
{
    (void)park;
}

apr_size_t httpd_park_room(httpd_park_t *park, int size)
{
    (void)park;
    (void)size;
    return 0;
}

void httpd_park_end(httpd_park_t *park)
{
    (void)park;
}

void httpd_park_register(void)
{
}

#endif
