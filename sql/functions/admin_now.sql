-- SPDX-License-Identifier: Apache-2.0
-- admin_now(p_budgets): what an administrator looks at first, as JSON values:
--   ledger    {sound, since, checkedAt, brokenRules}: the last result of genflow.check(), and since
--             when it was so; sound is null before the first check.
--             brokenRules: their names
--   jobs      {waiting, running, oldestWaitingAt}
--   failed    [{type, provider, count}] since the hour that began 24 hours ago
--   breakers  as breakers()
--   budgets   [{provider, limit, spent}] of today (UTC). p_budgets: {provider: limit}; limit is
--             null for a provider that is not in it
--   database  {connections, connectionsMax, lockWaits}: the first two of the whole server
--   hosts     [{name, version, dispatches, seenAt, clockAhead, differs}] of the last day; differs:
--             kinds of settings in which a live host differs from another
--   faults    [{fault, subject, detail}], as faults()
-- Called by: GET admin/now. Locks: none. It reads live work, the sums of 25 hours and small tables.
CREATE OR REPLACE FUNCTION genflow.admin_now(
    p_budgets jsonb, OUT ledger json, OUT jobs json, OUT failed json, OUT breakers json,
    OUT budgets json, OUT database json, OUT hosts json, OUT faults json)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    ledger := (
        SELECT json_build_object(
               'sound', CASE WHEN isfinite(c.at) THEN c.broken = 0 END,
               'since', CASE WHEN isfinite(c.since) THEN genflow.iso(c.since) END,
               'checkedAt', CASE WHEN isfinite(c.at) THEN genflow.iso(c.at) END,
               'brokenRules', c.rules) FROM genflow.checks c);
    jobs := (
        SELECT json_build_object(
               'waiting', count(*) FILTER (WHERE w.phase = 'queued'),
               'running', count(*) FILTER (WHERE w.phase IN ('sending', 'working')),
               'oldestWaitingAt', genflow.iso(genflow.made_at_id(
                   (min(w.job_id::text) FILTER (WHERE w.phase = 'queued'))::uuid)))
          FROM genflow.work w);
    failed := (
        SELECT coalesce(json_agg(json_build_object('type', f.name, 'provider', f.provider,
                                                   'count', f.n)
                                 ORDER BY f.n DESC, f.name, f.provider), '[]')
          FROM (SELECT t.name, nullif(s.provider, '') AS provider, sum(s.n) AS n
                  FROM genflow.sums_of('hour', date_trunc('hour', v_now - interval '1 day',
                                                          'UTC')) s
                  JOIN genflow.types t ON t.no = s.type_no
                 WHERE s.kind = 'release' AND s.outcome = 'failed' GROUP BY 1, 2) f);
    breakers := (
        SELECT coalesce(json_agg(json_build_object(
                   'provider', b.provider, 'model', b.model, 'state', b.state, 'failures',
                   b.failures, 'openUntil', b.open_until, 'openedAt', b.opened_at, 'reason',
                   b.reason)), '[]') FROM genflow.breakers() b);
    budgets := (
        SELECT coalesce(json_agg(json_build_object('provider', provider, 'limit', l.value::bigint,
                                                   'spent', coalesce(b.spent, 0))
                                 ORDER BY provider), '[]')
          FROM genflow.budgets() b
          FULL JOIN jsonb_each_text(p_budgets) AS l (provider, value) USING (provider));
    database := json_build_object(
        'connections', (SELECT count(*) FROM pg_stat_activity a WHERE a.datname IS NOT NULL),
        'connectionsMax', current_setting('max_connections')::integer,
        'lockWaits', genflow.lock_waits());
    hosts := (
        SELECT coalesce(json_agg(json_build_object(
                   'name', h.name, 'version', h.version, 'dispatches', h.dispatches, 'seenAt',
                   genflow.iso(h.seen_at), 'clockAhead', h.clock_ahead, 'differs', (
                       SELECT coalesce(json_agg(DISTINCT m.key), '[]')
                         FROM jsonb_each_text(h.settings) m
                         JOIN genflow.hosts o ON o.name <> h.name
                          AND o.settings ->> m.key <> m.value
                        WHERE least(h.seen_at, o.seen_at) > v_now - interval '1 minute'))
                 ORDER BY h.name), '[]') FROM genflow.hosts h);
    faults := (
        SELECT coalesce(json_agg(json_build_object('fault', f.fault, 'subject', f.subject,
                                                   'detail', f.detail)), '[]')
          FROM genflow.faults() f);
END $$;

-- lock_waits(): sessions of this database that wait for a lock. Called by: admin_now(), metrics().
CREATE OR REPLACE FUNCTION genflow.lock_waits() RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE NOT l.granted AND a.datname = current_database()
$$;

-- made_at_id(p_id): the time in an id. NULL for NULL. Called by: admin_now(), admin_money(),
-- made_at().
CREATE OR REPLACE FUNCTION genflow.made_at_id(p_id uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_timestamp(('x' || left(replace(p_id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
$$;
