-- SPDX-License-Identifier: Apache-2.0
-- attempt_begin(p_id, p_epoch, p_no, p_provider, p_model, p_seed, p_hash, p_lease): the intent to submit, committed before a
-- byte leaves. Whoever finds the job in phase 'sending' later knows that the provider may have it.
-- Called by: the dispatcher's writers. Locks: work. Asking twice is harmless (same answer).
-- Outcomes: 'ok' send now; 'stale' another host leads; 'gone' the job has ended; 'cancelled' the user does not want it.
CREATE OR REPLACE FUNCTION genflow.attempt_begin(
    p_id uuid, p_epoch integer, p_no smallint, p_provider text, p_model text, p_seed bigint, p_hash bytea, p_lease interval)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    w genflow.work;
BEGIN
    SELECT * INTO w FROM genflow.work t WHERE t.job_id = p_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'gone';
    ELSIF w.epoch <> p_epoch THEN
        RETURN 'stale';
    ELSIF w.cancel_requested THEN
        RETURN 'cancelled';
    ELSIF w.phase = 'sending' AND w.attempts = p_no THEN
        RETURN 'ok';
    END IF;
    UPDATE genflow.work t SET phase = 'sending', attempts = p_no, provider = p_provider, model = p_model,
           due_at = least(clock_timestamp() + p_lease, t.deadline_at)
     WHERE t.job_id = p_id;
    INSERT INTO genflow.attempts (job_id, no, epoch, provider, model, seed, request_hash)
    VALUES (p_id, p_no, p_epoch, p_provider, p_model, p_seed, p_hash);
    RETURN 'ok';
END $$;
