/* SPDX-License-Identifier: Apache-2.0 */
/* Drives libcurl's multi interface by sockets (multi_socket_action) on one epoll: an eighth of the
 * CPU of curl_multi_poll. Pictures are streamed into spool files and from files that are sent;
 * other answers stay in memory, all within limits. Runs on the dispatcher thread. */
#include "net/net.h"

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <curl/curl.h>

#include "base/clock.h"
#include "base/text.h"
#include "net/body.h"
#include "net/guard.h"

#define EVENTS_MAX           64
#define NO_TIMER             ((apr_time_t)-1)
#define NO_BELL              (-1)
#define IDLE_CONNECTIONS_MAX 32
#define HEAD_BYTES           65536 /* of header fields and trailers, ... */
#define HEAD_LINES           500   /* ... and their number */
#define ONCE_BUFFER          4096  /* bytes that curl reads at once of the answer to a submission */
#define ANSWER_FIELDS        16
#define FILE_BUFFER          65536 /* bytes that are written at once to a spool file */

struct gf_net_t {
    apr_pool_t *pool;
    CURLM *multi;
    int epoll;
    int bell;
    int shared_bell;         /* gf_net_add_bell(); or NO_BELL */
    apr_time_t timer;        /* the time of curl's next call without an event */
    struct exchange_t *open; /* all, doubly linked */
    int count;               /* of them */
    bool has_done;           /* one of them has ended before the wait */
};

/* The net's data of a message; lives in the message's pool. */
typedef struct exchange_t {
    gf_net_t *net;
    gf_msg_t *msg;
    apr_pool_t *answer; /* below the message's pool; NULL: nothing was answered */
    CURL *easy;
    gf_body_t body;
    struct curl_slist *headers;
    apr_file_t *file;
    char *text;
    apr_size_t text_size;
    bool too_large;
    bool head_done; /* the empty line after the header fields was received */
    apr_size_t head_bytes, head_lines;
    char error[CURL_ERROR_SIZE];
    struct exchange_t *next, *previous;
} exchange_t;

apr_status_t gf_net_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? APR_SUCCESS : APR_EGENERAL;
}

/* ---- curl reports its sockets and its timer ---- */

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *baton, void *known)
{
    gf_net_t *net = baton;
    struct epoll_event event = { .events = 0, .data.fd = socket };

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(net->epoll, EPOLL_CTL_DEL, socket, &event);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    epoll_ctl(net->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event);
    curl_multi_assign(net->multi, socket, net); /* any non-NULL: this socket is known */
    return 0;
}

static int on_timer(CURLM *multi, long milliseconds, void *baton)
{
    gf_net_t *net = baton;

    (void)multi;
    net->timer = milliseconds < 0 ? NO_TIMER : gf_clock_now() + milliseconds * 1000;
    return 0;
}

/* ---- an answer arrives ---- */

static apr_pool_t *answer_pool(exchange_t *exchange)
{
    if (!exchange->answer) {
        apr_pool_create(&exchange->answer, exchange->msg->pool);
    }
    return exchange->answer;
}

static const char *trimmed_value(char *value)
{
    char *end = value + strlen(value);

    while (end > value && apr_isspace(end[-1])) {
        *--end = '\0';
    }
    return value + strspn(value, " \t");
}

/* Header blocks and trailers count together. Trailers are dropped. */
static size_t on_header(char *line, size_t size, size_t count, void *baton)
{
    exchange_t *exchange = baton;
    gf_msg_t *msg = exchange->msg;
    size_t length = size * count;
    bool first = length > 5 && strncmp(line, "HTTP/", 5) == 0;
    char *value = NULL;

    exchange->head_bytes += length;
    exchange->too_large = exchange->head_bytes > HEAD_BYTES || ++exchange->head_lines > HEAD_LINES;
    if (exchange->too_large
        || (exchange->head_done && (!first || *msg->text || msg->spooled > 0))) {
        return exchange->too_large ? 0 : length;
    }
    if (first) { /* a new header block, after 100 Continue */
        msg->answer = apr_table_make(answer_pool(exchange), ANSWER_FIELDS);
    }
    exchange->head_done = line[0] == '\r' || line[0] == '\n';
    line = apr_pstrmemdup(answer_pool(exchange), line, length);
    if ((value = strchr(line, ':')) && !first) {
        *value++ = '\0';
        apr_table_set(msg->answer, line, trimmed_value(value));
    }
    return length;
}

/* A picture goes to its spool file if one is named; everything else stays in memory. */
static bool is_picture(exchange_t *exchange)
{
    const char *type = apr_table_get(exchange->msg->answer, "Content-Type");
    long status = 0;

    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    return exchange->msg->spool && status / 100 == 2
           && (exchange->msg->spool_any || (type && strncasecmp(type, "image/", 6) == 0));
}

