-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_accepted(p_id, p_epoch, p_no, p_provider, p_kind, p_ref, p_lease, p_call): a provider
-- accepted attempt p_no under its own id p_ref. The writer records it before anything else is done
-- with the provider's answer. Called by: the dispatcher's writers. p_call: the token of this call
-- (calls.sql).
-- Locks: work, media. Outcomes: 'ok'; 'reported' a provider webhook recorded the id before and the
-- run has ended: poll now; 'stale' another host leads now (the id is recorded all the same: a
-- success would count, and that host finds the id on the row when it reconciles); 'gone' the job
-- has ended.
CREATE OR REPLACE FUNCTION genflow.{prefix}_accepted(p_id uuid, p_epoch integer, p_no smallint,
                                                     p_provider text, p_kind text, p_ref text,
                                          p_lease interval, p_call uuid DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    w       genflow.work;
    v_stale boolean;
BEGIN
    SELECT * INTO w FROM genflow.work t WHERE t.job_id = p_id FOR UPDATE;
    UPDATE genflow.attempts a SET provider_ref = p_ref WHERE a.job_id = p_id AND a.no = p_no;
    v_stale := w.epoch <> p_epoch;
    IF w.job_id IS NULL THEN
        RETURN 'gone';
    ELSIF v_stale AND (w.phase <> 'sending' OR w.attempts <> p_no) THEN
        RETURN 'stale';
    ELSIF w.provider_ref = p_ref THEN
        RETURN CASE WHEN w.call = p_call THEN 'ok' ELSE 'reported' END;
    END IF;
    UPDATE genflow.work t SET phase = 'working', provider_ref = p_ref, call = p_call,
           due_at = CASE WHEN v_stale OR t.led THEN t.due_at
               ELSE least(clock_timestamp() + p_lease, t.deadline_at) END,
           leased_until = CASE WHEN v_stale THEN t.leased_until
               ELSE clock_timestamp() + p_lease END
     WHERE t.job_id = p_id;
    UPDATE {media} m SET provider_kind = p_kind, provider_ref = p_ref WHERE m.id = p_id;
    RETURN CASE WHEN v_stale THEN 'stale' ELSE 'ok' END;
END $body$;
