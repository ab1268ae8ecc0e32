/* SPDX-License-Identifier: Apache-2.0 */
/* model/type.c: types are found under both spellings, presets by key and by being on, chains are
 * resolved or refused. */
#include "model/type.h"

#include "unit.h"

static gf_provider_t stability = { .name = "stability" };
static gf_provider_t local = { .name = "local" };
static gf_type_t neo_glitch = { .name = "neo-glitch", .prefix = "neo_glitch" };
static gf_type_t sketch = { .name = "sketch", .prefix = "sketch" };

static void configure(void)
{
    gf_conf_t *conf = &unit.conf;

    conf->types = apr_hash_make(unit.ctx.pool);
    apr_hash_set(conf->types, neo_glitch.name, APR_HASH_KEY_STRING, &neo_glitch);
    apr_hash_set(conf->types, sketch.name, APR_HASH_KEY_STRING, &sketch);
    conf->providers = apr_hash_make(unit.ctx.pool);
    apr_hash_set(conf->providers, stability.name, APR_HASH_KEY_STRING, &stability);
    apr_hash_set(conf->providers, local.name, APR_HASH_KEY_STRING, &local);
}

/* A chain as configured, NULL-ended. */
static void chain_of(const char *const links[])
{
    sketch.chain = NULL;
    sketch.chain_text = apr_array_make(unit.ctx.pool, 3, sizeof(const char *));
    for (; *links; links++) {
        APR_ARRAY_PUSH(sketch.chain_text, const char *) = *links;
    }
}

START_TEST(a_type_is_found_under_both_spellings)
{
    static const struct {
        const char *name;
        const gf_type_t *type;
    } rows[] = {
        { "neo-glitch", &neo_glitch },
        { "neo_glitch", &neo_glitch },
        { "sketch", &sketch },
        { "neo-glitch_", NULL },
        { "neo", NULL },
        { "Neo-Glitch", NULL },
        { "neo--glitch", NULL },
        { "", NULL },
        { "_", NULL },
    };
    size_t i;

    configure();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        char *name = apr_pstrdup(unit.ctx.pool, rows[i].name);

        ck_assert_msg(gf_type_find(&unit.conf, name, unit.ctx.pool) == rows[i].type, "%s",
                      rows[i].name);
        ck_assert_msg(strcmp(name, rows[i].name) == 0, "the requested name is changed");
    }
}
END_TEST

/* Four presets, the first of which is off. */
static gf_presets_t presets_of(void)
{
    static const gf_preset_t rows[] = {
        { .key = "base", .category = "a", .is_on = false },
        { .key = "neo_tokyo_base", .category = "b", .strength = "0.5", .is_on = true },
        { .key = "night", .category = "a", .is_on = true },
        { .key = "late", .category = "a", .is_on = true },
    };
    gf_presets_t presets = { apr_array_make(unit.ctx.pool, 4, sizeof(gf_preset_t)), 1 };
    size_t i;

    for (i = 0; i < UNIT_COUNT(rows); i++) {
        APR_ARRAY_PUSH(presets.list, gf_preset_t) = rows[i];
    }
    return presets;
}

START_TEST(a_preset_is_found_by_its_whole_key)
{
    gf_presets_t presets = presets_of();

    ck_assert_str_eq(gf_type_preset(&presets, "neo_tokyo_base")->strength, "0.5");
    ck_assert_str_eq(gf_type_preset(&presets, "base")->key, "base");
    ck_assert_ptr_null(gf_type_preset(&presets, "bas"));
    ck_assert_ptr_null(gf_type_preset(&presets, "base "));
    ck_assert_ptr_null(gf_type_preset(&presets, ""));
    presets.list->nelts = 0;
    ck_assert_ptr_null(gf_type_preset(&presets, "base"));
}
END_TEST

START_TEST(one_that_is_on_is_of_the_category_or_the_first)
{
    gf_presets_t presets = presets_of();

    ck_assert_str_eq(gf_type_preset_on(&presets, "a")->key, "night");
    ck_assert_str_eq(gf_type_preset_on(&presets, "b")->key, "neo_tokyo_base");
    ck_assert_str_eq(gf_type_preset_on(&presets, "c")->key, "neo_tokyo_base");
    presets.list->nelts = 1;
    ck_assert_ptr_null(gf_type_preset_on(&presets, "a"));
}
END_TEST

START_TEST(a_chain_is_resolved_in_its_order)
{
    static const char *const links[] = { "stability/sd3.5-large", "stability/a/b", "local", NULL };
    static const struct {
        const gf_provider_t *provider;
        const char *model;
    } rows[] = { { &stability, "sd3.5-large" }, { &stability, "a/b" }, { &local, "" } };
    size_t i;

    configure();
    chain_of(links);
    ck_assert_ptr_null(gf_type_resolve(&sketch, &unit.conf, unit.ctx.pool));
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const gf_choice_t *choice = gf_type_choice(&sketch, (int)i);

        ck_assert_ptr_eq(choice->provider, rows[i].provider);
        ck_assert_str_eq(choice->model, rows[i].model);
    }
    ck_assert_msg(!gf_type_choice(&sketch, 3), "there is nothing behind the end");
}
END_TEST

