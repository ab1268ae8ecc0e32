/* SPDX-License-Identifier: Apache-2.0 */
/* Reservations, as the API and the older wire (api/legacy_credit.c) share them. Request threads
 * only. */
#ifndef API_CREDIT_H
#define API_CREDIT_H

#include "api/api.h"
#include "db/ledger.h"

#define API_CREDIT_USUAL      2 /* credits of a reservation that names no amount */
#define API_CREDIT_MAX        1000000
#define API_CREDIT_ID_MAX     200 /* characters of a request id, as of a run id */
#define API_CREDIT_ACTION_MAX 200

/* Rows of the bodies of both wires, for a record whose members have these names. A body may have a
 * userId: it is not read, the user is the one who signed in. */
#define API_CREDIT_REQUEST_ID(record, is_required)                                                \
    {                                                                                             \
        .names = { "request_id", "requestId" }, .kind = GF_INPUT_TOKEN, .max = API_CREDIT_ID_MAX, \
        .required = (is_required), .offset = offsetof(record, request_id)                         \
    }
#define API_CREDIT_ACTION(record)                                                             \
    {                                                                                         \
        .names = { "action", "intent" }, .kind = GF_INPUT_TEXT, .max = API_CREDIT_ACTION_MAX, \
        .as_sent = true, .offset = offsetof(record, action)                                   \
    }
#define API_CREDIT_USER_ID                            \
    {                                                 \
        .names = { "userId" }, .kind = GF_INPUT_KNOWN \
    }

/* The number of credits. Where a body has both names, the one that this wire read first counts. */
#define API_CREDIT_AMOUNT(record, first, second)                                               \
    {                                                                                          \
        .names = { (first), (second) }, .kind = GF_INPUT_INT, .min = 1, .max = API_CREDIT_MAX, \
        .as_sent = true, .offset = offsetof(record, amount)                                    \
    }

/* The words of `disposition`: commit, then refund. Both do the same (api/credit.c). */
extern const gf_prompt_word_t api_credit_dispositions[];

/* Makes the reservation, and replies. Errors: those of gf_ledger_reserve(). */
gf_err_t *api_credit_reserve_answer(gf_req_t *req, gf_reservation_t *reservation);

/* Finalizes the reservation `request_id`, and writes the reply but for its end. Errors: those of
 * gf_ledger_finalize(). */
gf_err_t *api_credit_finalize_begin(gf_out_t *out, gf_finalized_t *finalized, gf_req_t *req,
                                    const char *request_id, const gf_prompt_word_t *disposition);

/* Replies with a page of the entries of `user`, newest first. */
gf_err_t *api_credit_list_of(gf_req_t *req, const char *user);

/* Writes the user and all fields of a quota but the time into an open object: getQuota and me. */
void api_credit_put_quota(gf_out_t *out, const gf_req_t *req, const gf_quota_t *quota);

#endif
