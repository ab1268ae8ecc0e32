-- SPDX-License-Identifier: Apache-2.0
-- type_of(p_id): the name of the type that an id belongs to; NULL: none. An id made by this module
-- carries the number of its type, whether the row exists or not. For any other id it searches every
-- type's table.
-- Called by: functions that find a generation by its id alone. Locks: none.
CREATE OR REPLACE FUNCTION genflow.type_of(p_id uuid) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_no    integer := genflow.id_type(p_id);
    v_found boolean;
    t       genflow.types;
BEGIN
    IF v_no > 0 THEN
        RETURN (SELECT y.name FROM genflow.types y WHERE y.no = v_no);
    END IF;
    FOR t IN SELECT * FROM genflow.types y
        WHERE to_regclass(format('%I.%I', y.media_schema, y.media_table)) IS NOT NULL
              ORDER BY y.no LOOP
        BEGIN
            EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I WHERE id = $1)', t.media_schema,
                           t.media_table) INTO v_found USING p_id;
        EXCEPTION WHEN undefined_table THEN
            v_found := false;                    -- an administrator dropped it meanwhile
        END;
        IF v_found THEN
            RETURN t.name;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- type_row(p_id): the row of that type in genflow.types, if its table is there; else all NULL.
-- Called by: functions that read the table of a generation. Locks: none.
CREATE OR REPLACE FUNCTION genflow.type_row(p_id uuid) RETURNS genflow.types
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT y FROM genflow.types y
     WHERE y.name = genflow.type_of(p_id)
       AND to_regclass(format('%I.%I', y.media_schema, y.media_table)) IS NOT NULL
$$;
