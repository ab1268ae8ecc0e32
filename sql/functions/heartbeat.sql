-- SPDX-License-Identifier: Apache-2.0
-- heartbeat(p_owner, p_lease, p_ids, p_epochs, p_dropped, p_dropped_epochs): renews the lease of
-- a child, which is that of all jobs that it leads. Its cost does not depend on their number.
--   p_lease    its length from now on; NULL: the child leads no job, and needs no row
--   p_ids      leases that no heartbeat has named yet: from now on the child leads these jobs.
--              Before, each has the lease of its claim alone: one that the child does not know of,
--              because the answer to its statement was lost, is due soon.
--   p_dropped  leases of jobs that the child has named and no longer works on, although they have
--              not ended: each is due a lease from now
-- Called by: each child's dispatcher, about three times per lease. Locks: the child's row, then the
-- work rows, in id order.
-- Returns each of p_ids, and the leases that another process has ended since (recall()), those for
-- the time of a lease: outcome 'held' it is the child's; 'lost' another host leads the job, or
-- will; 'ended' the job has ended. The child must stop working on the latter two; a success that
-- it already has still counts. A repeated call is harmless and returns the same.
CREATE OR REPLACE FUNCTION genflow.heartbeat(
    p_owner text, p_lease interval, p_ids uuid[], p_epochs integer[], p_dropped uuid[],
    p_dropped_epochs integer[])
RETURNS TABLE (id uuid, epoch integer, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_now  timestamptz := clock_timestamp();
    v_held uuid[];
BEGIN
    IF p_lease IS NULL THEN
        DELETE FROM genflow.recalls r WHERE r.owner = p_owner;
        DELETE FROM genflow.children c WHERE c.owner = p_owner
           AND NOT EXISTS (SELECT FROM genflow.work w WHERE w.led AND w.lease_owner = p_owner);
        RETURN;
    END IF;
    INSERT INTO genflow.children AS c (owner, expires) VALUES (p_owner, v_now + p_lease)
        ON CONFLICT (owner) DO UPDATE SET expires = EXCLUDED.expires;
    IF p_dropped <> '{}' THEN
        WITH mine AS MATERIALIZED (
            SELECT w.job_id FROM genflow.work w
              JOIN unnest(p_dropped, p_dropped_epochs) AS u(id, epoch)
                ON w.job_id = u.id AND w.epoch = u.epoch AND w.led AND w.lease_owner = p_owner
             ORDER BY w.job_id FOR UPDATE OF w)
        UPDATE genflow.work w SET led = false, due_at = least(v_now + p_lease, w.deadline_at)
          FROM mine WHERE w.job_id = mine.job_id;
    END IF;
    IF p_ids <> '{}' THEN
        WITH mine AS MATERIALIZED (
            SELECT w.job_id FROM genflow.work w
              JOIN unnest(p_ids, p_epochs) AS u(id, epoch)
                ON w.job_id = u.id AND w.epoch = u.epoch AND w.lease_owner = p_owner
             ORDER BY w.job_id FOR UPDATE OF w),
        named AS (
            UPDATE genflow.work w SET led = true, due_at = w.deadline_at,
                   leased_until = CASE WHEN w.led THEN w.leased_until ELSE w.due_at END
              FROM mine WHERE w.job_id = mine.job_id
            RETURNING w.job_id)
        SELECT array_agg(n.job_id) INTO v_held FROM named n;
        -- a statement of its own, which sees what has ended while the other one waited
        RETURN QUERY
        SELECT u.id, u.epoch,
               CASE WHEN w.job_id IS NULL THEN 'ended'
                    WHEN w.epoch = u.epoch AND w.job_id = ANY (v_held) THEN 'held'
                    ELSE 'lost' END
          FROM unnest(p_ids, p_epochs) AS u(id, epoch) LEFT JOIN genflow.work w ON w.job_id = u.id;
    END IF;
    IF EXISTS (SELECT FROM genflow.recalls r WHERE r.owner = p_owner) THEN
        DELETE FROM genflow.recalls r WHERE r.owner = p_owner AND r.seen_at < v_now - p_lease;
        UPDATE genflow.recalls r SET seen_at = v_now WHERE r.owner = p_owner AND r.seen_at IS NULL;
        RETURN QUERY
        SELECT r.job_id, r.epoch, CASE WHEN w.job_id IS NULL THEN 'ended' ELSE 'lost' END
          FROM genflow.recalls r LEFT JOIN genflow.work w ON w.job_id = r.job_id
         WHERE r.owner = p_owner;
    END IF;
END $$;

-- recall(p_ids): the caller ends the leases of these jobs: the children that lead them learn of it
-- by their next heartbeats. A child that has not named its job yet learns of it when it does.
-- Called by: <prefix>_claim, <prefix>_settle, hook, before they change the rows, which they have
-- locked. Locks: none further.
CREATE OR REPLACE FUNCTION genflow.recall(p_ids uuid[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO genflow.recalls (owner, job_id, epoch)
    SELECT w.lease_owner, w.job_id, w.epoch FROM genflow.work w
     WHERE w.job_id = ANY (p_ids) AND w.led
        ON CONFLICT DO NOTHING
$$;

-- lease_end(w): when the job is due if its host does nothing more: the end of its lease, or of its
-- delay. Called by: <prefix>_settle, hook, the doctor. Locks: none.
CREATE OR REPLACE FUNCTION genflow.lease_end(w genflow.work) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN w.led THEN least(w.due_at, greatest(w.leased_until,
                    (SELECT c.expires FROM genflow.children c WHERE c.owner = w.lease_owner)))
                ELSE w.due_at END
$$;
