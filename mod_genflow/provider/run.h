/* SPDX-License-Identifier: Apache-2.0 */
/* Runs that take their time: reading their progress, and finding a lost run in the provider's list
 * by its input. Pure; results live in the call's pool. The dispatcher thread. */
#ifndef PROV_RUN_H
#define PROV_RUN_H

#include "base/json.h"
#include "provider/provider.h"
#include "provider/json.h"

/* ---- polling a run ---- */

/* For a poll without a whole answer: the run is still WORKING; returns true. An answer that is too
 * large would be too large again: EMPTY. */
bool prov_run_poll_failed(gf_outcome_t *outcome, const gf_msg_t *msg);

/* For an answer that refuses the poll and has no fact about the run: the run is still WORKING. */
void prov_run_still_working(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg);

/* Sets logs (the last lines) and progress (of a progress bar's `45%|`) from a run's output. */
void prov_run_logs_read(gf_outcome_t *outcome, const gf_prov_call_t *call, const char *text);

/* ---- after a lost answer ---- */

/* What the attempt sends (kind->input), as hashes: {"prompt": "5f2c...", "seed": ...}, 16 hex
 * digits of the SHA-256 of each member. They are recorded before the request leaves, so that a list
 * is compared with what was sent and not with what today's configuration would send. NULL: the kind
 * has no list that shows its input. */
const char *prov_run_hash(const gf_prov_call_t *call);

/* Sets UNKNOWN, the outcome of a list until a row is found. True: this answer has no list. It is
 * `settled` if the provider refused the list. */
bool prov_run_list_failed(gf_outcome_t *outcome, const gf_prov_call_t *call, const gf_msg_t *msg);

/* A time before which the job's runs cannot have begun, in ISO 8601: by the database's clock, with
 * room for the provider's clock. */
const char *prov_run_since(const gf_prov_call_t *call);

/* The value of that member of a request's query; "" if there is none. */
const char *prov_run_query_value(const gf_prov_call_t *call, const gf_msg_t *msg, const char *name);

/* Did a list that was requested from `since` on begin before the job by the provider's own clock,
 * which the Date of its answer shows? NULL: yes, or the request had no such time. Else the time to
 * request it from; "" if the answer has no date. */
const char *prov_run_list_start(const gf_prov_call_t *call, const gf_msg_t *msg, const char *since);

/* Class of a row before its input is compared. */
typedef enum {
    PROV_RUN_OTHERS, /* of another model */
    PROV_RUN_VOID,   /* failed without ever running; if ours, it may be of an earlier attempt */
    PROV_RUN_COUNTS
} prov_run_row_t;

/* How a provider lists its runs: names of the members of a row, and the class of a row. */
typedef struct prov_run_list_t {
    const char *id, *sent, *input;
    prov_run_row_t (*row_of)(const gf_prov_call_t *call, const gf_json_t *row);
    const prov_field_t *(*fields_of)(const char *model); /* the members that make its input */
} prov_run_list_t;

typedef enum {
    PROV_RUN_FOUND,  /* outcome is WORKING with its id */
    PROV_RUN_FAILED, /* outcome is TRANSIENT: the run is void, and there was no earlier attempt */
    PROV_RUN_ABSENT, /* no row is ours */
    PROV_RUN_UNSEEN  /* undecided: a row hides its input, or has our seed and prompt and differs.
                        Without a seed of ours it stays so: outcome is `settled` */
} prov_run_found_t;

/* Finds the oldest row with our input, by job->request_hash. Seed and prompt alone are no proof: a
 * client may choose both, and the picture may be made of another user's source. */
prov_run_found_t prov_run_find(gf_outcome_t *outcome, const gf_prov_call_t *call,
                               const gf_json_t *rows, const prov_run_list_t *list);

#endif
