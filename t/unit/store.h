/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of remote stores share: a picture and its call, and tables of what each answer
 * means. Answers are made as for providers. */
#ifndef STORE_H
#define STORE_H

#include "provider.h"
#include "store/store.h"

#define NAME  "neo-glitch/5b/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b.png"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" /* its SHA-256 */

typedef struct shelf_t {
    const gf_store_kind_t *kind;
    gf_conf_t conf;
    gf_stored_t stored;
    gf_store_call_t call;
} shelf_t;

/* A store as configured, and a picture to keep there. */
static inline shelf_t *shelf(const gf_store_kind_t *kind)
{
    shelf_t *shelf = apr_pcalloc(unit.ctx.pool, sizeof(*shelf));

    shelf->kind = kind;
    shelf->conf.store_account = "pictures";
    shelf->conf.store_key = "KEYID";
    shelf->conf.store_secret = SECRET;
    shelf->conf.store_region = "eu-central-1";
    shelf->conf.store_prefix = "stefna/generated";
    shelf->conf.store_cache_time = apr_time_from_sec(3600);
    shelf->conf.store_url = "/generated";
    shelf->stored.image.type = "image/png";
    shelf->stored.bytes = 4711;
    memset(shelf->stored.sha256, 'a', GF_SHA256_HEX - 1);
    shelf->call.conf = &shelf->conf;
    shelf->call.name = NAME;
    shelf->call.file = "/spool/picture";
    shelf->call.stored = &shelf->stored;
    shelf->call.pool = unit.ctx.pool;
    return shelf;
}

/* An outcome is set whole: before it, nothing in it is right. */
static inline gf_store_outcome_t read_upload(const shelf_t *shelf, const gf_msg_t *msg)
{
    gf_store_outcome_t outcome;

    memset(&outcome, 0x5a, sizeof(outcome));
    shelf->kind->read_upload(&outcome, &shelf->call, msg);
    ck_assert_msg((outcome.state == GF_STORE_STORED) == (outcome.url != NULL),
                  "an address, or none");
    ck_assert_msg(!outcome.detail || !strstr(outcome.detail, SECRET), "%s", outcome.detail);
    ck_assert_msg(outcome.state == GF_STORE_STORED || outcome.detail, "a failure says why");
    return outcome;
}

/* A recorded answer to an upload and what it means. */
typedef struct upload_row_t {
    int status;
    const char *header;
    const char *text;
    gf_store_state_t state;
    int wait;          /* seconds */
    const char *alarm; /* a directive that its detail names; NULL: no alarm */
} upload_row_t;

static inline void check_uploads(const shelf_t *shelf, const upload_row_t *rows, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const upload_row_t *row = &rows[i];
        gf_store_outcome_t outcome =
            read_upload(shelf, answered("http://store.test/", row->status, row->header, row->text));
        const char *what = apr_psprintf(unit.ctx.pool, "row %lu: HTTP %d %s: %s", (unsigned long)i,
                                        row->status, row->text, outcome.detail);

        ck_assert_msg(outcome.state == row->state, "%s: state %d", what, (int)outcome.state);
        ck_assert_msg(outcome.retry_after == apr_time_from_sec(row->wait), "%s: wait", what);
        ck_assert_msg(outcome.alarm == (row->alarm != NULL), "%s: alarm", what);
        ck_assert_msg(!row->alarm || strstr(outcome.detail, row->alarm), "%s", what);
        ck_assert_msg(row->state == GF_STORE_STORED || strlen(outcome.detail) < 400, "%s", what);
    }
}

/* Whatever became of it, the same picture may be sent again, and is not gone. */
static inline void check_lost(const shelf_t *shelf)
{
    static const gf_msg_end_t ends[] = { GF_MSG_OPEN, GF_MSG_NOT_SENT, GF_MSG_UNKNOWN,
                                         GF_MSG_TOO_LARGE, GF_MSG_CANCELLED };
    size_t i;

    for (i = 0; i < UNIT_COUNT(ends); i++) {
        gf_msg_t *msg = gf_msg_make(unit.ctx.pool, "PUT", "http://store.test/");
        gf_store_outcome_t outcome;

        msg->end = ends[i];
        msg->status = 200;
        msg->detail = "why";
        outcome = read_upload(shelf, msg);
        ck_assert_int_eq(outcome.state, GF_STORE_LATER);
        ck_assert_str_eq(outcome.detail, "why");
        ck_assert(!outcome.alarm && !outcome.retry_after);
        ck_assert(!shelf->kind->read_remove(&shelf->call, msg));
    }
}

static inline bool gone(const shelf_t *shelf, int status, const char *text)
{
    return shelf->kind->read_remove(&shelf->call,
                                    answered("http://store.test/", status, NULL, text));
}

/* A missing or wrong value is reported by its directive. */
static inline void check_configuration(const gf_store_kind_t *kind)
{
    static const struct {
        const char *account, *key, *secret, *region, *prefix, *complaint;
    } rows[] = {
        { "pictures", "K", "s", "us-east-1", "stefna/generated", NULL },
        { "My-pictures_2.test", "K", "s", "us-east-1", "x", NULL },
        { NULL, "K", "s", "us-east-1", "x", "GenflowStoreAccount is missing" },
        { "pictures", NULL, "s", "us-east-1", "x", "GenflowStoreKey is missing" },
        { "pictures", "K", NULL, "us-east-1", "x", "GenflowStoreSecret is missing" },
        { "", "K", "s", "us-east-1", "x", "GenflowStoreAccount" },
        { "a/b", "K", "s", "us-east-1", "x", "GenflowStoreAccount" },
        { "..", "K", "s", "us-east-1", "x", "GenflowStoreAccount" },
        { "a?b", "K", "s", "us-east-1", "x", "GenflowStoreAccount" },
        { "pictures", "K", "s", "us:east", "x", "GenflowStoreRegion" },
        { "pictures", "K", "s", "us-east-1", "", "GenflowStorePrefix" },
        { "pictures", "K", "s", "us-east-1", "/a", "GenflowStorePrefix" },
        { "pictures", "K", "s", "us-east-1", "a/", "GenflowStorePrefix" },
        { "pictures", "K", "s", "us-east-1", "a//b", "GenflowStorePrefix" },
        { "pictures", "K", "s", "us-east-1", "a/../b", "GenflowStorePrefix" },
        { "pictures", "K", "s", "us-east-1", "a b", "GenflowStorePrefix" },
        { "pictures", "K", "s", "us-east-1", "a=b", "GenflowStorePrefix" },
        { "pictures", "K", "s", "us-east-1", "caf\xc3\xa9", "GenflowStorePrefix" },
    };
    size_t i;

    ck_assert_ptr_null(kind->put);
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        gf_conf_t conf = { .store_account = rows[i].account,
                           .store_key = rows[i].key,
                           .store_secret = rows[i].secret,
                           .store_region = rows[i].region,
                           .store_prefix = rows[i].prefix };
        const char *complaint = kind->check(&conf, unit.ctx.pool);

        ck_assert_msg((complaint == NULL) == (rows[i].complaint == NULL), "row %lu: %s",
                      (unsigned long)i, complaint);
        ck_assert_msg(!complaint || strstr(complaint, rows[i].complaint), "row %lu: %s",
                      (unsigned long)i, complaint);
    }
}

#ifdef KIND

/* Tests that are the same for each kind: of one that is defined before this header. */

START_TEST(without_an_answer_it_may_be_sent_again)
{
    check_lost(shelf(&KIND));
}
END_TEST

START_TEST(what_its_configuration_lacks_is_named)
{
    check_configuration(&KIND);
}
END_TEST

#endif

#endif
