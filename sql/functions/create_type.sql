-- SPDX-License-Identifier: Apache-2.0
-- create_type(p_name, p_schema): creates a generation type: its media table
-- <p_schema>.<name>_media (- becomes _) and its functions genflow.<name>_create, _create_batch,
-- _start, _get, _claim, _accepted, _settle, _settle_get, _restored, _moved, _stray, _thumbnail,
-- _thumbnail_claim, _cancel, _delete, _edit. The rest is configuration (<GenflowType name>).
-- Called by: an administrator, sql/apply. For an existing type it replaces the functions, and
-- creates the table again if it is gone. Returns the type number. Names: a-z, 0-9 and single
-- hyphens, at most 40 characters.
CREATE OR REPLACE FUNCTION genflow.create_type(p_name text,
                                               p_schema text DEFAULT 'public') RETURNS smallint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_prefix text := replace(p_name, '-', '_');
    v_new    boolean;
    t        genflow.types;
BEGIN
    LOCK TABLE genflow.types IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO genflow.types (no, name, prefix, media_schema, media_table)
    SELECT coalesce(max(no), 0) + 1, p_name, v_prefix, p_schema, v_prefix || '_media'
        FROM genflow.types
    HAVING NOT EXISTS (SELECT FROM genflow.types WHERE name = p_name);
    v_new := FOUND;
    SELECT * INTO t FROM genflow.types WHERE name = p_name;
    IF v_new AND to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NOT NULL THEN
        RAISE EXCEPTION 'genflow: there is a table %.% already, which is not of mod_genflow; '
                        'rename it, or name another schema',
            t.media_schema, t.media_table USING ERRCODE = '42P07';
    END IF;
    IF to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NULL THEN
        PERFORM genflow.type_render(t, 'media_table');
        PERFORM genflow.type_render(t, 'media_keys');
    ELSE
        PERFORM genflow.type_upgrade(p_name);
    END IF;
    PERFORM genflow.type_render(t, f.part)
       FROM unnest(ARRAY['settle', 'create', 'create_batch', 'start', 'pace', 'get', 'claim',
                         'accepted', 'settle_get', 'restored',
                         'moved', 'stray', 'thumbnail', 'thumbnail_claim', 'cancel', 'delete',
                         'edit']) AS f(part);
    PERFORM genflow.types_dispatch();
    PERFORM genflow.grant_role();
    RETURN t.no;
END $$;

-- type_upgrade(p_name): adds to the table of an existing type what sql/types/media_table.sql has
-- and the table lacks: columns, checks, indexes, triggers, storage. It also moves what
-- media_moved.sql names. The template is the only definition: a temporary table made of it shows
-- what is missing. Columns that an administrator added stay. A NOT NULL column needs a default in
-- the template, because a table may have rows. A table that lacks nothing is not locked.
-- Called by: create_type, and through it sql/apply for each type. Locks: the table, if it lacks
-- something.
CREATE OR REPLACE FUNCTION genflow.type_upgrade(p_name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t       genflow.types;
    v_copy  genflow.types;
    v_table text;
    v_is    regclass;
    v_ought regclass;
    v_sql   text;
BEGIN
    SELECT * INTO STRICT t FROM genflow.types y WHERE y.name = p_name;
    v_table := format('%I.%I', t.media_schema, t.media_table);
    v_is := v_table::regclass;
    v_copy := t;
    v_copy.media_schema := 'pg_temp';
    PERFORM genflow.type_render(v_copy, 'media_table');
    v_ought := format('pg_temp.%I', t.media_table)::regclass;
    FOR v_sql IN
        SELECT format('ALTER TABLE %s ADD COLUMN %I %s', v_table, o.attname, concat_ws(' ',
                   format_type(o.atttypid, o.atttypmod),
                   CASE o.attgenerated WHEN '' THEN 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)
                        ELSE format('GENERATED ALWAYS AS (%s) STORED',
                                    pg_get_expr(d.adbin, d.adrelid)) END,
                   CASE WHEN o.attnotnull THEN 'NOT NULL' END))
          FROM pg_attribute o
          LEFT JOIN pg_attrdef d ON d.adrelid = o.attrelid AND d.adnum = o.attnum
         WHERE o.attrelid = v_ought AND o.attnum > 0 AND NOT EXISTS (
               SELECT FROM pg_attribute a
                WHERE a.attrelid = v_is AND a.attname = o.attname AND NOT a.attisdropped)
         ORDER BY o.attnum
    LOOP
        EXECUTE v_sql;
    END LOOP;
    PERFORM genflow.type_render(t, 'media_moved');
    FOR v_sql IN
        SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', v_table, o.conname,
                      pg_get_constraintdef(o.oid))
          FROM pg_constraint o
         WHERE o.conrelid = v_ought AND o.contype IN ('p', 'u', 'c') AND NOT EXISTS (
               SELECT FROM pg_constraint a WHERE a.conrelid = v_is AND a.conname = o.conname)
         UNION ALL
        SELECT regexp_replace(pg_get_indexdef(o.indexrelid), ' ON (ONLY )?pg_temp\w*\.\S+ USING ',
                              format(' ON %s USING ', v_table))
          FROM pg_index o JOIN pg_class c ON c.oid = o.indexrelid
         WHERE o.indrelid = v_ought
           AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = o.indexrelid)
           AND NOT EXISTS (SELECT FROM pg_index a JOIN pg_class b ON b.oid = a.indexrelid
                            WHERE a.indrelid = v_is AND b.relname = c.relname)
         UNION ALL
        SELECT regexp_replace(pg_get_triggerdef(o.oid), ' ON pg_temp\w*\.\S+ ',
                              format(' ON %s ', v_table))
          FROM pg_trigger o
         WHERE o.tgrelid = v_ought AND NOT o.tgisinternal AND NOT EXISTS (
               SELECT FROM pg_trigger a WHERE a.tgrelid = v_is AND a.tgname = o.tgname)
         UNION ALL
        SELECT format('ALTER TABLE %s SET (%s)', v_table, array_to_string(o.reloptions, ', '))
          FROM pg_class o, pg_class a
         WHERE o.oid = v_ought AND a.oid = v_is AND NOT o.reloptions <@ a.reloptions
    LOOP
        EXECUTE v_sql;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_constraint a WHERE a.conrelid = v_is AND a.contype = 'f') THEN
        PERFORM genflow.type_render(t, 'media_keys');
    END IF;
    EXECUTE format('DROP TABLE pg_temp.%I', t.media_table);
