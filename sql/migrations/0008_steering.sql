-- SPDX-License-Identifier: Apache-2.0
-- Following and steering generations: what is told of one, history that stays fast, pictures that are to be removed.

-- A generation as its owner may see it: what <type>_get() fills, and genflow.history() for each row. Instants are ISO 8601.
CREATE TYPE genflow.generation AS (
    outcome text, type text, id uuid, run_id text, status text, preset text, prompt text, source_url text, parameters jsonb,
    seed bigint, cost bigint, retry_count integer, max_retries integer, provider text, model text, stability_job_id text,
    aiml_job_id text, fal_job_id text, replicate_id text, image_url text, original_url text, persisted boolean, expires_at text,
    fallback_used boolean, error_code text, error_message text, cause_code text, created_at text, started_at text,
    finished_at text, processing_ms bigint, result jsonb, progress real, queue_position integer, logs jsonb,
    at bigint);                                      -- created_at in microseconds since 1970: where a page of history ends

-- Pictures whose generation was deleted: removed from the store in the background until it says that they are gone.
CREATE TABLE genflow.removals (
    job_id     uuid PRIMARY KEY,
    type_no    smallint NOT NULL,
    url        text NOT NULL,                        -- where the picture is
    media_type text,                                 -- image/png ...: part of its name in a store
    due_at     timestamptz NOT NULL,                 -- next try; a host that tries moves it ahead
    tries      integer NOT NULL DEFAULT 0
);
CREATE INDEX removals_due ON genflow.removals (due_at);

-- Tables of types that are there get the indexes of history, and may take in rows whose ids are of another making.
DO $$
DECLARE
    t       genflow.types;
    v_table text;
BEGIN
    FOR t IN SELECT * FROM genflow.types WHERE to_regclass(format('%I.%I', media_schema, media_table)) IS NOT NULL LOOP
        v_table := format('%I.%I', t.media_schema, t.media_table);
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %2$I CHECK (genflow.id_type(id) IN (0, %s))',
                       v_table, t.media_table || '_id_check', t.no);
        EXECUTE format('DROP INDEX %I.%I', t.media_schema, t.media_table || '_user');
        EXECUTE format('CREATE INDEX %I ON %s (user_id, created_at, id)', t.media_table || '_user', v_table);
        EXECUTE format('CREATE INDEX %I ON %s (user_id, status, created_at, id)', t.media_table || '_status', v_table);
        EXECUTE format('CREATE INDEX %I ON %s (user_id, preset, created_at, id, status) WHERE preset IS NOT NULL',
                       t.media_table || '_preset', v_table);
    END LOOP;
END $$;
