/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the orders of a test at an injection point, and carries them out. Only a build with
 * --enable-injection-points has this file. A file's first line is the order:
 *
 *     ACTION PASS ARGUMENT     kill, wait, fail or delay; at which pass (0: at each); the error's
 *                              symbol in base/err_table.h, or milliseconds
 *
 * Behind it each pass appends "pass PID", and the one that carries the order out "reached PID". A
 * wait is over once the test has appended "release", or the file is gone. */
#include "base/inject.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/clock.h"

#define TEXT_MAX   4096                   /* of a file of orders */
#define LINE_BYTES 64                     /* of a line that is appended */
#define WHO_MAX    100                    /* bytes of a subject: longer ones are none */
#define PAUSE      (5 * 1000)             /* microseconds between two looks for a release */
#define HANG       apr_time_from_sec(600) /* a wait that nobody ends is a bug of the test */

/* ---- the folder ---- */

/* NULL: no test gives orders to this process. */
static const char *orders_folder(void)
{
    const char *folder = getenv("GENFLOW_INJECT");
    struct stat info;

    return folder && stat(folder, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == geteuid()
                   && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0
               ? folder
               : NULL;
}

/* Its file is armed for that subject; characters that a name cannot have are "_" there. -1: it is
 * not. */
static int open_orders(const char *point, const char *who, apr_size_t length, apr_pool_t *pool)
{
    char *path = apr_psprintf(pool, "%s@%.*s", point, (int)length, who);
    char *at;

    for (at = path + strlen(point) + 1; *at; at++) {
        if (!apr_isalnum(*at) && !strchr("._-*", *at)) {
            *at = '_';
        }
    }
    return open(path, O_RDWR | O_APPEND | O_CLOEXEC);
}

static int open_for_values(const char *point, const char *const *values, int count,
                           apr_pool_t *pool)
{
    int fd = -1;
    int i;

    for (i = 0; fd < 0 && i < count; i++) {
        apr_size_t length = values[i] ? strlen(values[i]) : 0;

        if (length > 0 && length <= WHO_MAX) {
            fd = open_orders(point, values[i], length, pool);
        }
    }
    return fd;
}

/* The words behind "=" of "job=... type=... user=...: ". */
static int open_for_subject(const char *point, const char *subject, apr_pool_t *pool)
{
    const char *at = subject;
    int fd = -1;

    while (fd < 0 && at && (at = strchr(at, '='))) {
        apr_size_t length = strcspn(++at, " :");

        if (length > 0 && length <= WHO_MAX) {
            fd = open_orders(point, at, length, pool);
        }
    }
    return fd;
}

/* "pid-" and this process, or its parent: any child of one httpd. */
static int open_for_process(const char *point, apr_pool_t *pool)
{
    const char *own = apr_psprintf(pool, "pid-%d", (int)getpid());
    const char *parent = apr_psprintf(pool, "pid-%d", (int)getppid());
    int fd = open_orders(point, own, strlen(own), pool);

    return fd < 0 ? open_orders(point, parent, strlen(parent), pool) : fd;
}

/* ---- an order ---- */

typedef struct order_t {
    char action[8];
    int pass;
    char argument[64];
} order_t;

static void append(int fd, const char *word)
{
    char line[LINE_BYTES];
    int length = apr_snprintf(line, sizeof(line), "%s %d\n", word, (int)getpid());

    if (write(fd, line, (size_t)length) != length) {
        abort();
    }
}

static void read_text(char *text, int fd)
{
    ssize_t length = pread(fd, text, TEXT_MAX - 1, 0);

    text[length > 0 ? length : 0] = '\0';
}

static int passes_of(const char *text)
{
    int passes = 0;

    for (; (text = strstr(text, "\npass ")); text++) {
        passes++;
    }
    return passes;
}

/* Notes the pass. True: the order is for this one. */
static bool take_order(order_t *order, int fd)
{
    char text[TEXT_MAX];
    bool is_mine;

    flock(fd, LOCK_EX);
    read_text(text, fd);
    order->argument[0] = '\0';
    if (sscanf(text, "%7s %d %63s", order->action, &order->pass, order->argument) < 2) {
        abort(); /* Genflow::Inject writes no such file */
    }
    append(fd, "pass");
    is_mine = order->pass == 0 || order->pass == passes_of(text) + 1;
    if (is_mine) {
        append(fd, "reached");
    }
    flock(fd, LOCK_UN);
    return is_mine;
}

static void wait_for_release(int fd)
{
    apr_time_t end = gf_clock_now() + HANG;
    char text[TEXT_MAX];
    struct stat info;

    for (;;) {
        read_text(text, fd);
        if (strstr(text, "\nrelease") || fstat(fd, &info) < 0 || info.st_nlink == 0) {
            return;
        }
        if (gf_clock_now() > end) {
            abort();
        }
        gf_clock_pause(PAUSE);
    }
}

static gf_err_t *ordered_error(const gf_ctx_t *ctx, const char *symbol, const char *point)
{
    static const char *const symbols[] = {
#define GF_ERR(symbol, code, http, level, tag, text) #symbol,
#include "base/err_table.h"
#undef GF_ERR
    };
    gf_err_t *err;
    int code;

    for (code = 0; code < GF_E_COUNT && strcmp(symbols[code], symbol) != 0; code++) {
    }
    if (code == GF_E_COUNT) {
        abort();
    }
    err = gf_err_make(ctx, (gf_err_code_t)code, APR_SUCCESS, "injected at %s", point);
    err->retry_after = 1;
    return err;
}

static gf_err_t *carry_out(const order_t *order, const gf_ctx_t *ctx, int fd, const char *point)
{
    if (strcmp(order->action, "kill") == 0) {
        kill(getpid(), SIGKILL);
    }
    else if (strcmp(order->action, "wait") == 0) {
        wait_for_release(fd);
    }
    else if (strcmp(order->action, "delay") == 0) {
        gf_clock_pause(apr_time_from_msec(apr_atoi64(order->argument)));
    }
    else if (strcmp(order->action, "fail") == 0) {
        return ordered_error(ctx, order->argument, point);
    }
    else {
        abort();
    }
    return NULL;
}

gf_err_t *gf_inject_at(const gf_ctx_t *ctx, const char *edge, const char *side,
                       const char *const *values, int count)
{
    const char *folder = orders_folder();
    gf_err_t *err = NULL;
    apr_pool_t *pool;
    const char *point;
    order_t order;
    int fd;

    if (!folder) {
        return NULL;
    }
    apr_pool_create(&pool, ctx->pool);
    point = apr_psprintf(pool, "%s/%s.%s", folder, edge, side);
    if (access(point, F_OK)
        == 0) { /* a file without a subject says that one with a subject may be */
        fd = open_for_values(point, values, count, pool);
        fd = fd < 0 ? open_for_subject(point, ctx->subject, pool) : fd;
        fd = fd < 0 ? open_for_process(point, pool) : fd;
        fd = fd < 0 ? open_orders(point, "*", 1, pool) : fd;
        if (fd >= 0) {
            err = take_order(&order, fd) ? carry_out(&order, ctx, fd, point) : NULL;
            close(fd);
        }
    }
    apr_pool_destroy(pool);
    return err;
}

gf_err_t *gf_inject_state(const gf_ctx_t *ctx, const char *kind, const char *state,
                          const char *side)
{
    char *edge = apr_pstrcat(ctx->pool, kind, ".", state, NULL);
    char *at;

    for (at = edge; *at; at++) {
        *at = apr_tolower(*at);
    }
    return gf_inject_at(ctx, edge, side, NULL, 0);
}
