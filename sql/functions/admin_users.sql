-- SPDX-License-Identifier: Apache-2.0
-- admin_users(p_user, p_after, p_limit, p_day): accounts as JSON objects of the wire, in the order
-- of their names. user_id is the identity; userId in the object the name.
--   p_user   only that account; with an empty name: up to p_limit accounts of that realm after
--            p_after, an identity (NULL: from the first on). NULL: those of all realms, for the
--            hoster.
--   p_day    see day.sql
-- Called by: GET admin/users, GET admin/users/{user}. Locks: none. The windows are those of
-- genflow.quota(). generations includes deleted generations.
CREATE OR REPLACE FUNCTION genflow.admin_users(p_user text, p_after text, p_limit integer,
                                               p_day text DEFAULT 'UTC')
RETURNS TABLE (user_id text, account json)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT genflow.identity_of(a.user_id), json_build_object(
               'userId', a.name, 'balance', a.balance, 'held', a.held, 'remaining', q.remaining,
               'dayUsed', q.day_used, 'dayLimit', a.day_limit, 'weekUsed', q.week_used, 'weekLimit',
                   a.week_limit,
               'blocked', a.blocked, 'generations', a.generations, 'createdAt',
                   genflow.iso(a.created_at))
          FROM (SELECT * FROM genflow.accounts t
                 WHERE t.opened AND t.name IS NOT NULL AND %s AND %s
                 ORDER BY t.realm, t.name LIMIT $3) a,
              genflow.quota_of(a.user_id, $4) q
         ORDER BY a.realm, a.name$q$,
        CASE WHEN p_user IS NULL THEN 'true'
             WHEN genflow.name_of(p_user) = '' THEN 't.realm = genflow.realm_of($1)'
             ELSE 't.realm = genflow.realm_of($1) AND t.name = genflow.name_of($1)' END,
        CASE WHEN p_after IS NOT NULL AND coalesce(genflow.name_of(p_user), '') = ''
             THEN '(t.realm, t.name) > (genflow.realm_of($2), genflow.name_of($2))'
             ELSE 'true' END)
    USING p_user, p_after, p_limit, p_day;
END $$;

-- admin_user_set(p_user, p_changes, p_call, p_by): changes the members that p_changes has of
-- blocked (boolean), dayLimit, weekLimit (credits; null: no limit). Live generations of the user
-- continue. p_call: the token of this call (calls.sql), so that a repetition does not undo a later
-- change by another administrator. p_by: see audit.sql. It writes an entry `block` for blocked, and
-- one `limits` for the limits. Called by: PUT admin/users/{user}. Locks: the token, the account.
-- Outcomes: 'ok'; 'not_found'.
CREATE OR REPLACE FUNCTION genflow.admin_user_set(p_user text, p_changes jsonb,
                                                  p_call uuid DEFAULT NULL,
                                                  p_by jsonb DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_user bigint := genflow.account_of(p_user);
    b      genflow.accounts;
    a      genflow.accounts;
BEGIN
    IF genflow.call_begin(p_call) IS NOT NULL THEN
        RETURN CASE WHEN EXISTS (SELECT FROM genflow.accounts t
                                  WHERE t.user_id = v_user AND t.opened) THEN 'ok'
            ELSE 'not_found' END;
    END IF;
    SELECT * INTO b FROM genflow.accounts t WHERE t.user_id = v_user AND t.opened FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'not_found';
    END IF;
    UPDATE genflow.accounts t SET
        blocked    = coalesce((p_changes->>'blocked')::boolean, t.blocked),
        own_limits = t.own_limits OR p_changes ?| ARRAY['dayLimit', 'weekLimit'],
        day_limit  = CASE WHEN p_changes ? 'dayLimit' THEN (p_changes->>'dayLimit')::bigint
            ELSE t.day_limit END,
        week_limit = CASE WHEN p_changes ? 'weekLimit' THEN (p_changes->>'weekLimit')::bigint
            ELSE t.week_limit END
     WHERE t.user_id = v_user RETURNING t.* INTO a;
    IF p_changes->>'blocked' IS NOT NULL THEN
        PERFORM genflow.audit_add(p_by, 'block', v_user::text,
                                  jsonb_build_object('blocked', b.blocked),
                                  jsonb_build_object('blocked', a.blocked), v_user);
    END IF;
    IF p_changes ?| ARRAY['dayLimit', 'weekLimit'] THEN
        PERFORM genflow.audit_add(p_by, 'limits', v_user::text,
                                  jsonb_build_object('dayLimit', b.day_limit, 'weekLimit',
                                                     b.week_limit),
                                  jsonb_build_object('dayLimit', a.day_limit, 'weekLimit',
                                                     a.week_limit), v_user);
    END IF;
    RETURN 'ok';
END $$;
