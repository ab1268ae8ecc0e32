/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait, by what they watch and by user, and the news that wake them. The memory of a
 * waiter is the request's. */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "base/clock.h"
#include "base/metric.h"
#include "hub/board.h"
#include "hub/hub.h"
#include "hub/inside.h"

#define STEPS_LOCKED   256 /* waiters in one hold of the mutex */
#define LOOK_ELSEWHERE (APR_USEC_PER_SEC / 10)
#define LOOK_HERE      APR_USEC_PER_SEC /* only a lost lease makes it necessary */

/* Does it watch this generation, or (of_user) this user? */
static bool watches(const gf_watch_t *watch, const char *id, bool of_user)
{
    return watch->of_user == of_user && strcmp(watch->id, id) == 0;
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

    for (other = hub->of_users[gf_hub_bucket(waiter->user)]; other; other = other->next_of_users) {
        bool same = strcmp(other->user, waiter->user) == 0;

        user += same;
        threads += same && has_thread(other);
    }
    return !hub->closing && hub->waiting < hub->bounds.waiters && user < hub->bounds.user
           && (!has_thread(waiter)
               || (hub->threads < hub->bounds.threads && threads < hub->bounds.threads_user));
}

static void link_watches(gf_hub_t *hub, gf_waiter_t *waiter)
{
    int i;

    for (i = 0; i < waiter->count; i++) {
        gf_watch_t *watch = &waiter->watches[i];
        gf_watch_t **first = &hub->watches[gf_hub_bucket(watch->id)];

        hub->watched_users += watch->of_user;
        watch->previous = NULL;
        watch->next = *first;
        if (*first) {
            (*first)->previous = watch;
        }
        *first = watch;
    }
}

static void link_waiter(gf_hub_t *hub, gf_waiter_t *waiter)
{
    gf_waiter_t **of_user = &hub->of_users[gf_hub_bucket(waiter->user)];

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
    gf_metric_set(hub->metrics, GF_METRIC_WAITING, hub->waiting);
    hub->threads += has_thread(waiter);
    link_watches(hub, waiter);
}

static void unlink_watch(gf_hub_t *hub, const gf_watch_t *watch)
{
    hub->watched_users -= watch->of_user;
    *(watch->previous ? &watch->previous->next : &hub->watches[gf_hub_bucket(watch->id)]) =
        watch->next;
    if (watch->next) {
        watch->next->previous = watch->previous;
    }
}

/* In the same time however many others wait for that generation, or of that user. */
static void unlink_waiter(gf_hub_t *hub, gf_waiter_t *waiter)
{
    int i;

    *(waiter->previous_of_users ? &waiter->previous_of_users->next_of_users
                                : &hub->of_users[gf_hub_bucket(waiter->user)]) =
        waiter->next_of_users;
    if (waiter->next_of_users) {
        waiter->next_of_users->previous_of_users = waiter->previous_of_users;
    }
    *(waiter->previous ? &waiter->previous->next : &hub->waiters) = waiter->next;
    if (waiter->next) {
        waiter->next->previous = waiter->previous;
    }
    hub->ringing = hub->ringing == waiter ? waiter->next : hub->ringing;
    hub->looking = hub->looking == waiter ? waiter->next : hub->looking;
    hub->asking = hub->asking == waiter ? waiter->next : hub->asking;
    hub->waiting--;
    gf_metric_set(hub->metrics, GF_METRIC_WAITING, hub->waiting);
    hub->threads -= has_thread(waiter);
    for (i = 0; i < waiter->count; i++) {
        unlink_watch(hub, &waiter->watches[i]);
    }
}

static void reset_watches(gf_waiter_t *waiter, gf_watch_t *watches, int count)
{
    int i;

    for (i = 0; i < count; i++) {
        watches[i].waiter = waiter;
        watches[i].news = watches[i].seen = GF_NEWS_NONE;
        watches[i].version[0] = '\0';
        watches[i].looked = watches[i].here ? gf_clock_now() : 0;
    }
}

