/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a form that a translator made, to compare with a recorded row. */
#ifndef PARTS_H
#define PARTS_H

#include "base/msg.h"
#include "unit.h"

/* "name=value name=value", in their order; of a file: "name=path:type". */
static inline const char *parts_of(const gf_msg_t *msg)
{
    const char *all = "";
    int i;

    for (i = 0; i < msg->parts->nelts; i++) {
        const gf_msg_part_t *part = &APR_ARRAY_IDX(msg->parts, i, gf_msg_part_t);
        const char *value = part->file
                                ? apr_pstrcat(unit.ctx.pool, part->file, ":", part->type, NULL)
                                : part->text;

        ck_assert(!part->file == !part->type && !part->file != !part->text);
        all = apr_pstrcat(unit.ctx.pool, all, i ? " " : "", part->name, "=", value, NULL);
    }
    return all;
}

#endif
