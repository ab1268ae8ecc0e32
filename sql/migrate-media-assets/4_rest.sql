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
            EXECUTE format('ALTER %s %I.%I RENAME TO %I', CASE v_kind WHEN 'v' THEN 'VIEW'
                               WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE'
                               ELSE 'TABLE' END, p_schema, v_name, v_name || '_old');
        END IF;
    END LOOP;
END $$;

-- number_of(p_text): a number of credits; NULL: it is none, or one of more than 15 digits.
CREATE OR REPLACE FUNCTION genflow_migrate.number_of(p_text text) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_text ~ '^-?[0-9]{1,15}(\.[0-9]*)?$' THEN p_text::numeric END
$$;

-- old_rows(p_schema, p_table): the rows of a table of the older system, as JSON, and their users.
-- None: it has no such table.
CREATE OR REPLACE FUNCTION genflow_migrate.old_rows(p_schema text, p_table text)
RETURNS TABLE (j jsonb, user_id text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF to_regclass(format('%I.%I', p_schema, p_table)) IS NOT NULL THEN
        RETURN QUERY EXECUTE format(
            'SELECT o.j, genflow_migrate.user_of(o.j->>''user_id'', $1) '
            'FROM (SELECT genflow_migrate.json_of(t, NULL) AS j FROM %I.%I t OFFSET 0) o',
            p_schema, p_table) USING genflow_migrate.user_uuids(p_schema);
    END IF;
END $$;

-- old_credits(p_schema): what the older system owes each user: the balance of user_credits, or, for
-- users who are not in it, the sum of credits_ledger less what was refunded there. amount NULL: a
-- row of the user has no number. spellings: of the user's name.
CREATE OR REPLACE FUNCTION genflow_migrate.old_credits(p_schema text)
RETURNS TABLE (source text, user_id text, amount bigint, spellings text[])
LANGUAGE sql STABLE AS $$
    WITH credits AS (
        SELECT o.user_id, o.j->>'user_id' AS spelled,
               genflow_migrate.number_of(coalesce(o.j->>'balance', o.j->>'credits')) AS n
          FROM genflow_migrate.old_rows(p_schema, 'user_credits') o),
    entries AS (
        SELECT o.user_id, o.j->>'user_id' AS spelled,
               genflow_migrate.number_of(o.j->>'amount') AS n
          FROM genflow_migrate.old_rows(p_schema, 'credits_ledger') o
         WHERE lower(coalesce(o.j->>'status', '')) <> 'refunded'
           AND NOT (lower(coalesce(o.j->>'status', '')) = 'reserved'
                    AND coalesce(genflow_migrate.number_of(o.j->>'amount'), 0) > 0)
           AND NOT EXISTS (SELECT FROM credits c WHERE c.user_id = o.user_id))
    SELECT v.source, v.user_id,
           CASE WHEN count(v.n) = count(*) THEN floor(sum(v.n)) END::bigint,
           array_agg(DISTINCT v.spelled)
      FROM (SELECT 'user_credits' AS source, c.* FROM credits c
            UNION ALL SELECT 'credits_ledger', e.* FROM entries e) v
     GROUP BY 1, 2
$$;

-- old_pictures(p_schema): fills the table old_pictures: when users who have something reserved got
-- their pictures.
CREATE OR REPLACE PROCEDURE genflow_migrate.old_pictures(p_schema text)
LANGUAGE plpgsql AS $$
DECLARE
    v_uuids   boolean := genflow_migrate.user_uuids(p_schema);
    v_picture text;
    s         record;
BEGIN
    CREATE TEMP TABLE IF NOT EXISTS old_pictures (user_id text, at timestamptz);
    TRUNCATE old_pictures;
    FOR s IN SELECT x.rel FROM genflow_migrate.sources(p_schema) x
              WHERE EXISTS (SELECT FROM pg_attribute a
                             WHERE a.attrelid = x.rel AND a.attname = 'user_id') LOOP
        SELECT string_agg(format('s.%I::text', a.attname), ', ') INTO v_picture FROM pg_attribute a
         WHERE a.attrelid = s.rel AND a.attname IN ('final_url', 'result_url', 'image_url',
                                                    'cloudinary_url', 'url');
        CONTINUE WHEN v_picture IS NULL;
        EXECUTE format($q$
            INSERT INTO old_pictures
            SELECT genflow_migrate.user_of(s.user_id::text, %1$L), %2$s FROM %3$s s
             WHERE concat(%4$s) <> '' AND genflow_migrate.user_of(s.user_id::text, %1$L) IN (
                   SELECT e.user_id FROM old_entries e WHERE e.reserved)$q$,
            v_uuids, genflow_migrate.time_query(s.rel, 'created_at'), s.rel, v_picture);
    END LOOP;
    CREATE INDEX IF NOT EXISTS old_pictures_user ON old_pictures (user_id, at);
END $$;

-- old_reserved(p_schema, p_reserved): fills the table old_entries with the entries of
-- credits_ledger that spent credits. The older system took a reservation from the balance at once;
-- some of its front ends never said how it ended. So an open one counts as spent if its user got a
-- picture before the user's next entry, within an hour; else it is to be given back. p_reserved:
-- 'unspent' that; 'all' each is to be given back; 'none' no one is.
CREATE OR REPLACE PROCEDURE genflow_migrate.old_reserved(p_schema text, p_reserved text)
LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMP TABLE IF NOT EXISTS old_entries (
        key text, user_id text, amount bigint, reserved boolean, at timestamptz, until timestamptz,
        nth bigint, outcome text);
    TRUNCATE old_entries;
    INSERT INTO old_entries
    SELECT CASE WHEN octet_length(e.name) <= 200 THEN e.name ELSE md5(e.name) END, e.user_id,
           floor(-e.n)::bigint, e.reserved, e.at,
           least(lead(e.at) OVER (PARTITION BY e.user_id ORDER BY e.at), e.at + interval '1 hour'),
           row_number() OVER (PARTITION BY e.name, e.reserved ORDER BY e.at, e.line), 'open'
      FROM (SELECT coalesce(nullif(o.j->>'id', ''), nullif(o.j->>'request_id', ''),
                            md5(o.j::text)) AS name,
                   o.user_id, genflow_migrate.number_of(o.j->>'amount') AS n, o.j::text AS line,
                   lower(o.j->>'status') = 'reserved' IS TRUE AS reserved,
                   genflow_migrate.time_of(o.j->>'created_at') AS at
              FROM genflow_migrate.old_rows(p_schema, 'credits_ledger') o
             WHERE lower(coalesce(o.j->>'status', '')) <> 'refunded') e
     WHERE e.reserved OR e.n < 0;
    IF NOT EXISTS (SELECT FROM old_entries e WHERE e.reserved) THEN
        RETURN;
    END IF;
    IF p_reserved = 'unspent' THEN
        CALL genflow_migrate.old_pictures(p_schema);
        UPDATE old_entries e SET outcome = 'spent'
         WHERE e.reserved AND EXISTS (SELECT FROM old_pictures p WHERE p.user_id = e.user_id
                                         AND p.at >= e.at AND p.at < e.until);
    ELSIF p_reserved = 'none' THEN
        UPDATE old_entries e SET outcome = 'spent' WHERE e.reserved;
    END IF;
END $$;

-- credits(p_schema, p_write, p_reserved): balances, and what is still reserved, become grants, each
-- once: the reference has the table and the account's number, or the entry. A user who has nothing
-- gets an account, so that GenflowCreditInitial gives no first credits again.
-- genflow_migrate.reserved keeps what was decided about an entry: its picture may be dropped later.
CREATE OR REPLACE PROCEDURE genflow_migrate.credits(p_schema text, p_write boolean,
                                                    p_reserved text)
LANGUAGE plpgsql AS $$
DECLARE
    v_here boolean := to_regprocedure('genflow.account_make(text)') IS NOT NULL;
    r      record;
    n      integer := 0;
BEGIN
    CREATE TEMP TABLE IF NOT EXISTS credit_rows (
        source text, user_id text, key text, amount bigint, names text[], outcome text);
    TRUNCATE credit_rows;
    CALL genflow_migrate.old_reserved(p_schema, p_reserved);
    INSERT INTO credit_rows
    SELECT v.source, v.user_id, v.key, v.amount, v.names,
           CASE WHEN v.user_id IS NULL THEN 'rejected: no user'
                WHEN length(v.user_id) > 255 THEN 'rejected: the user has more than 255 characters'
                WHEN v.user_id ~ '[[:cntrl:]]' THEN 'rejected: the user has control characters'
                WHEN v.nth > 1 THEN 'rejected: an earlier entry has this id'
                WHEN v.amount IS NULL THEN 'rejected: no number'
                WHEN v.key IS NOT NULL AND v.amount < 0 THEN 'rejected: it adds credits'
                WHEN v.outcome = 'spent' THEN 'spent'
                WHEN v.amount < 1 THEN 'nothing to grant' ELSE 'granted' END
      FROM (SELECT o.source, o.user_id, NULL AS key, o.amount, 1 AS nth, 'open' AS outcome,
                   o.user_id || o.spellings AS names
              FROM genflow_migrate.old_credits(p_schema) o
            UNION ALL
            SELECT 'reserved', e.user_id, e.key, e.amount, e.nth, e.outcome, NULL
              FROM old_entries e WHERE e.reserved) v;
    UPDATE credit_rows c SET outcome = 'already there'
     WHERE c.outcome IN ('granted', 'spent')
       AND EXISTS (SELECT FROM genflow_migrate.reserved d WHERE d.key = c.key);
    IF v_here THEN
        EXECUTE $q$UPDATE credit_rows c SET outcome = 'already there'
                    WHERE c.outcome = 'granted'
                      AND (EXISTS (SELECT FROM genflow.ledger l
                                    WHERE l.external_ref = 'migrate:reserved:' || c.key)
                           OR EXISTS (SELECT FROM genflow.accounts a JOIN genflow.ledger l
                                          ON l.user_id = a.user_id
                                       WHERE a.realm = '' AND a.name = ANY (c.names)
                                         AND starts_with(l.external_ref || ':', format(
                                             'migrate:%s:%s:', c.source, a.user_id))))$q$;
    END IF;
    IF NOT p_write THEN
        RETURN;
    END IF;
    INSERT INTO genflow_migrate.reserved (key, user_id, amount, outcome)
    SELECT c.key, c.user_id, c.amount, 'spent' FROM credit_rows c
     WHERE c.key IS NOT NULL AND c.outcome = 'spent';
    EXECUTE $q$INSERT INTO genflow.accounts AS a (name)
               SELECT DISTINCT c.user_id FROM credit_rows c WHERE c.outcome = 'nothing to grant'
                ORDER BY 1 ON CONFLICT (realm, name) DO UPDATE SET opened = true WHERE NOT a.opened
               $q$;
    FOR r IN SELECT c.source, c.user_id, c.key, c.amount FROM credit_rows c
              WHERE c.outcome = 'granted' ORDER BY c.user_id, c.source, c.key LOOP
        EXECUTE 'SELECT genflow.grant_credits($1, $2, $3, ''migrate:'' || $4 || '':'' || coalesce('
                '$5, genflow.account_make($1)::text))'
            USING r.user_id, r.amount, CASE r.source WHEN 'reserved'
                THEN 'reserved in the older system' ELSE 'balance in the older system' END,
                r.source, r.key;
        INSERT INTO genflow_migrate.reserved (key, user_id, amount, outcome)
        SELECT r.key, r.user_id, r.amount, 'given back' WHERE r.key IS NOT NULL;
        n := n + 1;
        IF n % 500 = 0 THEN
            COMMIT;
        END IF;
    END LOOP;
END $$;

-- settings(p_schema, p_write): the switches of the older user_settings, in columns of their own or
-- in an object `settings`. What a user has set here stays. A user with several rows has a switch on
-- if all of them have it on: share_to_feed publishes pictures.
CREATE OR REPLACE PROCEDURE genflow_migrate.settings(p_schema text, p_write boolean)
LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMP TABLE IF NOT EXISTS setting_rows (user_id text, settings jsonb, outcome text);
    TRUNCATE setting_rows;
    INSERT INTO setting_rows
    SELECT v.user_id, v.settings,
           CASE WHEN v.user_id IS NULL THEN 'rejected: no user'
                WHEN length(v.user_id) > 255 THEN 'rejected: the user has more than 255 characters'
                WHEN v.user_id ~ '[[:cntrl:]]' THEN 'rejected: the user has control characters'
                WHEN v.wrong IS NOT NULL THEN 'rejected: neither true nor false: ' || v.wrong
                WHEN v.settings = '{}' THEN 'nothing to move' ELSE 'moved' END
      FROM (SELECT w.user_id, min(w.name) FILTER (WHERE w.said <> '' AND w.is_on IS NULL) AS wrong,
                   coalesce(jsonb_object_agg(w.name, w.all_on) FILTER (WHERE w.all_on IS NOT NULL),
                            '{}') AS settings
              FROM (SELECT o.user_id, k.name, x.said, x.is_on,
                           bool_and(x.is_on) OVER (PARTITION BY o.user_id, k.name) AS all_on
                      FROM (SELECT t.user_id, t.j, genflow_migrate.object_of(t.j->'settings') AS s
                              FROM genflow_migrate.old_rows(p_schema, 'user_settings') t) o
                     CROSS JOIN (VALUES ('media_upload_agreed', 'mediaUploadAgreed'),
                                        ('share_to_feed', 'shareToFeed')) AS k(name, camel)
                     CROSS JOIN LATERAL (
                        SELECT p.said, CASE WHEN genflow_migrate.is_true(p.said) THEN true
                                            WHEN lower(btrim(p.said)) IN ('false', 'f', 'no', 'n',
                                                                          'off', '0')
                                            THEN false END AS is_on
                          FROM (SELECT coalesce(o.s->>k.name, o.s->>k.camel, o.j->>k.name,
                                                o.j->>k.camel) AS said) p) x) w
             GROUP BY w.user_id) v;
    IF to_regprocedure('genflow.account_make(text)') IS NOT NULL THEN
        EXECUTE $q$UPDATE setting_rows r SET outcome = 'already there'
                    WHERE r.outcome = 'moved'
                      AND EXISTS (SELECT FROM genflow.user_settings s
                                   WHERE s.user_id = genflow.account_of(r.user_id)
                                     AND s.settings ?& ARRAY(
                                         SELECT jsonb_object_keys(r.settings)))$q$;
    END IF;
    IF p_write THEN
        EXECUTE $q$INSERT INTO genflow.user_settings AS s (user_id, settings)
                   SELECT genflow.account_make(r.user_id), r.settings
                     FROM setting_rows r WHERE r.outcome = 'moved' ORDER BY r.user_id
                   ON CONFLICT (user_id) DO UPDATE SET settings = EXCLUDED.settings || s.settings
                   $q$;
    END IF;
END $$;

-- setting_report(): what settings() found.
CREATE OR REPLACE FUNCTION genflow_migrate.setting_report() RETURNS SETOF text
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT format('user_settings, by user: %s = %s moved + %s already there + %s nothing to move + '
                  '%s rejected', count(*), count(*) FILTER (WHERE r.outcome = 'moved'),
                  count(*) FILTER (WHERE r.outcome = 'already there'),
                  count(*) FILTER (WHERE r.outcome = 'nothing to move'),
                  count(*) FILTER (WHERE r.outcome LIKE 'rejected%'))
      FROM setting_rows r HAVING count(*) > 0;
    RETURN QUERY
    SELECT format('  user_settings %s: %s', left(coalesce(r.user_id, '(none)'), 80), r.outcome)
      FROM setting_rows r WHERE r.outcome LIKE 'rejected%' ORDER BY 1 LIMIT 50;
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
          FROM (SELECT genflow_migrate.json_of(t, NULL) AS j FROM %s t) o ORDER BY 1$q$, v_old)
    LOOP
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
        IF v_to IS NULL THEN
            RETURN NEXT format('%s: its id of type %s stays without a default', v_table, v_kind);
            CONTINUE;
        END IF;
        BEGIN
            IF p_write THEN
                PERFORM genflow_migrate.generate_ids(p_schema, v_table, v_kind);
            END IF;
            RETURN NEXT format('%s: %s %s', v_table,
                               CASE WHEN p_write THEN 'got' ELSE 'is going to get' END, v_to);
        EXCEPTION
        WHEN query_canceled THEN
            RAISE;
        WHEN OTHERS THEN
            RETURN NEXT format('%s: stays without %s: %s', v_table, v_to, SQLERRM);
        END;
    END LOOP;
