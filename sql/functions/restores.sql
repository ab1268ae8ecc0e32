-- SPDX-License-Identifier: Apache-2.0
-- restore_claim(p_types, p_limit, p_lease, p_from): claims pictures of those types that have to be
-- stored again and were due at p_from or since (due.sql says where to begin, past dead rows). No
-- other host claims them for p_lease. Storing twice is harmless, so no further protection is
-- needed. It gives up pictures that their providers no longer keep. A picture of which a copy still
-- has to be removed waits for that: the removal could otherwise hit what is being stored.
-- Called by: each host's dispatcher when some are due. Locks: the rows (SKIP LOCKED).
-- The plan is pinned: by due time, then row for row, whatever statistics the planner has.
CREATE OR REPLACE FUNCTION genflow.restore_claim(p_types text[], p_limit integer, p_lease interval,
                                                 p_from timestamptz DEFAULT '-infinity')
RETURNS TABLE (id uuid, type text, url text, tries integer, picture_secret text,
               run_id text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
    SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    IF genflow.restored() IS NOT NULL THEN                  -- site.sql
        RETURN;
    END IF;
    DELETE FROM genflow.restores r
     WHERE r.job_id = ANY (ARRAY(SELECT e.job_id FROM genflow.restores e
                                  WHERE e.due_at >= p_from
                                    AND e.due_at <= v_now AND e.expires_at <= v_now
                                  ORDER BY e.due_at FOR UPDATE SKIP LOCKED));
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT r.job_id, EXISTS (SELECT FROM genflow.removals g
                                  WHERE g.job_id = r.job_id) AS waits
          FROM genflow.restores r
         WHERE r.due_at >= p_from AND r.due_at <= v_now
           AND r.type_no = ANY (ARRAY(SELECT t.no FROM genflow.types t
                                       WHERE t.name = ANY (p_types)))
         ORDER BY r.due_at LIMIT p_limit FOR UPDATE OF r SKIP LOCKED),
    put_off AS (
        UPDATE genflow.restores r SET due_at = v_now + interval '10 seconds'
         WHERE r.job_id = ANY (ARRAY(SELECT due.job_id FROM due WHERE due.waits))),
    mine AS (
        UPDATE genflow.restores r SET due_at = v_now + p_lease, tries = r.tries + 1
         WHERE r.job_id = ANY (ARRAY(SELECT due.job_id FROM due WHERE NOT due.waits))
        RETURNING r.job_id, r.type_no, r.url, r.tries, r.picture_secret, r.run_id)
    SELECT m.job_id, t.name, m.url, m.tries, m.picture_secret, m.run_id FROM mine m
        JOIN genflow.types t ON t.no = m.type_no;
END $$;

-- restore_later(p_id, p_delay): storing failed again; the next attempt is due after p_delay. NULL:
-- the source is gone, no further attempt.
-- Called by: the dispatcher's writers. Locks: the row. Outcomes: 'ok'; 'gone'.
CREATE OR REPLACE FUNCTION genflow.restore_later(p_id uuid, p_delay interval) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_delay IS NULL THEN
        DELETE FROM genflow.restores r WHERE r.job_id = p_id;
    ELSE
        UPDATE genflow.restores r SET due_at = clock_timestamp() + p_delay WHERE r.job_id = p_id;
    END IF;
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'gone' END;
END $$;
