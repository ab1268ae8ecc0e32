/* SPDX-License-Identifier: Apache-2.0 */
/* Prepares the folder of pictures at start, and removes old files from its spool. httpd starts as
 * root, and httpd's user owns the folder: root follows no link of another user, creates only
 * missing parts, and changes nothing that exists. A process of httpd's user does everything inside
 * of the folder. store/store.c writes the files there. */
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#define SPOOL_MAX_AGE (24 * 3600) /* seconds */
#define FOLDER_MODE   0755
#define SPOOL_MODE    0700 /* pictures on their way are for httpd's user alone */
#define LINKS_MAX     16
#define FOLDER        (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* ---- as httpd's user ---- */

/* Opens the spool, made if it is missing, below the open folder. 0, or the errno. */
static int spool_open(int *spool, int folder)
{
    struct stat info;
    int error = 0;

    if (mkdirat(folder, GF_STORE_SPOOL, SPOOL_MODE) < 0 && errno != EEXIST) {
        return errno;
    }
    *spool = openat(folder, GF_STORE_SPOOL, FOLDER);
    if (*spool < 0) {
        return errno;
    }
    if (fstat(*spool, &info) < 0) {
        error = errno;
    }
    else if (info.st_uid != geteuid()) {
        error = EPERM;
    }
    else if ((info.st_mode & 0777) != SPOOL_MODE && fchmod(*spool, SPOOL_MODE) < 0) {
        error = errno;
    }
    if (error) {
        close(*spool);
    }
    return error;
}

/* Closes the spool. */
static void sweep_files(int spool)
{
    time_t long_ago = time(NULL) - SPOOL_MAX_AGE;
    struct dirent *entry;
    DIR *dir = fdopendir(spool);

    if (!dir) {
        close(spool);
        return;
    }
    while ((entry = readdir(dir))) {
        struct stat info;

        if (fstatat(spool, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode)
            && info.st_mtime < long_ago) {
            unlinkat(spool, entry->d_name, 0);
        }
    }
    closedir(dir);
}

/* The folder itself may be a link here: httpd's user followed it, who may do so. 0, or the errno.
 */
static int prepare_inside(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int spool = -1;
    int error;

    if (folder < 0) {
        return errno;
    }
    error = spool_open(&spool, folder);
    if (!error) {
        sweep_files(spool);
        error = faccessat(folder, ".", W_OK | X_OK, 0) < 0 ? errno : 0;
    }
    close(folder);
    return error;
}

void gf_store_sweep(const gf_conf_t *conf, apr_pool_t *pool)
{
    int folder = open(conf->store_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int spool = folder < 0 ? -1 : openat(folder, GF_STORE_SPOOL, FOLDER);

    (void)pool;
    if (folder >= 0) {
        close(folder);
    }
    if (spool >= 0) {
        sweep_files(spool);
    }
}

/* ---- as root ---- */

/* Is root the only user that may change the entries of this folder? */
static bool is_roots_alone(int folder)
{
    struct stat info;

    return fstat(folder, &info) == 0 && info.st_uid == 0
           && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Makes the folder `name` in `parent`, which is root's alone, and opens it. */
static int make_folder(int *made, int parent, const char *name)
{
    if (mkdirat(parent, name, FOLDER_MODE) < 0 && errno != EEXIST) {
        return errno;
    }
    *made = openat(parent, name, FOLDER);
    return *made < 0 ? errno : 0;
}

/* The target of a link in `parent`, with the rest of the path; NULL: it is not to be followed. */
static const char *follow_link(int parent, const char *name, const char *rest, apr_pool_t *pool)
{
    char *target = apr_palloc(pool, APR_PATH_MAX);
    ssize_t length = is_roots_alone(parent) ? readlinkat(parent, name, target, APR_PATH_MAX) : -1;

    if (length <= 0 || length >= APR_PATH_MAX) {
        return NULL;
    }
    target[length] = '\0';
    return apr_pstrcat(pool, target, "/", rest, NULL);
}

/* Walks down to the folder, one name at a time, from `at`, which it closes. Makes missing folders
 * where only root may change anything, and gives the last one to httpd's user. Follows a link only
 * if root alone can have put it there. 0, or the errno: ENOENT leaves making it to httpd's user. */
static int walk_path(int at, const char *path, apr_uid_t user, apr_gid_t group, apr_pool_t *pool)
{
    int links = 0;
    int error = 0;
    bool made = false;

    while (!error && *(path += strspn(path, "/"))) {
        apr_size_t length = strcspn(path, "/");
        const char *name = apr_pstrmemdup(pool, path, length);
        int next = openat(at, name, FOLDER);

        path += length;
        made = false;
        error = next < 0 ? errno : 0;
        if (error == ENOENT && is_roots_alone(at)) {
            error = make_folder(&next, at, name);
            made = !error;
        }
        else if (error == ENOTDIR || error == ELOOP) {
            path = follow_link(at, name, path, pool);
            error = !path || ++links > LINKS_MAX ? ELOOP : 0;
            next = error ? -1 : *path == '/' ? open("/", FOLDER) : dup(at);
        }
        close(at);
        at = next;
    }
    if (made && !error && fchown(at, user, group) < 0) {
        error = errno;
    }
    if (at >= 0) {
        close(at);
    }
    return error;
}

/* In a process of its own, which becomes httpd's user for good. */
static int prepare_as(const char *path, apr_uid_t user, apr_gid_t group, apr_pool_t *pool)
{
    pid_t child = fork();
    int status = 0;

    if (child < 0) {
        return errno;
    }
    if (child == 0) {
        const struct passwd *entry = getpwuid(user);

        if ((entry ? initgroups(entry->pw_name, group) : setgroups(0, NULL)) < 0
            || setgid(group) < 0 || setuid(user) < 0) {
            _exit(EPERM);
        }
        status = apr_dir_make_recursive(path, APR_FPROT_OS_DEFAULT, pool);
        _exit(status ? status : prepare_inside(path));
    }
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

const char *gf_store_prepare(const gf_conf_t *conf, apr_pool_t *pool, apr_uid_t user,
                             apr_gid_t group)
{
    const char *path = conf->store_folder;
    apr_status_t error;
    char why[120];

    if (geteuid() == 0 && user != 0) {
        error = walk_path(open("/", FOLDER), path, user, group, pool);
        if (error == 0 || error == ENOENT) {
            error = prepare_as(path, user, group, pool);
        }
    }
    else {
        error = apr_dir_make_recursive(path, APR_FPROT_OS_DEFAULT, pool);
        error = error ? error : prepare_inside(path);
    }
    return error == 0 ? NULL
                      : apr_psprintf(
                          pool,
                          "GenflowStoreFolder %s: cannot be made ready: %s. It, and " GF_STORE_SPOOL
                          " in it, must be folders that httpd's user owns, and no links in "
                          "folders that others may write: chown them to httpd's user",
                          path, apr_strerror(error, why, sizeof(why)));
}
