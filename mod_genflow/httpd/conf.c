/* SPDX-License-Identifier: Apache-2.0 */
/* Directives: one row each, which httpd/row.c reads; sections, defaults and inheritance. Checks
 * that need the whole configuration are in httpd/finish.c. Start-up only; nothing here runs once
 * the configuration is frozen. */
#include "httpd/conf.h"

#include <string.h>

#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>

#include "base/text.h"
#include "httpd/dir.h"
#include "httpd/glue.h"
#include "httpd/limits.h"
#include "httpd/row.h"
#include "httpd/server.h"
#include "httpd/setters.h"
#include "httpd/studio.h"
#include "model/model.h"
#include "model/url.h"
#include "provider/kinds.h"
#include "store/kinds.h"

/* ---- rows ---- */

#define ROW(name, place, kind, member, min, max, bounds, value, help)                             \
    AP_INIT_TAKE1(name, set_value,                                                                \
                  ((void *)&(const httpd_row_t){ place, kind, member, min, max, bounds, value }), \
                  RSRC_CONF, help)
#define SERVER(member)   offsetof(gf_conf_t, member)
#define PROVIDER(member) offsetof(gf_provider_t, member)
#define TYPE(member)     offsetof(gf_type_t, member)
#define MS               1000LL
#define SECOND           1000000LL
#define MINUTE           (60 * SECOND)
#define HOUR             (60 * MINUTE)

/* ---- values ---- */

static void *base_of(const server_conf_t *sc, httpd_place_t place)
{
    return place == IN_STORE && sc->store_old ? (void *)sc->store_old
           : place <= IN_STORE                ? (void *)sc->conf
           : place == IN_PROVIDER             ? (void *)sc->provider
                                              : (void *)sc->type;
}

static const char *set_value(cmd_parms *cmd, void *dir, const char *text)
{
    const httpd_row_t *row = cmd->info;
    const char *wrong = row->place == IN_HTTPD ? httpd_server_wrong_host(cmd) : NULL;
    void *base = base_of(httpd_server_write(cmd), row->place);

    (void)dir;
    if (wrong) {
        return wrong;
    }
    return base ? httpd_row_set(cmd->pool, row, base, cmd->cmd->name, text)
                : httpd_setters_not_here(cmd, row->place == IN_PROVIDER);
}

/* ---- sections ---- */

/* Every number of a new section is unset; texts are NULL. */
static void unset_numbers(void *base, httpd_place_t place)
{
    const command_rec *command;

    for (command = httpd_conf_commands; command->name; command++) {
        const httpd_row_t *row = command->cmd_data;

        if (row && row->place == place && row->kind < IS_TEXT) {
            *(apr_int64_t *)((char *)base + row->offset) = GF_UNSET;
        }
    }
}

static gf_provider_t *open_provider(apr_pool_t *pool, gf_conf_t *conf, const char *name)
{
    gf_provider_t *provider = apr_hash_get(conf->providers, name, APR_HASH_KEY_STRING);

    if (!provider) {
        provider = apr_pcalloc(pool, sizeof(*provider));
        provider->name = name;
        provider->headers = apr_table_make(pool, 2);
        unset_numbers(provider, IN_PROVIDER);
        apr_hash_set(conf->providers, name, APR_HASH_KEY_STRING, provider);
    }
    return provider;
}

static gf_type_t *open_type(apr_pool_t *pool, gf_conf_t *conf, const char *name)
{
    gf_type_t *type = apr_hash_get(conf->types, name, APR_HASH_KEY_STRING);
    char *prefix;

    if (type) {
        return type;
    }
    type = apr_pcalloc(pool, sizeof(*type));
    type->name = name;
    type->index = conf->type_list->nelts;
    type->prefix = prefix = apr_pstrdup(pool, name);
    while ((prefix = strchr(prefix, '-'))) {
        *prefix = '_';
    }
    type->chain_text = apr_array_make(pool, 2, sizeof(const char *));
    unset_numbers(type, IN_TYPE);
    apr_hash_set(conf->types, name, APR_HASH_KEY_STRING, type);
    APR_ARRAY_PUSH(conf->type_list, gf_type_t *) = type;
    return type;
}

