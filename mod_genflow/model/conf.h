/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as the rooms read it: filled by httpd/conf.c, frozen at the end of
 * post_config, const after: any thread reads it without a lock. It lives as long as httpd's
 * configuration pool, until the next restart.
 *
 * A member is named with its directive; conf/genflow.conf has its meaning in full, the rows in
 * httpd/conf.c its bounds and default. Numbers, times (microseconds), sizes (bytes) and switches
 * are all 64-bit, so that one setter serves them. Before httpd_conf_finish() an unset number is
 * GF_UNSET and an unset text NULL. After it, only members that say so can be either. */
#ifndef GF_CONF_H
#define GF_CONF_H

#include <stdbool.h>

#include <apr_hash.h>
#include <apr_tables.h>
#include <apr_time.h>

#include "base/bucket.h"
#include "model/section.h"
#include "model/thumbnail.h"

struct gf_servers_t;
struct gf_store_kind_t;
struct httpd_studio_t;

#define GF_UNSET APR_INT64_MIN

/* The public id of pictures in Cloudinary: by the generation's id and a random part, by the
 * client's run id and a random part, or by the run id alone. */
typedef enum { GF_PUBLIC_GENERATION, GF_PUBLIC_RUN, GF_PUBLIC_BARE } gf_public_id_t;

/* How requests wait: without a thread where httpd can do that, in their thread, or not at all. */
typedef enum { GF_WATCH_PARK, GF_WATCH_BLOCK, GF_WATCH_OFF } gf_watch_mode_t;

/* The configuration of the main server, or of a virtual host with settings of its own over it.
 * Where a virtual host has none it is the main server's. */
