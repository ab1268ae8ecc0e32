-- SPDX-License-Identifier: Apache-2.0
-- Fair order between users, limits per user, and what the janitor goes by.

-- A job that waits for a host stands in its type's line; its alarm (due_at) then only ends it. Claimed once, it has left the
-- line for good: from then on due_at alone says when a host must look.
ALTER TABLE genflow.work
    ADD COLUMN IF NOT EXISTS priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -1 AND 1),
    ADD COLUMN turn timestamptz;                     -- its place in the line; NULL: not in it
CREATE INDEX work_line ON genflow.work (type_no, priority, turn) WHERE turn IS NOT NULL;
CREATE INDEX work_user ON genflow.work (user_id);

CREATE FUNCTION genflow.work_line() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER work_line_new BEFORE INSERT ON genflow.work FOR EACH ROW
    WHEN (NEW.phase = 'queued' AND NEW.lease_owner IS NULL) EXECUTE FUNCTION genflow.work_line();
CREATE TRIGGER work_line_started BEFORE UPDATE ON genflow.work FOR EACH ROW
    WHEN (OLD.phase = 'pending' AND NEW.phase = 'queued' AND NEW.lease_owner IS NULL) EXECUTE FUNCTION genflow.work_line();

CREATE INDEX idempotency_keys_age ON genflow.idempotency_keys (created_at);

-- Attempts go soon after their job has ended; its own row knows by which name its provider called it.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT media_schema AS schema, media_table AS name, col
               FROM genflow.types, unnest(ARRAY['stability_job_id', 'aiml_job_id', 'fal_job_id', 'replicate_id']) AS col
              WHERE to_regclass(format('%I.%I', media_schema, media_table)) IS NOT NULL
    LOOP
        EXECUTE format('CREATE INDEX %I ON %I.%I (%I) WHERE %4$I IS NOT NULL', t.name || '_' || t.col, t.schema, t.name, t.col);
    END LOOP;
END $$;
