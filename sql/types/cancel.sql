-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_cancel(p_user, p_id, p_call): ends a live generation of p_user as cancelled, in any
-- phase; nothing is charged. The host that works on it learns of it by its next statement or
-- heartbeat and cancels the run at the provider. A success that the provider delivers later is a
-- late result (settle). Called by: POST generation/{id}/cancel. Locks: work, media, ledger,
-- account. p_call: the token of this call (calls.sql). Outcomes: 'ok' owner is the process that
-- worked on it; NULL: none, or this is a repetition; 'not_found'; 'not_yours'; 'invalid_status' it
-- has ended already, `status` has the state.
CREATE OR REPLACE FUNCTION genflow.{prefix}_cancel(p_user text, p_id uuid, p_call uuid DEFAULT NULL,
                                                   OUT outcome text, OUT status text,
                                                       OUT owner text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v_user bigint;
BEGIN
    SELECT m.user_id INTO v_user FROM {media} m WHERE m.id = p_id;
    IF (v_user = genflow.account_of(p_user)) IS NOT TRUE THEN
        outcome := CASE WHEN v_user IS NULL THEN 'not_found' ELSE 'not_yours' END;
        RETURN;
    END IF;
    SELECT w.lease_owner INTO owner FROM genflow.work w WHERE w.job_id = p_id FOR UPDATE;
    IF FOUND THEN
        PERFORM genflow.{prefix}_settle(p_id, NULL, 'cancelled', NULL, NULL, NULL, NULL, NULL, NULL,
                                        NULL, NULL, NULL, NULL,
                                         p_call => p_call);
        outcome := 'ok';
        status := 'cancelled';
    ELSE
        SELECT m.status INTO status FROM {media} m WHERE m.id = p_id;
        outcome := CASE WHEN NOT FOUND THEN 'not_found' WHEN genflow.ended_by(p_id, p_call)
            THEN 'ok' ELSE 'invalid_status' END;
    END IF;
END $body$;
