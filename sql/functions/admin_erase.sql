-- SPDX-License-Identifier: Apache-2.0
-- Erasing a user. The account keeps its number, and the ledger its entries; the name goes, and with
-- it everything that the user sent or got.
--
-- admin_erase(p_user, p_by, p_call): takes the name from the account and closes it, and deletes its
-- API keys. From then on nobody finds the account by name: a request of the user that runs at that
-- moment gets no credits held, and a user who comes back gets another account. All else goes in
-- admin_erase_work(). p_by: see audit.sql. p_call: the token of this call (calls.sql). Called by:
-- DELETE admin/users/{user}. Locks: the token, the account, its API keys. Outcomes: 'ok' with the
-- number of the account; 'not_found'.
CREATE OR REPLACE FUNCTION genflow.admin_erase(p_user text, p_by jsonb DEFAULT NULL,
                                               p_call uuid DEFAULT NULL,
                                               OUT outcome text, OUT account bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_first jsonb := genflow.call_begin(p_call);
    a       genflow.accounts;
BEGIN
    IF v_first IS NOT NULL THEN
        account := v_first->>'account';
        outcome := CASE WHEN account IS NULL THEN 'not_found' ELSE 'ok' END;
        RETURN;
    END IF;
    SELECT * INTO a FROM genflow.accounts t
     WHERE t.realm = genflow.realm_of(p_user) AND t.name = genflow.name_of(p_user) FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'not_found';
        RETURN;
    END IF;
    UPDATE genflow.accounts t SET name = NULL, erased_at = clock_timestamp(), blocked = true
     WHERE t.user_id = a.user_id;
    DELETE FROM genflow.api_keys k WHERE k.user_id = a.user_id;
    INSERT INTO genflow.erasures (user_id) VALUES (a.user_id);
    PERFORM genflow.audit_add(p_by, 'erase', a.user_id::text,
                              jsonb_build_object('balance', a.balance, 'held', a.held,
                                                 'generations', a.generations, 'blocked',
                                                 a.blocked),
                              NULL, a.user_id);
    outcome := 'ok';
    account := a.user_id;
    PERFORM genflow.call_keep(p_call, jsonb_build_object('account', account));
END $$;

-- admin_erase_work(p_account, p_limit): deletes a batch of what is left of an erased account (NULL:
-- of the one that was erased first), up to p_limit rows of each kind. Live generations are
-- cancelled and open reservations returned, which releases their credits. Generations are deleted
-- with all that the user sent, and the removal of their pictures is recorded, for now and for 15
-- minutes later, as a takedown does; the ledger keeps their entries. So are source pictures,
-- templates, settings, idempotency keys, records of lost responses and of edits, and webhooks that
-- are not delivered yet. Once nothing is left, an entry 'adjust' with the reason 'erased' takes the
-- credits that nobody can spend any more. For 15 minutes the janitor looks again: a request that
-- had found the account before may have written a row. Called by: DELETE admin/users/{user}, the
-- janitor (part erasures), until it returns 0, the number of rows. Locks: the erasure (SKIP
-- LOCKED), then as admin_clear(), then media, removals.
CREATE OR REPLACE FUNCTION genflow.admin_erase_work(p_account bigint,
                                                    p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_count integer := 0;
    v_rows  integer;
    v_table text;
    e       genflow.erasures;
    t       genflow.types;
    r       record;
BEGIN
    -- one that has ended stays for rows of statements that ran meanwhile; others come after it
    FOR e IN SELECT * FROM genflow.erasures x WHERE p_account IS NULL OR x.user_id = p_account
              ORDER BY x.at FOR UPDATE SKIP LOCKED LOOP
        FOR r IN SELECT w.job_id, w.type_no FROM genflow.work w WHERE w.user_id = e.user_id
                  ORDER BY w.job_id LIMIT p_limit FOR UPDATE LOOP
            PERFORM genflow.admin_settle(r.type_no, r.job_id, NULL);
            v_count := v_count + 1;
        END LOOP;
        FOR r IN SELECT o.id FROM genflow.reservations o
                  WHERE o.user_id = e.user_id AND o.state = 'open' ORDER BY o.id LIMIT p_limit LOOP
            PERFORM genflow.reservation_end(r.id, 'returned');
            v_count := v_count + 1;
        END LOOP;
        FOR t IN SELECT * FROM genflow.types y
                  WHERE to_regclass(format('%I.%I', y.media_schema, y.media_table)) IS NOT NULL
                  ORDER BY y.no LOOP
            EXECUTE format('WITH gone AS (DELETE FROM %1$I.%2$I m WHERE m.id = ANY (ARRAY('
                           'SELECT s.id FROM %1$I.%2$I s WHERE s.user_id = $1 '
                           'AND s.finished_at IS NOT NULL ORDER BY s.id LIMIT $2)) RETURNING m.*) '
                           'SELECT count(genflow.erase_job(g.id, %3$s::smallint, g.image_url, '
                           'g.persisted OR g.expires_at IS NULL, g.result ->> ''type'', '
                           'CASE WHEN g.legacy_id IS NULL THEN g.run_id END)) FROM gone g',
                           t.media_schema, t.media_table, t.no)
               INTO v_rows USING e.user_id, p_limit;
            v_count := v_count + v_rows;
        END LOOP;
        FOREACH v_table IN ARRAY ARRAY['assets', 'templates', 'user_settings', 'idempotency_keys',
                                       'lost_responses', 'edits', 'tags', 'deliveries', 'api_keys',
                                       'reservations'] LOOP
            EXECUTE format('DELETE FROM genflow.%I x WHERE x.ctid = ANY (ARRAY(SELECT s.ctid '
                           'FROM genflow.%I s WHERE s.user_id = $1 %s LIMIT $2))', v_table, v_table,
                           CASE v_table WHEN 'reservations' THEN 'AND s.state <> ''open'''
                               ELSE '' END) USING e.user_id, p_limit;
            GET DIAGNOSTICS v_rows = ROW_COUNT;
            v_count := v_count + v_rows;
        END LOOP;
        EXIT WHEN v_count > 0;
        INSERT INTO genflow.ledger (ref, kind, user_id, amount, reason)
        SELECT genflow.new_id(0), 'adjust', a.user_id, -a.balance, 'erased'
          FROM genflow.accounts a
         WHERE a.user_id = e.user_id AND a.held = 0 AND a.balance > 0;
        DELETE FROM genflow.erasures x
         WHERE x.user_id = e.user_id AND x.at < clock_timestamp() - interval '15 minutes';
    END LOOP;
    RETURN v_count;
END $$;

-- erase_job(p_id, p_type, p_url, p_ours, p_media_type, p_run_id): what a deleted generation of an
-- erased user leaves behind: the removal of its picture, which is at p_url (p_ours: in our store),
-- and its records. Called by: admin_erase_work. Locks: restores, removals.
CREATE OR REPLACE FUNCTION genflow.erase_job(p_id uuid, p_type smallint, p_url text, p_ours boolean,
                                             p_media_type text, p_run_id text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_secret text;
BEGIN
    DELETE FROM genflow.restores r WHERE r.job_id = p_id RETURNING r.picture_secret INTO v_secret;
    IF p_url IS NOT NULL THEN
        PERFORM genflow.removal_add(p_id, p_type, CASE WHEN p_ours THEN p_url END, p_media_type,
                                    coalesce(genflow.picture_secret(p_id, p_url), v_secret),
                                    p_run_id,
                                    p_again => clock_timestamp() + interval '15 minutes');
    END IF;
    DELETE FROM genflow.edits x WHERE x.job_id = p_id;
    DELETE FROM genflow.deliveries x WHERE x.job_id = p_id;
    DELETE FROM genflow.attempts x WHERE x.job_id = p_id;
    DELETE FROM genflow.hooks x WHERE x.job_id = p_id;
    DELETE FROM genflow.late_results x WHERE x.job_id = p_id;
    RETURN true;
END $$;
