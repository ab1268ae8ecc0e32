/* SPDX-License-Identifier: Apache-2.0 */
/* The stores over HTTP, net and a store that checks every signature by itself: the fake one of the
 * harness of make check. What is sent must be taken, kept whole, found again and removed. */
#include "exchange.h"
#include "store.h"

#define PICTURE_BYTES 3000000

static const gf_store_kind_t *const kinds[] = { &gf_store_cloudinary, &gf_store_s3 };

static bool in_harness(void)
{
    return getenv("GENFLOW_STORE") && getenv("STORE_KEY") && getenv("STORE_SECRET");
}

/* A store as the harness runs it, and a picture for it with a name of its own. */
static shelf_t *remote(const gf_store_kind_t *kind)
{
    char *bytes = apr_pcalloc(unit.ctx.pool, PICTURE_BYTES);
    shelf_t *remote = shelf(kind);

    unit_png((unsigned char *)bytes, 64, 64);
    remote->conf.store_api = apr_pstrcat(unit.ctx.pool, getenv("GENFLOW_STORE"),
                                         kind == &gf_store_s3 ? "/s3" : "/cloudinary", NULL);
    remote->conf.store_key = getenv("STORE_KEY");
    remote->conf.store_secret = getenv("STORE_SECRET");
    remote->call.name =
        apr_psprintf(unit.ctx.pool, "neo-glitch/5b/unit-%s-%ld.png", kind->name, (long)getpid());
    remote->call.file = unit_path("picture");
    unit_write(remote->call.file, bytes, PICTURE_BYTES);
    gf_hash_sha256(remote->stored.sha256, bytes, PICTURE_BYTES);
    return remote;
}

static gf_msg_t *performed(gf_msg_t *msg)
{
    msg->connect_timeout = LONG;
    msg->timeout = LONG;
    msg->file_max = PICTURE_BYTES;
    return perform(msg);
}

static gf_store_outcome_t uploaded(const shelf_t *remote)
{
    return read_upload(remote, performed(remote->kind->upload(&remote->call)));
}

static bool removed(const shelf_t *remote)
{
    return remote->kind->read_remove(&remote->call, performed(remote->kind->remove(&remote->call)));
}

/* The bytes at an address as a hash; "" if there are none. */
static const char *hash_at(const char *url)
{
    gf_msg_t *msg = gf_msg_make(unit.ctx.pool, "GET", url);
    char *hex = apr_pcalloc(unit.ctx.pool, GF_SHA256_HEX);
    apr_size_t length = 0;
    char *bytes;

    msg->spool = unit_path("fetched");
    performed(msg);
    if (msg->status == 200) {
        bytes = unit_read(msg->spool, &length);
        gf_hash_sha256(hex, bytes, length);
    }
    return hex;
}

START_TEST(a_picture_is_stored_whole_once_and_removed)
{
    size_t i;

    begin();
    for (i = 0; i < UNIT_COUNT(kinds); i++) {
        shelf_t *shelf = remote(kinds[i]);
        gf_store_outcome_t first = uploaded(shelf);
        gf_store_outcome_t second = uploaded(shelf);

        ck_assert_msg(first.state == GF_STORE_STORED, "%s: %s", kinds[i]->name, first.detail);
        ck_assert_msg(second.state == GF_STORE_STORED, "%s: %s", kinds[i]->name, second.detail);
        ck_assert_str_eq(second.url, first.url);
        ck_assert_str_eq(hash_at(first.url), shelf->stored.sha256);
        shelf->conf.store_overwrite = 1;
        second = uploaded(shelf);
        ck_assert_msg(second.state == GF_STORE_STORED, "%s: %s", kinds[i]->name, second.detail);
        ck_assert_str_eq(hash_at(second.url), shelf->stored.sha256);
        ck_assert_msg(removed(shelf), "%s", kinds[i]->name);
        ck_assert_str_eq(hash_at(second.url), "");
        ck_assert_msg(removed(shelf), "%s: it was gone already", kinds[i]->name);
    }
    end();
}
END_TEST

START_TEST(what_the_store_does_not_trust_is_an_alarm)
{
    static const struct {
        int kind;
        const char *key, *secret, *region, *directive;
    } rows[] = {
        { 0, NULL, "another", NULL, "GenflowStoreSecret" },
        { 0, "another", NULL, NULL, "GenflowStoreKey" },
        { 1, NULL, "another", NULL, "GenflowStoreSecret" },
        { 1, "another", NULL, NULL, "GenflowStoreKey" },
        { 1, NULL, NULL, "us-east-1", "GenflowStoreRegion" },
    };
    size_t i;

    begin();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        shelf_t *shelf = remote(kinds[rows[i].kind]);
        gf_store_outcome_t outcome;

        shelf->conf.store_key = rows[i].key ? rows[i].key : shelf->conf.store_key;
        shelf->conf.store_secret = rows[i].secret ? rows[i].secret : shelf->conf.store_secret;
        shelf->conf.store_region = rows[i].region ? rows[i].region : shelf->conf.store_region;
        outcome = uploaded(shelf);
        ck_assert_int_eq(outcome.state, GF_STORE_REFUSED);
        ck_assert(outcome.alarm);
        ck_assert_msg(strstr(outcome.detail, rows[i].directive), "%s", outcome.detail);
        ck_assert(!removed(shelf));
    }
    end();
}
END_TEST

START_TEST(other_bytes_than_were_hashed_are_refused)
{
    shelf_t *shelf;

    begin();
    shelf = remote(&gf_store_s3);
    unit_write(shelf->call.file, "other bytes", 11);
    ck_assert_int_eq(uploaded(shelf).state, GF_STORE_REFUSED);
    end();
}
END_TEST

START_TEST(where_nobody_listens_it_is_tried_later)
{
    size_t i;

    begin();
    for (i = 0; i < UNIT_COUNT(kinds); i++) {
        shelf_t *shelf = remote(kinds[i]);
        gf_store_outcome_t outcome;

        shelf->conf.store_api = "http://127.0.0.1:1";
        shelf->conf.store_key = "KEYID";
        shelf->conf.store_secret = SECRET;
        outcome = uploaded(shelf);
        ck_assert_int_eq(outcome.state, GF_STORE_LATER);
        ck_assert(!outcome.alarm);
    }
    end();
}
END_TEST

int main(void)
{
    const TTest *const alone[] = { where_nobody_listens_it_is_tried_later, NULL };
    const TTest *const all[] = {
        where_nobody_listens_it_is_tried_later,
        a_picture_is_stored_whole_once_and_removed,
        what_the_store_does_not_trust_is_an_alarm,
        other_bytes_than_were_hashed_are_refused,
        NULL,
    };

    if (!in_harness()) {
        printf("# not in the harness of make check: there is no store to talk to\n");
        fflush(stdout);
    }
    return unit_run("remote", in_harness() ? all : alone);
}