END $$;

-- type_render(t, p_part): runs the template sql/types/<p_part>.sql for type t. It replaces
-- functions in place, so that sessions that call them find them. A function with another signature
-- replaces the old one. Called by: create_type.
CREATE OR REPLACE FUNCTION genflow.type_render(t genflow.types, p_part text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_sql text := (SELECT body FROM genflow.type_templates WHERE part = p_part);
    v_old regprocedure[] := ARRAY(SELECT p.oid::regprocedure FROM pg_proc p
                                  WHERE p.pronamespace = 'genflow'::regnamespace
                                    AND p.proname = t.prefix || '_' || p_part);
    v_one regprocedure;
BEGIN
    v_sql := replace(v_sql, '{media}', format('%I.%I', t.media_schema, t.media_table));
    v_sql := replace(v_sql, '{name}', t.media_table);
    v_sql := replace(v_sql, '{prefix}', t.prefix);
    v_sql := replace(v_sql, '{type}', t.name);
    v_sql := replace(v_sql, '{no}', t.no::text);
    BEGIN
        EXECUTE v_sql;
    -- other results: it cannot be replaced
    EXCEPTION WHEN invalid_function_definition THEN
        FOREACH v_one IN ARRAY v_old LOOP
            EXECUTE format('DROP FUNCTION %s', v_one);
        END LOOP;
        EXECUTE v_sql;
        RETURN;
    END;
    -- other parameters: the old one stands beside it
    FOREACH v_one IN ARRAY v_old LOOP
        IF EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = 'genflow'::regnamespace
                      AND p.proname = t.prefix || '_' || p_part AND p.oid <> ALL (v_old)) THEN
            EXECUTE format('DROP FUNCTION %s', v_one);
        END IF;
    END LOOP;
END $$;

-- types_dispatch(): writes genflow.job_brief(id), which finds a job in the table that its id names.
-- An id of no type may be a reservation's, which is pending while open and cancelled afterwards. It
-- is written for the existing types, so that its statements are static and their plans are cached.
-- Called by: create_type.
CREATE OR REPLACE FUNCTION genflow.types_dispatch() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_cases text;
BEGIN
    SELECT string_agg(format('WHEN %s THEN SELECT t.user_id, t.cost, t.status, t.provider, '
                             't.model, t.started_at INTO v FROM %I.%I t WHERE t.id = p_id;',
                             t.no, t.media_schema, t.media_table), E'\n        ' ORDER BY t.no)
      INTO v_cases FROM genflow.types t;
    EXECUTE format($f$
CREATE OR REPLACE FUNCTION genflow.job_brief(p_id uuid) RETURNS genflow.job_brief
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v genflow.job_brief;
BEGIN
    CASE genflow.id_type(p_id)
        WHEN 0 THEN SELECT r.user_id, r.amount, CASE r.state WHEN 'open' THEN 'pending'
            ELSE 'cancelled' END
                      INTO v FROM genflow.reservations r WHERE r.id = p_id;
        %s
        ELSE NULL;
    END CASE;
    RETURN v;
END $body$
$f$, v_cases);
END $$;
