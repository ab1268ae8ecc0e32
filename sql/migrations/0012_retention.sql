-- SPDX-License-Identifier: Apache-2.0
-- Ended generations may go some time after their end.

-- Tables of types that are there get the index that the oldest are found by.
DO $$
DECLARE
    t genflow.types;
BEGIN
    FOR t IN SELECT * FROM genflow.types WHERE to_regclass(format('%I.%I', media_schema, media_table)) IS NOT NULL LOOP
        EXECUTE format('CREATE INDEX %I ON %I.%I (created_at)', t.media_table || '_age', t.media_schema, t.media_table);
    END LOOP;
END $$;

-- It is told now how long generations are kept.
DROP FUNCTION IF EXISTS genflow.janitor(text, integer, interval, interval);
