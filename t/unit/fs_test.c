/* SPDX-License-Identifier: Apache-2.0 */
/* store/store.c and store/fs.c: what is kept, under which name, what is refused, and that
 * the spool is clean once it is kept. */
#include "store/store.h"
#include "model/thumbnail.h"
#include "store/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <utime.h>

#include <apr_lib.h>

#include "unit.h"

#define ID     "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
#define PIXELS (1000 * 1000)
#define DAY    (24 * 3600)
#define JPEG \
    "\xff\xd8\xff\xc0\0\x0b\x08\0\x10\0\x20\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0 data\xff\xd9"

static const gf_type_t type = { .name = "neo-glitch" };
static gf_job_t job = { .type = &type, .id = ID, .epoch = 3 };

/* ---- the calls that decide what survives a power cut, in order ---- */

static const char *disk_calls = "";
static long disk_kind;   /* what fstatfs() says; 0: what is true */
static int disk_refuses; /* errno of sync_file_range(); 0: none */
static int disk_stop;    /* this process stops before so many more calls; 0: never */

/* "fsync(a7) link(a.png) "; of a path its last name. */
static void note_call(const char *call, const char *path)
{
    disk_calls =
        apr_pstrcat(unit.ctx.pool, disk_calls, call, "(", apr_filepath_name_get(path), ") ", NULL);
    if (disk_stop && --disk_stop == 0) {
        raise(SIGSTOP);
    }
}

static void note_open(const char *call, int fd)
{
    char path[APR_PATH_MAX] = "";

    ck_assert(readlink(apr_psprintf(unit.ctx.pool, "/proc/self/fd/%d", fd), path, sizeof(path) - 1)
              > 0);
    note_call(call, path);
}

int fsync(int fd)
{
    note_open("fsync", fd);
    return (int)syscall(SYS_fsync, fd);
}

int sync_file_range(int fd, off64_t offset, off64_t length, unsigned int flags)
{
    note_open("write", fd);
    errno = disk_refuses;
    return disk_refuses ? -1 : (int)syscall(SYS_sync_file_range, fd, offset, length, flags);
}

int link(const char *from, const char *to)
{
    note_call("link", to);
    return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int fstatfs(int fd, struct statfs *info)
{
    int rv = (int)syscall(SYS_fstatfs, fd, info);

    info->f_type = disk_kind ? disk_kind : info->f_type;
    return rv;
}

/* A store of its own for each test. */
static void open_store(const char *name)
{
    unit.conf.store_folder = unit_path(name);
    unit.conf.store_url = "/generated";
    unit.conf.pixels_max = PIXELS;
    ck_assert_pstr_eq(gf_store_prepare(&unit.conf, unit.ctx.pool, geteuid(), getegid()), NULL);
}

/* Leaves bytes in the spool as a provider would. */
static const char *spooled(const void *bytes, apr_size_t length)
{
    const char *path = gf_store_spool(&unit.conf, &job, unit.ctx.pool);

    unit_write(path, bytes, length);
    return path;
}

#define WHOLE_PNG_BYTES (UNIT_PNG_BYTES + 12)

/* Leaves a PNG of that size, distinguished by its last byte. */
static const char *spooled_png(unsigned width, unsigned height, char last)
{
    static const unsigned char end[] = { 0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82 };
    unsigned char bytes[WHOLE_PNG_BYTES];

    unit_png(bytes, width, height);
    bytes[UNIT_PNG_BYTES - 1] = (unsigned char)last;
    memcpy(bytes + UNIT_PNG_BYTES, end, sizeof(end));
    return spooled(bytes, sizeof(bytes));
}

static const char *kept_path(const char *extension)
{
    return apr_pstrcat(unit.ctx.pool, unit.conf.store_folder, "/neo-glitch/5b/" ID ".", extension,
                       NULL);
}

static int files;

static int count_file(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)path;
    (void)info;
    (void)walk;
    files += kind != FTW_D;
    return 0;
}

/* How many files there are in the whole folder of this program. */
static int files_anywhere(void)
{
    files = 0;
    ck_assert_int_eq(nftw(unit_folder, count_file, 8, FTW_PHYS), 0);
    return files;
}

START_TEST(a_picture_is_stored_under_the_name_of_its_job)
{
    gf_stored_t stored;
    apr_size_t length = 0;
    const char *spool;
    int before;

    open_store("kept");
    before = files_anywhere();
    spool = spooled_png(768, 512, 'a');
    unit_no_error(gf_store_put(&stored, &unit.ctx, &job, spool));
    ck_assert_str_eq(stored.url, "/generated/neo-glitch/5b/" ID ".png");
    ck_assert_str_eq(stored.image.type, "image/png");
    ck_assert_int_eq(stored.image.width, 768);
    ck_assert_int_eq(stored.image.height, 512);
    ck_assert_int_eq(stored.bytes, WHOLE_PNG_BYTES);
    ck_assert_ptr_nonnull(unit_read(kept_path("png"), &length));
    ck_assert_uint_eq(length, WHOLE_PNG_BYTES);
    ck_assert_msg(!unit_exists(spool), "the spool file is still there");
    ck_assert_msg(files_anywhere() == before + 1, "there are other files, too");
    ck_assert_int_eq(unit.line_count, 0);
}
END_TEST

