/* SPDX-License-Identifier: Apache-2.0 */
/* The names under which clients of another API know our types: GenflowModel. Filled while httpd
 * starts, then constant: any thread reads them. */
#ifndef GF_MODEL_H
#define GF_MODEL_H

#include <stdbool.h>

#include "model/section.h"

/* GenflowModel name type [preset=KEY] [link=PROVIDER/MODEL] [output=list|one] */
typedef struct gf_model_t {
    const char *name; /* as clients send it: "gpt-image-1", "owner/name", "owner/name:version" */
    const char *type_name; /* as written */
    const gf_type_t *type; /* never NULL once the configuration is finished */
    const char *preset;    /* of each generation; NULL: none */
    const char *link;      /* the chain entry to begin with; NULL: the first that fits */
    bool is_one;           /* output=one: one address where the other API has a list */
    const char *where;     /* "file:line", for mistakes */
} gf_model_t;

#endif
