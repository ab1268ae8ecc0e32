-- SPDX-License-Identifier: Apache-2.0
-- asset_delete(p_user, p_id, p_call): deletes an asset of p_user at once; p_id as in asset_get(). A
-- generation that has not read it yet will fail. p_call: the token of this call (calls.sql).
-- Called by: DELETE assets/{id}. Locks: the row.
-- Outcomes: 'ok'; 'not_found' no such asset, or deleted, or expired; 'not_yours'.
CREATE OR REPLACE FUNCTION genflow.asset_delete(p_user text, p_id uuid,
                                                p_call uuid DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_user bigint;
    v_id   uuid := coalesce((genflow.call_answer(p_id) ->> 'asset')::uuid, p_id);
BEGIN
    SELECT a.user_id INTO v_user FROM genflow.assets a WHERE a.id = v_id FOR UPDATE;
    IF v_user = genflow.account_of(p_user) THEN
        DELETE FROM genflow.assets a WHERE a.id = v_id;
        PERFORM genflow.call_keep(p_call, '{}');
        RETURN 'ok';
    END IF;
    RETURN CASE WHEN v_user IS NOT NULL THEN 'not_yours' WHEN genflow.call_answer(p_call) IS NULL
        THEN 'not_found' ELSE 'ok' END;
END $$;
