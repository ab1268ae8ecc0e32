/* SPDX-License-Identifier: Apache-2.0 */
/* GET events: everything that happens to one user's generations and credits, as server-sent events:
 * `generation` (the object), `balance`, `queue` (a place in our queue). db/user_events.h says what
 * has changed since an instant; the stream reads each generation when the client has room for it.
 *
 * The id of the last event of a look is its instant. The events before it have the part of the look
 * that was sent: for a client that comes back with it, the look goes on. A generation that has
 * changed between the look and its reading is left to the next look. So a client gets each change
 * once. Where the database does not know what has changed since, the stream sends `reset`.
 */
#include "api/stream.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "db/generation.h"
#include "db/user_events.h"
#include "model/servers.h"
#include "model/type.h"

#define PAGE       100 /* generations of one statement, and of a replay */
#define LOOK_EVERY (APR_USEC_PER_SEC / 10)
#define INSTANT    64 /* bytes of most instants */
#define KNOWN_MIN  16
#define KNOWN_MAX  1024
#define NO_PLACE   (-1)

/* The last state of a generation that the client has. */
typedef struct known_t {
    apr_uint64_t id; /* a hash of it; 0: free */
    apr_uint64_t state;
    int place; /* in our queue, or NO_PLACE */
    bool ended;
} known_t;

/* What a look found, in the memory of the step, which the stream keeps until all of it is sent. */
typedef struct look_t {
    gf_user_events_t events;
    int next;         /* of events.changes */
    bool has_more;    /* there are further pages */
    bool has_balance; /* which is to be sent */
    bool needs_id;    /* the client does not have the look's instant, and something has changed */
    apr_pool_t *pool; /* of one event */
} look_t;

typedef struct user_stream_t {
    api_stream_t stream;
    const char *since; /* Last-Event-ID; NULL: none */
    char *instant;     /* from which a look begins, or a part of one; NULL: none was made */
    apr_size_t instant_size;
    look_t *look; /* NULL: all is sent */
    bool must_look;
    bool knows_balance; /* the client has the one of the last look */
    bool waits;         /* a generation waits in our queue, where places change without news */
    apr_time_t looked;
    apr_time_t waiting_looked; /* after the places */
    apr_int64_t balance, held, remaining;
    known_t *known;
    int known_size;
    int known_next; /* the oldest */
} user_stream_t;

/* ---- what the client has ---- */

static apr_uint64_t id_hash(const char *id)
{
    apr_uint64_t hash = 14695981039346656037U;

    for (; *id; id++) {
        hash = (hash ^ (unsigned char)*id) * 1099511628211U;
    }
    return hash | 1;
}

static known_t *find_known(user_stream_t *user, apr_uint64_t id)
{
    int i;

    for (i = 0; i < user->known_size; i++) {
        if (user->known[i].id == id) {
            return &user->known[i];
        }
    }
    return NULL;
}

/* A place for one more: that of the oldest, which goes; unless that is live and there may be more
 * places. */
static known_t *add_known(user_stream_t *user)
{
    known_t *oldest = &user->known[user->known_next];

    if (oldest->id && !oldest->ended && user->known_size < KNOWN_MAX) {
        int size = user->known_size * 4;
        known_t *more =
            apr_pcalloc(user->stream.wait.req->r->pool, sizeof(*more) * (apr_size_t)size);

        memcpy(more, user->known, sizeof(*more) * (apr_size_t)user->known_size);
        user->known = more;
        user->known_next = user->known_size;
        user->known_size = size;
        oldest = &user->known[user->known_next];
    }
    user->known_next = (user->known_next + 1) % user->known_size;
    return oldest;
}

/* ---- events ---- */

static void send_event(user_stream_t *user, const char *id, const char *name, const char *data)
{
    look_t *look = user->look;

    look->needs_id = strcmp(id, look->events.instant) != 0;
    api_stream_send(&user->stream, apr_pstrcat(look->pool, "id: ", id, "\nevent: ", name,
                                               "\ndata: ", data, "\n\n", NULL));
}

