/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit tests share: a context with pool and configuration, a log that keeps its lines, a
 * lender that has no connection, a folder, small files and pictures, and a runner that speaks TAP.
 * check forks: each test has a process and a `unit` of its own. */
#ifndef UNIT_H
#define UNIT_H

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "base/clock.h"
#include "base/json.h"
#include "model/conf.h"

#define UNIT_LINES_MAX    32
#define UNIT_TEST_SECONDS 60 /* valgrind is slow; what hangs ends all the same */
#define UNIT_PNG_BYTES    33
#define UNIT_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A line that was logged. */
typedef struct unit_line_t {
    gf_log_level_t level;
    apr_status_t rv;
    const char *file;
    int line;
    const char *text;
} unit_line_t;

/* What a test stands on. */
typedef struct unit_t {
    gf_ctx_t ctx;
    gf_conf_t conf;
    gf_log_sink_t sink;
    gf_lender_t lender;
    unit_line_t lines[UNIT_LINES_MAX]; /* what was logged, the first ones */
    int line_count;
    int taken; /* how often a connection was taken */
} unit_t;

static unit_t unit;
static char unit_folder[256]; /* of this test program; gone when it ends */

/* ---- a context ---- */

static inline void unit_keep_line(void *baton, const char *file, int line, gf_log_level_t level,
                                  apr_status_t rv, const char *text)
{
    unit_t *self = baton;
    unit_line_t *kept;

    if (self->line_count < UNIT_LINES_MAX) {
        kept = &self->lines[self->line_count];
        kept->level = level;
        kept->rv = rv;
        kept->file = file;
        kept->line = line;
        kept->text = apr_pstrdup(self->ctx.pool, text);
    }
    self->line_count++;
}

static inline bool unit_refuse_connection(gf_connection_t *connection, apr_pool_t *pool,
                                          void *baton)
{
    (void)connection;
    (void)pool;
    ((unit_t *)baton)->taken++;
    return false;
}

static inline void unit_setup(void)
{
    memset(&unit, 0, sizeof(unit));
    ck_assert_int_eq(apr_pool_create(&unit.ctx.pool, NULL), APR_SUCCESS);
    unit.sink.write = unit_keep_line;
    unit.sink.level = GF_LOG_DEBUG;
    unit.sink.baton = &unit;
    unit.lender.take = unit_refuse_connection;
    unit.lender.baton = &unit;
    unit.ctx.conf = &unit.conf;
    unit.conf.type_list = apr_array_make(unit.ctx.pool, 1, sizeof(gf_type_t *));
    unit.conf.prepare = 1;
    unit.ctx.log = &unit.sink;
    unit.ctx.lender = &unit.lender;
    unit.ctx.clock = gf_clock_now;
    unit.ctx.subject = "unit: ";
}

static inline void unit_teardown(void)
{
    apr_pool_destroy(unit.ctx.pool);
}

/* ---- small things that tests need ---- */

/* Fails with what the error says. */
static inline void unit_no_error(const gf_err_t *err)
{
    ck_assert_msg(!err, "%s: %s", err ? err->row->code : "", err ? err->detail : "");
}

/* The document of a text that is JSON. */
static inline gf_json_t *unit_json(const char *text)
{
    gf_json_t *document = NULL;
    gf_err_t *err = gf_json_parse(&document, &unit.ctx, text, strlen(text));

    ck_assert_msg(!err, "this is no JSON: %s", text);
    return document;
}

/* A copy of exactly these bytes on the heap, where ASan and valgrind see a read behind the end. */
static inline void *unit_exact(const void *bytes, apr_size_t length)
{
    void *copy = malloc(length);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, length);
    return copy;
}

/* A path in the folder of this test program. */
static inline const char *unit_path(const char *name)
{
    return apr_pstrcat(unit.ctx.pool, unit_folder, "/", name, NULL);
}

static inline void unit_write(const char *path, const void *bytes, apr_size_t length)
{
    apr_file_t *file;

    ck_assert_int_eq(apr_file_open(&file, path,
                                   APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_TRUNCATE,
                                   APR_FPROT_OS_DEFAULT, unit.ctx.pool),
                     APR_SUCCESS);
    ck_assert_int_eq(apr_file_write_full(file, bytes, length, NULL), APR_SUCCESS);
    ck_assert_int_eq(apr_file_close(file), APR_SUCCESS);
}

/* The bytes of a file with a NUL behind them; NULL: there is no such file. */
static inline char *unit_read(const char *path, apr_size_t *length)
{
    apr_finfo_t info;
    apr_file_t *file;
    char *bytes;

    if (apr_file_open(&file, path, APR_FOPEN_READ, 0, unit.ctx.pool) != APR_SUCCESS) {
        return NULL;
    }
    ck_assert_int_eq(apr_file_info_get(&info, APR_FINFO_SIZE, file), APR_SUCCESS);
    *length = (apr_size_t)info.size;
    bytes = apr_pcalloc(unit.ctx.pool, *length + 1);
    ck_assert_int_eq(apr_file_read_full(file, bytes, *length, NULL), APR_SUCCESS);
    apr_file_close(file);
    return bytes;
}

static inline bool unit_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* The head of a PNG of that size. */
static inline void unit_png(unsigned char head[UNIT_PNG_BYTES], unsigned width, unsigned height)
{
    static const unsigned char same[UNIT_PNG_BYTES] = {
        0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R', 0,
        0,    0,   0,   0,   0,    0,    0,    8,    2, 0, 0, 0,  1,   2,   3,   4
    };
    int i;

    memcpy(head, same, sizeof(same));
    for (i = 0; i < 4; i++) {
        head[16 + i] = (unsigned char)(width >> (24 - 8 * i));
        head[20 + i] = (unsigned char)(height >> (24 - 8 * i));
    }
}

/* ---- the runner ---- */

static inline int unit_remove(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline void unit_make_folder(void)
{
    const char *tmp = getenv("TMPDIR");

    apr_snprintf(unit_folder, sizeof(unit_folder), "%s/genflow-unit.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(unit_folder)) {
        perror(unit_folder);
        exit(EXIT_FAILURE);
    }
}

/* Runs the tests (NULL-ended), each between unit_setup() and unit_teardown(). TAP on standard
 * output; returns what main() has to. */
static inline int unit_run(const char *name, const TTest *const *tests)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    SRunner *runner;
    int failed;

    if (apr_initialize() != APR_SUCCESS) {
        return EXIT_FAILURE;
    }
    unit_make_folder();
    tcase_add_checked_fixture(tcase, unit_setup, unit_teardown);
    tcase_set_timeout(tcase, UNIT_TEST_SECONDS);
    for (; *tests; tests++) {
        tcase_add_test(tcase, *tests);
    }
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    nftw(unit_folder, unit_remove, 8, FTW_DEPTH | FTW_PHYS);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
