/* SPDX-License-Identifier: Apache-2.0 */
/* Directives with a setter of their own: keys, chains, networks. Leaves rows of one number or text
 * to httpd/conf.c, what stands in a <Location> to httpd/dir.c. Start-up only. */
#include "httpd/setters.h"

#include <string.h>

#include <apr_env.h>
#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_network_io.h>
#include <apr_strings.h>
#include <ap_mpm.h>
#include <http_core.h>

#include "base/sign.h"
#include "base/text.h"
#include "httpd/glue.h"
#include "model/bound.h"
#include "model/language.h"
#include "model/money.h"
#include "model/price.h"
#include "model/type.h"

#define REALM_MAX    32 /* characters, as in genflow.accounts */
#define SECRET_MAX   4096
#define LABEL_MAX    100 /* characters */
#define TEXT_MAX     1000
#define MONEY        "0 to 1000000 with up to 6 decimals"
#define BUDGET_MAX   1000000000000000
#define ZONES        "/usr/share/zoneinfo/"
#define HOST_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"
#define ZONE_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/"

const char *httpd_setters_not_here(const cmd_parms *cmd, bool provider)
{
    return apr_psprintf(cmd->pool, "%s belongs inside <%s name>", cmd->cmd->name,
                        provider ? "GenflowProvider" : "GenflowType");
}

static const char *read_secret_file(const char **secret, apr_pool_t *pool, const char *name,
                                    const char *path)
{
    char text[SECRET_MAX + 1];
    apr_size_t length = SECRET_MAX;
    apr_file_t *file;
    apr_status_t rv = path ? apr_file_open(&file, path, APR_FOPEN_READ, 0, pool) : APR_EBADPATH;

    if (rv == APR_SUCCESS) {
        rv = apr_file_read_full(file, text, length, &length);
        apr_file_close(file);
    }
    if (rv != APR_SUCCESS && !APR_STATUS_IS_EOF(rv)) {
        return apr_psprintf(pool, "%s: cannot read the file %s", name, path);
    }
    text[length] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (!text[0]) {
        return apr_psprintf(pool, "%s: the first line of %s is empty", name, path);
    }
    *secret = apr_pstrdup(pool, text);
    return NULL;
}

const char *httpd_setters_secret(const char **secret, apr_pool_t *pool, const char *name,
                                 const char *text)
{
    char *value = NULL;

    if (strncmp(text, "file:", 5) == 0) {
        return read_secret_file(secret, pool, name, ap_server_root_relative(pool, text + 5));
    }
    if (strncmp(text, "env:", 4) != 0) {
        return apr_psprintf(pool,
                            "%s: must be env:NAME or file:PATH (a secret does not belong into "
                            "httpd.conf)",
                            name);
    }
    apr_env_get(&value, text + 4, pool);
    *secret = value && *value ? value : NULL;
    return NULL;
}

/* Is there a regular file of that name? */
static bool is_file(const char *path, apr_pool_t *pool)
{
    apr_finfo_t found;

    return apr_stat(&found, path, APR_FINFO_TYPE, pool) == APR_SUCCESS && found.filetype == APR_REG;
}

/* Postgres decides what a time zone is; what this host's list of them does not have is a slip. */
const char *httpd_setters_day(const char *day, apr_pool_t *pool)
{
    bool named = apr_isalpha(day[0]) && day[strspn(day, ZONE_LETTERS)] == '\0';
    bool listed = !is_file(ZONES "UTC", pool) || is_file(apr_pstrcat(pool, ZONES, day, NULL), pool);

    if (strcmp(day, "rolling") == 0 || (named && listed)) {
        return NULL;
    }
    return apr_psprintf(pool,
                        "GenflowCreditDay %s: must be a time zone like UTC or Europe/Berlin, or "
                        "rolling",
                        day);
}

const char *httpd_set_realm(cmd_parms *cmd, void *dir, const char *name)
{
    (void)dir;
    if (!cmd->server->is_virtual) {
        return apr_psprintf(
            cmd->pool, "GenflowRealm %s belongs into a <VirtualHost>: the main server has none",
            name);
    }
    if (!gf_text_is_name(name, REALM_MAX)) {
        return apr_psprintf(
            cmd->pool,
            "GenflowRealm %s: must be a name of a-z, 0-9 and single hyphens, at most "
            "%d long",
            name, REALM_MAX);
    }
    httpd_server_write(cmd)->conf->realm = name;
    return NULL;
}

/* GenflowProviderHeader name value. Refuses headers that every kind sets itself; httpd/finish.c
 * refuses the header of the kind's key. */