bool gf_hub_req_watch(gf_hub_t *hub, gf_waiter_t *waiter)
{
    bool room;

    waiter->rung = false;
    waiter->due = 0;
    reset_watches(waiter, waiter->watches, waiter->count);
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

void gf_hub_req_watch_more(gf_hub_t *hub, gf_waiter_t *waiter, gf_watch_t *watches, int count)
{
    reset_watches(waiter, watches, count);
    pthread_mutex_lock(&hub->mutex);
    waiter->watches = watches;
    waiter->count = count;
    if (hub->closing) { /* its news came before the watches */
        while (count-- > 0) {
            watches[count].news = GF_NEWS_CLOSING;
        }
        waiter->rung = true;
    }
    link_watches(hub, waiter);
    pthread_mutex_unlock(&hub->mutex);
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
    for (watch = hub->watches[gf_hub_bucket(id)]; watch; watch = watch->next) {
        watch->here = watch->here && !watches(watch, id, false);
    }
    pthread_mutex_unlock(&hub->mutex);
}

/* To all watches of a user with this hash; another user with the same hash gets a false hint. */
static void put_user_news(gf_hub_t *hub, apr_uint32_t hash)
{
    gf_watch_t *watch;

    for (watch = hub->watches[hash % GF_HUB_BUCKETS]; watch; watch = watch->next) {
        if (watch->of_user && gf_hub_hash(watch->id) == hash) {
            put_news(watch, GF_NEWS_CHANGED);
        }
    }
}

void gf_hub_bg_publish(gf_hub_t *hub, const char *id, const char *user, gf_news_t news)
{
    apr_uint32_t hash = user ? gf_hub_hash(user) : GF_BOARD_NOBODY;
    gf_watch_t *watch;

    pthread_mutex_lock(&hub->mutex);
    for (watch = hub->watches[gf_hub_bucket(id)]; watch; watch = watch->next) {
        if (watches(watch, id, false)) {
            put_news(watch, news);
        }
    }
    if (user) {
        put_user_news(hub, hash);
    }
    pthread_mutex_unlock(&hub->mutex);
    if (news == GF_NEWS_ENDED && hub->board) {
        gf_board_put(hub->board, id, hash, &hub->listens);
    }
}

void gf_hub_req_publish(gf_hub_t *hub, const char *user)
{
    pthread_mutex_lock(&hub->mutex);
    put_user_news(hub, gf_hub_hash(user));
    pthread_mutex_unlock(&hub->mutex);
}

void gf_hub_req_knows(gf_hub_t *hub, gf_watch_t *watch, const char *version)
{
    pthread_mutex_lock(&hub->mutex);
    apr_cpystrn(watch->version, version, sizeof(watch->version));
    pthread_mutex_unlock(&hub->mutex);
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

/* Is the row, or the user, to be read? */
static bool is_due(const gf_watch_t *watch, bool of_user, apr_time_t now)
{
    return watch->of_user == of_user
           && watch->looked + (watch->here ? LOOK_HERE : LOOK_ELSEWHERE) <= now;
}

/* Adds the watches of `waiter` that are to be read. */
static void add_looks(apr_array_header_t *looks, gf_waiter_t *waiter, apr_time_t now)
{
    int i;

    for (i = 0; i < waiter->count; i++) {
        gf_watch_t *watch = &waiter->watches[i];

        if (is_due(watch, false, now)) {
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

/* Adds the users of `waiter`, of whom each is in `seen` once. */
static void add_users(apr_array_header_t *users, apr_hash_t *seen, gf_waiter_t *waiter,
                      apr_time_t now)
{
    int i;

    for (i = 0; i < waiter->count; i++) {
        gf_watch_t *watch = &waiter->watches[i];

        if (is_due(watch, true, now)) {
            const char *user = apr_pstrdup(users->pool, watch->id);

            watch->looked = now;
            if (!apr_hash_get(seen, user, APR_HASH_KEY_STRING)) {
                apr_hash_set(seen, user, APR_HASH_KEY_STRING, user);
                APR_ARRAY_PUSH(users, const char *) = user;
            }
        }
    }
}

apr_array_header_t *gf_hub_lookout_users(gf_hub_t *hub, int most, apr_pool_t *pool)
{
    apr_array_header_t *users = apr_array_make(pool, 16, sizeof(const char *));
    apr_hash_t *seen = apr_hash_make(pool);
    apr_time_t now = gf_clock_now();
    int steps;
    int i;

    pthread_mutex_lock(&hub->mutex);
    steps = hub->watched_users ? hub->waiting : 0;
    for (i = 0; i < steps && users->nelts < most && hub->waiters; i++) {
        gf_waiter_t *waiter = hub->asking ? hub->asking : hub->waiters;

        hub->asking = waiter->next;
        add_users(users, seen, waiter, now);
        if (i % STEPS_LOCKED == STEPS_LOCKED - 1) {
            pthread_mutex_unlock(&hub->mutex);
            pthread_mutex_lock(&hub->mutex);
        }
    }
    pthread_mutex_unlock(&hub->mutex);
    return users;
}

static void put_version(gf_watch_t *watch, const char *version)
{
    if (strcmp(watch->version, version) != 0) {
        apr_cpystrn(watch->version, version, sizeof(watch->version));
        put_news(watch, GF_NEWS_CHANGED);
    }
}

void gf_hub_lookout_publish(gf_hub_t *hub, const char *id, const char *version)
{
    gf_watch_t *watch;

    pthread_mutex_lock(&hub->mutex);
    for (watch = hub->watches[gf_hub_bucket(id)]; watch; watch = watch->next) {
        if (!watches(watch, id, false)) {
            continue;
        }
        if (!version) {
            put_news(watch, GF_NEWS_ENDED);
        }
        else {
            put_version(watch, version);
        }
    }
    pthread_mutex_unlock(&hub->mutex);
}

void gf_hub_lookout_publish_user(gf_hub_t *hub, const char *user, const char *version)
{
    gf_watch_t *watch;

    pthread_mutex_lock(&hub->mutex);
    for (watch = hub->watches[gf_hub_bucket(user)]; watch; watch = watch->next) {
        if (watches(watch, user, true)) {
            put_version(watch, version);
        }
    }
    pthread_mutex_unlock(&hub->mutex);
}

void gf_hub_lookout_publish_note(gf_hub_t *hub, const char *id, apr_uint32_t user)
{
    gf_hub_lookout_publish(hub, id, NULL);
    if (user != GF_BOARD_NOBODY) {
        pthread_mutex_lock(&hub->mutex);
        put_user_news(hub, user);
        pthread_mutex_unlock(&hub->mutex);
    }
}

/* ---- the end ---- */

void gf_news_close(gf_hub_t *hub)
{
    gf_waiter_t *waiter;
    int i;

    for (waiter = hub->waiters; waiter; waiter = waiter->next) {
        for (i = 0; i < waiter->count; i++) {
            put_news(&waiter->watches[i], GF_NEWS_CLOSING);
        }
    }
    pthread_cond_broadcast(&hub->begun);
}
