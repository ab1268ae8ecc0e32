/* SPDX-License-Identifier: Apache-2.0 */
/* Tests the spool and the folders, and counts the failures of a store over HTTP. One process at a
 * time tests; all others use its result. work/ waits, api/ answers. */
#include "store/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <apr_atomic.h>
#include <apr_file_info.h>
#include <apr_strings.h>

#include "base/clock.h"
#include "model/servers.h"
#include "store/store.h"

#define FRESH           (2 * APR_USEC_PER_SEC)  /* how long the result of a test counts */
#define TRYING          (60 * APR_USEC_PER_SEC) /* how long one process may test */
#define FAILURES        5                       /* uploads in a row that open the breaker */
#define OPEN            (10 * APR_USEC_PER_SEC)
#define REPORT_INTERVAL (20 * APR_USEC_PER_SEC)
#define RETRY_AFTER     10 /* seconds */

enum { REPORTED_NOTHING, REPORTED_OPEN, REPORTED_CLOSED };

/* Times are gf_clock_now()'s. */
struct gf_gate_t {
    volatile apr_uint64_t fresh_until;
    volatile apr_uint64_t open_until; /* the breaker: 0 closed, in the past half open */
    volatile apr_uint64_t reported_until;
    volatile apr_uint32_t reported;
    volatile apr_uint32_t failures;
    volatile apr_uint32_t refused;  /* 1: the last upload, for our key or account */
    volatile apr_uint32_t errors[]; /* of the spool, then of each type's folder; 0: it works */
};

apr_size_t gf_gate_bytes(const gf_conf_t *conf)
{
    return sizeof(gf_gate_t)
           + (apr_size_t)(1 + gf_servers_own_types(conf)->nelts) * sizeof(apr_uint32_t);
}

gf_gate_t *gf_gate_init(void *memory, const gf_conf_t *conf)
{
    return memset(memory, 0, gf_gate_bytes(conf));
}

/* ---- the disk ---- */

/* Does the file take so many bytes? 0, or errno. */
static int take_bytes(int fd, apr_int64_t bytes)
{
    struct statvfs room;

    if (write(fd, "", 1) != 1 || fstatvfs(fd, &room) < 0) {
        return errno;
    }
    if (room.f_blocks && (apr_uint64_t)room.f_bavail * room.f_frsize < (apr_uint64_t)bytes) {
        return ENOSPC;
    }
#ifdef FALLOC_FL_KEEP_SIZE /* quotas and limits of the process, too */
    if (fallocate(fd, 0, 0, bytes) < 0 && errno != EOPNOTSUPP && errno != ENOSYS
        && errno != EINTR) {
        return errno;
    }
#endif
    return 0;
}

