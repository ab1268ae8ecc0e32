-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_claim(p_owner, p_limit, p_lease, p_from, p_lines, p_ends, p_call, p_again): leases up to
-- p_limit due jobs of the type to the host process p_owner. p_owner NULL: it leases none and only
-- ends jobs past their deadline. Called by: each host's dispatcher, periodically, and the janitor.
-- Locks: the work rows (SKIP LOCKED); for jobs that it ends: media, ledger, account, in account
-- order; before them the rows of children whose lease is over (shared, SKIP LOCKED). This is the
-- only transaction that touches several accounts.
-- Begun jobs that are due come first (lane 0: expired leases, retries, and jobs that a child led
-- whose lease is over, heartbeat.sql). Then comes the queue: jobs
-- that no host has begun, by priority (lanes 1 to 3: high, normal, low), then by place, which is
-- fair between users (work_line()).
-- A job in phase 'sending' whose lease has expired is not leased at once: its owner may only be
-- suspended, and may know the provider's answer. Claim removes the owner from the row and leaves
-- the epoch for one more lease.
-- phase says what to do: 'queued' submit; 'sending' reconcile with the provider first, by
-- request_hash (the hash of what the attempt sent); 'working' poll.
-- A job past its deadline that a host had begun is leased once more for one lease, with last_look,
-- because its picture may be stored already. If no host claims it within a lease (p_owner NULL) it
-- ends without that. Claim ends other jobs at once: jobs past their deadline, jobs whose host died
-- five times, jobs that could not be ended before (poison), jobs without a media row. With p_ends
-- it returns them first, with their owner, and phase 'failed', or 'cancelled' for a pending one
-- (due at its deadline); lane is NULL. Servers from before schema 11 do not set p_ends: they would
-- take such a row for a lease. Servers from before schema 15 send no p_call, do not know last_look
-- and would submit such a job again: for them it ends at once, too.
-- A job that no host has begun is 'pending' on its media row. Its first lease makes it 'processing'
-- and sets started_at.
-- p_from, p_lines: the first due_at of the host's last claim, of lane 0 and of each other lane, and
-- periodically -infinity. The scan begins a few seconds before it and so skips dead index entries
-- at the head of the queue that vacuum cannot remove under an old snapshot.
-- p_call: the token of this call (calls.sql). p_again: the module repeats the call because no
-- answer came: claim gives back what the first call leased, and claims it again. No index has the
-- token, hence p_again.
-- The plan is pinned: with LIMIT as a parameter the planner would plan each call anew, and
-- statistics of a queue taken at a bad moment must not turn it into a scan.
CREATE OR REPLACE FUNCTION genflow.{prefix}_claim(
    p_owner text, p_limit integer, p_lease interval, p_from timestamptz,
    p_lines timestamptz[] DEFAULT '{-infinity,-infinity,-infinity}', p_ends boolean DEFAULT false,
    p_call uuid DEFAULT NULL, p_again boolean DEFAULT false)
