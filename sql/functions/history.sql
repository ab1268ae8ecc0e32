-- SPDX-License-Identifier: Apache-2.0
-- History: a user's generations over several types, newest first, by keyset: each page costs the
-- same, at any depth and for any number of rows. A type whose table is gone is left out.
--
-- list_query(p_types, p_status, p_user, p_preset, p_at): the text of the query for (no, user_id,
-- id, created_at) that all lists of generations run, here and in admin_jobs.sql. Each type adds its
-- newest $6 rows from an index in order (see sql/types/media_table.sql). $1 user, $2 status, $3
-- preset; $4, $5 the end of the page before. The text has only the conditions of the call, so that
-- each case gets a plan that fits it.
CREATE OR REPLACE FUNCTION genflow.list_query(p_types text[], p_status text, p_user text,
                                              p_preset text, p_at timestamptz)
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_zone  text := CASE WHEN p_user IS NULL THEN ' AT TIME ZONE ''UTC''' ELSE '' END;
    v_where text := concat_ws(' AND ', 'true',
        CASE WHEN p_user IS NOT NULL THEN 'm.user_id = $1' END,
        CASE WHEN p_status IN ('failed', 'cancelled') THEN 'm.unsuccessful = $2'
            WHEN p_status IS NOT NULL THEN 'm.status = $2' END,
        CASE WHEN p_status IN ('pending', 'processing') THEN
            concat('m.id = ANY (ARRAY(SELECT w.job_id FROM genflow.work w WHERE w.type_no = %1$s',
                   CASE WHEN p_user IS NOT NULL THEN ' AND w.user_id = $1' END, '))') END,
        CASE WHEN p_preset IS NOT NULL THEN 'm.preset = $3' END,
        CASE WHEN p_at IS NOT NULL THEN format('(m.created_at%s, m.id) < ($4%1$s, $5)', v_zone)
            END);
BEGIN
    RETURN (
        SELECT string_agg(format(concat('(SELECT %1$s AS no, m.user_id, m.id, m.created_at FROM '
                                        '%2$I.%3$I m WHERE ', v_where,
                                        ' ORDER BY m.created_at', v_zone,
                                            ' DESC, m.id DESC LIMIT $6)'),
                                 t.no, t.media_schema, t.media_table), ' UNION ALL ' ORDER BY t.no)
          FROM genflow.types t
         WHERE t.name = ANY (p_types)
           AND to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NOT NULL);
END $$;

-- history(p_user, p_types, p_status, p_preset, p_at, p_id, p_limit): one page. p_status, p_preset
-- NULL: all. p_at, p_id: at and id of the last row of the page before; NULL: the first page. Called
-- by: GET generations. Locks: none.
CREATE OR REPLACE FUNCTION genflow.history(p_user text, p_types text[], p_status text,
                                           p_preset text, p_at bigint, p_id uuid,
                                           p_limit integer)
RETURNS SETOF genflow.generation
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_at   timestamptz := 'epoch'::timestamptz + p_at * interval '1 microsecond';
    v_rows text := genflow.list_query(p_types, p_status, p_user, p_preset, v_at);
    v_read text := (SELECT string_agg(format('SELECT g.*, p.created_at AS newest FROM page p, '
                                             'LATERAL genflow.%I($1, p.id) g WHERE p.no = %s',
                                                 t.prefix || '_get', t.no),
                                      ' UNION ALL ')
                      FROM genflow.types t WHERE t.name = ANY (p_types));
    v_sql  text;
BEGIN
    IF v_rows IS NULL THEN
        RETURN;
    END IF;
    v_sql := format('WITH page AS MATERIALIZED (SELECT * FROM (%s) u ORDER BY u.created_at DESC, '
                    'u.id DESC LIMIT $6) '
                    'SELECT %s FROM (%s) r ORDER BY r.newest DESC, r.id DESC', v_rows,
                    (SELECT string_agg('r.' || a.attname, ', ' ORDER BY a.attnum)
                     FROM pg_attribute a
                      WHERE a.attrelid = 'genflow.generation'::regclass AND a.attnum > 0
                        AND NOT a.attisdropped), v_read);
    RETURN QUERY EXECUTE v_sql USING p_user, p_status, p_preset, v_at, p_id, p_limit;
END $$;

-- history_count(p_user, p_types, p_status, p_preset, p_most): the number of those rows, counted up
-- to p_most, because the cost of a count grows with it. Called by: GET generations. Locks: none.
CREATE OR REPLACE FUNCTION genflow.history_count(p_user text, p_types text[], p_status text,
                                                 p_preset text, p_most integer)
RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_rows  text := genflow.list_query(p_types, p_status, p_user, p_preset, NULL);
    v_count bigint := 0;
BEGIN
    IF v_rows IS NOT NULL THEN
        EXECUTE format('SELECT count(*) FROM (SELECT FROM (%s) u LIMIT $6) c', v_rows) INTO v_count
          USING p_user, p_status, p_preset, NULL::timestamptz, NULL::uuid, p_most;
    END IF;
    RETURN v_count;
END $$;
