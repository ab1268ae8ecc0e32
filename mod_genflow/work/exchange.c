/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of exchanges, and fetching pictures by address. Leaves the wire to net/, the exchanges
 * with a provider to attempt.c and those with a store to result.c and remove.c. Dispatcher thread.
 */
#include "work/exchange.h"

#include <apr_strings.h>
#include <apr_uri.h>

#include "store/gate.h"

#define REDIRECTS_MAX   3
#define CONNECT_TIMEOUT (5 * APR_USEC_PER_SEC)

gf_msg_t *gf_exchange_limit(const gf_flow_t *flow, gf_msg_t *msg)
{
    msg->connect_timeout = CONNECT_TIMEOUT;
    msg->timeout = GF_EXCHANGE_TIMEOUT;
    msg->file_max = flow->ctx.conf->result_max;
    return msg;
}

gf_msg_t *gf_exchange_guarded(gf_flow_t *flow, const char *url, const char *file,
                              const apr_array_header_t *allowed)
{
    gf_msg_t *msg = gf_msg_make(gf_run_pool(flow), "GET", url);

    msg->guarded = true;
    msg->allowed = allowed;
    msg->spool_any = true;
    msg->spool = file;
    return gf_exchange_limit(flow, msg);
}

gf_msg_t *gf_exchange_stored(gf_flow_t *flow, const char *url, const char *file)
{
    const gf_conf_t *conf = flow->ctx.conf;
    gf_msg_t *msg = gf_exchange_guarded(flow, url, file, conf->fetch_allowed);

    msg->guarded = !gf_store_conf_of(conf, url, msg->pool);
    return msg;
}

gf_msg_t *gf_exchange_fetch(gf_flow_t *flow, gf_run_t *run)
{
    return gf_exchange_guarded(flow, run->result.url, run->result.spool,
                               flow->ctx.conf->fetch_allowed);
}

/* The target of a redirect as a whole address; NULL: none. */
static const char *redirect_target(const gf_msg_t *msg, apr_pool_t *pool)
{
    const char *location = apr_table_get(msg->answer, "Location");
    apr_uri_t here;
    apr_uri_t there;

    if (!location || apr_uri_parse(pool, location, &there) != APR_SUCCESS) {
        return NULL;
    }
    if (there.scheme && there.hostname) {
        return location;
    }
    if (location[0] != '/' || apr_uri_parse(pool, msg->url, &here) != APR_SUCCESS) {
        return NULL;
    }
    return apr_pstrcat(pool, here.scheme, "://", here.hostinfo, location, NULL);
}

void gf_exchange_read_fetch(gf_flow_t *flow, gf_run_t *run, apr_pool_t *pool)
{
    const gf_msg_t *msg = run->msg;
    gf_outcome_t *outcome = &run->outcome;

    if (msg->spool_rv) {
        gf_gate_failed(gf_run_about(flow, run), msg->spool_rv, msg->spool);
    }
    if (gf_provider_unanswered(outcome, msg)) {
        bool passing = msg->end != GF_MSG_TOO_LARGE && !msg->refused; /* a full disk passes, too */

        outcome->state = passing ? GF_PROV_WORKING : GF_PROV_EMPTY;
        outcome->code = msg->refused ? GF_E_RESULT : outcome->code;
    }
    else if (msg->status / 100 == 2) {
        outcome->state = msg->spooled > 0 ? GF_PROV_SUCCEEDED : GF_PROV_EMPTY;
        outcome->code = GF_E_EMPTY;
    }
    else if (msg->status / 100 == 3 && run->result.redirects < REDIRECTS_MAX
             && redirect_target(msg, pool)) {
        run->result.redirects++;
        outcome->state = GF_PROV_SUCCEEDED;
        outcome->picture_url = redirect_target(msg, pool);
    }
    else if (msg->status == 429 || msg->status >= 500) {
        outcome->state = GF_PROV_WORKING;
        outcome->retry_after = gf_provider_retry_after(msg);
    }
    else {
        outcome->state = GF_PROV_EMPTY;
        outcome->code = GF_E_RESULT;
        outcome->detail = apr_psprintf(pool, "HTTP %d for the picture", msg->status);
    }
}
