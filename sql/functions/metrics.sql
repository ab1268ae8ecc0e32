-- SPDX-License-Identifier: Apache-2.0
-- metrics(): the values of scope GLOBAL of base/metric_table.h: the name there, the labels (`word`
-- is that which is neither type nor provider; '' and NULL are none) and the value; times in
-- microseconds. Values that are not named are 0. Reads sums, live work and small tables, but not
-- the ledger. Called by: one child of each host, at most every 5 s, while someone reads the
-- metrics. Locks: those of sums_fold().
CREATE OR REPLACE FUNCTION genflow.metrics()
RETURNS TABLE (metric text, type text, provider text, word text, value bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    PERFORM genflow.sums_fold(10000);
    RETURN QUERY
    WITH sums AS MATERIALIZED (
        SELECT t.name, s.* FROM genflow.ledger_sums() s
          LEFT JOIN genflow.types t ON t.no = s.type_no),
    live AS MATERIALIZED (
        SELECT t.name, w.phase, count(*) AS n, min(w.job_id::text) AS oldest
          FROM genflow.work w LEFT JOIN genflow.types t ON t.no = w.type_no GROUP BY 1, 2)
    SELECT 'genflow_generations_created', s.name, NULL, NULL, s.n FROM sums s
     WHERE s.kind = 'hold' AND s.type_no <> 0
    UNION ALL SELECT 'genflow_generations_ended', s.name, s.provider, s.outcome, s.n FROM sums s
     WHERE s.kind IN ('capture', 'release') AND s.type_no <> 0
    UNION ALL SELECT 'genflow_credits_held', s.name, NULL, NULL, s.amount FROM sums s
     WHERE s.kind = 'hold'
    UNION ALL SELECT 'genflow_credits_captured', s.name, NULL, NULL, s.amount FROM sums s
     WHERE s.kind = 'capture'
    UNION ALL SELECT 'genflow_credits_released', s.name, NULL, NULL, s.released FROM sums s
     WHERE s.kind IN ('capture', 'release')
    UNION ALL SELECT 'genflow_credits_refunded', s.name, NULL, NULL, s.amount FROM sums s
     WHERE s.kind = 'refund'
    UNION ALL SELECT 'genflow_credits_granted', NULL, NULL, NULL, s.amount FROM sums s
     WHERE s.kind = 'grant'
    UNION ALL SELECT 'genflow_credits_adjusted', NULL, NULL, NULL, s.amount FROM sums s
     WHERE s.kind = 'adjust'
    UNION ALL SELECT 'genflow_credits_on_hold', NULL, NULL, NULL,
                     CASE s.kind WHEN 'hold' THEN s.amount ELSE -(s.amount + s.released) END
      FROM sums s WHERE s.kind IN ('hold', 'capture', 'release')
    UNION ALL SELECT 'genflow_generations_live', l.name, NULL, l.phase, l.n FROM live l
    UNION ALL SELECT 'genflow_queue_oldest_seconds', l.name, NULL, NULL,
                     greatest((extract(epoch FROM v_now) * 1000000)::bigint - 1000
                              * ('x' || left(replace(l.oldest, '-', ''), 12))::bit(48)::bigint, 0)
      FROM live l WHERE l.phase = 'queued'
    UNION ALL SELECT 'genflow_breakers_open', NULL, b.provider, NULL, count(*)
      FROM genflow.breakers b WHERE b.open_until > v_now GROUP BY b.provider
    UNION ALL SELECT 'genflow_provider_budget_spent', NULL, b.provider, NULL, b.spent
      FROM genflow.budgets() b
    UNION ALL SELECT 'genflow_provider_paid', NULL, s.provider, NULL, s.provider_cost
      FROM genflow.sums_of('all') s WHERE s.provider_cost <> 0
    UNION ALL SELECT 'genflow_webhooks_waiting', NULL, NULL, NULL, count(*) FROM genflow.deliveries
    UNION ALL SELECT 'genflow_webhooks_overdue', NULL, NULL, NULL, count(*)
      FROM genflow.deliveries d WHERE d.due_at < v_now - interval '1 minute'
    UNION ALL SELECT 'genflow_restores_waiting', NULL, NULL, NULL, count(*) FROM genflow.restores
    UNION ALL SELECT 'genflow_removals_waiting', NULL, NULL, NULL, count(*) FROM genflow.removals
    UNION ALL SELECT 'genflow_ledger_check_timestamp_seconds', NULL, NULL, NULL,
                     (extract(epoch FROM c.at) * 1000000)::bigint FROM genflow.checks c
     WHERE isfinite(c.at)
    UNION ALL SELECT 'genflow_ledger_check_broken_rules', NULL, NULL, NULL, c.broken::bigint
      FROM genflow.checks c
    UNION ALL SELECT 'genflow_database_lock_waits', NULL, NULL, NULL, genflow.lock_waits();
END $$;
