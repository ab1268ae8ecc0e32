-- SPDX-License-Identifier: Apache-2.0
-- What the background knows beyond one job: breakers, reports of providers, pictures that wait to be stored.

-- What a provider says of a job while it works; the status shows it.
ALTER TABLE genflow.work
    ADD COLUMN progress       real CHECK (progress BETWEEN 0 AND 1),
    ADD COLUMN queue_position integer CHECK (queue_position >= 0),
    ADD COLUMN provider_logs  jsonb,
    DROP COLUMN cancel_requested;                    -- who cancels settles at once

-- Part of the address that the provider reports the end to; nobody else knows it.
ALTER TABLE genflow.attempts ADD COLUMN hook_token text, DROP COLUMN request_hash;

-- A provider's model that failed lately. No row: all is well. open_until NULL: failures are only counted so far; in the
-- past: the next attempt is the one that tries (half open).
CREATE TABLE genflow.breakers (
    provider   text NOT NULL,
    model      text NOT NULL,
    failures   integer NOT NULL,                     -- in a row
    open_until timestamptz,
    opened_at  timestamptz,
    reason     text,                                 -- of the last failure
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (provider, model)
) WITH (fillfactor = 50);

-- Reports of providers (webhooks) by the provider's own name of the delivery: a repeated one is told from a new one.
CREATE TABLE genflow.hooks (
    provider text NOT NULL,
    event    text NOT NULL CHECK (length(event) BETWEEN 1 AND 300),
    job_id   uuid NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (provider, event)
);
CREATE INDEX hooks_at ON genflow.hooks (at);

-- Completed pictures that the store would not take: stored again in the background until it does or the source dies.
CREATE TABLE genflow.restores (
    job_id     uuid PRIMARY KEY,
    type_no    smallint NOT NULL,
    url        text NOT NULL,                        -- where the picture is now: the provider's address, or our folder's
    due_at     timestamptz NOT NULL,                 -- next try; a host that tries moves it ahead
    expires_at timestamptz,                          -- the provider keeps it until then; NULL: it is ours
    tries      integer NOT NULL DEFAULT 0
);
CREATE INDEX restores_due ON genflow.restores (due_at);
