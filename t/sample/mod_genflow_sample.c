/* SPDX-License-Identifier: Apache-2.0 */
/* A module of somebody else: brings the provider kind `sample` and the store kind `shelf` to
 * mod_genflow by its public interface alone. t/provider/plugin.t loads it; an author of a module
 * of their own may begin with this one. Built by apxs.
 *
 * A run of `sample` is known by the address to poll (an opaque ref), and the key goes into a
 * header of its own. Compiled with SAMPLE_OLD it claims to be of another version of the interface,
 * with SAMPLE_BROKEN its kind has no reader for its question. */
#include <genflow/module.h>

#include <ap_provider.h>
#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>

#include <string.h>

#ifdef SAMPLE_OLD
#undef GENFLOW_PROVIDER_VERSION
#define GENFLOW_PROVIDER_VERSION "0"
#endif
#ifdef SAMPLE_BROKEN
#define KEY_HEADER NULL
#else
#define KEY_HEADER "x-key"
#endif

/* ---- the provider ---- */

static const gf_prov_host_t *host;

static void begin(const gf_prov_host_t *given)
{
    host = given;
}

static const char *check(const struct gf_provider_t *provider, apr_pool_t *pool)
{
    const gf_prov_section_t section = host->section(provider);

    return !section.url   ? "GenflowProviderUrl is missing"
           : !section.key ? "GenflowProviderKey is missing"
                          : NULL;
}

static const char *check_model(const char *model, apr_pool_t *pool)
{
    return strcmp(model, "brush") == 0 ? NULL : "the only model is `brush`";
}

static gf_msg_t *submit(const gf_prov_call_t *call)
{
    const gf_prov_job_t job = host->job(call);
    const char *ratio = host->parameter(call, "aspect_ratio");
    gf_msg_t *msg = host->request(
        call, "POST", apr_pstrcat(call->pool, host->section(call->provider).url, "/v1/paint", NULL),
        "application/json");

    apr_table_setn(msg->headers, "Content-Type", "application/json");
    msg->body = apr_psprintf(
        call->pool, "{\"model\":\"%s\",\"prompt\":%s,\"seed\":%" APR_INT64_T_FMT ",\"ratio\":%s}",
        call->model, host->json_quote(call->pool, job.prompt), job.seed,
        host->json_quote(call->pool, ratio));
    return msg;
}

static const char *member(const gf_prov_call_t *call, const gf_msg_t *msg, const char *path)
{
    return host->json(call->pool, msg->text, msg->text_length, path);
}

static void refused(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    outcome->state =
        msg->status == 429 || msg->status >= 500 ? GF_PROV_TRANSIENT : GF_PROV_PERMANENT;
    outcome->error = msg->status == 429 ? "RATE_LIMIT" : NULL;
    outcome->alarm = msg->status == 401 || msg->status == 403;
    outcome->retry_after = host->retry_after(msg);
    outcome->detail =
        host->detail(call->provider, call->pool, apr_psprintf(call->pool, "HTTP %d", msg->status),
                     NULL, member(call, msg, "message"));
}

static void read_submit(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    const char *poll;

    if (host->unanswered(outcome, msg)) {
        return;
    }
    if (msg->status != 200) {
        refused(outcome, call, msg);
        return;
    }
    poll = member(call, msg, "polling_url");
    if (poll && host->owns_url(call->provider, poll, "sample.example")) {
        outcome->state = GF_PROV_WORKING;
        outcome->ref = poll;
    }
    else {
        outcome->state = GF_PROV_UNKNOWN;
        outcome->detail = "it was taken, but not as what";
    }
}

static gf_msg_t *poll(const gf_prov_call_t *call)
{
    return host->request(call, "GET", host->job(call).ref, "application/json");
}

static void read_poll(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg)
{
    bool unanswered = host->unanswered(outcome, msg);
    const char *status;

    outcome->state = GF_PROV_WORKING; /* a question without answer says nothing about the run */
    if (unanswered) {
        return;
    }
    status = member(call, msg, "status");
    if (status && strcmp(status, "Ready") == 0) {
        outcome->picture_url = member(call, msg, "result/sample");
        outcome->state = outcome->picture_url ? GF_PROV_SUCCEEDED : GF_PROV_EMPTY;
    }
    else if (status && strcmp(status, "Moderated") == 0) {
        outcome->state = GF_PROV_FILTERED;
    }
}

/* Its errors have a member that no gateway's have. */
static const gf_prov_mark_t own[] = { { 400, 599, NULL, "message sample_error", NULL }, { 0 } };

static const gf_prov_kind_t sample = { .name = "sample",
                                       .result_life = apr_time_from_sec(600),
                                       .begin = begin,
                                       .key_header = KEY_HEADER,
                                       .key_prefix = "",
                                       .check = check,
                                       .check_model = check_model,
                                       .submit = submit,
                                       .read_submit = read_submit,
                                       .own = own,
                                       .poll = poll,
                                       .read_poll = read_poll };

/* ---- the store ---- */

static const gf_store_host_t *store_host;

static void begin_store(const gf_store_host_t *given)
{
    store_host = given;
}

static const char *check_store(const struct gf_conf_t *conf, apr_pool_t *pool)
{
    return store_host->settings(conf).api ? NULL : "GenflowStoreApi is missing";
}

static gf_msg_t *request(const gf_store_call_t *call, const char *method)
{
    const gf_store_settings_t settings = store_host->settings(call->conf);
    gf_msg_t *msg = store_host->message(
        call->pool, method,
        apr_pstrcat(call->pool, settings.api, "/", settings.prefix, "/", call->name, NULL));

    apr_table_setn(msg->headers, "x-key", settings.secret ? settings.secret : "");
    return msg;
}

static gf_msg_t *upload(const gf_store_call_t *call)
{
    gf_msg_t *msg = request(call, "PUT");

    msg->upload = call->file;
    apr_table_setn(msg->headers, "Content-Type", call->stored->image.type);
    return msg;
}

static void read_upload(gf_store_outcome_t *outcome, const gf_store_call_t *call,
                        const gf_msg_t *msg)
{
    if (store_host->unanswered(outcome, msg)) {
        return;
    }
    if (msg->status / 100 == 2) {
        outcome->state = GF_STORE_STORED;
        outcome->url = store_host->json(call->pool, msg->text, msg->text_length, "url");
        if (outcome->url) {
            return;
        }
    }
    store_host->refused(outcome, msg, "it kept nothing");
}

static gf_msg_t *remove_picture(const gf_store_call_t *call)
{
    return request(call, "DELETE");
}

static bool read_remove(const gf_store_call_t *call, const gf_msg_t *msg)
{
    return msg->end == GF_MSG_ANSWERED && (msg->status / 100 == 2 || msg->status == 404);
}

static const gf_store_kind_t shelf = { .name = "shelf",
                                       .begin = begin_store,
                                       .check = check_store,
                                       .upload = upload,
                                       .read_upload = read_upload,
                                       .remove = remove_picture,
                                       .read_remove = read_remove };

/* ---- the module ---- */

static void hooks(apr_pool_t *pool)
{
    GENFLOW_PROVIDER(pool, &sample);
    GENFLOW_STORE(pool, &shelf);
}

AP_DECLARE_MODULE(genflow_sample) = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, hooks, 0
};
