/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/* Every value that genflow-metrics and server-status report, one row each.
 * base/metric.c and base/metric_text.c serve the rows.
 *
 *   symbol  GF_METRIC_<symbol> in C
 *   name    without the suffix of its kind: a COUNTER gets _total, a SHORT or LONG histogram
 *           _bucket, _sum and _count
 *   kind    COUNTER, GAUGE; SHORT: a histogram of seconds, for requests; LONG: one for generations
 *   scope   HOST    of this httpd: its children add to it in shared memory
 *           CHILD   the sum of what the living children set, each for itself
 *           GLOBAL  of the database: the same at each host. One child of a host reads it
 *   unit    ONE, SECONDS (counted in microseconds), BYTES, MONEY (counted in millionths)
 *   labels  up to three of the list in base/metric.h, in their order; NO where there are fewer
 *   panel   the group that it belongs to
 *   help    one sentence. That of a GLOBAL value says so by itself (base/metric_text.c) */

/* ---- requests ---- */

GF_METRIC(HTTP_REQUESTS, "genflow_http_requests", COUNTER, HOST, ONE, ROUTE, METHOD, CODE,
          "Requests", "Requests by route, method and class of status.")
GF_METRIC(HTTP_DURATION, "genflow_http_request_duration_seconds", SHORT, HOST, SECONDS,
          ROUTE, CODE, NO,
          "Requests", "Time from the header of a request to the end of its response.")
GF_METRIC(WAITING, "genflow_waiting_requests", GAUGE, CHILD, ONE, NO, NO, NO,
          "Requests", "Requests that wait for a generation, streams included.")
GF_METRIC(STREAMS, "genflow_event_streams", GAUGE, CHILD, ONE, NO, NO, NO,
          "Requests", "Event streams that are open.")

/* ---- generations ---- */

GF_METRIC(CREATED, "genflow_generations_created", COUNTER, GLOBAL, ONE, TYPE, NO, NO,
          "Generations", "Generations that were created.")
GF_METRIC(ENDED, "genflow_generations_ended", COUNTER, GLOBAL, ONE, TYPE, PROVIDER, OUTCOME,
          "Generations", "Generations that ended. Those from before schema 37 have no provider.")
GF_METRIC(LIVE, "genflow_generations_live", GAUGE, GLOBAL, ONE, TYPE, PHASE, NO,
          "Generations", "Generations that have not ended: pending ones wait for their start.")
GF_METRIC(QUEUE_OLDEST, "genflow_queue_oldest_seconds", GAUGE, GLOBAL, SECONDS, TYPE, NO, NO,
          "Generations", "Age of the oldest generation that waits in the queue.")
GF_METRIC(DURATION, "genflow_generation_duration_seconds", LONG, HOST, SECONDS, TYPE, OUTCOME, NO,
          "Generations", "Time from creation to end of the generations that this host ended.")
GF_METRIC(IN_FLIGHT, "genflow_jobs_in_flight", GAUGE, CHILD, ONE, NO, NO, NO,
          "Generations", "Jobs that this host works on: generations, restores, removals, webhooks.")
GF_METRIC(LEASES_LOST, "genflow_leases_lost", COUNTER, HOST, ONE, NO, NO, NO,
          "Generations", "Leases of running jobs that another process took over.")

/* ---- providers ---- */

GF_METRIC(SUBMISSIONS, "genflow_provider_submissions", COUNTER, HOST, ONE, PROVIDER, NO, NO,
          "Providers", "Requests for a picture that were sent to a provider, each at most once.")
GF_METRIC(COST, "genflow_provider_cost", COUNTER, HOST, ONE, PROVIDER, NO, NO,
          "Providers", "Submissions times GenflowProviderPrice, in the unit of that directive.")
GF_METRIC(ATTEMPTS, "genflow_provider_attempt_duration_seconds", LONG, HOST, SECONDS,
          PROVIDER, RESULT, NO,
          "Providers", "Time from the submission to what ended the attempt at this provider.")
GF_METRIC(RETRIES, "genflow_provider_retries", COUNTER, HOST, ONE, PROVIDER, NO, NO,
          "Providers", "Attempts that are repeated at the same provider.")
GF_METRIC(FALLBACKS, "genflow_provider_fallbacks", COUNTER, HOST, ONE, PROVIDER, NO, NO,
          "Providers", "Generations that left this provider for the next one of their type.")
GF_METRIC(UNKNOWN, "genflow_provider_unknown", COUNTER, HOST, ONE, PROVIDER, NO, NO,
          "Providers", "Submissions whose answer was lost, so that they may have to be paid.")
GF_METRIC(BREAKER_OPENED, "genflow_breaker_opened", COUNTER, HOST, ONE, PROVIDER, NO, NO,
          "Providers", "How often the breaker of a model of this provider opened.")

GF_METRIC(BREAKERS_OPEN, "genflow_breakers_open", GAUGE, GLOBAL, ONE, PROVIDER, NO, NO,
          "Providers", "Models of this provider whose breaker is open.")
GF_METRIC(BUDGET_SPENT, "genflow_provider_budget_spent", GAUGE, GLOBAL, ONE, PROVIDER, NO, NO,
          "Providers", "What was spent today (UTC) of GenflowProviderBudget, where there is one.")

