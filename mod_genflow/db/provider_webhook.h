/* SPDX-License-Identifier: Apache-2.0 */
/* Provider webhooks in the database (sql/functions/hook.sql). All block; any thread with its own
 * context. */
#ifndef GF_PROVIDER_WEBHOOK_H
#define GF_PROVIDER_WEBHOOK_H

#include "db/db.h"
#include "model/job.h"

/* A genuine webhook about a provider's run, at the address of its attempt. */
typedef struct gf_report_t {
    const gf_provider_t *provider;
    const char *id;    /* of the generation, as in the address */
    const char *token; /* as in the address */
    const char *event; /* the provider's id of this delivery */
    const char *ref;   /* the provider's id of the run */
} gf_report_t;

/* *known: is this the address (provider, id, token) of an attempt? Checked before the body is
 * read, so that an unknown webhook costs little. */
gf_err_t *gf_provider_webhook_known(bool *known, gf_ctx_t *ctx, const gf_report_t *report);

/* Makes its job due, for a poll: the webhook says that it is time, not what the result is. One that
 * comes before the provider's id is recorded brings that id. A repeated delivery, by its event,
 * changes nothing. *known: is there such an attempt? owner: this host process. */
gf_err_t *gf_provider_webhook_record(bool *known, gf_ctx_t *ctx, const gf_report_t *report,
                                     const char *owner);

/* The provider's run id from its webhook, if the answer to the submission was lost; NULL: none. */
gf_err_t *gf_provider_webhook_ref(const char **ref, gf_ctx_t *ctx, const gf_job_t *job);

#endif