START_TEST(a_chain_that_cannot_work_is_refused_with_what_to_change)
{
    static const struct {
        const char *links[3];
        const char *words[3];
    } rows[] = {
        { { NULL }, { "sketch", "GenflowTypeProviders", "missing" } },
        { { "nobody/sd3", NULL }, { "sketch", "`nobody/sd3`", "<GenflowProvider nobody>" } },
        { { "local", "nobody", NULL }, { "sketch", "`nobody`", "<GenflowProvider nobody>" } },
        { { "Local", NULL }, { "sketch", "`Local`", "<GenflowProvider Local>" } },
        { { "/sd3", NULL }, { "sketch", "`/sd3`", "no <GenflowProvider" } },
        { { "", NULL }, { "sketch", "``", "no <GenflowProvider" } },
    };
    size_t i, j;

    configure();
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        const char *wrong;

        chain_of(rows[i].links);
        wrong = gf_type_resolve(&sketch, &unit.conf, unit.ctx.pool);
        ck_assert_msg(wrong, "row %lu was taken", (unsigned long)i);
        for (j = 0; j < 3; j++) {
            ck_assert_msg(strstr(wrong, rows[i].words[j]), "no %s in: %s", rows[i].words[j], wrong);
        }
    }
}
END_TEST

START_TEST(a_chain_can_be_resolved_again)
{
    static const char *const first[] = { "stability/sd3", "local", NULL };
    static const char *const second[] = { "local", NULL };

    configure();
    chain_of(first);
    ck_assert_ptr_null(gf_type_resolve(&sketch, &unit.conf, unit.ctx.pool));
    chain_of(second);
    ck_assert_ptr_null(gf_type_resolve(&sketch, &unit.conf, unit.ctx.pool));
    ck_assert_ptr_eq(gf_type_choice(&sketch, 0)->provider, &local);
    ck_assert_ptr_null(gf_type_choice(&sketch, 1));
}
END_TEST

START_TEST(the_link_that_draws_here_is_behind_every_chain)
{
    static const gf_choice_t here = { .provider = &local, .source = GF_SOURCE_MAY };
    const char *links[GF_TYPE_CHAIN_MAX + 2] = { NULL };
    int i;

    configure();
    for (i = 0; i <= GF_TYPE_CHAIN_MAX; i++) {
        links[i] = "stability/sd3";
    }
    chain_of(links);
    ck_assert_msg(strstr(gf_type_resolve(&sketch, &unit.conf, unit.ctx.pool), "more than 32"),
                  "a chain has its end");
    links[GF_TYPE_CHAIN_MAX] = NULL;
    chain_of(links);
    ck_assert_ptr_null(gf_type_resolve(&sketch, &unit.conf, unit.ctx.pool));
    sketch.local = NULL;
    ck_assert_ptr_null(gf_type_choice(&sketch, GF_TYPE_LOCAL));
    sketch.local = &here;
    ck_assert_ptr_eq(gf_type_choice(&sketch, GF_TYPE_LOCAL), &here);
    ck_assert_int_eq(gf_type_next(&sketch, GF_TYPE_LOCAL, NULL), GF_TYPE_LOCAL);
    ck_assert_int_eq(gf_type_next(&sketch, GF_TYPE_LOCAL, "a picture"), GF_TYPE_LOCAL);
    ck_assert_int_eq(gf_type_next(&sketch, GF_TYPE_LOCAL, "two\npictures"), GF_TYPE_LOCAL);
    for (i = 0; i < GF_TYPE_CHAIN_MAX; i++) {
        ck_assert_ptr_eq(gf_type_choice(&sketch, i)->provider, &stability);
    }
    for (; i < 2 * GF_TYPE_LOCAL; i++) {
        ck_assert_msg(i == GF_TYPE_LOCAL || !gf_type_choice(&sketch, i),
                      "no chain reaches it, and nothing follows it: %d", i);
    }
}
END_TEST

START_TEST(an_entry_that_takes_fewer_pictures_than_a_job_has_is_skipped)
{
    static const struct {
        gf_source_use_t use;
        int most;
    } entries[] = {
        { GF_SOURCE_NONE, 9 }, { GF_SOURCE_MAY, 0 }, { GF_SOURCE_MUST, 2 }, { GF_SOURCE_MAY, 3 }
    };
    static const struct {
        const char *source_url;
        int first;
    } rows[] = { { NULL, 0 },   { "a", 1 },       { "a b", 1 },
                 { "a\nb", 2 }, { "a\nb\nc", 3 }, { "a\nb\nc\nd", 4 } };
    size_t i;

    configure();
    sketch.chain = apr_array_make(unit.ctx.pool, 4, sizeof(gf_choice_t));
    for (i = 0; i < UNIT_COUNT(entries); i++) {
        gf_choice_t *choice = apr_array_push(sketch.chain);

        choice->provider = &stability;
        choice->model = "m";
        choice->source = entries[i].use;
        choice->source_max = entries[i].most;
    }
    for (i = 0; i < UNIT_COUNT(rows); i++) {
        ck_assert_int_eq(gf_type_next(&sketch, 0, rows[i].source_url), rows[i].first);
    }
    ck_assert_int_eq(gf_type_source_max(&sketch), 3);
    sketch.chain->nelts = 1;
    ck_assert_int_eq(gf_type_source_max(&sketch), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_type_is_found_under_both_spellings,
        a_preset_is_found_by_its_whole_key,
        one_that_is_on_is_of_the_category_or_the_first,
        a_chain_is_resolved_in_its_order,
        a_chain_that_cannot_work_is_refused_with_what_to_change,
        a_chain_can_be_resolved_again,
        the_link_that_draws_here_is_behind_every_chain,
        an_entry_that_takes_fewer_pictures_than_a_job_has_is_skipped,
        NULL,
    };

    return unit_run("type", tests);
}
