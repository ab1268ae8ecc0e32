-- SPDX-License-Identifier: Apache-2.0
-- admin_jobs(...): generations of all users, newest first, up to p_limit. <type>_get() then reads
-- each of them.
--   p_types   names of types; a type whose table is gone adds no rows
--   p_status  only those; NULL: all
--   p_user    only that user's; with an empty name: those of all users of that realm; NULL: of all
--             realms, for the hoster
--   p_before  only generations older than that one; NULL: from the newest on
-- Called by: GET admin/jobs, GET admin/users/{user}. Locks: none. list_query() (history.sql) writes
-- the query.
CREATE OR REPLACE FUNCTION genflow.admin_jobs(p_types text[], p_status text, p_user text,
                                              p_before uuid, p_limit integer)
RETURNS TABLE (type text, user_id text, id uuid)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_at   timestamptz := genflow.made_at(p_before);
    v_user bigint := genflow.account_of(p_user);
    v_sql  text;
BEGIN
    -- a user without an account has none
    IF p_user IS NULL OR v_user IS NOT NULL OR genflow.name_of(p_user) = '' THEN
        v_sql := (genflow.list_query(
            p_types, p_status, v_user, NULL, v_at,
            p_realm => CASE WHEN p_user IS NOT NULL AND v_user IS NULL AND genflow.has_realms()
                            THEN genflow.realm_of(p_user) END)).query;
    END IF;
    IF v_sql IS NOT NULL THEN
        RETURN QUERY EXECUTE format('SELECT t.name, genflow.identity_of(j.user_id), j.id '
                                    'FROM (SELECT * FROM (%s) u '
                                    'ORDER BY u.created_at DESC, u.id DESC '
                                    'LIMIT $6) j JOIN genflow.types t USING (no) ORDER BY '
                                    'j.created_at DESC, j.id DESC', v_sql)
               USING v_user, p_status, NULL::text, v_at, p_before, p_limit, NULL::text,
                     NULL::text[], NULL::timestamptz, NULL::uuid[], genflow.realm_of(p_user);
    END IF;
END $$;

-- made_at(p_id): when the user created that generation; if it was deleted, the time in its id. NULL
-- for NULL.
-- Called by: admin_jobs.
CREATE OR REPLACE FUNCTION genflow.made_at(p_id uuid) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_at timestamptz;
    t    genflow.types;
BEGIN
    t := genflow.type_row(p_id);
    IF t.no IS NOT NULL THEN
        EXECUTE format('SELECT m.created_at FROM %I.%I m WHERE m.id = $1', t.media_schema,
                       t.media_table) INTO v_at USING p_id;
    END IF;
    RETURN coalesce(v_at, genflow.made_at_id(p_id));
END $$;