END $$;

-- generate_ids(p_schema, p_table, p_kind): gives a table a generated id. p_kind: the type of its
-- column id; NULL: it has none.
CREATE OR REPLACE FUNCTION genflow_migrate.generate_ids(p_schema text, p_table text, p_kind text)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_rel  text := format('%I.%I', p_schema, p_table);
    v_seq  text := format('%I.%I', p_schema, p_table || '_id_generated');
    v_make text := CASE p_kind WHEN 'uuid' THEN 'gen_random_uuid()' ELSE 'gen_random_uuid()::text'
                   END;
    v_next bigint;
BEGIN
    IF p_kind IS NULL THEN
        EXECUTE format('ALTER TABLE %s ADD COLUMN id bigint GENERATED BY DEFAULT AS IDENTITY',
            v_rel);
    ELSIF p_kind IN ('text', 'character varying', 'uuid') THEN
        EXECUTE format('ALTER TABLE %s ALTER id SET DEFAULT %s', v_rel, v_make);
        EXECUTE format('UPDATE %s SET id = %s WHERE id IS NULL', v_rel, v_make);
    ELSE
        EXECUTE format('CREATE SEQUENCE %s OWNED BY %s.id', v_seq, v_rel);
        EXECUTE format('SELECT coalesce(max(id), 0) + 1 FROM %s', v_rel) INTO v_next;
        PERFORM setval(v_seq::regclass, v_next, false);
        EXECUTE format('ALTER TABLE %s ALTER id SET DEFAULT nextval(%L)', v_rel, v_seq);
        EXECUTE format('UPDATE %s SET id = DEFAULT WHERE id IS NULL', v_rel);
    END IF;
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
                          sum(t.rejected)) FROM tables t HAVING count(*) > 0
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

