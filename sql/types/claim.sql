-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_claim(p_owner, p_limit, p_lease, p_from): leases up to p_limit due jobs of the type to the host process p_owner.
-- Called by: each host's dispatcher, every now and then. Locks: the work rows (SKIP LOCKED), for the jobs that it ends:
-- media, ledger, account, in account order, the only place where one transaction may touch several accounts.
-- What was being sent when its lease ran out is not taken at once: its owner may only sleep, and knows what we do not. It
-- loses its name on the row and keeps its epoch for one more lease.
-- phase tells what to do: 'queued' submit, 'sending' ask the provider first, 'working' poll. What is past its deadline, or
-- killed its host five times, or lost its media row, is ended on the spot and not returned. What is pending is due at its
-- deadline: it is cancelled then.
-- p_from: the oldest due time of the host's last claim less a few seconds, and now and then -infinity: the scan then does
-- not walk over dead index entries at the head of the queue that vacuum cannot remove under an old snapshot.
-- The plan is pinned: with LIMIT as a parameter the planner would plan each call anew, and statistics of a queue taken at
-- a bad moment must not turn it into a scan.
CREATE OR REPLACE FUNCTION genflow.{prefix}_claim(p_owner text, p_limit integer, p_lease interval, p_from timestamptz)
RETURNS TABLE (id uuid, epoch integer, phase text, attempts smallint, chain_pos smallint, retries smallint,
               provider text, model text, provider_ref text, deadline_ms bigint, user_id text, run_id text, preset text,
               prompt text, source_url text, parameters jsonb, seed bigint, max_retries smallint, due_at timestamptz, age_ms bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $body$
DECLARE
    v_now  timestamptz := clock_timestamp();
    v_live uuid[];
    v_due  timestamptz[];
    v_dead uuid[];
    v_wait uuid[];
    v_id   uuid;
    v_idle boolean;                                         -- its user never started it
BEGIN
    SELECT array_agg(s.job_id ORDER BY s.due_at) FILTER (WHERE s.fate = 'take'),
           array_agg(s.due_at ORDER BY s.due_at) FILTER (WHERE s.fate = 'take'),
           array_agg(s.job_id ORDER BY s.user_id, s.job_id) FILTER (WHERE s.fate = 'end'),
           array_agg(s.job_id) FILTER (WHERE s.fate = 'wait')
      INTO v_live, v_due, v_dead, v_wait
      FROM (SELECT w.job_id, w.user_id, w.due_at, CASE WHEN
                   w.deadline_at <= v_now OR (w.lease_owner IS NOT NULL AND w.lost_leases >= 4)
                   OR (SELECT m.id FROM {media} m WHERE m.id = w.job_id) IS NULL THEN 'end'
                   WHEN w.phase = 'sending' AND w.lease_owner IS NOT NULL THEN 'wait' ELSE 'take' END AS fate
              FROM genflow.work w
             WHERE w.type_no = {no} AND w.due_at BETWEEN p_from AND v_now
             ORDER BY w.due_at LIMIT p_limit FOR UPDATE SKIP LOCKED) s;
    FOREACH v_id IN ARRAY coalesce(v_dead, '{}') LOOP
        SELECT w.phase = 'pending' INTO v_idle FROM genflow.work w WHERE w.job_id = v_id;
        PERFORM genflow.{prefix}_settle(v_id, NULL, CASE WHEN v_idle THEN 'cancelled' ELSE 'failed' END, NULL, NULL, NULL, NULL,
                                        NULL, NULL, NULL, CASE WHEN NOT v_idle THEN 'TIMEOUT' END,
                                        CASE WHEN v_idle THEN 'The generation was not started within its time'
                                             ELSE 'The generation did not end within its time' END, NULL);
    END LOOP;
    UPDATE genflow.work w SET lease_owner = NULL, lost_leases = w.lost_leases + 1, due_at = least(v_now + p_lease, w.deadline_at)
     WHERE w.job_id = ANY (v_wait);
    UPDATE genflow.work w SET
        epoch       = w.epoch + 1,
        lost_leases = w.lost_leases + CASE WHEN w.lease_owner IS NULL THEN 0 ELSE 1 END,
        lease_owner = p_owner,
        due_at      = least(v_now + p_lease, w.deadline_at)
     WHERE w.job_id = ANY (v_live);
    -- In the order in which they were due. OFFSET 0: by key, job for job, whatever the planner believes of the tables.
    RETURN QUERY
    SELECT w.job_id, w.epoch, w.phase, w.attempts, w.chain_pos, w.retries, w.provider, w.model, w.provider_ref,
           (extract(epoch FROM w.deadline_at - v_now) * 1000)::bigint, m.user_id, m.run_id, m.preset, m.prompt,
           m.source_url, m.parameters, m.seed, m.max_retries, o.due_at,
           (extract(epoch FROM v_now - m.created_at) * 1000)::bigint
      FROM unnest(v_live, v_due) AS o(job_id, due_at)
     CROSS JOIN LATERAL (SELECT * FROM genflow.work t WHERE t.job_id = o.job_id OFFSET 0) w
     CROSS JOIN LATERAL (SELECT * FROM {media} t WHERE t.id = o.job_id OFFSET 0) m;
END $body$;
