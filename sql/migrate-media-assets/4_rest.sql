-- SPDX-License-Identifier: Apache-2.0
-- What genflow-migrate does beside moving rows: names, credits, presets, generated ids, pictures;
-- and what proves that nothing is missing. Each act answers with lines for the report; with p_write
-- false it says what it would do.

-- set_aside(p_schema, p_write): tables with the names of ours become <name>_old, with their
-- indexes.
CREATE OR REPLACE FUNCTION genflow_migrate.set_aside(p_schema text, p_write boolean)
RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    v_name text;
    v_kind "char";
    v_rows bigint;
    i      record;
BEGIN
    FOR v_name IN SELECT * FROM genflow_migrate.in_the_way(p_schema) LOOP
        IF to_regclass(format('%I.%I', p_schema, v_name || '_old')) IS NOT NULL THEN
            RAISE EXCEPTION
                'genflow-migrate: %.% has the name of a table of mod_genflow, and %_old is '
                            'there, too: rename one of them', p_schema, v_name, v_name;
        END IF;
        EXECUTE format('SELECT count(*) FROM %I.%I', p_schema, v_name) INTO v_rows;
        RETURN NEXT format('%s.%s: %s to %s_old (rows: %s)', p_schema, v_name,
                           CASE WHEN p_write THEN 'renamed' ELSE 'is going to be renamed' END,
                               v_name, v_rows);
        IF p_write THEN
            SELECT c.relkind INTO v_kind FROM pg_class c WHERE c.oid = to_regclass(format('%I.%I',
                p_schema, v_name));
            FOR i IN SELECT c.relname FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
                      WHERE x.indrelid = to_regclass(format('%I.%I', p_schema, v_name))
                          AND starts_with(c.relname, v_name) LOOP
                EXECUTE format('ALTER INDEX %I.%I RENAME TO %I', p_schema, i.relname,
                               left(v_name || '_old' || substr(i.relname, length(v_name) + 1), 63));
            END LOOP;
            EXECUTE format('ALTER %s %I.%I RENAME TO %I', CASE v_kind WHEN 'v' THEN 'VIEW' WHEN 'm'
                THEN 'MATERIALIZED VIEW'
                               ELSE 'TABLE' END, p_schema, v_name, v_name || '_old');
        END IF;
    END LOOP;
END $$;

