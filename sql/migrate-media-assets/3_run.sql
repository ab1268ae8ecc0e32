-- SPDX-License-Identifier: Apache-2.0
-- How genflow-migrate moves rows, batch by batch: a batch is one transaction with its progress. The
-- session's search_path begins with pg_temp and genflow_migrate, so that a dry run writes into
-- temporary tables; its TimeZone is the zone of times that have none.

-- dry(): from here on this session writes into tables of its own.
CREATE OR REPLACE PROCEDURE genflow_migrate.dry()
LANGUAGE plpgsql AS $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['moved', 'leftovers', 'runs', 'progress', 'counts'] LOOP
        EXECUTE format('CREATE TEMP TABLE %1$I (LIKE genflow_migrate.%1$I INCLUDING ALL)', v_table);
    END LOOP;
END $$;

-- statuses of older systems
CREATE OR REPLACE FUNCTION genflow_migrate.status_of(p_status text, p_picture text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_status IN ('ready', 'completed', 'complete', 'done', 'success', 'succeeded',
                                  'published', 'active', 'saved', '')
                THEN CASE WHEN p_picture IS NULL THEN 'empty' ELSE 'completed' END
                WHEN p_status IN ('failed', 'error') THEN 'failed'
                WHEN p_status IN ('cancelled', 'canceled') THEN 'cancelled'
                WHEN p_status IN ('pending', 'processing', 'queued', 'running', 'uploading')
                THEN CASE WHEN p_picture IS NULL THEN 'unfinished' ELSE 'completed' END END
$$;

-- judge(...): what becomes of the rows of a query (row_query): the table batch_rows.
CREATE OR REPLACE PROCEDURE genflow_migrate.judge(p_query text, p_schema text)
LANGUAGE plpgsql AS $$
DECLARE
    v_known text := (
        SELECT format('coalesce((SELECT true FROM %s u WHERE u.id = %s LIMIT 1), false)', u,
                      CASE WHEN a.atttypid = 'uuid'::regtype
                           THEN 'CASE WHEN n.user_id ~ ''^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}'
                                '-[0-9A-Fa-f]{12}$'' THEN n.user_id::uuid END'
                           WHEN a.atttypid IN ('text'::regtype, 'varchar'::regtype)
                           THEN 'n.user_id'
                           ELSE format('CASE WHEN n.user_id ~ ''^[0-9]{1,18}$'' '
                                       'THEN n.user_id::%s END', format_type(a.atttypid, NULL)) END)
          FROM pg_attribute a, to_regclass(format('%I.users', p_schema)) AS u
         WHERE a.attrelid = u AND a.attname = 'id' AND NOT a.attisdropped);
BEGIN
    IF to_regclass('pg_temp.batch_rows') IS NULL THEN
        CREATE TEMP TABLE batch_rows (
            legacy_id text, canon text, nth bigint, source text, j jsonb, user_id text, meta jsonb,
            preset text, prompt text, picture text, source_url text, run_id text, state text,
            visibility text, contradicts boolean, allow_remix boolean, tags text[],
            created_at timestamptz, updated_at timestamptz, undated boolean, unknown_user boolean,
            rule integer, type text, outcome text, reason text);
    END IF;
    TRUNCATE batch_rows;
    -- every row gets one outcome: the first that fits
    EXECUTE format($q$
        INSERT INTO batch_rows
        SELECT b.legacy_id, b.canon, b.nth, b.source, b.j, b.user_id, b.meta, b.preset, b.prompt,
               b.picture, b.source_url, b.run_id, b.state, b.visibility, b.contradicts,
               b.allow_remix, b.tags, b.created_at, b.updated_at, b.undated, b.unknown_user, b.rule,
               b.type, split_part(v.says, ': ', 1), substr(v.says, strpos(v.says, ': ') + 2)
          FROM (SELECT n.legacy_id, n.canon, n.nth, n.source, n.j, n.user_id,
                       row_number() OVER (PARTITION BY n.canon ORDER BY n.nth, n.legacy_id)
                           AS nth_spelling,
                       coalesce(n.meta, '{}') || jsonb_build_object('legacy',
                           jsonb_strip_nulls(n.j - genflow_migrate.kept_elsewhere(n.j, n.meta_name,
                               n.picture, n.tags, n.created_at))
                           || CASE WHEN n.j ? 'table' THEN jsonb_build_object('column_table',
                               n.j->'table') ELSE '{}' END
                           || CASE WHEN n.meta ? 'legacy' THEN jsonb_build_object('meta_legacy',
                               n.meta->'legacy') ELSE '{}' END
                           || jsonb_build_object('table', n.source)) AS meta,
                       n.preset, n.prompt, n.picture, n.source_url,
                       CASE WHEN length(n.run_id) <= 200 THEN n.run_id END AS run_id,
                       genflow_migrate.status_of(n.status, n.picture) AS state, n.visibility,
                       n.contradicts, n.allow_remix, n.tags,
                       coalesce(n.created_at, n.updated_at, transaction_timestamp()) AS created_at,
                       n.updated_at, n.created_at IS NULL AS undated,
                       NOT coalesce(%1$s, true) AS unknown_user, n.rule, r.type
                  FROM (%2$s) n LEFT JOIN genflow_migrate.rules r ON r.no = n.rule OFFSET 0) b
          LEFT JOIN LATERAL (
            SELECT m.source, m.user_id, m.hash, coalesce(m.spelled, m.legacy_id) AS spelled
              FROM moved m WHERE m.legacy_id IN (b.canon, b.legacy_id)
             UNION ALL
            SELECT m.source, m.user_id, m.hash, coalesce(m.spelled, m.legacy_id)
              FROM genflow_migrate.moved m WHERE m.legacy_id IN (b.canon, b.legacy_id)
             LIMIT 1) d ON true
         CROSS JOIN LATERAL (SELECT CASE
            WHEN b.legacy_id = '' THEN 'rejected: it has no id'
            WHEN b.j ? 'unreadable' AND NOT b.j ? 'user_id'
            THEN 'rejected: it cannot be read: ' || (b.j->>'unreadable')
            WHEN b.legacy_id !~ '^[A-Za-z0-9._:-]+$' OR length(b.legacy_id) > 200
            THEN 'rejected: its id has other characters than A-Z a-z 0-9 . _ : -, or more than 200'
            WHEN b.nth > 1 THEN 'rejected: an earlier row has this id'
            WHEN b.nth_spelling > 1 OR d.source = b.source AND d.spelled <> b.legacy_id
            THEN 'rejected: another row has this id in other letters'
            WHEN b.user_id IS NULL THEN 'rejected: it has no user'
            WHEN length(b.user_id) > 255 THEN 'rejected: its user has more than 255 characters'
            WHEN b.user_id ~ '[[:cntrl:]]' THEN 'rejected: its user has control characters'
            WHEN d.source = b.source THEN 'already: '
            WHEN d.user_id = b.user_id AND (length(b.legacy_id) >= 16
                 OR d.hash = md5(coalesce(b.picture, ''))) THEN 'already: moved from ' || d.source
            WHEN d.source IS NOT NULL
            THEN 'rejected: another row has this id, moved from ' || d.source
            WHEN b.type IS NULL THEN 'unclassified: no rule fits'
            WHEN b.state IS NULL THEN 'rejected: unknown status ' || left(b.j->>'status', 40)
            WHEN b.picture !~ '^(https?://[^/[:space:][:cntrl:]][^[:space:][:cntrl:]]*'
                              '|/[^[:space:][:cntrl:]]*)$' OR length(b.picture) > 4096
            THEN 'rejected: its picture is no address of http, https or this site'
            WHEN b.created_at NOT BETWEEN '1970-01-01 00:00:00Z' AND '9999-01-01 00:00:00Z'
            THEN 'rejected: created_at is before 1970 or after 9998'
            WHEN octet_length(b.prompt) > 65536 THEN 'rejected: its prompt is larger than 64 kB'
            WHEN octet_length(b.source_url) > 4096
            THEN 'rejected: its source_url is larger than 4 kB'
            WHEN octet_length(concat(b.j->'negative_prompt', b.j->'strength')) > 65536
                 OR octet_length(concat(b.j->>'model', b.j->>'provider')) > 1000
            THEN 'rejected: its negative_prompt is larger than 64 kB, or its model than 1 kB'
            WHEN cardinality(b.tags) > 100 OR octet_length(b.tags::text) > 8192
            THEN 'rejected: more than 100 tags, or 8 kB of them'
            WHEN octet_length(b.meta::text) > 65536 THEN 'rejected: its meta is larger than 64 kB'
            ELSE 'moved: ' END OFFSET 0) AS v(says)$q$,
        coalesce(v_known, 'NULL::boolean'), p_query);
END $$;

-- kept_elsewhere(...): the columns of a row that columns of ours hold whole. All others stay in
-- meta.legacy.
CREATE OR REPLACE FUNCTION genflow_migrate.kept_elsewhere(
    j jsonb, p_meta_name text, p_picture text, p_tags text[], p_created_at timestamptz)
RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_sized boolean := j->>'width' ~ '^[1-9][0-9]{0,5}$' AND j->>'height' ~ '^[1-9][0-9]{0,5}$';
BEGIN
    RETURN ARRAY['id', 'user_id', 'prompt', 'model', 'source_url', 'negative_prompt',
        coalesce(p_meta_name, 'id'),
        CASE WHEN length(j->>'run_id') <= 200 THEN 'run_id' ELSE 'id' END,
        CASE WHEN cardinality(p_tags) > 0 THEN 'tags' ELSE 'id' END,
        CASE WHEN p_created_at IS NOT NULL THEN 'created_at' ELSE 'id' END,
        CASE WHEN jsonb_typeof(j->'allow_remix') = 'boolean' THEN 'allow_remix' ELSE 'id' END,
        CASE WHEN j->>'image_url' = p_picture THEN 'image_url' ELSE 'id' END,
        CASE WHEN v_sized THEN 'width' ELSE 'id' END,
        CASE WHEN v_sized THEN 'height' ELSE 'id' END];
END $$;

-- put(p_type, p_where): writes those of the batch that go into that type's table. Their users get
-- accounts, without credits.
CREATE OR REPLACE PROCEDURE genflow_migrate.put(p_type text, p_where text)
LANGUAGE plpgsql AS $$
DECLARE
    t record;
BEGIN
    SELECT * INTO STRICT t FROM genflow_migrate.types() y WHERE y.name = p_type;
    EXECUTE format($q$
        SELECT count(genflow.account_make(u.user_id))
          FROM (SELECT DISTINCT b.user_id FROM batch_rows b
                 WHERE b.outcome = 'moved' AND b.type = %L AND %s) u$q$, p_type, p_where);
    EXECUTE format($q$
        WITH put AS (
            INSERT INTO moved (legacy_id, source, type_no, id, user_id, hash, spelled)
            SELECT b.canon, b.source, %3$s, genflow_migrate.make_id(%3$s, b.created_at, b.canon),
                   b.user_id, md5(coalesce(b.picture, '')), nullif(b.legacy_id, b.canon)
              FROM batch_rows b WHERE b.outcome = 'moved' AND b.type = %4$L AND %5$s)
        INSERT INTO %1$I.%2$I (
            id, user_id, run_id, status, preset, prompt, source_url, parameters, seed, cost,
            max_retries, provider, model, provider_kind, provider_ref, image_url, original_url,
            persisted, result, error_code, error_message, created_at, finished_at, legacy_id,
            visibility, allow_remix, tags, meta)
        SELECT genflow_migrate.make_id(%3$s, b.created_at, b.canon), a.user_id, b.run_id,
               CASE WHEN b.state IN ('empty', 'unfinished') THEN 'failed' ELSE b.state END,
               b.preset, b.prompt, b.source_url,
               jsonb_strip_nulls(jsonb_build_object('negative_prompt', b.j->'negative_prompt',
                                                    'strength', b.j->'strength')),
               CASE WHEN b.meta->>'seed' ~ '^[0-9]{1,9}$' THEN (b.meta->>'seed')::bigint ELSE 0 END,
               0, 0, coalesce(b.j->>'provider', b.meta->>'provider'), b.j->>'model', r.kind, r.ref,
               CASE b.state WHEN 'completed' THEN b.picture END, b.picture,
               CASE b.state WHEN 'completed' THEN false END,
               CASE WHEN b.j->>'width' ~ '^[1-9][0-9]{0,5}$'
                   AND b.j->>'height' ~ '^[1-9][0-9]{0,5}$'
                    THEN jsonb_build_object('width', (b.j->>'width')::integer,
                                            'height', (b.j->>'height')::integer) END,
               CASE b.state WHEN 'failed' THEN 'API_ERROR' WHEN 'empty' THEN 'EMPTY_RESULT'
                            WHEN 'unfinished' THEN 'TIMEOUT' END,
               CASE b.state WHEN 'failed' THEN coalesce(left(b.meta->>'error', 500),
                                                        'It failed in the older system')
                            WHEN 'empty' THEN 'The older system has no picture of it'
                            WHEN 'unfinished' THEN 'The older system did not end it' END,
               b.created_at, greatest(b.created_at, b.updated_at), b.canon, b.visibility,
               b.allow_remix, b.tags, b.meta
          FROM batch_rows b
          JOIN genflow.accounts a ON a.realm = '' AND a.name = b.user_id
          LEFT JOIN LATERAL (
            SELECT k.kind, k.ref
              FROM (VALUES ('stability', coalesce(b.j->>'stability_job_id',
                  b.meta->>'stabilityJobId')),
                           ('aiml', coalesce(b.j->>'aiml_job_id', b.meta->>'aimlJobId')),
                           ('fal', coalesce(b.j->>'fal_job_id', b.meta->>'falJobId')),
                           ('replicate', coalesce(b.j->>'replicate_id',
                               b.j->>'replicate_prediction_id'))
                   ) AS k(kind, ref)
             WHERE k.ref <> '' LIMIT 1) r ON true
         WHERE b.outcome = 'moved' AND b.type = %4$L AND %5$s$q$,
        t.media_schema, t.media_table, t.no, p_type, p_where);
END $$;

-- put_each(p_type): the same row by row, because one of them cannot be written: that one is
-- rejected by what the database says.
CREATE OR REPLACE PROCEDURE genflow_migrate.put_each(p_type text)
LANGUAGE plpgsql AS $$
DECLARE
    v_id text;
BEGIN
    FOR v_id IN SELECT b.legacy_id FROM batch_rows b WHERE b.outcome = 'moved' AND b.type = p_type
        LOOP
        BEGIN
            CALL genflow_migrate.put(p_type, format('b.legacy_id = %L', v_id));
        EXCEPTION
        WHEN lock_not_available OR deadlock_detected OR query_canceled THEN
            RAISE;
        WHEN OTHERS THEN
            UPDATE batch_rows b SET outcome = 'rejected', reason = left(SQLERRM, 200)
             WHERE b.legacy_id = v_id AND b.nth = 1;
        END;
    END LOOP;
END $$;

-- note_batch(p_run, p_source): counts the batch, and keeps what was not moved.
CREATE OR REPLACE PROCEDURE genflow_migrate.note_batch(p_run integer, p_source text)
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM leftovers l USING batch_rows b
     WHERE l.source = p_source AND l.legacy_id = b.legacy_id;
    INSERT INTO leftovers (source, legacy_id, nth, outcome, reason, content)
    SELECT p_source, b.legacy_id, b.nth, b.outcome, b.reason, b.j FROM batch_rows b
     WHERE b.outcome IN ('unclassified', 'rejected');
    INSERT INTO counts AS c (run, source, outcome, type, reason, n)
    SELECT p_run, p_source, v.outcome, v.type, v.reason, count(*)
      FROM batch_rows b
     CROSS JOIN LATERAL (
        SELECT b.outcome, CASE b.outcome WHEN 'moved' THEN b.type ELSE '' END,
               CASE b.outcome WHEN 'moved' THEN 'rule ' || b.rule ELSE b.reason END
        UNION ALL
        SELECT 'note', '', k.says
          FROM (VALUES (b.unknown_user, 'its user is not in the table users'),
                       (b.undated, 'it has no created_at'),
                       (b.contradicts,
                           'visibility and is_public contradict each other; is_public counts '
                           'where it is true'),
                       (b.prompt = '', 'it has no prompt'),
                       (b.state = 'empty', 'it has no picture, and becomes a failed generation'),
                       (b.state = 'unfinished', 'it had not ended, and becomes a failed generation')
               ) AS k(holds, says)
         WHERE k.holds AND b.outcome = 'moved') v(outcome, type, reason)
     GROUP BY 3, 4, 5
    ON CONFLICT (run, source, outcome, type, reason) DO UPDATE SET n = c.n + EXCLUDED.n;
END $$;

-- move(...): all rows of a table, from where the run stopped.
CREATE OR REPLACE PROCEDURE genflow_migrate.move(p_run integer, p_source text, p_rel regclass,
                                                 p_schema text, p_size integer, p_write boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_type  text;
    v_from  text;
    v_to    text;
    v_where text;
    v_name  text;
    v_rows  bigint := 0;
    v_size  integer := p_size;
    v_begun timestamptz := clock_timestamp();
    v_told  timestamptz := clock_timestamp();
BEGIN
    -- with its length: 'abc'::character is 'a'
    SELECT format_type(a.atttypid, a.atttypmod) INTO v_type FROM pg_attribute a
     WHERE a.attrelid = p_rel AND a.attname = 'id' AND NOT a.attisdropped;
    IF v_type IS NULL THEN
        RAISE EXCEPTION 'genflow-migrate: % has no column id', p_rel;
    END IF;
    -- without an index each batch reads the whole table: fewer, larger ones
    IF NOT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
        AND a.attnum = i.indkey[0]
                    WHERE i.indrelid = p_rel AND a.attname = 'id' AND i.indpred IS NULL) THEN
        EXECUTE format('SELECT greatest($1, count(*) / 20) FROM %s', p_rel) INTO v_size
            USING p_size;
    END IF;
    INSERT INTO progress (run, source) VALUES (p_run, p_source) ON CONFLICT DO NOTHING;
    IF (SELECT g.finished FROM progress g WHERE g.run = p_run AND g.source = p_source) THEN
        RETURN;
    END IF;
    SELECT g.last_id INTO v_from FROM progress g WHERE g.run = p_run AND g.source = p_source;
    -- first those without an id, after which last_id is ''
    LOOP
        IF v_from IS NULL THEN
            v_where := 'coalesce(s.id::text, '''') = ''''';
            v_to := '';
        ELSE
            v_where := CASE v_from WHEN '' THEN 's.id IS NOT NULL AND s.id::text <> '''''
                       ELSE format('s.id > %L::%s', v_from, v_type) END;
            EXECUTE format('SELECT (SELECT s.id FROM %1$s s WHERE %2$s ORDER BY s.id LIMIT 1 '
                           'OFFSET %3$s)::text', p_rel, v_where, v_size - 1) INTO v_to;
            v_where := v_where || CASE WHEN v_to IS NULL THEN ''
                                  ELSE format(' AND s.id <= %L::%s', v_to, v_type) END;
        END IF;
        BEGIN
            CALL genflow_migrate.judge(genflow_migrate.row_query(p_source, p_rel, v_where),
                                       p_schema);
        EXCEPTION WHEN data_exception OR program_limit_exceeded OR out_of_memory THEN
            CALL genflow_migrate.judge(genflow_migrate.row_query(p_source, p_rel, v_where, true),
                                       p_schema);
        END;
        IF p_write THEN
            FOR v_name IN SELECT DISTINCT b.type FROM batch_rows b WHERE b.outcome = 'moved'
                ORDER BY 1 LOOP
                BEGIN
                    CALL genflow_migrate.put(v_name, 'true');
                EXCEPTION
                WHEN lock_not_available OR deadlock_detected OR query_canceled THEN
                    RAISE;
                WHEN OTHERS THEN
                    CALL genflow_migrate.put_each(v_name);
                END;
            END LOOP;
        ELSE
            INSERT INTO moved (legacy_id, source, type_no, id, user_id, hash, spelled)
            SELECT b.canon, b.source, 0, gen_random_uuid(), b.user_id,
                   md5(coalesce(b.picture, '')), nullif(b.legacy_id, b.canon)
              FROM batch_rows b WHERE b.outcome = 'moved';
        END IF;
        CALL genflow_migrate.note_batch(p_run, p_source);
        v_rows := v_rows + (SELECT count(*) FROM batch_rows);
        EXIT WHEN v_to IS NULL;
        UPDATE progress g SET last_id = v_to WHERE g.run = p_run AND g.source = p_source;
        COMMIT;
        v_from := v_to;
        IF clock_timestamp() - v_told > interval '5 seconds' THEN
            RAISE NOTICE '%: % rows so far, % rows/s', p_source, v_rows,
                round(v_rows / extract(epoch FROM clock_timestamp() - v_begun));
            v_told := clock_timestamp();
        END IF;
    END LOOP;
    UPDATE progress g SET finished = true WHERE g.run = p_run AND g.source = p_source;
    COMMIT;
    RAISE NOTICE '%: % rows in % s, % rows/s', p_source, v_rows, round(extract(epoch
        FROM clock_timestamp() - v_begun), 1),
        round(v_rows / extract(epoch FROM clock_timestamp() - v_begun));
END $$;

-- run(...): the run that was interrupted, or a new one: every table.
CREATE OR REPLACE PROCEDURE genflow_migrate.run(p_schema text, p_size integer, p_write boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_run   integer;
    v_wrong text;
    s       record;
BEGIN
    SELECT string_agg(format('rule %s names the type %s', r.no, r.type), ', ') INTO v_wrong
        FROM genflow_migrate.rules r
     WHERE r.type NOT IN (SELECT t.name FROM genflow_migrate.types() t);
    IF v_wrong IS NOT NULL THEN
        RAISE EXCEPTION 'genflow-migrate: %: there is no such type; correct genflow_migrate.rules',
            v_wrong;
    END IF;
    SELECT r.no INTO v_run FROM runs r WHERE r.finished_at IS NULL ORDER BY r.no LIMIT 1;
    IF v_run IS NULL THEN
        INSERT INTO runs (no) SELECT coalesce(max(r.no), 0) + 1 FROM runs r RETURNING no INTO v_run;
    ELSE
        RAISE NOTICE 'run % goes on where it was interrupted', v_run;
    END IF;
    COMMIT;
    FOR s IN SELECT * FROM genflow_migrate.sources(p_schema) LOOP
        CALL genflow_migrate.move(v_run, s.name, s.rel, p_schema, p_size, p_write);
    END LOOP;
    UPDATE runs r SET finished_at = clock_timestamp() WHERE r.no = v_run;
END $$;
