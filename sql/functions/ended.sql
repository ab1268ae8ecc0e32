-- SPDX-License-Identifier: Apache-2.0
-- ended(p_ids): those of the jobs that have ended, whoever ended them. For what a heartbeat did not hold: here the provider is
-- to be asked to stop, while the others are led by another host. Called by: each host's dispatcher. Locks: none.
CREATE OR REPLACE FUNCTION genflow.ended(p_ids uuid[]) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.id FROM unnest(p_ids) AS u(id) WHERE NOT EXISTS (SELECT FROM genflow.work w WHERE w.job_id = u.id)
$$;
