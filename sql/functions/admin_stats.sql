-- SPDX-License-Identifier: Apache-2.0
-- admin_stats(): numbers of the last 24 hours, of the last 7 days and of the live generations, as
-- one JSON object:
--   day, week  {since, types: [{type, generations, pending, processing, completed, failed,
--              cancelled, successRate, meanTime, charged}], providers: [{provider, model, attempts,
--              outcomes: {word: n}, meanTime, completed, charged}]}
--   live       {queued, sending, working}
-- A generation counts in the window in which it was created. successRate: the completed ones of
-- those that completed or failed; null if there are none. Times are milliseconds, charged is
-- credits. A running attempt has the outcome "open". Called by: GET admin/stats. Locks: none. The
-- cost grows with the generations of the last 7 days: an index finds them, and their attempts by
-- ids, which begin with their time.
CREATE OR REPLACE FUNCTION genflow.admin_stats() RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_day   timestamptz := now() - interval '1 day';
    v_week  timestamptz := now() - interval '7 days';
    v_media text;
    v_json  json;
BEGIN
    SELECT coalesce(string_agg(format(
               'SELECT %L, m.created_at >= $3, m.status, m.provider, m.model, count(*), '
               'sum(m.finished_at - m.started_at), sum(m.cost) '
               'FROM %I.%I m '
               'WHERE m.created_at AT TIME ZONE ''UTC'' >= $4 AT TIME ZONE ''UTC'' '
               'GROUP BY 2, 3, 4, 5', t.name, t.media_schema, t.media_table), ' UNION ALL '),
           'SELECT NULL::text, true, NULL::text, NULL::text, NULL::text, 0::bigint, '
           'NULL::interval, 0::numeric WHERE false')
      INTO v_media FROM genflow.types t
          WHERE to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NOT NULL;
    EXECUTE format($q$
    WITH media (type, today, status, provider, model, n, took, cost) AS MATERIALIZED (%s),
    tries AS MATERIALIZED (
        SELECT a.provider, a.model, a.job_id >= $2 AS today, coalesce(a.outcome, 'open') AS outcome,
               count(*) AS n,
               sum(a.ended_at - a.sent_at) AS took
          FROM genflow.attempts a WHERE a.job_id >= $1 GROUP BY 1, 2, 3, 4),
    windows (name, since, only_today) AS (VALUES ('day', $3, true), ('week', $4, false)),
    types AS (
        SELECT w.name, m.type, json_build_object(
               'type', m.type, 'generations', sum(m.n),
               'pending', coalesce(sum(m.n) FILTER (WHERE m.status = 'pending'), 0),
               'processing', coalesce(sum(m.n) FILTER (WHERE m.status = 'processing'), 0),
               'completed', coalesce(sum(m.n) FILTER (WHERE m.status = 'completed'), 0),
               'failed', coalesce(sum(m.n) FILTER (WHERE m.status = 'failed'), 0),
               'cancelled', coalesce(sum(m.n) FILTER (WHERE m.status = 'cancelled'), 0),
               'successRate', round(coalesce(sum(m.n) FILTER (WHERE m.status = 'completed'), 0)
                                    / sum(m.n) FILTER (WHERE m.status IN ('completed', 'failed')),
                                        4),
               'meanTime', round(1000 * extract(
                                 epoch FROM sum(m.took) FILTER (WHERE m.status = 'completed'))
                                 / sum(m.n) FILTER (WHERE m.status = 'completed')),
               'charged', coalesce(sum(m.cost) FILTER (WHERE m.status = 'completed'), 0)) AS row
          FROM windows w JOIN media m ON m.today OR NOT w.only_today GROUP BY w.name, m.type),
    outcomes AS (
        SELECT w.name, t.provider, t.model, t.outcome, sum(t.n) AS n, sum(t.took) AS took
          FROM windows w JOIN tries t ON t.today OR NOT w.only_today GROUP BY 1, 2, 3, 4),
    sent AS (
        SELECT o.name, o.provider, o.model, sum(o.n) AS n, json_object_agg(o.outcome, o.n
            ORDER BY o.outcome) AS outcomes,
               round(1000 * extract(epoch FROM sum(o.took))
                     / sum(o.n) FILTER (WHERE o.took IS NOT NULL)) AS mean
          FROM outcomes o GROUP BY 1, 2, 3),
    made AS (
        SELECT w.name, m.provider, m.model, sum(m.n) AS n, sum(m.cost) AS charged
          FROM windows w JOIN media m ON m.status = 'completed'
              AND (m.today OR NOT w.only_today) GROUP BY 1, 2, 3),
    providers AS (
        SELECT name, provider, model, json_build_object(
               'provider', provider, 'model', model, 'attempts', coalesce(s.n, 0), 'outcomes',
                   coalesce(s.outcomes, '{}'),
               'meanTime', s.mean, 'completed', coalesce(m.n, 0), 'charged',
                   coalesce(m.charged, 0)) AS row
          FROM sent s FULL JOIN made m USING (name, provider, model))
    SELECT json_build_object(
        'day', (SELECT json_build_object('since', genflow.iso(w.since), 'types', %2$s, 'providers',
                                         %3$s)
                  FROM windows w WHERE w.name = 'day'),
        'week', (SELECT json_build_object('since', genflow.iso(w.since), 'types', %2$s, 'providers',
                                          %3$s)
                   FROM windows w WHERE w.name = 'week'),
        'live', (SELECT json_build_object('queued', count(*) FILTER (WHERE w.phase = 'queued'),
                                          'sending', count(*) FILTER (WHERE w.phase = 'sending'),
                                          'working', count(*) FILTER (WHERE w.phase = 'working'))
                                              FROM genflow.work w))
    $q$, v_media,
        $q$coalesce((SELECT json_agg(t.row ORDER BY t.type) FROM types t WHERE t.name = w.name),
                    '[]')$q$,
        $q$coalesce((SELECT json_agg(p.row ORDER BY p.provider, p.model) FROM providers p
                     WHERE p.name = w.name), '[]')$q$)
    INTO v_json USING genflow.admin_first_id(v_week), genflow.admin_first_id(v_day), v_day, v_week;
    RETURN v_json;
END $$;

-- admin_first_id(p_at): the lowest id that a generation of that time can have. Called by:
-- admin_stats.
CREATE OR REPLACE FUNCTION genflow.admin_first_id(p_at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
    SELECT rpad(lpad(to_hex((extract(epoch FROM p_at) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;
