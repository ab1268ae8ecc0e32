/* SPDX-License-Identifier: Apache-2.0 */
/* Makes exchange descriptions. Leaves performing them to net. */
#include "base/gf_msg.h"

#define TEXT_MAX_BYTES (256 * 1024)

gf_msg_t *gf_msg_make(apr_pool_t *pool, const char *method, const char *url)
{
    gf_msg_t *msg = apr_pcalloc(pool, sizeof(*msg));

    msg->pool = pool;
    msg->method = method;
    msg->url = url;
    msg->headers = apr_table_make(pool, 8);
    msg->answer = apr_table_make(pool, 16);
    msg->text_max = TEXT_MAX_BYTES;
    msg->text = "";
    msg->spooled = -1;
    return msg;
}

void gf_msg_part(gf_msg_t *msg, const char *name, const char *text)
{
    gf_msg_part_t *part;

    if (!text) {
        return;
    }
    if (!msg->parts) {
        msg->parts = apr_array_make(msg->pool, 8, sizeof(gf_msg_part_t));
    }
    part = apr_array_push(msg->parts);
    part->name = name;
    part->text = text;
    part->file = NULL;
    part->type = NULL;
}
