/* SPDX-License-Identifier: Apache-2.0 */
/* Runs that take their time: what one says while it works, and how a lost one is found in the
 * provider's list by what we sent. Pure; what is returned lives in the call's pool. */
#ifndef PROV_RUN_H
#define PROV_RUN_H

#include "base/json.h"
#include "provider/provider.h"
#include "provider/json.h"

/* ---- asking for a run ---- */

/* A question without answer says nothing about the run, which is WORKING still. True: that is all
 * there is to read. An answer that is too large would be so again: EMPTY. */
bool prov_run_poll_failed(gf_outcome_t *outcome, const gf_msg_t *msg);

/* The same for an answer that is about our question, not about the run. */
void prov_run_still_working(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg);

/* Sets logs (the last lines) and progress (of a progress bar's `45%|`) from what a run printed. */
void prov_run_logs_read(gf_outcome_t *outcome, const gf_prov_call_t *call, const char *text);

/* ---- after a lost answer ---- */

/* What the attempt sends (kind->input), as hashes: {"prompt": "5f2c...", "seed": ...}, 16 hex
 * digits of the SHA-256 of each member. They are recorded before the request leaves, so that a list
 * is compared with what was sent and not with what today's configuration would send. NULL: the kind
 * has no list that shows its input. */
const char *prov_run_hash(const gf_prov_call_t *call);

/* Sets UNKNOWN, which every answer of a list is until it tells more. True: this one does not; it is
 * `settled` if the list was refused to us. */
bool prov_run_list_failed(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg);

/* A moment before which the job's runs cannot have begun, in ISO 8601: by the database's clock,
 * with room for the provider's. */
const char *prov_run_since(const gf_prov_call_t *call);

/* The value of that member of a request's query; "" if there is none. */
const char *prov_run_query_value(const gf_prov_call_t *call, const gf_msg_t *msg, const char *name);

/* Did a list that was asked for from `since` on begin before the job by the provider's own clock,
 * which the Date of its answer shows? NULL: yes, or it was not asked so. Else from when it has to
 * be asked; "" if the answer has no date. */
const char *prov_run_list_start(const gf_prov_call_t *call, const gf_msg_t *msg, const char *since);

/* What a row is before its input is looked at. */
typedef enum {
    PROV_RUN_OTHERS, /* of another model */
    PROV_RUN_VOID,   /* failed as if it had never been; if ours, it may be of an earlier attempt */
    PROV_RUN_COUNTS
} prov_run_row_t;

/* How a provider lists its runs: names of the members of a row, and what a row is. */
typedef struct prov_run_list_t {
    const char *id, *sent, *input;
    prov_run_row_t (*row_of)(const gf_prov_call_t *call, const gf_json_t *row);
    const prov_field_t *(*fields_of)(const char *model); /* what its input was made of */
} prov_run_list_t;

typedef enum {
    PROV_RUN_FOUND,  /* outcome is WORKING with its id */
    PROV_RUN_FAILED, /* outcome is TRANSIENT: it is void, and there was no earlier attempt */
    PROV_RUN_ABSENT, /* all rows are others' */
    PROV_RUN_UNSEEN  /* a row does not show its input, or has our seed and prompt and differs: it
                      * cannot be told; or we sent no seed, and it never can be: outcome is
                      * `settled` */
} prov_run_found_t;

/* The oldest row with our input, by job->request_hash. Seed and prompt alone are no proof: both may
 * be a client's own, and then the picture may be made of somebody else's source. */
prov_run_found_t prov_run_find(gf_outcome_t *outcome, const gf_prov_call_t *call,
                               const gf_json_t *rows, const prov_run_list_t *list);

#endif
