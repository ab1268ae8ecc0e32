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
#include "hub/board.h"
#include "hub/keys.h"

#define WATCH_BUCKETS   1024
#define STEPS_LOCKED    256 /* waiters in one hold of the mutex */
#define LOOK_ELSEWHERE  (APR_USEC_PER_SEC / 10)
#define LOOK_HERE       APR_USEC_PER_SEC /* only a lost lease makes it necessary */
#define WEBHOOK_IDS_MAX 64               /* one more is lost: the usual poll finds its job */

struct gf_hub_t {
    pthread_mutex_t mutex; /* guards all below but what says otherwise */
    int bell;
    gf_keys_t *keys;               /* has a lock of its own */
    gf_board_t *board;             /* no lock: set before the threads; NULL: no other child */
    volatile apr_uint32_t listens; /* this process, on the board */
    gf_job_t *first;               /* inbox */
    gf_job_t *last;
    gf_hub_bounds_t bounds;
    int jobs;
    int waiting;
    int threads; /* of those, with a thread */
    gf_waiter_t *waiters;
    gf_waiter_t *ringing; /* gf_hub_lookout_ring() goes on here */
    gf_waiter_t *looking; /* gf_hub_lookout_next() goes on here; NULL: at the first one */
    gf_watch_t *watches[WATCH_BUCKETS];   /* by id */
    gf_waiter_t *of_users[WATCH_BUCKETS]; /* by user */
    pthread_cond_t begun;                 /* a request waits, or the child stops */
    char webhook_ids[WEBHOOK_IDS_MAX][GF_HUB_ID];
    int webhook_id_count;
    bool recalled;
    bool closing;
};

static apr_status_t end_hub(void *data)
{
    gf_hub_t *hub = data;

    close(hub->bell);
    pthread_mutex_destroy(&hub->mutex);
    pthread_cond_destroy(&hub->begun);
    return APR_SUCCESS;
}

apr_status_t gf_hub_make(gf_hub_t **out, apr_pool_t *pool, const gf_hub_bounds_t *bounds)
{
    gf_hub_t *hub = apr_pcalloc(pool, sizeof(*hub));
    int rv;

    hub->bounds = *bounds;
    hub->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (hub->bell < 0) {
        return apr_get_os_error();
    }
    rv = pthread_mutex_init(&hub->mutex, NULL);
    rv = rv == 0 ? gf_clock_cond_init(&hub->begun) : rv;
    rv = rv == 0 ? gf_keys_make(&hub->keys, pool) : rv;
    if (rv != 0) {
        close(hub->bell);
        return rv;
    }
    apr_pool_cleanup_register(pool, hub, end_hub, apr_pool_cleanup_null);
    *out = hub;
    return APR_SUCCESS;
}

