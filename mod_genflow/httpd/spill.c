/* SPDX-License-Identifier: Apache-2.0 */
/* The filter that collects a response in a file. It is the last one of the request: the file has
 * the headers, too, and the body as filters have packed and cut it. */
#include "httpd/spill.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <http_log.h>
#include <util_filter.h>

#include "base/hash.h"
#include "httpd/park.h"
#include "store/store.h"

APLOG_USE_MODULE(genflow);

#define FILTER       "GENFLOW_SPILL"
#define RANDOM_BYTES 8

/* Bytes that the system keeps for a client: what is on its way to one that is far and reads fast.
 */
#define SEND_BUFFER (208 * 1024)

typedef struct spill_t {
    const gf_conf_t *conf;
    httpd_spill_end_t end;
    void *baton;
    ap_filter_t *filter;
    apr_file_t *file;  /* NULL: nothing was written */
    apr_off_t written; /* bytes in the file */
    apr_off_t sent;    /* of those */
    bool is_direct;    /* there is no file: as any other response */
    httpd_park_t *park;
} spill_t;

static ap_filter_rec_t *spill_filter;

/* ---- into the file ---- */

static apr_status_t open_file(spill_t *spill, apr_pool_t *pool)
{
    const char *path = gf_store_copy(
        spill->conf, apr_pstrcat(pool, "response.", gf_hash_random(pool, RANDOM_BYTES), NULL),
        pool);
    apr_status_t rv = apr_file_open(&spill->file, path,
                                    APR_FOPEN_CREATE | APR_FOPEN_EXCL | APR_FOPEN_READ
                                        | APR_FOPEN_WRITE | APR_FOPEN_SENDFILE_ENABLED,
                                    APR_FPROT_UREAD | APR_FPROT_UWRITE, pool);

    return rv == APR_SUCCESS ? apr_file_remove(path, pool) : rv;
}

/* Adds the bytes of `bucket` to the file. One that fails adds none. */
static apr_status_t add(spill_t *spill, apr_bucket *bucket)
{
    const char *text;
    apr_size_t length;
    apr_status_t rv = apr_bucket_read(bucket, &text, &length, APR_BLOCK_READ);

    if (rv == APR_SUCCESS && !spill->file) {
        rv = open_file(spill, spill->filter->r->pool);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_file_write_full(spill->file, text, length, NULL);
    }
    if (rv == APR_SUCCESS) {
        spill->written += (apr_off_t)length;
    }
    return rv;
}

/* Sends what is in the file up to there, then `rest`. */
static apr_status_t pass(spill_t *spill, apr_off_t upto, apr_bucket_brigade *rest)
{
    ap_filter_t *f = spill->filter;
    apr_bucket_brigade *brigade = apr_brigade_create(f->r->pool, f->c->bucket_alloc);

    if (upto > spill->sent) {
        apr_brigade_insert_file(brigade, spill->file, spill->sent, upto - spill->sent, f->r->pool);
        spill->sent = upto;
    }
    APR_BRIGADE_CONCAT(brigade, rest);
    return ap_pass_brigade(f->next, brigade);
}

static apr_status_t go_direct(spill_t *spill, apr_status_t why, apr_bucket_brigade *rest)
{
    request_rec *r = spill->filter->r;

    spill->is_direct = true;
    ap_log_rerror(
        APLOG_MARK, APLOG_WARNING, why, r,
        "GF0185: no file %s for a large response: a thread waits until its client has read "
        "it",
        gf_store_copy(spill->conf, "*", r->pool));
    return pass(spill, spill->written, rest);
}

