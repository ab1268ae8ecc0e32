-- SPDX-License-Identifier: Apache-2.0
-- requeue(p_id, p_epoch, p_delay, p_chain_pos, p_retries, p_outcome, p_ref): gives a job back to
-- the queue, due after p_delay, with nothing sent for the next attempt. p_outcome ends the current
-- attempt (NULL: there was none): an error code, or 'UNKNOWN', after which attempt_begin() lets no
-- attempt of this job go to the same provider.
-- Called by: the dispatcher's writers after a transient failure, and before the next provider of
-- the chain.
-- p_ref: the provider's id of the run as the caller knows it. A provider webhook may have brought
-- one although the submission seemed to fail. Then the run exists: it is not submitted again, and
-- the host that claims the job polls it.
-- Locks: work. Outcomes: 'ok'; 'reported' the run exists; 'stale'; 'gone'.
CREATE OR REPLACE FUNCTION genflow.requeue(
    p_id uuid, p_epoch integer, p_delay interval, p_chain_pos smallint, p_retries smallint,
    p_outcome text,
    p_ref text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    w     genflow.work;
BEGIN
    SELECT * INTO w FROM genflow.work t WHERE t.job_id = p_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'gone';
    ELSIF w.epoch <> p_epoch THEN
        RETURN 'stale';
    ELSIF w.provider_ref <> coalesce(p_ref, '') THEN
        UPDATE genflow.work t SET lease_owner = NULL, led = false,
               due_at = least(v_now, t.deadline_at)
            WHERE t.job_id = p_id;
        RETURN 'reported';
    END IF;
    UPDATE genflow.work t SET phase = 'queued', lease_owner = NULL, led = false,
           provider_ref = NULL, lost_leases = 0,
           progress = NULL, queue_position = NULL, provider_logs = NULL,
           chain_pos = p_chain_pos, retries = p_retries, due_at = least(v_now + p_delay,
               t.deadline_at)
     WHERE t.job_id = p_id;
    IF p_outcome IS NOT NULL THEN
        PERFORM genflow.attempt_end(p_id, w.attempts, p_outcome, p_outcome = 'UNKNOWN', v_now);
    END IF;
    RETURN 'ok';
END $$;
