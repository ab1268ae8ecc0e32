/* SPDX-License-Identifier: Apache-2.0 */
/* Makes exchange descriptions. Leaves performing them to net. */
#include "base/msg.h"

#include "base/text.h"

#define TEXT_MAX_BYTES (256 * 1024)

gf_msg_t *gf_msg_make(apr_pool_t *pool, const char *method, const char *url)
{
    gf_msg_t *msg = apr_pcalloc(pool, sizeof(*msg));

    msg->pool = pool;
    msg->method = method;
    msg->url = url;
    msg->headers = apr_table_make(pool, 8);
    msg->answer = apr_table_make(pool, 1); /* net makes the one of an answer */
    msg->text_max = TEXT_MAX_BYTES;
    msg->text = "";
    msg->spooled = -1;
    return msg;
}

static gf_msg_part_t *add_part(gf_msg_t *msg, const char *name)
{
    gf_msg_part_t *part;

    if (!msg->parts) {
        msg->parts = apr_array_make(msg->pool, 8, sizeof(gf_msg_part_t));
    }
    part = apr_array_push(msg->parts);
    *part = (gf_msg_part_t){ .name = name };
    return part;
}

void gf_msg_part(gf_msg_t *msg, const char *name, const char *text)
{
    if (text) {
        add_part(msg, name)->text = text;
    }
}

void gf_msg_file(gf_msg_t *msg, const char *name, const char *path, const char *type)
{
    gf_msg_part_t *part = add_part(msg, name);

    part->file = path;
    part->type = type;
}

apr_interval_time_t gf_msg_retry_after(const gf_msg_t *msg, int most)
{
    const char *text = apr_table_get(msg->answer, "Retry-After");
    apr_int64_t seconds;

    if (!text || !gf_text_int(&seconds, text) || seconds < 0) {
        return 0;
    }
    return apr_time_from_sec(seconds < most ? seconds : most);
}
