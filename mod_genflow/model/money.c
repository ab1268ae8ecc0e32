/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes amounts, and finds that of a model. */
#include "model/money.h"

#include <string.h>

#include <apr_strings.h>

#define DECIMALS 6

bool gf_money_read(apr_int64_t *out, const char *text)
{
    apr_int64_t amount = 0;
    int decimals = -1; /* behind the point; -1: there was none yet */
    bool digit = false;

    for (; *text; text++) {
        if (*text == '.' && digit && decimals < 0) {
            decimals = 0;
            digit = false;
            continue;
        }
        if (*text < '0' || *text > '9' || decimals == DECIMALS || amount > GF_MONEY_MAX) {
            return false;
        }
        amount = amount * 10 + (*text - '0');
        digit = true;
        decimals += decimals >= 0;
    }
    if (!digit) {
        return false;
    }
    for (decimals = decimals < 0 ? 0 : decimals; decimals < DECIMALS; decimals++) {
        amount *= 10;
    }
    if (amount > GF_MONEY_MAX) {
        return false;
    }
    *out = amount;
    return true;
}

const char *gf_money_text(apr_int64_t amount, apr_pool_t *pool)
{
    char *text = apr_psprintf(pool, "%" APR_INT64_T_FMT ".%06d", amount / GF_MONEY_ONE,
                              (int)(amount % GF_MONEY_ONE));
    char *end = text + strlen(text);

    while (end[-1] == '0') {
        *--end = '\0';
    }
    if (end[-1] == '.') {
        end[-1] = '\0';
    }
    return text;
}

static bool is_same(const char *one, const char *other)
{
    return one && other ? strcmp(one, other) == 0 : one == other;
}

void gf_money_set(apr_array_header_t *costs, const gf_cost_t *cost)
{
    int i;

    for (i = 0; i < costs->nelts; i++) {
        if (is_same(APR_ARRAY_IDX(costs, i, gf_cost_t).model, cost->model)) {
            APR_ARRAY_IDX(costs, i, gf_cost_t) = *cost;
            return;
        }
    }
    APR_ARRAY_PUSH(costs, gf_cost_t) = *cost;
}

apr_int64_t gf_money_cost(const gf_choice_t *choice)
{
    const apr_array_header_t *costs = choice ? choice->provider->costs : NULL;
    apr_int64_t amount = 0;
    int i;

    for (i = 0; costs && i < costs->nelts; i++) {
        const gf_cost_t *cost = &APR_ARRAY_IDX(costs, i, gf_cost_t);

        if (cost->model && strcmp(cost->model, choice->model) == 0) {
            return cost->amount;
        }
        if (!cost->model) {
            amount = cost->amount;
        }
    }
    return amount;
}
