/* SPDX-License-Identifier: Apache-2.0 */
/* Cloudinary: a signed form with the picture in it, answered at once. A picture's name there is its
 * generation's, so sending one twice is harmless. A name without a random part (public id `bare`)
 * may be another generation's: there a tag says whose the picture is. Pure translation; any thread.
 */
#include "store/cloudinary.h"

#include <stdlib.h>
#include <string.h>

#include <apr_encode.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_time.h>

#include "base/json.h"
#include "store/remote.h"

#define API     "https://api.cloudinary.com"
#define RUN_MAX 100        /* bytes of a run id in a public id, which has 255 at most */
#define TAG     "genflow-" /* before the random part */

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
    if (conf->store_public_id == GF_PUBLIC_BARE && conf->store_overwrite) {
        return "GenflowStorePublicId bare needs GenflowStoreOverwrite Off: a client that knows "
               "another's run id could replace the picture";
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

/* "stefna/generated/neo_glitch_" */
static const char *start_of_id(const gf_store_call_t *call)
{
    char *type = apr_pstrmemdup(call->pool, call->name, strcspn(call->name, "/"));
    char *hyphen;

    while ((hyphen = strchr(type, '-'))) {
        *hyphen = '_';
    }
    return apr_pstrcat(call->pool, call->conf->store_prefix, "/", type, "_", NULL);
}

/* Is there a secret of a name in this text's end? A run id like that could be another picture's
 * whole name. */
static bool ends_in_secret(const char *text)
{
    const char *end = strrchr(text, '-');
    const char *other = strrchr(text, '_');

    end = end && (!other || end > other) ? end : other;
    return strspn(end ? end + 1 : text, "0123456789abcdef") >= 32;
}

/* The run id as a part of a public id. */
static const char *clean_run(const gf_store_call_t *call)
{
    char *run = apr_pstrndup(call->pool, call->run_id, RUN_MAX);
    char *at;

    for (at = run; *at; at++) {
        *at = apr_isalnum(*at) || *at == '-' ? *at : '_';
    }
    return run;
}

/* Does a tag say whose the picture is? */
static bool is_tagged(const gf_store_call_t *call)
{
    return call->conf->store_public_id == GF_PUBLIC_BARE && call->secret;
}

/* Is the name of the upload one that another generation may have, too? */
static bool is_bare(const gf_store_call_t *call)
{
    return is_tagged(call) && !call->taken && !ends_in_secret(clean_run(call));
}

/* "neo-glitch/a7/<id>-<secret>.png" becomes "<prefix>/neo_glitch_<id>-<secret>", or, by run id,
 * "<prefix>/neo_glitch_<run id>_<secret>": a client chooses its run id, so that alone it names
 * pictures of several users. */
static const char *configured_id(const gf_store_call_t *call)
{
    const char *id = strrchr(call->name, '/') + 1;
    const char *start = start_of_id(call);

    if (call->conf->store_public_id == GF_PUBLIC_GENERATION || !call->secret) {
        return apr_pstrcat(call->pool, start, apr_pstrmemdup(call->pool, id, strcspn(id, ".")),
                           NULL);
    }
    return apr_pstrcat(call->pool, start, clean_run(call), is_bare(call) ? NULL : "_", call->secret,
                       NULL);
}

/* The public id in an address of ours; NULL: its end is not the name of this picture. */
static const char *id_in_url(const gf_store_call_t *call)
{
    const char *start = start_of_id(call);
    const char *id = strstr(call->url, apr_pstrcat(call->pool, "/", start, NULL));
    const char *dot = strrchr(call->url, '.');
    const char *name;

    if (!id || !dot || dot < id) {
        return NULL;
    }
    id = apr_pstrmemdup(call->pool, id + 1, (apr_size_t)(dot - id - 1));
    name = id + strlen(start);
    if (call->secret) {
        apr_size_t length = strlen(name);
        apr_size_t behind = strlen(call->secret);

        return length > behind && strcmp(name + length - behind, call->secret) == 0 ? id : NULL;
    }
    return strcmp(name, clean_run(call)) == 0 ? id : NULL;
}

/* A stored picture is removed by the name that it was stored under, whatever the directive says
 * now. */
static const char *public_id(const gf_store_call_t *call)
{
    const char *id = call->url ? id_in_url(call) : NULL;

    return id ? id : configured_id(call);
}

static const char *tag_of(const gf_store_call_t *call)
{
    return apr_pstrcat(call->pool, TAG, call->secret, NULL);
}

static const char *cloud_url(const gf_store_call_t *call)
{
    const gf_conf_t *conf = call->conf;

    return apr_pstrcat(call->pool, conf->store_api ? conf->store_api : API, "/v1_1/",
                       conf->store_account, NULL);
}

static gf_msg_t *make_request(const gf_store_call_t *call, const char *action)
{
    const gf_conf_t *conf = call->conf;
    gf_msg_t *msg = gf_msg_make(call->pool, "POST",
                                apr_pstrcat(call->pool, cloud_url(call), "/image/", action, NULL));

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
    gf_msg_part(msg, "tags", is_tagged(call) ? tag_of(call) : NULL);
    gf_msg_part(msg, "upload_preset", call->conf->store_upload_preset);
    sign_form(msg, call->conf);
    gf_msg_file(msg, "file", call->file, call->stored->image.type);
    return msg;
}

/* It may be there under either name, and the bare one may be another's. */
static bool is_removed_by_tag(const gf_store_call_t *call)
{
    return !call->url && is_tagged(call);
}

static gf_msg_t *remove_by_tag(const gf_store_call_t *call)
{
    const gf_conf_t *conf = call->conf;
    const char *pair = apr_pstrcat(call->pool, conf->store_key, ":", conf->store_secret, NULL);
    gf_msg_t *msg = gf_msg_make(call->pool, "DELETE",
                                apr_pstrcat(call->pool, cloud_url(call), "/resources/image/tags/",
                                            tag_of(call), "?invalidate=true", NULL));

    apr_table_setn(
        msg->headers, "Authorization",
        apr_pstrcat(call->pool, "Basic ",
                    apr_pencode_base64(call->pool, pair, APR_ENCODE_STRING, APR_ENCODE_NONE, NULL),
                    NULL));
    return msg;
}

static gf_msg_t *remove_picture(const gf_store_call_t *call)
{
    gf_msg_t *msg;

    if (is_removed_by_tag(call)) {
        return remove_by_tag(call);
    }
    msg = make_request(call, "destroy");

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

/* Was another generation's picture there before? A name with a random part is ours alone. */
static bool is_another(const gf_json_t *document, const gf_store_call_t *call)
{
    const gf_json_t *tags = gf_json_get(document, "tags");
    bool existed = false;
    const char *tag;
    apr_size_t i;

    gf_json_bool(gf_json_get(document, "existing"), &existed);
    if (!existed || !is_bare(call)) {
        return false;
    }
    for (i = 0; i < gf_json_length(tags); i++) {
        if (gf_json_string(gf_json_at(tags, i), &tag) && strcmp(tag, tag_of(call)) == 0) {
            return false;
        }
    }
    return true;
}

static void read_stored(gf_store_outcome_t *outcome, const gf_store_call_t *call,
                        const gf_json_t *document)
{
    const char *url = NULL;

    if (!is_genuine(document, call)) {
        outcome->detail = "the answer is not signed for this picture";
        store_remote_alarm(outcome, call->pool, "GenflowStoreSecret and GenflowStoreApi");
    }
    else if (is_another(document, call)) {
        outcome->taken = true;
        outcome->detail = "another picture has this name";
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
    bool is_partial = false;

    if (is_removed_by_tag(call)) {
        const gf_json_t *document = document_of(msg);

        gf_json_bool(gf_json_get(document, "partial"), &is_partial);
        return msg->end == GF_MSG_ANSWERED && msg->status == 200 && !is_partial
               && gf_json_is_object(gf_json_get(document, "deleted"));
    }
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