/* Is the event of this change the last one of the look? */
static bool is_last(const look_t *look)
{
    return look->next == look->events.changes->nelts && !look->has_more && !look->has_balance;
}

static const char *place_text(const user_stream_t *user, const gf_view_t *view)
{
    gf_out_t out;

    gf_out_init(&out, user->look->pool, 128);
    gf_out_open(&out, '{');
    gf_out_put_string(&out, "id", view->id);
    gf_out_put_raw(&out, "position", view->queue_position_json);
    gf_out_put_raw(&out, "expectedSeconds", view->expected_seconds_json);
    gf_out_close(&out, '}');
    return out.text;
}

/* Sends what the client does not have of it. changed: more than its place may have changed. */
static void send_view(user_stream_t *user, const gf_view_t *view, bool changed)
{
    look_t *look = user->look;
    apr_uint64_t hash = id_hash(view->id);
    known_t *known = find_known(user, hash);
    const char *tag;
    const char *text = gf_reply_text(&tag, user->stream.wait.req, view, look->pool);
    const char *dash = strchr(tag, '-');
    known_t now = { .id = hash,
                    .state = strtoull(apr_pstrmemdup(look->pool, tag, 16), NULL, 16),
                    .place = dash ? (int)strtol(dash + 1, NULL, 10) : NO_PLACE,
                    .ended = gf_view_ended(view) };
    bool same = known ? known->state == now.state : !changed;
    const char *id = is_last(look) ? look->events.instant
                                   : gf_user_events_part(user->instant, look->events.instant,
                                                         view->id, look->pool);

    if (!same) {
        send_event(user, id, "generation", text);
    }
    else if (now.place != NO_PLACE && !(known && known->place == now.place)) {
        send_event(user, id, "queue", place_text(user, view));
    }
    else if (!known) {
        return; /* it does not wait any more: a later look finds the change */
    }
    *(known ? known : add_known(user)) = now;
}

/* Is it what the look has found? Else it has changed again, which the next look finds. */
static bool is_of_look(const gf_view_t *view, const gf_user_change_t *change)
{
    return view->row_version && change->row_version
               ? strcmp(view->row_version, change->row_version) == 0
               : view->row_version == change->row_version;
}

/* Reads the next generation of the look and sends what is new of it. One that was deleted has no
 * event. False: the database is away. */
static bool send_change(user_stream_t *user)
{
    api_wait_t *wait = &user->stream.wait;
    gf_req_t *req = wait->req;
    look_t *look = user->look;
    const gf_user_change_t *change =
        &APR_ARRAY_IDX(look->events.changes, look->next, gf_user_change_t);
    const gf_find_t find = { .id = change->id };
    const gf_type_t *type;
    gf_ctx_t ctx = wait->ctx;
    gf_view_t view;
    gf_err_t *err;

    apr_pool_clear(look->pool);
    ctx.pool = look->pool;
    type = gf_servers_type(ctx.conf, change->type);
    err = type ? gf_queue_get(&view, &ctx, type, req->user, &find) : NULL;
    if (gf_err_is(err, GF_E_DB_DOWN)) {
        api_stream_log(&user->stream, err);
        return false;
    }
    look->next++;
    if (type && !err && is_of_look(&view, change)) {
        send_view(user, &view, change->changed);
    }
    else if (err && !gf_err_is(err, GF_E_NO_GENERATION)) {
        api_stream_log(&user->stream, err);
    }
    return true;
}

static void send_balance(user_stream_t *user)
{
    look_t *look = user->look;
    const gf_user_events_t *events = &look->events;
    gf_out_t out;

    apr_pool_clear(look->pool);
    gf_out_init(&out, look->pool, 128);
    gf_out_open(&out, '{');
    gf_out_put_int(&out, "balance", events->balance);
    gf_out_put_int(&out, "held", events->held);
    gf_out_put_int(&out, "remaining", events->remaining);
    gf_out_close(&out, '}');
    look->has_balance = false;
    send_event(user, events->instant, "balance", out.text);
}

