-- SPDX-License-Identifier: Apache-2.0
-- removal_claim(p_types, p_limit, p_lease): pictures of deleted generations of those types that are to be removed now; nobody
-- else gets them for p_lease, and the next try comes later each time, up to 128 leases. Removing twice is harmless.
-- Called by: each host's dispatcher, now and then. Locks: the rows (SKIP LOCKED).
CREATE OR REPLACE FUNCTION genflow.removal_claim(p_types text[], p_limit integer, p_lease interval)
RETURNS TABLE (id uuid, type text, url text, media_type text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT r.job_id FROM genflow.removals r
         WHERE r.due_at <= v_now AND r.type_no = ANY (ARRAY(SELECT t.no FROM genflow.types t WHERE t.name = ANY (p_types)))
         ORDER BY r.due_at LIMIT p_limit FOR UPDATE SKIP LOCKED),
    mine AS (
        UPDATE genflow.removals r SET due_at = v_now + p_lease * power(2, least(r.tries, 7)), tries = r.tries + 1
          FROM due WHERE r.job_id = due.job_id
        RETURNING r.job_id, r.type_no, r.url, r.media_type)
    SELECT m.job_id, t.name, m.url, m.media_type FROM mine m JOIN genflow.types t ON t.no = m.type_no;
END $$;

-- removal_done(p_id): the picture is gone. Called by: the dispatcher's writers. Locks: the row.
CREATE OR REPLACE FUNCTION genflow.removal_done(p_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM genflow.removals r WHERE r.job_id = p_id
$$;
