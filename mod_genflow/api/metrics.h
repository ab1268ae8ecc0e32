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

#endif
