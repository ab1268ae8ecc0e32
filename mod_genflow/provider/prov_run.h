/* SPDX-License-Identifier: Apache-2.0 */
/* Runs that take their time: what one says while it works, and how a lost one is found in the
 * provider's list by what we sent. Pure; what is returned lives in the call's pool. */
#ifndef PROV_RUN_H
#define PROV_RUN_H

#include "base/gf_json.h"
#include "provider/gf_provider.h"

/* ---- asking for a run ---- */

/* A question without answer says nothing about the run, which is WORKING still. True: that is all
 * there is to read. An answer that is too large would be so again: EMPTY. */
bool prov_run_unasked(gf_outcome_t *outcome, const gf_msg_t *msg);

/* The same for an answer that is about our question, not about the run. */
void prov_run_stays(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg);

/* Sets logs (the last lines) and progress (of a progress bar's `45%|`) from what a run printed. */
void prov_run_said(gf_outcome_t *outcome, const gf_prov_call_t *call, const char *text);

/* ---- after a lost answer ---- */

/* Sets UNKNOWN, which every answer of a list is until it tells more. True: this one does not. */
bool prov_run_unlisted(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg);

/* A moment before which the job's runs cannot have begun, in ISO 8601. */
const char *prov_run_since(const gf_prov_call_t *call);

/* How a provider lists its runs: names of the members of a row, and whether a row can be the run we
 * look for at all. That takes its model, and that it did not end as if it had never been: such a
 * one is of an earlier attempt. */
typedef struct prov_run_list_t {
    const char *id, *sent, *input;
    bool (*counts)(const gf_prov_call_t *call, const gf_json_t *row);
} prov_run_list_t;

typedef enum {
    PROV_RUN_FOUND,  /* outcome is WORKING with its id */
    PROV_RUN_ABSENT, /* all rows are others' */
    PROV_RUN_UNSEEN  /* a row does not show its input, or we sent no seed: it cannot be told */
} prov_run_found_t;

/* The oldest row with our seed and prompt. */
prov_run_found_t prov_run_find(gf_outcome_t *outcome, const gf_prov_call_t *call,
                               const gf_json_t *rows, const prov_run_list_t *list);

#endif
