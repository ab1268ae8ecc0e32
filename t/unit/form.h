/* SPDX-License-Identifier: Apache-2.0 */
/* A body as model/param.c reads it: for the type and the presets of a test, taken or refused. */
#ifndef FORM_H
#define FORM_H

#include "model/param.h"
#include "unit.h"

static gf_type_t type;
static gf_presets_t presets;

/* The type, with a prompt of 3 to 20 characters and 3 retries. */
static inline void form_type(void)
{
    memset(&type, 0, sizeof(type));
    type.name = "neo-glitch";
    type.retries = 3;
    type.prompt_min = 3;
    type.prompt_max = 20;
}

static inline gf_param_t form_of(const char *body)
{
    gf_param_t form = { .input = { .ctx = &unit.ctx, .body = unit_json(body) },
                        .type = &type,
                        .presets = &presets };

    return form;
}

static inline const gf_field_error_t *field_of(const gf_err_t *err, int i)
{
    return &APR_ARRAY_IDX(err->fields, i, gf_field_error_t);
}

/* What a good body becomes. */
static inline gf_spec_t take(const char *body)
{
    gf_spec_t spec;
    gf_param_t form = form_of(body);
    gf_err_t *err = gf_param_check(&spec, &form);

    ck_assert_msg(!err, "%s: %s %s", body, err ? err->detail : "",
                  err ? field_of(err, 0)->message : "");
    return spec;
}

/* What is wrong with a bad one. */
static inline gf_err_t *refuse(const char *body)
{
    gf_spec_t spec;
    gf_param_t form = form_of(body);
    gf_err_t *err = gf_param_check(&spec, &form);

    ck_assert_msg(err, "this was taken: %s", body);
    return err;
}

#endif