/* ---- looks ---- */

static gf_err_t *read_page(gf_user_events_t *events, user_stream_t *user, const char *since,
                           bool waiting)
{
    api_wait_t *wait = &user->stream.wait;
    const gf_user_look_t look = { .user = wait->req->user,
                                  .since = since,
                                  .waiting = waiting,
                                  .limit = user->instant ? PAGE : PAGE + 1 };

    return gf_user_events_read(events, &wait->ctx, &look);
}

/* False: the database is away, and a later step looks; or the stream is over. */
static bool has_failed(user_stream_t *user, const gf_err_t *err)
{
    if (err) {
        user->stream.wait.failed = gf_err_is(err, GF_E_DB_DOWN);
        user->stream.over = !user->stream.wait.failed;
        api_stream_log(&user->stream, err);
    }
    return err != NULL;
}

/* Is the balance news for the client? Keeps it. A look that goes on does not know whether there is
 * a newer one than the client's: the next look does. */
static bool is_new_balance(user_stream_t *user, const gf_user_events_t *events, bool goes_on)
{
    bool differs = events->balance != user->balance || events->held != user->held
                   || events->remaining != user->remaining;
    bool is_new = user->knows_balance ? differs : !user->since || events->is_paid;

    user->balance = events->balance;
    user->held = events->held;
    user->remaining = events->remaining;
    user->knows_balance = user->knows_balance || is_new || !goes_on;
    return is_new;
}

static void set_instant(user_stream_t *user, const char *instant)
{
    apr_size_t size = strlen(instant) + 1;

    if (size > user->instant_size) {
        user->instant_size = size < INSTANT ? INSTANT : 2 * size;
        user->instant = apr_palloc(user->stream.wait.req->r->pool, user->instant_size);
    }
    memcpy(user->instant, instant, size);
}

/* Has anything changed that is not a place in our queue? */
static bool has_changes(const gf_user_events_t *events)
{
    bool changed = events->is_paid;
    int i;

    for (i = 0; i < events->changes->nelts; i++) {
        changed = changed || APR_ARRAY_IDX(events->changes, i, gf_user_change_t).changed;
    }
    return changed;
}

/* Too much has changed, or the database does not know what. */
static void send_reset(user_stream_t *user)
{
    look_t *look = user->look;

    look->events.changes->nelts = 0;
    look->has_balance = false;
    memset(user->known, 0, sizeof(*user->known) * (apr_size_t)user->known_size);
    send_event(user, look->events.instant, "reset", "{}");
}

static void begin_look(user_stream_t *user)
{
    api_wait_t *wait = &user->stream.wait;
    apr_time_t now = gf_clock_now();
    bool waiting = user->waits && now - user->waiting_looked >= wait->pulse;
    bool is_first = !user->instant;
    const char *since = is_first ? user->since : user->instant;
    gf_user_events_t events;
    look_t *look;
    bool goes_on;
    bool resets;

    apr_pool_clear(wait->ctx.pool);
    if (has_failed(user, read_page(&events, user, since, waiting))) {
        return;
    }
    look = user->look = apr_pcalloc(wait->ctx.pool, sizeof(*look));
    apr_pool_create(&look->pool, wait->ctx.pool);
    look->events = events;
    resets = events.is_reset || (is_first && events.changes->nelts > PAGE);
    goes_on = is_first && since && gf_user_events_is_part(since) && !events.is_reset;
    look->has_balance = is_new_balance(user, &events, goes_on);
    look->has_more = !is_first && events.changes->nelts == PAGE;
    look->needs_id = goes_on || (since && has_changes(&events));
    user->must_look = goes_on;
    user->looked = goes_on ? 0 : now;
    user->waiting_looked = waiting || !user->waits ? now : user->waiting_looked;
    user->waits = events.waits;
    gf_hub_req_knows(wait->req->api->hub, &user->stream.watch, events.version);
    if (is_first) {
        set_instant(user, since && !resets ? since : events.instant);
    }
    if (resets) {
        send_reset(user);
    }
}

