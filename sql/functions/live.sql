-- SPDX-License-Identifier: Apache-2.0
-- live(p_ids, p_versions): those of these generations whose row has another version than that one.
-- Each comes with its version, which changes with every update; NULL: it has ended. A caller that
-- knows no version yet says 0. Of thousands of ids few come back.
-- Called by: a child whose clients wait for generations that other processes work on, a few times a
-- second. Locks: none. It is planned at each call: a thousand ids of a small table are hashed, of a
-- large one looked up.
CREATE OR REPLACE FUNCTION genflow.live(p_ids uuid[], p_versions xid[])
RETURNS TABLE (id uuid, version text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT u.id, w.xmin::text FROM unnest(p_ids, p_versions) AS u (id, version)
        LEFT JOIN genflow.work w ON w.job_id = u.id
        WHERE w.xmin IS DISTINCT FROM u.version;
END $$;

-- live(p_ids): which of these generations have not ended. Called by: servers of an earlier version
-- while they still run. Locks: none.
CREATE OR REPLACE FUNCTION genflow.live(p_ids uuid[]) RETURNS TABLE (id uuid, version text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT w.job_id, w.xmin::text FROM genflow.work w WHERE w.job_id = ANY (p_ids)
$$;
