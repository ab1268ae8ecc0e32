-- SPDX-License-Identifier: Apache-2.0
-- A generation may have several copies to remove, each at an address of its own
-- (sql/functions/removals.sql).
ALTER TABLE genflow.removals DROP CONSTRAINT removals_pkey,
    ADD COLUMN beside boolean NOT NULL DEFAULT false,
    ADD COLUMN place bigint NOT NULL
        GENERATED ALWAYS AS (hashtextextended(coalesce(url, ''), 0)) STORED,
    ADD CONSTRAINT removals_pkey PRIMARY KEY (job_id, place);

-- They have a further parameter, or column.
DROP FUNCTION IF EXISTS
    genflow.removal_add(uuid, smallint, text, text, text, text, timestamptz, timestamptz, boolean);
DROP FUNCTION IF EXISTS genflow.removal_claim(text[], integer, interval, timestamptz);
