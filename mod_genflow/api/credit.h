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

/* The words of `disposition`: commit, then refund. Both do the same (api/credit.c). */
extern const gf_prompt_word_t api_credit_dispositions[];

/* Makes the reservation, and replies. Errors: those of gf_ledger_reserve(). */
gf_err_t *api_credit_reserve_answer(gf_req_t *req, gf_reservation_t *reservation);

/* Finalizes the reservation `request_id`, and writes the reply but for its end. Errors: those of
 * gf_ledger_finalize(). */
gf_err_t *api_credit_finalize_begin(gf_out_t *out, gf_finalized_t *finalized, gf_req_t *req,
                                    const char *request_id, const gf_prompt_word_t *disposition);

#endif
