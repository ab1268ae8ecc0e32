-- SPDX-License-Identifier: Apache-2.0
-- delivery_claim(p_types, p_limit, p_lease, p_from): claims webhooks of generations of those types
-- that were due at p_from or since (due.sql says where to begin, past dead rows); no other host
-- claims them for p_lease. If the host dies, the delivery is only late. `event` is 'end', or
-- 'start' where the client of a front wants the begin delivered, too.
-- Delivery is at least once, under a stable webhook-id. The user with the fewest deliveries in
-- progress comes first, so slow receivers delay only their own user. In progress means due again
-- within p_lease, which includes retries that are as near.
-- `at` is now in seconds since 1970 by the database's clock, which all hosts share; the signature
-- of the webhook covers it.
-- Called by: each host's dispatcher when some are due. Locks: the rows (SKIP LOCKED).
-- The plan is pinned: by due time, then row for row, whatever statistics the planner has.
CREATE OR REPLACE FUNCTION genflow.delivery_claim(p_types text[], p_limit integer, p_lease interval,
                                                  p_from timestamptz DEFAULT '-infinity')
RETURNS TABLE (id uuid, type text, user_id text, tries integer, at bigint, event text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
    SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    IF genflow.restored() IS NOT NULL THEN                  -- site.sql
        RETURN;
    END IF;
    RETURN QUERY
    WITH running AS MATERIALIZED (
        SELECT d.user_id, count(*) AS n FROM genflow.deliveries d
         WHERE d.due_at > v_now AND d.due_at <= v_now + p_lease GROUP BY d.user_id),
    due AS MATERIALIZED (
        SELECT d.job_id, d.event
          FROM genflow.deliveries d LEFT JOIN running ON running.user_id = d.user_id
         WHERE d.due_at >= p_from AND d.due_at <= v_now
           AND d.type_no = ANY (ARRAY(SELECT t.no FROM genflow.types t
                                       WHERE t.name = ANY (p_types)))
         ORDER BY coalesce(running.n, 0), d.due_at LIMIT p_limit FOR UPDATE OF d SKIP LOCKED),
    mine AS (
        UPDATE genflow.deliveries d SET due_at = v_now + p_lease, tries = d.tries + 1
         WHERE d.job_id = ANY (ARRAY(SELECT due.job_id FROM due))
           AND (d.job_id, d.event) IN (SELECT due.job_id, due.event FROM due)
        RETURNING d.job_id, d.type_no, d.user_id, d.tries, d.event)
    SELECT m.job_id, t.name, genflow.identity_of(m.user_id), m.tries,
           extract(epoch FROM v_now)::bigint, m.event
      FROM mine m JOIN genflow.types t ON t.no = m.type_no;
END $$;

-- delivery_note(p_id, p_delay, p_event): records an attempt to deliver. The next attempt is due
-- after p_delay. p_delay NULL: no further attempt, the receiver has the webhook or the module gives
-- up.
-- Called by: the dispatcher's writers. Locks: the row. Outcomes: 'ok'; 'gone' another host has
-- delivered it.
CREATE OR REPLACE FUNCTION genflow.delivery_note(p_id uuid, p_delay interval,
                                                 p_event text DEFAULT 'end') RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_delay IS NULL THEN
        DELETE FROM genflow.deliveries d WHERE d.job_id = p_id AND d.event = p_event;
    ELSE
        UPDATE genflow.deliveries d SET due_at = clock_timestamp() + p_delay
         WHERE d.job_id = p_id AND d.event = p_event;
    END IF;
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'gone' END;
END $$;
