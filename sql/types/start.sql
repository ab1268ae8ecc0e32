-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_start(p_user, p_id, p_owner, p_lease, p_lifetime, p_call): starts a pending generation
-- of p_user, which has p_lifetime from now on. p_owner: the host process that begins at once with a
-- lease of length p_lease (epoch 1), or NULL: any host may claim it, and its status stays
-- 'pending' until then. Called by: POST generate.
-- Locks: work, media; of simultaneous calls one finds it pending.
-- p_call: the token of this call (calls.sql). Outcomes: 'ok' with the data of the job; 'not_found';
-- 'not_yours'; 'invalid_status', `status` has the state; 'restored' (site.sql).
CREATE OR REPLACE FUNCTION genflow.{prefix}_start(
    p_user text, p_id uuid, p_owner text, p_lease interval, p_lifetime interval,
    p_call uuid DEFAULT NULL,
    OUT outcome text, OUT status text, OUT id uuid, OUT epoch integer, OUT preset text,
        OUT prompt text, OUT source_url text,
    OUT parameters jsonb, OUT seed bigint, OUT max_retries smallint, OUT age_ms bigint,
    OUT picture_secret text, OUT run_id text, OUT cost bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v_now   timestamptz := clock_timestamp();
    v_user  bigint := genflow.account_of(p_user);
    v_owner bigint;
BEGIN
    IF genflow.restored() IS NOT NULL THEN
        outcome := 'restored';
        RETURN;
    END IF;
    UPDATE genflow.work w SET
        phase       = 'queued',
        start_call  = p_call,
        lease_owner = p_owner,
        epoch       = CASE WHEN p_owner IS NULL THEN 0 ELSE 1 END,
        deadline_at = v_now + p_lifetime,
        due_at      = CASE WHEN p_owner IS NULL THEN v_now
            ELSE least(v_now + p_lease, v_now + p_lifetime) END
     WHERE w.job_id = p_id AND w.user_id = v_user AND w.phase = 'pending'
    RETURNING w.epoch, w.picture_secret, w.cost INTO epoch, picture_secret, cost;
    IF FOUND THEN
        UPDATE {media} m SET status = CASE WHEN p_owner IS NULL THEN m.status ELSE 'processing' END,
               started_at = CASE WHEN p_owner IS NOT NULL THEN v_now END
         WHERE m.id = p_id
        RETURNING 'ok', m.status, m.id, m.preset, m.prompt, m.source_url, m.parameters, m.seed,
            m.max_retries,
                  (extract(epoch FROM v_now - m.created_at) * 1000)::bigint, m.run_id
             INTO outcome, status, id, preset, prompt, source_url, parameters, seed, max_retries,
                 age_ms, run_id;
        RETURN;
    END IF;
    -- Perhaps this very call started it and its answer was lost: the epoch is the one of then.
    SELECT 'ok', m.status, m.id, CASE WHEN p_owner IS NULL THEN 0 ELSE 1 END, m.preset, m.prompt,
           m.source_url, m.parameters, m.seed,
           m.max_retries, (extract(epoch FROM v_now - m.created_at) * 1000)::bigint,
           w.picture_secret, m.run_id, w.cost
      INTO outcome, status, id, epoch, preset, prompt, source_url, parameters, seed, max_retries,
          age_ms, picture_secret, run_id, cost
      FROM genflow.work w JOIN {media} m ON m.id = w.job_id
     WHERE w.job_id = p_id AND w.user_id = v_user AND w.start_call = p_call;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT m.user_id, m.status INTO v_owner, status FROM {media} m WHERE m.id = p_id;
    IF v_owner = v_user THEN
        outcome := 'invalid_status';
    ELSE
        outcome := CASE WHEN v_owner IS NULL THEN 'not_found' ELSE 'not_yours' END;
        status := NULL;
    END IF;
END $body$;
