-- SPDX-License-Identifier: Apache-2.0
-- quota_of(p_user, p_day): quota() of the account with the number p_user (NULL: none). Called by:
-- quota, and functions that know the number.
CREATE OR REPLACE FUNCTION genflow.quota_of(p_user bigint, p_day text)
RETURNS TABLE (balance bigint, held bigint, day_limit bigint, day_used bigint, week_limit bigint,
               week_used bigint,
               remaining bigint, day_reset text, at text, wait integer)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH clock AS (
        SELECT z.now, z.zone, d.today, genflow.week_of(d.today) AS monday
          FROM (SELECT statement_timestamp() AS now, genflow.day_zone(p_day) AS zone) z
         CROSS JOIN LATERAL (SELECT (z.now AT TIME ZONE z.zone)::date AS today) d
    ),
    rolling AS (
        SELECT u.used, coalesce(u.since + interval '24 hours', c.now) AS reset
          FROM clock c CROSS JOIN LATERAL genflow.rolling_use(p_user, c.now) u
              WHERE p_day = 'rolling'
    ),
    used AS (
        SELECT a.balance, a.held, a.day_limit, a.week_limit, a.blocked,
               coalesce(r.used, CASE WHEN a.day BETWEEN c.today AND c.today + 1 THEN a.day_used
                        ELSE 0 END) AS day_used,
               CASE WHEN a.week BETWEEN c.monday AND c.monday + 7 THEN a.week_used
                   ELSE 0 END AS week_used,
               coalesce(r.reset, (c.today + 1)::timestamp AT TIME ZONE c.zone) AS day_reset,
               (c.monday + 7)::timestamp AT TIME ZONE c.zone AS week_reset
          FROM clock c LEFT JOIN rolling r ON true LEFT
              JOIN genflow.accounts a ON a.user_id = p_user
    )
    SELECT coalesce(u.balance, 0), coalesce(u.held, 0), u.day_limit, u.day_used, u.week_limit,
           u.week_used,
           CASE WHEN u.blocked THEN 0
                ELSE greatest(0, coalesce(least(u.balance - u.held, u.day_limit - u.day_used,
                                                u.week_limit - u.week_used), 0))
           END,
           genflow.iso(u.day_reset), genflow.iso(c.now),
           ceil(extract(epoch FROM CASE WHEN u.week_limit - u.week_used <= u.day_limit - u.day_used
                        OR u.day_limit IS NULL
                                        THEN u.week_reset ELSE u.day_reset END - c.now))::integer
      FROM used u, clock c
$$;

-- quota(p_user, p_day): the credits and limits of a user and their use. Always one row; a user
-- without an account has 0 credits.
-- Called by: getQuota, and the responses that report a refusal. Locks: none. p_day: see day.sql.
-- day_limit, week_limit NULL: no limit. remaining: credits that a generation could hold now.
-- day_reset: when day_used starts again from 0. If the day is rolling: when the oldest use of the
-- last 24 hours leaves the window (now, if there is none). wait: seconds until the tighter of the
-- two limits resets.
CREATE OR REPLACE FUNCTION genflow.quota(p_user text, p_day text DEFAULT 'UTC')
RETURNS TABLE (balance bigint, held bigint, day_limit bigint, day_used bigint, week_limit bigint,
               week_used bigint,
               remaining bigint, day_reset text, at text, wait integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT q.* FROM genflow.quota_of(genflow.account_of(p_user), p_day) q
$$;