void gf_hub_set_board(gf_hub_t *hub, gf_board_t *board)
{
    hub->board = board;
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
    room = !hub->closing && hub->jobs < hub->bounds.jobs;
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

/* ---- who waits ---- */

static bool has_thread(const gf_waiter_t *waiter)
{
    return !waiter->ring;
}

/* Is there a place for `waiter` beside the others? */
static bool has_place(const gf_hub_t *hub, const gf_waiter_t *waiter)
{
    const gf_waiter_t *other;
    int user = 0;
    int threads = 0;

    for (other = hub->of_users[bucket_of(waiter->user)]; other; other = other->next_of_users) {
        bool same = strcmp(other->user, waiter->user) == 0;

        user += same;
        threads += same && has_thread(other);
    }
    return !hub->closing && hub->waiting < hub->bounds.waiters && user < hub->bounds.user
           && (!has_thread(waiter)
               || (hub->threads < hub->bounds.threads && threads < hub->bounds.threads_user));
}

static void link_waiter(gf_hub_t *hub, gf_waiter_t *waiter)
{
    gf_waiter_t **of_user = &hub->of_users[bucket_of(waiter->user)];
    int i;

    waiter->previous_of_users = NULL;
    waiter->next_of_users = *of_user;
    if (*of_user) {
        (*of_user)->previous_of_users = waiter;
    }
    *of_user = waiter;
    waiter->previous = NULL;
    waiter->next = hub->waiters;
    if (waiter->next) {
        waiter->next->previous = waiter;
    }
    hub->waiters = waiter;
    hub->waiting++;
    hub->threads += has_thread(waiter);
    for (i = 0; i < waiter->count; i++) {
        gf_watch_t *watch = &waiter->watches[i];
        gf_watch_t **first = &hub->watches[bucket_of(watch->id)];

        watch->previous = NULL;
        watch->next = *first;
        if (*first) {
            (*first)->previous = watch;
        }
        *first = watch;
    }
}

static void unlink_watch(gf_hub_t *hub, const gf_watch_t *watch)
{
    *(watch->previous ? &watch->previous->next : &hub->watches[bucket_of(watch->id)]) = watch->next;
    if (watch->next) {
        watch->next->previous = watch->previous;
    }
}

/* In the same time however many others wait for that generation, or of that user. */
static void unlink_waiter(gf_hub_t *hub, gf_waiter_t *waiter)
{
    int i;

    *(waiter->previous_of_users ? &waiter->previous_of_users->next_of_users
                                : &hub->of_users[bucket_of(waiter->user)]) = waiter->next_of_users;
    if (waiter->next_of_users) {
        waiter->next_of_users->previous_of_users = waiter->previous_of_users;
    }
    *(waiter->previous ? &waiter->previous->next : &hub->waiters) = waiter->next;
    if (waiter->next) {
        waiter->next->previous = waiter->previous;
    }
    hub->ringing = hub->ringing == waiter ? waiter->next : hub->ringing;
    hub->looking = hub->looking == waiter ? waiter->next : hub->looking;
    hub->waiting--;
    hub->threads -= has_thread(waiter);
    for (i = 0; i < waiter->count; i++) {
        unlink_watch(hub, &waiter->watches[i]);
    }
}

bool gf_hub_req_watch(gf_hub_t *hub, gf_waiter_t *waiter)
{
    bool room;
    int i;

    waiter->rung = false;
    waiter->due = 0;
    for (i = 0; i < waiter->count; i++) {
        waiter->watches[i].waiter = waiter;
        waiter->watches[i].news = waiter->watches[i].seen = GF_NEWS_NONE;
        waiter->watches[i].version[0] = '\0';
        waiter->watches[i].looked = waiter->watches[i].here ? gf_clock_now() : 0;
    }
    if (gf_clock_cond_init(&waiter->changed) != APR_SUCCESS) {
        return false;
    }
    pthread_mutex_lock(&hub->mutex);
    room = has_place(hub, waiter);
    if (room) {
        link_waiter(hub, waiter);
        if (hub->waiting == 1) {
            pthread_cond_broadcast(&hub->begun);
        }
    }
    pthread_mutex_unlock(&hub->mutex);
    if (!room) {
        pthread_cond_destroy(&waiter->changed);
    }
    return room;
}

void gf_hub_req_unwatch(gf_hub_t *hub, gf_waiter_t *waiter)
{
    pthread_mutex_lock(&hub->mutex);
    unlink_waiter(hub, waiter);
    pthread_mutex_unlock(&hub->mutex);
    pthread_cond_destroy(&waiter->changed);
}

void gf_hub_req_take(gf_hub_t *hub, gf_waiter_t *waiter)
{
    int i;

    pthread_mutex_lock(&hub->mutex);
    waiter->rung = false;
    for (i = 0; i < waiter->count; i++) {
        gf_watch_t *watch = &waiter->watches[i];

        watch->seen = watch->news;
        if (watch->news < GF_NEWS_ENDED) {
            watch->news = GF_NEWS_NONE;
        }
    }
    pthread_mutex_unlock(&hub->mutex);
}

bool gf_hub_req_wait(gf_hub_t *hub, gf_waiter_t *waiter, apr_interval_time_t timeout)
{
    apr_time_t deadline = gf_clock_now() + timeout;
    bool rung;

    pthread_mutex_lock(&hub->mutex);
    while (!waiter->rung) {
        apr_interval_time_t left = deadline - gf_clock_now();

        if (left <= 0) {
            break;
        }
        gf_clock_wait(&waiter->changed, &hub->mutex, left);
    }
    rung = waiter->rung;
    pthread_mutex_unlock(&hub->mutex);
    return rung;
}

void gf_hub_req_sleep(gf_hub_t *hub, gf_waiter_t *waiter, apr_time_t due)
{
    pthread_mutex_lock(&hub->mutex);
    waiter->due = due;
    pthread_mutex_unlock(&hub->mutex);
}

/* ---- news ---- */

static void ring_waiter(gf_waiter_t *waiter)
{
    waiter->rung = true;
    waiter->due = 0;
    if (waiter->ring) {
        waiter->ring(waiter->baton);
    }
    else {
        pthread_cond_signal(&waiter->changed);
    }
}

static void put_news(gf_watch_t *watch, gf_news_t news)
{
    if (news > watch->news) {
        watch->news = news;
        if (news >= watch->waiter->enough) {
            ring_waiter(watch->waiter);
        }
    }
}

void gf_hub_bg_leave(gf_hub_t *hub, const char *id)
{
    gf_watch_t *watch;

    pthread_mutex_lock(&hub->mutex);
    for (watch = hub->watches[bucket_of(id)]; watch; watch = watch->next) {
        watch->here = watch->here && strcmp(watch->id, id) != 0;
    }
    pthread_mutex_unlock(&hub->mutex);
}

void gf_hub_bg_publish(gf_hub_t *hub, const char *id, gf_news_t news)
{
    gf_watch_t *watch;

    pthread_mutex_lock(&hub->mutex);
    for (watch = hub->watches[bucket_of(id)]; watch; watch = watch->next) {
        if (strcmp(watch->id, id) == 0) {
            put_news(watch, news);
        }
    }
    pthread_mutex_unlock(&hub->mutex);
    if (news == GF_NEWS_ENDED && hub->board) {
        gf_board_put(hub->board, id, &hub->listens);
    }
}

/* ---- the lookout ---- */

bool gf_hub_lookout_wait(gf_hub_t *hub, apr_interval_time_t pause)
{
    apr_time_t end;
    bool closing;

    pthread_mutex_lock(&hub->mutex);
    while (!hub->waiters && !hub->closing) {
        pthread_cond_wait(&hub->begun, &hub->mutex);
    }
    for (end = gf_clock_now() + pause; !hub->closing;) {
        apr_interval_time_t left = end - gf_clock_now();

        if (left <= 0) {
            break;
        }
        gf_clock_wait(&hub->begun, &hub->mutex, left);
    }
    closing = hub->closing;
    pthread_mutex_unlock(&hub->mutex);
    return !closing;
}

void gf_hub_lookout_ring(gf_hub_t *hub)
{
    apr_time_t now = gf_clock_now();
    int steps = 0;

    pthread_mutex_lock(&hub->mutex);
    for (hub->ringing = hub->waiters; hub->ringing; steps++) {
        gf_waiter_t *waiter = hub->ringing;

        hub->ringing = waiter->next;
        if (waiter->due && waiter->due <= now) {
            ring_waiter(waiter);
        }
        if (steps % STEPS_LOCKED == STEPS_LOCKED - 1) {
            pthread_mutex_unlock(&hub->mutex);
            pthread_mutex_lock(&hub->mutex);
        }
    }
    pthread_mutex_unlock(&hub->mutex);
}

/* Adds the watches of `waiter` that are to be read. */
static void add_looks(apr_array_header_t *looks, gf_waiter_t *waiter, apr_time_t now)
{
    int i;

    for (i = 0; i < waiter->count; i++) {
        gf_watch_t *watch = &waiter->watches[i];

        if (watch->looked + (watch->here ? LOOK_HERE : LOOK_ELSEWHERE) <= now) {
            gf_look_t *look = apr_array_push(looks);

            watch->looked = now;
            apr_cpystrn(look->id, watch->id, sizeof(look->id));
            apr_cpystrn(look->version, watch->version, sizeof(look->version));
        }
    }
}

volatile apr_uint32_t *gf_hub_lookout_listens(gf_hub_t *hub)
{
    return &hub->listens;
}

apr_array_header_t *gf_hub_lookout_next(gf_hub_t *hub, int most, apr_pool_t *pool)
{
    apr_array_header_t *looks = apr_array_make(pool, 64, sizeof(gf_look_t));
    apr_time_t now = gf_clock_now();
    int steps;
    int i;

    pthread_mutex_lock(&hub->mutex);
    steps = hub->waiting;
    for (i = 0; i < steps && looks->nelts < most && hub->waiters; i++) {
        gf_waiter_t *waiter = hub->looking ? hub->looking : hub->waiters;

        hub->looking = waiter->next;
        add_looks(looks, waiter, now);
        if (i % STEPS_LOCKED == STEPS_LOCKED - 1) {
            pthread_mutex_unlock(&hub->mutex);
            pthread_mutex_lock(&hub->mutex);
        }
    }
    pthread_mutex_unlock(&hub->mutex);
    return looks;
}

void gf_hub_lookout_publish(gf_hub_t *hub, const char *id, const char *version)
{
    gf_watch_t *watch;

    pthread_mutex_lock(&hub->mutex);
    for (watch = hub->watches[bucket_of(id)]; watch; watch = watch->next) {
        if (strcmp(watch->id, id) != 0) {
            continue;
        }
        if (!version) {
            put_news(watch, GF_NEWS_ENDED);
        }
        else if (strcmp(watch->version, version) != 0) {
            apr_cpystrn(watch->version, version, sizeof(watch->version));
            put_news(watch, GF_NEWS_CHANGED);
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

const char *gf_hub_req_keys(gf_hub_t *hub, const char *url, bool newer, apr_pool_t *pool)
{
    const char *text = gf_keys_get(hub->keys, url, newer, pool);

    if (!text) {
        gf_hub_ring(hub);
    }
    return text;
}

const char *gf_hub_bg_keys_pending(gf_hub_t *hub)
{
    return gf_keys_pending(hub->keys);
}

void gf_hub_bg_keys_put(gf_hub_t *hub, const char *url, const char *keys)
{
    gf_keys_put(hub->keys, url, keys);
}

void gf_hub_close(gf_hub_t *hub)
{
    gf_waiter_t *waiter;
    int i;

    pthread_mutex_lock(&hub->mutex);
    hub->closing = true;
    for (waiter = hub->waiters; waiter; waiter = waiter->next) {
        for (i = 0; i < waiter->count; i++) {
            put_news(&waiter->watches[i], GF_NEWS_CLOSING);
        }
    }
    pthread_cond_broadcast(&hub->begun);
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
