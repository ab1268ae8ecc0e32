-- SPDX-License-Identifier: Apache-2.0
-- Which database this is, so that one that was restored from a backup is noticed before it submits once more what its backup
-- knew as queued or sending (sql/functions/site.sql); and why a generation could not be ended.

CREATE TABLE genflow.site (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    cluster     bigint,                              -- system identifier of the cluster; NULL: the owner may not read it
    database    oid NOT NULL,
    line        uuid NOT NULL DEFAULT gen_random_uuid(),    -- drawn anew by resume()
    mark        bigint NOT NULL DEFAULT 1,           -- moves on while hosts work; the picture folder has the one before
    mark_every  interval NOT NULL DEFAULT '1 minute',
    marked_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    folder_mark bigint,                              -- of a folder that was ahead
    restored    text,                                -- why it counts as restored until somebody calls resume()
    resumed_at  timestamptz
) WITH (fillfactor = 50);
INSERT INTO genflow.site (cluster, database)
SELECT CASE WHEN has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
            THEN (SELECT c.system_identifier FROM pg_catalog.pg_control_system() c) END,
       (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database());

ALTER TABLE genflow.work ADD COLUMN poison text;     -- the error with which its end failed; it is tried again each minute
