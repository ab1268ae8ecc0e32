-- SPDX-License-Identifier: Apache-2.0
-- generation_of(p_name): id and type of the generation that p_name means: its id, or its id in the
-- older system that it was moved from. An id of ours carries its type: the function queries that
-- table first. If no other table has the id either, it returns that type although the row does not
-- exist. NULL: no such generation.
-- Called by: functions that find a generation by its id alone. Locks: none.
CREATE OR REPLACE FUNCTION genflow.generation_of(p_name text, OUT id uuid, OUT type text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_id  uuid := CASE WHEN p_name ~ '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$'
                       THEN p_name::uuid END;
    v_no  integer := coalesce(genflow.id_type(v_id), 0);
    v_own text := (SELECT y.name FROM genflow.types y WHERE y.no = v_no);
    t     genflow.types;
BEGIN
    FOR t IN SELECT * FROM genflow.types y
        WHERE to_regclass(format('%I.%I', y.media_schema, y.media_table)) IS NOT NULL
              ORDER BY y.no = v_no DESC, y.no LOOP
        EXECUTE format('SELECT m.id FROM %1$I.%2$I m WHERE m.id = $1 UNION ALL '
                       'SELECT m.id FROM %1$I.%2$I m WHERE m.legacy_id = $2 LIMIT 1',
                       t.media_schema, t.media_table)
            INTO id USING v_id, coalesce(v_id::text, p_name);
        type := t.name;
        IF id IS NOT NULL THEN
            RETURN;
        END IF;
    END LOOP;
    type := v_own;
    id := CASE WHEN v_own IS NOT NULL THEN v_id END;
END $$;
