-- SPDX-License-Identifier: Apache-2.0
-- asset_bytes(p_id): type and bytes of an asset of any user, until a day after it expired: a job
-- acts for the user who started it. Called by: the dispatcher's writers, and GET assets/{id} once
-- asset_get() has returned 'ok'. Locks: none. No row: the asset is gone.
CREATE OR REPLACE FUNCTION genflow.asset_bytes(p_id uuid) RETURNS TABLE (type text, bytes bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.type, a.bytes FROM genflow.assets a WHERE a.id = p_id
$$;
