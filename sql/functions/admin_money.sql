-- SPDX-License-Identifier: Apache-2.0
-- admin_money(p_from, p_to, p_per, p_type, p_value): what was held, charged, released, granted and
-- paid to providers, as JSON values:
--   rows       [{at, type, provider, generations, completed, failed, cancelled, held, charged,
--              released, granted, refunded, adjusted, providerCost, margin}], one for each hour or
--              day (UTC), type and provider in which something happened. type is null for grants,
--              adjustments and reservations. What belongs to no provider yet (held, generations) or
--              to none at all (refunded, granted, adjusted) has provider null.
--   provider_cost, margin  those of all rows, decimal
--   unsettled  [{age, count, credits}]: holds that have not ended, by their age
-- Each is counted when it happened: what is held on one day may be charged on the next one.
-- providerCost is decimal, in the site's currency: attempts that made the picture or may have made
-- it, at the GenflowProviderCost of their time.
--   p_from, p_to  microseconds since 1970: hours or days that begin in [p_from, p_to), p_from
--                 rounded down
--   p_per         'hour', 'day'
--   p_type        the name of one; NULL: all
--   p_value       millionths of the currency that a credit is worth now; NULL: rows have no margin.
--                 margin: (charged - refunded) x p_value - providerCost
-- Called by: GET admin/money. Locks: none. It reads sums and live work.
CREATE OR REPLACE FUNCTION genflow.admin_money(p_from bigint, p_to bigint, p_per text, p_type text,
                                               p_value bigint, OUT rows json,
                                               OUT provider_cost text, OUT margin text,
                                               OUT unsettled json)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_now  timestamptz := clock_timestamp();
    v_type smallint := (SELECT t.no FROM genflow.types t WHERE t.name = p_type);
BEGIN
    SELECT coalesce(json_agg(u.row ORDER BY u.at, u.type, u.provider), '[]'),
           trim_scale(coalesce(sum(u.cost), 0)), trim_scale(sum(u.margin))
      INTO rows, provider_cost, margin FROM (
        WITH sums AS MATERIALIZED (
            SELECT s.at, s.type_no, s.provider,
                   sum(s.n) FILTER (WHERE s.kind = 'hold' AND s.type_no <> 0) AS made,
                   sum(s.n) FILTER (WHERE s.outcome = 'completed' AND s.kind = 'capture') AS good,
                   sum(s.n) FILTER (WHERE s.outcome = 'failed' AND s.kind = 'release') AS failed,
                   sum(s.n) FILTER (WHERE s.outcome = 'cancelled' AND s.kind = 'release'
                                      AND s.type_no <> 0) AS cancelled,
                   sum(s.amount) FILTER (WHERE s.kind = 'hold') AS held,
                   coalesce(sum(s.amount) FILTER (WHERE s.kind = 'capture'), 0) AS charged,
                   sum(s.released) AS released,
                   sum(s.amount) FILTER (WHERE s.kind = 'grant') AS granted,
                   coalesce(sum(s.amount) FILTER (WHERE s.kind = 'refund'), 0) AS refunded,
                   sum(s.amount) FILTER (WHERE s.kind = 'adjust') AS adjusted,
                   sum(s.provider_cost) / 1000000 AS cost
              FROM genflow.sums_of(p_per,
                                   date_trunc(p_per, to_timestamp(p_from / 1000000.0), 'UTC'),
                                   to_timestamp(p_to / 1000000.0)) s
             WHERE p_type IS NULL OR s.type_no = v_type
             GROUP BY 1, 2, 3)
        SELECT s.at, t.name AS type, s.provider, s.cost, m.margin,
               jsonb_build_object(
                   'at', genflow.iso(s.at), 'type', t.name, 'provider', nullif(s.provider, ''),
                   'generations', coalesce(s.made, 0), 'completed', coalesce(s.good, 0),
                   'failed', coalesce(s.failed, 0), 'cancelled', coalesce(s.cancelled, 0),
                   'held', coalesce(s.held, 0), 'charged', s.charged, 'released', s.released,
                   'granted', coalesce(s.granted, 0), 'refunded', s.refunded,
                   'adjusted', coalesce(s.adjusted, 0), 'providerCost', trim_scale(s.cost))
               || CASE WHEN p_value IS NULL THEN '{}'
                   ELSE jsonb_build_object('margin', trim_scale(m.margin)) END AS row
          FROM sums s LEFT JOIN genflow.types t ON t.no = s.type_no
         CROSS JOIN LATERAL (
             SELECT (s.charged - s.refunded) * p_value / 1000000.0 - s.cost) m (margin)) u;
    unsettled := (
        SELECT coalesce(json_agg(json_build_object('age', a.age, 'count', u.n, 'credits', u.sum)
                                 ORDER BY a.place), '[]')
          FROM (VALUES (1, 'under 1 minute'), (2, 'under 10 minutes'), (3, 'under 1 hour'),
                       (4, 'under 1 day'), (5, '1 day or more')) AS a (place, age)
          JOIN (SELECT CASE WHEN h.made > v_now - interval '1 minute' THEN 1
                            WHEN h.made > v_now - interval '10 minutes' THEN 2
                            WHEN h.made > v_now - interval '1 hour' THEN 3
                            WHEN h.made > v_now - interval '1 day' THEN 4 ELSE 5 END AS place,
                       count(*) AS n, sum(h.credits) AS sum
                  FROM (SELECT genflow.made_at_id(w.job_id) AS made, w.cost AS credits
                          FROM genflow.work w WHERE p_type IS NULL OR w.type_no = v_type
                        UNION ALL
                        SELECT r.created_at, r.amount FROM genflow.reservations r
                         WHERE r.state = 'open' AND p_type IS NULL) h
                 GROUP BY 1) u USING (place));
END $$;
