/* SPDX-License-Identifier: Apache-2.0 */
/* The directives of a <Location>: setters, merging of nested ones, values for a request. The rows
 * are in httpd/conf.c. */
#include "httpd/dir.h"

#include <string.h>

#include <apr_fnmatch.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "base/text.h"
#include "httpd/glue.h"
#include "httpd/models.h"
#include "httpd/server.h"
#include "model/url.h"

#define SIGN_OUT_MAX 2000 /* characters */

/* ---- creation, merging ---- */

void *httpd_conf_create_dir(apr_pool_t *pool, char *path)
{
    httpd_dir_t *dir = apr_pcalloc(pool, sizeof(*dir));

    (void)path;
    dir->legacy = -1;
    dir->unknown = -1;
    return dir;
}

static apr_table_t *merge_links(apr_pool_t *pool, apr_table_t *around, apr_table_t *inside)
{
    apr_table_t *all;

    if (!around || !inside) {
        return inside ? inside : around;
    }
    all = apr_table_copy(pool, around);
    apr_table_overlap(all, inside, APR_OVERLAP_TABLES_SET);
    return all;
}

void *httpd_conf_merge_dir(apr_pool_t *pool, void *base, void *add)
{
    const httpd_dir_t *parent = base;
    httpd_dir_t *merged = apr_pmemdup(pool, add, sizeof(*merged));

    merged->user = merged->user ? merged->user : parent->user;
    merged->base = merged->base ? merged->base : parent->base;
    merged->mount = merged->mount ? merged->mount : parent->mount;
    merged->required = merged->required || (!merged->handles && parent->required);
    merged->sign_out = merged->sign_out ? merged->sign_out : parent->sign_out;
    merged->legacy = merged->legacy >= 0 ? merged->legacy : parent->legacy;
    merged->unknown = merged->unknown >= 0 ? merged->unknown : parent->unknown;
    merged->origins = merged->origins ? merged->origins : parent->origins;
    merged->models = httpd_models_merge(pool, parent->models, merged->models);
    merged->studio_api = merged->studio_api ? merged->studio_api : parent->studio_api;
    merged->studio_title = merged->studio_title ? merged->studio_title : parent->studio_title;
    merged->studio_logo = merged->studio_logo ? merged->studio_logo : parent->studio_logo;
    merged->studio_links = merge_links(pool, parent->studio_links, merged->studio_links);
    if (merged->paths && parent->paths) {
        merged->paths = apr_hash_overlay(pool, merged->paths, parent->paths);
    }
    else if (parent->paths) {
        merged->paths = parent->paths;
    }
    return merged;
}

/* ---- setters ---- */

/* A part of GenflowUser's value: text, or one %{...}. */
typedef struct piece_t {
    ap_expr_info_t *expression;
    bool is_variable; /* empty: no user at all */
} piece_t;

/* The length of the %{...} that `text` begins with; 0: it has no end. */
static size_t variable_length(const char *text)
{
    const char *end = strchr(text, '}');

    return end ? (size_t)(end - text) + 1 : 0;
}

/* The length of the text before the next %{; what follows a backslash is text. */
static size_t text_length(const char *text)
{
    const char *at = text;

    while (*at && strncmp(at, "%{", 2) != 0) {
        at += at[0] == '\\' && at[1] ? 2 : 1;
    }
    return (size_t)(at - text);
}

/* GenflowUser expression. Each %{...} is compiled by itself, so that an absent one is noticed: with
 * "site-%{HTTP:X-User}", a request without X-User would otherwise be the user "site-". */
const char *httpd_set_user(cmd_parms *cmd, void *dir, const char *text)
{
    apr_array_header_t *pieces = apr_array_make(cmd->pool, 3, sizeof(piece_t));
    const char *at = text;
    const char *wrong = NULL;

    while (*at && !wrong) {
        bool is_variable = strncmp(at, "%{", 2) == 0;
        size_t length = is_variable ? variable_length(at) : text_length(at);
        piece_t *piece = apr_array_push(pieces);

        length = length ? length : strlen(at); /* no end: the parser reports it */
        piece->is_variable = is_variable;
        piece->expression = ap_expr_parse_cmd(cmd, apr_pstrmemdup(cmd->pool, at, length),
                                              AP_EXPR_FLAG_STRING_RESULT, &wrong, NULL);
        at += length;
    }
    ((httpd_dir_t *)dir)->user = pieces;
    return wrong ? apr_pstrcat(cmd->pool, "GenflowUser ", text, ": ", wrong, NULL) : NULL;
}

