/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP server for the unit tests of net: one thread, one port of the kernel's choice, many
 * connections. It reads a whole request, counts it, and does what the path of the request says. It
 * can do what no decent server does: hang up without a word, promise more than it sends. */
#ifndef SERVER_H
#define SERVER_H

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <apr_atomic.h>
#include <apr_thread_proc.h>

#include "unit.h"

#define SERVER_CONNECTIONS   40
#define SERVER_REQUEST_BYTES 16384
#define SERVER_BODY          "0123456789abcdef"
#define SERVER_BLOCK         1000 /* so many bodies are sent at once */

/* What a path stands for. */
typedef struct server_row_t {
    const char *path;
    const char *answer; /* sent as it is; NULL: nothing */
    int repeat;         /* how often SERVER_BODY follows */
    bool hang_up;       /* then closes the connection */
    int lines;          /* before that sends so many of SERVER_LINE, and an empty one */
} server_row_t;

#define SERVER_LINE "X-Line: 0123456789abcdef0123456789abcdef0123456789abcdef\r\n"

#define SERVER_TYPE(status, type, length) \
    "HTTP/1.1 " status "\r\nContent-Type: " type "\r\nContent-Length: " length "\r\n\r\n"

#define SERVER_CHUNKED "HTTP/1.1 200 OK\r\nX-Kept: yes\r\nTransfer-Encoding: chunked\r\n\r\n"

