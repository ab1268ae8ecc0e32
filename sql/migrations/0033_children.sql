-- SPDX-License-Identifier: Apache-2.0
-- Leases of children: a child renews one row of its own, however many jobs it leads
-- (sql/functions/heartbeat.sql). Jobs in flight keep the leases that they have: one that no
-- heartbeat of its child has named yet is due at due_at. Servers of the version before name none.

CREATE TABLE genflow.children (
    owner   text PRIMARY KEY,                        -- the child's name: host:process:random
    expires timestamptz NOT NULL                     -- end of the lease of all jobs that it leads
) WITH (fillfactor = 50);

-- led: its child has named it in a heartbeat. Then due_at is the deadline, and before that the job
-- is due when the child's lease is over and leased_until has passed. leased_until: the end of the
-- lease that the job got from its last claim or intent.
ALTER TABLE genflow.work
    ADD COLUMN led          boolean NOT NULL DEFAULT false,
    ADD COLUMN leased_until timestamptz,
    ADD CONSTRAINT work_led_by_owner
        CHECK (NOT led OR (lease_owner IS NOT NULL AND leased_until IS NOT NULL));
CREATE INDEX work_led ON genflow.work (lease_owner) WHERE led;

-- Leases of led jobs that another process has ended: the child learns of them by its heartbeat.
CREATE TABLE genflow.recalls (
    owner   text    NOT NULL,
    job_id  uuid    NOT NULL,
    epoch   integer NOT NULL,                        -- of that lease
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz,                             -- the first heartbeat that returned it
    PRIMARY KEY (owner, job_id, epoch)
);
CREATE INDEX recalls_age ON genflow.recalls (made_at);
