-- SPDX-License-Identifier: Apache-2.0
-- create_type(p_name, p_schema): makes a generation type: its dedicated media table <p_schema>.<name>_media (- becomes _) and
-- its functions genflow.<name>_create, _create_batch, _start, _get, _claim, _accepted, _settle, _restored. The rest is configuration (<GenflowType name>).
-- Called by: an administrator, sql/apply. Asking again for a type that exists renews its functions and makes its table
-- again if it is gone. Returns the type number. Names: a-z, 0-9 and single hyphens, at most 40 characters.
CREATE OR REPLACE FUNCTION genflow.create_type(p_name text, p_schema text DEFAULT 'public') RETURNS smallint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_prefix text := replace(p_name, '-', '_');
    v_new    boolean;
    t        genflow.types;
BEGIN
    LOCK TABLE genflow.types IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO genflow.types (no, name, prefix, media_schema, media_table)
    SELECT coalesce(max(no), 0) + 1, p_name, v_prefix, p_schema, v_prefix || '_media' FROM genflow.types
    HAVING NOT EXISTS (SELECT FROM genflow.types WHERE name = p_name);
    v_new := FOUND;
    SELECT * INTO t FROM genflow.types WHERE name = p_name;
    IF v_new AND to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NOT NULL THEN
        RAISE EXCEPTION 'genflow: there is a table %.% already, which is not of mod_genflow; rename it, or name another schema',
            t.media_schema, t.media_table USING ERRCODE = '42P07';
    END IF;
    IF to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NULL THEN
        PERFORM genflow.type_render(t, 'media_table');
    END IF;
    PERFORM genflow.type_render(t, f.part)
       FROM unnest(ARRAY['settle', 'create', 'create_batch', 'start', 'get', 'claim', 'accepted', 'restored']) AS f(part);
    PERFORM genflow.types_dispatch();
    PERFORM genflow.grant_role();
    RETURN t.no;
END $$;

-- type_render(t, p_part): runs the template sql/types/<p_part>.sql for type t. A function is replaced in place, so that who is
-- calling it finds it; one of another signature takes the place of the old one. Called by: create_type.
CREATE OR REPLACE FUNCTION genflow.type_render(t genflow.types, p_part text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_sql text := (SELECT body FROM genflow.type_templates WHERE part = p_part);
    v_old regprocedure[] := ARRAY(SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'genflow'::regnamespace
                                                                             AND p.proname = t.prefix || '_' || p_part);
    v_one regprocedure;
BEGIN
    v_sql := replace(v_sql, '{media}', format('%I.%I', t.media_schema, t.media_table));
    v_sql := replace(v_sql, '{name}', t.media_table);
    v_sql := replace(v_sql, '{prefix}', t.prefix);
    v_sql := replace(v_sql, '{no}', t.no::text);
    BEGIN
        EXECUTE v_sql;
    EXCEPTION WHEN invalid_function_definition THEN             -- other results: it cannot be replaced
        FOREACH v_one IN ARRAY v_old LOOP
            EXECUTE format('DROP FUNCTION %s', v_one);
        END LOOP;
        EXECUTE v_sql;
        RETURN;
    END;
    FOREACH v_one IN ARRAY v_old LOOP                           -- other parameters: the old one stands beside it
        IF EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = 'genflow'::regnamespace
                      AND p.proname = t.prefix || '_' || p_part AND p.oid <> ALL (v_old)) THEN
            EXECUTE format('DROP FUNCTION %s', v_one);
        END IF;
    END LOOP;
END $$;

-- types_dispatch(): writes genflow.job_brief(id), which finds a job in whichever table its id names; an id of no type may be
-- a reservation's, which is pending while it is open and cancelled afterwards. It is written anew for the types there are,
-- so that its statements are static and their plans are kept. Called by: create_type.
CREATE OR REPLACE FUNCTION genflow.types_dispatch() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_cases text;
BEGIN
    SELECT string_agg(format('WHEN %s THEN SELECT t.user_id, t.cost, t.status INTO v FROM %I.%I t WHERE t.id = p_id;',
                             t.no, t.media_schema, t.media_table), E'\n        ' ORDER BY t.no)
      INTO v_cases FROM genflow.types t;
    EXECUTE format($f$
CREATE OR REPLACE FUNCTION genflow.job_brief(p_id uuid) RETURNS genflow.job_brief
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v genflow.job_brief;
BEGIN
    CASE genflow.id_type(p_id)
        WHEN 0 THEN SELECT r.user_id, r.amount, CASE r.state WHEN 'open' THEN 'pending' ELSE 'cancelled' END
                      INTO v FROM genflow.reservations r WHERE r.id = p_id;
        %s
        ELSE NULL;
    END CASE;
    RETURN v;
END $body$
$f$, v_cases);
END $$;
