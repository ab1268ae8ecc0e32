-- SPDX-License-Identifier: Apache-2.0
-- What the module deletes after a while. Each part has statements of its own, one small batch each,
-- so that no lock lasts long and a fault in one part does not stop the others.

-- janitor_parts(): the names of the parts: the tables that are cleaned by age, then every type.
-- Called by: each host's janitor. Locks: none.
CREATE OR REPLACE FUNCTION genflow.janitor_parts() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT unnest(ARRAY['attempts', 'hooks', 'late_results', 'calls', 'keys', 'assets',
                        'reservations', 'ended_reservations',
                        'budgets', 'lost_responses', 'children', 'sums',
                        'erasures'])
    UNION ALL (SELECT t.name FROM genflow.types t ORDER BY t.no)
$$;

-- janitor(p_part, p_limit, p_jobs, p_keys, p_media): cleans a batch of up to p_limit rows of a
-- part. It skips rows that another session has locked, so that any number of hosts may run it at
-- once.
-- Called by: each host's janitor, until a batch is empty.
--   attempts, hooks, late_results  the records of generations that ended p_jobs ago; the rows of
--   the
--                 generations stay
--   calls         answers stored for repetitions of a call (calls.sql) an hour ago
--   keys          idempotency keys that are older than p_keys and whose generation has ended
--   ended_reservations  reservations that ended p_keys ago. Until then their run ids may not be
--                 reserved again, because a client may repeat its call. Their ledger entries stay.
--   lost_responses  records that are older than 15 minutes
--   budgets       costs of submissions to providers more than 31 days ago
--   children      rows of children whose lease was over a minute ago and that lead no job, recalls
--                 a day old, and hosts that were not seen for a day. A child that leads jobs and
--                 has lost its row gets one whose lease is over.
--   sums          sums_fold()
--   erasures      admin_erase_work()
--   assets        asset_sweep()
--   reservations  reservations_expire()
--   a type's name ends its live generations past their deadline; no host may have this type. If a
--                 host began one, the janitor waits a minute, because hosts look in the store first
--                 for its picture. It deletes generations that ended p_media ago as their users
--                 would, with their pictures (NULL: never), but not before their webhooks are
--                 delivered or given up.
-- Locks: the rows (SKIP LOCKED); for a type and for reservations the locks of the statement that
-- ends them. Returns the number of rows.
-- The plan is pinned: each part begins at its oldest row, whatever statistics the planner has. A
-- batch is MATERIALIZED: a join could run the subquery again for each row of the table, which would
-- skip the rows it has deleted and take the next ones beyond p_limit.
CREATE OR REPLACE FUNCTION genflow.janitor(p_part text, p_limit integer, p_jobs interval,
                                           p_keys interval, p_media interval DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    v_over  timestamptz := clock_timestamp() - p_jobs;
    v_count integer := 0;
    t       genflow.types;
BEGIN
    CASE p_part
    WHEN 'attempts' THEN
        -- A generation created after v_over cannot have ended before it.
        WITH old AS MATERIALIZED (
            SELECT o.job_id, o.no FROM genflow.attempts o
             WHERE o.job_id < genflow.id_at(v_over)
               AND EXISTS (SELECT FROM genflow.ledger l WHERE l.ref = o.job_id AND l.phase = 2
                           AND l.at < v_over)
             ORDER BY o.job_id, o.no LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.attempts a USING old
         WHERE a.job_id = old.job_id AND a.no = old.no;
    WHEN 'hooks' THEN
        WITH old AS MATERIALIZED (
            SELECT o.provider, o.event FROM genflow.hooks o
             WHERE o.at < v_over AND EXISTS (SELECT FROM genflow.ledger l WHERE l.ref = o.job_id
                                             AND l.phase = 2 AND l.at < v_over)
             ORDER BY o.at LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.hooks h USING old
         WHERE h.provider = old.provider AND h.event = old.event;
    WHEN 'late_results' THEN
        WITH old AS MATERIALIZED (
            SELECT o.id FROM genflow.late_results o WHERE o.at < v_over ORDER BY o.id
                LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.late_results r USING old
         WHERE r.id = old.id;
    WHEN 'calls' THEN
        WITH old AS MATERIALIZED (
            SELECT o.call FROM genflow.calls o WHERE o.at < clock_timestamp() - interval '1 hour'
             ORDER BY o.at LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.calls c USING old
         WHERE c.call = old.call;
    WHEN 'keys' THEN
        WITH old AS MATERIALIZED (
            SELECT o.user_id, o.key FROM genflow.idempotency_keys o
             WHERE o.created_at < clock_timestamp() - p_keys
               AND NOT EXISTS (SELECT FROM genflow.work w WHERE w.job_id = o.job_id)
             ORDER BY o.created_at LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.idempotency_keys k USING old
         WHERE k.user_id = old.user_id AND k.key = old.key;
    WHEN 'budgets' THEN
        WITH old AS MATERIALIZED (
            SELECT o.provider, o.day, o.slot FROM genflow.budgets o
                WHERE o.day < (clock_timestamp() AT TIME ZONE 'UTC')::date - 31
             ORDER BY o.provider, o.day, o.slot LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.budgets b USING old
         WHERE b.provider = old.provider AND b.day = old.day AND b.slot = old.slot;
    WHEN 'lost_responses' THEN
        WITH old AS MATERIALIZED (
            SELECT o.id FROM genflow.lost_responses o
             WHERE o.at < clock_timestamp() - interval '15 minutes'
             ORDER BY o.at LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.lost_responses r USING old
         WHERE r.id = old.id;
    WHEN 'children' THEN
        DELETE FROM genflow.hosts h WHERE h.seen_at < clock_timestamp() - interval '1 day';
        INSERT INTO genflow.children (owner, expires)
        SELECT DISTINCT w.lease_owner, clock_timestamp() FROM genflow.work w
         WHERE w.led AND NOT EXISTS (SELECT FROM genflow.children c WHERE c.owner = w.lease_owner)
            ON CONFLICT DO NOTHING;
        WITH old AS MATERIALIZED (
            SELECT o.owner FROM genflow.children o
             WHERE o.expires < clock_timestamp() - interval '1 minute'
               AND NOT EXISTS (SELECT FROM genflow.work w WHERE w.led AND w.lease_owner = o.owner)
             LIMIT p_limit FOR UPDATE SKIP LOCKED),
        gone AS (DELETE FROM genflow.children c USING old WHERE c.owner = old.owner),
        over AS MATERIALIZED (
            SELECT o.owner, o.job_id, o.epoch FROM genflow.recalls o
             WHERE o.made_at < clock_timestamp() - interval '1 day'
             ORDER BY o.made_at LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.recalls r USING over
         WHERE r.owner = over.owner AND r.job_id = over.job_id AND r.epoch = over.epoch;
    WHEN 'erasures' THEN
        RETURN genflow.admin_erase_work(NULL, p_limit);
    WHEN 'sums' THEN
        RETURN genflow.sums_fold(p_limit);
    WHEN 'assets' THEN
        RETURN genflow.asset_sweep(p_limit);
    WHEN 'reservations' THEN
        RETURN genflow.reservations_expire(p_limit);
    WHEN 'ended_reservations' THEN
        v_over := clock_timestamp() - p_keys;
        WITH old AS MATERIALIZED (
            SELECT o.id FROM genflow.reservations o
             WHERE o.id < genflow.id_at(v_over) AND o.state <> 'open'
               AND EXISTS (SELECT FROM genflow.ledger l WHERE l.ref = o.id AND l.phase = 2
                           AND l.at < v_over)
               AND NOT EXISTS (SELECT FROM genflow.work w WHERE w.job_id = o.job_id)
             ORDER BY o.id LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.reservations r USING old
         WHERE r.id = old.id;
    ELSE
        SELECT * INTO t FROM genflow.types y WHERE y.name = p_part;
        EXECUTE format('SELECT count(*) '
                       'FROM genflow.%I(NULL, $1, interval ''1 minute'', ''-infinity'', '
                       '''{}'', true)',
                       t.prefix || '_claim') INTO v_count USING p_limit;
        IF p_media IS NOT NULL AND v_count < p_limit THEN   -- else the next call comes at once
            EXECUTE format('SELECT count(*) FROM (SELECT m.user_id, m.id FROM %I.%I m
                                                   WHERE m.created_at AT TIME ZONE ''UTC''
                                                         < $1 AT TIME ZONE ''UTC''
                                                     AND m.finished_at < $1
                                                     AND NOT EXISTS (SELECT
                                                         FROM genflow.deliveries w
                                                             WHERE w.job_id = m.id)
                                                   ORDER BY m.created_at AT TIME ZONE ''UTC'', m.id
                                                       LIMIT $2 FOR UPDATE SKIP LOCKED) old,
                                   LATERAL genflow.%I(genflow.identity_of(old.user_id),
                                                      old.id) d',
                           t.media_schema, t.media_table, t.prefix || '_delete')
               INTO v_count USING clock_timestamp() - p_media, p_limit;
        END IF;
        RETURN v_count;
    END CASE;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;
