-- SPDX-License-Identifier: Apache-2.0
-- The record of what administrators do. Each function that changes something for an administrator
-- takes p_by, an object with `admin`, who signed in at genflow-admin, `reason`, and `realm`, that
-- of the virtual host. It writes one entry in its own transaction: no act without its entry, and no
-- entry without its act. A refused act writes none, and a call that is repeated under its token
-- (calls.sql) one. The table takes no update and no deletion.
--
-- audit_add(p_by, p_action, p_target, p_before, p_after, p_account): writes an entry. p_by NULL, or
-- without `admin`: a role of the database did it, the doctor or somebody with psql. p_account: the
-- number of the account that it is about; NULL: of none. The entry is of that account's realm, or
-- of p_by's. p_target and the objects have no names of users. Called by: the functions of
-- administration. Locks: none.
CREATE OR REPLACE FUNCTION genflow.audit_add(p_by jsonb, p_action text, p_target text,
                                             p_before jsonb, p_after jsonb,
                                             p_account bigint DEFAULT NULL) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO genflow.audit (admin, action, target, before, after, reason, user_id, realm)
    VALUES (coalesce(p_by->>'admin', 'role:' || session_user), p_action, p_target, p_before,
            p_after, p_by->>'reason', p_account,
            coalesce((SELECT a.realm FROM genflow.accounts a WHERE a.user_id = p_account),
                     p_by->>'realm', ''))
$$;

-- admin_audit(p_action, p_admin, p_before, p_limit, p_user): up to p_limit entries as JSON objects
-- of the wire, newest first, older than the entry p_before (NULL: from the newest on). p_action,
-- p_admin, p_user (whom it is about; with an empty name: those of that realm): only those; NULL:
-- all. Called by: GET admin/audit. Locks: none.
CREATE OR REPLACE FUNCTION genflow.admin_audit(p_action text, p_admin text, p_before bigint,
                                               p_limit integer, p_user text DEFAULT NULL)
RETURNS TABLE (id bigint, entry json)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT a.id, json_build_object('id', a.id, 'at', genflow.iso(a.at), 'admin', a.admin, 'action',
                                   a.action, 'target', a.target, 'before', a.before, 'after',
                                   a.after, 'reason', a.reason)
      FROM genflow.audit a
     WHERE a.id < coalesce(p_before, 9223372036854775807)
       AND (p_action IS NULL OR a.action = p_action) AND (p_admin IS NULL OR a.admin = p_admin)
       AND (p_user IS NULL OR a.realm = genflow.realm_of(p_user))
       AND (p_user IS NULL OR genflow.name_of(p_user) = ''
            OR a.user_id = genflow.account_of(p_user))
     ORDER BY a.id DESC LIMIT p_limit;
END $$;
