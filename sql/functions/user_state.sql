-- SPDX-License-Identifier: Apache-2.0
-- user_state(p_user, p_day, p_concurrent, p_queue, p_types): the credits of a user, as quota()
-- returns them, and how much of the limits of generations is used.
--   p_concurrent  live generations that a user may have (limits()); NULL: any number
--   p_queue       jobs that may wait in the queue of a type; NULL: any number
--   live          those that the user has; NULL: p_concurrent is NULL
--   queued        those in the longest queue of p_types: exact up to 100, then an estimate
--                 (queue_place()); NULL: p_queue is NULL
-- Called by: GET me. Locks: none. Always one row. It reads at most p_concurrent generations, and
-- some hundred rows of a queue.
CREATE OR REPLACE FUNCTION genflow.user_state(p_user text, p_day text, p_concurrent integer,
                                              p_queue integer, p_types text[])
RETURNS TABLE (balance bigint, held bigint, day_limit bigint, day_used bigint, week_limit bigint,
               week_used bigint, remaining bigint, day_reset text, at text, wait integer,
               live bigint, queued bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_user bigint := genflow.account_of(p_user);
BEGIN
    RETURN QUERY
    SELECT q.*,
           CASE WHEN p_concurrent IS NOT NULL THEN
                (SELECT count(*) FROM (SELECT FROM genflow.work w WHERE w.user_id = v_user
                                       LIMIT p_concurrent) l) END,
           CASE WHEN p_queue IS NOT NULL THEN
                (SELECT coalesce(max(least(p.place, p_queue)), 0) FROM genflow.types t,
                        LATERAL genflow.queue_place(t.no, -1::smallint, 'infinity') p
                  WHERE t.name = ANY (p_types)) END
      FROM genflow.quota_of(v_user, p_day) q;
END $$;
