-- SPDX-License-Identifier: Apache-2.0
-- Budgets of providers, priorities that outlive their work, and idempotency keys without the quotes that clients send around
-- them.

-- What was submitted to a provider on a day (UTC), for GenflowProviderBudget. The sum over the slots counts; an attempt adds to
-- one slot only, so that attempts do not wait for each other. Slot -1: the day's budget was found spent, and logged.
CREATE TABLE genflow.budgets (
    provider text     NOT NULL,
    day      date     NOT NULL,
    slot     smallint NOT NULL,
    spent    bigint   NOT NULL DEFAULT 0,
    PRIMARY KEY (provider, day, slot)
) WITH (fillfactor = 50);

DROP FUNCTION IF EXISTS genflow.attempt_begin(uuid, integer, smallint, text, text, bigint, text, interval, interval);
DROP FUNCTION IF EXISTS genflow.admin_cancel(uuid), genflow.admin_cancel(uuid, uuid);
DROP FUNCTION IF EXISTS genflow.admin_clear(uuid, integer), genflow.admin_clear(uuid, integer, uuid);

-- "k" and k are one key now (sql/functions/key_of.sql): what was kept with quotes is found without them, and so are the numbered
-- ones of a batch. Where both are kept, each stays what it is.
UPDATE genflow.idempotency_keys k
   SET key = n.key
  FROM (SELECT o.user_id, o.key AS old, 'key:' || regexp_replace(substring(o.key FROM '^key:"(.+)"'), '\\(["\\])', '\1', 'g')
                                               || coalesce(substring(o.key FROM '"( [0-9]+)$'), '') AS key
          FROM genflow.idempotency_keys o WHERE o.key ~ '^key:"([^"\\ ]|\\["\\])+"( [0-9]+)?$') n
 WHERE k.user_id = n.user_id AND k.key = n.old
   AND NOT EXISTS (SELECT FROM genflow.idempotency_keys o WHERE o.user_id = n.user_id AND o.key = n.key);

-- A retry has the priority of its original, whose work row is gone by then.
ALTER TYPE genflow.generation ADD ATTRIBUTE priority smallint;

DO $$
DECLARE
    t genflow.types;
BEGIN
    FOR t IN SELECT * FROM genflow.types WHERE to_regclass(format('%I.%I', media_schema, media_table)) IS NOT NULL LOOP
        EXECUTE format('ALTER TABLE %I.%I ADD COLUMN priority smallint NOT NULL DEFAULT 0', t.media_schema, t.media_table);
        EXECUTE format('UPDATE %I.%I m SET priority = w.priority FROM genflow.work w WHERE w.job_id = m.id AND w.priority <> 0',
                       t.media_schema, t.media_table);
    END LOOP;
END $$;
