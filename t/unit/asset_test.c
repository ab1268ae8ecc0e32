/* SPDX-License-Identifier: Apache-2.0 */
/* db/asset.c with the database of the harness: a source picture comes back as it was brought,
 * byte for byte, to its owner and to jobs; no other user gets it, and no user stores too many. */
#include "db/asset.h"

#include <apr_encode.h>

#include "base/text.h"
#include "database.h"

static const gf_image_t image = { .type = "image/webp", .width = 3, .height = 2 };
static gf_asset_t asset;

/* A user that no other test uses; the connection is lent. */
static const char *somebody(void)
{
    static int users;

    lend_app();
    unit.conf.asset_max = 100000;
    unit.conf.asset_lifetime = apr_time_from_sec(3600);
    return apr_psprintf(unit.ctx.pool, "unit-asset-%ld-%d", (long)getpid(), ++users);
}

/* All values that a byte has, `times` over; `first` distinguishes such pictures. */
static unsigned char *bytes_of(apr_size_t length, int first)
{
    unsigned char *bytes = apr_palloc(unit.ctx.pool, length);
    apr_size_t i;

    for (i = 0; i < length; i++) {
        bytes[i] = (unsigned char)(i + (apr_size_t)first);
    }
    return bytes;
}

static gf_err_t *put(const char *user, apr_size_t length, int first)
{
    const char *base64 = apr_pencode_base64_binary(unit.ctx.pool, bytes_of(length, first),
                                                   (apr_ssize_t)length, APR_ENCODE_NONE, NULL);

    return gf_asset_put(&asset, &unit.ctx, user, &image, base64);
}

START_TEST(a_picture_comes_back_as_it_was_brought)
{
    const char *user = somebody();
    const char *id;
    const char *sha256;

    unit_no_error(put(user, 1000, 0));
    id = asset.id;
    ck_assert(gf_text_is_uuid(id));
    ck_assert_int_eq(asset.width, 3);
    ck_assert_ptr_null(asset.bytes);

    unit_no_error(gf_asset_get(&asset, &unit.ctx, user, id));
    ck_assert_str_eq(asset.id, id);
    ck_assert_str_eq(asset.type, "image/webp");
    ck_assert_int_eq(asset.width, 3);
    ck_assert_int_eq(asset.height, 2);
    ck_assert_int_eq(asset.size, 1000);
    ck_assert_int_eq(strlen(asset.sha256), 64);
    ck_assert_ptr_nonnull(asset.expires_at);
    sha256 = asset.sha256;

    unit_no_error(gf_asset_read(&asset, &unit.ctx, id));
    ck_assert_str_eq(asset.type, "image/webp");
    ck_assert_int_eq(asset.size, 1000);
    ck_assert(memcmp(asset.bytes, bytes_of(1000, 0), 1000) == 0);

    unit_no_error(put(user, 1000, 0));
    ck_assert_str_eq(asset.id, id);
    unit_no_error(put(user, 1000, 1));
    ck_assert_str_ne(asset.id, id);
    unit_no_error(gf_asset_get(&asset, &unit.ctx, user, asset.id));
    ck_assert_str_ne(asset.sha256, sha256);
    end();
}
END_TEST

START_TEST(a_picture_is_its_owners_alone)
{
    const char *user = somebody();
    const char *id;

    unit_no_error(put(user, 10, 0));
    id = asset.id;
    ck_assert(gf_err_is(gf_asset_get(&asset, &unit.ctx, "unit-other", id), GF_E_NOT_YOURS));
    ck_assert(gf_err_is(gf_asset_delete(&unit.ctx, "unit-other", id), GF_E_NOT_YOURS));
    unit_no_error(gf_asset_get(&asset, &unit.ctx, user, id));
    unit_no_error(gf_asset_delete(&unit.ctx, user, id));
    ck_assert(gf_err_is(gf_asset_get(&asset, &unit.ctx, user, id), GF_E_NO_ASSET));
    ck_assert(gf_err_is(gf_asset_delete(&unit.ctx, user, id), GF_E_NO_ASSET));
    unit_no_error(gf_asset_read(&asset, &unit.ctx, id));
    ck_assert_ptr_null(asset.bytes);
    end();
}
END_TEST

START_TEST(an_announced_upload_happens_once)
{
    const char *user = somebody();
    const char *upload = apr_psprintf(unit.ctx.pool, "%08lx-1111-4111-8111-%012lx", (long)getpid(),
                                      (long)(apr_time_now() & 0xffffffffffff));
    const char *id;

    ck_assert(gf_err_is(gf_asset_get(&asset, &unit.ctx, user, upload), GF_E_NO_ASSET));
    unit_no_error(gf_asset_upload(&asset, &unit.ctx, user, upload, &image, "AAAA"));
    id = asset.id;
    unit_no_error(gf_asset_get(&asset, &unit.ctx, user, upload));
    ck_assert_str_eq(asset.id, id);
    ck_assert(gf_err_is(gf_asset_upload(&asset, &unit.ctx, user, upload, &image, "AAAA"),
                        GF_E_UPLOAD_USED));
    ck_assert(gf_err_is(gf_asset_get(&asset, &unit.ctx, "unit-other", upload), GF_E_NOT_YOURS));
    end();
}
END_TEST

/* Twenty of the largest; a small one counts 64 KB. */
START_TEST(a_user_cannot_store_too_many)
{
    const char *user = somebody();
    int i;

    for (i = 0; i < 19; i++) {
        unit_no_error(put(user, 100000, i));
    }
    unit_no_error(put(user, 10, 0));
    ck_assert(gf_err_is(put(user, 10, 1), GF_E_ASSETS_FULL));
    unit_no_error(put(user, 100000, 3));
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { a_picture_comes_back_as_it_was_brought,
                                   a_picture_is_its_owners_alone, an_announced_upload_happens_once,
                                   a_user_cannot_store_too_many, NULL };

    if (!in_harness()) {
        printf("1..0 # SKIP not in the harness of make check\n");
        return EXIT_SUCCESS;
    }
    return unit_run("asset", tests);
}
