-- SPDX-License-Identifier: Apache-2.0
-- asset_get(p_user, p_id): describes an asset of p_user without its bytes. p_id may also be the id
-- of the upload that brought it (asset_upload.sql). Called by: GET assets/{id}, and a generate call
-- that names it. Locks: none. Always one row.
-- Outcomes: 'ok'; 'not_found' no such asset, or deleted, or expired; 'not_yours' (the other columns
-- are then NULL).
CREATE OR REPLACE FUNCTION genflow.asset_get(
    p_user text, p_id uuid,
    OUT outcome text, OUT id uuid, OUT type text, OUT width integer, OUT height integer,
        OUT size integer, OUT sha256 text,
    OUT expires_at text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_user bigint;
BEGIN
    SELECT a.user_id, a.id, a.type, a.width, a.height, a.size, encode(a.sha256, 'hex'),
           genflow.iso(a.expires_at)
      INTO v_user, id, type, width, height, size, sha256, expires_at
      FROM genflow.assets a
     WHERE a.id = coalesce((genflow.call_answer(p_id) ->> 'asset')::uuid, p_id)
       AND a.expires_at > clock_timestamp();
    IF v_user = genflow.account_of(p_user) THEN
        outcome := 'ok';
        RETURN;
    END IF;
    outcome := CASE WHEN v_user IS NULL THEN 'not_found' ELSE 'not_yours' END;
    id := NULL; type := NULL; width := NULL; height := NULL; size := NULL; sha256 := NULL;
    expires_at := NULL;
END $$;