-- old_credits(p_schema): what the older system owes each user: the balance of user_credits, or, for
-- users who are not in it, the sum of credits_ledger less what was refunded there.
CREATE OR REPLACE FUNCTION genflow_migrate.old_credits(p_schema text)
RETURNS TABLE (source text, user_id text, amount bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_credits regclass := to_regclass(format('%I.user_credits', p_schema));
    v_ledger  regclass := to_regclass(format('%I.credits_ledger', p_schema));
    v_number  CONSTANT text :=
        'CASE WHEN %1$s ~ ''^-?[0-9]{1,15}(\.[0-9]*)?$'' THEN floor((%1$s)::numeric)::bigint END';
BEGIN
    IF v_credits IS NOT NULL THEN
        RETURN QUERY EXECUTE format($q$
            SELECT 'user_credits', c.j->>'user_id', sum(%s)::bigint
              FROM (SELECT to_jsonb(t) AS j FROM %s t) c GROUP BY 2$q$,
            format(v_number, 'coalesce(c.j->>''balance'', c.j->>''credits'')'), v_credits);
    END IF;
    IF v_ledger IS NOT NULL THEN
        RETURN QUERY EXECUTE format($q$
            SELECT 'credits_ledger', c.j->>'user_id', sum(%s)::bigint
              FROM (SELECT to_jsonb(t) AS j FROM %s t) c
             WHERE coalesce(c.j->>'status', '') <> 'refunded' AND NOT %s GROUP BY 2$q$,
            format(v_number, 'c.j->>''amount'''), v_ledger,
            CASE WHEN v_credits IS NULL THEN 'false' ELSE format(
                'EXISTS (SELECT FROM %s u WHERE u.user_id::text = c.j->>''user_id'')', v_credits)
                    END);
    END IF;
END $$;

-- credits(p_schema, p_write): balances become grants, each once: its reference names table and
-- user.
CREATE OR REPLACE PROCEDURE genflow_migrate.credits(p_schema text, p_write boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_done boolean := to_regclass('genflow.ledger') IS NOT NULL;
    r      record;
    n      integer := 0;
BEGIN
    CREATE TEMP TABLE IF NOT EXISTS credit_rows (
        source text, user_id text, amount bigint, ref text, outcome text);
    TRUNCATE credit_rows;
    INSERT INTO credit_rows
    SELECT o.source, o.user_id, o.amount, 'migrate:' || o.source || ':' || o.user_id,
           CASE WHEN coalesce(o.user_id, '') = '' THEN 'rejected: no user'
                WHEN length(o.user_id) > 255 THEN 'rejected: the user has more than 255 characters'
                WHEN o.amount IS NULL THEN 'rejected: no number'
                WHEN o.amount < 1 THEN 'nothing to grant' ELSE 'granted' END
      FROM genflow_migrate.old_credits(p_schema) o;
    IF v_done THEN
        EXECUTE $q$UPDATE credit_rows c SET outcome = 'already there'
                    WHERE c.outcome = 'granted'
                      AND EXISTS (SELECT FROM genflow.ledger l WHERE l.external_ref = c.ref)$q$;
    END IF;
    IF p_write THEN
        FOR r IN SELECT c.user_id, c.amount, c.ref FROM credit_rows c WHERE c.outcome = 'granted'
                  ORDER BY c.user_id LOOP
            EXECUTE 'SELECT genflow.grant_credits($1, $2, $3, $4)'
                USING r.user_id, r.amount, 'balance in the older system', r.ref;
            n := n + 1;
            IF n % 500 = 0 THEN
                COMMIT;
            END IF;
        END LOOP;
    END IF;
END $$;

-- presets(p_schema, p_write): rows of the older presets_config become presets; keys that are there
-- stay as they are.
CREATE OR REPLACE FUNCTION genflow_migrate.presets(p_schema text, p_write boolean)
    RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    v_old   regclass := to_regclass(format('%I.presets_config', p_schema));
    v_moved integer := 0;
    v_there integer := 0;
    v_all   integer := 0;
    v_wrong text[] := '{}';
    v_hit   boolean;
    r       record;
BEGIN
    IF v_old IS NULL THEN
        RETURN;
    END IF;
    FOR r IN EXECUTE format($q$
        SELECT coalesce(j->>'preset_key', j->>'key') AS key,
               left(coalesce(nullif(coalesce(j->>'preset_name', j->>'label', j->>'name'), ''),
                   j->>'preset_key', j->>'key'), 100) AS label,
               left(coalesce(j->>'preset_description', j->>'description', ''), 500) AS description,
               left(coalesce(nullif(coalesce(j->>'preset_category', j->>'category'), ''),
                   'presets'), 50) AS category,
               coalesce(j->>'preset_prompt', j->>'prompt', '') AS prompt,
               coalesce(j->>'preset_negative_prompt', j->>'negative_prompt') AS negative_prompt,
               coalesce(j->>'preset_strength', j->>'strength') AS strength,
               coalesce(j->>'preset_rotation_index', j->>'rotation_index') AS rotation_index,
               coalesce(j->>'preset_week', j->>'week') AS week,
               coalesce(j->>'is_active', 'true') = 'true' AS is_active
          FROM (SELECT to_jsonb(t) AS j FROM %s t) o ORDER BY 1$q$, v_old) LOOP
        v_all := v_all + 1;
        BEGIN
            v_hit := to_regclass('genflow.presets_config') IS NOT NULL;
            IF v_hit THEN
                EXECUTE 'SELECT EXISTS (SELECT FROM genflow.presets_config p WHERE p.type '
                                                            '= ''presets'' AND p.key = $1)'
                   INTO v_hit USING r.key;
            END IF;
            IF v_hit THEN
                v_there := v_there + 1;
                CONTINUE;
            ELSIF p_write THEN
                EXECUTE 'INSERT INTO genflow.presets_config (type, key, label, description, '
                        'category, prompt, '
                        'negative_prompt, strength, rotation_index, preset_week, is_active) '
                        'VALUES (''presets'', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)'
                  USING r.key, r.label, r.description, r.category, r.prompt, r.negative_prompt,
                      r.strength::numeric,
                        r.rotation_index::integer, r.week::integer, r.is_active;
            ELSIF coalesce(r.key, '') !~ '^[A-Za-z0-9._:-]{1,64}$' THEN
                RAISE EXCEPTION 'its key cannot be one of ours';
            END IF;
            v_moved := v_moved + 1;
        EXCEPTION WHEN OTHERS THEN
            v_wrong := v_wrong || format('presets_config %s: rejected: %s', coalesce(r.key,
                '(no key)'), SQLERRM);
        END;
    END LOOP;
    RETURN NEXT format('presets_config: %s = %s moved + %s already there + %s rejected', v_all,
        v_moved, v_there,
                       cardinality(v_wrong));
    RETURN QUERY SELECT unnest(v_wrong);
END $$;

-- ids(p_schema, p_write): old assets, auth_otps and presets_config get generated ids where they
-- have none.
CREATE OR REPLACE FUNCTION genflow_migrate.ids(p_schema text, p_write boolean) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    v_table text;
    v_rel   regclass;
    v_kind  text;
    v_to    text;
    v_next  bigint;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['assets', 'auth_otps', 'presets_config'] LOOP
        v_rel := to_regclass(format('%I.%I', p_schema, v_table));
        CONTINUE WHEN v_rel IS NULL OR (SELECT c.relkind FROM pg_class c
            WHERE c.oid = v_rel) NOT IN ('r', 'p');
        SELECT format_type(a.atttypid, NULL) INTO v_kind FROM pg_attribute a
         WHERE a.attrelid = v_rel AND a.attname = 'id' AND NOT a.attisdropped;
        CONTINUE WHEN v_kind IS NOT NULL AND EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = v_rel AND a.attname = 'id'
                AND (a.atthasdef OR a.attidentity <> ''));
        v_to := CASE WHEN v_kind IS NULL THEN 'a column id'
                     WHEN v_kind IN ('text', 'character varying', 'uuid', 'integer', 'bigint',
                         'smallint') THEN 'generated ids' END;
        RETURN NEXT CASE WHEN v_to IS NULL
            THEN format('%s: its id of type %s stays without a default', v_table, v_kind)
                         ELSE format('%s: %s %s', v_table, CASE WHEN p_write THEN 'got'
                             ELSE 'is going to get' END, v_to) END;
        CONTINUE WHEN v_to IS NULL OR NOT p_write;
        IF v_kind IS NULL THEN
            EXECUTE format('ALTER TABLE %s ADD COLUMN id bigint GENERATED BY DEFAULT AS IDENTITY',
                v_rel);
        ELSIF v_kind IN ('text', 'character varying', 'uuid') THEN
            v_to := CASE v_kind WHEN 'uuid' THEN 'gen_random_uuid()' ELSE 'gen_random_uuid()::text'
                END;
            EXECUTE format('ALTER TABLE %s ALTER id SET DEFAULT %s', v_rel, v_to);
            EXECUTE format('UPDATE %s SET id = %s WHERE id IS NULL', v_rel, v_to);
        ELSE
            EXECUTE format('CREATE SEQUENCE %I.%I OWNED BY %I.%I.id', p_schema,
                v_table || '_id_generated', p_schema, v_table);
            EXECUTE format('SELECT coalesce(max(id), 0) + 1 FROM %s', v_rel) INTO v_next;
            PERFORM setval(format('%I.%I', p_schema, v_table || '_id_generated')::regclass, v_next,
                false);
            EXECUTE format('ALTER TABLE %s ALTER id SET DEFAULT nextval(%L)', v_rel,
                           format('%I.%I', p_schema, v_table || '_id_generated'));
            EXECUTE format('UPDATE %s SET id = DEFAULT WHERE id IS NULL', v_rel);
        END IF;
    END LOOP;
END $$;

-- report(p_schema, p_show): the last run, whose numbers balance. p_show: how many of the rows that
-- were not moved it lists.
CREATE OR REPLACE FUNCTION genflow_migrate.report(p_schema text, p_show bigint) RETURNS SETOF text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_run integer := (SELECT max(r.no) FROM runs r);
BEGIN
    RETURN QUERY
    WITH tables AS (
        SELECT s.name, coalesce(sum(c.n) FILTER (WHERE c.outcome <> 'note'), 0) AS seen,
               coalesce(sum(c.n) FILTER (WHERE c.outcome = 'moved'), 0) AS moved,
               coalesce(sum(c.n) FILTER (WHERE c.outcome = 'already'), 0) AS already,
               coalesce(sum(c.n) FILTER (WHERE c.outcome = 'unclassified'), 0) AS unclassified,
               coalesce(sum(c.n) FILTER (WHERE c.outcome = 'rejected'), 0) AS rejected
          FROM genflow_migrate.sources(p_schema) s LEFT JOIN counts c ON c.run = v_run
              AND c.source = s.name
         GROUP BY s.name),
    lines AS (
        SELECT 1 AS part, t.name AS place,
            format('%s: %s = %s moved + %s already there + %s unclassified + %s rejected',
                      t.name, t.seen, t.moved, t.already, t.unclassified, t.rejected) AS line
                          FROM tables t
        UNION ALL
        SELECT 2, '',
            format('all: %s = %s moved + %s already there + %s unclassified + %s rejected',
                      sum(t.seen), sum(t.moved), sum(t.already), sum(t.unclassified),
                          sum(t.rejected)) FROM tables t
        UNION ALL
        SELECT 3, c.source || c.type || lpad(c.reason, 9), format('  moved: %s to %s by %s%s: %s',
            c.source, c.type, c.reason,
                      (SELECT format(' (%s like %s)', r.field, r.pattern)
                          FROM genflow_migrate.rules r
                        WHERE 'rule ' || r.no = c.reason), c.n)
          FROM counts c WHERE c.run = v_run AND c.outcome = 'moved'
        UNION ALL
        SELECT 4, c.outcome || c.source || c.reason, format('  %s: %s%s: %s', CASE c.outcome
            WHEN 'already' THEN 'already there' ELSE c.outcome END,
                      c.source, ': ' || nullif(c.reason, ''), c.n)
          FROM counts c WHERE c.run = v_run AND c.outcome <> 'moved')
    SELECT l.line FROM lines l ORDER BY l.part, l.place;
    RETURN QUERY
    SELECT format('  %s %s%s: %s: %s', l.source, coalesce(nullif(l.legacy_id, ''), '(no id)'),
                  CASE WHEN l.nth > 1 THEN ' row ' || l.nth ELSE '' END, l.outcome, l.reason)
      FROM leftovers l WHERE l.source IN (SELECT s.name FROM genflow_migrate.sources(p_schema) s)
     ORDER BY l.source, l.outcome, l.reason, l.legacy_id, l.nth LIMIT p_show;
    RETURN QUERY
    SELECT format('  ... and %s more; all of them are in genflow_migrate.leftovers',
        count(*) - p_show)
      FROM leftovers l HAVING count(*) > p_show;
END $$;

-- credit_report(p_schema): what credits() found.
CREATE OR REPLACE FUNCTION genflow_migrate.credit_report(p_schema text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    v_open text;
BEGIN
    RETURN QUERY
    SELECT format('%s, by user: %s = %s granted (%s credits) + %s already there + %s nothing to '
                  'grant + %s rejected', c.source, count(*),
                  count(*) FILTER (WHERE c.outcome = 'granted'), coalesce(sum(c.amount)
                      FILTER (WHERE c.outcome = 'granted'), 0),
                  count(*) FILTER (WHERE c.outcome = 'already there'), count(*)
                      FILTER (WHERE c.outcome = 'nothing to grant'),
                  count(*) FILTER (WHERE c.outcome LIKE 'rejected%'))
      FROM credit_rows c GROUP BY c.source ORDER BY c.source DESC;
    RETURN QUERY SELECT format('  %s %s: %s', c.source, left(coalesce(c.user_id, '(none)'), 80),
        c.outcome) FROM credit_rows c
                  WHERE c.outcome LIKE 'rejected%' ORDER BY 1 LIMIT 50;
    IF to_regclass(format('%I.credits_ledger', p_schema)) IS NOT NULL THEN
        EXECUTE format($q$SELECT
            format('credits_ledger: entries still reserved: %%s; the older system has taken '
                   'them from the balance, '
                                        'and they are not given back', count(*))
                            FROM (SELECT to_jsonb(t) AS j FROM %I.credits_ledger t) o
                                WHERE o.j->>'status' = 'reserved' HAVING count(*) > 0$q$,
                       p_schema) INTO v_open;
        RETURN QUERY SELECT v_open WHERE v_open IS NOT NULL;
    END IF;
END $$;

-- verify(p_schema): lines of what is missing or different; none: all rows are in their places.
CREATE OR REPLACE FUNCTION genflow_migrate.verify(p_schema text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    v_n bigint;
    s   record;
    t   record;
BEGIN
    IF to_regclass('genflow.types') IS NULL THEN
        RETURN NEXT 'mod_genflow''s schema is not there: run genflow-migrate --apply';
        RETURN;
    END IF;
    RETURN QUERY SELECT
        format('%s.%s still has the name of a table of mod_genflow: run genflow-migrate --apply',
        p_schema, w)
                   FROM genflow_migrate.in_the_way(p_schema) w;
    RETURN QUERY SELECT format('run %s was interrupted: run genflow-migrate --apply', r.no)
        FROM genflow_migrate.runs r
                  WHERE r.finished_at IS NULL;
    CREATE TEMP TABLE IF NOT EXISTS seen_rows (source text, legacy_id text, nth bigint,
        user_id text, prompt text, picture text, created_at timestamptz);
    TRUNCATE seen_rows;
    FOR s IN SELECT * FROM genflow_migrate.sources(p_schema) LOOP
        EXECUTE format('INSERT INTO seen_rows SELECT n.source, n.legacy_id, n.nth, n.user_id, '
                       'n.prompt, n.picture, n.created_at FROM (%s) n',
                       genflow_migrate.row_query(s.name, s.rel, 'true'));
    END LOOP;
    ANALYZE seen_rows;
    RETURN QUERY
    SELECT format('%s: rows neither moved nor listed as not moved: %s, the first is %s: '
           'run genflow-migrate --apply',
                  r.source, count(*), min(r.legacy_id))
      FROM seen_rows r
      LEFT JOIN genflow_migrate.moved m ON m.legacy_id = r.legacy_id AND r.nth = 1
      LEFT JOIN genflow_migrate.leftovers l ON l.source = r.source AND l.legacy_id = r.legacy_id
          AND l.nth = r.nth
     WHERE m.legacy_id IS NULL AND l.legacy_id IS NULL GROUP BY r.source;
    FOR t IN SELECT * FROM genflow_migrate.types() LOOP
        RETURN QUERY EXECUTE format($q$
            SELECT format('%%s: generations that differ from their older rows: %%s, '
                          'the first is %%s', %3$L, count(*), min(m.legacy_id))
              FROM genflow_migrate.moved m
              JOIN seen_rows r ON r.legacy_id = m.legacy_id AND r.source = m.source AND r.nth = 1
              JOIN %1$I.%2$I g ON g.id = m.id
             WHERE m.type_no = %4$s AND (g.legacy_id, g.user_id, g.prompt, g.original_url,
                 g.created_at) IS DISTINCT FROM
                   (r.legacy_id, r.user_id, r.prompt, r.picture, coalesce(r.created_at,
                       g.created_at))
            HAVING count(*) > 0$q$, t.media_schema, t.media_table, t.name, t.no);
    END LOOP;
    CALL genflow_migrate.credits(p_schema, false);
    RETURN QUERY SELECT format('%s: users without their grant: %s: run genflow-migrate --apply',
        c.source, count(*)) FROM credit_rows c
                  WHERE c.outcome = 'granted' GROUP BY c.source;
    RETURN QUERY EXECUTE
        'SELECT format(''genflow.check(): %s: %s, for example %s'', c.rule, c.n, c.sample) FROM '
                                                            'genflow.check() c';
END $$;

-- gone(): how many moved generations their users have deleted since.
CREATE OR REPLACE FUNCTION genflow_migrate.gone() RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_all bigint := 0;
    v_n   bigint;
    t     record;
BEGIN
    FOR t IN SELECT * FROM genflow_migrate.types() LOOP
        EXECUTE format('SELECT count(*) FROM genflow_migrate.moved m WHERE m.type_no = %s AND '
                       'NOT EXISTS (SELECT FROM %I.%I g WHERE g.id = m.id)',
                       t.no, t.media_schema, t.media_table) INTO v_n;
        v_all := v_all + v_n;
    END LOOP;
    RETURN v_all;
END $$;

-- drop_sources(p_schema, p_leftovers): drops the tables that were moved. p_leftovers: although rows
-- of them were not moved, which are then in genflow_migrate.leftovers alone.
CREATE OR REPLACE FUNCTION genflow_migrate.drop_sources(p_schema text, p_leftovers boolean)
    RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    v_first text;
    s       record;
BEGIN
    IF NOT EXISTS (SELECT FROM genflow_migrate.verified v
                    WHERE v.run = (SELECT max(r.no) FROM genflow_migrate.runs r)) THEN
        RAISE EXCEPTION
            'genflow-migrate: nothing is dropped: run genflow-migrate --verify after the last '
            '--apply';
    END IF;
    SELECT v INTO v_first FROM genflow_migrate.verify(p_schema) v LIMIT 1;
    IF v_first IS NOT NULL THEN
        RAISE EXCEPTION 'genflow-migrate: nothing is dropped: %', v_first;
    END IF;
    IF NOT p_leftovers AND EXISTS (SELECT FROM genflow_migrate.leftovers) THEN
        RAISE EXCEPTION
            'genflow-migrate: nothing is dropped: rows not moved: % '
            '(genflow_migrate.leftovers has all of '
                        'them); say --accept-leftovers if they may stay there alone',
                            (SELECT count(*) FROM genflow_migrate.leftovers);
    END IF;
    IF EXISTS (SELECT FROM pg_class c
                 JOIN pg_rewrite w ON w.ev_class = c.oid
                 JOIN pg_depend d ON d.objid = w.oid AND d.classid = 'pg_rewrite'::regclass
                 JOIN genflow_migrate.sources(p_schema) x ON x.rel = d.refobjid
                WHERE c.oid = to_regclass(format('%I.assets', p_schema)) AND c.relkind = 'v') THEN
        EXECUTE format('DROP VIEW %I.assets', p_schema);
        RETURN NEXT format('dropped: view %s.assets', p_schema);
    END IF;
    FOR s IN SELECT x.rel, c.relkind FROM genflow_migrate.sources(p_schema) x
        JOIN pg_class c ON c.oid = x.rel ORDER BY c.relkind = 'v' DESC LOOP
        RETURN NEXT format('dropped: %s', s.rel);
        EXECUTE format('DROP %s %s', CASE s.relkind WHEN 'v' THEN 'VIEW' WHEN 'm'
            THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, s.rel);
    END LOOP;
END $$;

-- fetch(p_limit, p_rate, p_again): gives pictures that are elsewhere to httpd's dispatchers, which
-- fetch and store them as they do with a picture that the store had refused (genflow.restores):
-- p_rate per second, p_limit in all. p_again: those, too, that were given up before.
CREATE OR REPLACE FUNCTION genflow_migrate.fetch(p_limit bigint, p_rate numeric, p_again boolean)
    RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    v_left   bigint := p_limit;
    v_n      bigint;
    v_queued bigint := 0;
    v_sum    bigint[] := '{0,0,0,0,0}';
    v_one    bigint[];
    t        record;
BEGIN
    FOR t IN SELECT * FROM genflow_migrate.types() LOOP
        IF p_again THEN
            EXECUTE format('DELETE FROM genflow_migrate.fetched f USING %1$I.%2$I m WHERE f.id = '
                           'm.id AND NOT m.persisted '
                           'AND NOT EXISTS (SELECT FROM genflow.restores r WHERE r.job_id = f.id)',
                               t.media_schema, t.media_table);
        END IF;
        EXECUTE format($q$
            WITH due AS (
                SELECT m.id, m.image_url, row_number() OVER () + $3 AS place
                  FROM (SELECT m.id, m.image_url FROM %1$I.%2$I m
                         WHERE m.legacy_id IS NOT NULL AND m.status = 'completed'
                             AND NOT m.persisted
                           AND m.image_url ~ '^https?://'
                           AND EXISTS (SELECT FROM genflow_migrate.moved v
                               WHERE v.legacy_id = m.legacy_id)
                           AND NOT EXISTS (SELECT FROM genflow_migrate.fetched f WHERE f.id = m.id)
                         ORDER BY m.id DESC LIMIT $1) m),
            queued AS (
                INSERT INTO genflow.restores (job_id, type_no, url, due_at, expires_at,
                    picture_secret)
                SELECT d.id, %3$s, d.image_url,
                    clock_timestamp() + d.place * interval '1 second' / $2, NULL,
                       left(encode(sha256(uuid_send(gen_random_uuid()) ||
                           uuid_send(gen_random_uuid())), 'hex'), 32)
                  FROM due d
                ON CONFLICT DO NOTHING RETURNING job_id)
            INSERT INTO genflow_migrate.fetched (id, type_no) SELECT q.job_id, %3$s
                FROM queued q$q$,
            t.media_schema, t.media_table, t.no) USING v_left, p_rate, v_queued;
        GET DIAGNOSTICS v_n = ROW_COUNT;
        v_left := v_left - v_n;
        v_queued := v_queued + v_n;
    END LOOP;
    FOR t IN SELECT * FROM genflow_migrate.types() LOOP
        EXECUTE format($q$
            SELECT ARRAY[count(*) FILTER (WHERE m.persisted), count(*) FILTER (WHERE NOT m.persisted
                AND r.job_id IS NOT NULL),
                         count(*) FILTER (WHERE NOT m.persisted AND r.job_id IS NULL
                             AND f.id IS NOT NULL),
                         count(*) FILTER (WHERE NOT m.persisted AND f.id IS NULL
                             AND m.image_url ~ '^https?://'),
                         count(*) FILTER (WHERE NOT m.persisted AND m.image_url !~ '^https?://')]
              FROM %1$I.%2$I m LEFT JOIN genflow.restores r ON r.job_id = m.id LEFT
                  JOIN genflow_migrate.fetched f ON f.id = m.id
             WHERE m.status = 'completed' AND EXISTS (SELECT FROM genflow_migrate.moved v
                 WHERE v.legacy_id = m.legacy_id)$q$, t.media_schema, t.media_table) INTO v_one;
        SELECT array_agg(a + b ORDER BY o) INTO v_sum FROM unnest(v_sum, v_one) WITH ORDINALITY
            AS u(a, b, o);
    END LOOP;
    RETURN NEXT
        format('pictures: %s = %s stored + %s waiting to be fetched + %s given up + %s not asked '
               'for yet + %s at addresses of this site',
                       (SELECT sum(n) FROM unnest(v_sum) n), v_sum[1], v_sum[2], v_sum[3], v_sum[4],
                           v_sum[5]);
    IF v_sum[3] > 0 THEN
        RETURN NEXT
            '  given up: the address no longer answers with a picture (GF0416 in the error log '
            'names each); --fetch --again asks once more';
    END IF;
END $$;
