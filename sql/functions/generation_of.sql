-- SPDX-License-Identifier: Apache-2.0
-- generation_of(p_name): id and type of the generation that p_name means: its id, or the id that it
-- had in the older system it was moved from. An id of ours carries its type: that table is asked
-- first, and where no other one knows the id it keeps that type, whether it is there or not. NULL:
-- there is no such generation.
-- Called by: whatever finds a generation by its id alone. Locks: none.
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
