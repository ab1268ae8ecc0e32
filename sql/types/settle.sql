-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_settle(...): the only statement that ends a generation. State, capture or release, and
-- the end of live work are one transaction; no other statement charges.
--   p_epoch   the lease under which the caller worked; NULL: the database itself
--   p_status  'completed' (p_image_url set), 'failed' (p_error_code set) or 'cancelled'
--   p_persisted  false: the store did not accept the picture, which is at p_image_url for now; the
--                module stores it again later
--   p_keeps   then: how long the provider keeps it there; NULL: that address is ours
--   p_call    the token of this call (calls.sql): repeated under it, the function returns 'done'
--             again
-- A success counts from any caller; any other end only from the holder of the current lease. A
-- success after another end goes to genflow.late_results and charges nothing. The end is delivered
-- to the client's webhook, if it has one.
-- A picture without a completed row, or of one that was taken down, is removed. Settle records the
-- removal of a late picture, and that of a second success at another address, unless the first one
-- is not stored yet: then the row gets the second one. It also records the removal of a picture
-- that may have been stored: when the end comes from the database while a host had the job, or from
-- a host that took the job over, or after storing failed. A host that still stores the picture gets
-- 'settled' and records the removal again. An end by resume() (SITE_RESTORED) records none: if a
-- copy of a site shares the picture folder, the picture may be that of a completed generation of
-- the live site.
-- Called by: the dispatcher's writers, claim. Locks: work, media, ledger, account, removals.
-- Outcomes: 'done'; 'same' it had ended in this way before; 'settled' it had already ended
-- otherwise; 'stale' another host leads; 'unknown'.
CREATE OR REPLACE FUNCTION genflow.{prefix}_settle(
    p_id uuid, p_epoch integer, p_status text, p_provider text, p_model text, p_fallback boolean,
    p_image_url text,
    p_original_url text, p_persisted boolean, p_result jsonb, p_error_code text,
    p_error_message text, p_cause_code text,
    p_keeps interval DEFAULT NULL, p_call uuid DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v_now  timestamptz := clock_timestamp();
    v_ours boolean := p_status = 'completed' AND p_image_url IS NOT NULL
        AND (p_persisted OR p_keeps IS NULL);
    w      genflow.work;
    m      record;
BEGIN
    SELECT * INTO w FROM genflow.work t WHERE t.job_id = p_id FOR UPDATE;
    IF NOT FOUND THEN
        SELECT t.status, t.image_url, t.run_id, t.taken_down_at, t.persisted INTO m
          FROM {media} t WHERE t.id = p_id FOR UPDATE;
        IF FOUND AND m.status = p_status THEN
            IF v_ours AND m.taken_down_at IS NOT NULL THEN
                PERFORM genflow.removal_add(p_id, {no}::smallint, p_image_url, p_result ->> 'type',
                                            genflow.picture_secret(p_id, p_image_url), m.run_id);
            ELSIF v_ours AND p_persisted AND NOT m.persisted THEN
                PERFORM genflow.{prefix}_restored(p_id, p_image_url, p_result);
            ELSIF v_ours THEN
                PERFORM genflow.removal_spare(p_id, {no}::smallint, p_image_url, p_persisted,
                                              p_result ->> 'type', m.run_id, m.image_url);
            END IF;
            RETURN CASE WHEN genflow.ended_by(p_id, p_call) THEN 'done' ELSE 'same' END;
        END IF;
        IF v_ours THEN
            PERFORM genflow.removal_add(p_id, {no}::smallint, p_image_url, p_result ->> 'type',
                                        genflow.picture_secret(p_id, p_image_url), m.run_id);
        END IF;
        IF m.status IS NULL THEN
            RETURN 'unknown';
        END IF;
        IF p_status = 'completed' THEN
            INSERT INTO genflow.late_results (job_id, epoch, provider, result, call)
            SELECT p_id, p_epoch, p_provider, p_result, p_call
             WHERE NOT EXISTS (SELECT FROM genflow.late_results r WHERE r.job_id = p_id
                               AND r.call = p_call);
        END IF;
        RETURN 'settled';
    END IF;
    IF p_status <> 'completed' AND p_epoch <> w.epoch THEN
        RETURN 'stale';
    END IF;
    IF w.led AND p_epoch IS DISTINCT FROM w.epoch THEN
        PERFORM genflow.recall(ARRAY[p_id]);
    END IF;
    UPDATE {media} t SET
        status = p_status, finished_at = v_now, provider = coalesce(p_provider, w.provider),
        model = coalesce(p_model, w.model),
        retry_count = w.retries, fallback_used = coalesce(p_fallback, w.chain_pos > 0),
        image_url = p_image_url,
        original_url = p_original_url, persisted = p_persisted, expires_at = v_now + p_keeps,
        result = p_result, error_code = p_error_code,
        error_message = p_error_message, cause_code = p_cause_code
     WHERE t.id = p_id
    RETURNING t.user_id, t.cost, t.webhook_url, t.run_id INTO m;
    -- the row went with its table: release the hold
    IF NOT FOUND THEN
        DELETE FROM genflow.work t WHERE t.job_id = p_id;
        INSERT INTO genflow.ledger (ref, kind, user_id, amount, released, at, window_day, call)
        SELECT p_id, 'release', h.user_id, 0, h.amount, v_now, h.window_day, p_call
          FROM genflow.ledger h WHERE h.ref = p_id AND h.kind = 'hold';
        IF v_ours THEN
            PERFORM genflow.removal_add(p_id, {no}::smallint, p_image_url, p_result ->> 'type',
                                        w.picture_secret, NULL);
        END IF;
        RETURN 'unknown';
    END IF;
    IF p_status <> 'completed' AND w.epoch > 0 AND p_error_code IS DISTINCT FROM 'SITE_RESTORED'
        AND (
        p_epoch IS NULL OR p_error_code = 'STORE_FAILED' OR w.epoch > coalesce(
            (SELECT a.epoch FROM genflow.attempts a WHERE a.job_id = p_id AND a.no = w.attempts),
                1)) THEN
        PERFORM genflow.removal_add(p_id, {no}::smallint, NULL, NULL, w.picture_secret, m.run_id,
                                    CASE WHEN p_epoch IS NULL AND w.lease_owner IS NOT NULL
                                        THEN greatest(genflow.lease_end(w), v_now) END);
    END IF;
    -- a failed attempt did not make the picture; other failures may have to be paid
    PERFORM genflow.attempt_end(p_id, w.attempts, coalesce(p_error_code, p_status),
                                coalesce(p_error_code, p_status) IN (
                                'completed', 'cancelled', 'STORE_FAILED', 'TIMEOUT',
                                'NETWORK_ERROR', 'SITE_RESTORED'), v_now);
    DELETE FROM genflow.work t WHERE t.job_id = p_id;
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, released, at, window_day, call)
    SELECT p_id, CASE p_status WHEN 'completed' THEN 'capture' ELSE 'release' END, m.user_id,
           CASE p_status WHEN 'completed' THEN m.cost ELSE 0 END, CASE p_status WHEN 'completed'
               THEN 0 ELSE m.cost END,
           v_now, h.window_day, p_call
      FROM genflow.ledger h WHERE h.ref = p_id AND h.kind = 'hold';
    IF p_status = 'completed' AND NOT p_persisted THEN
        INSERT INTO genflow.restores (job_id, type_no, url, due_at, expires_at, picture_secret,
                                      run_id)
        VALUES (p_id, {no}, p_image_url, v_now, v_now + p_keeps, w.picture_secret, m.run_id);
    END IF;
    IF m.webhook_url IS NOT NULL THEN
        INSERT INTO genflow.deliveries (job_id, type_no, user_id, due_at)
            VALUES (p_id, {no}, m.user_id, v_now);
    END IF;
    RETURN 'done';
END $body$;