static const char *open_section(cmd_parms *cmd, void *dir, const char *arg)
{
    server_conf_t *sc = httpd_server_write(cmd);
    bool is_type = strcmp(cmd->cmd->name, "<GenflowType") == 0;
    const char *end = strrchr(arg, '>');
    const char *wrong;
    const char *name;

    (void)dir;
    if (!end) {
        return apr_psprintf(cmd->pool, "%s> directive missing closing '>'", cmd->cmd->name);
    }
    arg = apr_pstrmemdup(cmd->pool, arg, (apr_size_t)(end - arg));
    name = ap_getword_conf(cmd->pool, &arg);
    if (!gf_text_is_name(name, HTTPD_TYPE_NAME_MAX) || *arg) {
        return apr_psprintf(
            cmd->pool, "%s %s>: needs one name of a-z, 0-9 and single hyphens, at most 40 long",
            cmd->cmd->name, name);
    }
    if (is_type && sc->conf->type_list->nelts == HTTPD_TYPES_MAX) {
        return apr_psprintf(cmd->pool, "<GenflowType %s>: there may be at most %d types", name,
                            HTTPD_TYPES_MAX);
    }
    sc->type = is_type ? open_type(cmd->pool, sc->conf, name) : NULL;
    sc->provider = is_type ? NULL : open_provider(cmd->pool, sc->conf, name);
    wrong = ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
    sc->type = NULL;
    sc->provider = NULL;
    return wrong;
}

/* What may stand in <GenflowStoreOld>: IN_STORE. */
#define OF_OLD_STORE \
    "GenflowStoreKind, Account, Key, Secret, Region, Api, PublicUrl, Prefix, PublicId, Thumbnail"

