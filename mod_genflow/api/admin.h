/* SPDX-License-Identifier: Apache-2.0 */
/* Administration (SetHandler genflow-admin): its door, what its handlers share, and the handlers.
 * A handler may take for granted that req->user is an administrator. Request threads only. */
#ifndef API_ADMIN_H
#define API_ADMIN_H

#include "api/api.h"

#define API_CREDITS_MAX 1000000000000 /* that one call may name */

/* Sets req->user, or says why nobody gets in. Errors: ADMIN_CLOSED, ADMIN_ORIGIN. */
gf_err_t *api_admin_enter(gf_req_t *req);

/* ---- the handlers; shapes of answers in docs/openapi.yaml ---- */

gf_err_t *api_admin_jobs(gf_req_t *req);           /* GET jobs */
gf_err_t *api_admin_jobs_clear(gf_req_t *req);     /* DELETE jobs */
gf_err_t *api_admin_job_cancel(gf_req_t *req);     /* DELETE jobs/{id} */
gf_err_t *api_admin_users(gf_req_t *req);          /* GET users */
gf_err_t *api_admin_user(gf_req_t *req);           /* GET users/{user} */
gf_err_t *api_admin_user_set(gf_req_t *req);       /* PUT users/{user} */
gf_err_t *api_admin_credit(gf_req_t *req);         /* POST credits */
gf_err_t *api_admin_refund(gf_req_t *req);         /* POST refunds */
gf_err_t *api_admin_stats(gf_req_t *req);          /* GET stats */
gf_err_t *api_admin_check(gf_req_t *req);          /* GET ledger/check */
gf_err_t *api_admin_providers(gf_req_t *req);      /* GET providers */
gf_err_t *api_admin_provider_reset(gf_req_t *req); /* POST providers/{provider}/reset */
gf_err_t *api_admin_presets(gf_req_t *req);        /* GET presets */
gf_err_t *api_admin_preset(gf_req_t *req);         /* GET presets/{key} */
gf_err_t *api_admin_preset_add(gf_req_t *req);     /* POST presets */
gf_err_t *api_admin_preset_edit(gf_req_t *req);    /* PUT presets/{key} */
gf_err_t *api_admin_preset_delete(gf_req_t *req);  /* DELETE presets/{key} */

/* ---- checking what is asked: every bad field is found before anything is refused ---- */

typedef struct api_check_t {
    gf_req_t *req;
    apr_array_header_t *errors; /* of gf_field_error_t */
} api_check_t;

void api_check_begin(api_check_t *check, gf_req_t *req);

/* Notes that a field is wrong. */
void api_check_refuse(api_check_t *check, const char *field, bool missing, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* NULL, or INVALID with every field that was refused. */
gf_err_t *api_check_end(const api_check_t *check);

typedef enum {
    API_TEXT,  /* min to max characters */
    API_TOKEN, /* 1 to max of A-Z a-z 0-9 . _ : - */
    API_UUID,
    API_INT,    /* min to max */
    API_NUMBER, /* min to max */
    API_BOOL,
    API_OBJECT /* of at most max bytes */
} api_kind_t;

/* A member that a body may have; null is as good as absent. */
typedef struct api_field_t {
    const char *name; /* NULL ends a table */
    api_kind_t kind;
    apr_int64_t min, max;
    bool required;
} api_field_t;

/* Refuses what of `body` does not fit `fields`; `whole`: also what is required and not there. */
void api_check_fields(api_check_t *check, const gf_json_t *body, const api_field_t *fields,
                      bool whole);

/* Reads a body that has to have all that is required, and nothing else. Errors: those of
 * api_body_json(). */
gf_err_t *api_check_body(gf_json_t **body, api_check_t *check, const api_field_t *fields);

/* Refuses members of `body` that stand neither in `fields` nor in `more` (may be NULL). */
void api_check_strangers(api_check_t *check, const gf_json_t *body, const api_field_t *fields,
                         const api_field_t *more);

/* ?name= as a text of at most `max` characters; NULL: absent, empty, or refused. */
const char *api_check_query(api_check_t *check, const char *name, apr_size_t max);

/* ?type= as a configured type; NULL: absent or refused. */
const gf_type_t *api_check_type(api_check_t *check);

/* ---- pages ---- */

typedef struct api_page_t {
    int limit;         /* ?limit= */
    const char *after; /* what the cursor stands for: the last item of the page before; or NULL */
} api_page_t;

void api_check_page(api_page_t *page, api_check_t *check);

/* "count", "nextCursor" (`last`, or null when this page is the last one). */
void api_page_put(gf_out_t *out, int count, const char *last);

/* "jobs":[...], at most `limit` of `jobs` (of gf_admin_job_t), each read whole. */
gf_err_t *api_admin_put_jobs(gf_out_t *out, gf_req_t *req, const apr_array_header_t *jobs,
                             int limit);

#endif
