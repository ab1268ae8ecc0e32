/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what genflow-studio serves: the list of its files, its Content-Security-Policy, and the
 * directives of its <Location>. Start-up only. */
#include "httpd/studio.h"

#include <stdlib.h>
#include <string.h>

#include <apr_file_info.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "base/text.h"
#include "httpd/dir.h"
#include "model/servers.h"
#include "model/url.h"
#include "store/store.h"

#define FILES_MAX   200
#define TITLE_MAX   100 /* characters */
#define ADDRESS_MAX 2048

/* The letters of a path in an address; they need no escaping in JSON. */
#define PATH_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~/%-"
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789.-"

/* ---- the folder ---- */

static const char *type_of(const char *name)
{
    static const struct {
        const char *suffix, *type;
    } types[] = {
        { ".html", "text/html; charset=utf-8" },
        { ".js", "text/javascript; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" },
        { ".json", "application/json" },
        { ".svg", "image/svg+xml" },
        { ".png", "image/png" },
        { ".webp", "image/webp" },
        { ".webmanifest", "application/manifest+json" },
    };
    const char *suffix = strrchr(name, '.');
    size_t i;

    for (i = 0; suffix && i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(suffix, types[i].suffix) == 0) {
            return types[i].type;
        }
    }
    return NULL;
}

static bool is_name(const char *name)
{
    return name[0] != '.' && !name[strspn(name, NAME_LETTERS)];
}

/* "en" of en.json, "zh-hant" of zh-hant.json; no other file of this suffix has so short a name. */
static const char *language_of(const char *name, apr_pool_t *pool)
{
    size_t first = strspn(name, "abcdefghijklmnopqrstuvwxyz");
    const char *suffix = strrchr(name, '.');
    bool is_language = strcmp(suffix, ".json") == 0 && (first == 2 || first == 3)
                       && (name[first] == '.' || name[first] == '-');

    return is_language ? apr_pstrmemdup(pool, name, (apr_size_t)(suffix - name)) : NULL;
}

static void add_file(httpd_studio_t *studio, const char *folder, const char *name)
{
    apr_pool_t *pool = studio->languages->pool;
    httpd_studio_file_t *file = apr_palloc(pool, sizeof(*file));
    const char *language = language_of(name, pool);

    file->path = apr_pstrcat(pool, folder, "/", name, NULL);
    file->type = type_of(name);
    apr_hash_set(studio->files, apr_pstrdup(pool, name), APR_HASH_KEY_STRING, file);
    if (language) {
        APR_ARRAY_PUSH(studio->languages, const char *) = language;
    }
}

static apr_status_t list_files(httpd_studio_t *studio, const char *folder)
{
    apr_dir_t *dir;
    apr_status_t rv = apr_dir_open(&dir, folder, studio->languages->pool);
    apr_finfo_t found;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    while (rv == APR_SUCCESS && apr_hash_count(studio->files) <= FILES_MAX) {
        rv = apr_dir_read(&found, APR_FINFO_TYPE | APR_FINFO_NAME, dir); /* of a link: the link */
        if (rv == APR_SUCCESS && found.filetype == APR_REG && is_name(found.name)
            && type_of(found.name)) {
            add_file(studio, folder, found.name);
        }
    }
    apr_dir_close(dir);
    return APR_STATUS_IS_ENOENT(rv) ? APR_SUCCESS : rv; /* the end of the folder */
}

