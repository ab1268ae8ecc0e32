-- SPDX-License-Identifier: Apache-2.0
-- expected_compute(p_age): computes for each type how long its last 200 successes took, from the
-- start of the first attempt to the end. A type that was computed less than p_age ago is left
-- alone, so that any number of hosts may call it and one does the work. It reads up to 5,000 of the
-- type's newest generations; if none of these has succeeded, the former times stay.
-- Called by: each host's janitor, every 10 seconds. Locks: the rows of genflow.expected (SKIP
-- LOCKED). A type whose table is gone is passed over. Returns the number of types.
-- The plan is pinned: it begins at the newest generation, whatever statistics the planner has.
CREATE OR REPLACE FUNCTION genflow.expected_compute(p_age interval) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    v_count integer := 0;
    v_took  bigint[];
    t       record;
BEGIN
    INSERT INTO genflow.expected (type_no)
    SELECT y.no FROM genflow.types y
     WHERE NOT EXISTS (SELECT FROM genflow.expected e WHERE e.type_no = y.no) ORDER BY y.no
        ON CONFLICT DO NOTHING;
    FOR t IN SELECT y.no, to_regclass(format('%I.%I', y.media_schema, y.media_table)) AS media
               FROM genflow.expected e JOIN genflow.types y ON y.no = e.type_no
              WHERE e.computed_at < clock_timestamp() - p_age
              ORDER BY e.type_no FOR UPDATE OF e SKIP LOCKED LOOP
        CONTINUE WHEN t.media IS NULL;
        BEGIN
            EXECUTE format('SELECT percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY s.took)
                              FROM (SELECT (extract(epoch FROM n.finished_at - n.started_at)
                                            * 1000)::bigint AS took
                                      FROM (SELECT m.status, m.started_at, m.finished_at,
                                                   m.legacy_id
                                              FROM %s m
                                             ORDER BY m.created_at AT TIME ZONE ''UTC'' DESC,
                                                      m.id DESC LIMIT 5000) n
                                     WHERE n.status = ''completed'' AND n.legacy_id IS NULL
                                       AND n.started_at IS NOT NULL LIMIT 200) s', t.media)
               INTO v_took;
        -- its table was dropped just now
        EXCEPTION WHEN undefined_table THEN
            CONTINUE;
        END;
        UPDATE genflow.expected e SET p50 = coalesce(v_took[1], e.p50),
               p90 = coalesce(v_took[2], e.p90), computed_at = clock_timestamp()
         WHERE e.type_no = t.no;
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END $$;