static bool is_of_store(const char *name)
{
    const command_rec *command;

    for (command = httpd_conf_commands; command->name; command++) {
        const httpd_row_t *row = command->cmd_data;

        if (row && row->place == IN_STORE && strcasecmp(command->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static const char *open_old_store(cmd_parms *cmd, void *dir, const char *arg)
{
    server_conf_t *sc = httpd_server_write(cmd);
    const ap_directive_t *one;
    const char *wrong;

    (void)dir;
    if (strcmp(arg, ">") != 0) {
        return "<GenflowStoreOld> takes no name: a site has one old store at a time";
    }
    for (one = cmd->directive->first_child; one; one = one->next) {
        if (!is_of_store(one->directive)) {
            return apr_psprintf(
                cmd->pool, "%s: does not belong inside <GenflowStoreOld>, which has " OF_OLD_STORE,
                one->directive);
        }
    }
    sc->store_old = apr_pcalloc(cmd->pool, sizeof(*sc->store_old));
    unset_numbers(sc->store_old, IN_STORE);
    wrong = ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
    sc->conf->store_old = sc->store_old;
    sc->store_old = NULL;
    return wrong;
}

/* clang-format off */
const command_rec httpd_conf_commands[] = {
    AP_INIT_TAKE1("GenflowRealm", httpd_set_realm, NULL, RSRC_CONF,
        "the name of this virtual host's site, with users and types of its own"),
    ROW("GenflowDispatch", IN_HTTPD, IS_FLAG, SERVER(dispatch), 0, 1,
        "On or Off", "On", "work on jobs, or only take requests"),
    ROW("GenflowPrepare", IN_HTTPD, IS_FLAG, SERVER(prepare), 0, 1,
        "On or Off", "On", "prepare statements; Off for a pooler of transactions"),
    ROW("GenflowDispatchJobs", IN_HTTPD, IS_INT, SERVER(jobs_max), 1, 10000,
        "1 to 10000", "256", "jobs in flight per child"),
    ROW("GenflowDispatchWriters", IN_HTTPD, IS_INT, SERVER(writers), 1, 32,
        "1 to 32", "4", "threads per child for statements, drawing and disk"),
    ROW("GenflowDispatchLease", IN_HTTPD, IS_TIME, SERVER(lease), SECOND, 10 * MINUTE,
        "1s to 10m", "30s", "after it another process takes a silent one's jobs over"),
    ROW("GenflowDispatchPoll", IN_HTTPD, IS_TIME, SERVER(poll_interval), 50 * MS, MINUTE,
        "50ms to 1m", "1s", "between two looks for due jobs"),
    ROW("GenflowDispatchDrain", IN_HTTPD, IS_TIME, SERVER(drain), 0, 10 * MINUTE,
        "0s to 10m", "30s", "what a graceful stop waits for running jobs"),
    ROW("GenflowBodyMax", IN_SERVER, IS_SIZE, SERVER(body_max), 1024, 100 << 20,
        "1k to 100m", "10m", "bytes of a request body"),
    ROW("GenflowWatchWait", IN_SERVER, IS_TIME, SERVER(wait), 0, 10 * MINUTE,
        "0s to 10m", "60s", "how long a request without Prefer waits for its picture"),
    ROW("GenflowWatchMode", IN_HTTPD, IS_WORD, SERVER(watch_mode), 0, 0,
        "park, block or off", "park", "how requests wait"),
    ROW("GenflowWatchMax", IN_HTTPD, IS_INT, SERVER(waiters_max), 0, 100000,
        "0 to 100000", NULL, "waiting requests per child"),
    ROW("GenflowWatchThreads", IN_HTTPD, IS_INT, SERVER(waiters_threads), 0, 10000,
        "0 to 10000", NULL, "waiting requests per child that hold a thread"),
    ROW("GenflowWatchUser", IN_HTTPD, IS_INT, SERVER(waiters_user), 1, 100000,
        "1 to 100000", NULL, "waiting requests per child of one user"),
    ROW("GenflowLimitResponses", IN_HTTPD, IS_INT, SERVER(responses_user), 1, 10000,
        "1 to 10000", "16", "large responses per child on their way to one user"),
    ROW("GenflowPendingLifetime", IN_SERVER, IS_TIME, SERVER(pending_lifetime), SECOND, 24 * HOUR,
        "1s to 24h", "30m", "how long a generation waits for its start"),
    ROW("GenflowWatchEvents", IN_SERVER, IS_TIME, SERVER(events), SECOND, 24 * HOUR,
        "1s to 24h", "10m", "how long a stream of events lasts"),
    ROW("GenflowFrontWait", IN_SERVER, IS_TIME, SERVER(front_wait), 100 * MS, 10 * MINUTE,
        "100ms to 10m", "95s", "how long a client of another API waits for its pictures"),
    ROW("GenflowPollAfter", IN_SERVER, IS_TIME, SERVER(poll_after), 100 * MS, 10 * MINUTE,
        "100ms to 10m", "2s", "hint for clients: first wait between two polls; doubles"),
    ROW("GenflowPollAfterMax", IN_SERVER, IS_TIME, SERVER(poll_after_max), 100 * MS, 10 * MINUTE,
        "100ms to 10m", "30s", "longest such wait"),
    ROW("GenflowPublicUrl", IN_SERVER, IS_URL, SERVER(public_url), 0, 0,
        "an http(s) address", NULL, "where providers find the API, to report"),
    AP_INIT_TAKE12("GenflowLimitRate", httpd_limits_set_user, NULL, RSRC_CONF,
        "requests of a user that cost: number/period, and how many at once"),
    AP_INIT_TAKE12("GenflowLimitAddressRate", httpd_limits_set_address, NULL, RSRC_CONF,
        "the same of a client address"),
    AP_INIT_TAKE12("GenflowLimitKeyRate", httpd_limits_set_key, NULL, RSRC_CONF,
        "API keys of a client address that are not valid"),
    ROW("GenflowLimitConcurrent", IN_SERVER, IS_INT, SERVER(limit_concurrent), 0, 100000,
        "0 to 100000", "0", "live generations of a user; 0: any number"),
    ROW("GenflowLimitQueue", IN_SERVER, IS_INT, SERVER(limit_queue), 0, 1000000,
        "0 to 1000000", "0", "waiting generations of a type; 0: any number"),
    ROW("GenflowJanitorInterval", IN_HTTPD, IS_TIME, SERVER(janitor), 0, 24 * HOUR,
        "0s to 24h", "60s", "between two runs of the janitor; 0s: there is none"),
    ROW("GenflowJanitorJobs", IN_HTTPD, IS_TIME, SERVER(janitor_jobs), SECOND, 365 * 24 * HOUR,
        "1s to 8760h", "1h", "how long records of ended generations are kept"),
    ROW("GenflowJanitorKeys", IN_HTTPD, IS_TIME, SERVER(janitor_keys), SECOND, 365 * 24 * HOUR,
        "1s to 8760h", "72h", "how long idempotency keys are kept"),
    ROW("GenflowJanitorMedia", IN_HTTPD, IS_TIME, SERVER(janitor_media), 0, 10 * 365 * 24 * HOUR,
        "0s to 87600h", "0s", "how long ended generations and pictures are kept; 0s: for good"),
    ROW("GenflowJanitorCheck", IN_HTTPD, IS_TIME, SERVER(janitor_check), 0, 365 * 24 * HOUR,
        "0s to 8760h", "24h", "between two checks of the ledger; 0s: none"),
    ROW("GenflowAssetMaxBytes", IN_SERVER, IS_SIZE, SERVER(asset_max), 1024, 100 << 20,
        "1k to 100m", "10m", "bytes of a source picture"),
    ROW("GenflowAssetMaxTotal", IN_SERVER, IS_SIZE, SERVER(asset_total), 1024, 1LL << 30,
        "1k to 1g", "40m", "bytes of all source pictures of a generation"),
    ROW("GenflowAssetMaxPixels", IN_SERVER, IS_INT, SERVER(asset_pixels_max), 1, 1LL << 30,
        "1 to 1073741824", "16777216", "width x height of a source picture"),
    ROW("GenflowAssetLifetime", IN_SERVER, IS_TIME, SERVER(asset_lifetime), MINUTE, 365 * 24 * HOUR,
        "1m to 8760h", "24h", "how long an uploaded source picture is kept"),
    ROW("GenflowCreditDay", IN_SERVER, IS_TEXT, SERVER(credit_day), 0, 0,
        "", "UTC", "a time zone, or rolling: when a day's quota starts again"),
    ROW("GenflowCreditInitial", IN_SERVER, IS_INT, SERVER(credit_initial), 0, 1000000,
        "0 to 1000000", NULL, "credits of a new user"),
    ROW("GenflowCreditDaily", IN_SERVER, IS_INT, SERVER(credit_daily), 0, 1000000,
        "0 to 1000000", NULL, "credits granted at the first use of a day"),
    ROW("GenflowCreditDailyMax", IN_SERVER, IS_INT, SERVER(credit_daily_max), 0, 1000000000,
        "0 to 1000000000", NULL, "balance up to which they are granted"),
    ROW("GenflowCreditDayLimit", IN_SERVER, IS_INT, SERVER(credit_day_limit), 0, 1000000000,
        "0 to 1000000000", NULL, "limit of a day for accounts without limits of their own"),
    ROW("GenflowCreditWeekLimit", IN_SERVER, IS_INT, SERVER(credit_week_limit), 0, 1000000000,
        "0 to 1000000000", NULL, "the same of a week"),
    AP_INIT_TAKE2("GenflowCreditValue", httpd_set_credit_value, NULL, RSRC_CONF,
        "what a credit is worth, and the site's currency: number currency"),
    ROW("GenflowFeedOpen", IN_SERVER, IS_FLAG, SERVER(feed_open), 0, 1,
        "On or Off", "Off", "list public pictures without sign-in"),
    ROW("GenflowCloudinarySign", IN_SERVER, IS_FLAG, SERVER(cloudinary_sign), 0, 1,
        "On or Off", "Off", "sign uploads of clients to Cloudinary"),
    ROW("GenflowCreditReserveLifetime", IN_SERVER, IS_TIME, SERVER(reserve_lifetime), SECOND,
        24 * HOUR, "1s to 24h", "15m", "how long a reservation holds its credits"),
    AP_INIT_RAW_ARGS("<GenflowStoreOld", open_old_store, NULL, RSRC_CONF,
        "the store from which pictures are moved"),
    ROW("GenflowStoreKind", IN_STORE, IS_TEXT, SERVER(store_kind_name), 0, 0,
        "", "folder", "where pictures are kept: " GF_STORE_KIND_NAMES),
    ROW("GenflowStoreAccount", IN_STORE, IS_TEXT, SERVER(store_account), 0, 0,
        "", NULL, "Cloudinary's cloud name, S3's bucket"),
    ROW("GenflowStoreKey", IN_STORE, IS_SECRET, SERVER(store_key), 0, 0,
        "env:NAME or file:PATH", NULL, "id of the store's key"),
    ROW("GenflowStoreSecret", IN_STORE, IS_SECRET, SERVER(store_secret), 0, 0,
        "env:NAME or file:PATH", NULL, "the store's secret"),
    ROW("GenflowStoreRegion", IN_STORE, IS_TEXT, SERVER(store_region), 0, 0,
        "", "us-east-1", "S3's region"),
    ROW("GenflowStoreApi", IN_STORE, IS_URL, SERVER(store_api), 0, 0,
        "an http(s) address", NULL, "address of the store's API"),
    ROW("GenflowStorePublicUrl", IN_STORE, IS_URL, SERVER(store_public), 0, 0,
        "an http(s) address", NULL, "public address of S3's bucket"),
    ROW("GenflowStorePrefix", IN_STORE, IS_TEXT, SERVER(store_prefix), 0, 0,
        "", "stefna/generated", "folder that pictures are put under in Cloudinary or S3"),
    ROW("GenflowStoreAssetFolder", IN_SERVER, IS_TEXT, SERVER(store_asset_folder), 0, 0,
        "", NULL, "folder of the Media Library, for Cloudinary accounts with dynamic folders"),
    ROW("GenflowStoreUploadPreset", IN_SERVER, IS_TEXT, SERVER(store_upload_preset), 0, 0,
        "", NULL, "Cloudinary's upload preset"),
    ROW("GenflowStoreThumbnail", IN_STORE, IS_TEXT, SERVER(store_thumbnail), 0, 0,
        "", "On", "On, Off, or Cloudinary's transformation: small pictures for lists"),
    ROW("GenflowStorePublicId", IN_STORE, IS_WORD, SERVER(store_public_id), 0, 0,
        "generation, run or bare", "generation", "names of pictures in Cloudinary"),
    ROW("GenflowStoreOverwrite", IN_SERVER, IS_FLAG, SERVER(store_overwrite), 0, 1,
        "On or Off", "Off", "a picture of the same name is replaced"),
    ROW("GenflowStoreCacheTime", IN_SERVER, IS_TIME, SERVER(store_cache_time), 0, 365 * 24 * HOUR,
        "0s to 8760h", "24h", "how long browsers and proxies may show a picture from their caches"),
    ROW("GenflowStoreStrict", IN_SERVER, IS_FLAG, SERVER(store_strict), 0, 1,
        "On or Off", "Off", "a picture that cannot be stored fails its generation"),
    ROW("GenflowStoreFolder", IN_SERVER, IS_FOLDER, SERVER(store_folder), 0, 0,
        "a folder", NULL, "where pictures are kept"),
    ROW("GenflowStoreUrl", IN_SERVER, IS_URL, SERVER(store_url), 0, 0,
        "a path like /generated or an http(s) address", "/generated",
        "public address of the pictures"),
    ROW("GenflowStoreMaxBytes", IN_SERVER, IS_SIZE, SERVER(result_max), 1024, 1LL << 30,
        "1k to 1g", "50m", "bytes of a picture"),
    ROW("GenflowStoreMaxPixels", IN_SERVER, IS_INT, SERVER(pixels_max), 1, 1LL << 30,
        "1 to 1073741824", "67108864", "width x height of a picture"),

    AP_INIT_ITERATE("GenflowFetchAllow", httpd_set_allowed, NULL, RSRC_CONF,
        "networks that results may be fetched from although they are private"),
    AP_INIT_ITERATE("GenflowSourceAllow", httpd_set_source_allowed, NULL, RSRC_CONF,
        "networks that users' addresses may lead to although they are private"),
    AP_INIT_ITERATE("GenflowWebhookAllow", httpd_set_webhook_host, NULL, RSRC_CONF,
        "hosts that webhooks may be delivered to: host, *.domain, http://host"),
    ROW("GenflowWebhookSecret", IN_SERVER, IS_SECRET, SERVER(webhook_secret), 0, 0,
        "env:NAME or file:PATH", NULL, "signs the webhooks to clients"),
    ROW("GenflowWebhookTimeout", IN_SERVER, IS_TIME, SERVER(webhook_timeout), 100 * MS, 5 * MINUTE,
        "100ms to 5m", "15s", "for a webhook to answer"),

    ROW("GenflowWebhookSecretOld", IN_SERVER, IS_SECRET, SERVER(webhook_secret_old), 0, 0,
        "env:NAME or file:PATH", NULL, "the secret before it: webhooks carry both signatures"),
    ROW("GenflowWebhookShared", IN_SERVER, IS_FLAG, SERVER(webhook_shared), 0, 1,
        "On or Off", "Off", "one secret for all users, not one of each user's own"),
    ROW("GenflowAdminDatabase", IN_HTTPD, IS_TEXT, SERVER(admin_database), 0, 0,
        "", NULL, "where and as whom genflow-admin connects: a connection string of libpq"),
    ROW("GenflowAdminPassword", IN_HTTPD, IS_SECRET, SERVER(admin_password), 0, 0,
        "env:NAME or file:PATH", NULL, "the password of that role"),

    ROW("GenflowStudioFolder", IN_HTTPD, IS_FOLDER, SERVER(studio_folder), 0, 0,
        "a folder", NULL, "where the files of genflow-studio are"),

    AP_INIT_RAW_ARGS("<GenflowProvider", open_section, NULL, RSRC_CONF,
        "a provider: <GenflowProvider name>"),
    ROW("GenflowProviderKind", IN_PROVIDER, IS_TEXT, PROVIDER(kind_name), 0, 0,
        "", NULL, "what it speaks: " GF_PROVIDER_KIND_NAMES ", local, ..."),
    ROW("GenflowProviderUrl", IN_PROVIDER, IS_URL, PROVIDER(url), 0, 0,
        "an http(s) address", NULL, "address of its API"),
    ROW("GenflowProviderKey", IN_PROVIDER, IS_SECRET, PROVIDER(key), 0, 0,
        "env:NAME or file:PATH", NULL, "its API key"),
    AP_INIT_TAKE2("GenflowProviderHeader", httpd_set_header, NULL, RSRC_CONF,
        "a header that every request to it carries: name, value"),
    ROW("GenflowProviderHookSecret", IN_PROVIDER, IS_SECRET, PROVIDER(webhook_secret), 0, 0,
        "env:NAME or file:PATH", NULL, "what it signs its reports with"),
    ROW("GenflowProviderHookKeys", IN_PROVIDER, IS_URL, PROVIDER(webhook_keys), 0, 0,
        "an http(s) address", NULL, "where its public keys for reports are"),
    ROW("GenflowProviderConnectTimeout", IN_PROVIDER, IS_TIME, PROVIDER(connect_timeout),
        10 * MS, 5 * MINUTE, "10ms to 5m", "5s", "for a connection, TLS included"),
    ROW("GenflowProviderDeadline", IN_PROVIDER, IS_TIME, PROVIDER(deadline), 100 * MS, HOUR,
        "100ms to 1h", "120s", "from submission to picture"),
    ROW("GenflowProviderPoll", IN_PROVIDER, IS_TIME, PROVIDER(poll), 10 * MS, 5 * MINUTE,
        "10ms to 5m", "2s", "longest wait between two polls of a run"),
    ROW("GenflowProviderListWait", IN_PROVIDER, IS_TIME, PROVIDER(list_wait), SECOND, 5 * MINUTE,
        "1s to 5m", "30s", "how far its list of runs may lag behind"),
    ROW("GenflowProviderBackoff", IN_PROVIDER, IS_TIME, PROVIDER(backoff), 0, 5 * MINUTE,
        "0s to 5m", "2s", "first wait after a failure; doubles"),
    ROW("GenflowProviderBackoffMax", IN_PROVIDER, IS_TIME, PROVIDER(backoff_max), 0, HOUR,
        "0s to 1h", "30s", "longest such wait"),
    ROW("GenflowProviderBreakerFailures", IN_PROVIDER, IS_INT, PROVIDER(breaker_failures), 0, 1000,
        "0 to 1000", "5", "failures in a row that open its breaker"),
    ROW("GenflowProviderBreakerOpen", IN_PROVIDER, IS_TIME, PROVIDER(breaker_open), 0, 24 * HOUR,
        "0s to 24h", "30s", "how long an open breaker sends nothing; 0s: it has none"),
    AP_INIT_TAKE1("GenflowProviderBudget", httpd_set_budget, NULL, RSRC_CONF,
        "what all submissions to it may cost: number/day"),
    ROW("GenflowProviderPrice", IN_PROVIDER, IS_INT, PROVIDER(price), 1, 1000000000000,
        "1 to 1000000000000", "1", "what a submission takes of its budget"),
    AP_INIT_TAKE12("GenflowProviderCost", httpd_set_provider_cost, NULL, RSRC_CONF,
        "what a picture costs there, in the site's currency: number [model]"),

    AP_INIT_RAW_ARGS("<GenflowType", open_section, NULL, RSRC_CONF,
        "a generation type: <GenflowType name>"),
    AP_INIT_TAKE12("GenflowTypeLabel", httpd_set_label, NULL, RSRC_CONF,
        "its name for people: [language] text"),
    AP_INIT_TAKE12("GenflowTypeText", httpd_set_text, NULL, RSRC_CONF,
        "what it does, for people: [language] text"),
    AP_INIT_TAKE_ARGV("GenflowTypeProviders", httpd_set_chain, NULL, RSRC_CONF,
        "its chain of provider/model, first to last"),
    ROW("GenflowTypeFallback", IN_TYPE, IS_TEXT, TYPE(fallback), 0, 0,
        "", NULL, "the provider that draws here when a user requests it: provider/model"),
    ROW("GenflowTypeCost", IN_TYPE, IS_INT, TYPE(cost), 0, 1000000,
        "0 to 1000000", "2", "credits for a picture"),
    ROW("GenflowTypeFallbackCost", IN_TYPE, IS_INT, TYPE(fallback_cost), 0, 1000000,
        "0 to 1000000", "0", "credits for drawing a failed generation here"),
    ROW("GenflowTypeUnknown", IN_TYPE, IS_WORD, TYPE(unknown_next), 0, 0,
        "fail or next", "fail", "what follows an attempt of unknown outcome"),
    ROW("GenflowTypeRetries", IN_TYPE, IS_INT, TYPE(retries), 0, 10,
        "0 to 10", "3", "retries per provider"),
    ROW("GenflowTypeLifetime", IN_TYPE, IS_TIME, TYPE(lifetime), SECOND, 24 * HOUR,
        "1s to 24h", "10m", "after it a generation fails, whatever happens"),
    ROW("GenflowTypePromptMin", IN_TYPE, IS_INT, TYPE(prompt_min), 0, 1000,
        "0 to 1000", "1", "characters a prompt needs; 0: none"),
    ROW("GenflowTypePromptMax", IN_TYPE, IS_INT, TYPE(prompt_max), 1, 10000,
        "1 to 10000", "1000", "characters a prompt may have"),
    ROW("GenflowTypeSource", IN_TYPE, IS_WORD, TYPE(source), 0, 0,
        "none, optional or required", "none", "does a request bring a picture?"),
    ROW("GenflowTypePresetWindow", IN_TYPE, IS_INT, TYPE(preset_window), 0, 100,
        "0 to 100", "0", "presets that are on in a week; 0: all, always"),
    ROW("GenflowTypeEmptyFails", IN_TYPE, IS_FLAG, TYPE(empty_fails), 0, 1,
        "On or Off", "Off", "a result without a picture goes to the next provider"),
    ROW("GenflowTypeTwoStep", IN_TYPE, IS_FLAG, TYPE(two_step), 0, 1,
        "On or Off", "Off", "generation/create makes this type if none is named"),
    ROW("GenflowTypePriorityMax", IN_TYPE, IS_WORD, TYPE(priority_max), 0, 0,
        "low, normal or high", "normal", "the highest priority of a request"),
    AP_INIT_TAKE_ARGV("GenflowTypeParameter", httpd_set_parameter, NULL, RSRC_CONF,
        "bounds of a parameter that costs money: name min default max, or name a|b|c"),
    AP_INIT_TAKE_ARGV("GenflowTypePrice", httpd_set_price, NULL, RSRC_CONF,
        "credits of a generation of which all terms hold: number name=value ..."),

    AP_INIT_TAKE1("GenflowUser", httpd_set_user, NULL, ACCESS_CONF,
        "expression that names the user"),
    AP_INIT_TAKE1("SetHandler", httpd_set_handler, NULL, OR_FILEINFO,
        "httpd's own: here only the section that gives a handler of ours is noted"),
    AP_INIT_RAW_ARGS("Require", httpd_set_require, NULL, OR_AUTHCFG,
        "httpd's own: here only the section that has one is noted"),
    AP_INIT_TAKE1("GenflowBase", httpd_set_base, NULL, ACCESS_CONF,
        "path where the API is mounted"),
    AP_INIT_TAKE1("GenflowSignOutUrl", httpd_set_sign_out, NULL, RSRC_CONF | ACCESS_CONF,
        "where a page leads who signs out"),
    AP_INIT_TAKE2("GenflowPath", httpd_set_path, NULL, ACCESS_CONF,
        "a name below this <Location>, and the path of the API that it stands for"),
    AP_INIT_FLAG("GenflowLegacyNames", httpd_set_legacy, NULL, RSRC_CONF | ACCESS_CONF,
        "take and give older names, too"),
    AP_INIT_TAKE1("GenflowBodyUnknown", httpd_set_unknown, NULL, RSRC_CONF | ACCESS_CONF,
        "refuse or ignore members of bodies and queries that are not known"),
    AP_INIT_TAKE_ARGV("GenflowModel", httpd_set_model, NULL, ACCESS_CONF,
        "a name that clients of another API know, and the type that it stands for"),
    AP_INIT_TAKE1("GenflowStudioApi", httpd_studio_set_api, NULL, ACCESS_CONF,
        "path of the API that the page talks to"),
    AP_INIT_TAKE1("GenflowStudioTitle", httpd_studio_set_title, NULL, ACCESS_CONF,
        "the title of the page"),
    AP_INIT_TAKE1("GenflowStudioLogo", httpd_studio_set_logo, NULL, ACCESS_CONF,
        "path of a picture beside the title"),
    AP_INIT_TAKE2("GenflowStudioLink", httpd_studio_set_link, NULL, ACCESS_CONF,
        "a link of the page: its name, and the address"),
    AP_INIT_ITERATE("GenflowCorsOrigin", httpd_set_origin, NULL, RSRC_CONF | ACCESS_CONF,
        "origins whose pages may read answers: https://host[:port] ..., or *"),
    { NULL, { NULL }, NULL, 0, RAW_ARGS, NULL }
};
/* clang-format on */

/* ---- creation, merging, defaults ---- */

void *httpd_conf_create_server(apr_pool_t *pool, server_rec *server)
{
    server_conf_t *sc = apr_pcalloc(pool, sizeof(*sc));

    (void)server;
    sc->conf = apr_pcalloc(pool, sizeof(*sc->conf));
    sc->conf->providers = apr_hash_make(pool);
    sc->conf->types = apr_hash_make(pool);
    sc->conf->fetch_allowed = apr_array_make(pool, 2, sizeof(apr_ipsubnet_t *));
    sc->conf->source_allowed = apr_array_make(pool, 2, sizeof(apr_ipsubnet_t *));
    sc->conf->webhook_hosts = apr_array_make(pool, 2, sizeof(const char *));
    sc->conf->type_list = apr_array_make(pool, 8, sizeof(gf_type_t *));
    sc->conf->models = apr_array_make(pool, 8, sizeof(gf_model_t *));
    unset_numbers(sc->conf, IN_HTTPD);
    unset_numbers(sc->conf, IN_SERVER);
    unset_numbers(sc->conf, IN_STORE);
    return sc;
}

/* GenflowModel stands in a <Location>, which may be in a virtual host without settings. */
void *httpd_conf_merge_server(apr_pool_t *pool, void *base, void *add)
{
    server_conf_t *all = base;
    server_conf_t *one = add;

    (void)pool;
    if (one->first) {
        return one;
    }
    apr_array_cat(all->conf->models, one->conf->models);
    return all;
}

/* Where the row's value is not set in `base`. */
static bool is_unset(const httpd_row_t *row, const void *base)
{
    const char *value = (const char *)base + row->offset;

    return row->kind < IS_TEXT ? *(const apr_int64_t *)value == GF_UNSET
                               : !*(const char *const *)value;
}

void httpd_conf_inherit(gf_conf_t *conf, const gf_conf_t *base_conf)
{
    const command_rec *command;

    for (command = httpd_conf_commands; command->name; command++) {
        const httpd_row_t *row = command->cmd_data;

        if (row && row->place <= IN_STORE && is_unset(row, conf)) {
            memcpy((char *)conf + row->offset, (const char *)base_conf + row->offset,
                   row->kind < IS_TEXT ? sizeof(apr_int64_t) : sizeof(const char *));
        }
    }
}

void httpd_conf_defaults(apr_pool_t *pool, void *base, httpd_place_t place)
{
    const command_rec *command;

    for (command = httpd_conf_commands; command->name; command++) {
        const httpd_row_t *row = command->cmd_data;

        if (row && row->place == place && row->value && is_unset(row, base)) {
            httpd_row_set(pool, row, base, command->name, row->value);
        }
    }
}

gf_conf_t *httpd_conf_old_store(const gf_conf_t *conf, apr_pool_t *pool)
{
    gf_conf_t *old = apr_pmemdup(pool, conf, sizeof(*conf));
    const command_rec *command;

    for (command = httpd_conf_commands; command->name; command++) {
        const httpd_row_t *row = command->cmd_data;

        if (row && row->place == IN_STORE) {
            memcpy((char *)old + row->offset, (const char *)conf->store_old + row->offset,
                   row->kind < IS_TEXT ? sizeof(apr_int64_t) : sizeof(const char *));
        }
    }
    httpd_conf_defaults(pool, old, IN_STORE);
    old->store_old = NULL;
    return old;
}
