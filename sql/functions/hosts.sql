-- SPDX-License-Identifier: Apache-2.0
-- Which httpds use this database, and the faults of the site that the database alone can see.

-- host_seen(...): an httpd is there. p_name names it; p_settings has a hash for each kind of
-- settings that all hosts must share; p_clock is its clock, in milliseconds since 1970; p_amounts
-- has the amounts that its directives state (amounts.sql). Called by: one child of each httpd, at
-- its start and then every 20 s. Locks: the row of that name.
-- Returns how far its clock is ahead (milliseconds), the kinds of settings in which it differs from
-- another live host, with that host (NULL: in none), whether no host works on jobs, whether jobs
-- are late (late_work()), and amounts_advice() (NULL: the amounts are the database's).
CREATE OR REPLACE FUNCTION genflow.host_seen(
    p_name text, p_version text, p_needed integer, p_dispatches boolean, p_settings text,
    p_clock bigint, p_amounts text[] DEFAULT '{}', OUT clock_ahead bigint, OUT differs text,
    OUT idle boolean, OUT late boolean, OUT amounts text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    clock_ahead := p_clock - (extract(epoch FROM v_now) * 1000)::bigint;
    INSERT INTO genflow.hosts AS h (name, version, schema_needed, dispatches, settings, clock_ahead,
                                    amounts)
        VALUES (p_name, p_version, p_needed, p_dispatches, p_settings::jsonb,
                host_seen.clock_ahead, p_amounts)
        ON CONFLICT (name) DO UPDATE
        SET version = EXCLUDED.version, schema_needed = EXCLUDED.schema_needed,
            dispatches = EXCLUDED.dispatches, settings = EXCLUDED.settings,
            clock_ahead = EXCLUDED.clock_ahead, amounts = EXCLUDED.amounts, seen_at = v_now,
            began_at = CASE WHEN h.settings = EXCLUDED.settings THEN h.began_at ELSE v_now END;
    differs := (SELECT string_agg(format('%s (not as %s)', d.kind, d.names), ', ' ORDER BY d.kind)
                  FROM (SELECT m.key AS kind, string_agg(o.name, ', ' ORDER BY o.name) AS names
                          FROM jsonb_each_text(p_settings::jsonb) m
                          JOIN genflow.hosts o ON o.name <> p_name
                           AND o.seen_at > v_now - interval '1 minute'
                           AND o.settings ->> m.key <> m.value
                         GROUP BY m.key) d);
    idle := genflow.nobody_works();
    late := EXISTS (SELECT FROM genflow.late_work());
    amounts := genflow.amounts_advice(p_amounts);
END $$;

-- nobody_works(): does no host work on jobs? Hosts of earlier versions have no row here, but move
-- the mark of the database on (site.sql). Called by: host_seen, faults. Locks: none.
CREATE OR REPLACE FUNCTION genflow.nobody_works() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.restored IS NULL
           AND s.marked_at < clock_timestamp() - s.mark_every - interval '1 minute'
           AND NOT EXISTS (SELECT FROM genflow.hosts h
                            WHERE h.dispatches
                              AND h.seen_at > clock_timestamp() - interval '1 minute')
           AND NOT EXISTS (SELECT FROM genflow.children c WHERE c.expires > clock_timestamp())
      FROM genflow.site s
$$;

-- late_work(): the live jobs of each type whose deadline was over two minutes ago. Hosts end a job
-- within seconds of its deadline, whether they have its type or not; the doctor waits as long.
-- Called by: host_seen, faults. Locks: none. No job is due after its deadline, so that the index of
-- due jobs finds those few at any length of the queue.
CREATE OR REPLACE FUNCTION genflow.late_work()
RETURNS TABLE (type text, jobs bigint, first_deadline timestamptz)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.name, count(*), min(w.deadline_at)
      FROM genflow.types t JOIN genflow.work w ON w.type_no = t.no
     WHERE w.due_at < clock_timestamp() - interval '2 minutes'
       AND w.deadline_at < clock_timestamp() - interval '2 minutes'
     GROUP BY t.name
$$;

-- faults(): what is wrong with the site as far as the database knows, by the words of
-- {base}/health. Called by: {base}/health, the doctor. Locks: none.
--   database_restored  subject: this database; nothing begins before resume()
--   no_dispatcher      no host works on jobs
--   late               subject: a type with generations that live past their deadline
--   hosts_differ       subject: the kind of settings in which live hosts differ
--   amounts_differ     subject: the amounts that a host's directives state, as text, and that are
--                      not the database's (amounts.sql)
--   clock_wrong        subject: a host whose clock is more than 10 s from the database's
--   provider_refuses   subject: provider/model; key, account or model were refused, and no attempt
--                      has gone well since
--   provider_down      subject: provider/model; its breaker is open
--   budget_spent       subject: a provider whose budget of the day has refused a submission
CREATE OR REPLACE FUNCTION genflow.faults()
RETURNS TABLE (fault text, subject text, detail text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
    WITH live AS MATERIALIZED (
        SELECT h.* FROM genflow.hosts h WHERE h.seen_at > v_now - interval '1 minute')
    SELECT 'database_restored', current_database()::text, genflow.restored()
     WHERE genflow.restored() IS NOT NULL
    UNION ALL
    SELECT 'no_dispatcher', 'all hosts',
           format('%s here, and none with GenflowDispatch On',
                  genflow.doctor_number(count(*), 'host')) FROM live
    HAVING genflow.nobody_works()
    UNION ALL
    SELECT 'late', l.type,
           format('%s, the first for %s', genflow.doctor_number(l.jobs, 'generation'),
                  genflow.doctor_since(l.first_deadline))
      FROM genflow.late_work() l
    UNION ALL
    SELECT 'hosts_differ', s.kind, string_agg(format('%s: %s', s.hash, s.names), '; '
                                              ORDER BY s.names)
      FROM (SELECT m.key AS kind, left(m.value, 8) AS hash,
                   string_agg(l.name, ', ' ORDER BY l.name) AS names
              FROM live l CROSS JOIN LATERAL jsonb_each_text(l.settings) m
             GROUP BY m.key, m.value) s
     GROUP BY s.kind HAVING count(*) > 1
    UNION ALL
    SELECT 'amounts_differ', d.expected,
           format('stated by %s; the database has, and grants: %s',
                  string_agg(l.name, ', ' ORDER BY l.name), d.there)
      FROM live l CROSS JOIN LATERAL genflow.amounts_differ(l.amounts) d
     GROUP BY d.expected, d.there
    UNION ALL
    SELECT 'clock_wrong', l.name,
           format('its clock is %s s %s the database''s', round(abs(l.clock_ahead) / 1000.0, 1),
                  CASE WHEN l.clock_ahead > 0 THEN 'ahead of' ELSE 'behind' END)
      FROM live l WHERE abs(l.clock_ahead) > 10000
    UNION ALL
    SELECT CASE WHEN b.refused THEN 'provider_refuses' ELSE 'provider_down' END,
           b.provider || CASE WHEN b.model <> '' THEN '/' || b.model ELSE '' END,
           format('since %s, after %s in a row: %s', genflow.iso(b.opened_at),
                  genflow.doctor_number(b.failures, 'failure'), b.reason)
      FROM genflow.breakers b
     WHERE NOT starts_with(b.provider, 'store:') AND b.open_until IS NOT NULL
       AND (b.refused OR b.open_until > v_now)
    UNION ALL
    SELECT 'budget_spent', b.provider, 'a submission was refused; until 00:00 UTC'
      FROM genflow.budgets b
     WHERE b.day = (v_now AT TIME ZONE 'UTC')::date AND b.slot = -1;
END $$;
