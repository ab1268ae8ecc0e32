-- SPDX-License-Identifier: Apache-2.0
-- asset_upload(p_upload, p_user, p_type, p_width, p_height, p_base64, p_lifetime, p_quota, p_call):
-- stores a source image of p_user as asset_put() does, for an upload that was announced under the
-- id p_upload: asset_get() finds the image by that id, too, as long as the image lives. An upload
-- happens once: its id is stored with the answers of calls (calls.sql), for an hour and until the
-- image expires, which is longer than its address is valid. p_call: the token of this call. Called
-- by: PUT upload/{id}. Locks: the user's assets (advisory), then the row.
-- Outcomes: 'ok' id, expires_at; 'used' this upload has happened; 'too_many'.
CREATE OR REPLACE FUNCTION genflow.asset_upload(
    p_upload uuid, p_user text, p_type text, p_width integer, p_height integer, p_base64 text,
    p_lifetime interval, p_quota bigint, p_call uuid DEFAULT NULL,
    OUT outcome text, OUT id uuid, OUT expires_at text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_before jsonb;
BEGIN
    PERFORM pg_advisory_xact_lock(
        hashtextextended('genflow assets of ' || genflow.account_make(p_user), 0));
    v_before := genflow.call_answer(p_upload);
    IF v_before IS NOT NULL THEN
        outcome := 'used';
        IF v_before ->> 'call' = p_call::text THEN
            outcome := 'ok';
            id := v_before ->> 'asset';
            expires_at := v_before ->> 'expires_at';
        END IF;
        RETURN;
    END IF;
    SELECT p.outcome, p.id, p.expires_at INTO outcome, id, expires_at
      FROM genflow.asset_put(p_user, p_type, p_width, p_height, p_base64, p_lifetime, p_quota) p;
    IF outcome = 'ok' THEN
        INSERT INTO genflow.calls (call, answer, at)
        VALUES (p_upload, jsonb_build_object('asset', id, 'call', p_call, 'expires_at', expires_at),
                clock_timestamp() + greatest(p_lifetime - interval '1 hour', interval '0'));
    END IF;
END $$;
