/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets share. With clang (support/check --fuzz) libFuzzer brings main() and the
 * inputs; in `make check` the main() here replays t/fuzz/corpus/<target>/ and speaks TAP. A target
 * defines FUZZ_NAME before it includes this, and fuzz_one(). */
#ifndef FUZZ_H
#define FUZZ_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_network_io.h>
#include <apr_strings.h>

#include "base/err.h"
#include "base/json.h"
#include "base/text.h"
#include "model/conf.h"

#define FUZZ_SECRET "sk-secret-of-the-site"

/* What must hold, whatever the input is. */
#define FUZZ_HOLDS(condition)                                               \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

/* The context of one input, and what is left of it. */
typedef struct fuzz_t {
    gf_ctx_t ctx;
    gf_conf_t conf;
    gf_log_sink_t sink;
    const char *at;
    size_t left;
} fuzz_t;

static fuzz_t fuzz;
static apr_pool_t *fuzz_pool;

static void fuzz_one(void);

static inline void fuzz_drop_line(void *baton, const char *file, int line, gf_log_level_t level,
                                  apr_status_t rv, const char *text)
{
    (void)baton;
    (void)file;
    (void)line;
    (void)level;
    (void)rv;
    (void)text;
}

static inline void fuzz_begin(void)
{
    if (!fuzz_pool) {
        FUZZ_HOLDS(apr_initialize() == APR_SUCCESS);
        apr_pool_create(&fuzz_pool, NULL);
    }
    memset(&fuzz, 0, sizeof(fuzz));
    apr_pool_create(&fuzz.ctx.pool, fuzz_pool);
    fuzz.conf.asset_max = 1 << 20;
    fuzz.conf.asset_pixels_max = 1 << 20;
    fuzz.conf.pixels_max = 1 << 20;
    fuzz.conf.providers = apr_hash_make(fuzz.ctx.pool);
    fuzz.conf.types = apr_hash_make(fuzz.ctx.pool);
    fuzz.conf.type_list = apr_array_make(fuzz.ctx.pool, 1, sizeof(gf_type_t *));
    fuzz.conf.webhook_hosts = apr_array_make(fuzz.ctx.pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(fuzz.conf.webhook_hosts, const char *) = "*.hooks.test";
    fuzz.conf.store_url = "/generated";
    fuzz.sink.write = fuzz_drop_line;
    fuzz.ctx.conf = &fuzz.conf;
    fuzz.ctx.log = &fuzz.sink;
    fuzz.ctx.subject = "";
}

/* ---- taking the input apart ---- */

static inline unsigned fuzz_byte(void)
{
    if (fuzz.left == 0) {
        return 0;
    }
    fuzz.left--;
    return (unsigned char)*fuzz.at++;
}

/* Up to the next line end, which is taken, too; without NULs. */
static inline char *fuzz_line(void)
{
    const char *end = fuzz.left ? memchr(fuzz.at, '\n', fuzz.left) : NULL;
    size_t length = end ? (size_t)(end - fuzz.at) : fuzz.left;
    char *line = apr_pstrmemdup(fuzz.ctx.pool, fuzz.at, length);

    fuzz.at += length + (end != NULL);
    fuzz.left -= length + (end != NULL);
    return line;
}

/* Lines "Name: value" up to an empty one. */
static inline apr_table_t *fuzz_headers(void)
{
    apr_table_t *table = apr_table_make(fuzz.ctx.pool, 4);
    char *line;

    while (fuzz.left && *(line = fuzz_line())) {
        char *value = strchr(line, ':');

        if (value) {
            *value++ = '\0';
            apr_table_add(table, line, value + strspn(value, " "));
        }
    }
    return table;
}

/* All that is left, on the heap, where a read behind its end is seen; with a NUL behind it. */
static inline char *fuzz_rest(size_t *length)
{
    char *rest = malloc(fuzz.left + 1);

    FUZZ_HOLDS(rest);
    memcpy(rest, fuzz.at, fuzz.left);
    rest[fuzz.left] = '\0';
    *length = fuzz.left;
    fuzz.left = 0;
    return rest;
}

/* A word for the log or a client: whole characters, bounded, without our key. */
static inline void fuzz_words(const char *text, size_t most)
{
    if (text) {
        FUZZ_HOLDS(gf_text_utf8(text, strlen(text)) == strlen(text));
        FUZZ_HOLDS(strlen(text) <= most);
        FUZZ_HOLDS(!strstr(text, FUZZ_SECRET));
    }
}

/* ---- one input ---- */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_begin();
    fuzz.at = (const char *)bytes;
    fuzz.left = length;
    fuzz_one();
    apr_pool_destroy(fuzz.ctx.pool);
    return 0;
}

#ifndef GENFLOW_FUZZING
/* Every file of the corpus, whole and cut in the middle. */
int main(void)
{
    static char folder[256];
    struct dirent *entry;
    int inputs = 0;
    DIR *dir;

    snprintf(folder, sizeof(folder), "t/fuzz/corpus/%s", FUZZ_NAME);
    dir = opendir(folder);
    while (dir && (entry = readdir(dir))) {
        static char path[600];
        static uint8_t bytes[1 << 20];
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.' && (file = fopen(path, "rb"))) {
            size_t length = fread(bytes, 1, sizeof(bytes), file);

            fclose(file);
            LLVMFuzzerTestOneInput(bytes, length);
            LLVMFuzzerTestOneInput(bytes, length / 2);
            inputs++;
        }
    }
    if (dir) {
        closedir(dir);
    }
    printf("%sok 1 - the corpus of %s does no harm (%d inputs)\n1..1\n", inputs ? "" : "not ",
           FUZZ_NAME, inputs);
    return inputs ? EXIT_SUCCESS : EXIT_FAILURE;
}
#endif

#endif
