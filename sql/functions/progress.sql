-- SPDX-License-Identifier: Apache-2.0
-- progress(p_id, p_epoch, p_progress, p_queue_position, p_logs): records the progress that the
-- provider reports for a run. Called by: the dispatcher's writers when it changed. Locks: work.
-- Outcomes: 'ok'; 'stale'; 'gone'.
CREATE OR REPLACE FUNCTION genflow.progress(p_id uuid, p_epoch integer, p_progress real,
                                            p_queue_position integer, p_logs jsonb)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE genflow.work t SET progress = p_progress, queue_position = p_queue_position,
        provider_logs = p_logs
     WHERE t.job_id = p_id AND t.epoch = p_epoch;
    RETURN CASE WHEN FOUND THEN 'ok'
                WHEN EXISTS (SELECT FROM genflow.work t WHERE t.job_id = p_id) THEN 'stale'
                ELSE 'gone' END;
END $$;
