/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for due jobs, type by type, for pictures that are to be stored again, or removed, and for
 * webhooks that are to be told: one task for a writer at a time, begun and taken in by the
 * dispatcher. */
#ifndef GF_SEARCH_H
#define GF_SEARCH_H

#include "db/queue.h"
#include "db/site.h"
#include "hub/hub.h"
#include "work/reach.h"
#include "work/writers.h"

struct gf_trouble_t;

typedef struct gf_search_t {
    gf_task_t task; /* first: a done task is its search */
    bool open;      /* a writer has it, and all below but `at` */
    apr_time_t at;  /* when the next one begins */

    const char *owner;
    int places; /* reserved in the hub before */
    gf_job_t *found;
    int count;
    int number;                   /* of the search */
    int telling;                  /* webhooks that are being told here; set before it begins */
    apr_interval_time_t wait;     /* before the next one; 0: the usual time */
    gf_site_t site;               /* is it the site's database? */
    bool blind;                   /* the database was away when last looked */
    bool *left_out;               /* per type */
    gf_look_t *types;             /* per type: where its look begins */
    struct gf_trouble_t *trouble; /* per type, and for restores, removals, webhooks */
} gf_search_t;

void gf_search_init(gf_search_t *search, apr_pool_t *pool, const gf_conf_t *conf,
                    const char *owner);

/* Types that begin at a provider which this host does not reach are left out. Reserves places and
 * gives the task to a writer; without a free place only the time is set. */
void gf_search_begin(gf_search_t *search, gf_hub_t *hub, gf_writers_t *writers,
                     const gf_conf_t *conf, const gf_reach_t *reach);

/* The task is done: gives spare places back and returns what was found (linked by `next`), each
 * with its place. */
gf_job_t *gf_search_done(gf_search_t *search, gf_hub_t *hub);

#endif