-- credit_report(): what credits() found.
CREATE OR REPLACE FUNCTION genflow_migrate.credit_report() RETURNS SETOF text
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT format('%s, by user: %s = %s granted (%s credits) + %s already there + %s nothing to '
                  'grant + %s rejected', c.source, count(*),
                  count(*) FILTER (WHERE c.outcome = 'granted'),
                  coalesce(sum(c.amount) FILTER (WHERE c.outcome = 'granted'), 0),
                  count(*) FILTER (WHERE c.outcome = 'already there'),
                  count(*) FILTER (WHERE c.outcome = 'nothing to grant'),
                  count(*) FILTER (WHERE c.outcome LIKE 'rejected%'))
      FROM credit_rows c WHERE c.key IS NULL GROUP BY c.source ORDER BY c.source DESC;
    RETURN QUERY
    SELECT format('credits_ledger, still reserved: %s = %s given back (%s credits) + %s already '
                  'decided + %s spent + %s rejected', count(*),
                  count(*) FILTER (WHERE c.outcome = 'granted'),
                  coalesce(sum(c.amount) FILTER (WHERE c.outcome = 'granted'), 0),
                  count(*) FILTER (WHERE c.outcome = 'already there'),
                  count(*) FILTER (WHERE c.outcome = 'spent'),
                  count(*) FILTER (WHERE c.outcome LIKE 'rejected%'
                                      OR c.outcome = 'nothing to grant'))
      FROM credit_rows c WHERE c.key IS NOT NULL HAVING count(*) > 0;
    RETURN QUERY
    SELECT format('  %s %s: %s', c.source, left(coalesce(c.key, c.user_id, '(none)'), 80),
                  c.outcome)
      FROM credit_rows c WHERE c.outcome LIKE 'rejected%' ORDER BY 1 LIMIT 50;