START_TEST(bytes_behind_a_picture_are_not_stored)
{
    char sha256[GF_SHA256_HEX];
    static const char jpeg[] = JPEG "and what a phone writes behind it \xff\xd9";
    gf_stored_t stored;
    apr_size_t length = 0;

    open_store("trailer");
    unit_no_error(gf_store_put(&stored, &unit.ctx, &job, spooled(jpeg, sizeof(jpeg) - 1)));
    ck_assert_int_eq(stored.bytes, sizeof(JPEG) - 1);
    ck_assert(memcmp(unit_read(kept_path("jpg"), &length), JPEG, sizeof(JPEG) - 1) == 0);
    ck_assert_uint_eq(length, sizeof(JPEG) - 1);
    gf_hash_sha256(sha256, JPEG, sizeof(JPEG) - 1);
    ck_assert_str_eq(stored.sha256, sha256);
}
END_TEST

START_TEST(a_source_picture_has_a_bound_of_its_own)
{
    const char *path;
    gf_stored_t stored;
    gf_err_t *err;

    open_store("source");
    unit.conf.asset_pixels_max = 100;
    path = spooled_png(101, 1, 'a');
    unit_no_error(gf_store_inspect(&stored, &unit.ctx, path));
    err = gf_store_inspect_source(&stored, &unit.ctx, path);
    ck_assert(gf_err_is(err, GF_E_RESULT));
    ck_assert(strstr(err->detail, "GenflowAssetMaxPixels 100"));
    unit_no_error(gf_store_inspect_source(&stored, &unit.ctx, spooled_png(100, 1, 'a')));
}
END_TEST

START_TEST(the_extension_is_what_the_bytes_say)
{
    gf_stored_t stored;

    open_store("extension");
    unit_no_error(gf_store_put(&stored, &unit.ctx, &job, spooled(JPEG, sizeof(JPEG) - 1)));
    ck_assert_str_eq(stored.url, "/generated/neo-glitch/5b/" ID ".jpg");
    ck_assert_str_eq(stored.image.type, "image/jpeg");
    ck_assert(unit_exists(kept_path("jpg")));
}
END_TEST

START_TEST(the_facts_are_written_as_json)
{
    gf_stored_t stored;

    open_store("facts");
    unit_no_error(gf_store_put(&stored, &unit.ctx, &job, spooled_png(16, 8, '\4')));
    ck_assert_str_eq(gf_store_result(&stored, unit.ctx.pool),
                     "{\"width\":16,\"height\":8,\"bytes\":45,\"type\":\"image/png\",\"sha256\":"
                     "\"a205217b3f77350d7c5c7011baf051360a3cc851025d2078fdaefeca67c091a7\"}");
}
END_TEST

START_TEST(a_second_picture_leaves_the_first_and_returns_its_facts)
{
    gf_stored_t first, second;
    apr_size_t length = 0;
    const char *spool;

    open_store("twice");
    unit_no_error(gf_store_put(&first, &unit.ctx, &job, spooled_png(768, 512, 'a')));
    spool = spooled_png(640, 480, 'b');
    unit_no_error(gf_store_put(&second, &unit.ctx, &job, spool));
    ck_assert_str_eq(second.url, first.url);
    ck_assert_str_eq(second.sha256, first.sha256);
    ck_assert_int_eq(second.image.width, 768);
    ck_assert_int_eq(second.image.height, 512);
    ck_assert_int_eq(unit_read(kept_path("png"), &length)[UNIT_PNG_BYTES - 1], 'a');
    ck_assert(!unit_exists(spool));
}
END_TEST

START_TEST(a_store_says_whether_the_name_was_taken)
{
    gf_job_t other = job;
    const char *name = "neo-glitch/xx/any.png";
    bool existing = true;

    other.epoch = 4;
    open_store("existing");
    unit_no_error(gf_store_fs.put(&existing, &unit.ctx, name, spooled_png(8, 8, 'a')));
    ck_assert(!existing);
    unit_no_error(gf_store_fs.put(&existing, &unit.ctx, name, spooled_png(8, 8, 'b')));
    ck_assert(existing);
    ck_assert_str_ne(gf_store_spool(&unit.conf, &job, unit.ctx.pool),
                     gf_store_spool(&unit.conf, &other, unit.ctx.pool));
}
END_TEST

/* The open file is flushed, which has two names then, or the file that had the name before. */
#define ORDERED   "write(" ID ".3) link(" ID ".png) fsync(" ID ".3) "
#define EXISTING  "write(" ID ".3) link(" ID ".png) fsync(" ID ".png) "
#define UNORDERED "fsync(" ID ".3) link(" ID ".png) fsync(5b) "
#define NEW_NAMES "link(" ID ".png) fsync(neo-glitch) fsync(ordering) "

