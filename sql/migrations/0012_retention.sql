-- SPDX-License-Identifier: Apache-2.0
-- Ended generations may go some time after their end.

-- Tables of types that are there get the index by which the oldest are found of those whose ids are of another making.
DO $$
DECLARE
    t genflow.types;
BEGIN
    FOR t IN SELECT * FROM genflow.types WHERE to_regclass(format('%I.%I', media_schema, media_table)) IS NOT NULL LOOP
        EXECUTE format('CREATE INDEX %I ON %I.%I (created_at) WHERE genflow.id_type(id) = 0',
                       t.media_table || '_foreign', t.media_schema, t.media_table);
    END LOOP;
END $$;

-- It is told now how long generations are kept.
DROP FUNCTION IF EXISTS genflow.janitor(text, integer, interval, interval);
