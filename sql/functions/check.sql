-- SPDX-License-Identifier: Apache-2.0
-- check(p_accounts): one row per broken invariant, with the number of cases and one sample. No row:
-- the ledger is consistent. Called by: an administrator, check_run(), the tests.
-- p_accounts: it judges the rows of these accounts alone; NULL: everything, which takes minutes on
-- a very large ledger. Locks: genflow.checks, which gets the result of a check of everything for
-- the metrics, unless another check has it. It reads one snapshot.
CREATE OR REPLACE FUNCTION genflow.check(p_accounts bigint[] DEFAULT NULL)
RETURNS TABLE (rule text, n bigint, sample text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_media  text;
    v_rules  text[] := '{}';
BEGIN
    -- all media rows as one set; a type whose table is gone breaks a rule of its own, and the
    -- others stay readable
    SELECT coalesce(string_agg(format('SELECT id, user_id, cost, status, legacy_id FROM %I.%I',
                                      media_schema, media_table), ' UNION ALL '),
                    'SELECT NULL::uuid, NULL::bigint, NULL::bigint, NULL::text, NULL::text '
                    'WHERE false')
      INTO v_media FROM genflow.types
          WHERE to_regclass(format('%I.%I', media_schema, media_table)) IS NOT NULL;
    FOR rule, n, sample IN EXECUTE format($q$
    WITH accounts AS NOT MATERIALIZED (SELECT * FROM genflow.accounts
                                        WHERE $1 IS NULL OR user_id = ANY ($1)),
    ledger AS NOT MATERIALIZED (SELECT * FROM genflow.ledger
                                 WHERE $1 IS NULL OR user_id = ANY ($1)),
    work AS NOT MATERIALIZED (SELECT * FROM genflow.work
                               WHERE $1 IS NULL OR user_id = ANY ($1)),
    reservations AS NOT MATERIALIZED (SELECT * FROM genflow.reservations
                                       WHERE $1 IS NULL OR user_id = ANY ($1)),
    api_keys AS NOT MATERIALIZED (SELECT * FROM genflow.api_keys
                                   WHERE $1 IS NULL OR user_id = ANY ($1)),
    every (id, user_id, cost, status, legacy_id) AS (
        SELECT * FROM (%s) m (id, user_id, cost, status, legacy_id)
         WHERE $1 IS NULL OR user_id = ANY ($1)),
    media AS (SELECT * FROM every WHERE legacy_id IS NULL),
    gone (no) AS (SELECT t.no FROM genflow.types t
                  WHERE to_regclass(format('%%I.%%I', t.media_schema, t.media_table)) IS NULL),
    sums AS (
        SELECT l.user_id,
               sum(CASE WHEN l.kind IN ('grant', 'adjust', 'refund') THEN l.amount
                   WHEN l.kind = 'capture' THEN -l.amount ELSE 0 END) AS balance,
               sum(CASE WHEN l.kind = 'hold' THEN l.amount WHEN l.kind IN ('capture', 'release')
                   THEN -(l.amount + l.released) ELSE 0 END) AS held,
               count(*) FILTER (WHERE l.kind = 'hold'
                                AND genflow.id_type(l.ref) <> 0) AS generations
          FROM ledger l GROUP BY 1),
    broken (rule, sample) AS (
        SELECT 'every type has its table', t.name FROM genflow.types t JOIN gone g ON g.no = t.no
            WHERE $1 IS NULL
        UNION ALL SELECT 'balance = sum of the ledger', genflow.account_label(user_id)
            FROM accounts a FULL JOIN sums s USING (user_id)
            WHERE a.balance IS DISTINCT FROM coalesce(s.balance, 0)
        UNION ALL SELECT 'held = open holds', genflow.account_label(user_id)
            FROM accounts a FULL JOIN sums s USING (user_id)
            WHERE a.held IS DISTINCT FROM coalesce(s.held, 0)
        UNION ALL SELECT 'no fewer generations than holds of generations',
            genflow.account_label(user_id)
            FROM accounts a JOIN sums s USING (user_id)
            WHERE a.generations < s.generations
        UNION ALL SELECT 'held = cost of live jobs and open reservations',
            genflow.account_label(a.user_id)
            FROM accounts a
            LEFT JOIN (SELECT h.user_id, sum(h.cost) AS cost
                         FROM (SELECT w.user_id, w.cost FROM work w
                               UNION ALL SELECT r.user_id, r.amount FROM reservations r
                                   WHERE r.state = 'open') h
                        GROUP BY 1) l USING (user_id)
            WHERE a.held <> coalesce(l.cost, 0)
        UNION ALL SELECT 'no overdraft', genflow.account_label(a.user_id)
            FROM accounts a WHERE a.balance < a.held
            OR a.held < 0
        UNION ALL SELECT 'a completed job has one capture of its cost', m.id::text
            FROM media m LEFT JOIN ledger c ON c.ref = m.id AND c.kind = 'capture'
            WHERE (m.status = 'completed') <> (c.ref IS NOT NULL) OR c.amount + c.released <> m.cost
        UNION ALL SELECT 'a failed or cancelled job has one release and costs nothing', m.id::text
            FROM media m LEFT JOIN ledger r ON r.ref = m.id AND r.kind = 'release'
            WHERE (m.status IN ('failed', 'cancelled')) <> (r.ref IS NOT NULL) OR r.amount <> 0
              OR r.released <> m.cost
        UNION ALL SELECT 'a job has its hold', m.id::text FROM media m LEFT
            JOIN ledger h ON h.ref = m.id AND h.kind = 'hold'
            WHERE h.ref IS NULL OR h.amount <> m.cost OR h.user_id <> m.user_id
        UNION ALL SELECT 'a moved generation has ended, and no entry in the ledger',
            m.id::text
            FROM every m WHERE m.legacy_id IS NOT NULL
              AND (m.cost <> 0 OR m.status IN ('pending', 'processing')
                   OR EXISTS (SELECT FROM ledger l WHERE l.ref = m.id))
        UNION ALL SELECT 'a hold, capture or release has a job or a deleted one', l.ref::text
            FROM ledger l LEFT JOIN media m ON m.id = l.ref
            WHERE l.kind = 'hold' AND m.id IS NULL AND genflow.id_type(l.ref) NOT IN (SELECT no
                FROM gone)
              AND NOT EXISTS (SELECT FROM ledger e WHERE e.ref = l.ref
                              AND e.kind IN ('capture', 'release'))
              AND NOT EXISTS (SELECT FROM reservations r WHERE r.id = l.ref)
        UNION ALL SELECT 'a reservation has its hold, and gives it back once when it ends',
            r.id::text
            FROM reservations r LEFT JOIN ledger h ON h.ref = r.id
                AND h.kind = 'hold'
            LEFT JOIN ledger e ON e.ref = r.id AND e.kind <> 'hold'
            WHERE h.ref IS NULL OR h.amount <> r.amount OR h.user_id <> r.user_id
              OR (r.state = 'open') <> (e.ref IS NULL)
               OR e.kind <> 'release' OR e.released <> r.amount
        UNION ALL SELECT 'a used reservation has its generation', r.id::text
            FROM reservations r
            WHERE r.state = 'used' AND NOT EXISTS (SELECT FROM ledger h
                                                   WHERE h.ref = r.job_id AND h.kind = 'hold'
                                                     AND h.user_id = r.user_id)
        UNION ALL SELECT 'one end per job', l.ref::text FROM ledger l
            WHERE l.kind IN ('capture', 'release')
            GROUP BY l.ref HAVING count(*) > 1
        UNION ALL SELECT 'a live job has its work row', coalesce(m.id, w.job_id)::text
            FROM (SELECT id FROM media WHERE status IN ('pending', 'processing')) m
            FULL JOIN (SELECT job_id FROM work WHERE type_no NOT IN (SELECT no
                FROM gone)) w ON w.job_id = m.id
            WHERE m.id IS NULL OR w.job_id IS NULL
        UNION ALL SELECT 'one key per job', k.job_id::text
            FROM genflow.idempotency_keys k
            WHERE $1 IS NULL OR k.user_id = ANY ($1) GROUP BY k.job_id HAVING count(*) > 1
        UNION ALL SELECT 'the budget of a key counts what it held and did not give back', k.id
            FROM api_keys k
            LEFT JOIN (SELECT h.api_key, sum(h.amount - coalesce(e.released, 0)) AS used
                         FROM ledger h LEFT JOIN ledger e ON e.ref = h.ref
                             AND e.kind IN ('capture', 'release')
                        WHERE h.api_key IS NOT NULL GROUP BY 1) u ON u.api_key = k.id
            WHERE k.budget_per = 'total' AND k.budget_used <> coalesce(u.used, 0)
        UNION ALL SELECT 'a day''s budget of a key covers what it held that day and did not give'
            ' back', k.id
            FROM api_keys k
            JOIN (SELECT h.api_key, h.window_day, sum(h.amount - coalesce(e.released, 0)) AS used
                    FROM ledger h LEFT JOIN ledger e ON e.ref = h.ref
                        AND e.kind IN ('capture', 'release')
                   WHERE h.api_key IS NOT NULL GROUP BY 1, 2) u ON u.api_key = k.id
                     AND u.window_day = k.budget_day
            WHERE k.budget_per = 'day' AND k.budget_used < u.used
        UNION ALL SELECT 'a day''s quota covers what was held that day and not given back',
            genflow.account_label(a.user_id) FROM accounts a
            JOIN (SELECT h.user_id, h.window_day, sum(h.amount - coalesce(r.released, 0)) AS used
                    FROM ledger h LEFT JOIN ledger r ON r.ref = h.ref
                        AND r.kind = 'release'
                   WHERE h.kind = 'hold' GROUP BY 1, 2) d ON d.user_id = a.user_id
                     AND d.window_day = a.day
            WHERE a.day_used < d.used)
    SELECT b.rule, count(*), min(b.sample) FROM broken b GROUP BY b.rule
        ORDER BY b.rule$q$, v_media) USING p_accounts LOOP
        v_rules := v_rules || rule;
        RETURN NEXT;
    END LOOP;
    -- for metrics and administration; a check at the same time does it as well
    IF p_accounts IS NULL AND current_setting('transaction_read_only') = 'off' THEN
        UPDATE genflow.checks c
           SET since = CASE WHEN isfinite(c.at) AND (c.broken = 0) = (v_rules = '{}') THEN c.since
                   ELSE clock_timestamp() END,
               at = clock_timestamp(), broken = cardinality(v_rules), rules = v_rules
         WHERE c.only_row IN (SELECT o.only_row FROM genflow.checks o FOR UPDATE SKIP LOCKED);
    END IF;
END $$;

-- check_due(p_every): is the newest check older than p_every?
-- Called by: each host's janitor. Locks: none.
CREATE OR REPLACE FUNCTION genflow.check_due(p_every interval) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.at < clock_timestamp() - p_every FROM genflow.checks c
$$;

-- check_run(p_every): runs check() if it is due and no other session runs it so.
-- Called by: each host's janitor, on a connection without statement_timeout. Locks: an advisory one
-- until the end of the transaction, and check()'s. Outcomes: not_due, sound, broken (with the rules
-- and the number of cases of each).
CREATE OR REPLACE FUNCTION genflow.check_run(p_every interval, OUT outcome text, OUT rules text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('genflow check', 0))
       OR NOT genflow.check_due(p_every) THEN
        outcome := 'not_due';
        RETURN;
    END IF;
    SELECT string_agg(format('%s (%s)', c.rule, c.n), '; ' ORDER BY c.rule) INTO rules
      FROM genflow.check() c;
    outcome := CASE WHEN rules IS NULL THEN 'sound' ELSE 'broken' END;
END $$;
