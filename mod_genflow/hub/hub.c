/* SPDX-License-Identifier: Apache-2.0 */
/* Inbox of jobs, watchers by job id, places in flight, and the bell. Leaves what a job is and what
 * news mean to its two sides. */
#include "hub/hub.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "base/clock.h"

#define WATCH_BUCKETS   256
#define WEBHOOK_IDS_MAX 64 /* one more is lost: the usual poll finds its job */
#define KEY_SETS_MAX    16
#define KEYS_MAX        65536
#define KEYS_FRESH      apr_time_from_sec(24 * 3600)
#define KEYS_PAUSE      apr_time_from_sec(60) /* between two fetches */

/* The public keys of one address. */
typedef struct key_set_t {
    const char *url; /* of the configuration: outlives the hub */
    char *text;
    apr_pool_t *pool;   /* of text */
    apr_time_t fetched; /* when tried last; 0: never */
    apr_time_t got;
    bool is_pending;
} key_set_t;

struct gf_hub_t {
    pthread_mutex_t mutex; /* guards everything below but the bell */
    int bell;
    gf_job_t *first; /* inbox */
    gf_job_t *last;
    gf_watch_t *watchers[WATCH_BUCKETS];
    gf_watch_t *of_users[WATCH_BUCKETS]; /* those that take a place, by the name of the user */
    int waiting;
    int waiters_max;
    int user_max;
    int jobs;
    int jobs_max;
    char webhook_ids[WEBHOOK_IDS_MAX][GF_HUB_ID];
    int webhook_id_count;
    bool recalled;
    key_set_t key_sets[KEY_SETS_MAX];
    bool closing;
};

static apr_status_t end_hub(void *data)
{
    gf_hub_t *hub = data;
    int i;

    close(hub->bell);
    pthread_mutex_destroy(&hub->mutex);
    for (i = 0; i < KEY_SETS_MAX; i++) {
        if (hub->key_sets[i].pool) {
            apr_pool_destroy(hub->key_sets[i].pool);
        }
    }
    return APR_SUCCESS;
}

apr_status_t gf_hub_make(gf_hub_t **out, apr_pool_t *pool, int jobs_max, int waiters_max,
                         int user_max)
{
    gf_hub_t *hub = apr_pcalloc(pool, sizeof(*hub));
    int rv;

    hub->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (hub->bell < 0) {
        return apr_get_os_error();
    }
    rv = pthread_mutex_init(&hub->mutex, NULL);
    if (rv != 0) {
        close(hub->bell);
        return rv;
    }
    apr_pool_cleanup_register(pool, hub, end_hub, apr_pool_cleanup_null);
    hub->jobs_max = jobs_max;
    hub->waiters_max = waiters_max;
    hub->user_max = user_max;
    *out = hub;
    return APR_SUCCESS;
}

int gf_hub_bell(const gf_hub_t *hub)
{
    return hub->bell;
}

void gf_hub_ring(gf_hub_t *hub)
{
    apr_uint64_t one = 1;
    ssize_t written = write(hub->bell, &one, sizeof(one)); /* full means it rings already */

    (void)written;
}

void gf_hub_bg_silence(gf_hub_t *hub)
{
    apr_uint64_t count;
    ssize_t got = read(hub->bell, &count, sizeof(count)); /* nothing to read: it was silent */

    (void)got;
}

bool gf_hub_reserve(gf_hub_t *hub)
{
    bool room;

    pthread_mutex_lock(&hub->mutex);
    room = !hub->closing && hub->jobs < hub->jobs_max;
    hub->jobs += room;
    pthread_mutex_unlock(&hub->mutex);
    return room;
}

void gf_hub_leave(gf_hub_t *hub)
{
    pthread_mutex_lock(&hub->mutex);
    hub->jobs--;
    pthread_mutex_unlock(&hub->mutex);
}

void gf_hub_req_submit(gf_hub_t *hub, gf_job_t *job)
{
    pthread_mutex_lock(&hub->mutex);
    job->next = NULL;
    if (hub->last) {
        hub->last->next = job;
    }
    else {
        hub->first = job;
    }
    hub->last = job;
    pthread_mutex_unlock(&hub->mutex);
    gf_hub_ring(hub);
}

