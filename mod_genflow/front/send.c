/* SPDX-License-Identifier: Apache-2.0 */
/* Writes responses of fronts, and notices those that cannot be delivered. */
#include "front/front.h"

#include <poll.h>

#include <apr_buckets.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <util_filter.h>

#include "api/large.h"
#include "httpd/glue.h"
#include "httpd/spill.h"

#define CANCELLED 499

/* Did the connection break? A client that has the whole response may close its side: that is no
 * break. One that closes before it has read all makes its system reset the connection. */
static bool is_broken(const request_rec *r)
{
    conn_rec *c = r->connection;
    struct pollfd client = { .events = 0 };
    apr_socket_t *socket = c->master ? NULL : ap_get_conn_socket(c);

    return c->aborted || (c->master && c->master->aborted)
           || (socket && apr_os_sock_get(&client.fd, socket) == APR_SUCCESS
               && poll(&client, 1, 0) > 0 && (client.revents & (POLLERR | POLLHUP)));
}

/* A client whose connection breaks while it reads what is paid for finds that again. */
static void end_large(void *data, bool is_sent)
{
    gf_req_t *req = data;

    if (!is_sent || is_broken(req->r)) {
        front_lost(req);
    }
}

static gf_err_t *begin_large(gf_req_t *req, apr_off_t length)
{
    front_call_t *call = front_call(req);

    if (length > API_LARGE && call->count > 0) {
        call->is_spilled = true;
        httpd_spill(req->r, req->conf, end_large, req);
        return NULL;
    }
    if (req->r->method_number == M_GET) {
        return api_large_begin(req, length);
    }
    api_large_spill(req, length);
    return NULL;
}

gf_err_t *front_send_head(gf_req_t *req, const front_reply_t *reply, apr_off_t length)
{
    request_rec *r = req->r;
    const char *id_header = front_call(req)->front->id_header;

    GF_TRY(begin_large(req, length));
    r->status = reply->status;
    if (reply->status == CANCELLED) { /* httpd would write 500 for a status that it does not know */
        r->status_line = "499 Client Closed Request";
    }
    ap_set_content_type(r, reply->type ? reply->type : "application/json");
    if (length >= 0) {
        ap_set_content_length(r, length);
    }
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    if (id_header) {
        apr_table_setn(r->headers_out, id_header, httpd_glue_request_id(r));
    }
    apr_table_overlap(r->headers_out, reply->headers, APR_OVERLAP_TABLES_SET);
    return NULL;
}

static bool pass(gf_req_t *req, apr_bucket *bucket)
{
    request_rec *r = req->r;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_status_t rv;

    APR_BRIGADE_INSERT_TAIL(brigade, bucket);
    rv = ap_pass_brigade(r->output_filters, brigade);
    apr_brigade_destroy(brigade);
    return rv == APR_SUCCESS && !r->connection->aborted;
}

bool front_send_piece(gf_req_t *req, const char *bytes, apr_size_t length)
{
    return length == 0
           || pass(req,
                   apr_bucket_transient_create(bytes, length, req->r->connection->bucket_alloc));
}

void front_send_end(gf_req_t *req, bool is_delivered)
{
    front_call_t *call = front_call(req);

    if (call->count > 0) { /* otherwise httpd sends it when it has time */
        if (is_delivered && !call->is_spilled) {
            is_delivered = pass(req, apr_bucket_flush_create(req->r->connection->bucket_alloc));
        }
        if (!is_delivered || is_broken(req->r)) {
            front_lost(req);
        }
    }
}

gf_err_t *front_send(gf_req_t *req, const front_reply_t *reply)
{
    apr_size_t length = reply->text ? strlen(reply->text) : 0;
    bool is_gone = front_call(req)->count > 0 && api_wait_is_gone(req->r);

    GF_TRY(front_send_head(req, reply, (apr_off_t)length));
    front_send_end(req, front_send_piece(req, reply->text, length) && !is_gone);
    return NULL;
}
