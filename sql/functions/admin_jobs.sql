-- SPDX-License-Identifier: Apache-2.0
-- admin_jobs(...): generations of all users, newest first, at most p_limit of them; each is then read by its <type>_get().
--   p_types   names of types; one whose table is gone has none
--   p_status, p_user   only those; NULL: all
--   p_before  only what is older than that generation; NULL: from the newest on
-- Called by: GET admin/jobs, GET admin/users/{user}. Locks: none. Dynamic, so that each table is read backwards along its
-- index as far as the page needs. What lives is found by genflow.work, however many have ended.
CREATE OR REPLACE FUNCTION genflow.admin_jobs(p_types text[], p_status text, p_user text, p_before uuid, p_limit integer)
RETURNS TABLE (type text, user_id text, id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_where text := concat_ws(' AND ', 'true',
        CASE WHEN p_status IS NOT NULL THEN 'm.status = $1' END,
        CASE WHEN p_status IN ('pending', 'processing') THEN 'm.id IN (SELECT w.job_id FROM genflow.work w)' END,
        CASE WHEN p_user IS NOT NULL THEN 'm.user_id = $2' END,
        CASE WHEN p_before IS NOT NULL THEN 'm.id < $3' END);
    v_sql   text;
BEGIN
    SELECT string_agg(format('(SELECT %L, m.user_id, m.id FROM %I.%I m WHERE %s ORDER BY m.id DESC LIMIT $4)',
                             t.name, t.media_schema, t.media_table, v_where), ' UNION ALL ')
      INTO v_sql FROM genflow.types t
     WHERE t.name = ANY (p_types) AND to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NOT NULL;
    IF v_sql IS NOT NULL THEN
        RETURN QUERY EXECUTE format('SELECT * FROM (%s) j ORDER BY 3 DESC LIMIT $4', v_sql) USING p_status, p_user, p_before, p_limit;
    END IF;
END $$;

-- admin_cancel(p_id): ends one generation, whoever leads it; what its provider still brings is kept in genflow.late_results
-- and costs nothing. Called by: DELETE admin/jobs/{id}. Locks: as <type>_settle().
-- Outcomes: 'cancelled' and `released` credits are free again; 'ended' before, as status says; 'not_found'.
CREATE OR REPLACE FUNCTION genflow.admin_cancel(p_id uuid, OUT outcome text, OUT status text, OUT released bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b genflow.job_brief := genflow.job_brief(p_id);
BEGIN
    outcome := 'not_found';
    IF b.status IS NOT NULL THEN
        outcome := genflow.admin_settle(genflow.id_type(p_id), p_id);
        outcome := CASE outcome WHEN 'done' THEN 'cancelled' WHEN 'unknown' THEN 'not_found' ELSE 'ended' END;
        status := (genflow.job_brief(p_id)).status;
        released := CASE outcome WHEN 'cancelled' THEN b.cost ELSE 0 END;
    END IF;
END $$;

-- admin_settle(p_type, p_id): settles a generation of that type number as cancelled; answers as <type>_settle().
-- Called by: admin_cancel, admin_clear.
CREATE OR REPLACE FUNCTION genflow.admin_settle(p_type integer, p_id uuid) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_outcome text;
BEGIN
    EXECUTE format('SELECT genflow.%I($1, NULL, ''cancelled'', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)',
                   (SELECT t.prefix FROM genflow.types t WHERE t.no = p_type) || '_settle')
       INTO v_outcome USING p_id;
    RETURN v_outcome;
END $$;

-- admin_clear(p_after, p_limit): cancels the next p_limit live generations behind p_after, in the order of their ids.
-- Those of a type whose table is gone are left to the claim that ends them.
-- Called by: DELETE admin/jobs, again and again until `seen` is below p_limit, so that no transaction is long.
-- Locks: all their work rows, in the order of ids; then for each as <type>_settle(), in account order.
CREATE OR REPLACE FUNCTION genflow.admin_clear(p_after uuid, p_limit integer, OUT seen integer, OUT cancelled integer,
                                               OUT released bigint, OUT last uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    j record;
BEGIN
    seen := 0; cancelled := 0; released := 0;
    FOR j IN
        SELECT s.* FROM (
            SELECT w.job_id, w.user_id, w.type_no, w.cost FROM genflow.work w
             WHERE w.job_id > p_after
               AND w.type_no = ANY (ARRAY(SELECT t.no FROM genflow.types t
                                           WHERE to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NOT NULL))
             ORDER BY w.job_id LIMIT p_limit FOR UPDATE) s
         ORDER BY s.user_id, s.job_id
    LOOP
        seen := seen + 1;
        last := greatest(last, j.job_id);
        IF genflow.admin_settle(j.type_no, j.job_id) = 'done' THEN
            cancelled := cancelled + 1;
            released := released + j.cost;
        END IF;
    END LOOP;
END $$;
