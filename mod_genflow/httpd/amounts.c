/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the database in a process of its own that is httpd's user, whom PostgreSQL may know by name.
 * Leaves the comparison to the database (db/amounts.c). */
#include "httpd/amounts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <http_log.h>
#include <unixd.h>

#include "db/amounts.h"
#include "httpd/check.h"
#include "httpd/glue.h"
#include "model/servers.h"
#include "model/settings.h"

#define MOST 4000 /* bytes of what is said */

/* As a child of httpd would be; false: it cannot. */
static bool become_user(void)
{
    const struct passwd *user = getpwuid(ap_unixd_config.user_id);

    return geteuid() != 0 || ap_unixd_config.user_id == 0 || !user
           || (initgroups(user->pw_name, ap_unixd_config.group_id) == 0
               && setgid(ap_unixd_config.group_id) == 0 && setuid(ap_unixd_config.user_id) == 0);
}

/* The process that asks: its text is '+' and the advice, or '-' and what was wrong. */
static void answer(int out, const char *conninfo, const char *amounts, apr_pool_t *pool)
{
    const char *advice = NULL;
    const char *wrong = become_user() ? gf_amounts_compare(&advice, conninfo, amounts, pool)
                                      : "no right to become httpd's user";
    const char *text = apr_pstrcat(pool, wrong ? "-" : "+", wrong ? wrong : advice, NULL);
    size_t length = strlen(text);

    _exit(write(out, text, length < MOST ? length : MOST) < 0);
}

/* "": it said nothing. */
static const char *read_all(int in, apr_pool_t *pool)
{
    char *text = apr_pcalloc(pool, MOST + 1);
    size_t length = 0;
    ssize_t count;

    do {
        count = read(in, text + length, MOST - length);
        length += count > 0 ? (size_t)count : 0;
    } while (count > 0 || (count < 0 && errno == EINTR));
    return text;
}

static const char *ask(const char *conninfo, const char *amounts, apr_pool_t *pool)
{
    const char *text = "";
    int ends[2];
    pid_t pid;

    if (pipe(ends) < 0) {
        return "-no pipe";
    }
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        answer(ends[1], conninfo, amounts, pool);
    }
    close(ends[1]);
    if (pid > 0) {
        text = read_all(ends[0], pool);
    }
    close(ends[0]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return *text ? text : "-no process";
}

void httpd_amounts_test(const gf_conf_t *conf, server_rec *server, apr_pool_t *pool)
{
    const char *conninfo = httpd_check_argument("DBDParams", pool);
    const char *amounts = gf_settings_all_amounts(conf, pool);
    const char *text;

    if (gf_servers_types(conf)->nelts == 0 || !conninfo) {
        return;
    }
    text = ask(conninfo, amounts, pool);
    if (*text == '+' && text[1]) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                     "GF0702: the database grants other credits than the directives state: run "
                     "%s, or correct GenflowCreditInitial and its siblings. What the database has "
                     "counts",
                     text + 1);
    }
    else if (*text == '-' && strchr(amounts, '=')) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                     "GF0703: the amounts of credits that the directives state cannot be compared "
                     "with the database's, which count: %s. Run httpd -t again when it can be "
                     "reached",
                     text + 1);
    }
}
