-- SPDX-License-Identifier: Apache-2.0
-- Types, live work, attempts, idempotency keys. All churn (leases, retries, polls) happens in genflow.work; a row of a
-- media table is written when it is made, when a queueing provider took it, and when it ends.

-- The generation types. `no` is part of every id of the type, so it is never used again for another type.
CREATE TABLE genflow.types (
    no           smallint PRIMARY KEY CHECK (no BETWEEN 1 AND 255),
    name         text NOT NULL UNIQUE CHECK (name ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$' AND length(name) <= 40),
    prefix       text NOT NULL UNIQUE,               -- name with _ for -: functions are genflow.<prefix>_create() ...
    media_schema text NOT NULL,
    media_table  text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (media_schema, media_table)
);

-- Live jobs only: small and hot. A row is here if and only if its job has not ended. due_at is never NULL and never
-- past the deadline: every live job has an alarm, and claiming serves every alarm.
CREATE TABLE genflow.work (
    job_id       uuid     PRIMARY KEY,
    user_id      text     NOT NULL,
    type_no      smallint NOT NULL,                  -- the lane it is claimed in
    cost         bigint   NOT NULL,
    due_at       timestamptz NOT NULL,               -- next instant a host must look at it (a lease moves it ahead)
    deadline_at  timestamptz NOT NULL,               -- hard end: then it fails and its hold is released
    phase        text     NOT NULL DEFAULT 'queued'
                 CHECK (phase IN ('queued',          -- nothing was sent for the current attempt
                                  'sending',         -- intent written; a provider may have it
                                  'working')),       -- a provider has it under provider_ref
    lease_owner  text,                               -- host process that works on it; NULL: nobody
    epoch        integer  NOT NULL DEFAULT 0,        -- fencing token, + 1 at each claim
    lost_leases  smallint NOT NULL DEFAULT 0,        -- claims whose owner died or hung; bounds a job that kills
    attempts     smallint NOT NULL DEFAULT 0,        -- submissions, over all providers
    chain_pos    smallint NOT NULL DEFAULT 0,        -- which provider of the type's chain is next
    retries      smallint NOT NULL DEFAULT 0,        -- transient failures of that provider
    provider     text,                               -- of the current attempt
    model        text,
    provider_ref text,
    cancel_requested boolean NOT NULL DEFAULT false,
    CONSTRAINT work_alarm_bounded CHECK (due_at <= deadline_at),
    CONSTRAINT work_ref_when_working CHECK ((phase = 'working') = (provider_ref IS NOT NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX work_due ON genflow.work (type_no, due_at);

-- One row per submission to a provider: the intent is written before bytes leave, the provider's id before anything
-- else is done with its answer.
CREATE TABLE genflow.attempts (
    job_id       uuid     NOT NULL,
    no           smallint NOT NULL,
    epoch        integer  NOT NULL,
    provider     text     NOT NULL,
    model        text     NOT NULL,
    seed         bigint,                             -- ours: finds the run again where a provider lists runs
    request_hash bytea,
    provider_ref text,
    outcome      text,                               -- NULL while open; else how it ended
    sent_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at     timestamptz,
    PRIMARY KEY (job_id, no)
);
-- Not unique: a provider may answer two submissions with one id.
CREATE INDEX attempts_ref ON genflow.attempts (provider_ref) WHERE provider_ref IS NOT NULL;

-- A key of a user names one job and one request body, over all types.
CREATE TABLE genflow.idempotency_keys (
    user_id      text  NOT NULL,
    key          text  NOT NULL CHECK (length(key) BETWEEN 1 AND 300),
    request_hash bytea NOT NULL,
    job_id       uuid  NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (user_id, key)
);

-- Successes that came after their job had ended otherwise: never charged, kept for cost accounting.
CREATE TABLE genflow.late_results (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id   uuid NOT NULL,
    epoch    integer,
    provider text,
    result   jsonb,
    at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
