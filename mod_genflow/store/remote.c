/* SPDX-License-Identifier: Apache-2.0 */
/* The ends that an upload to any store over HTTP may have, other than success. */
#include "store/remote.h"

#include <string.h>

#include <apr_strings.h>

#include "base/text.h"
#include "model/url.h"

#define ADDRESS_MAX 2000
#define SAYS_MAX    200
#define WAIT_MAX    300 /* seconds; no store makes a picture wait longer */

#define KEY_WRONG     "GenflowStoreKey and GenflowStoreSecret"
#define ACCOUNT_WRONG "GenflowStoreAccount and GenflowStoreApi"

/* Characters that need no escaping in an address, and are the same for both sides of a signature.
 */
#define SAFE "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

/* Is text one or more safe names with single slashes between them? A name of dots alone would be
 * taken out of an address. */
bool store_remote_is_path(const char *text)
{
    for (;;) {
        size_t length = strspn(text, SAFE);

        if (length == strspn(text, ".")) {
            return false;
        }
        if (text[length] != '/') {
            return text[length] == '\0';
        }
        text += length + 1;
    }
}

static bool is_name(const char *text)
{
    return store_remote_is_path(text) && !strchr(text, '/');
}

const char *store_remote_check(const gf_conf_t *conf, apr_pool_t *pool, const char *account)
{
    if (!conf->store_account) {
        return apr_psprintf(pool, "GenflowStoreAccount is missing: %s", account);
    }
    if (!is_name(conf->store_account)) {
        return apr_psprintf(pool, "GenflowStoreAccount %s: %s has only A-Z a-z 0-9 _ . -",
                            conf->store_account, account);
    }
    if (!conf->store_key) {
        return "GenflowStoreKey is missing: env:NAME or file:/path of the key's id";
    }
    if (!conf->store_secret) {
        return "GenflowStoreSecret is missing: env:NAME or file:/path of the key's secret";
    }
    if (!is_name(conf->store_region)) {
        return apr_psprintf(pool, "GenflowStoreRegion %s: it has only A-Z a-z 0-9 _ . -",
                            conf->store_region);
    }
    if (!store_remote_is_path(conf->store_prefix)) {
        return apr_psprintf(pool,
                            "GenflowStorePrefix %s: names of A-Z a-z 0-9 _ . - with single slashes "
                            "between them, as in stefna/generated",
                            conf->store_prefix);
    }
    return NULL;
}

bool store_remote_is_address(const char *text)
{
    return gf_url_is_http(text) && gf_text_is_printable(text, ADDRESS_MAX);
}

const char *gf_store_caching(const gf_conf_t *conf, apr_pool_t *pool)
{
    return apr_psprintf(pool, "public, max-age=%" APR_INT64_T_FMT ", must-revalidate",
                        (apr_int64_t)apr_time_sec(conf->store_cache_time));
}

void store_remote_stored(gf_store_outcome_t *outcome, const char *url)
{
    *outcome = (gf_store_outcome_t){ .state = GF_STORE_STORED, .url = url };
}

bool store_remote_unanswered(gf_store_outcome_t *outcome, const gf_msg_t *msg)
{
    *outcome = (gf_store_outcome_t){ .state = GF_STORE_LATER, .detail = msg->detail };
    return msg->end != GF_MSG_ANSWERED;
}

/* Waits, limits, conflicts with a request that is still running, and their own failures. */
static bool is_transient(int status)
{
    static const int passing[] = { 408, 409, 420, 423, 425, 429 };
    size_t i;

    for (i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
        if (status == passing[i]) {
            return true;
        }
    }
    return status >= 500;
}

void store_remote_refused(gf_store_outcome_t *outcome, const gf_msg_t *msg, const char *says)
{
    int status = msg->status;

    *outcome =
        (gf_store_outcome_t){ .state = is_transient(status) ? GF_STORE_LATER : GF_STORE_REFUSED,
                              .retry_after = gf_msg_retry_after(msg, WAIT_MAX) };
    outcome->detail = apr_psprintf(msg->pool, "HTTP %d %s", status,
                                   gf_text_redact(msg->pool, says, strlen(says), SAYS_MAX, NULL));
    if (status == 401 || status == 403) {
        store_remote_alarm(outcome, msg->pool, KEY_WRONG);
    }
    else if (status == 404) {
        store_remote_alarm(outcome, msg->pool, ACCOUNT_WRONG);
    }
}

void store_remote_alarm(gf_store_outcome_t *outcome, apr_pool_t *pool, const char *directives)
{
    outcome->alarm = true;
    outcome->detail = apr_psprintf(pool, "%s; look at %s", outcome->detail, directives);
}