/* The bytes before the name, and both before the picture counts as stored. */
START_TEST(a_picture_is_flushed_once_where_that_flushes_its_name_and_else_with_its_folder)
{
    static const struct {
        long kind;
        const char *first, *existing;
    } rows[] = {
        { 0xEF53, "write(" ID ".3) " NEW_NAMES "link(" ID ".png) fsync(" ID ".3) ", EXISTING },
        { 0x58465342, ORDERED, EXISTING },    /* XFS */
        { 0x9123683E, UNORDERED, UNORDERED }, /* btrfs */
        { 0x6969, UNORDERED, UNORDERED },     /* NFS */
        { 0x794C7630, UNORDERED, UNORDERED }, /* overlayfs */
    };
    gf_stored_t stored;
    size_t i;

    open_store("ordering");
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        disk_kind = rows[i].kind;
        disk_calls = "";
        unit_no_error(gf_store_put(&stored, &unit.ctx, &job, spooled_png(16, 8, 'a')));
        ck_assert_str_eq(disk_calls, rows[i].first);
        disk_calls = "";
        unit_no_error(gf_store_put(&stored, &unit.ctx, &job, spooled_png(16, 8, 'b')));
        ck_assert_str_eq(disk_calls, rows[i].existing);
        ck_assert_int_eq(gf_store_clear(&unit.conf, &job, unit.ctx.pool), APR_SUCCESS);
    }
}
END_TEST

START_TEST(a_picture_whose_bytes_the_disk_refuses_gets_no_name)
{
    gf_stored_t stored;
    gf_err_t *err;

    open_store("refusing");
    disk_kind = 0xEF53;
    disk_refuses = ENOSPC;
    disk_calls = "";
    err = gf_store_put(&stored, &unit.ctx, &job, spooled_png(16, 8, 'a'));
    ck_assert(gf_err_is(err, GF_E_STORE) && err->rv == ENOSPC);
    ck_assert_str_eq(disk_calls, "write(" ID ".3) ");
    ck_assert(!unit_exists(kept_path("png")));
}
END_TEST

START_TEST(a_part_of_a_picture_under_its_name_is_not_taken_for_it)
{
    gf_stored_t stored;
    apr_size_t length = 0;
    const unsigned char *bytes;
    gf_err_t *err;

    open_store("torn");
    unit_no_error(gf_store_put(&stored, &unit.ctx, &job, spooled_png(16, 8, 'a')));
    bytes = (const unsigned char *)unit_read(kept_path("png"), &length);
    unit_write(kept_path("png"), bytes, length - 12);
    ck_assert(!gf_store_find(&stored, &unit.ctx, &job));
    err = gf_store_put(&stored, &unit.ctx, &job, spooled_png(16, 8, 'a'));
    ck_assert(gf_err_is(err, GF_E_RESULT));
    unit_write(kept_path("png"), "", 0);
    ck_assert(!gf_store_find(&stored, &unit.ctx, &job));
}
END_TEST

START_TEST(a_picture_that_cannot_be_stored_is_refused_and_leaves_nothing)
{
    unsigned char wide[UNIT_PNG_BYTES], huge[UNIT_PNG_BYTES], cut[UNIT_PNG_BYTES];
    const struct {
        const char *what;
        const void *bytes;
        apr_size_t length;
        gf_err_code_t code;
    } rows[] = {
        { "nothing", "", 0, GF_E_EMPTY },
        { "text", "no picture", 10, GF_E_RESULT },
        { "HTML", "<html><body>502 Bad Gateway</body></html>", 41, GF_E_RESULT },
        { "GIF", "GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0", 30, GF_E_RESULT },
        { "half of a head", wide, 20, GF_E_RESULT },
        { "a head without a picture", cut, sizeof(cut), GF_E_RESULT },
        { "too many pixels", wide, sizeof(wide), GF_E_RESULT },
        { "a bomb", huge, sizeof(huge), GF_E_RESULT },
    };
    size_t i;
    int before;

    unit_png(wide, 1001, 1000);
    unit_png(huge, 60000, 60000);
    unit_png(cut, 16, 8);
    open_store("refused");
    before = files_anywhere();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *spool = spooled(rows[i].bytes, rows[i].length);
        gf_stored_t stored;
        gf_err_t *err = gf_store_put(&stored, &unit.ctx, &job, spool);

        ck_assert_msg(err, "%s was kept", rows[i].what);
        ck_assert_msg(gf_err_is(err, rows[i].code), "%s: %s", rows[i].what, err->row->code);
        ck_assert_msg(files_anywhere() == before + 1, "%s left a file beside its own",
                      rows[i].what);
        apr_file_remove(spool, unit.ctx.pool);
        ck_assert_msg(!gf_store_find(&stored, &unit.ctx, &job), "%s is found", rows[i].what);
    }
}
END_TEST

START_TEST(as_many_pixels_as_allowed_are_stored)
{
    gf_stored_t stored;

    open_store("pixels");
    unit_no_error(gf_store_put(&stored, &unit.ctx, &job, spooled_png(1000, 1000, 'a')));
}
END_TEST