/* The page behind the last generation: the look goes on. */
static void read_more(user_stream_t *user)
{
    look_t *look = user->look;
    const char *last =
        APR_ARRAY_IDX(look->events.changes, look->events.changes->nelts - 1, gf_user_change_t).id;
    const char *part =
        gf_user_events_part(user->instant, look->events.instant, last, user->stream.wait.ctx.pool);
    gf_user_events_t events;

    if (has_failed(user, read_page(&events, user, part, false))) {
        return;
    }
    if (events.is_reset) {
        look->has_more = false;
        send_reset(user);
        return;
    }
    look->events.changes = events.changes;
    look->has_more = events.changes->nelts == PAGE;
    look->next = 0;
}

/* All is sent. The id of the look is sent alone if no event had it. */
static void end_look(user_stream_t *user)
{
    look_t *look = user->look;

    set_instant(user, look->events.instant);
    if (look->needs_id) {
        look->needs_id = false;
        api_stream_send(&user->stream,
                        apr_pstrcat(look->pool, "id: ", look->events.instant, "\n\n", NULL));
        return;
    }
    user->look = NULL;
}

/* One piece of work: at most one event. */
static void go_on(user_stream_t *user)
{
    look_t *look = user->look;

    if (!look) {
        begin_look(user);
    }
    else if (look->next < look->events.changes->nelts) {
        user->stream.wait.failed = !send_change(user);
    }
    else if (look->has_more) {
        read_more(user);
    }
    else if (look->has_balance) {
        send_balance(user);
    }
    else {
        end_look(user);
    }
}

/* Is there something to do, and is it time? Looks of one stream keep a distance, however much
 * happens to a user. */
static bool is_due(user_stream_t *user)
{
    apr_time_t due = user->looked + LOOK_EVERY;

    if (user->look || !user->must_look) {
        return user->look != NULL;
    }
    if (user->instant && gf_clock_now() < due) {
        user->stream.wait.due = due;
        return false;
    }
    return true;
}

static gf_err_t *step_user(bool *over, api_wait_t *wait)
{
    user_stream_t *user = (user_stream_t *)wait;
    api_stream_t *stream = &user->stream;

    user->must_look = user->must_look || stream->watch.seen > GF_NEWS_NONE
                      || (user->waits && gf_clock_now() - user->waiting_looked >= wait->pulse);
    wait->failed = false;
    wait->due = 0;
    api_stream_send_left(stream);
    while (api_stream_can_send(stream) && !wait->failed && is_due(user)) {
        go_on(user);
    }
    *over = api_stream_end_step(stream);
    wait->keeps = wait->keeps || user->look;
    return NULL;
}

/* The id that the client has seen, if it can be one of ours; "none": it cannot. */
static const char *last_id(request_rec *r)
{
    const char *last = apr_table_get(r->headers_in, "Last-Event-ID");

    if (!last || !*last) {
        return NULL;
    }
    return strlen(last) <= GF_USER_INSTANT_MAX
                   && strspn(last, "0123456789abcdef._-") == strlen(last)
               ? last
               : "none";
}

gf_err_t *api_user_events(gf_req_t *req)
{
    request_rec *r = req->r;
    user_stream_t *user;

    if (r->header_only) {
        api_stream_head(r);
        return NULL;
    }
    user = apr_pcalloc(r->pool, sizeof(*user));
    user->since = last_id(r);
    user->must_look = true;
    user->known_size = KNOWN_MIN;
    user->known = apr_pcalloc(r->pool, sizeof(*user->known) * KNOWN_MIN);
    user->stream.watch.id = req->user;
    user->stream.watch.of_user = true;
    api_wait_init(&user->stream.wait, req);
    return api_stream_run(&user->stream, step_user);
}
