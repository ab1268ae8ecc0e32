/* SPDX-License-Identifier: Apache-2.0 */
/* S3, and what speaks like it: the picture is the body of a PUT to its own address. Net signs
 * (AWS's scheme, version 4); here the parts of it that libcurl 7.88 leaves out: the hash of the
 * body as a header. A key needs no escaping: what curl signs is what S3 reads. Pure translation;
 * any thread. */
#include <string.h>

#include <apr_strings.h>

#include "store/remote.h"

static const char *check_settings(const gf_conf_t *conf, apr_pool_t *pool)
{
    return store_remote_check(conf, pool, "the bucket");
}

/* ---- requests ---- */

/* The address of the bucket. */
static const char *bucket_url(const gf_conf_t *conf, apr_pool_t *pool)
{
    const char *api = conf->store_api ? conf->store_api
                                      : apr_pstrcat(pool, "https://s3.", conf->store_region,
                                                    ".amazonaws.com", NULL);

    return apr_pstrcat(pool, api, "/", conf->store_account, NULL);
}

static const char *public_place(const gf_conf_t *conf, apr_pool_t *pool)
{
    return apr_pstrcat(pool, conf->store_public ? conf->store_public : bucket_url(conf, pool), "/",
                       conf->store_prefix, NULL);
}

const char *gf_store_place(const gf_conf_t *conf, apr_pool_t *pool)
{
    return conf->store == &gf_store_s3 ? public_place(conf, pool) : NULL;
}

static const char *object_url(const gf_store_call_t *call)
{
    return apr_pstrcat(call->pool, bucket_url(call->conf, call->pool), "/",
                       call->conf->store_prefix, "/", call->name, NULL);
}

static gf_msg_t *make_request(const gf_store_call_t *call, const char *method, const char *sha256)
{
    const gf_conf_t *conf = call->conf;
    gf_msg_t *msg = gf_msg_make(call->pool, method, object_url(call));

    msg->sigv4 = apr_pstrcat(call->pool, "aws:amz:", conf->store_region, ":s3", NULL);
    msg->credentials = apr_pstrcat(call->pool, conf->store_key, ":", conf->store_secret, NULL);
    apr_table_set(msg->headers, "x-amz-content-sha256", sha256);
    return msg;
}

static gf_msg_t *make_upload(const gf_store_call_t *call)
{
    gf_msg_t *msg = make_request(call, "PUT", call->stored->sha256);

    msg->upload = call->file;
    apr_table_setn(msg->headers, "Content-Type", call->stored->image.type);
    apr_table_setn(msg->headers, "Cache-Control", gf_store_caching(call->conf, call->pool));
    if (!call->conf->store_overwrite) {
        apr_table_setn(msg->headers, "If-None-Match", "*");
    }
    return msg;
}

static gf_msg_t *remove_object(const gf_store_call_t *call)
{
    char nothing[GF_SHA256_HEX];

    gf_hash_sha256(nothing, "", 0);
    return make_request(call, "DELETE", nothing);
}

/* ---- answers ---- */

/* The content of the first element of that name, "" if there is none. */
static const char *element_text(const gf_msg_t *msg, const char *name)
{
    const char *start = strstr(msg->text, apr_pstrcat(msg->pool, "<", name, ">", NULL));
    const char *end = start ? strstr(start, apr_pstrcat(msg->pool, "</", name, ">", NULL)) : NULL;

    start = end ? start + strlen(name) + 2 : "";
    return end ? apr_pstrmemdup(msg->pool, start, (apr_size_t)(end - start)) : "";
}

static void read_refusal(gf_store_outcome_t *outcome, const gf_msg_t *msg)
{
    const char *code = element_text(msg, "Code");

    store_remote_refused(outcome, msg,
                         apr_pstrcat(msg->pool, code, ": ", element_text(msg, "Message"), NULL));
    if (strcmp(code, "RequestTimeout") == 0) { /* 400, but it is only slowness */
        outcome->state = GF_STORE_LATER;
    }
    else if (msg->status / 100 == 3 || strcmp(code, "AuthorizationHeaderMalformed") == 0) {
        store_remote_alarm(outcome, msg->pool, "GenflowStoreRegion and GenflowStoreApi");
    }
}

static void read_upload(gf_store_outcome_t *outcome, const gf_store_call_t *call,
                        const gf_msg_t *msg)
{
    if (store_remote_unanswered(outcome, msg)) {
        return;
    }
    if (msg->status / 100 != 2 && msg->status != 412) {
        read_refusal(outcome, msg);
    }
    else if (msg->status != 412 && !apr_table_get(msg->answer, "ETag")) {
        outcome->detail = /* stays LATER: a proxy answered */
            apr_psprintf(msg->pool, "HTTP %d without ETag", msg->status);
    }
    else { /* 412: there since an upload whose answer was lost; only this site uses this name */
        store_remote_stored(outcome, apr_pstrcat(call->pool, public_place(call->conf, call->pool),
                                                 "/", call->name, NULL));
    }
}

/* S3 answers 204 for what was not there, others 404. */
static bool read_remove(const gf_store_call_t *call, const gf_msg_t *msg)
{
    (void)call;
    return msg->end == GF_MSG_ANSWERED
           && (msg->status / 100 == 2
               || (msg->status == 404 && strcmp(element_text(msg, "Code"), "NoSuchKey") == 0));
}

const gf_store_kind_t gf_store_s3 = { .name = "s3",
                                      .check = check_settings,
                                      .upload = make_upload,
                                      .read_upload = read_upload,
                                      .remove = remove_object,
                                      .read_remove = read_remove };