START_TEST(a_store_that_does_not_work_is_the_operators)
{
    gf_stored_t stored;
    const char *spool;
    gf_err_t *err;

    open_store("broken");
    err = gf_store_put(&stored, &unit.ctx, &job, unit_path("broken/.spool/absent"));
    ck_assert_msg(gf_err_is(err, GF_E_STORE), "a spool file that is not there");
    ck_assert_msg(APR_STATUS_IS_ENOENT(err->rv), "error %d", err->rv);

    unit_write(unit_path("broken/neo-glitch"), "in the way", 10);
    spool = spooled_png(8, 8, 'a');
    err = gf_store_put(&stored, &unit.ctx, &job, spool);
    ck_assert_msg(gf_err_is(err, GF_E_STORE), "a file where the folder should be");
    ck_assert_int_ne(err->rv, APR_SUCCESS);
    ck_assert_msg(unit_exists(spool), "what could not be kept is lost");
}
END_TEST

START_TEST(a_stored_picture_is_found_again)
{
    static const char *const extensions[] = { "png", "jpg" };
    gf_stored_t kept, found;
    size_t i;

    for (i = 0; i < UNIT_COUNT(extensions); i++) {
        open_store(apr_pstrcat(unit.ctx.pool, "find-", extensions[i], NULL));
        ck_assert(!gf_store_find(&found, &unit.ctx, &job));
        unit_no_error(
            gf_store_put(&kept, &unit.ctx, &job,
                         i == 0 ? spooled_png(768, 512, 'a') : spooled(JPEG, sizeof(JPEG) - 1)));
        ck_assert(gf_store_find(&found, &unit.ctx, &job));
        ck_assert_str_eq(found.url, kept.url);
        ck_assert_str_eq(gf_store_result(&found, unit.ctx.pool),
                         gf_store_result(&kept, unit.ctx.pool));
    }
}
END_TEST

#define OURS "neo-glitch/5b/" ID ".png"

START_TEST(an_address_names_the_file_of_its_own_job_and_no_other)
{
    static const char site[] = "https://img.test/genflow";
    static const struct {
        const char *prefix, *url, *name;
    } rows[] = {
        { "/generated", "/generated/" OURS, OURS },
        { "/generated", "/generated/neo-glitch/5b/" ID ".webp", "neo-glitch/5b/" ID ".webp" },
        { site, "https://img.test/genflow/" OURS, OURS },
        { "/generated", "/generated", NULL },
        { "/generated", "/generated/", NULL },
        { "/generated", "/generatedx/" OURS, NULL },
        { "/generated", "https://cdn.test/generated/" OURS, NULL },
        { "/generated", OURS, NULL },
        { "/generated", "", NULL },
        { site, "/generated/" OURS, NULL },
        { site, "http://img.test/genflow/" OURS, NULL },
        { site, "https://img.test/genflow/../" OURS, NULL },
        { site, "https://img.test/genflow/../../etc/passwd", NULL },
        { site, "https://img.test/genflow/%2e%2e/%2e%2e/etc/passwd", NULL },
        { site, "https://img.test/genflow/..%2f..%2fetc%2fpasswd", NULL },
        { site, "https://img.test/genflow//etc/passwd", NULL },
        { site, "https://img.test/genflow/./" OURS, NULL },
        { site, "https://img.test/genflow/" OURS "/../../../../etc/passwd", NULL },
        { site, "https://img.test/genflow/" OURS "?a=b", NULL },
        { site, "https://img.test/genflow/" OURS "#a", NULL },
        { site, "https://img.test/genflow/neo-glitch/%35b/" ID ".png", NULL },
        { site, "https://img.test/genflow/neo-glitch/5c/" ID ".png", NULL },
        { site, "https://img.test/genflow/presets/5b/" ID ".png", NULL },
        { site, "https://img.test/genflow/neo-glitch/5b/" ID, NULL },
        { site, "https://img.test/genflow/neo-glitch/5b/" ID ".html", NULL },
        { site, "https://img.test/genflow/neo-glitch/5b/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a6b.png",
          NULL },
        { site, "https://img.test/genflow/" GF_STORE_SPOOL "/" ID ".3", NULL },
    };
    size_t i;

    open_store("files");
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *name = rows[i].name;
        const char *file;

        unit.conf.store_url = rows[i].prefix;
        file = gf_store_file(&unit.conf, &job, rows[i].url, unit.ctx.pool);
        ck_assert_pstr_eq(file, name ? unit_path(apr_pstrcat(unit.ctx.pool, "files/", name, NULL))
                                     : NULL);
    }
}
END_TEST

#define SECRET "00112233445566778899aabbccddeeff"

/* The secret part of the name is the row's; every address of ours names the file, whatever row it
 * was read from. */
