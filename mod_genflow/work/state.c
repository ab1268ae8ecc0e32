/* SPDX-License-Identifier: Apache-2.0 */
/* The names of states and events, for log lines, tests and the diagram in ARCHITECTURE.md. */
#include "work/state.h"

static const char *const states[] = { [GF_STATE_START] = "START",
                                      [GF_STATE_ADOPT] = "ADOPT",
                                      [GF_STATE_SOURCE] = "SOURCE",
                                      [GF_STATE_SOURCE_WAIT] = "SOURCE_WAIT",
                                      [GF_STATE_ASSET] = "ASSET",
                                      [GF_STATE_DRAW] = "DRAW",
                                      [GF_STATE_INTENT] = "INTENT",
                                      [GF_STATE_SENT] = "SENT",
                                      [GF_STATE_ACCEPT] = "ACCEPT",
                                      [GF_STATE_RUNNING] = "RUNNING",
                                      [GF_STATE_POLL] = "POLL",
                                      [GF_STATE_PROGRESS] = "PROGRESS",
                                      [GF_STATE_LOST] = "LOST",
                                      [GF_STATE_LOOKUP] = "LOOKUP",
                                      [GF_STATE_LIST] = "LIST",
                                      [GF_STATE_FETCH] = "FETCH",
                                      [GF_STATE_FETCH_WAIT] = "FETCH_WAIT",
                                      [GF_STATE_CHECK] = "CHECK",
                                      [GF_STATE_STORE] = "STORE",
                                      [GF_STATE_STORE_WAIT] = "STORE_WAIT",
                                      [GF_STATE_READ_BACK] = "READ_BACK",
                                      [GF_STATE_SETTLE] = "SETTLE",
                                      [GF_STATE_TEMPORARY] = "TEMPORARY",
                                      [GF_STATE_REQUEUE] = "REQUEUE",
                                      [GF_STATE_FAIL] = "FAIL",
                                      [GF_STATE_READ] = "READ",
                                      [GF_STATE_DELIVER] = "DELIVER",
                                      [GF_STATE_REMOVE] = "REMOVE",
                                      [GF_STATE_OVER] = "OVER",
                                      [GF_NEXT_STAY] = "(stays)",
                                      [GF_NEXT_POSTPONE] = "(postponed)",
                                      [GF_NEXT_PAUSE] = "(pauses)",
                                      [GF_NEXT_AGAIN] = "(again)" };

static const char *const events[] = {
    [GF_EVENT_NONE] = "NONE",           [GF_EVENT_BEGUN] = "BEGUN",
    [GF_EVENT_WRITTEN] = "WRITTEN",     [GF_EVENT_NO_DATABASE] = "NO_DATABASE",
    [GF_EVENT_REFUSED] = "REFUSED",     [GF_EVENT_ANSWERED] = "ANSWERED",
    [GF_EVENT_ALARM] = "ALARM",         [GF_EVENT_WEBHOOK_RECEIVED] = "WEBHOOK_RECEIVED",
    [GF_EVENT_JOB_ENDED] = "JOB_ENDED", [GF_EVENT_LEASE_LOST] = "LEASE_LOST"
};

const char *gf_state_name(gf_state_t state)
{
    return states[state];
}

const char *gf_event_name(gf_event_t event)
{
    return events[event];
}