static const server_row_t server_rows[] = {
    { "/hello", SERVER_TYPE("200 OK", "text/plain", "5") "hello", 0, false },
    { "/again", SERVER_TYPE("200 OK", "text/plain", "2") "ok", 0, false },
    { "/empty", "HTTP/1.1 204 No Content\r\n\r\n", 0, false },
    { "/refused",
      SERVER_TYPE("403 Forbidden", "application/json", "24") "{\"name\":\"not allowed\"}\r\n", 0,
      false },
    { "/busy", "HTTP/1.1 429 Slow Down\r\nretry-after:  7 \r\nContent-Length: 0\r\n\r\n", 0,
      false },
    { "/moved", "HTTP/1.1 302 Found\r\nLocation: /hello\r\nContent-Length: 0\r\n\r\n", 0, false },
    { "/continue",
      "HTTP/1.1 100 Continue\r\nX-Stage: first\r\n\r\n" SERVER_TYPE("200 OK", "text/plain",
                                                                    "4") "last",
      0, false },
    { "/text", SERVER_TYPE("200 OK", "text/plain", "1024"), 64, false },
    { "/picture", SERVER_TYPE("200 OK", "image/png", "1600000"), 100000, false },
    { "/Picture", SERVER_TYPE("201 Created", "IMAGE/WEBP; q=1", "16"), 1, false },
    { "/no-picture", SERVER_TYPE("500 Sorry", "image/png", "16"), 1, false },
    { "/empty-picture", SERVER_TYPE("200 OK", "image/png", "0"), 0, false },
    { "/unframed", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", 2, true },
    { "/cut", SERVER_TYPE("200 OK", "text/plain", "1000"), 2, true },
    { "/cut-picture", SERVER_TYPE("200 OK", "image/png", "1000"), 2, true },
    { "/cut-head", "HTTP/1.1 200 OK\r\nContent-Ty", 0, true },
    { "/cut-later", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Ty", 0, true },
    { "/noise", "neither HTTP nor an apology\r\n\r\n", 0, true },
    { "/trailers", SERVER_CHUNKED "2\r\nok\r\n0\r\nX-Kept: no\r\nHTTP/9: no\r\nRetry-After: 9\r\n",
      0, false, 100 },
    { "/many-trailers", SERVER_CHUNKED "2\r\nok\r\n0\r\n", 0, true, 100000 },
    { "/many-headers", "HTTP/1.1 200 OK\r\n", 0, true, 600 },
    { "/drop", NULL, 0, true },
    { "/hang", NULL, 0, false },
};

typedef struct server_connection_t {
    int fd;
    int requests;
    size_t length;                      /* of the request so far */
    char request[SERVER_REQUEST_BYTES]; /* its first bytes */
} server_connection_t;

typedef struct server_t {
    apr_thread_t *thread;
    int listener;
    int stop[2];
    int port;
    bool one_each;         /* the second request of a connection is dropped unanswered */
    apr_uint32_t requests; /* whole ones */
    apr_uint32_t connections;
    char last[SERVER_REQUEST_BYTES]; /* the last whole request */
    server_connection_t open[SERVER_CONNECTIONS];
} server_t;

/* Is there a whole request: the head, and as much body as its length says? */
static inline bool server_is_whole(const server_connection_t *connection)
{
    const char *end = strstr(connection->request, "\r\n\r\n");
    const char *length = strcasestr(connection->request, "\r\nContent-Length:");

    if (!end) {
        return false;
    }
    return !length || length > end
           || connection->length - (size_t)(end + 4 - connection->request)
                  >= (size_t)strtol(length + strlen("\r\nContent-Length:"), NULL, 10);
}

static inline void server_close(server_connection_t *connection)
{
    close(connection->fd);
    connection->fd = -1;
}

/* Sends SERVER_BODY so often; false: the other side had enough. */
static inline bool server_send_bodies(int fd, int count)
{
    char block[SERVER_BLOCK * sizeof(SERVER_BODY)];
    int i;

    for (i = 0; i < SERVER_BLOCK; i++) {
        memcpy(block + i * strlen(SERVER_BODY), SERVER_BODY, strlen(SERVER_BODY));
    }
    for (; count > 0; count -= SERVER_BLOCK) {
        size_t length = (size_t)(count < SERVER_BLOCK ? count : SERVER_BLOCK) * strlen(SERVER_BODY);

        if (send(fd, block, length, MSG_NOSIGNAL) != (ssize_t)length) {
            return false;
        }
    }
    return true;
}

static inline bool server_send_lines(int fd, int count)
{
    bool sent = true;
    int i;

    for (i = 0; sent && i < count; i++) {
        sent = send(fd, SERVER_LINE, strlen(SERVER_LINE), MSG_NOSIGNAL) > 0;
    }
    return sent && (count == 0 || send(fd, "\r\n", 2, MSG_NOSIGNAL) == 2);
}

static inline void server_answer(server_connection_t *connection, const server_row_t *row)
{
    if (row->answer) {
        send(connection->fd, row->answer, strlen(row->answer), MSG_NOSIGNAL);
    }
    if (!server_send_bodies(connection->fd, row->repeat)
        || !server_send_lines(connection->fd, row->lines)) {
        server_close(connection);
        return;
    }
    if (row->hang_up) {
        server_close(connection);
    }
}

static inline void server_serve(server_t *server, server_connection_t *connection)
{
    const char *path;
    size_t i;

    memcpy(server->last, connection->request, sizeof(server->last));
    path = strchr(server->last, ' ');
    memset(connection->request, 0, sizeof(connection->request));
    connection->length = 0;
    apr_atomic_inc32(&server->requests);
    if (server->one_each && ++connection->requests > 1) {
        server_close(connection);
        return;
    }
    for (i = 0; path && i < UNIT_COUNT(server_rows); i++) {
        size_t length = strlen(server_rows[i].path);

        if (strncmp(path + 1, server_rows[i].path, length) == 0 && path[1 + length] == ' ') {
            server_answer(connection, &server_rows[i]);
            return;
        }
    }
    server_close(connection);
}

/* Keeps the first bytes of a request and counts the others. */
static inline void server_read(server_t *server, server_connection_t *connection)
{
    char bytes[SERVER_REQUEST_BYTES];
    size_t room = sizeof(connection->request) - 1;
    ssize_t got = recv(connection->fd, bytes, sizeof(bytes), 0);

    if (got <= 0) {
        server_close(connection);
        return;
    }
    if (connection->length < room) {
        room -= connection->length;
        memcpy(connection->request + connection->length, bytes,
               room < (size_t)got ? room : (size_t)got);
    }
    connection->length += (size_t)got;
    if (server_is_whole(connection)) {
        server_serve(server, connection);
    }
}

static inline void server_accept(server_t *server)
{
    int fd = accept(server->listener, NULL, NULL);
    int i;

    for (i = 0; i < SERVER_CONNECTIONS; i++) {
        if (server->open[i].fd < 0) {
            memset(&server->open[i], 0, sizeof(server->open[i]));
            server->open[i].fd = fd;
            apr_atomic_inc32(&server->connections);
            return;
        }
    }
    close(fd);
}

static inline void *APR_THREAD_FUNC server_run(apr_thread_t *thread, void *data)
{
    server_t *server = data;
    struct pollfd watched[SERVER_CONNECTIONS + 2];
    int i;

    (void)thread;
    watched[0].fd = server->listener;
    watched[1].fd = server->stop[0];
    for (;;) {
        for (i = 0; i < SERVER_CONNECTIONS; i++) {
            watched[i + 2].fd = server->open[i].fd;
        }
        for (i = 0; i < SERVER_CONNECTIONS + 2; i++) {
            watched[i].events = POLLIN;
            watched[i].revents = 0;
        }
        if (poll(watched, SERVER_CONNECTIONS + 2, -1) < 0 || watched[1].revents) {
            return NULL;
        }
        for (i = 0; i < SERVER_CONNECTIONS; i++) {
            if (watched[i + 2].revents) {
                server_read(server, &server->open[i]);
            }
        }
        if (watched[0].revents) {
            server_accept(server);
        }
    }
}

/* A socket that listens on a port of the kernel's choice. */
static inline int server_listen(int *port, int backlog)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fd, backlog), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static inline server_t *server_start(void)
{
    server_t *server = apr_pcalloc(unit.ctx.pool, sizeof(*server));
    int i;

    for (i = 0; i < SERVER_CONNECTIONS; i++) {
        server->open[i].fd = -1;
    }
    server->listener = server_listen(&server->port, 64);
    ck_assert_int_eq(pipe(server->stop), 0);
    ck_assert_int_eq(apr_thread_create(&server->thread, NULL, server_run, server, unit.ctx.pool),
                     APR_SUCCESS);
    return server;
}

/* Ends the thread; the rest goes with the process of the test. */
static inline void server_stop(server_t *server)
{
    apr_status_t rv;

    ck_assert_int_eq((int)write(server->stop[1], "x", 1), 1);
    apr_thread_join(&rv, server->thread);
}

static inline int server_requests(server_t *server)
{
    return (int)apr_atomic_read32(&server->requests);
}

#endif
