/* SPDX-License-Identifier: Apache-2.0 */
/* A body that asks for generations, while it is read: where its members are, and what is wrong with
 * them. Every bad field is gathered before anything is refused. No I/O; one thread at a time. */
#ifndef GF_FORM_H
#define GF_FORM_H

#include "base/json.h"
#include "model/prompt.h"
#include "model/type.h"

typedef struct gf_form_t {
    gf_ctx_t *ctx;
    const gf_type_t *type; /* NULL (two-step only): the body's `type` names none */
    const gf_presets_t *presets;
    const gf_json_t *body;
    const gf_json_t *template;  /* fills in what the body leaves open; NULL: nothing does */
    bool two_step;              /* it has the fields of generation/create */
    bool lenient;               /* members that nobody knows are ignored */
    bool strangers;             /* there were such members: it is answered with INVALID */
    apr_array_header_t *errors; /* of gf_field_error_t; made by gf_form_begin() */
    gf_err_code_t code;
    const char *extra; /* of the error with that code */
} gf_form_t;

/* Clears what a reading gathers. */
void gf_form_begin(gf_form_t *form);

/* The end of the reading: NULL, or the error with all bad fields. A two-step body is answered with
 * FIELDS, unless it has members that nobody knows; of another one bad field keeps its own code, and
 * several are INVALID. */
gf_err_t *gf_form_end(gf_form_t *form);

/* Notes that a field is bad: why, for the client; `code` is what it is answered with when it is the
 * only one. */
void gf_form_refuse(gf_form_t *form, gf_err_code_t code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Was that field refused before? */
bool gf_form_refused(const gf_form_t *form, const char *field);

/* Notes that a field is missing. */
void gf_form_missing(gf_form_t *form, const char *field);

/* The first member that is there, of a name and its other spellings (NULL-ended): the body's, else
 * the template's. */
gf_json_t *gf_form_member(const gf_form_t *form, const char *const *names);

/* A text member; false when it is absent or no text (which is refused here). */
bool gf_form_text(gf_form_t *form, const char *const *names, const char **out);

/* One of the words that the API has for it; absent or refused leaves *out alone. */
void gf_form_word(gf_form_t *form, const char *name, const gf_prompt_word_t *words,
                  const gf_prompt_word_t **out);

/* A whole number in bounds; absent (value NULL) or refused leaves *out alone. */
void gf_form_int(gf_form_t *form, const gf_json_t *value, const char *name, apr_int64_t min,
                 apr_int64_t max, apr_int64_t *out);

#endif
