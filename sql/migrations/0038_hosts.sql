-- SPDX-License-Identifier: Apache-2.0
-- Which httpds use this database: so that hosts whose settings differ, a wrong clock and the lack
-- of a dispatcher are noticed (sql/functions/hosts.sql). And whether a provider refused the last
-- attempt.

CREATE TABLE genflow.hosts (
    name          text PRIMARY KEY,         -- of the machine, then httpd's ServerName and port
    version       text NOT NULL,            -- of the module
    schema_needed integer NOT NULL,         -- by the module
    dispatches    boolean NOT NULL,         -- GenflowDispatch
    settings      jsonb NOT NULL,           -- hashes of what all hosts must share, by its kind
    clock_ahead   bigint NOT NULL,          -- milliseconds, of its clock before the database's
    began_at      timestamptz NOT NULL DEFAULT clock_timestamp(),   -- with these settings
    seen_at       timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- refused: key, account or model, and so until somebody mends it
ALTER TABLE genflow.breakers ADD COLUMN refused boolean NOT NULL DEFAULT false;
