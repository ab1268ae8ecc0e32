/* SPDX-License-Identifier: Apache-2.0 */
/* The injection points (base/inject.h): each act of a run, each of its exchanges and each statement
 * has one before and one after it, and docs/injection-points.md lists them all.
 * `inject_test --page` prints that page. */
#include <stdio.h>
#include <sys/stat.h>

#include "base/inject.h"
#include "db/sql.h"
#include "unit.h"
#include "work/kind.h"

static const char *const page_head =
    "# Injection points\n\n"
    "A build with `configure --enable-injection-points` stops at these places and looks for orders "
    "of a\n"
    "test: die by kill -9, wait until released, fail with an error, go on later. Packages and the "
    "demo\n"
    "are built without them. `t/lib/Genflow/Inject.pm` gives the orders, "
    "`mod_genflow/base/inject.h` says\n"
    "how. Each edge has two points: `generate.store.before` and `generate.store.after`. This page "
    "is\n"
    "printed by `t/unit/inject_test --page`.\n\n"
    "## States of a run\n\n"
    "Before: the run has entered the state. After: its act is done and committed, or its exchange "
    "has\n"
    "ended, and nothing follows from it yet. An exchange can be killed, delayed or made to wait, "
    "which\n"
    "holds up the child's dispatcher; an act can also be made to fail.\n\n"
    "| edge | what it is |\n|---|---|\n";

static const char *const page_statements =
    "\n## Statements\n\n"
    "Before: nothing was sent, and no connection is taken. After: the database has answered, the "
    "caller\n"
    "does not know it. Made to fail before, the statement is not sent; made to fail after, its "
    "answer is\n"
    "lost. The subjects are its parameters and its type.\n\n";

static const char *const page_places =
    "\n## Other places\n\n| edge | before | after |\n|---|---|---|\n";

static const char *lower(const char *text, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, text);
    char *at;

    for (at = copy; *at; at++) {
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    }
    return copy;
}

/* "writer", "exchange", or NULL: nothing is done in that state. */
static const char *performer_of(const gf_duty_t *duty)
{
    return duty->by == GF_BY_WRITER ? "act" : duty->by == GF_BY_NET ? "exchange" : NULL;
}

static const char *states_text(apr_pool_t *pool)
{
    const char *text = "";
    int kind, state;

    for (kind = 0; kind < GF_JOB_KINDS; kind++) {
        const gf_kind_t *of = gf_kind_of((gf_job_kind_t)kind);

        for (state = 0; state < GF_STATES; state++) {
            const char *performer = performer_of(&of->duties[state]);

            if (performer) {
                text = apr_psprintf(pool, "%s| `%s.%s` | %s |\n", text, of->name,
                                    lower(gf_state_name((gf_state_t)state), pool), performer);
            }
        }
    }
    return text;
}

static const char *statements_text(apr_pool_t *pool)
{
    const char *text = "";
    int width = 0;
    int i;

    for (i = 0; i < GF_SQL_COUNT; i++) {
        const char *word =
            apr_psprintf(pool, "`%s`%s", gf_statements[i]->label, i + 1 < GF_SQL_COUNT ? "," : ".");

        if (width + (int)strlen(word) > 100) {
            text = apr_pstrcat(pool, text, "\n", NULL);
            width = 0;
        }
        text = apr_pstrcat(pool, text, width ? " " : "", word, NULL);
        width += (int)strlen(word) + 1;
    }
    return apr_pstrcat(pool, text, "\n", NULL);
}

static const char *page(apr_pool_t *pool)
{
    const char *places = ""
#define PLACE(edge, before, after) "| `" edge "` | " before " | " after " |\n"
        GF_INJECT_PLACES(PLACE)
#undef PLACE
        ;

    return apr_pstrcat(pool, page_head, states_text(pool), page_statements, statements_text(pool),
                       page_places, places, NULL);
}

START_TEST(the_page_lists_every_act_exchange_statement_and_place)
{
    apr_size_t length;
    const char *document = unit_read("docs/injection-points.md", &length);

    ck_assert_ptr_nonnull(document);
    ck_assert_msg(strcmp(document, page(unit.ctx.pool)) == 0,
                  "put the output of t/unit/inject_test --page into docs/injection-points.md");
}
END_TEST

#ifdef GENFLOW_INJECT

static char folder[300];

static void order(const char *name, const char *text)
{
    char *path = apr_psprintf(unit.ctx.pool, "%s/%s", folder, name);

    unit_write(path, text, strlen(text));
}

static void set_up(void)
{
    apr_snprintf(folder, sizeof(folder), "%s/orders-%d", unit_folder, (int)getpid());
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    setenv("GENFLOW_INJECT", folder, 1);
    unit.ctx.subject = "job=j1 type=sketch user=ann: ";
}

START_TEST(a_point_fails_with_the_ordered_error_for_its_subject_alone)
{
    const char *values[] = { NULL, "bob" };

    set_up();
    order("settle.before", "");
    order("settle.before@bob", "fail 0 DB_DOWN\n");
    ck_assert(gf_err_is(gf_inject_at(&unit.ctx, "settle", "before", values, 2), GF_E_DB_DOWN));
    ck_assert_ptr_null(gf_inject_at(&unit.ctx, "settle", "before", values, 1));
    ck_assert_ptr_null(gf_inject_at(&unit.ctx, "settle", "after", values, 2));
    order("settle.before@ann", "fail 0 STORE\n");
    ck_assert(gf_err_is(gf_inject_at(&unit.ctx, "settle", "before", NULL, 0), GF_E_STORE));
}
END_TEST

START_TEST(a_point_counts_its_passes)
{
    set_up();
    order("generate.read_back.after", "");
    order("generate.read_back.after@*", "fail 2 STORE\n");
    ck_assert_ptr_null(gf_inject_state(&unit.ctx, "generate", "READ_BACK", "after"));
    ck_assert_ptr_nonnull(gf_inject_state(&unit.ctx, "generate", "READ_BACK", "after"));
    ck_assert_ptr_null(gf_inject_state(&unit.ctx, "generate", "READ_BACK", "after"));
}
END_TEST

START_TEST(a_folder_in_which_others_may_write_gives_no_orders)
{
    set_up();
    order("settle.before", "");
    order("settle.before@*", "fail 0 DB_DOWN\n");
    ck_assert_int_eq(chmod(folder, 0777), 0);
    ck_assert_ptr_null(gf_inject_at(&unit.ctx, "settle", "before", NULL, 0));
}
END_TEST

#endif

int main(int argc, const char *const *argv)
{
    const TTest *const tests[] = {
        the_page_lists_every_act_exchange_statement_and_place,
#ifdef GENFLOW_INJECT
        a_point_fails_with_the_ordered_error_for_its_subject_alone,
        a_point_counts_its_passes,
        a_folder_in_which_others_may_write_gives_no_orders,
#endif
        NULL,
    };

    if (argc > 1 && strcmp(argv[1], "--page") == 0) {
        apr_pool_t *pool;

        apr_initialize();
        apr_pool_create(&pool, NULL);
        fputs(page(pool), stdout);
        apr_terminate();
        return EXIT_SUCCESS;
    }
    return unit_run("inject", tests);
}