GF_METRIC(PAID, "genflow_provider_paid", COUNTER, GLOBAL, MONEY, PROVIDER, NO, NO,
          "Providers", "Cost of attempts by GenflowProviderCost, in the currency of the site.")

/* ---- credits ---- */

GF_METRIC(CREDITS_GRANTED, "genflow_credits_granted", COUNTER, GLOBAL, ONE, NO, NO, NO,
          "Credits", "Credits that were granted.")
GF_METRIC(CREDITS_HELD, "genflow_credits_held", COUNTER, GLOBAL, ONE, TYPE, NO, NO,
          "Credits", "Credits that were held. Reservations have the type other.")
GF_METRIC(CREDITS_CAPTURED, "genflow_credits_captured", COUNTER, GLOBAL, ONE, TYPE, NO, NO,
          "Credits", "Credits that were charged.")
GF_METRIC(CREDITS_RELEASED, "genflow_credits_released", COUNTER, GLOBAL, ONE, TYPE, NO, NO,
          "Credits", "Held credits that were given back.")
GF_METRIC(CREDITS_REFUNDED, "genflow_credits_refunded", COUNTER, GLOBAL, ONE, TYPE, NO, NO,
          "Credits", "Charged credits that were refunded.")
GF_METRIC(CREDITS_ADJUSTED, "genflow_credits_adjusted", GAUGE, GLOBAL, ONE, NO, NO, NO,
          "Credits", "Sum of all adjustments by administrators; it may be negative.")
GF_METRIC(CREDITS_ON_HOLD, "genflow_credits_on_hold", GAUGE, GLOBAL, ONE, NO, NO, NO,
          "Credits", "Credits that are held at the moment.")
GF_METRIC(CHECK_TIME, "genflow_ledger_check_timestamp_seconds", GAUGE, GLOBAL, SECONDS, NO, NO, NO,
          "Credits", "When genflow.check() ran last, in seconds since 1970. 0: never.")
GF_METRIC(CHECK_BROKEN, "genflow_ledger_check_broken_rules", GAUGE, GLOBAL, ONE, NO, NO, NO,
          "Credits", "Rules of the ledger that the last check found broken.")

/* ---- pictures and webhooks ---- */

GF_METRIC(RESTORES, "genflow_restores", COUNTER, HOST, ONE, WORK, NO, NO,
          "Pictures and webhooks", "Attempts to store a picture that is stored temporarily.")
GF_METRIC(REMOVALS, "genflow_removals", COUNTER, HOST, ONE, WORK, NO, NO,
          "Pictures and webhooks", "Attempts to remove a picture from the store.")
GF_METRIC(MOVES, "genflow_moves", COUNTER, HOST, ONE, WORK, NO, NO,
          "Pictures and webhooks", "Attempts to move a picture from an old store.")
GF_METRIC(DELIVERIES, "genflow_webhook_deliveries", COUNTER, HOST, ONE, WORK, NO, NO,
          "Pictures and webhooks", "Attempts to deliver a webhook to a client.")

GF_METRIC(RESTORES_WAITING, "genflow_restores_waiting", GAUGE, GLOBAL, ONE, NO, NO, NO,
          "Pictures and webhooks", "Pictures that are stored temporarily.")
GF_METRIC(REMOVALS_WAITING, "genflow_removals_waiting", GAUGE, GLOBAL, ONE, NO, NO, NO,
          "Pictures and webhooks", "Pictures that are to be removed.")
GF_METRIC(WEBHOOKS_WAITING, "genflow_webhooks_waiting", GAUGE, GLOBAL, ONE, NO, NO, NO,
          "Pictures and webhooks", "Webhooks to deliver, those that are retried included.")
GF_METRIC(WEBHOOKS_OVERDUE, "genflow_webhooks_overdue", GAUGE, GLOBAL, ONE, NO, NO, NO,
          "Pictures and webhooks", "Webhooks that were due more than a minute ago.")
GF_METRIC(STORE_FREE, "genflow_store_free_bytes", GAUGE, HOST, BYTES, NO, NO, NO,
          "Pictures and webhooks", "Free bytes on the disk of GenflowStoreFolder.")

/* ---- the database ---- */

GF_METRIC(DB_WAIT, "genflow_database_connection_wait_seconds", SHORT, HOST, SECONDS, NO, NO, NO,
          "Database", "Time that a statement waited for a connection of mod_dbd.")
GF_METRIC(DB_TIME, "genflow_database_statement_duration_seconds", SHORT, HOST, SECONDS, NO, NO, NO,
          "Database", "Time that a statement took, retries included.")
GF_METRIC(DB_FAILURES, "genflow_database_failures", COUNTER, HOST, ONE, NO, NO, NO,
          "Database", "Statements that failed because the database was not available.")

GF_METRIC(LOCK_WAITS, "genflow_database_lock_waits", GAUGE, GLOBAL, ONE, NO, NO, NO,
          "Database", "Sessions of the database that wait for a lock of another one.")

/* ---- the module ---- */

GF_METRIC(GLOBAL_AGE, "genflow_global_age_seconds", GAUGE, HOST, SECONDS, NO, NO, NO,
          "Module", "How long ago this host read the global values.")
GF_METRIC(INFO, "genflow_info", GAUGE, HOST, ONE, VERSION, NO, NO,
          "Module", "Always 1: the version of the module.")