START_TEST(a_picture_with_a_secret_has_a_name_that_the_id_does_not_reveal)
{
    static const gf_job_t deleted = { .type = &type, .id = ID };
    static const char *const strangers[] = {
        "/generated/neo-glitch/5b/" ID "-" SECRET "0.png",
        "/generated/neo-glitch/5b/" ID "-0011223344556677.png",
        "/generated/neo-glitch/5b/" ID "-" SECRET "/../x.png",
        "/generated/neo-glitch/5b/" ID "-" SECRET ".html",
        "/generated/neo-glitch/5b/" ID "-0011223344556677889/../../../../a.png",
    };
    gf_job_t own = job;
    gf_stored_t stored, found;
    size_t i;

    open_store("secret");
    own.picture_secret = SECRET;
    unit_no_error(gf_store_put(&stored, &unit.ctx, &own, spooled_png(16, 8, 'a')));
    ck_assert_str_eq(stored.url, "/generated/neo-glitch/5b/" ID "-" SECRET ".png");
    ck_assert(!unit_exists(kept_path("png")));
    ck_assert(!gf_store_find(&found, &unit.ctx, &job));
    ck_assert(gf_store_find(&found, &unit.ctx, &own));
    ck_assert_pstr_eq(gf_store_file(&unit.conf, &deleted, stored.url, unit.ctx.pool),
                      unit_path("secret/neo-glitch/5b/" ID "-" SECRET ".png"));
    ck_assert_ptr_nonnull(strstr(gf_store_spool(&unit.conf, &own, unit.ctx.pool), SECRET));
    ck_assert_ptr_nonnull(strstr(gf_store_ready(&unit.conf, &own, unit.ctx.pool), SECRET));
    for (i = 0; i < UNIT_COUNT(strangers); i++) {
        ck_assert_pstr_eq(gf_store_file(&unit.conf, &deleted, strangers[i], unit.ctx.pool), NULL);
    }
}
END_TEST

START_TEST(whatever_is_there_of_a_picture_is_removed)
{
    gf_job_t own = job;
    gf_stored_t stored;
    int before;

    open_store("cleared");
    own.picture_secret = SECRET;
    unit_no_error(gf_store_put(&stored, &unit.ctx, &job, spooled_png(16, 8, 'a')));
    before = files_anywhere();
    ck_assert_int_eq(gf_store_clear(&unit.conf, &own, unit.ctx.pool), APR_SUCCESS);
    unit_no_error(gf_store_put(&stored, &unit.ctx, &own, spooled_png(16, 8, 'a')));
    unit_no_error(gf_store_put(&stored, &unit.ctx, &own, spooled(JPEG, sizeof(JPEG) - 1)));
    unit_write(gf_store_ready(&unit.conf, &own, unit.ctx.pool), "x", 1);
    ck_assert_int_eq(gf_store_clear(&unit.conf, &own, unit.ctx.pool), APR_SUCCESS);
    ck_assert_int_eq(files_anywhere(), before);
    ck_assert(unit_exists(kept_path("png")));
}
END_TEST

/* Nothing is begun that could not be stored; what it is has one line, with path and errno. */
/* ---- thumbnails ---- */

/* Links a thumbnail from the spool beside the picture. */
static apr_status_t attach(const char *picture)
{
    const char *draft = spooled("webp", 4);
    int fd = open(draft, O_RDWR | O_CLOEXEC);
    apr_status_t rv =
        gf_store_fs_attach(picture, gf_thumbnail_name(picture, unit.ctx.pool), draft, fd);

    close(fd);
    return rv;
}

static bool has_thumbnail(const char *picture)
{
    return access(gf_thumbnail_name(picture, unit.ctx.pool), F_OK) == 0;
}

static const char *stored_png(void)
{
    gf_stored_t stored;

    ck_assert_ptr_null(gf_store_put(&stored, &unit.ctx, &job, spooled_png(16, 32, 'a')));
    return kept_path("png");
}

START_TEST(a_thumbnail_comes_and_goes_with_its_picture)
{
    const char *picture;

    open_store("thumbnail");
    picture = kept_path("png");
    ck_assert_int_eq(attach(picture), APR_ENOENT); /* there is none without a picture */
    ck_assert_str_eq(stored_png(), picture);
    ck_assert_int_eq(attach(picture), APR_SUCCESS);
    ck_assert(has_thumbnail(picture));
    ck_assert_int_eq(attach(picture), APR_SUCCESS); /* one that is there stays */
    ck_assert_int_eq(gf_store_fs_remove(picture, unit.ctx.pool), APR_SUCCESS);
    ck_assert(access(picture, F_OK) < 0 && !has_thumbnail(picture));
    ck_assert_int_eq(attach(picture), APR_ENOENT);
    ck_assert(!has_thumbnail(picture));
    ck_assert_int_eq(gf_store_fs_remove(picture, unit.ctx.pool), APR_SUCCESS);
}
END_TEST

