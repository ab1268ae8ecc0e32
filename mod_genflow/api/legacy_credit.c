/* SPDX-License-Identifier: Apache-2.0 */
/* POST credits-reserve, credits-finalize as older clients send them. They reserve without saying
 * for which generation: their next one uses the oldest such reservation
 * (sql/functions/reserve.sql). Leaves all rules to the database. */
#include "api/credit.h"
#include "api/legacy.h"

#include <string.h>

#include "base/hash.h"

static const gf_input_field_t reserve_fields[] = {
    API_CREDIT_REQUEST_ID(gf_reservation_t, false),
    API_CREDIT_AMOUNT(gf_reservation_t, "amount", "cost"), API_CREDIT_ACTION(gf_reservation_t),
    API_CREDIT_USER_ID, GF_INPUT_END
};

gf_err_t *api_legacy_credit_reserve(gf_req_t *req)
{
    gf_reservation_t reservation = { .amount = API_CREDIT_USUAL, .unbound = true };
    gf_json_t *body;
    gf_err_t *err;

    GF_TRY(api_body_fields(&body, req, reserve_fields, &reservation));
    if (!reservation.request_id) {
        reservation.request_id = gf_hash_random(req->r->pool, 16);
    }
    err = api_credit_reserve_answer(req, &reservation);
    if (gf_err_is(err, GF_E_NO_CREDIT)) {
        err->row = gf_err_row(GF_E_NO_CREDIT_OLD);
    }
    return err;
}

typedef struct finalize_t {
    const char *request_id;
    const gf_prompt_word_t *disposition;
    bool success;
    bool is_given; /* `success` */
} finalize_t;

static void rule_success(gf_input_t *input, void *record)
{
    static const char *const names[] = { "success", NULL };
    finalize_t *request = record;

    request->is_given = gf_input_member(input, names) != NULL;
}

static void rule_disposition(gf_input_t *input, void *record)
{
    finalize_t *request = record;

    if (!request->disposition && request->is_given) {
        request->disposition = &api_credit_dispositions[request->success ? 0 : 1];
    }
    if (!request->disposition && !gf_input_refused(input, "success")) {
        gf_input_missing(input, "disposition", "is required: commit, refund, or success");
    }
}

static const gf_input_field_t finalize_fields[] = { API_CREDIT_REQUEST_ID(finalize_t, true),
                                                    { .names = { "success" },
                                                      .kind = GF_INPUT_BOOL,
                                                      .offset = offsetof(finalize_t, success),
                                                      .rule = rule_success },
                                                    { .names = { "disposition" },
                                                      .kind = GF_INPUT_WORD,
                                                      .words = api_credit_dispositions,
                                                      .offset = offsetof(finalize_t, disposition),
                                                      .rule = rule_disposition },
                                                    API_CREDIT_USER_ID,
                                                    GF_INPUT_END };

/* Did the generation that used it end without a picture? */
static bool is_in_vain(const gf_finalized_t *finalized)
{
    const char *status = finalized->status ? finalized->status : "";

    return strcmp(status, "failed") == 0 || strcmp(status, "cancelled") == 0;
}

/* What became of the credits, for people. */
static const char *outcome_of(const gf_finalized_t *finalized)
{
    if (!finalized->generation) {
        return "No generation used this reservation; its credits were given back";
    }
    if (is_in_vain(finalized)) {
        return "The picture could not be made; nothing was charged";
    }
    return finalized->charged > 0 ? "The credits were charged for the picture"
                                  : "The credits are held until the picture is ready";
}

/* A client can neither charge nor refund; refundAmount says what is not charged at the end. */
gf_err_t *api_legacy_credit_finalize(gf_req_t *req)
{
    finalize_t request = { .request_id = NULL };
    gf_finalized_t finalized;
    gf_json_t *body;
    gf_out_t out;

    GF_TRY(api_body_fields(&body, req, finalize_fields, &request));
    GF_TRY(
        api_credit_finalize_begin(&out, &finalized, req, request.request_id, request.disposition));
    gf_out_put_string(&out, "message", outcome_of(&finalized));
    if (!finalized.generation || is_in_vain(&finalized)) {
        gf_out_put_int(&out, "refundAmount", finalized.amount);
    }
    gf_out_put_int(&out, "newBalance", finalized.available);
    gf_out_put_int(&out, "newCredits", finalized.available);
    return gf_reply_send(req, &out, HTTP_OK);
}
