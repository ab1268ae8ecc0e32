/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts in the site's currency: GenflowProviderCost, GenflowCreditValue. They are whole
 * millionths, so that they add up exactly. No I/O; any thread once the configuration is frozen. */
#ifndef GF_MONEY_H
#define GF_MONEY_H

#include "model/conf.h"

#define GF_MONEY_ONE INT64_C(1000000)         /* 1 of the currency */
#define GF_MONEY_MAX (1000000 * GF_MONEY_ONE) /* of one submission, of one credit */

/* GenflowProviderCost: of a submission to `model`; NULL: to those that have no other. */
typedef struct gf_cost_t {
    const char *model;
    apr_int64_t amount;
} gf_cost_t;

/* Parses `0.04`: digits, up to six of them behind a point, at most GF_MONEY_MAX. False: it is no
 * such amount; *out is then unchanged. */
bool gf_money_read(apr_int64_t *out, const char *text);

/* The amount as `0.04`, in `pool`. */
const char *gf_money_text(apr_int64_t amount, apr_pool_t *pool);

/* Puts `cost` into `costs`, in place of an earlier one of its model. Start-up only. */
void gf_money_set(apr_array_header_t *costs, const gf_cost_t *cost);

/* What a submission to the choice's model costs; 0 for NULL and where nothing is configured. */
apr_int64_t gf_money_cost(const gf_choice_t *choice);

#endif