/* What describes the response (HTTP/2) goes on at once; its end when all was sent. */
static apr_status_t collect(ap_filter_t *f, apr_bucket_brigade *written)
{
    spill_t *spill = f->ctx;
    apr_bucket_brigade *about = apr_brigade_create(f->r->pool, f->c->bucket_alloc);
    apr_status_t rv = APR_SUCCESS;

    while (!spill->is_direct && rv == APR_SUCCESS && !APR_BRIGADE_EMPTY(written)) {
        apr_bucket *bucket = APR_BRIGADE_FIRST(written);

        if (APR_BUCKET_IS_METADATA(bucket) && !APR_BUCKET_IS_FLUSH(bucket)
            && !APR_BUCKET_IS_EOS(bucket)) {
            APR_BUCKET_REMOVE(bucket);
            APR_BRIGADE_INSERT_TAIL(about, bucket);
            rv = ap_pass_brigade(f->next, about);
            continue;
        }
        if (!APR_BUCKET_IS_METADATA(bucket)) {
            apr_status_t why = add(spill, bucket);

            if (why != APR_SUCCESS) {
                return go_direct(spill, why, written);
            }
        }
        apr_bucket_delete(bucket);
    }
    return spill->is_direct ? ap_pass_brigade(f->next, written) : rv;
}

/* ---- to the client ---- */

/* A bucket of that kind, which ends the response or waits until the client has taken all. */
static apr_bucket_brigade *with(const spill_t *spill, apr_bucket *(*create)(apr_bucket_alloc_t *))
{
    conn_rec *c = spill->filter->c;
    apr_bucket_brigade *brigade = apr_brigade_create(spill->filter->r->pool, c->bucket_alloc);

    APR_BRIGADE_INSERT_TAIL(brigade, create(c->bucket_alloc));
    return brigade;
}

static int finish(spill_t *spill, bool is_sent)
{
    if (spill->end) {
        spill->end(spill->baton, is_sent);
    }
    ap_remove_output_filter(spill->filter);
    if (!spill->is_direct) { /* else it has gone on already */
        pass(spill, spill->sent, with(spill, apr_bucket_eos_create));
    }
    return OK;
}

/* Sends what the client has room for, without a wait. */
static int send_some(request_rec *r, void *baton, bool gone)
{
    spill_t *spill = baton;
    bool good = !gone;
    apr_size_t room;

    while (good && spill->sent < spill->written
           && (room = httpd_park_room(spill->park, SEND_BUFFER)) > 0) {
        apr_off_t upto = spill->written - spill->sent > (apr_off_t)room
                             ? spill->sent + (apr_off_t)room
                             : spill->written;

        good = pass(spill, upto, with(spill, apr_bucket_flush_create)) == APR_SUCCESS
               && !r->connection->aborted;
    }
    if (good && spill->sent < spill->written) {
        httpd_park_ring(spill->park); /* when it has read */
        return SUSPENDED;
    }
    httpd_park_end(spill->park);
    return finish(spill, good);
}

static spill_t *spill_of(const request_rec *r)
{
    ap_filter_t *f = r->output_filters;

    while (f && f->frec != spill_filter) {
        f = f->next;
    }
    return f && f->r == r ? f->ctx : NULL;
}

int httpd_spill_send(request_rec *r)
{
    spill_t *spill = spill_of(r);
    bool good;

    if (!spill) {
        return OK;
    }
    if (!r->eos_sent) {
        ap_pass_brigade(r->output_filters, with(spill, apr_bucket_eos_create));
    }
    spill->park = spill->is_direct ? NULL : httpd_park_make(r, spill->conf, send_some, spill);
    if (spill->park) {
        return send_some(r, spill, false);
    }
    good = pass(spill, spill->written,
                spill->end ? with(spill, apr_bucket_flush_create)
                           : apr_brigade_create(r->pool, r->connection->bucket_alloc))
               == APR_SUCCESS
           && !r->connection->aborted;
    return finish(spill, good);
}

void httpd_spill_register(void)
{
    spill_filter =
        ap_register_output_filter(FILTER, collect, NULL, (ap_filter_type)(AP_FTYPE_CONNECTION - 1));
}

void httpd_spill(request_rec *r, const gf_conf_t *conf, httpd_spill_end_t end, void *baton)
{
    spill_t *spill = spill_of(r);

    if (spill) {
        return;
    }
    spill = apr_pcalloc(r->pool, sizeof(*spill));
    spill->conf = conf;
    spill->end = end;
    spill->baton = baton;
    spill->filter = ap_add_output_filter_handle(spill_filter, spill, r, r->connection);
}