START_TEST(a_thumbnail_is_not_linked_beside_a_picture_that_is_being_removed)
{
    const char *picture;
    int fd;

    open_store("thumbnail-lock");
    picture = stored_png();
    fd = open(picture, O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    ck_assert_int_eq(attach(picture), APR_EBUSY);
    ck_assert(!has_thumbnail(picture));
    ck_assert_int_eq(flock(fd, LOCK_SH), 0); /* a thumbnail is being linked */
    ck_assert_int_eq(attach(picture), APR_SUCCESS);
    ck_assert_int_eq(gf_store_fs_remove(picture, unit.ctx.pool), APR_EBUSY);
    ck_assert(access(picture, F_OK) == 0 && has_thumbnail(picture));
    close(fd);
    ck_assert_int_eq(gf_store_fs_remove(picture, unit.ctx.pool), APR_SUCCESS);
    ck_assert(access(picture, F_OK) < 0 && !has_thumbnail(picture));
}
END_TEST

START_TEST(a_thumbnail_alone_is_removed_and_every_type_with_it)
{
    const char *picture;

    open_store("thumbnail-alone");
    picture = stored_png();
    ck_assert_int_eq(attach(picture), APR_SUCCESS);
    unlink(picture);
    ck_assert_int_eq(gf_store_clear(&unit.conf, &job, unit.ctx.pool), APR_SUCCESS);
    ck_assert(!has_thumbnail(picture));
}
END_TEST

START_TEST(a_spool_without_room_for_the_largest_picture_closes_the_store)
{
    gf_err_t *err;

    open_store("room");
    unit.conf.store = &gf_store_fs;
    unit.conf.type_list = apr_array_make(unit.ctx.pool, 1, sizeof(const gf_type_t *));
    APR_ARRAY_PUSH(unit.conf.type_list, const gf_type_t *) = &type;
    unit.conf.result_max = 1000;
    unit.conf.store_gate =
        gf_gate_init(apr_palloc(unit.ctx.pool, gf_gate_bytes(&unit.conf)), &unit.conf);
    unit_no_error(gf_gate_check(&unit.ctx, &type, true));
    ck_assert_pstr_eq(gf_gate_closed(&unit.ctx), NULL);
    ck_assert(gf_gate_report_due(&unit.conf, false) && !gf_gate_report_due(&unit.conf, false));

    unit.conf.result_max = APR_INT64_C(1) << 60;
    gf_gate_init(unit.conf.store_gate, &unit.conf);
    err = gf_gate_check(&unit.ctx, &type, true);
    ck_assert(gf_err_is(err, GF_E_STORE_CLOSED) && err->retry_after > 0);
    err = gf_gate_check(&unit.ctx, &type, false);
    ck_assert(gf_err_is(err, GF_E_STORE_CLOSED));
    ck_assert_ptr_nonnull(gf_gate_closed(&unit.ctx));
    ck_assert_int_eq(unit.line_count, 1);
    ck_assert(gf_gate_report_due(&unit.conf, true) && !gf_gate_report_due(&unit.conf, true));
    unit.conf.store_gate = NULL;
}
END_TEST

/* Where a picture that cannot be stored fails its generation, the breaker keeps back what follows;
 * one at a time tries. */
START_TEST(a_store_that_fails_uploads_is_given_a_rest)
{
    int i;

    open_store("breaker");
    unit.conf.store = &gf_store_s3;
    unit.conf.store_strict = 1;
    unit.conf.type_list = apr_array_make(unit.ctx.pool, 1, sizeof(const gf_type_t *));
    unit.conf.result_max = 1000;
    unit.conf.store_gate =
        gf_gate_init(apr_palloc(unit.ctx.pool, gf_gate_bytes(&unit.conf)), &unit.conf);
    for (i = 0; i < 5; i++) {
        ck_assert(gf_gate_uploads(&unit.conf));
        unit_no_error(gf_gate_check(&unit.ctx, &type, true));
        gf_gate_answered(&unit.ctx, false);
    }
    ck_assert(!gf_gate_uploads(&unit.conf));
    ck_assert(gf_err_is(gf_gate_check(&unit.ctx, &type, true), GF_E_STORE_CLOSED));
    ck_assert_ptr_nonnull(gf_gate_closed(&unit.ctx));
    gf_gate_answered(&unit.ctx, true);
    ck_assert(gf_gate_uploads(&unit.conf));
    unit_no_error(gf_gate_check(&unit.ctx, &type, true));
    unit.conf.store_gate = NULL;
    unit.conf.store_strict = 0;
}
END_TEST

START_TEST(a_store_makes_its_folders_or_says_why_not)
{
    struct stat info;

    open_store("deep/er/store");
    ck_assert_int_eq(stat(unit_path("deep/er/store/.spool"), &info), 0);
    ck_assert(S_ISDIR(info.st_mode));
    unit_write(unit_path("file"), "x", 1);
    unit.conf.store_folder = unit_path("file/store");
    ck_assert(strstr(gf_store_prepare(&unit.conf, unit.ctx.pool, geteuid(), getegid()),
                     "GenflowStoreFolder"));
}
END_TEST

START_TEST(what_lay_in_the_spool_for_long_is_swept)
{
    struct utimbuf long_ago = { time(NULL) - DAY - 60, time(NULL) - DAY - 60 };
    struct utimbuf lately = { time(NULL) - DAY + 600, time(NULL) - DAY + 600 };
    const char *old = unit_path("swept/.spool/old.1");
    const char *young = unit_path("swept/.spool/young.1");
    const char *kept = unit_path("swept/kept.png");

    open_store("swept");
    unit_write(old, "x", 1);
    unit_write(young, "x", 1);
    unit_write(kept, "x", 1);
    ck_assert_int_eq(utime(old, &long_ago), 0);
    ck_assert_int_eq(utime(kept, &long_ago), 0);
    ck_assert_int_eq(utime(young, &lately), 0);
    open_store("swept");
    ck_assert(!unit_exists(old));
    ck_assert_msg(unit_exists(young), "somebody may be writing it");
    ck_assert_msg(unit_exists(kept), "pictures are kept for good");
}
END_TEST

/* httpd's user where the tests run as root, else the user of the tests. */
static uid_t owner(void)
{
    return geteuid() == 0 ? 65534 : geteuid();
}

/* A folder that httpd's user owns, with a folder of root's beside it that no other user may enter.
 */
static const char *folder_of_owner(const char *name)
{
    const char *folder = unit_path(name);
    const char *secret = apr_pstrcat(unit.ctx.pool, folder, "-secret", NULL);
    struct utimbuf long_ago = { time(NULL) - DAY - 60, time(NULL) - DAY - 60 };

    ck_assert_int_eq(chmod(unit_folder, 0755), 0);
    ck_assert_int_eq(mkdir(folder, 0755), 0);
    ck_assert_int_eq(mkdir(secret, 0700), 0);
    ck_assert_int_eq(chown(folder, owner(), (gid_t)-1), 0);
    unit_write(apr_pstrcat(unit.ctx.pool, secret, "/old", NULL), "x", 1);
    ck_assert_int_eq(utime(apr_pstrcat(unit.ctx.pool, secret, "/old", NULL), &long_ago), 0);
    unit.conf.store_folder = folder;
    return secret;
}

static void check_untouched(const char *secret)
{
    struct stat info;

    ck_assert_int_eq(stat(secret, &info), 0);
    ck_assert_msg(info.st_uid == geteuid(), "it was given away");
    ck_assert_int_eq(info.st_mode & 0777, 0700);
    ck_assert_msg(unit_exists(apr_pstrcat(unit.ctx.pool, secret, "/old", NULL)), "it was swept");
    ck_assert(!unit_exists(apr_pstrcat(unit.ctx.pool, secret, "/" GF_STORE_SPOOL, NULL)));
}

START_TEST(a_link_in_place_of_the_spool_is_not_followed)
{
    const char *secret = folder_of_owner("linked-spool");
    const char *spool = unit_path("linked-spool/" GF_STORE_SPOOL);

    ck_assert_int_eq(symlink(secret, spool), 0);
    ck_assert(strstr(gf_store_prepare(&unit.conf, unit.ctx.pool, owner(), getegid()),
                     "GenflowStoreFolder"));
    gf_store_sweep(&unit.conf, unit.ctx.pool);
    check_untouched(secret);
}
END_TEST

START_TEST(a_link_in_a_folder_of_httpds_user_is_not_followed_by_root)
{
    const char *secret = folder_of_owner("linked-folder");

    if (geteuid() != 0) {
        return; /* only root has what another user has not */
    }
    unit.conf.store_folder = unit_path("linked-folder/pictures");
    ck_assert_int_eq(symlink(secret, unit.conf.store_folder), 0);
    ck_assert(gf_store_prepare(&unit.conf, unit.ctx.pool, owner(), getegid()));
    check_untouched(secret);
    unit.conf.store_folder = unit_path("linked-folder/pictures/below");
    ck_assert(gf_store_prepare(&unit.conf, unit.ctx.pool, owner(), getegid()));
    check_untouched(secret);
}
END_TEST

START_TEST(what_exists_is_not_given_to_httpds_user)
{
    const char *secret = folder_of_owner("owned");

    if (geteuid() != 0) {
        return;
    }
    unit.conf.store_folder = secret;
    ck_assert(strstr(gf_store_prepare(&unit.conf, unit.ctx.pool, owner(), getegid()), "chown"));
    check_untouched(secret);
}
END_TEST

START_TEST(root_makes_the_folder_for_httpds_user_and_the_spool_is_his_alone)
{
    struct stat info;

    ck_assert_int_eq(chmod(unit_folder, 0755), 0);
    ck_assert_int_eq(mkdir(unit_path("made"), 0755), 0);
    ck_assert_int_eq(symlink(unit_path("made"), unit_path("link-of-root")), 0);
    unit.conf.store_folder = unit_path("link-of-root/a/store");
    ck_assert_pstr_eq(gf_store_prepare(&unit.conf, unit.ctx.pool, owner(), getegid()), NULL);
    ck_assert_int_eq(stat(unit_path("made/a"), &info), 0);
    ck_assert_msg(info.st_uid == geteuid(), "more was given away than the folder itself");
    ck_assert_int_eq(stat(unit_path("made/a/store"), &info), 0);
    ck_assert_int_eq(info.st_uid, owner());
    ck_assert_int_eq(stat(unit_path("made/a/store/" GF_STORE_SPOOL), &info), 0);
    ck_assert_int_eq(info.st_uid, owner());
    ck_assert_int_eq(info.st_mode & 0777, 0700);
    ck_assert_pstr_eq(gf_store_prepare(&unit.conf, unit.ctx.pool, owner(), getegid()), NULL);
}
END_TEST

START_TEST(a_spool_that_others_could_read_is_closed)
{
    struct stat info;

    folder_of_owner("open");
    ck_assert_int_eq(mkdir(unit_path("open/" GF_STORE_SPOOL), 0755), 0);
    ck_assert_int_eq(chown(unit_path("open/" GF_STORE_SPOOL), owner(), (gid_t)-1), 0);
    ck_assert_pstr_eq(gf_store_prepare(&unit.conf, unit.ctx.pool, owner(), getegid()), NULL);
    ck_assert_int_eq(stat(unit_path("open/" GF_STORE_SPOOL), &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0700);
}
END_TEST

#define LARGE_BYTES 1000000

/* Of --store FOLDER EPOCH STOP, for t/power/run.pl. */
static const char *const *power_args;

/* An attempt stores a picture in that folder. The process stops before the call of that number, and
 * once the picture is stored. */
START_TEST(a_picture_is_stored_until_the_power_is_cut)
{
    static unsigned char bytes[UNIT_PNG_BYTES + 12 + LARGE_BYTES + 12];
    unsigned char *chunk = bytes + UNIT_PNG_BYTES;
    const unsigned char head[] = { LARGE_BYTES >> 24 & 255,
                                   LARGE_BYTES >> 16 & 255,
                                   LARGE_BYTES >> 8 & 255,
                                   LARGE_BYTES & 255,
                                   'I',
                                   'D',
                                   'A',
                                   'T' };
    static const unsigned char end[] = { 0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82 };
    gf_stored_t stored;
    int i;

    unit.conf.store_folder = power_args[0];
    unit.conf.store_url = "/generated";
    unit.conf.pixels_max = PIXELS;
    job.epoch = atoi(power_args[1]);
    unit_png(bytes, 500, 500);
    memcpy(chunk, head, sizeof(head));
    for (i = 0; i < LARGE_BYTES; i++) {
        chunk[sizeof(head) + (size_t)i] = (unsigned char)(i % 251);
    }
    memcpy(bytes + sizeof(bytes) - sizeof(end), end, sizeof(end));
    ck_assert_pstr_eq(gf_store_prepare(&unit.conf, unit.ctx.pool, geteuid(), getegid()), NULL);
    spooled(bytes, sizeof(bytes));
    disk_stop = atoi(power_args[2]);
    unit_no_error(
        gf_store_put(&stored, &unit.ctx, &job, gf_store_spool(&unit.conf, &job, unit.ctx.pool)));
    printf("stored %s\n", stored.sha256);
    fflush(stdout);
    raise(SIGSTOP);
}
END_TEST

int main(int argc, const char *const *argv)
{
    const TTest *const tests[] = {
        a_picture_is_stored_under_the_name_of_its_job,
        bytes_behind_a_picture_are_not_stored,
        a_source_picture_has_a_bound_of_its_own,
        the_extension_is_what_the_bytes_say,
        the_facts_are_written_as_json,
        a_second_picture_leaves_the_first_and_returns_its_facts,
        a_store_says_whether_the_name_was_taken,
        a_picture_is_flushed_once_where_that_flushes_its_name_and_else_with_its_folder,
        a_picture_whose_bytes_the_disk_refuses_gets_no_name,
        a_part_of_a_picture_under_its_name_is_not_taken_for_it,
        a_picture_that_cannot_be_stored_is_refused_and_leaves_nothing,
        as_many_pixels_as_allowed_are_stored,
        a_store_that_does_not_work_is_the_operators,
        a_stored_picture_is_found_again,
        an_address_names_the_file_of_its_own_job_and_no_other,
        a_picture_with_a_secret_has_a_name_that_the_id_does_not_reveal,
        whatever_is_there_of_a_picture_is_removed,
        a_thumbnail_comes_and_goes_with_its_picture,
        a_thumbnail_is_not_linked_beside_a_picture_that_is_being_removed,
        a_thumbnail_alone_is_removed_and_every_type_with_it,
        a_spool_without_room_for_the_largest_picture_closes_the_store,
        a_store_that_fails_uploads_is_given_a_rest,
        a_store_makes_its_folders_or_says_why_not,
        what_lay_in_the_spool_for_long_is_swept,
        a_link_in_place_of_the_spool_is_not_followed,
        a_link_in_a_folder_of_httpds_user_is_not_followed_by_root,
        what_exists_is_not_given_to_httpds_user,
        root_makes_the_folder_for_httpds_user_and_the_spool_is_his_alone,
        a_spool_that_others_could_read_is_closed,
        NULL,
    };

    const TTest *const power[] = { a_picture_is_stored_until_the_power_is_cut, NULL };

    if (argc == 5 && strcmp(argv[1], "--store") == 0) {
        power_args = argv + 2;
        setenv("CK_FORK", "no", 1); /* it is this process that stops */
        return unit_run("fs", power);
    }
    return unit_run("fs", tests);
}