static int by_text(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* Of its own store and, where it offers types of the main server, of that one's. */
static const char *store_origins(const gf_conf_t *conf, apr_pool_t *pool)
{
    const char *origins = gf_store_origins(conf, pool);
    const char *more =
        conf->realm
            ? gf_store_origins(APR_ARRAY_IDX(conf->servers->confs, 0, const gf_conf_t *), pool)
            : "";

    return strcmp(more, origins) == 0
               ? origins
               : apr_pstrcat(pool, origins, *origins && *more ? " " : "", more, NULL);
}

/* Pictures come from this site or from the store; all else only from here. The page has no script
 * in its text, and makes no HTML of texts (Trusted Types). */
static const char *make_policy(const gf_conf_t *conf, apr_pool_t *pool)
{
    const char *store = store_origins(conf, pool);
    const char *space = store[0] ? " " : "";

    return apr_pstrcat(pool, "default-src 'none'; script-src 'self'; style-src 'self'; img-src ",
                       "'self' data: blob:", space, store, "; connect-src 'self'", space, store,
                       "; manifest-src 'self'; base-uri 'none'; form-action 'self'; ",
                       "frame-ancestors 'none'; require-trusted-types-for 'script'", NULL);
}

const char *httpd_studio_read(const httpd_studio_t **studio, const gf_conf_t *conf,
                              apr_pool_t *pool)
{
    const char *folder = conf->studio_folder ? conf->studio_folder : GENFLOW_STUDIO;
    httpd_studio_t *made = apr_pcalloc(pool, sizeof(*made));
    apr_status_t rv;
    char says[120];

    made->files = apr_hash_make(pool);
    made->languages = apr_array_make(pool, 4, sizeof(const char *));
    made->policy = make_policy(conf, pool);
    rv = list_files(made, folder);
    if (rv != APR_SUCCESS) {
        return apr_psprintf(pool,
                            "GenflowStudioFolder %s: %s. Name the folder that make install filled",
                            folder, apr_strerror(rv, says, sizeof(says)));
    }
    if (!apr_hash_get(made->files, "index.html", APR_HASH_KEY_STRING)) {
        return apr_psprintf(pool,
                            "GenflowStudioFolder %s: has no index.html. Name the folder that make "
                            "install filled",
                            folder);
    }
    if (apr_hash_count(made->files) > FILES_MAX) {
        return apr_psprintf(pool, "GenflowStudioFolder %s: has more than %d files", folder,
                            FILES_MAX);
    }
    qsort(made->languages->elts, (size_t)made->languages->nelts, sizeof(const char *), by_text);
    *studio = made;
    return NULL;
}

/* ---- directives ---- */

/* An address that begins with // names another host. */
static bool is_path(const char *text)
{
    return text[0] == '/' && text[1] != '/' && !text[strspn(text, PATH_LETTERS)]
           && strlen(text) <= ADDRESS_MAX;
}

const char *httpd_studio_set_api(cmd_parms *cmd, void *dir, const char *path)
{
    size_t length = strlen(path);

    if (!is_path(path) || (length > 1 && path[length - 1] == '/')) {
        return apr_psprintf(cmd->pool,
                            "GenflowStudioApi %s: must be the path of genflow-api on this host, "
                            "which begins with / and does not end with one",
                            path);
    }
    ((httpd_dir_t *)dir)->studio_api = length > 1 ? path : "";
    return NULL;
}

const char *httpd_studio_set_title(cmd_parms *cmd, void *dir, const char *title)
{
    size_t length = strlen(title);
    bool is_line = true;
    size_t i;

    for (i = 0; i < length; i++) {
        is_line = is_line && !apr_iscntrl(title[i]);
    }
    if (!is_line || gf_text_utf8(title, length) != length || length == 0
        || gf_text_length(title) > TITLE_MAX) {
        return apr_psprintf(cmd->pool, "GenflowStudioTitle %s: must be 1 to %d characters of UTF-8",
                            title, TITLE_MAX);
    }
    ((httpd_dir_t *)dir)->studio_title = title;
    return NULL;
}

const char *httpd_studio_set_logo(cmd_parms *cmd, void *dir, const char *path)
{
    if (!is_path(path)) {
        return apr_psprintf(cmd->pool,
                            "GenflowStudioLogo %s: must be the path of a picture on this host, "
                            "which begins with /",
                            path);
    }
    ((httpd_dir_t *)dir)->studio_logo = path;
    return NULL;
}

/* No javascript: or the like. */
static bool is_link(const char *address, apr_pool_t *pool)
{
    gf_url_t url;

    if (gf_url_is_http(address)) {
        return !gf_url_read(&url, address, pool);
    }
    return is_path(address)
           || (strncmp(address, "mailto:", 7) == 0 && gf_text_is_printable(address, ADDRESS_MAX));
}

const char *httpd_studio_set_link(cmd_parms *cmd, void *dir, const char *name, const char *address)
{
    httpd_dir_t *conf = dir;

    if (!gf_text_is_name(name, 40)) {
        return apr_psprintf(cmd->pool,
                            "GenflowStudioLink %s: the name must be of a-z, 0-9 and single "
                            "hyphens, at most 40 long",
                            name);
    }
    if (!is_link(address, cmd->temp_pool)) {
        return apr_psprintf(cmd->pool,
                            "GenflowStudioLink %s %s: the address must be a path of this host, or "
                            "begin with https://, http:// or mailto:",
                            name, address);
    }
    if (!conf->studio_links) {
        conf->studio_links = apr_table_make(cmd->pool, 4);
    }
    apr_table_set(conf->studio_links, name, address);
    return NULL;
}
