/* SPDX-License-Identifier: Apache-2.0 */
/* The picture of a run on its way into the store, for generations and restores alike: checking it,
 * putting it into the folder or uploading it, and what the rules need to know of that. A generation
 * is never repeated because storing failed. The part for writers blocks on the disk. */
#ifndef WORK_RESULT_H
#define WORK_RESULT_H

#include "work/run.h"

/* ---- writer threads ---- */

/* Writes `length` bytes into a new file. */
gf_err_t *gf_result_write(gf_ctx_t *ctx, const char *path, const void *bytes, apr_size_t length);

/* Decodes a picture that came as text, checks it and, with the folder store, stores it: then
 * run->result.image_url is set. Repeating it does what is left. Errors: as of gf_store_put(); the
 * facts of a picture that could be read are set even then. */
gf_err_t *gf_result_check(gf_run_t *run, gf_ctx_t *ctx);

/* Gives the checked picture the name in the spool under which another process finds it should this
 * one die during the upload. */
gf_err_t *gf_result_make_ready(gf_run_t *run, gf_ctx_t *ctx);

/* Finds the picture of an earlier run in the folder (then image_url is set, too) or in the spool;
 * without one nothing changes. */
void gf_result_find(gf_run_t *run, gf_ctx_t *ctx);

/* A temporary address: the provider's, or of a copy in the folder. */
gf_err_t *gf_result_store_temporarily(gf_run_t *run, gf_ctx_t *ctx);

/* The picture is stored permanently and settled (run->settled): wants its thumbnail. With a store
 * over HTTP that takes the file from the spool. */
void gf_result_want_thumbnail(gf_run_t *run, gf_ctx_t *ctx);

/* Removes the stored picture from the folder, if it is there: its generation is gone. */
void gf_result_discard(const gf_run_t *run, gf_ctx_t *ctx);

/* Was the picture brought to a generation that had ended otherwise, or was deleted? */
bool gf_result_came_late(const gf_run_t *run);

/* ---- dispatcher thread: duties and rules ---- */

/* STORE: the upload to a store over HTTP; and its answer, into run->result.store, which the gate of
 * the store notes, too. */
gf_msg_t *gf_result_upload(gf_flow_t *flow, gf_run_t *run);
void gf_result_read_upload(gf_flow_t *flow, gf_run_t *run, apr_pool_t *pool);

/* STORE_WAIT: doubles with each upload, or longer if the store wants it. */
apr_interval_time_t gf_result_upload_wait(const gf_flow_t *flow, const gf_run_t *run);

/* Before the next attempt of a restore or move that has had so many: 1 s, and ever longer up to an
 * hour. */
apr_interval_time_t gf_result_retry_wait(int tries);

/* Guards: the last upload was STORED; it was LATER and one of 3 uploads is left; there is a checked
 * picture. */
bool gf_result_is_stored(const gf_flow_t *flow, const gf_run_t *run);
bool gf_result_may_upload_again(const gf_flow_t *flow, const gf_run_t *run);
bool gf_result_is_checked(const gf_flow_t *flow, const gf_run_t *run);

/* Logs why the settle statement changed nothing. */
void gf_result_log_refusal(gf_flow_t *flow, const gf_run_t *run);

/* Copies the address at the store to run->result.image_url. */
void gf_result_take_url(gf_flow_t *flow, gf_run_t *run);

#endif
