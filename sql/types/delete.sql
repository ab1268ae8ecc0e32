-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_delete(p_user, p_id, p_call): deletes an ended generation of p_user: its row with all
-- that the user sent, and its picture, whose removal is recorded in genflow.removals in the same
-- transaction. The ledger keeps its entries, which have only the id, so that it stays verifiable.
-- Called by: DELETE generation/{id}. Locks: media, restores, edits.
-- p_call: the token of this call (calls.sql).
-- Outcomes: 'ok' image_url is the picture to remove, or NULL; 'not_found'; 'not_yours';
-- 'invalid_status' it has not ended.
CREATE OR REPLACE FUNCTION genflow.{prefix}_delete(p_user text, p_id uuid, p_call uuid DEFAULT NULL,
                                                  OUT outcome text, OUT status text,
                                                      OUT image_url text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v_user  bigint := genflow.account_of(p_user);
    v_owner bigint;
    v_type  text;
    v_run   text;
    v_until timestamptz;
    v_first jsonb;
    g       genflow.restores;
BEGIN
    -- A picture that is not persisted and expires is at its provider: the module cannot remove it.
    -- Several rows of an older system may have one picture under one run id. A thumbnail that is
    -- just being stored is removed afterwards: its host makes the removal due as soon as it can.
    DELETE FROM {media} m WHERE m.id = p_id AND m.user_id = v_user AND m.finished_at IS NOT NULL
    RETURNING m.status, CASE WHEN m.persisted OR m.expires_at IS NULL THEN m.image_url END,
        m.result ->> 'type', CASE WHEN m.legacy_id IS NULL THEN m.run_id END,
        m.thumbnail_until
      INTO status, image_url, v_type, v_run, v_until;
    IF NOT FOUND THEN
        v_first := genflow.call_answer(p_call);
        IF v_first IS NOT NULL THEN
            outcome := 'ok';
            status := v_first->>'status';
            image_url := v_first->>'image_url';
            RETURN;
        END IF;
        SELECT m.user_id, m.status INTO v_owner, status FROM {media} m WHERE m.id = p_id;
        outcome := CASE WHEN v_owner = v_user THEN 'invalid_status' WHEN v_owner IS NULL
            THEN 'not_found' ELSE 'not_yours' END;
        RETURN;
    END IF;
    DELETE FROM genflow.restores r WHERE r.job_id = p_id RETURNING * INTO g;
    DELETE FROM genflow.edits e WHERE e.job_id = p_id;
    PERFORM genflow.removal_add(p_id, {no}::smallint, image_url, v_type,
                                genflow.picture_secret(p_id, image_url), v_run,
                                CASE WHEN v_until > clock_timestamp() THEN v_until END)
      WHERE image_url IS NOT NULL;
    -- a host that stores it now may be killed before it says so
    PERFORM genflow.removal_add(p_id, {no}::smallint, NULL, v_type, g.picture_secret, v_run,
                                p_again => g.due_at)
      WHERE g.tries > 0;
    PERFORM genflow.call_keep(p_call, jsonb_build_object('status', status, 'image_url', image_url));
    outcome := 'ok';
END $body$;
