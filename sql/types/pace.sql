-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_pace(p_id): seconds from one start of a generation of the type to the next, lately: of
-- the 50 generations created before p_id, those that were started in the last ten minutes. NULL:
-- none was.
-- Called by: {prefix}_get. Locks: none. The plan is pinned: it reads 51 rows, whatever is there.
CREATE OR REPLACE FUNCTION genflow.{prefix}_pace(p_id uuid) RETURNS double precision
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
    SET enable_bitmapscan = off SET enable_sort = off AS $body$
DECLARE
    v_now  timestamptz := statement_timestamp();
    v_made timestamptz;
BEGIN
    SELECT m.created_at INTO v_made FROM {media} m WHERE m.id = p_id;
    RETURN (SELECT extract(epoch FROM v_now - min(s.started_at)) / nullif(count(*), 0)
              FROM (SELECT m.started_at FROM {media} m
                     WHERE (m.created_at AT TIME ZONE 'UTC', m.id)
                           < (v_made AT TIME ZONE 'UTC', p_id)
                     ORDER BY m.created_at AT TIME ZONE 'UTC' DESC, m.id DESC LIMIT 50) s
             WHERE s.started_at > v_now - interval '10 minutes');
END $body$;
