/* SPDX-License-Identifier: Apache-2.0 */
/* Directives with a setter of their own: keys, chains, presets, networks, the user's expression.
 * Leaves rows of one number or text to httpd_conf.c. Start-up only. */
#include "httpd/httpd_setters.h"

#include <string.h>

#include <apr_env.h>
#include <apr_file_io.h>
#include <apr_network_io.h>
#include <apr_strings.h>
#include <http_core.h>

#include "base/gf_text.h"
#include "httpd/httpd_glue.h"
#include "model/gf_type.h"

#define KEY_MAX 4096

const char *httpd_setters_not_here(const cmd_parms *cmd, bool provider)
{
    return apr_psprintf(cmd->pool, "%s belongs inside <%s name>", cmd->cmd->name,
                        provider ? "GenflowProvider" : "GenflowType");
}

static const char *read_key_file(cmd_parms *cmd, const char *path, const char **key)
{
    char text[KEY_MAX + 1];
    apr_size_t length = KEY_MAX;
    apr_file_t *file;
    apr_status_t rv = apr_file_open(&file, path, APR_FOPEN_READ, 0, cmd->pool);

    if (rv == APR_SUCCESS) {
        rv = apr_file_read_full(file, text, length, &length);
        apr_file_close(file);
    }
    if (rv != APR_SUCCESS && !APR_STATUS_IS_EOF(rv)) {
        return apr_psprintf(cmd->pool, "GenflowProviderKey: cannot read the file %s", path);
    }
    text[length] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    *key = text[0] ? apr_pstrdup(cmd->pool, text) : NULL;
    return NULL;
}

/* A variable that is not set leaves the provider without a key: that matters only if a type uses it
 * (see finish). */
const char *httpd_set_key(cmd_parms *cmd, void *dir, const char *text)
{
    gf_provider_t *provider = httpd_setters_conf(cmd->server)->provider;
    char *value = NULL;

    (void)dir;
    if (!provider) {
        return httpd_setters_not_here(cmd, true);
    }
    if (strncmp(text, "file:", 5) == 0) {
        return read_key_file(cmd, ap_server_root_relative(cmd->pool, text + 5), &provider->key);
    }
    if (strncmp(text, "env:", 4) != 0) {
        return "GenflowProviderKey: must be env:NAME or file:PATH (a key does not belong into "
               "httpd.conf)";
    }
    apr_env_get(&value, text + 4, cmd->pool);
    provider->key = value && *value ? value : NULL;
    return NULL;
}

const char *httpd_set_chain(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    gf_type_t *type = httpd_setters_conf(cmd->server)->type;
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

const char *httpd_set_preset(cmd_parms *cmd, void *dir, const char *key, const char *strength,
                             const char *prompt)
{
    gf_type_t *type = httpd_setters_conf(cmd->server)->type;
    gf_preset_t *preset;
    char *end = NULL;
    double number = strtod(strength, &end);

    (void)dir;
    if (!type) {
        return httpd_setters_not_here(cmd, false);
    }
    if (!gf_text_is_token(key, 64)) {
        return apr_psprintf(
            cmd->pool,
            "GenflowTypePreset %s: the key must be 1 to 64 characters of A-Z a-z 0-9 . _ : -", key);
    }
    if (end == strength || *end || !(number >= 0 && number <= 1)) {
        return apr_psprintf(cmd->pool,
                            "GenflowTypePreset %s %s: the strength must be a number from 0 to 1",
                            key, strength);
    }
    preset = (gf_preset_t *)gf_type_preset(type, key);
    if (!preset) {
        preset = apr_array_push(type->presets);
        preset->key = key;
    }
    preset->strength = number;
    preset->prompt = prompt;
    return NULL;
}

/* GenflowFetchAllow 10.1.0.0/16 ...: `any` is not taken, a site must know its networks. */
const char *httpd_set_allowed(cmd_parms *cmd, void *dir, const char *text)
{
    gf_conf_t *conf = httpd_setters_conf(cmd->server)->conf;
    const char *wrong = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    char *address = apr_pstrdup(cmd->pool, text);
    char *bits = strchr(address, '/');
    apr_ipsubnet_t *subnet;

    (void)dir;
    if (wrong) {
        return wrong;
    }
    if (bits) {
        *bits++ = '\0';
    }
    if (apr_ipsubnet_create(&subnet, address, bits, cmd->pool) != APR_SUCCESS) {
        return apr_psprintf(cmd->pool,
                            "GenflowFetchAllow %s: must be an address or a network like "
                            "10.1.0.0/16",
                            text);
    }
    APR_ARRAY_PUSH(conf->fetch_allowed, apr_ipsubnet_t *) = subnet;
    return NULL;
}

const char *httpd_set_user(cmd_parms *cmd, void *dir, const char *text)
{
    const char *wrong = NULL;

    ((httpd_dir_t *)dir)->user =
        ap_expr_parse_cmd(cmd, text, AP_EXPR_FLAG_STRING_RESULT, &wrong, NULL);
    return wrong ? apr_pstrcat(cmd->pool, "GenflowUser ", text, ": ", wrong, NULL) : NULL;
}

const char *httpd_set_base(cmd_parms *cmd, void *dir, const char *text)
{
    size_t length = strlen(text);

    if (text[0] != '/' || (length > 1 && text[length - 1] == '/')) {
        return apr_psprintf(
            cmd->pool,
            "GenflowBase %s: must be a path that begins with / and does not end with one", text);
    }
    ((httpd_dir_t *)dir)->base = length > 1 ? text : "";
    return NULL;
}
