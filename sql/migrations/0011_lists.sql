-- SPDX-License-Identifier: Apache-2.0
-- Lists that stay fast at a million generations, and a status that is in no index: to complete a generation was an update of
-- every index of its table.

-- How many generations a user has asked for, those that were deleted since among them: counting them took longer the more
-- there were. Counted where the account is written anyway.
ALTER TABLE genflow.accounts ADD COLUMN generations bigint NOT NULL DEFAULT 0;
UPDATE genflow.accounts a SET generations = h.n
  FROM (SELECT l.user_id, count(*) AS n FROM genflow.ledger l
         WHERE l.kind = 'hold' AND NOT EXISTS (SELECT FROM genflow.reservations r WHERE r.id = l.ref) GROUP BY 1) h
 WHERE h.user_id = a.user_id;

DO $$
DECLARE
    t       genflow.types;
    v_table text;
BEGIN
    FOR t IN SELECT * FROM genflow.types WHERE to_regclass(format('%I.%I', media_schema, media_table)) IS NOT NULL LOOP
        v_table := format('%I.%I', t.media_schema, t.media_table);
        EXECUTE format('DROP INDEX %1$I.%2$I, %1$I.%3$I', t.media_schema, t.media_table || '_status', t.media_table || '_preset');
        EXECUTE format('ALTER TABLE %s ADD COLUMN unsuccessful text GENERATED ALWAYS AS '
                       '(CASE WHEN status IN (''failed'', ''cancelled'') THEN status END) STORED', v_table);
        EXECUTE format('ALTER TABLE %s SET (fillfactor = 55)', v_table);
        EXECUTE format('CREATE INDEX %I ON %s (user_id, preset, created_at, id) WHERE preset IS NOT NULL',
                       t.media_table || '_preset', v_table);
        EXECUTE format('CREATE INDEX %I ON %s (user_id, unsuccessful, created_at, id) WHERE unsuccessful IS NOT NULL',
                       t.media_table || '_lost', v_table);
        EXECUTE format('CREATE INDEX %I ON %s ((created_at AT TIME ZONE ''UTC''), id)', t.media_table || '_all', v_table);
        EXECUTE format('CREATE INDEX %I ON %s (unsuccessful, (created_at AT TIME ZONE ''UTC''), id) WHERE unsuccessful IS NOT NULL',
                       t.media_table || '_all_lost', v_table);
    END LOOP;
END $$;

-- Another query has taken its place.
DROP FUNCTION IF EXISTS genflow.history_query(text[], text, text, timestamptz);
