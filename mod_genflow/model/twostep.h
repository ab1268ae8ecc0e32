/* SPDX-License-Identifier: Apache-2.0 */
/* What only the two-step calls take: pictures of products and of who presents them, the words of a
 * client in place of a prompt, the model that is to begin. No I/O; any thread. */
#ifndef GF_ORDER_H
#define GF_ORDER_H

#include "model/form.h"
#include "model/param.h"

/* Checks those fields of a two-step body, type included. The first picture of a product is the
 * source picture of a type that takes one. Bad ones are noted in `form`. */
void gf_order_check(gf_form_t *form, gf_ask_t *ask, gf_wish_t *wish);

/* Adds to the parameters of a good body what is to be kept of those fields, and what is usual where
 * the client left it open. */
gf_err_t *gf_order_fill(const gf_form_t *form, gf_json_t *parameters);

#endif
