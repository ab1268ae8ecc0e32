-- SPDX-License-Identifier: Apache-2.0
-- hand_back(p_ids, p_epochs): gives leases back and makes their jobs due at once, so that other
-- hosts continue without waiting until the leases of a stopping host expire. Phases stay: where
-- something may have been sent, the next host reconciles with the provider first.
-- Called by: a dispatcher that stops. Locks: the work rows, in id order. Returns the number of
-- leases given back.
CREATE OR REPLACE FUNCTION genflow.hand_back(p_ids uuid[], p_epochs integer[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_count integer;
BEGIN
    WITH mine AS MATERIALIZED (
        SELECT w.job_id FROM genflow.work w
            JOIN unnest(p_ids, p_epochs) AS u(id, epoch) ON w.job_id = u.id AND w.epoch = u.epoch
           AND w.lease_owner IS NOT NULL
         ORDER BY w.job_id FOR UPDATE OF w)
    UPDATE genflow.work w SET lease_owner = NULL, led = false,
           due_at = least(clock_timestamp(), w.deadline_at)
      FROM mine WHERE w.job_id = mine.job_id;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;
