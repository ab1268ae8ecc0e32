-- SPDX-License-Identifier: Apache-2.0
-- The windows of quotas. p_day is the value of GenflowCreditDay: a time zone, whose midnights begin
-- a day, or 'rolling': a day is then the last 24 hours, and the account also counts days of UTC.
-- Weeks begin on Monday in that zone.

-- day_zone(p_day): the time zone of days and weeks.
CREATE OR REPLACE FUNCTION genflow.day_zone(p_day text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE p_day WHEN 'rolling' THEN 'UTC' ELSE p_day END
$$;

-- week_of(p_date): the Monday of its week.
CREATE OR REPLACE FUNCTION genflow.week_of(p_date date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT p_date - (extract(isodow FROM p_date)::integer - 1)
$$;

-- rolling_use(p_user, p_at): the credits that account p_user used in the 24 hours before p_at, and
-- the time of the oldest use among them. Called by: afford, hold, quota, if the day is rolling.
-- Locks: none.
CREATE OR REPLACE FUNCTION genflow.rolling_use(p_user bigint, p_at timestamptz, OUT used bigint,
                                               OUT since timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(h.amount), 0)::bigint, min(h.at)
      FROM genflow.ledger h
     WHERE h.user_id = p_user AND h.kind = 'hold' AND h.at > p_at - interval '24 hours'
       AND NOT EXISTS (SELECT FROM genflow.ledger r WHERE r.ref = h.ref AND r.kind = 'release')
$$;
