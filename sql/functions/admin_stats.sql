-- SPDX-License-Identifier: Apache-2.0
-- admin_stats(): numbers of the last 24 hours, of the last 7 days and of the live generations, as
-- one JSON object:
--   day, week  {since, types: [{type, generations, pending, processing, completed, failed,
--              cancelled, successRate, meanTime, charged}], providers: [{provider, model, attempts,
--              outcomes: {word: n}, meanTime, completed, charged}]}
--   live       {queued, sending, working}
-- They are sums of whole hours (sums.sql): `since` is where an hour begins. A generation is counted
-- in the hour in which it was created, its end and each of its attempts in the hour in which they
-- ended. successRate: the completed ones of those that completed or failed; null if there are none.
-- Times are milliseconds, charged is credits. A running attempt has the outcome "open". Called by:
-- GET admin/stats. Locks: none. The cost grows with the hours and the live generations.
CREATE OR REPLACE FUNCTION genflow.admin_stats() RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_day  timestamptz := date_trunc('hour', now() - interval '1 day', 'UTC');
    v_week timestamptz := date_trunc('hour', now() - interval '7 days', 'UTC');
BEGIN
    RETURN (
    WITH sums AS MATERIALIZED (
        SELECT s.at >= v_day AS today, t.name AS type, s.provider, s.model, s.kind, s.outcome,
               sum(s.n) AS n, sum(s.amount) AS amount, sum(s.took) / 1000 AS took
          FROM genflow.sums_of('hour', v_week) s LEFT JOIN genflow.types t ON t.no = s.type_no
         GROUP BY 1, 2, 3, 4, 5, 6),
    live AS MATERIALIZED (
        SELECT w.job_id >= genflow.id_at(v_day) AS today, t.name AS type, w.phase,
               w.epoch = 0 AS waits, w.provider, w.model, count(*) AS n
          FROM genflow.work w LEFT JOIN genflow.types t ON t.no = w.type_no
         GROUP BY 1, 2, 3, 4, 5, 6),
    windows (name, since, only_today) AS (VALUES ('day', v_day, true), ('week', v_week, false)),
    counts AS (
        SELECT w.name, s.type, s.kind, s.outcome, s.n, s.amount, s.took
          FROM windows w JOIN sums s ON s.today OR NOT w.only_today
         WHERE s.kind IN ('hold', 'capture', 'release')
        UNION ALL
        SELECT w.name, l.type, 'live', CASE WHEN l.waits THEN 'pending' ELSE 'processing' END, l.n,
               0, 0
          FROM windows w JOIN live l ON l.today OR NOT w.only_today),
    types AS (
        SELECT c.name, c.type, json_build_object(
               'type', c.type,
               'generations', coalesce(sum(c.n) FILTER (WHERE c.kind = 'hold'), 0),
               'pending', coalesce(sum(c.n) FILTER (WHERE c.outcome = 'pending'), 0),
               'processing', coalesce(sum(c.n) FILTER (WHERE c.outcome = 'processing'), 0),
               'completed', coalesce(sum(c.n) FILTER (WHERE c.outcome = 'completed'), 0),
               'failed', coalesce(sum(c.n) FILTER (WHERE c.outcome = 'failed'), 0),
               'cancelled', coalesce(sum(c.n) FILTER (WHERE c.outcome = 'cancelled'), 0),
               'successRate', round(coalesce(sum(c.n) FILTER (WHERE c.outcome = 'completed'), 0)
                                    / sum(c.n) FILTER (WHERE c.outcome IN ('completed', 'failed')),
                                        4),
               'meanTime', round(sum(c.took) FILTER (WHERE c.outcome = 'completed')
                                 / sum(c.n) FILTER (WHERE c.outcome = 'completed')),
               'charged', coalesce(sum(c.amount) FILTER (WHERE c.kind = 'capture'), 0)) AS row
          FROM counts c WHERE c.type IS NOT NULL GROUP BY 1, 2),
    outcomes AS (
        SELECT u.name, u.provider, u.model, u.outcome, sum(u.n) AS n, sum(u.took) AS took
          FROM (SELECT w.name, s.provider, s.model, s.outcome, s.n, s.took
                  FROM windows w JOIN sums s ON s.kind = 'attempt' AND (s.today OR NOT w.only_today)
                UNION ALL
                SELECT w.name, l.provider, l.model, 'open', l.n, NULL
                  FROM windows w JOIN live l ON l.phase IN ('sending', 'working')
                   AND (l.today OR NOT w.only_today)) u
         GROUP BY 1, 2, 3, 4),
    sent AS (
        SELECT o.name, o.provider, o.model, sum(o.n) AS n, json_object_agg(o.outcome, o.n
            ORDER BY o.outcome) AS outcomes,
               round(sum(o.took) / sum(o.n) FILTER (WHERE o.took IS NOT NULL)) AS mean
          FROM outcomes o GROUP BY 1, 2, 3),
    made AS (
        SELECT w.name, s.provider, s.model, sum(s.n) AS n, sum(s.amount) AS charged
          FROM windows w JOIN sums s ON s.kind = 'capture' AND (s.today OR NOT w.only_today)
         GROUP BY 1, 2, 3),
    providers AS (
        SELECT name, provider, model, json_build_object(
               'provider', provider, 'model', model, 'attempts', coalesce(s.n, 0), 'outcomes',
                   coalesce(s.outcomes, '{}'),
               'meanTime', s.mean, 'completed', coalesce(m.n, 0), 'charged',
                   coalesce(m.charged, 0)) AS row
          FROM sent s FULL JOIN made m USING (name, provider, model))
    SELECT json_build_object(
           'day', (o.windows -> 'day'), 'week', (o.windows -> 'week'),
           'live', (SELECT json_build_object(
                           'queued', coalesce(sum(l.n) FILTER (WHERE l.phase = 'queued'), 0),
                           'sending', coalesce(sum(l.n) FILTER (WHERE l.phase = 'sending'), 0),
                           'working', coalesce(sum(l.n) FILTER (WHERE l.phase = 'working'), 0))
                      FROM live l))
      FROM (SELECT json_object_agg(w.name, json_build_object(
                   'since', genflow.iso(w.since),
                   'types', coalesce((SELECT json_agg(t.row ORDER BY t.type) FROM types t
                                       WHERE t.name = w.name), '[]'),
                   'providers', coalesce((SELECT json_agg(p.row ORDER BY p.provider, p.model)
                                            FROM providers p WHERE p.name = w.name), '[]')))
                   AS windows
              FROM windows w) o);
END $$;