static int try_spool(const gf_conf_t *conf, const char *spool, apr_pool_t *pool)
{
    const char *path = apr_psprintf(pool, "%s/room.%d", spool, (int)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error = fd < 0 ? errno : take_bytes(fd, conf->result_max);

    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    return error;
}

/* The folder of a type, or the one that it will be made in. */
static int try_folder(const gf_conf_t *conf, const char *folder)
{
    if (access(folder, W_OK | X_OK) == 0) {
        return 0;
    }
    return errno != ENOENT ? errno : access(conf->store_folder, W_OK | X_OK) < 0 ? errno : 0;
}

static void record_state(const gf_ctx_t *ctx, int place, int error, const char *path)
{
    gf_gate_t *gate = ctx->conf->store_gate;
    apr_uint32_t before = apr_atomic_xchg32(&gate->errors[place], (apr_uint32_t)error);

    if (error && !before) {
        gf_log(ctx, GF_LOG_ERR, error, "GF0600",
               "no picture of %" APR_INT64_T_FMT " bytes can be stored in %s (errno %d): nothing "
               "is sent to providers for it and requests get 503 until it works; make room there, "
               "see its owner and that it is not mounted read-only",
               ctx->conf->result_max, path, error);
    }
    else if (!error && before) {
        gf_log(ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0601", "pictures can be stored in %s again",
               path);
    }
}

static const char *spool_of(const gf_ctx_t *ctx)
{
    return apr_pstrcat(ctx->pool, ctx->conf->store_folder, "/" GF_STORE_SPOOL, NULL);
}

static void try_all(gf_ctx_t *ctx)
{
    const gf_conf_t *conf = ctx->conf;
    gf_gate_t *gate = conf->store_gate;
    apr_uint64_t now = (apr_uint64_t)gf_clock_now();
    apr_uint64_t until = apr_atomic_read64(&gate->fresh_until);
    const apr_array_header_t *types = gf_servers_own_types(conf);
    const char *spool = spool_of(ctx);
    int i;

    if (until > now || apr_atomic_cas64(&gate->fresh_until, now + TRYING, until) != until) {
        return;
    }
    record_state(ctx, 0, try_spool(conf, spool, ctx->pool), spool);
    for (i = 0; conf->store->put && i < types->nelts; i++) {
        const char *folder =
            gf_store_fs_path(conf, APR_ARRAY_IDX(types, i, gf_type_t *)->name, ctx->pool);

        record_state(ctx, 1 + i, try_folder(conf, folder), folder);
    }
    apr_atomic_set64(&gate->fresh_until, (apr_uint64_t)gf_clock_now() + FRESH);
}

void gf_gate_failed(const gf_ctx_t *ctx, apr_status_t rv, const char *path)
{
    if (ctx->conf->store_gate) {
        apr_atomic_set64(&ctx->conf->store_gate->fresh_until, (apr_uint64_t)gf_clock_now() + FRESH);
        record_state(ctx, 0, rv, path);
    }
}

/* ---- a store over HTTP ---- */

/* Half open: the first caller that takes it tries. */
static bool may_try(gf_gate_t *gate, bool takes)
{
    apr_uint64_t now = (apr_uint64_t)gf_clock_now();
    apr_uint64_t until = apr_atomic_read64(&gate->open_until);

    return until == 0
           || (until <= now
               && (!takes || apr_atomic_cas64(&gate->open_until, now + OPEN, until) == until));
}

bool gf_gate_uploads(const gf_conf_t *conf)
{
    return !conf->store_gate || may_try(conf->store_gate, true);
}

void gf_gate_answered(const gf_ctx_t *ctx, bool stored)
{
    gf_gate_t *gate = ctx->conf->store_gate;
    apr_uint64_t until = gate ? apr_atomic_read64(&gate->open_until) : 0;

    if (!gate) {
        return;
    }
    if (stored) {
        apr_atomic_set32(&gate->failures, 0);
        apr_atomic_set32(&gate->refused, 0);
        if (until && apr_atomic_cas64(&gate->open_until, 0, until) == until) {
            gf_log(ctx, GF_LOG_NOTICE, APR_SUCCESS, "GF0603", "the breaker of the store closed");
        }
    }
    else if (apr_atomic_inc32(&gate->failures) + 1 >= FAILURES
             && apr_atomic_cas64(&gate->open_until, (apr_uint64_t)gf_clock_now() + OPEN, until)
                    == until
             && until == 0) {
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0604",
               "the breaker of the store opened after %d failures in a row%s; GF0410 and GF0411 "
               "have its words",
               FAILURES,
               ctx->conf->store_strict ? ": nothing is sent to providers until it answers"
                                       : ": pictures are stored later");
    }
}

void gf_gate_refused(const gf_conf_t *conf)
{
    if (conf->store_gate) {
        apr_atomic_set32(&conf->store_gate->refused, 1);
    }
}

/* ---- the answer ---- */

static int place_of(const gf_conf_t *conf, const gf_type_t *type)
{
    const apr_array_header_t *types = gf_servers_own_types(conf);
    int i;

    for (i = 0; i < types->nelts; i++) {
        if (APR_ARRAY_IDX(types, i, gf_type_t *) == type) {
            return 1 + i;
        }
    }
    return 0;
}

static gf_err_t *store_closed(gf_ctx_t *ctx, apr_status_t rv, const char *why)
{
    gf_err_t *err = gf_err_make(ctx, GF_E_STORE_CLOSED, rv, "%s", why);

    err->retry_after = RETRY_AFTER;
    return err;
}