gf_job_t *gf_hub_bg_take(gf_hub_t *hub)
{
    gf_job_t *job;

    pthread_mutex_lock(&hub->mutex);
    job = hub->first;
    if (job) {
        hub->first = job->next;
        if (!hub->first) {
            hub->last = NULL;
        }
        job->next = NULL;
    }
    pthread_mutex_unlock(&hub->mutex);
    return job;
}

static unsigned int bucket_of(const char *text)
{
    apr_ssize_t length = APR_HASH_KEY_STRING;

    return apr_hashfunc_default(text, &length) % WATCH_BUCKETS;
}

static gf_watch_t **watch_bucket(gf_hub_t *hub, const char *id)
{
    return &hub->watchers[bucket_of(id)];
}

/* The number of places that `user` has taken. */
static int places_of(const gf_hub_t *hub, const char *user)
{
    const gf_watch_t *watch;
    int count = 0;

    for (watch = hub->of_users[bucket_of(user)]; watch; watch = watch->next_of_users) {
        count += strcmp(watch->user, user) == 0;
    }
    return count;
}

static void take_place(gf_hub_t *hub, gf_watch_t *watch)
{
    gf_watch_t **at = &hub->of_users[bucket_of(watch->user)];

    watch->next_of_users = *at;
    *at = watch;
}

static void free_place(gf_hub_t *hub, const gf_watch_t *watch)
{
    gf_watch_t **at = &hub->of_users[bucket_of(watch->user)];

    while (*at != watch) {
        at = &(*at)->next_of_users;
    }
    *at = watch->next_of_users;
}

bool gf_hub_req_watch(gf_hub_t *hub, gf_watch_t *watch, const char *id, const char *user)
{
    gf_watch_t **at = watch_bucket(hub, id);
    bool room;

    watch->id = id;
    watch->user = user;
    watch->news = GF_NEWS_NONE;
    if (gf_clock_cond_init(&watch->changed) != APR_SUCCESS) {
        return false;
    }
    pthread_mutex_lock(&hub->mutex);
    room = !hub->closing && hub->waiting < hub->waiters_max
           && (!user || places_of(hub, user) < hub->user_max);
    if (room) {
        hub->waiting++;
        watch->next = *at;
        *at = watch;
        if (user) {
            take_place(hub, watch);
        }
    }
    pthread_mutex_unlock(&hub->mutex);
    if (!room) {
        pthread_cond_destroy(&watch->changed);
    }
    return room;
}

void gf_hub_req_unwatch(gf_hub_t *hub, gf_watch_t *watch)
{
    gf_watch_t **at = watch_bucket(hub, watch->id);

    pthread_mutex_lock(&hub->mutex);
    while (*at != watch) {
        at = &(*at)->next;
    }
    *at = watch->next;
    if (watch->user) {
        free_place(hub, watch);
    }
    hub->waiting--;
    pthread_mutex_unlock(&hub->mutex);
    pthread_cond_destroy(&watch->changed);
}

gf_news_t gf_hub_req_wait(gf_hub_t *hub, gf_watch_t *watch, gf_news_t enough,
                          apr_interval_time_t timeout)
{
    apr_time_t deadline = gf_clock_now() + timeout;
    gf_news_t news;

    pthread_mutex_lock(&hub->mutex);
    while (watch->news < enough) {
        apr_interval_time_t left = deadline - gf_clock_now();

        if (left <= 0) {
            break;
        }
        gf_clock_wait(&watch->changed, &hub->mutex, left);
    }
    news = watch->news;
    pthread_mutex_unlock(&hub->mutex);
    return news;
}

void gf_hub_req_news_seen(gf_hub_t *hub, gf_watch_t *watch)
{
    pthread_mutex_lock(&hub->mutex);
    if (watch->news == GF_NEWS_WORKING) {
        watch->news = GF_NEWS_NONE;
    }
    pthread_mutex_unlock(&hub->mutex);
}

void gf_hub_bg_publish(gf_hub_t *hub, const char *id, gf_news_t news)
{
    gf_watch_t *watch;

    pthread_mutex_lock(&hub->mutex);
    for (watch = *watch_bucket(hub, id); watch; watch = watch->next) {
        if (strcmp(watch->id, id) == 0 && news > watch->news) {
            watch->news = news;
            pthread_cond_signal(&watch->changed);
        }
    }
    pthread_mutex_unlock(&hub->mutex);
}

/* ---- reports ---- */