-- admin_cancel(p_id, p_call, p_scope, p_by): cancels one generation, also while a host works on it.
-- A result that its provider delivers later goes to genflow.late_results and charges nothing. Of
-- one that had ended it removes the records of its attempts, reports and late results, as the
-- janitor would later; its row, its picture and its ledger entries stay. p_call: the token of this
-- call (calls.sql). p_scope: of these users alone (is_of()). p_by: see audit.sql. Called by: DELETE
-- admin/jobs/{id}. Locks: the work row, then as <type>_settle(). Outcomes: 'cancelled', and
-- `released` is the number of credits given back; 'ended' earlier, with the state in `status`;
-- 'not_found'. user_id: the owner.
CREATE OR REPLACE FUNCTION genflow.admin_cancel(p_id uuid, p_call uuid DEFAULT NULL,
                                                p_scope text DEFAULT NULL,
                                                p_by jsonb DEFAULT NULL,
                                                OUT outcome text, OUT status text,
                                                OUT released bigint, OUT user_id text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b      genflow.job_brief;
    v_live boolean;
BEGIN
    PERFORM FROM genflow.work w WHERE w.job_id = p_id FOR UPDATE;
    v_live := FOUND; -- else a first call under this token may have cancelled it
    b := genflow.job_brief(p_id);
    outcome := 'not_found';
    IF b.status IS NOT NULL AND genflow.is_of(b.user_id, p_scope) THEN
        outcome := genflow.admin_settle(genflow.id_type(p_id), p_id, p_call);
        outcome := CASE outcome WHEN 'done' THEN 'cancelled' WHEN 'unknown' THEN 'not_found'
            ELSE 'ended' END;
        status := (genflow.job_brief(p_id)).status;
        released := CASE outcome WHEN 'cancelled' THEN b.cost ELSE 0 END;
        user_id := genflow.identity_of(b.user_id);
        IF outcome = 'cancelled' AND v_live THEN
            PERFORM genflow.audit_add(p_by, 'cancel', p_id::text,
                                      jsonb_build_object('status', b.status),
                                      jsonb_build_object('status', status, 'released', released),
                                      b.user_id);
        END IF;
        IF outcome = 'ended' THEN
            DELETE FROM genflow.attempts a WHERE a.job_id = p_id;
            DELETE FROM genflow.hooks h WHERE h.job_id = p_id;
            DELETE FROM genflow.late_results r WHERE r.job_id = p_id;
        END IF;
    END IF;
END $$;

-- admin_settle(p_type, p_id, p_call): settles a generation of that type number as cancelled;
-- answers as <type>_settle(). Called by: admin_cancel, admin_clear.
CREATE OR REPLACE FUNCTION genflow.admin_settle(p_type integer, p_id uuid, p_call uuid) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_outcome text;
BEGIN
    EXECUTE format('SELECT genflow.%I($1, NULL, ''cancelled'', NULL, NULL, NULL, NULL, NULL, NULL, '
                   'NULL, NULL, NULL, NULL, p_call => $2)',
                   (SELECT t.prefix FROM genflow.types t WHERE t.no = p_type) || '_settle')
       INTO v_outcome USING p_id, p_call;
    RETURN v_outcome;
END $$;

-- admin_clear(p_after, p_limit, p_type, p_status, p_user, p_call, p_by): cancels the next p_limit
-- live generations after the id p_after, in id order. p_type (a name), p_status ('pending',
-- 'processing'), p_user (as admin_jobs()): only those; NULL: all. It skips generations of a type
-- whose table is gone; claim ends them. ended: [{"id", "type", "user", "released"}] of each that it
-- cancelled. p_call: the token of this call (calls.sql). p_by: see audit.sql; a call that cancels
-- none writes no entry.
-- Called by: DELETE admin/jobs, repeatedly until `seen` is below p_limit, so that each transaction
-- is short.
-- Locks: all their work rows, in id order; then for each as <type>_settle(), in account order.
CREATE OR REPLACE FUNCTION genflow.admin_clear(
    p_after uuid, p_limit integer, p_type text DEFAULT NULL, p_status text DEFAULT NULL,
    p_user text DEFAULT NULL,
    p_call uuid DEFAULT NULL,
    p_by jsonb DEFAULT NULL,
    OUT seen integer, OUT cancelled integer, OUT released bigint, OUT last uuid, OUT ended jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    j       record;
    v_first jsonb;
BEGIN
    v_first := genflow.call_begin(p_call);
    IF v_first IS NOT NULL THEN
        SELECT a.* INTO seen, cancelled, released, last, ended
          FROM jsonb_to_record(v_first) AS a(seen integer, cancelled integer, released bigint,
                                             last uuid, ended jsonb);
        RETURN;
    END IF;
    seen := 0; cancelled := 0; released := 0; ended := '[]';
    FOR j IN
        SELECT s.*, y.name FROM (
            SELECT w.job_id, w.user_id, w.type_no, w.cost FROM genflow.work w
             WHERE w.job_id > p_after
               AND genflow.is_of(w.user_id, p_user)
               AND (p_status IS NULL OR (genflow.job_brief(w.job_id)).status = p_status)
               AND w.type_no = ANY (ARRAY(SELECT t.no FROM genflow.types t
                                           WHERE (p_type IS NULL OR t.name = p_type)
                                             AND to_regclass(format('%I.%I', t.media_schema,
                                                 t.media_table)) IS NOT NULL))
             ORDER BY w.job_id LIMIT p_limit FOR UPDATE) s
          JOIN genflow.types y ON y.no = s.type_no
         ORDER BY s.user_id, s.job_id
    LOOP
        seen := seen + 1;
        last := greatest(last, j.job_id);
        IF genflow.admin_settle(j.type_no, j.job_id, p_call) = 'done' THEN
            cancelled := cancelled + 1;
            released := released + j.cost;
            ended := ended || jsonb_build_object('id', j.job_id, 'type', j.name,
                                                 'user', genflow.identity_of(j.user_id),
                                                 'released', j.cost);
        END IF;
    END LOOP;
    IF cancelled > 0 THEN
        PERFORM genflow.audit_add(p_by, 'clear', 'jobs',
                                  jsonb_build_object('type', p_type, 'status', p_status),
                                  jsonb_build_object('cancelled', cancelled, 'released', released,
                                                     'ids', jsonb_path_query_array(ended,
                                                                                   '$[*].id')),
                                  genflow.account_of(p_user));
    END IF;
    PERFORM genflow.call_keep(p_call, jsonb_build_object('seen', seen, 'cancelled', cancelled,
                                                         'released', released, 'last', last,
                                                         'ended', ended));
END $$;
