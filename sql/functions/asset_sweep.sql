-- SPDX-License-Identifier: Apache-2.0
-- asset_sweep(p_limit): deletes up to p_limit assets that expired more than a day ago, the oldest
-- first. No generation lives longer than a day, so none that was accepted in time still needs them.
-- Called by: asset_put, the janitor. Locks: the rows; it skips rows locked by others. Returns the
-- number of deleted assets.
CREATE OR REPLACE FUNCTION genflow.asset_sweep(p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_count integer;
BEGIN
    WITH old AS MATERIALIZED (                      -- see janitor()
        SELECT o.id FROM genflow.assets o WHERE o.expires_at < clock_timestamp() - interval '1 day'
         ORDER BY o.expires_at LIMIT p_limit FOR UPDATE SKIP LOCKED)
    DELETE FROM genflow.assets a USING old WHERE a.id = old.id;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;
