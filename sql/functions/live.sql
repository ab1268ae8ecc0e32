-- SPDX-License-Identifier: Apache-2.0
-- live(p_ids): which of these generations have not ended, each with the version of its row, which
-- changes with every update. Called by: a child whose clients wait for generations that other
-- processes work on, a few times a second. Locks: none.
CREATE OR REPLACE FUNCTION genflow.live(p_ids uuid[]) RETURNS TABLE (id uuid, version text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT w.job_id, w.xmin::text FROM genflow.work w WHERE w.job_id = ANY (p_ids)
$$;