END $$;

-- verify(p_schema): lines of what is missing or different; none: all rows are in their places.
CREATE OR REPLACE FUNCTION genflow_migrate.verify(p_schema text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    v_read CONSTANT text := 'INSERT INTO seen_rows SELECT n.source, n.legacy_id, n.canon, n.nth, '
                            'n.user_id, n.prompt, n.picture, n.created_at FROM (%s) n';
    s record;
    t record;
BEGIN
    IF to_regprocedure('genflow.account_make(text)') IS NULL THEN
        RETURN NEXT 'mod_genflow''s schema is not there, or is older: run genflow-migrate --apply';
        RETURN;
    END IF;
    RETURN QUERY SELECT
        format('%s.%s still has the name of a table of mod_genflow: run genflow-migrate --apply',
        p_schema, w)
                   FROM genflow_migrate.in_the_way(p_schema) w;
    RETURN QUERY SELECT format('run %s was interrupted: run genflow-migrate --apply', r.no)
        FROM genflow_migrate.runs r
                  WHERE r.finished_at IS NULL;
    CREATE TEMP TABLE IF NOT EXISTS seen_rows (source text, legacy_id text, canon text, nth bigint,
        user_id text, prompt text, picture text, created_at timestamptz);
    TRUNCATE seen_rows;
    FOR s IN SELECT * FROM genflow_migrate.sources(p_schema) LOOP
        BEGIN
            EXECUTE format(v_read, genflow_migrate.row_query(s.name, s.rel, 'true'));
        EXCEPTION WHEN data_exception OR program_limit_exceeded OR out_of_memory THEN
            EXECUTE format(v_read, genflow_migrate.row_query(s.name, s.rel, 'true', true));
        END;
    END LOOP;
    ANALYZE seen_rows;
    RETURN QUERY
    SELECT format('%s: rows neither moved nor listed as not moved: %s, the first is %s: '
           'run genflow-migrate --apply',
                  r.source, count(*), min(r.legacy_id))
      FROM seen_rows r
      LEFT JOIN genflow_migrate.moved m ON m.legacy_id = r.canon AND r.nth = 1
          AND (m.source <> r.source OR coalesce(m.spelled, m.legacy_id) = r.legacy_id)
      LEFT JOIN genflow_migrate.leftovers l ON l.source = r.source AND l.legacy_id = r.legacy_id
          AND l.nth = r.nth
     WHERE m.legacy_id IS NULL AND l.legacy_id IS NULL GROUP BY r.source;
    FOR t IN SELECT * FROM genflow_migrate.types() LOOP
        RETURN QUERY EXECUTE format($q$
            SELECT format('%%s: generations that differ from their older rows: %%s, '
                          'the first is %%s', %3$L, count(*), min(m.legacy_id))
              FROM genflow_migrate.moved m
              JOIN seen_rows r ON r.canon = m.legacy_id AND r.source = m.source AND r.nth = 1
                  AND r.legacy_id = coalesce(m.spelled, m.legacy_id)
              JOIN %1$I.%2$I g ON g.id = m.id
              LEFT JOIN genflow.accounts a ON a.user_id = g.user_id
             WHERE m.type_no = %4$s AND (g.legacy_id, a.name, g.prompt, g.original_url,
                 g.created_at) IS DISTINCT FROM
                   (r.canon, r.user_id, r.prompt, r.picture, coalesce(r.created_at,
                       g.created_at))
            HAVING count(*) > 0$q$, t.media_schema, t.media_table, t.name, t.no);
    END LOOP;
    CALL genflow_migrate.credits(p_schema, false, 'unspent');
    RETURN QUERY
    SELECT format('%s: users or entries without their grant: %s: run genflow-migrate --apply',
                  c.source, count(*))
      FROM credit_rows c WHERE c.outcome = 'granted' GROUP BY c.source;
    CALL genflow_migrate.settings(p_schema, false);
    RETURN QUERY
    SELECT format('user_settings: users whose settings are not here: %s: '
                  'run genflow-migrate --apply', count(*))
      FROM setting_rows r WHERE r.outcome = 'moved' HAVING count(*) > 0;
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
    -- no row may come between the look and the end
    FOR s IN SELECT x.rel FROM genflow_migrate.sources(p_schema) x
        JOIN pg_class c ON c.oid = x.rel WHERE c.relkind IN ('r', 'p', 'v') LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', s.rel);
    END LOOP;
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
        BEGIN
            EXECUTE format('DROP %s %s', CASE s.relkind WHEN 'v' THEN 'VIEW'
                               WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE'
                               ELSE 'TABLE' END, s.rel);
        EXCEPTION WHEN dependent_objects_still_exist THEN
            GET STACKED DIAGNOSTICS v_first = PG_EXCEPTION_DETAIL;
            RAISE EXCEPTION 'genflow-migrate: nothing is dropped: %; drop or alter these first',
                replace(v_first, E'\n', '; ');
        END;
    END LOOP;
END $$;

-- fetch(p_limit, p_rate, p_again): gives pictures that are elsewhere to httpd's dispatchers, which
-- fetch and store them as they do with a picture that the store had refused (genflow.restores):
-- p_rate per second, p_limit in all. A host that does not answer is given up after two days.
-- p_again: those, too, that were given up before.
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
                    clock_timestamp() + d.place * interval '1 second' / $2,
                    clock_timestamp() + d.place * interval '1 second' / $2 + interval '2 days',
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
