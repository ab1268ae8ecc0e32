-- SPDX-License-Identifier: Apache-2.0
-- heartbeat(p_ids, p_epochs, p_lease): renews leases of a host one by one. Returns the ids whose
-- leases were renewed. Called by: servers of an earlier version while they still run. Locks: the
-- work rows, in id order.
CREATE OR REPLACE FUNCTION genflow.heartbeat(p_ids uuid[], p_epochs integer[],
                                             p_lease interval) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH mine AS MATERIALIZED (
        SELECT w.job_id FROM genflow.work w
            JOIN unnest(p_ids, p_epochs) AS u(id, epoch) ON w.job_id = u.id AND w.epoch = u.epoch
           AND w.lease_owner IS NOT NULL
         ORDER BY w.job_id FOR UPDATE OF w)
    UPDATE genflow.work w SET due_at = least(clock_timestamp() + p_lease, w.deadline_at)
      FROM mine WHERE w.job_id = mine.job_id
    RETURNING w.job_id
$$;