void gf_hub_req_webhook_received(gf_hub_t *hub, const char *id)
{
    pthread_mutex_lock(&hub->mutex);
    if (hub->webhook_id_count < WEBHOOK_IDS_MAX) {
        apr_cpystrn(hub->webhook_ids[hub->webhook_id_count++], id, GF_HUB_ID);
    }
    pthread_mutex_unlock(&hub->mutex);
    gf_hub_ring(hub);
}

bool gf_hub_bg_webhook_take(gf_hub_t *hub, char id[GF_HUB_ID])
{
    bool found;

    pthread_mutex_lock(&hub->mutex);
    found = hub->webhook_id_count > 0;
    if (found) {
        apr_cpystrn(id, hub->webhook_ids[--hub->webhook_id_count], GF_HUB_ID);
    }
    pthread_mutex_unlock(&hub->mutex);
    return found;
}

void gf_hub_req_recall(gf_hub_t *hub)
{
    pthread_mutex_lock(&hub->mutex);
    hub->recalled = true;
    pthread_mutex_unlock(&hub->mutex);
    gf_hub_ring(hub);
}

bool gf_hub_bg_recalled(gf_hub_t *hub)
{
    bool recalled;

    pthread_mutex_lock(&hub->mutex);
    recalled = hub->recalled;
    hub->recalled = false;
    pthread_mutex_unlock(&hub->mutex);
    return recalled;
}

/* The set of that address; a new one takes the next free place. NULL: there are too many. */
static key_set_t *key_set(gf_hub_t *hub, const char *url)
{
    int i;

    for (i = 0; i < KEY_SETS_MAX && hub->key_sets[i].url; i++) {
        if (strcmp(hub->key_sets[i].url, url) == 0) {
            return &hub->key_sets[i];
        }
    }
    if (i == KEY_SETS_MAX) {
        return NULL;
    }
    hub->key_sets[i].url = url;
    return &hub->key_sets[i];
}

const char *gf_hub_req_keys(gf_hub_t *hub, const char *url, bool newer, apr_pool_t *pool)
{
    apr_time_t now = gf_clock_now();
    const char *text = NULL;
    key_set_t *set;

    pthread_mutex_lock(&hub->mutex);
    set = key_set(hub, url);
    if (set && set->text && !newer && set->got + KEYS_FRESH > now) {
        text = apr_pstrdup(pool, set->text);
    }
    else if (set && set->fetched + KEYS_PAUSE <= now) {
        set->is_pending = true;
    }
    pthread_mutex_unlock(&hub->mutex);
    if (!text) {
        gf_hub_ring(hub);
    }
    return text;
}

const char *gf_hub_bg_keys_pending(gf_hub_t *hub)
{
    const char *url = NULL;
    int i;

    pthread_mutex_lock(&hub->mutex);
    for (i = 0; i < KEY_SETS_MAX && !url; i++) {
        url = hub->key_sets[i].is_pending ? hub->key_sets[i].url : NULL;
    }
    pthread_mutex_unlock(&hub->mutex);
    return url;
}

void gf_hub_bg_keys_put(gf_hub_t *hub, const char *url, const char *keys)
{
    key_set_t *set;

    pthread_mutex_lock(&hub->mutex);
    set = key_set(hub, url);
    set->is_pending = false;
    set->fetched = gf_clock_now();
    if (keys && strlen(keys) <= KEYS_MAX) {
        if (set->pool) {
            apr_pool_destroy(set->pool);
        }
        apr_pool_create_unmanaged_ex(&set->pool, NULL, NULL); /* no other thread's allocator */
        set->text = apr_pstrdup(set->pool, keys);
        set->got = set->fetched;
    }
    pthread_mutex_unlock(&hub->mutex);
}

void gf_hub_close(gf_hub_t *hub)
{
    int i;

    pthread_mutex_lock(&hub->mutex);
    hub->closing = true;
    for (i = 0; i < WATCH_BUCKETS; i++) {
        gf_watch_t *watch;

        for (watch = hub->watchers[i]; watch; watch = watch->next) {
            watch->news = GF_NEWS_CLOSING;
            pthread_cond_signal(&watch->changed);
        }
    }
    pthread_mutex_unlock(&hub->mutex);
    gf_hub_ring(hub);
}

bool gf_hub_closing(gf_hub_t *hub)
{
    bool closing;

    pthread_mutex_lock(&hub->mutex);
    closing = hub->closing;
    pthread_mutex_unlock(&hub->mutex);
    return closing;
}