/* The path of the <Location> around a directive; NULL: there is none, or it is a pattern. Of
 * sections inside of it (<If>, <Limit>) it is still that <Location>. */
static const char *location_around(const cmd_parms *cmd)
{
    const ap_directive_t *section = cmd->directive ? cmd->directive->parent : NULL;
    const char *args;
    size_t length;
    char *path;

    while (section && strcasecmp(section->directive, "<Location") != 0) {
        section = section->parent;
    }
    if (!section) {
        return cmd->path ? NULL : ""; /* the server itself */
    }
    args = apr_pstrmemdup(cmd->temp_pool, section->args, strcspn(section->args, ">"));
    path = ap_getword_conf(cmd->pool, &args);
    if (path[0] != '/' || apr_fnmatch_test(path)) {
        return NULL;
    }
    for (length = strlen(path); length > 0 && path[length - 1] == '/'; length--) {
        path[length - 1] = '\0';
    }
    return path;
}

/* Runs beside httpd's own SetHandler, and records the section that set the handler. Later sections
 * with another handler for the same request (<If>, <LocationMatch>, a <Location> inside) do not
 * move the API. */
const char *httpd_set_handler(cmd_parms *cmd, void *dir, const char *name)
{
    if (strncmp(name, "genflow-", 8) == 0) {
        ((httpd_dir_t *)dir)->mount = location_around(cmd);
        ((httpd_dir_t *)dir)->handles = true;
    }
    return NULL;
}

