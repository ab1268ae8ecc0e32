/* SPDX-License-Identifier: Apache-2.0 */
/* Reads members of a body and gathers what is wrong with them. Leaves the rules of each field to
 * model/param.c and model/twostep.c. */
#include "model/form.h"

#include <stdarg.h>
#include <string.h>

#include <apr_strings.h>

void gf_form_begin(gf_form_t *form)
{
    form->errors = apr_array_make(form->ctx->pool, 4, sizeof(gf_field_error_t));
    form->extra = NULL;
    form->strangers = false;
}

gf_err_t *gf_form_end(gf_form_t *form)
{
    gf_err_t *err;

    if (form->errors->nelts == 0) {
        return NULL;
    }
    if (form->two_step && !form->strangers) {
        form->code = GF_E_FIELDS;
    }
    else if (form->two_step || form->errors->nelts > 1) {
        form->code = GF_E_INVALID;
    }
    err = gf_err_make(form->ctx, form->code, APR_SUCCESS, "%d bad fields, the first is %s",
                      form->errors->nelts, APR_ARRAY_IDX(form->errors, 0, gf_field_error_t).field);
    err->fields = form->errors;
    err->extra = form->errors->nelts > 1 ? NULL : form->extra;
    return err;
}

static gf_field_error_t *push(gf_form_t *form, gf_err_code_t code, const char *field)
{
    gf_field_error_t *error = apr_array_push(form->errors);

    form->code = code;
    error->field = field;
    error->missing = false;
    return error;
}

void gf_form_refuse(gf_form_t *form, gf_err_code_t code, const char *field, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    push(form, code, field)->message = apr_pvsprintf(form->ctx->pool, format, args);
    va_end(args);
}

bool gf_form_refused(const gf_form_t *form, const char *field)
{
    int i;

    for (i = 0; i < form->errors->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(form->errors, i, gf_field_error_t).field, field) == 0) {
            return true;
        }
    }
    return false;
}

void gf_form_missing(gf_form_t *form, const char *field)
{
    gf_field_error_t *error = push(form, GF_E_INVALID, field);

    error->message = "is required";
    error->missing = true;
}

static gf_json_t *first_of(const gf_json_t *object, const char *const *names)
{
    gf_json_t *value = NULL;

    while (!value && *names) {
        value = gf_json_get(object, *names++);
    }
    return value;
}

gf_json_t *gf_form_member(const gf_form_t *form, const char *const *names)
{
    gf_json_t *value = first_of(form->body, names);

    return value || !form->template ? value : first_of(form->template, names);
}

bool gf_form_text(gf_form_t *form, const char *const *names, const char **out)
{
    gf_json_t *value = gf_form_member(form, names);

    if (value && !gf_json_string(value, out)) {
        gf_form_refuse(form, GF_E_INVALID, names[0], "must be a text without NUL characters");
        return false;
    }
    return value != NULL;
}

void gf_form_word(gf_form_t *form, const char *name, const gf_prompt_word_t *words,
                  const gf_prompt_word_t **out)
{
    const char *const names[] = { name, NULL };
    const gf_prompt_word_t *found;
    const char *listed = "";
    const char *text;
    int i;

    if (!gf_form_text(form, names, &text)) {
        return;
    }
    found = gf_prompt_word(words, text);
    if (found) {
        *out = found;
        return;
    }
    for (i = 0; words[i].word; i++) {
        listed = apr_pstrcat(form->ctx->pool, listed, i ? ", " : "", words[i].word, NULL);
    }
    gf_form_refuse(form, GF_E_INVALID, name, "must be one of %s", listed);
}

void gf_form_int(gf_form_t *form, const gf_json_t *value, const char *name, apr_int64_t min,
                 apr_int64_t max, apr_int64_t *out)
{
    apr_int64_t number;

    if (!value) {
        return;
    }
    if (!gf_json_int(value, &number) || number < min || number > max) {
        gf_form_refuse(form, GF_E_INVALID, name,
                       "must be a whole number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT, min,
                       max);
        return;
    }
    *out = number;
}