static size_t to_file(exchange_t *exchange, const char *bytes, size_t length)
{
    gf_msg_t *msg = exchange->msg;

    if (msg->spooled + (apr_int64_t)length > msg->file_max) {
        exchange->too_large = true;
        return 0;
    }
    exchange->msg->spool_rv = apr_file_write_full(exchange->file, bytes, length, NULL);
    if (exchange->msg->spool_rv != APR_SUCCESS) {
        return 0;
    }
    msg->spooled += (apr_int64_t)length;
    return length;
}

static size_t to_text(exchange_t *exchange, const char *bytes, size_t length)
{
    gf_msg_t *msg = exchange->msg;

    if (msg->text_length + length > msg->text_max) {
        exchange->too_large = true;
        return 0;
    }
    if (msg->text_length + length > exchange->text_size) {
        apr_size_t size = (msg->text_length + length) * 2;
        char *text = apr_palloc(answer_pool(exchange), size + 1);

        memcpy(text, msg->text, msg->text_length);
        exchange->text = text;
        exchange->text_size = size;
        msg->text = text;
    }
    memcpy(exchange->text + msg->text_length, bytes, length);
    msg->text_length += length;
    exchange->text[msg->text_length] = '\0';
    return length;
}

static apr_status_t open_file(exchange_t *exchange)
{
    apr_pool_t *pool = answer_pool(exchange);
    apr_status_t rv = apr_file_open(&exchange->file, exchange->msg->spool,
                                    APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_TRUNCATE
                                        | APR_FOPEN_BINARY | APR_FOPEN_BUFFERED,
                                    APR_FPROT_OS_DEFAULT, pool);

    return rv == APR_SUCCESS
               ? apr_file_buffer_set(exchange->file, apr_palloc(pool, FILE_BUFFER), FILE_BUFFER)
               : rv;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *baton)
{
    exchange_t *exchange = baton;
    gf_msg_t *msg = exchange->msg;

    if (msg->spooled < 0 && msg->text_length == 0 && is_picture(exchange)) {
        msg->spool_rv = open_file(exchange);
        if (msg->spool_rv != APR_SUCCESS) {
            return 0;
        }
        msg->spooled = 0;
    }
    return msg->spooled >= 0 ? to_file(exchange, bytes, size * count)
                             : to_text(exchange, bytes, size * count);
}

/* ---- an exchange begins and ends ---- */

static int add_header(void *baton, const char *name, const char *value)
{
    exchange_t *exchange = baton;

    exchange->headers = curl_slist_append(
        exchange->headers, apr_pstrcat(exchange->msg->pool, name, ": ", value, NULL));
    return 1;
}

/* No header "Expect: 100-continue". curl 7.88 signs every header field of its list, also the empty
 * one that removes "Expect", which no server could verify: in a signed request it stays. */
static void set_signature(exchange_t *exchange)
{
    gf_msg_t *msg = exchange->msg;
    CURL *easy = exchange->easy;

    if (msg->sigv4) {
        curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, msg->sigv4);
        curl_easy_setopt(easy, CURLOPT_USERPWD, msg->credentials);
        curl_easy_setopt(easy, CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);
    }
    else {
        exchange->headers = curl_slist_append(exchange->headers, "Expect:");
    }
}

static void set_request(exchange_t *exchange)
{
    gf_msg_t *msg = exchange->msg;
    CURL *easy = exchange->easy;
    const char *type;

    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
                     strcmp(msg->method, "GET") == 0 ? NULL : msg->method);
    type = gf_body_set(&exchange->body, easy, msg);
    if (type) {
        exchange->headers = curl_slist_append(exchange->headers, type);
    }
    /* Without what it is to send an exchange gets no address: it ends before it begins. */
    curl_easy_setopt(easy, CURLOPT_URL, exchange->body.unread ? NULL : msg->url);
    apr_table_do(add_header, exchange, msg->headers, NULL);
    set_signature(exchange);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
}

/* Never 0, which is "without end" to curl. */
static long to_milliseconds(apr_interval_time_t time)
{
    return (long)apr_time_as_msec(time) + 1;
}

static void set_limits(exchange_t *exchange)
{
    gf_msg_t *msg = exchange->msg;
    CURL *easy = exchange->easy;

    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Without this option an exchange that ends during its name lookup would block all others until
     * the name server answers. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, to_milliseconds(msg->connect_timeout));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, to_milliseconds(msg->timeout));
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mod_genflow/" GENFLOW_VERSION);
    if (msg->once) {
        /* It may wait for minutes, and many do. */
        curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)ONCE_BUFFER);
        /* When a reused connection closes without an answer, curl repeats the request by itself:
         * that would be a second paid run. On a new connection it does not. */
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    }
}