const char *httpd_set_require(cmd_parms *cmd, void *dir, const char *line)
{
    (void)cmd;
    (void)line;
    ((httpd_dir_t *)dir)->required = true;
    return NULL;
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

/* Pages lead there, so nothing but an address that they open: no script, no other site by //. */
const char *httpd_set_sign_out(cmd_parms *cmd, void *dir, const char *text)
{
    bool is_path = text[0] == '/' && text[1] != '/' && text[1] != '\\';

    if (!gf_text_is_printable(text, SIGN_OUT_MAX) || !(is_path || gf_url_is_http(text))) {
        return apr_psprintf(cmd->pool,
                            "GenflowSignOutUrl: must be an http(s) address, or a path like "
                            "/logout, of at most %d printable characters",
                            SIGN_OUT_MAX);
    }
    ((httpd_dir_t *)dir)->sign_out = text;
    return NULL;
}

const char *httpd_set_legacy(cmd_parms *cmd, void *dir, int on)
{
    (void)cmd;
    ((httpd_dir_t *)dir)->legacy = on;
    return NULL;
}

const char *httpd_set_unknown(cmd_parms *cmd, void *dir, const char *text)
{
    bool refuse = strcasecmp(text, "refuse") == 0;

    if (!refuse && strcasecmp(text, "ignore") != 0) {
        return apr_psprintf(cmd->pool, "GenflowBodyUnknown %s: must be refuse or ignore", text);
    }
    ((httpd_dir_t *)dir)->unknown = refuse;
    return NULL;
}

/* The key of an address: - and _ are the same, as in names of types. */
static const char *hyphened_name(apr_pool_t *pool, const char *address)
{
    char *text = apr_pstrdup(pool, address);
    char *at = text;

    while ((at = strchr(at, '_'))) {
        *at = '-';
    }
    return text;
}

/* GenflowPath name path: stored under the whole address, so that a <Location> inside inherits it.
 */
const char *httpd_set_path(cmd_parms *cmd, void *dir, const char *name, const char *path)
{
    httpd_dir_t *conf = dir;
    const char *slash;
    const char *address;

    if (!cmd->path || cmd->path[0] != '/') {
        return apr_psprintf(cmd->pool, "GenflowPath %s: belongs inside <Location \"/path\">", name);
    }
    if (!name[0] || name[0] == '/' || !path[0] || path[0] == '/') {
        return apr_psprintf(cmd->pool,
                            "GenflowPath %s %s: neither the name nor the path begins with /", name,
                            path);
    }
    slash = cmd->path[strlen(cmd->path) - 1] == '/' ? "" : "/";
    address = apr_pstrcat(cmd->pool, cmd->path, slash, name, NULL);
    if (!conf->paths) {
        conf->paths = apr_hash_make(cmd->pool);
    }
    apr_hash_set(conf->paths, hyphened_name(cmd->pool, address), APR_HASH_KEY_STRING, path);
    return NULL;
}

/* scheme://host[:port] as browsers send it, and nothing after it. */
static bool is_origin(const char *text)
{
    gf_url_parts_t parts;
    apr_size_t i;

    if (!gf_url_split(&parts, text) || *parts.rest || parts.authority_length == 0
        || strpbrk(parts.authority, "@*\\ \t")) {
        return false;
    }
    for (i = 0; i < parts.scheme_length; i++) {
        if (!apr_isalnum(text[i]) && !strchr("+-.", text[i])) {
            return false;
        }
    }
    return parts.scheme_length > 0;
}

const char *httpd_set_origin(cmd_parms *cmd, void *dir, const char *text)
{
    httpd_dir_t *conf = dir;
    bool any = strcmp(text, "*") == 0;
    char *origin = apr_pstrdup(cmd->pool, text);

    if (!any && !is_origin(text)) {
        return apr_psprintf(cmd->pool,
                            "GenflowCorsOrigin %s: must be an origin like https://www.example.com "
                            "(nothing behind the host or port), or *",
                            text);
    }
    if (!conf->origins) {
        conf->origins = apr_array_make(cmd->pool, 2, sizeof(const char *));
    }
    else if (any || strcmp(APR_ARRAY_IDX(conf->origins, 0, const char *), "*") == 0) {
        return "GenflowCorsOrigin *: stands alone";
    }
    ap_str_tolower(origin);
    APR_ARRAY_PUSH(conf->origins, const char *) = origin;
    return NULL;
}

const char *httpd_set_model(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    httpd_dir_t *conf = dir;
    gf_model_t *model = apr_pcalloc(cmd->pool, sizeof(*model));
    const char *wrong = httpd_models_read(model, cmd->pool, argc, argv);

    if (wrong) {
        return wrong;
    }
    if (httpd_models_find(conf->models, model->name)) {
        return apr_psprintf(cmd->pool, "GenflowModel %s: stands twice in this section",
                            model->name);
    }
    model->where =
        apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
    if (!conf->models) {
        conf->models = apr_array_make(cmd->pool, 8, sizeof(gf_model_t *));
    }
    APR_ARRAY_PUSH(conf->models, gf_model_t *) = model;
    APR_ARRAY_PUSH(httpd_server_conf(cmd->server)->conf->models, gf_model_t *) = model;
    return NULL;
}

/* ---- values for a request ---- */

const httpd_dir_t *httpd_conf_dir(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &genflow_module);
}

const char *httpd_conf_user(request_rec *r, const char **wrong)
{
    const apr_array_header_t *pieces = httpd_conf_dir(r)->user;
    const char *user = "";
    int i;

    if (!pieces) {
        return r->user;
    }
    for (i = 0; i < pieces->nelts; i++) {
        const piece_t *piece = &APR_ARRAY_IDX(pieces, i, piece_t);
        const char *text = ap_expr_str_exec(r, piece->expression, wrong);

        if (*wrong || (piece->is_variable && (!text || !*text))) {
            return NULL;
        }
        user = apr_pstrcat(r->pool, user, text, NULL);
    }
    return user;
}

const char *httpd_conf_path(const request_rec *r)
{
    apr_hash_t *paths = httpd_conf_dir(r)->paths;

    return paths ? apr_hash_get(paths, hyphened_name(r->pool, r->uri), APR_HASH_KEY_STRING) : NULL;
}

bool httpd_conf_legacy(const request_rec *r)
{
    return httpd_conf_dir(r)->legacy == 1;
}

bool httpd_conf_lenient(const request_rec *r)
{
    int unknown = httpd_conf_dir(r)->unknown;

    return unknown >= 0 ? !unknown : httpd_conf_legacy(r);
}
