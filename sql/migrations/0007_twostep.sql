-- SPDX-License-Identifier: Apache-2.0
-- Generations that are made first and started later, their order in the queue, and templates of what users ask for often.

-- A pending generation has its hold and its alarm, which only ever ends it: no lease, and due at its deadline.
ALTER TABLE genflow.work
    ADD COLUMN priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -1 AND 1),   -- 1: before others that are due
    DROP CONSTRAINT work_phase_check,
    ADD CONSTRAINT work_phase_check CHECK (phase IN ('pending',      -- waits for its user to start it
                                                     'queued',       -- nothing was sent for the current attempt
                                                     'sending',      -- intent written; a provider may have it
                                                     'working')),    -- a provider has it under provider_ref
    ADD CONSTRAINT work_pending_untouched CHECK (phase <> 'pending' OR (due_at = deadline_at AND lease_owner IS NULL AND epoch = 0));

-- What a user asks for often, under a name of its own: members of a create body, checked when they are used.
CREATE TABLE genflow.templates (
    id         uuid  PRIMARY KEY,
    user_id    text  NOT NULL,
    name       text  NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    type       text,                                                      -- NULL: the body's own
    config     jsonb NOT NULL CHECK (jsonb_typeof(config) = 'object' AND length(config::text) <= 32768),
    created_at timestamptz NOT NULL,
    CONSTRAINT templates_name UNIQUE (user_id, name)
);
CREATE INDEX templates_user ON genflow.templates (user_id, id);
