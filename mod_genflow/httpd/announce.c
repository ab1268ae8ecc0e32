/* SPDX-License-Identifier: Apache-2.0 */
/* When a host announces itself, by which name, and what it logs of the answer. After a graceful
 * restart the old children announce the host until they end; the new ones do so after them. */
#include "httpd/announce.h"

#include <stdlib.h>

#include <apr_network_io.h>
#include <apr_strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/host.h"
#include "httpd/glue.h"
#include "model/settings.h"

#define INTERVAL   apr_time_from_sec(20) /* a host that is not seen for a minute is gone */
#define CLOCK_MOST 10000                 /* milliseconds, as in genflow.faults() */

struct httpd_announce_t {
    const char *name;
    const char *settings;
    const char *amounts;
    apr_time_t due;
    bool clock_wrong; /* what the last line said */
    bool differs;
    bool idle;
    bool late;
    bool amounts_differ;
};

httpd_announce_t *httpd_announce_make(const gf_conf_t *conf, server_rec *server, apr_pool_t *pconf)
{
    httpd_announce_t *announce = apr_pcalloc(pconf, sizeof(*announce));
    char host[APRMAXHOSTLEN + 1] = "";

    apr_gethostname(host, sizeof(host), pconf);
    announce->name =
        apr_psprintf(pconf, "%s/%s:%u", host,
                     server->server_hostname ? server->server_hostname : "", server->port);
    announce->settings = gf_settings_hashes(conf, pconf);
    announce->amounts = gf_settings_all_amounts(conf, pconf);
    return announce;
}

static void log_clock(httpd_announce_t *announce, const gf_ctx_t *ctx, apr_int64_t ahead)
{
    bool wrong = llabs(ahead) > CLOCK_MOST;

    if (wrong && !announce->clock_wrong) {
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0871",
               "the clock of this host is %" APR_INT64_T_FMT " s %s the database's: set it, and "
               "run an NTP service. Signatures of S3 and of webhooks fail by it",
               (apr_int64_t)llabs(ahead) / 1000, ahead > 0 ? "ahead of" : "behind");
    }
    announce->clock_wrong = wrong;
}

static void log_settings(httpd_announce_t *announce, const gf_ctx_t *ctx, const char *differs)
{
    if (differs && !announce->differs) {
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0872",
               "this host, %s, has other settings than others of this database: %s. The host that "
               "answers a request decides: give all hosts the same configuration, then restart "
               "them gracefully",
               announce->name, differs);
    }
    announce->differs = differs != NULL;
}

static void log_idle(httpd_announce_t *announce, const gf_ctx_t *ctx, bool idle)
{
    if (idle && !announce->idle) {
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0873",
               "no host works on jobs: generations stay queued until an httpd with GenflowDispatch "
               "On uses this database");
    }
    announce->idle = idle;
}

static void log_late(httpd_announce_t *announce, const gf_ctx_t *ctx, bool late)
{
    if (late && !announce->late) {
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0875",
               "generations live past their deadline, by two minutes or more: run genflow-doctor "
               "stuck");
    }
    announce->late = late;
}

/* The children learn it, too: gf_gallery_allowance(). */
static void log_amounts(httpd_announce_t *announce, const gf_ctx_t *ctx, const char *advice)
{
    if (advice && !announce->amounts_differ) {
        gf_log(ctx, GF_LOG_WARNING, APR_SUCCESS, "GF0876",
               "the database grants other credits than the directives of this host state: run %s, "
               "or correct GenflowCreditInitial and its siblings. What the database has counts",
               advice);
    }
    announce->amounts_differ = advice != NULL;
    httpd_glue_note_amounts(advice != NULL);
}

gf_err_t *httpd_announce(httpd_announce_t *announce, gf_ctx_t *ctx)
{
    gf_host_seen_t seen;

    if (announce->due > gf_clock_now()) {
        return NULL;
    }
    announce->due = gf_clock_now() + INTERVAL;
    GF_TRY(gf_host_seen(&seen, ctx, announce->name, announce->settings, announce->amounts));
    if (seen.clock_is_sure) {
        log_clock(announce, ctx, seen.clock_ahead);
    }
    log_settings(announce, ctx, seen.differs);
    log_idle(announce, ctx, seen.idle);
    log_late(announce, ctx, seen.late);
    log_amounts(announce, ctx, seen.amounts);
    return NULL;
}
