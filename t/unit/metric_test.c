/* SPDX-License-Identifier: Apache-2.0 */
/* base/metric.c and base/metric_text.c: every addition of every process counts, also of one that is
 * killed; the text is what Prometheus and OpenMetrics read. */
#include "base/metric_text.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define EACH 5000

static const char *const types[] = { "a\\b\"c\nd", "plain", NULL };
static const char *const providers[] = { "stability", NULL };
static const char *const routes[] = { "api/x", NULL };

static apr_array_header_t *list(const char *const *words)
{
    apr_array_header_t *out = apr_array_make(unit.ctx.pool, 4, sizeof(const char *));

    for (; *words; words++) {
        APR_ARRAY_PUSH(out, const char *) = *words;
    }
    return out;
}

static gf_metrics_t *make(void **memory)
{
    const gf_metric_names_t names = { .types = list(types),
                                      .providers = list(providers),
                                      .routes = list(routes) };
    gf_metrics_t *metrics = gf_metrics_make(unit.ctx.pool, &names, 3);

    if (!*memory) {
        *memory = mmap(NULL, gf_metrics_bytes(metrics), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(*memory, MAP_FAILED);
    }
    gf_metrics_use(metrics, *memory);
    gf_metrics_child(metrics);
    return metrics;
}

static void append(void *baton, const char *text)
{
    const char **all = baton;

    *all = apr_pstrcat(unit.ctx.pool, *all, text, NULL);
}

static const char *text_of(const gf_metrics_t *metrics, gf_metric_format_t format)
{
    const char *all = "";

    gf_metric_write(append, &all, metrics, format, unit.ctx.pool);
    return all;
}

static void has(const char *text, const char *line)
{
    const char *found = strstr(text, apr_pstrcat(unit.ctx.pool, line, "\n", NULL));

    ck_assert_msg(found && (found == text || found[-1] == '\n'), "no line %s in:\n%s", line, text);
}

static void has_not(const char *text, const char *part)
{
    ck_assert_msg(!strstr(text, part), "%s in:\n%s", part, text);
}

START_TEST(counters_add_up_by_label)
{
    void *memory = NULL;
    gf_metrics_t *metrics = make(&memory);
    const char *text;

    gf_metric_add(metrics, GF_METRIC_HTTP_REQUESTS, 1, "api/x", "GET", "2xx");
    gf_metric_add(metrics, GF_METRIC_HTTP_REQUESTS, 1, "api/x", "GET", "2xx");
    gf_metric_add(metrics, GF_METRIC_HTTP_REQUESTS, 1, "api/unheard-of", "BREW", "9xx");
    gf_metric_add(metrics, GF_METRIC_HTTP_REQUESTS, 1, NULL, NULL, NULL);
    gf_metric_add(metrics, GF_METRIC_SUBMISSIONS, 3, NULL, NULL, NULL);
    text = text_of(metrics, GF_METRIC_PROMETHEUS);
    has(text, "# TYPE genflow_http_requests_total counter");
    has(text, "genflow_http_requests_total{route=\"api/x\",method=\"GET\",code=\"2xx\"} 2");
    has(text, "genflow_http_requests_total{route=\"other\",method=\"other\",code=\"other\"} 2");
    has(text, "genflow_provider_submissions_total{provider=\"none\"} 3");
    has(text, "genflow_provider_submissions_total{provider=\"stability\"} 0");
    has_not(text, "provider=\"other\"");
    has_not(text, "POST");
    has_not(text, "# EOF");
}
END_TEST

START_TEST(buckets_are_cumulative)
{
    void *memory = NULL;
    gf_metrics_t *metrics = make(&memory);
    const char *text;

    gf_metric_observe(metrics, GF_METRIC_DB_TIME, 1000, NULL, NULL);
    gf_metric_observe(metrics, GF_METRIC_DB_TIME, 1001, NULL, NULL);
    gf_metric_observe(metrics, GF_METRIC_DB_TIME, 3600 * APR_USEC_PER_SEC, NULL, NULL);
    gf_metric_observe(metrics, GF_METRIC_DB_TIME, -5, NULL, NULL);
    text = text_of(metrics, GF_METRIC_PROMETHEUS);
    has(text, "# TYPE genflow_database_statement_duration_seconds histogram");
    has(text, "genflow_database_statement_duration_seconds_bucket{le=\"0.001\"} 2");
    has(text, "genflow_database_statement_duration_seconds_bucket{le=\"0.0025\"} 3");
    has(text, "genflow_database_statement_duration_seconds_bucket{le=\"30\"} 3");
    has(text, "genflow_database_statement_duration_seconds_bucket{le=\"+Inf\"} 4");
    has(text, "genflow_database_statement_duration_seconds_sum 3600.002001");
    has(text, "genflow_database_statement_duration_seconds_count 4");
    has(text, "genflow_database_connection_wait_seconds_count 0");
}
END_TEST

START_TEST(values_are_escaped)
{
    void *memory = NULL;
    gf_metrics_t *metrics = make(&memory);

    gf_metric_observe(metrics, GF_METRIC_DURATION, 1, types[0], "failed");
    has(text_of(metrics, GF_METRIC_PROMETHEUS),
        "genflow_generation_duration_seconds_count{type=\"a\\\\b\\\"c\\nd\",outcome=\"failed\"} 1");
    ck_assert_str_eq(gf_metric_escape("say \"a\\b\"\n", false, unit.ctx.pool), "say \"a\\\\b\"\\n");
}
END_TEST

START_TEST(open_metrics_has_its_own_names_and_an_end)
{
    void *memory = NULL;
    gf_metrics_t *metrics = make(&memory);
    const char *text;

    gf_metric_add(metrics, GF_METRIC_LEASES_LOST, 2, NULL, NULL, NULL);
    text = text_of(metrics, GF_METRIC_OPENMETRICS);
    has(text, "# TYPE genflow_leases_lost counter");
    has(text, "genflow_leases_lost_total 2");
    ck_assert_str_eq(text + strlen(text) - 6, "# EOF\n");
    has(text_of(metrics, GF_METRIC_PROMETHEUS), "# TYPE genflow_leases_lost_total counter");
}
END_TEST

START_TEST(the_client_says_which_format)
{
    static const struct {
        const char *accept;
        gf_metric_format_t format;
    } cases[] = {
        { NULL, GF_METRIC_PROMETHEUS },
        { "*/*", GF_METRIC_PROMETHEUS },
        { "text/plain", GF_METRIC_PROMETHEUS },
        { "application/openmetrics-text", GF_METRIC_OPENMETRICS },
        { "application/openmetrics-text; version=1.0.0; q=0.5, text/plain; q=0.7",
          GF_METRIC_PROMETHEUS },
        { "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
          "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
          GF_METRIC_OPENMETRICS },
        { "application/openmetrics-text;version=0.0.1", GF_METRIC_PROMETHEUS },
        { "application/openmetrics-text;q=0", GF_METRIC_PROMETHEUS },
        { ",;,;q=", GF_METRIC_PROMETHEUS },
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_msg(gf_metric_accepted(cases[i].accept, unit.ctx.pool) == cases[i].format, "%s",
                      cases[i].accept);
    }
}
END_TEST

/* A killed process has counted all but what it was just counting. */
START_TEST(a_killed_process_stops_no_other)
{
    void *memory = NULL;
    gf_metrics_t *metrics = make(&memory);
    apr_int64_t before = 0;
    pid_t pid = fork();
    pid_t other;
    int i;

    if (pid == 0) {
        gf_metrics_child(metrics);
        gf_metric_set(metrics, GF_METRIC_IN_FLIGHT, 7);
        for (;;) {
            gf_metric_add(metrics, GF_METRIC_LEASES_LOST, 1, NULL, NULL, NULL);
        }
    }
    while (gf_metric_read(metrics, GF_METRIC_LEASES_LOST, 0) < EACH) {
        apr_sleep(1000);
    }
    ck_assert_int_eq(gf_metric_read(metrics, GF_METRIC_IN_FLIGHT, 0), 7);
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert_int_eq(gf_metric_read(metrics, GF_METRIC_IN_FLIGHT, 0), 0);
    before = gf_metric_read(metrics, GF_METRIC_LEASES_LOST, 0);
    other = fork();
    if (other == 0) {
        gf_metrics_child(metrics);
        for (i = 0; i < EACH; i++) {
            gf_metric_add(metrics, GF_METRIC_LEASES_LOST, 1, NULL, NULL, NULL);
        }
        _exit(0);
    }
    for (i = 0; i < EACH; i++) {
        gf_metric_add(metrics, GF_METRIC_LEASES_LOST, 1, NULL, NULL, NULL);
    }
    ck_assert_int_eq(waitpid(other, NULL, 0), other);
    ck_assert_int_eq(gf_metric_read(metrics, GF_METRIC_LEASES_LOST, 0), before + 2 * EACH);
}
END_TEST

START_TEST(a_restart_goes_on_unless_names_change)
{
    const gf_metric_names_t others = { .types = list(providers),
                                       .providers = list(providers),
                                       .routes = list(routes) };
    void *memory = NULL;
    gf_metrics_t *metrics = make(&memory);
    apr_size_t bytes = gf_metrics_bytes(metrics);
    gf_metrics_t *next;

    gf_metric_add(metrics, GF_METRIC_LEASES_LOST, 3, NULL, NULL, NULL);
    next = make(&memory);
    ck_assert(gf_metrics_fits(next, memory, bytes));
    ck_assert_int_eq(gf_metric_read(next, GF_METRIC_LEASES_LOST, 0), 3);
    next = gf_metrics_make(unit.ctx.pool, &others, 3);
    ck_assert(!gf_metrics_fits(next, memory, bytes));
}
END_TEST

START_TEST(sums_and_parts_are_for_people)
{
    void *memory = NULL;
    gf_metrics_t *metrics = make(&memory);
    const char *mean;

    gf_metric_add(metrics, GF_METRIC_RETRIES, 2, "stability", NULL, NULL);
    gf_metric_add(metrics, GF_METRIC_RETRIES, 5, "who", NULL, NULL);
    ck_assert_str_eq(gf_metric_key(GF_METRIC_RETRIES, unit.ctx.pool), "GenflowProviderRetries");
    ck_assert_str_eq(gf_metric_sum(&mean, metrics, GF_METRIC_RETRIES, unit.ctx.pool), "7");
    ck_assert_ptr_eq(mean, NULL);
    ck_assert_str_eq(gf_metric_parts(metrics, GF_METRIC_RETRIES, 5, unit.ctx.pool),
                     "provider=\"other\" 5, provider=\"stability\" 2");
    ck_assert_str_eq(gf_metric_parts(metrics, GF_METRIC_RETRIES, 1, unit.ctx.pool),
                     "provider=\"other\" 5, ...");
    gf_metric_observe(metrics, GF_METRIC_DB_WAIT, 1000000, NULL, NULL);
    gf_metric_observe(metrics, GF_METRIC_DB_WAIT, 2000000, NULL, NULL);
    ck_assert_str_eq(gf_metric_sum(&mean, metrics, GF_METRIC_DB_WAIT, unit.ctx.pool), "2");
    ck_assert_str_eq(mean, "1.5");
}
END_TEST

START_TEST(without_memory_nothing_is_counted)
{
    gf_metric_add(NULL, GF_METRIC_LEASES_LOST, 1, NULL, NULL, NULL);
    gf_metric_set(NULL, GF_METRIC_IN_FLIGHT, 1);
    gf_metric_observe(NULL, GF_METRIC_DB_WAIT, 1, NULL, NULL);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        counters_add_up_by_label,
        buckets_are_cumulative,
        values_are_escaped,
        open_metrics_has_its_own_names_and_an_end,
        the_client_says_which_format,
        a_killed_process_stops_no_other,
        a_restart_goes_on_unless_names_change,
        sums_and_parts_are_for_people,
        without_memory_nothing_is_counted,
        NULL,
    };

    return unit_run("metric", tests);
}