typedef struct gf_conf_t {
    const char *realm; /* GenflowRealm of a virtual host; NULL: the main server */

    /* Of all configurations, model/servers.h. NULL: this is the only one. */
    struct gf_servers_t *servers;

    /* GenflowDispatch, ...Jobs, Writers: the background of each child. dispatch 0: this server only
     * takes requests. jobs_max bounds the jobs in flight of all kinds, writers is a number of
     * threads; each may borrow one database connection. */
    apr_int64_t dispatch;
    apr_int64_t jobs_max;
    apr_int64_t writers;

    /* GenflowPrepare: 1: each connection prepares its statements; 0: not, for a pooler that gives
     * each transaction another session. */
    apr_int64_t prepare;

    /* GenflowDispatchLease, Poll, Drain: after a lease without a heartbeat another process takes a
     * job over; poll_interval is between two claims; drain is what a graceful stop waits for
     * running jobs. */
    apr_int64_t lease;
    apr_int64_t poll_interval;
    apr_int64_t drain;

    apr_int64_t body_max; /* GenflowBodyMax, bytes of a request body */

    /* GenflowWatchWait, Mode, Max, User, Threads: waiting requests of a child.
     * httpd_waiting_finish() lowers the mode and completes the bounds by what the MPM can do.
     * Beyond them a request is answered with 202 at once. */
    apr_int64_t wait;            /* of a request without Prefer */
    apr_int64_t watch_mode;      /* gf_watch_mode_t */
    apr_int64_t waiters_max;     /* all of them, as far as connections and descriptors suffice */
    apr_int64_t waiters_wanted;  /* all of them, as configured; no directive */
    apr_int64_t waiters_user;    /* of one user */
    apr_int64_t waiters_threads; /* that hold a thread */
    apr_int64_t threads_user;    /* that hold a thread, of one user; no directive */

    apr_int64_t responses_user; /* GenflowLimitResponses, large ones on their way to one user */

    apr_int64_t front_wait; /* GenflowFrontWait, of a client of another API for its pictures */

    apr_int64_t pending_lifetime; /* GenflowPendingLifetime, of one that is not started */
    apr_int64_t events;           /* GenflowWatchEvents, of a stream of events */

    /* GenflowPollAfter, ...Max: hint for clients (Retry-After), the first wait between two polls,
     * which doubles up to the longest. */
    apr_int64_t poll_after;
    apr_int64_t poll_after_max;

    /* GenflowPublicUrl: address of the API as the outside sees it. NULL: providers send no webhook,
     * every run is polled. */
    const char *public_url;

    /* GenflowLimitRate, AddressRate, Concurrent, Queue: per user, per client address, live
     * generations of a user, queued jobs of a type. 0: any number. */
    gf_rate_t limit_rate;
    gf_rate_t limit_address;
    gf_rate_t limit_key; /* GenflowLimitKeyRate: unknown API keys of a client address */
    apr_int64_t limit_concurrent;
    apr_int64_t limit_queue;

    /* GenflowJanitorInterval, Jobs, Keys, Media: the time between two runs of the janitor, then the
     * age after which it deletes. 0 for `janitor`: there is no janitor; for `janitor_media`: ended
     * generations and their pictures stay. */
    apr_int64_t janitor;
    apr_int64_t janitor_jobs; /* records of a generation, from its end on */
    apr_int64_t janitor_keys; /* idempotency keys */
    apr_int64_t janitor_media;
    apr_int64_t janitor_check; /* GenflowJanitorCheck: between two checks of the ledger; 0: none */

    /* GenflowStoreFolder, Url, Kind: the folder also has the spool of every other store. store_url
     * is the public prefix of its pictures, without a slash at its end. finish.c sets `store`. */
    const char *store_folder;
    const char *store_url;
    const char *store_kind_name;
    const struct gf_store_kind_t *store;

    /* <GenflowStoreOld>: these settings, with the store from which pictures are moved. NULL: there
     * is none. */
    const struct gf_conf_t *store_old;

    struct gf_gate_t *store_gate; /* store/gate.h; NULL: not checked */

    /* GenflowStore... of stores over HTTP. store_secret is never logged. NULL: not set; the check()
     * of the store's kind says what it needs. */
    const char *store_account; /* Account: Cloudinary's cloud name, S3's bucket */
    const char *store_key;     /* Key, its id */
    const char *store_secret;  /* Secret */
    const char *store_region;  /* Region of S3 */
    const char *store_api;     /* Api, an address without a slash at its end */
    const char *store_public;  /* PublicUrl of S3's bucket; NULL: that of the API */
    const char *store_prefix;  /* Prefix: folder of the pictures there */

    const char *store_asset_folder;  /* AssetFolder of Cloudinary's Media Library */
    const char *store_upload_preset; /* UploadPreset: settings of uploads, at Cloudinary */
    const char *store_thumbnail;     /* Thumbnail: On, Off or Cloudinary's transformation */
    gf_thumbnails_t thumbnails;      /* ... resolved; finish.c sets it */
    apr_int64_t store_public_id;     /* PublicId: gf_public_id_t, at Cloudinary */
    apr_int64_t store_overwrite;     /* Overwrite. 1: a picture of the same name is replaced */

    apr_int64_t store_cache_time; /* CacheTime: how long others may show a copy of a picture */

    /* Strict. 1: a picture that cannot be stored fails its generation. 0: the generation completes
     * with a temporary address, and the picture is restored later. */
    apr_int64_t store_strict;

    const char *credit_day; /* GenflowCreditDay: a time zone, or "rolling" */

    /* GenflowCreditInitial, Daily, DailyMax, DayLimit, WeekLimit: what gf_gallery_allowance() gives
     * an account. GF_UNSET: nothing, and for credit_daily_max credit_daily. A limit of 0: no limit.
     */
    apr_int64_t credit_initial;   /* once, to a new user */
    apr_int64_t credit_daily;     /* at the first use of a day ... */
    apr_int64_t credit_daily_max; /* ... up to this balance */
    apr_int64_t credit_day_limit; /* of accounts whose limits no administrator has set */
    apr_int64_t credit_week_limit;

    /* GenflowCreditValue: millionths of `currency` ("EUR"), NULL: not given. */
    apr_int64_t credit_value;
    const char *currency;

    apr_int64_t feed_open;        /* GenflowFeedOpen. 1: public pictures are listed to anyone */
    apr_int64_t cloudinary_sign;  /* GenflowCloudinarySign. 1: uploads of clients are signed */
    apr_int64_t reserve_lifetime; /* GenflowCreditReserveLifetime */

    /* GenflowAssetMaxBytes, MaxTotal, MaxPixels, Lifetime: of a source picture; asset_total of all
     * those of a generation. Pixels are width x height. The lifetime is that of an uploaded one. */
    apr_int64_t asset_max;
    apr_int64_t asset_total;
    apr_int64_t asset_pixels_max;
    apr_int64_t asset_lifetime;

    apr_int64_t result_max; /* GenflowStoreMaxBytes, of a picture */
    /* GenflowFetchAllow, GenflowSourceAllow: networks (apr_ipsubnet_t *) that net/guard.c admits
     * besides public addresses, for results, and for addresses that users name. */
    apr_array_header_t *fetch_allowed;
    apr_array_header_t *source_allowed;
    apr_int64_t pixels_max; /* GenflowStoreMaxPixels, width x height of a picture */

    /* GenflowWebhookAllow, Secret, SecretOld, Shared: webhooks to clients. The hosts are const
     * char * as written; empty: no webhook is accepted. The secrets are never logged; the old one
     * signs, too, while the site changes them, and is NULL otherwise. webhook_shared 1: the secret
     * signs for all users; 0: each user has a derived one. */
    apr_array_header_t *webhook_hosts;
    const char *webhook_secret;
    const char *webhook_secret_old;
    apr_int64_t webhook_shared;

    /* GenflowAdminDatabase, GenflowAdminPassword: conninfo and password of administration's role.
     * NULL: administration is closed; the role needs no password. Never log the password. */
    const char *admin_database;
    const char *admin_password;
    apr_int64_t webhook_timeout; /* GenflowWebhookTimeout, of one attempt to deliver */

    /* GenflowStudioFolder, and what httpd/studio.c found there; NULL: no section sets the handler.
     */
    const char *studio_folder;
    const struct httpd_studio_t *studio;

    bool has_keys; /* a section signs requests in by API keys; finish.c sets it */

    /* All that its types may use: name in the database -> gf_provider_t. */
    apr_hash_t *providers;
    const gf_ref_name_t *ref_names; /* of all kinds that have one; the last has no name */

    /* The types that it offers: name on the wire -> gf_type_t; the same in order of configuration,
     * of gf_type_t *, own ones first; and those that it defines itself (NULL: all). */
    apr_hash_t *types;
    apr_array_header_t *type_list;
    apr_array_header_t *own_types;
    apr_array_header_t *models; /* of gf_model_t *: GenflowModel of all sections */
} gf_conf_t;

#endif
