-- SPDX-License-Identifier: Apache-2.0
-- admin_users(p_user, p_after, p_limit, p_day): accounts as JSON objects of the wire, in the order
-- of their names.
--   p_user   only that account, or NULL: up to p_limit accounts after the name p_after (NULL: from
--            the first on)
--   p_day    see day.sql
-- Called by: GET admin/users, GET admin/users/{user}. Locks: none. The windows are those of
-- genflow.quota(). generations includes deleted generations.
CREATE OR REPLACE FUNCTION genflow.admin_users(p_user text, p_after text, p_limit integer,
                                               p_day text DEFAULT 'UTC')
RETURNS TABLE (user_id text, account json)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT a.user_id, json_build_object(
               'userId', a.user_id, 'balance', a.balance, 'held', a.held, 'remaining', q.remaining,
               'dayUsed', q.day_used, 'dayLimit', a.day_limit, 'weekUsed', q.week_used, 'weekLimit',
                   a.week_limit,
               'blocked', a.blocked, 'generations', a.generations, 'createdAt',
                   genflow.iso(a.created_at))
          FROM (SELECT * FROM genflow.accounts t WHERE %s ORDER BY t.user_id LIMIT $3) a,
              genflow.quota(a.user_id, $4) q
         ORDER BY a.user_id$q$,
        CASE WHEN p_user IS NOT NULL THEN 't.user_id = $1' WHEN p_after IS NOT NULL
            THEN 't.user_id > $2' ELSE 'true' END)
    USING p_user, p_after, p_limit, p_day;
END $$;

-- admin_user_set(p_user, p_changes, p_call): changes the members that p_changes has of blocked
-- (boolean), dayLimit, weekLimit (credits; null: no limit). Live generations of the user continue.
-- p_call: the token of this call (calls.sql), so that a repetition does not undo a later change by
-- another administrator. Called by: PUT admin/users/{user}. Locks: the token, the account.
-- Outcomes: 'ok'; 'not_found'.
CREATE OR REPLACE FUNCTION genflow.admin_user_set(p_user text, p_changes jsonb,
                                                  p_call uuid DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF genflow.call_begin(p_call) IS NOT NULL THEN
        RETURN CASE WHEN EXISTS (SELECT FROM genflow.accounts a WHERE a.user_id = p_user) THEN 'ok'
            ELSE 'not_found' END;
    END IF;
    UPDATE genflow.accounts a SET
        blocked    = coalesce((p_changes->>'blocked')::boolean, a.blocked),
        own_limits = a.own_limits OR p_changes ?| ARRAY['dayLimit', 'weekLimit'],
        day_limit  = CASE WHEN p_changes ? 'dayLimit' THEN (p_changes->>'dayLimit')::bigint
            ELSE a.day_limit END,
        week_limit = CASE WHEN p_changes ? 'weekLimit' THEN (p_changes->>'weekLimit')::bigint
            ELSE a.week_limit END
     WHERE a.user_id = p_user;
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'not_found' END;
END $$;
