/* SPDX-License-Identifier: Apache-2.0 */
/* SetHandler genflow-metrics: the values of this httpd for a monitor. Request threads only. */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "api/api.h"

/* Is this the name of the handler? */
bool api_metrics_is(const char *handler);

/* Serves a request whose handler is genflow-metrics. Closed (403) unless its own <Location> has a
 * Require. Does not block: values of the database are those that were read last. */
int api_metrics(request_rec *r, const gf_api_t *api);

/* Its section of server-status; `flags` are those of mod_status' hook. With ?auto a line for each
 * value, summed up over its labels: "GenflowHttpRequests: 12". */
int api_metrics_status(request_rec *r, int flags, gf_metrics_t *metrics);

#endif
