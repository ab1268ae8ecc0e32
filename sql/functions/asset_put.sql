-- SPDX-License-Identifier: Apache-2.0
-- asset_put(p_user, p_type, p_width, p_height, p_base64, p_lifetime, p_quota): stores a source
-- image of p_user for p_lifetime. If the user has the same image already, only its lifetime is
-- extended. p_quota: the bytes that a user may store; each image counts at least 64 KB, which also
-- bounds their number. Called by: POST assets, and a generate call with an image. Locks: the user's
-- assets (advisory), then the row. A repeated call is harmless.
-- Outcomes: 'ok' id, expires_at; 'too_many' the quota would be exceeded.
CREATE OR REPLACE FUNCTION genflow.asset_put(
    p_user text, p_type text, p_width integer, p_height integer, p_base64 text, p_lifetime interval,
    p_quota bigint,
    OUT outcome text, OUT id uuid, OUT expires_at text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_user  bigint := genflow.account_make(p_user);
    v_bytes bytea := decode(p_base64, 'base64');
    v_now   timestamptz := clock_timestamp();
    v_ends  timestamptz := v_now + p_lifetime;
BEGIN
    outcome := 'ok';
    PERFORM pg_advisory_xact_lock(hashtextextended('genflow assets of ' || v_user, 0));
    UPDATE genflow.assets a SET expires_at = greatest(a.expires_at, v_ends)
     WHERE a.user_id = v_user AND a.sha256 = sha256(v_bytes) AND a.expires_at > v_now
    RETURNING a.id, genflow.iso(a.expires_at) INTO id, expires_at;
    IF FOUND THEN
        RETURN;
    END IF;

    IF (SELECT coalesce(sum(greatest(a.size, 65536)), 0) FROM genflow.assets a
         WHERE a.user_id = v_user AND a.expires_at > v_now) + greatest(octet_length(v_bytes),
             65536) > p_quota THEN
        outcome := 'too_many';
        RETURN;
    END IF;
    INSERT INTO genflow.assets AS a (id, user_id, type, width, height, bytes, created_at,
                                     expires_at)
    VALUES (genflow.new_id(0), v_user, p_type, p_width, p_height, v_bytes, v_now, v_ends)
    ON CONFLICT ON CONSTRAINT assets_once DO UPDATE SET expires_at = EXCLUDED.expires_at
    RETURNING a.id, genflow.iso(a.expires_at) INTO id, expires_at;
    -- Last, because it skips locked rows: so no circle of waiting transactions can arise.
    PERFORM genflow.asset_sweep(20);
END $$;