const char *httpd_set_header(cmd_parms *cmd, void *dir, const char *name, const char *value)
{
    gf_provider_t *provider = httpd_server_write(cmd)->provider;
    const char *at;

    (void)dir;
    if (!provider) {
        return httpd_setters_not_here(cmd, true);
    }
    for (at = name; apr_isalnum(*at) || *at == '-'; at++) {
    }
    if (at == name || *at || strcasecmp(name, "Authorization") == 0
        || strcasecmp(name, "Content-Type") == 0 || strcasecmp(name, "Content-Length") == 0
        || strcasecmp(name, "Host") == 0) {
        return apr_psprintf(cmd->pool,
                            "GenflowProviderHeader %s: must be a header's name of A-Z a-z 0-9 and "
                            "-, but none of Authorization, Content-Type, Content-Length, Host",
                            name);
    }
    if (!value[0] || strpbrk(value, "\r\n")) {
        return apr_psprintf(cmd->pool, "GenflowProviderHeader %s: needs a value of one line", name);
    }
    apr_table_set(provider->headers, name, value);
    return NULL;
}

/* GenflowProviderBudget 1000/day: the day is UTC's. */
const char *httpd_set_budget(cmd_parms *cmd, void *dir, const char *text)
{
    gf_provider_t *provider = httpd_server_write(cmd)->provider;
    char *number = apr_pstrdup(cmd->pool, text);
    char *period = strchr(number, '/');

    (void)dir;
    if (!provider) {
        return httpd_setters_not_here(cmd, true);
    }
    if (period) {
        *period++ = '\0';
    }
    if (!period || strcmp(period, "day") != 0 || !gf_text_int(&provider->budget, number)
        || provider->budget < 1 || provider->budget > BUDGET_MAX) {
        return apr_psprintf(
            cmd->pool,
            "GenflowProviderBudget %s: must be number/day as in 1000/day, from 1 to "
            "1000000000000000",
            text);
    }
    return NULL;
}

/* GenflowProviderCost 0.08 sd3-large: for a retry, too. */
const char *httpd_set_provider_cost(cmd_parms *cmd, void *dir, const char *number,
                                    const char *model)
{
    gf_provider_t *provider = httpd_server_write(cmd)->provider;
    gf_cost_t cost = { .model = model };

    (void)dir;
    if (!provider) {
        return httpd_setters_not_here(cmd, true);
    }
    if (!gf_money_read(&cost.amount, number)) {
        return apr_psprintf(cmd->pool, "GenflowProviderCost %s: must be a number like 0.04, " MONEY,
                            number);
    }
    if (!provider->costs) {
        provider->costs = apr_array_make(cmd->pool, 2, sizeof(gf_cost_t));
    }
    gf_money_set(provider->costs, &cost);
    return NULL;
}

const char *httpd_set_credit_value(cmd_parms *cmd, void *dir, const char *number,
                                   const char *currency)
{
    gf_conf_t *conf = httpd_server_write(cmd)->conf;

    (void)dir;
    if (!gf_money_read(&conf->credit_value, number)) {
        return apr_psprintf(cmd->pool, "GenflowCreditValue %s: must be a number like 0.01, " MONEY,
                            number);
    }
    if (strlen(currency) != 3 || strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3) {
        return apr_psprintf(cmd->pool,
                            "GenflowCreditValue %s %s: the currency must have three letters, as "
                            "EUR has",
                            number, currency);
    }
    conf->currency = currency;
    return NULL;
}

const char *httpd_set_chain(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    gf_type_t *type = httpd_server_write(cmd)->type;
    int i;

    (void)dir;
    if (!type) {
        return httpd_setters_not_here(cmd, false);
    }
    if (argc == 0) {
        return "GenflowTypeProviders: needs at least one provider, as in `stability/sd3 local`";
    }
    apr_array_clear(type->chain_text);
    for (i = 0; i < argc; i++) {
        APR_ARRAY_PUSH(type->chain_text, const char *) = argv[i];
    }
    return NULL;
}

/* GenflowTypeParameter name min default max, or name a|b|c: the last one of a name counts. */
const char *httpd_set_parameter(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    gf_type_t *type = httpd_server_write(cmd)->type;
    gf_bound_t bound;
    const char *wrong;
    int i;

    (void)dir;
    if (!type) {
        return httpd_setters_not_here(cmd, false);
    }
    wrong = gf_bound_read(&bound, argc, argv, cmd->pool);
    if (wrong) {
        return apr_psprintf(cmd->pool, "GenflowTypeParameter%s%s: %s", argc ? " " : "",
                            argc ? argv[0] : "", wrong);
    }
    if (!type->bounds) {
        type->bounds = apr_array_make(cmd->pool, 2, sizeof(gf_bound_t));
    }
    for (i = 0; i < type->bounds->nelts; i++) {
        if (APR_ARRAY_IDX(type->bounds, i, gf_bound_t).name == bound.name) {
            APR_ARRAY_IDX(type->bounds, i, gf_bound_t) = bound;
            return NULL;
        }
    }
    APR_ARRAY_PUSH(type->bounds, gf_bound_t) = bound;
    return NULL;
}

