-- SPDX-License-Identifier: Apache-2.0
-- Templates: parameters of generations that a user repeats, under a name. Owner only. Their content
-- is checked when a call uses it.
--
-- template_put(p_user, p_name, p_type, p_config, p_max): stores a template; a user may have p_max.
-- Called by: POST templates. Locks: the user's templates (advisory). A repeated call is harmless:
-- the same content under the same name is the same template. Outcomes: 'ok' id, created_at; 'taken'
-- another template has that name; 'too_many'.
CREATE OR REPLACE FUNCTION genflow.template_put(
    p_user text, p_name text, p_type text, p_config jsonb, p_max integer, OUT outcome text,
        OUT id uuid, OUT created_at text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_user bigint := genflow.account_make(p_user);
    t      genflow.templates;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('genflow templates of ' || v_user, 0));
    SELECT * INTO t FROM genflow.templates o WHERE o.user_id = v_user AND o.name = p_name;
    IF NOT FOUND THEN
        IF (SELECT count(*) FROM genflow.templates o WHERE o.user_id = v_user) >= p_max THEN
            outcome := 'too_many';
            RETURN;
        END IF;
        INSERT INTO genflow.templates AS n (id, user_id, name, type, config, created_at)
        VALUES (genflow.new_id(0), v_user, p_name, p_type, p_config, clock_timestamp())
        RETURNING n.* INTO t;
    ELSIF t.type IS DISTINCT FROM p_type OR t.config <> p_config THEN
        outcome := 'taken';
        RETURN;
    END IF;
    outcome := 'ok';
    id := t.id;
    created_at := genflow.iso(t.created_at);
END $$;

-- templates(p_user, p_before, p_limit): up to p_limit templates of p_user, newest first, after the
-- one with the id p_before (NULL: from the first). Called by: GET templates. Locks: none.
CREATE OR REPLACE FUNCTION genflow.templates(p_user text, p_before uuid, p_limit integer)
RETURNS TABLE (id uuid, name text, type text, config jsonb, created_at text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.id, t.name, t.type, t.config, genflow.iso(t.created_at)
      FROM genflow.templates t
     WHERE t.user_id = genflow.account_of(p_user) AND (p_before IS NULL OR t.id < p_before)
     ORDER BY t.id DESC LIMIT p_limit
$$;

-- template_get(p_user, p_id): a template of p_user. Called by: a create call that names it. Locks:
-- none. Always one row. Outcomes: 'ok'; 'not_found'; 'not_yours' (the other columns are then NULL).
CREATE OR REPLACE FUNCTION genflow.template_get(p_user text, p_id uuid, OUT outcome text,
                                                OUT type text, OUT config jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t genflow.templates;
BEGIN
    SELECT * INTO t FROM genflow.templates o WHERE o.id = p_id;
    IF t.user_id = genflow.account_of(p_user) THEN
        outcome := 'ok';
        type := t.type;
        config := t.config;
    ELSE
        outcome := CASE WHEN t.id IS NULL THEN 'not_found' ELSE 'not_yours' END;
    END IF;
END $$;

-- template_delete(p_user, p_id, p_call): deletes a template of p_user. p_call: the token of this
-- call (calls.sql). Called by: DELETE templates/{id}. Locks: the row.
-- Outcomes: 'ok'; 'not_found'; 'not_yours'.
CREATE OR REPLACE FUNCTION genflow.template_delete(p_user text, p_id uuid,
                                                   p_call uuid DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_user bigint;
BEGIN
    SELECT t.user_id INTO v_user FROM genflow.templates t WHERE t.id = p_id FOR UPDATE;
    IF v_user = genflow.account_of(p_user) THEN
        DELETE FROM genflow.templates t WHERE t.id = p_id;
        PERFORM genflow.call_keep(p_call, '{}');
        RETURN 'ok';
    END IF;
    RETURN CASE WHEN v_user IS NOT NULL THEN 'not_yours' WHEN genflow.call_answer(p_call) IS NULL
        THEN 'not_found' ELSE 'ok' END;
END $$;