static void set_answer(exchange_t *exchange)
{
    CURL *easy = exchange->easy;

    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
}

static void release_exchange(exchange_t *exchange)
{
    gf_net_t *net = exchange->net;

    curl_multi_remove_handle(net->multi, exchange->easy);
    curl_easy_cleanup(exchange->easy);
    gf_body_end(&exchange->body);
    curl_slist_free_all(exchange->headers);
    if (exchange->file) {
        apr_file_close(exchange->file);
        exchange->file = NULL;
    }
    if (exchange->previous) {
        exchange->previous->next = exchange->next;
    }
    else {
        net->open = exchange->next;
    }
    if (exchange->next) {
        exchange->next->previous = exchange->previous;
    }
    net->count--;
    exchange->easy = NULL;
}

void gf_net_free_answer(const gf_msg_t *msg)
{
    exchange_t *exchange = msg->net;

    if (exchange && exchange->answer) {
        apr_pool_destroy(exchange->answer);
        exchange->answer = NULL;
    }
}

/* Opens the socket for an address that curl is about to connect to, if it may be one. */
static curl_socket_t on_open(void *baton, curlsocktype purpose, struct curl_sockaddr *address)
{
    exchange_t *exchange = baton;

    (void)purpose;
    if (!gf_guard_allows(&address->addr, exchange->msg->allowed)) {
        exchange->msg->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A guarded exchange has a connection of its own: a reused one was opened for another address. */
static void set_guard(exchange_t *exchange)
{
    if (exchange->msg->guarded) {
        curl_easy_setopt(exchange->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
        curl_easy_setopt(exchange->easy, CURLOPT_OPENSOCKETDATA, exchange);
        curl_easy_setopt(exchange->easy, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(exchange->easy, CURLOPT_FORBID_REUSE, 1L);
        curl_easy_setopt(exchange->easy, CURLOPT_PROXY, ""); /* a proxy would connect for us */
    }
}

void gf_net_start(gf_net_t *net, gf_msg_t *msg)
{
    exchange_t *exchange = apr_pcalloc(msg->pool, sizeof(*exchange));

    exchange->net = net;
    exchange->msg = msg;
    exchange->easy = curl_easy_init();
    exchange->next = net->open;
    if (net->open) {
        net->open->previous = exchange;
    }
    net->open = exchange;
    net->count++;
    msg->net = exchange;
    set_request(exchange);
    set_limits(exchange);
    set_guard(exchange);
    set_answer(exchange);
    curl_multi_add_handle(net->multi, exchange->easy);
}

void gf_net_cancel(gf_net_t *net, gf_msg_t *msg)
{
    (void)net;
    msg->end = GF_MSG_CANCELLED;
    release_exchange(msg->net);
}

/* Did request bytes leave? Then a missing answer does not show whether the other side acted. */
static bool was_sent(CURL *easy)
{
    long request_bytes = 0;

    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    return request_bytes > 0;
}

static void end_exchange(exchange_t *exchange, CURLcode code)
{
    const char *why = exchange->error[0] ? exchange->error : curl_easy_strerror(code);
    gf_msg_t *msg = exchange->msg;
    apr_pool_t *pool;
    long status = 0;

    if (code == CURLE_OK && exchange->file) {
        msg->spool_rv = apr_file_flush(exchange->file);
        code = msg->spool_rv == APR_SUCCESS ? code : CURLE_WRITE_ERROR;
    }
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    msg->status = (int)status;
    if (code == CURLE_OK && status > 0 && exchange->head_done) {
        msg->end = GF_MSG_ANSWERED;
        return;
    }
    msg->timed_out = code == CURLE_OPERATION_TIMEDOUT;
    msg->end = exchange->too_large        ? GF_MSG_TOO_LARGE
               : was_sent(exchange->easy) ? GF_MSG_UNKNOWN
                                          : GF_MSG_NOT_SENT;
    msg->unreached = msg->end == GF_MSG_NOT_SENT && !msg->refused && !exchange->body.unread;
    pool = answer_pool(exchange);
    msg->detail = msg->refused ? "the address is not public, and this site does not allow it"
                  : exchange->too_large ? "the answer is larger than allowed"
                  : msg->spool_rv != APR_SUCCESS
                      ? apr_psprintf(pool, "cannot write %s: error %d", msg->spool, msg->spool_rv)
                  : exchange->body.unread
                      ? apr_psprintf(pool, "cannot read %s: error %d", exchange->body.unread,
                                     exchange->body.unread_rv)
                      : gf_text_redact(pool, why, strlen(why), CURL_ERROR_SIZE, NULL);
}

gf_msg_t *gf_net_next_done(gf_net_t *net)
{
    CURLMsg *done;
    int left;

    while ((done = curl_multi_info_read(net->multi, &left))) {
        if (done->msg == CURLMSG_DONE) {
            exchange_t *exchange = NULL;
            gf_msg_t *msg;

            curl_easy_getinfo(done->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
            msg = exchange->msg;
            end_exchange(exchange, done->data.result);
            release_exchange(exchange);
            return msg;
        }
    }
    return NULL;
}

/* ---- the wait ---- */

static int wait_milliseconds(const gf_net_t *net, apr_interval_time_t timeout)
{
    if (net->timer != NO_TIMER) {
        apr_interval_time_t left = net->timer - gf_clock_now();

        timeout = left < timeout ? left : timeout;
    }
    return timeout <= 0 ? 0 : (int)((timeout + 999) / 1000);
}

static void act_on_timer(gf_net_t *net)
{
    int running;

    if (net->timer != NO_TIMER && net->timer <= gf_clock_now()) {
        net->timer = NO_TIMER;
        curl_multi_socket_action(net->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        net->has_done = net->has_done || running < net->count;
    }
}

/* True: the bell rings. */
static bool act_on_events(gf_net_t *net, const struct epoll_event *events, int count)
{
    bool rings = false;
    int running;
    int i;

    for (i = 0; i < count; i++) {
        int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0)
                   | (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
                   | (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

        if (events[i].data.fd == net->bell) {
            rings = true;
        }
        else if (events[i].data.fd != net->shared_bell) {
            curl_multi_socket_action(net->multi, events[i].data.fd, what, &running);
        }
    }
    return rings;
}

/* The timer of an exchange that has just begun is due at once. */
bool gf_net_wait(gf_net_t *net, apr_interval_time_t timeout)
{
    struct epoll_event events[EVENTS_MAX];
    bool rings;
    int count;

    act_on_timer(net);
    count = epoll_wait(net->epoll, events, EVENTS_MAX,
                       net->has_done ? 0 : wait_milliseconds(net, timeout));
    net->has_done = false;
    rings = act_on_events(net, events, count);
    act_on_timer(net);
    net->has_done = false;
    return rings;
}

apr_status_t gf_net_add_bell(gf_net_t *net, int bell)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = bell };

    net->shared_bell = bell;
    return epoll_ctl(net->epoll, EPOLL_CTL_ADD, bell, &event) == 0 ? APR_SUCCESS
                                                                   : apr_get_os_error();
}

static apr_status_t end_net(void *data)
{
    gf_net_t *net = data;

    while (net->open) {
        gf_net_cancel(net, net->open->msg);
    }
    curl_multi_cleanup(net->multi);
    close(net->epoll);
    return APR_SUCCESS;
}

apr_status_t gf_net_make(gf_net_t **out, apr_pool_t *pool, int bell)
{
    gf_net_t *net = apr_pcalloc(pool, sizeof(*net));
    struct epoll_event event = { .events = EPOLLIN, .data.fd = bell };

    net->pool = pool;
    net->bell = bell;
    net->shared_bell = NO_BELL;
    net->timer = NO_TIMER;
    net->epoll = epoll_create1(EPOLL_CLOEXEC);
    net->multi = curl_multi_init();
    if (net->epoll < 0 || !net->multi
        || (bell != NO_BELL && epoll_ctl(net->epoll, EPOLL_CTL_ADD, bell, &event) < 0)) {
        return APR_EGENERAL;
    }
    curl_multi_setopt(net->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(net->multi, CURLMOPT_SOCKETDATA, net);
    curl_multi_setopt(net->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(net->multi, CURLMOPT_TIMERDATA, net);
    curl_multi_setopt(net->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS_MAX);
    apr_pool_pre_cleanup_register(pool, net, end_net); /* messages are in pools below */
    *out = net;
    return APR_SUCCESS;
}

apr_status_t gf_net_perform(gf_msg_t *msg)
{
    apr_pool_t *pool;
    gf_net_t *net;
    apr_status_t rv;

    apr_pool_create(&pool, msg->pool);
    rv = gf_net_make(&net, pool, NO_BELL);
    if (rv == APR_SUCCESS) {
        gf_net_start(net, msg);
        while (!gf_net_next_done(net)) {
            gf_net_wait(net, msg->timeout);
        }
    }
    apr_pool_destroy(pool);
    return rv;
}