const char *httpd_set_price(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    gf_type_t *type = httpd_server_write(cmd)->type;
    const char *wrong;
    gf_price_t price;

    (void)dir;
    if (!type) {
        return httpd_setters_not_here(cmd, false);
    }
    wrong = gf_price_read(&price, argc, argv, cmd->pool);
    if (wrong) {
        return apr_psprintf(cmd->pool, "GenflowTypePrice: %s", wrong);
    }
    if (!type->prices) {
        type->prices = apr_array_make(cmd->pool, 2, sizeof(gf_price_t));
    }
    APR_ARRAY_PUSH(type->prices, gf_price_t) = price;
    return NULL;
}

/* One argument is the text, two are its language and the text. */
static const char *add_text(cmd_parms *cmd, size_t member, apr_size_t max, const char *first,
                            const char *second)
{
    gf_type_t *type = httpd_server_write(cmd)->type;
    const char *wrong;

    if (!type) {
        return httpd_setters_not_here(cmd, false);
    }
    wrong = gf_language_add((apr_array_header_t **)((char *)type + member), second ? first : NULL,
                            second ? second : first, max, cmd->pool);
    return wrong ? apr_psprintf(
               cmd->pool, "%s%s%s: %s", cmd->cmd->name, second ? " " : "",
               second ? gf_text_redact(cmd->pool, first, strlen(first), GF_LANGUAGE_TAG_MAX, NULL)
                      : "",
               wrong)
                 : NULL;
}

const char *httpd_set_label(cmd_parms *cmd, void *dir, const char *first, const char *second)
{
    (void)dir;
    return add_text(cmd, offsetof(gf_type_t, labels), LABEL_MAX, first, second);
}

const char *httpd_set_text(cmd_parms *cmd, void *dir, const char *first, const char *second)
{
    (void)dir;
    return add_text(cmd, offsetof(gf_type_t, texts), TEXT_MAX, first, second);
}

/* 10.1.0.0/16 ...: `any` is not taken, a site must know its networks. */
static const char *add_network(cmd_parms *cmd, apr_array_header_t *allowed, const char *text)
{
    char *address = apr_pstrdup(cmd->pool, text);
    char *bits = strchr(address, '/');
    apr_ipsubnet_t *subnet;

    if (bits) {
        *bits++ = '\0';
    }
    if (apr_ipsubnet_create(&subnet, address, bits, cmd->pool) != APR_SUCCESS) {
        return apr_psprintf(cmd->pool, "%s %s: must be an address or a network like 10.1.0.0/16",
                            cmd->cmd->name, text);
    }
    APR_ARRAY_PUSH(allowed, apr_ipsubnet_t *) = subnet;
    return NULL;
}

const char *httpd_set_allowed(cmd_parms *cmd, void *dir, const char *text)
{
    (void)dir;
    return add_network(cmd, httpd_server_write(cmd)->conf->fetch_allowed, text);
}

const char *httpd_set_source_allowed(cmd_parms *cmd, void *dir, const char *text)
{
    (void)dir;
    return add_network(cmd, httpd_server_write(cmd)->conf->source_allowed, text);
}

/* GenflowWebhookAllow hooks.example.com *.example.org http://10.1.2.3 ...: a port is not part of
 * it, an IPv6 address has no brackets, and * alone is any host with a public address. */
const char *httpd_set_webhook_host(cmd_parms *cmd, void *dir, const char *text)
{
    gf_conf_t *conf = httpd_server_write(cmd)->conf;
    const char *host = text + (strncmp(text, "http://", 7) == 0 ? 7 : 0);
    const char *name = host + (strncmp(host, "*.", 2) == 0 ? 2 : 0);
    const char *colon = strchr(name, ':');
    bool port = colon && !strchr(colon + 1, ':'); /* one: no IPv6 address */

    (void)dir;
    if (strcmp(host, "*") != 0 && (!*name || name[strspn(name, HOST_LETTERS)] || port)) {
        return apr_psprintf(cmd->pool,
                            "GenflowWebhookAllow %s: must be a host, *.domain, or *, with http:// "
                            "before it to deliver webhooks without TLS, too; without port and "
                            "path",
                            text);
    }
    APR_ARRAY_PUSH(conf->webhook_hosts, const char *) = apr_pstrdup(cmd->pool, text);
    return NULL;
}

/* A server without a dispatcher delivers nothing, and needs no secret for it. */
const char *httpd_setters_webhooks(const gf_conf_t *conf, apr_pool_t *pool)
{
    if (conf->webhook_hosts->nelts == 0 || !conf->dispatch) {
        return NULL;
    }
    if (!gf_sign_is_secret(conf->webhook_secret, pool)) {
        return "GenflowWebhookAllow is given, but GenflowWebhookSecret is missing, or names no "
               "secret of the form " GF_SIGN_SECRET ": without it webhooks cannot be signed";
    }
    if (conf->webhook_secret_old && !gf_sign_is_secret(conf->webhook_secret_old, pool)) {
        return "GenflowWebhookSecretOld names no secret of the form " GF_SIGN_SECRET;
    }
    if (!conf->public_url || conf->public_url[0] == '/') {
        return "GenflowWebhookAllow is given, but GenflowPublicUrl is no http(s) address: what "
               "webhooks carry contains whole addresses";
    }
    return NULL;
}