RETURNS TABLE (id uuid, epoch integer, phase text, attempts smallint, chain_pos smallint,
               retries smallint,
               provider text, model text, provider_ref text, deadline_ms bigint, user_id text,
               run_id text, preset text,
               prompt text, source_url text, parameters jsonb, seed bigint, max_retries smallint,
               due_at timestamptz, age_ms bigint,
               lane smallint, picture_secret text, last_look boolean, request_hash jsonb,
               cost bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
    SET enable_bitmapscan = off SET enable_sort = off AS $body$
DECLARE
    v_now  timestamptz := clock_timestamp();
    -- longer than a transaction that queues a job
    v_slack CONSTANT interval := '10 seconds';
    v_looks CONSTANT boolean := p_owner IS NOT NULL AND p_call IS NOT NULL;
    v_live uuid[];
    v_due  timestamptz[];
    v_lane smallint[];
    v_dead uuid[];
    v_wait uuid[];
    v_led  boolean;
    v_dead_children text[] := '{}';
    v_id   uuid;
BEGIN
    IF genflow.restored() IS NOT NULL THEN                  -- site.sql
        RETURN;
    END IF;
    IF p_again THEN
        UPDATE genflow.work w SET lease_owner = NULL, led = false, due_at = v_now
         WHERE w.type_no = {no} AND w.due_at > v_now AND w.lease_owner = p_owner
           AND w.call = p_call;
    END IF;
    -- A child that renews its lease meanwhile keeps it, or waits until this claim has its jobs.
    -- IS TRUE: the index of led jobs is used alone, whatever statistics the planner has.
    IF p_owner IS NOT NULL THEN
        v_dead_children := ARRAY(
            SELECT c.owner FROM genflow.children c
             WHERE c.expires <= v_now
               AND EXISTS (SELECT FROM genflow.work w
                            WHERE w.led AND w.lease_owner = c.owner
                              AND (w.type_no = {no}) IS TRUE AND w.leased_until <= v_now)
               FOR SHARE OF c SKIP LOCKED);
    END IF;
    SELECT array_agg(s.job_id ORDER BY s.lane, s.at) FILTER (WHERE s.fate = 'take'),
           array_agg(s.at ORDER BY s.lane, s.at) FILTER (WHERE s.fate = 'take'),
           array_agg(s.lane ORDER BY s.lane, s.at) FILTER (WHERE s.fate = 'take'),
           array_agg(s.job_id ORDER BY s.user_id, s.job_id) FILTER (WHERE s.fate = 'end'),
           array_agg(s.job_id) FILTER (WHERE s.fate = 'wait'), bool_or(s.led)
      INTO v_live, v_due, v_lane, v_dead, v_wait, v_led
      FROM (SELECT d.job_id, d.user_id, d.lane, d.at, d.led, CASE WHEN
                   d.poison IS NOT NULL OR (d.lease_owner IS NOT NULL AND d.lost_leases >= 4)
                   OR (SELECT m.id FROM {media} m WHERE m.id = d.job_id) IS NULL THEN 'end'
                   WHEN d.deadline_at <= v_now OR (d.last_look AND NOT v_looks)
                   THEN CASE WHEN d.begun AND NOT d.last_look AND v_looks THEN 'take' ELSE 'end' END
                   WHEN d.phase = 'sending' AND d.lease_owner IS NOT NULL THEN 'wait'
                       ELSE 'take' END AS fate
              FROM (SELECT * FROM (
                        SELECT 0::smallint AS lane, w.due_at AS at, w.job_id, w.user_id, w.phase,
                               w.lease_owner, w.lost_leases,
                               w.deadline_at, w.last_look, w.poison,
                               w.phase IN ('sending', 'working')
                                   OR w.lease_owner IS NOT NULL AS begun, w.led
                          FROM genflow.work w
                         WHERE w.type_no = {no} AND w.due_at BETWEEN p_from - v_slack AND v_now
                           AND (p_owner IS NOT NULL OR w.deadline_at <= v_now - CASE
                                WHEN w.last_look OR (w.phase IN ('queued', 'pending')
                                                     AND w.lease_owner IS NULL)
                                THEN interval '0' ELSE p_lease END)
                         ORDER BY w.due_at LIMIT p_limit FOR UPDATE SKIP LOCKED) begun
                    UNION ALL
                    SELECT * FROM (
                        SELECT 0::smallint, w.leased_until, w.job_id, w.user_id, w.phase,
                               w.lease_owner, w.lost_leases, w.deadline_at, w.last_look, w.poison,
                               true, w.led
                          FROM genflow.work w
                         WHERE w.led AND w.lease_owner = ANY (v_dead_children)
                           AND (w.type_no = {no}) IS TRUE AND w.leased_until <= v_now
                           AND (w.due_at > v_now) IS TRUE
                         LIMIT p_limit FOR UPDATE SKIP LOCKED) of_dead_children
                    UNION ALL
                    SELECT l.lane::smallint, least(line.turn, v_now), line.job_id, line.user_id,
                           line.phase, line.lease_owner,
                           line.lost_leases, line.deadline_at, line.last_look, line.poison, false,
                           false
                      FROM unnest(p_lines) WITH ORDINALITY AS l(since, lane)
                     CROSS JOIN LATERAL (
                        SELECT w.* FROM genflow.work w
                         WHERE w.type_no = {no} AND w.priority = (2 - l.lane)::smallint
                           AND w.turn >= l.since - v_slack
                           AND w.deadline_at > v_now AND p_owner IS NOT NULL
                         ORDER BY w.turn LIMIT p_limit FOR UPDATE SKIP LOCKED) line
                    LIMIT p_limit) d) s;
    FOREACH v_id IN ARRAY coalesce(v_dead, '{}') LOOP
        SELECT w.job_id, CASE w.phase WHEN 'pending' THEN 'cancelled' ELSE 'failed' END,
               genflow.identity_of(w.user_id),
               w.provider, w.model, w.retries,
               m.max_retries, (extract(epoch FROM v_now - m.created_at) * 1000)::bigint
          INTO id, phase, user_id, provider, model, retries, max_retries, age_ms
          FROM genflow.work w LEFT JOIN {media} m ON m.id = w.job_id WHERE w.job_id = v_id;
        BEGIN
            PERFORM genflow.{prefix}_settle(v_id, NULL, phase, NULL, NULL, NULL, NULL, NULL, NULL,
                                            NULL,
                                            CASE phase WHEN 'failed' THEN 'TIMEOUT' END,
                                            CASE phase WHEN 'failed'
                                                THEN 'The generation did not end within its time'
                                                 ELSE 'The generation was not started within its '
                                                      'time' END, NULL);
        -- a job that cannot be ended does not stop the others
        EXCEPTION
        WHEN lock_not_available OR deadlock_detected OR serialization_failure THEN
            RAISE;
        WHEN OTHERS THEN
            RAISE WARNING 'GF0644: job=% type={type}: it cannot be ended (SQLSTATE % %): see '
                          'genflow-doctor stuck', v_id, SQLSTATE,
                SQLERRM;
            PERFORM genflow.recall(ARRAY[v_id]);
            UPDATE genflow.work w SET poison = SQLSTATE || ': ' || SQLERRM, lease_owner = NULL,
                led = false, turn = NULL,
                   due_at = v_now + interval '1 minute', deadline_at = greatest(w.deadline_at,
                       v_now + interval '1 minute')
             WHERE w.job_id = v_id;
            CONTINUE;
        END;
        IF p_ends THEN
            RETURN NEXT;
        END IF;
    END LOOP;
    -- most claims find nothing and need no further statement
    IF v_led THEN
        PERFORM genflow.recall(v_live || v_wait);
    END IF;
    IF v_wait IS NOT NULL THEN
        UPDATE genflow.work w SET lease_owner = NULL, led = false,
            lost_leases = w.lost_leases + 1,
            due_at = least(v_now + p_lease, w.deadline_at)
         WHERE w.job_id = ANY (v_wait);
    END IF;
    IF v_live IS NULL THEN
        RETURN;
    END IF;
    UPDATE genflow.work w SET
        epoch       = w.epoch + 1,
        lost_leases = w.lost_leases + CASE WHEN w.lease_owner IS NULL THEN 0 ELSE 1 END,
        lease_owner = p_owner,
        led         = false,
        call        = p_call,
        turn        = NULL,
        due_at      = CASE WHEN w.deadline_at <= v_now THEN v_now + p_lease
            ELSE least(v_now + p_lease, w.deadline_at) END,
        deadline_at = CASE WHEN w.deadline_at <= v_now THEN v_now + p_lease ELSE w.deadline_at END,
        last_look   = w.last_look OR w.deadline_at <= v_now
     WHERE w.job_id = ANY (v_live);
    -- Their work begins now, if it did not begin before.
    UPDATE {media} m SET status = 'processing', started_at = v_now
     WHERE m.id = ANY (v_live) AND m.status = 'pending';
    -- In the order in which they were leased. OFFSET 0: by key, job for job, whatever statistics
    -- the planner has.
    RETURN QUERY
    SELECT w.job_id, w.epoch, w.phase, w.attempts, w.chain_pos, w.retries, w.provider, w.model,
           w.provider_ref,
           (extract(epoch FROM w.deadline_at - v_now) * 1000)::bigint,
           genflow.identity_of(m.user_id), m.run_id, m.preset, m.prompt,
           m.source_url, m.parameters, m.seed, m.max_retries, o.due_at,
           (extract(epoch FROM v_now - m.created_at) * 1000)::bigint, o.lane, w.picture_secret,
               w.last_look,
           CASE w.phase WHEN 'sending' THEN
               (SELECT a.request_hash FROM genflow.attempts a
                 WHERE a.job_id = w.job_id AND a.no = w.attempts) END,
           w.cost
      FROM unnest(v_live, v_due, v_lane) AS o(job_id, due_at, lane)
     CROSS JOIN LATERAL (SELECT * FROM genflow.work t WHERE t.job_id = o.job_id OFFSET 0) w
     CROSS JOIN LATERAL (SELECT * FROM {media} t WHERE t.id = o.job_id OFFSET 0) m;
END $body$;
