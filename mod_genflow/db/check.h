/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the database with the statements of this module. It blocks; any thread with its own
 * context. */
#ifndef GF_CHECK_H
#define GF_CHECK_H

#include "db/db.h"

/* *missing: each function, parameter or column of gf_statements that the database does not have,
 * for all configured types, as "claim: p_again, start: neo_glitch_start()"; NULL: nothing is
 * missing. Reads only the catalogs, so it works with functions of any version. */
gf_err_t *gf_check_missing(const char **missing, gf_ctx_t *ctx);

#endif
