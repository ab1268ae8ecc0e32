/* SPDX-License-Identifier: Apache-2.0 */
/* Cloudinary: a signed form with the picture in it, answered at once. A picture's name there is its
 * generation's, so sending one twice is harmless. Pure translation; any thread. */
#include "store/cloudinary.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_time.h>

#include "base/json.h"
#include "store/remote.h"

#define API "https://api.cloudinary.com"

/* A transformation is a part of an address. */
#define TRANSFORMATION "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.,:$!-"

static const char *check_settings(const gf_conf_t *conf, apr_pool_t *pool)
{
    const char *folder = conf->store_asset_folder;
    const char *preset = conf->store_upload_preset;
    const char *thumbnail = conf->store_thumbnail;

    if (folder && !store_remote_is_path(folder)) {
        return apr_psprintf(pool,
                            "GenflowStoreAssetFolder %s: names of A-Z a-z 0-9 _ . - with single "
                            "slashes between them",
                            folder);
    }
    if (preset && !store_remote_is_path(preset)) {
        return apr_psprintf(pool, "GenflowStoreUploadPreset %s: it has only A-Z a-z 0-9 _ . -",
                            preset);
    }
    if (thumbnail && (!thumbnail[0] || thumbnail[strspn(thumbnail, TRANSFORMATION)])) {
        return apr_psprintf(pool,
                            "GenflowStoreThumbnail %s: must be one transformation, as in "
                            "f_auto,q_auto",
                            thumbnail);
    }
    return store_remote_check(conf, pool, "the cloud name");
}

/* ---- signatures ---- */

static bool is_signed(const gf_msg_part_t *part)
{
    return part->text && part->text[0] && strcmp(part->name, "api_key") != 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const gf_msg_part_t *)a)->name, ((const gf_msg_part_t *)b)->name);
}

/* Else a value could pretend to be further parameters. */
static const char *without_ampersand(apr_pool_t *pool, const char *value)
{
    const char *rest = strchr(value, '&');

    if (!rest) {
        return value;
    }
    return apr_pstrcat(pool, apr_pstrmemdup(pool, value, (apr_size_t)(rest - value)), "%26",
                       without_ampersand(pool, rest + 1), NULL);
}

static const char *sign_text(apr_pool_t *pool, const char *text, const char *secret)
{
    const char *whole = apr_pstrcat(pool, text, secret, NULL);
    char hex[GF_SHA1_HEX];

    gf_hash_sha1(hex, whole, strlen(whole));
    return apr_pstrdup(pool, hex);
}

const char *store_cloudinary_sign(apr_pool_t *pool, const apr_array_header_t *parts,
                                  const char *secret)
{
    apr_array_header_t *sorted = apr_array_copy(pool, parts);
    const char *text = "";
    int i;

    qsort(sorted->elts, (size_t)sorted->nelts, sizeof(gf_msg_part_t), by_name);
    for (i = 0; i < sorted->nelts; i++) {
        const gf_msg_part_t *part = &APR_ARRAY_IDX(sorted, i, gf_msg_part_t);

        if (is_signed(part)) {
            text = apr_pstrcat(pool, text, text[0] ? "&" : "", part->name, "=",
                               without_ampersand(pool, part->text), NULL);
        }
    }
    return sign_text(pool, text, secret);
}

/* ---- requests ---- */

/* "neo-glitch/a7/<id>-<secret>.png" becomes "<prefix>/neo_glitch_<id>-<secret>". The id is the
 * generation's, not its runId: a client chooses that one, and could so overwrite another user's
 * picture. */
static const char *public_id(const gf_store_call_t *call)
{
    const char *id = strrchr(call->name, '/') + 1;
    char *type = apr_pstrmemdup(call->pool, call->name, strcspn(call->name, "/"));
    char *hyphen;

    while ((hyphen = strchr(type, '-'))) {
        *hyphen = '_';
    }
    return apr_pstrcat(call->pool, call->conf->store_prefix, "/", type, "_",
                       apr_pstrmemdup(call->pool, id, strcspn(id, ".")), NULL);
}

static gf_msg_t *make_request(const gf_store_call_t *call, const char *action)
{
    const gf_conf_t *conf = call->conf;
    gf_msg_t *msg =
        gf_msg_make(call->pool, "POST",
                    apr_pstrcat(call->pool, conf->store_api ? conf->store_api : API, "/v1_1/",
                                conf->store_account, "/image/", action, NULL));

    gf_msg_part(msg, "api_key", conf->store_key);
    gf_msg_part(msg, "public_id", public_id(call));
    gf_msg_part(
        msg, "timestamp",
        apr_psprintf(call->pool, "%" APR_INT64_T_FMT, (apr_int64_t)apr_time_sec(apr_time_now())));
    return msg;
}

