-- SPDX-License-Identifier: Apache-2.0
-- quota(p_user): what a user has and has used. One row always; a user without an account has nothing.
-- Called by: getQuota. Locks: none. day_limit, week_limit NULL: no limit. remaining: credits that a generation could
-- hold right now. day_reset: when day_used starts again from 0 (midnight UTC).
CREATE OR REPLACE FUNCTION genflow.quota(p_user text)
RETURNS TABLE (balance bigint, held bigint, day_limit bigint, day_used bigint, week_limit bigint, week_used bigint,
               remaining bigint, day_reset text, at text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH clock AS (
        SELECT now() AS now, d.today, d.today - (extract(isodow FROM d.today)::integer - 1) AS monday
          FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) d
    ),
    used AS (
        SELECT a.balance, a.held, a.day_limit, a.week_limit, a.blocked,
               CASE WHEN a.day BETWEEN c.today AND c.today + 1 THEN a.day_used ELSE 0 END AS day_used,
               CASE WHEN a.week BETWEEN c.monday AND c.monday + 7 THEN a.week_used ELSE 0 END AS week_used
          FROM clock c LEFT JOIN genflow.accounts a ON a.user_id = p_user
    )
    SELECT coalesce(u.balance, 0), coalesce(u.held, 0), u.day_limit, u.day_used, u.week_limit, u.week_used,
           CASE WHEN u.blocked THEN 0
                ELSE greatest(0, coalesce(least(u.balance - u.held, u.day_limit - u.day_used, u.week_limit - u.week_used), 0)) END,
           genflow.iso((c.today + 1)::timestamp AT TIME ZONE 'UTC'), genflow.iso(c.now)
      FROM used u, clock c
$$;