/* `ctx` is of the configuration that defines the type. */
static gf_err_t *check_type(gf_ctx_t *ctx, const gf_type_t *type, bool sends)
{
    const gf_conf_t *conf = ctx->conf;
    gf_gate_t *gate = conf->store_gate;
    apr_uint32_t error;

    if (!gate) {
        return NULL;
    }
    try_all(ctx);
    error = apr_atomic_read32(&gate->errors[0]);
    if (error) {
        return store_closed(ctx, (apr_status_t)error, spool_of(ctx));
    }
    error = apr_atomic_read32(&gate->errors[place_of(conf, type)]);
    if (error) {
        return store_closed(ctx, (apr_status_t)error,
                            gf_store_fs_path(conf, type->name, ctx->pool));
    }
    return conf->store_strict && !may_try(gate, sends)
               ? store_closed(ctx, APR_SUCCESS, "the breaker of the store is open")
               : NULL;
}

gf_err_t *gf_gate_check(gf_ctx_t *ctx, const gf_type_t *type, bool sends)
{
    gf_ctx_t own = *ctx;

    own.conf = gf_servers_of_type(ctx->conf, type);
    return check_type(&own, type, sends);
}

bool gf_gate_is_open(gf_ctx_t *ctx, const gf_type_t *type)
{
    const gf_conf_t *conf = gf_servers_of_type(ctx->conf, type);
    bool tries = conf->store_gate && conf->store_strict
                 && apr_atomic_read64(&conf->store_gate->open_until) != 0;

    return !tries && !gf_gate_check(ctx, type, false);
}

/* Tests if it is time to; the errno of the first folder that does not work, and its place among the
 * errors; 0: all work. */
static int first_error(int *place, gf_ctx_t *ctx)
{
    int count = 1 + gf_servers_own_types(ctx->conf)->nelts;
    int error = 0;

    try_all(ctx);
    for (*place = 0; *place < count; ++*place) {
        error = (int)apr_atomic_read32(&ctx->conf->store_gate->errors[*place]);
        if (error) {
            break;
        }
    }
    return error;
}

const char *gf_gate_closed(gf_ctx_t *ctx)
{
    const gf_conf_t *conf = ctx->conf;
    const apr_array_header_t *types = gf_servers_own_types(conf);
    char why[120];
    int place;
    int error;

    if (!conf->store_gate) {
        return NULL;
    }
    error = first_error(&place, ctx);
    if (error) {
        return apr_psprintf(ctx->pool, "%s/%s: %s", conf->store_folder,
                            place ? APR_ARRAY_IDX(types, place - 1, gf_type_t *)->name
                                  : GF_STORE_SPOOL,
                            apr_strerror(error, why, sizeof(why)));
    }
    return apr_atomic_read64(&conf->store_gate->open_until) ? "the store fails uploads" : NULL;
}

static const char *word_of(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return "store_full";
    case EACCES:
    case EPERM:
    case EROFS:
        return "store_read_only";
    case ENOENT:
    case ENOTDIR:
        return "store_missing";
    default:
        return "store_fails";
    }
}

const char *gf_gate_word(gf_ctx_t *ctx)
{
    gf_gate_t *gate = ctx->conf->store_gate;
    int place;
    int error;

    if (!gate) {
        return NULL;
    }
    error = first_error(&place, ctx);
    if (error) {
        return word_of(error);
    }
    if (apr_atomic_read32(&gate->refused)) {
        return "store_refuses";
    }
    return apr_atomic_read64(&gate->open_until) ? "store_fails" : NULL;
}

/* ---- reports to the database ---- */

bool gf_gate_report_due(const gf_conf_t *conf, bool closed_now)
{
    gf_gate_t *gate = conf->store_gate;
    apr_uint64_t now = (apr_uint64_t)gf_clock_now();
    apr_uint32_t state = closed_now ? REPORTED_CLOSED : REPORTED_OPEN;

    if (!gate
        || (apr_atomic_read32(&gate->reported) == state
            && (!closed_now || apr_atomic_read64(&gate->reported_until) > now))) {
        return false;
    }
    apr_atomic_set64(&gate->reported_until, now + REPORT_INTERVAL);
    apr_atomic_set32(&gate->reported, state);
    return true;
}

void gf_gate_report_failed(const gf_conf_t *conf)
{
    apr_atomic_set32(&conf->store_gate->reported, REPORTED_NOTHING);
}