/* Called last: it signs all parts. */
static void sign_form(gf_msg_t *msg, const gf_conf_t *conf)
{
    gf_msg_part(msg, "signature", store_cloudinary_sign(msg->pool, msg->parts, conf->store_secret));
}

static gf_msg_t *make_upload(const gf_store_call_t *call)
{
    gf_msg_t *msg = make_request(call, "upload");

    gf_msg_part(msg, "asset_folder", call->conf->store_asset_folder);
    gf_msg_part(msg, "overwrite", call->conf->store_overwrite ? "1" : "0");
    gf_msg_part(msg, "upload_preset", call->conf->store_upload_preset);
    sign_form(msg, call->conf);
    gf_msg_file(msg, "file", call->file, call->stored->image.type);
    return msg;
}

static gf_msg_t *remove_picture(const gf_store_call_t *call)
{
    gf_msg_t *msg = make_request(call, "destroy");

    gf_msg_part(msg, "invalidate", "1"); /* also from the copies around the world */
    sign_form(msg, call->conf);
    return msg;
}

/* ---- answers ---- */

/* The answer's document; NULL: it is none. */
static gf_json_t *document_of(const gf_msg_t *msg)
{
    gf_ctx_t ctx = { .pool = msg->pool };
    gf_json_t *document = NULL;

    return gf_json_parse_reply(&document, &ctx, msg->text, msg->text_length) ? NULL : document;
}

/* Is the answer about our picture, and from a server that knows the secret? */
static bool is_genuine(const gf_json_t *document, const gf_store_call_t *call)
{
    const char *id, *signature;
    apr_int64_t version;

    return gf_json_string(gf_json_get(document, "public_id"), &id)
           && gf_json_string(gf_json_get(document, "signature"), &signature)
           && gf_json_int(gf_json_get(document, "version"), &version)
           && strcmp(id, public_id(call)) == 0
           && strcmp(signature,
                     sign_text(call->pool,
                               apr_psprintf(call->pool, "public_id=%s&version=%" APR_INT64_T_FMT,
                                            id, version),
                               call->conf->store_secret))
                  == 0;
}

/* A picture that was there before is ours: only this site uploads under this name. */
static void read_stored(gf_store_outcome_t *outcome, const gf_store_call_t *call,
                        const gf_json_t *document)
{
    const char *url = NULL;

    if (!is_genuine(document, call)) {
        outcome->detail = "the answer is not signed for this picture";
        store_remote_alarm(outcome, call->pool, "GenflowStoreSecret and GenflowStoreApi");
    }
    else if (!gf_json_string(gf_json_get(document, "secure_url"), &url)
             || !store_remote_is_address(url)) {
        outcome->detail = "the answer names no address";
    }
    else {
        store_remote_stored(outcome, apr_pstrdup(call->pool, url));
    }
}

static void read_upload(gf_store_outcome_t *outcome, const gf_store_call_t *call,
                        const gf_msg_t *msg)
{
    const gf_json_t *document = document_of(msg);
    const char *says = "";

    if (store_remote_unanswered(outcome, msg)) {
        return;
    }
    if (msg->status == 200 && document) {
        read_stored(outcome, call, document);
        return;
    }
    if (msg->status == 200) {
        outcome->detail = "HTTP 200 without JSON"; /* a page of a proxy */
        return;
    }
    gf_json_string(gf_json_get(gf_json_get(document, "error"), "message"), &says);
    store_remote_refused(outcome, msg, says);
}

static bool read_remove(const gf_store_call_t *call, const gf_msg_t *msg)
{
    const char *result = "";

    (void)call;
    gf_json_string(gf_json_get(document_of(msg), "result"), &result);
    return msg->end == GF_MSG_ANSWERED && msg->status == 200
           && (strcmp(result, "ok") == 0 || strcmp(result, "not found") == 0);
}

const gf_store_kind_t gf_store_cloudinary = { .name = "cloudinary",
                                              .check = check_settings,
                                              .any_type = true,
                                              .upload = make_upload,
                                              .read_upload = read_upload,
                                              .remove = remove_picture,
                                              .read_remove = read_remove };
