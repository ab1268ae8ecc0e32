/* SPDX-License-Identifier: Apache-2.0 */
/* Refuses members of bodies and queries that nobody knows. Leaves bodies that ask for generations
 * to model/param.c. */
#include "api/known.h"

#include <apr_strings.h>

#include "httpd/dir.h"
#include "model/known.h"

/* "a|b|c" as an array, NULL-ended. */
static const char *const *split(apr_pool_t *pool, const char *list)
{
    apr_array_header_t *words = apr_array_make(pool, 8, sizeof(const char *));
    char *state;
    char *word;

    for (word = apr_strtok(apr_pstrdup(pool, list), "|", &state); word;
         word = apr_strtok(NULL, "|", &state)) {
        APR_ARRAY_PUSH(words, const char *) = word;
    }
    APR_ARRAY_PUSH(words, const char *) = NULL;
    return (const char *const *)words->elts;
}

static bool is_known(const char *name, const char *const *known)
{
    for (; *known; known++) {
        if (ap_cstr_casecmp(name, *known) == 0) {
            return true;
        }
    }
    return false;
}

gf_err_t *api_known_query(gf_req_t *req, const char *known, bool once)
{
    const char *const *names = split(req->r->pool, known);
    const apr_array_header_t *entries = apr_table_elts(req->query);
    gf_err_t *err = NULL;
    int strangers = 0;
    int i;

    for (i = 0; i < entries->nelts && strangers < GF_KNOWN_TOLD; i++) {
        const char *name = APR_ARRAY_IDX(entries, i, apr_table_entry_t).key;

        if (name[0] && !is_known(name, names)) {
            err = gf_err_add_field(err, req->ctx, name, false,
                                   gf_known_hint(name, names, req->r->pool));
            strangers++;
        }
        else if (once
                 && apr_table_get(req->query, name)
                        != APR_ARRAY_IDX(entries, i, apr_table_entry_t).val) {
            err = gf_err_add_field(err, req->ctx, name, false, "stands there twice");
            strangers++;
        }
    }
    return err;
}

gf_err_t *api_known_body(gf_err_t *err, gf_req_t *req, const gf_json_t *body,
                         const char *const *known)
{
    const apr_array_header_t *strangers;
    int i;

    if (!body || httpd_conf_lenient(req->r)) {
        return err;
    }
    strangers = gf_known_strangers(body, known, req->r->pool);
    for (i = 0; i < strangers->nelts; i++) {
        const char *name = APR_ARRAY_IDX(strangers, i, const char *);

        err =
            gf_err_add_field(err, req->ctx, name, false, gf_known_hint(name, known, req->r->pool));
    }
    return err;
}
