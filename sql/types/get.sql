-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_get(p_user, p_id, p_run_id, p_ref): everything the wire shows of one generation of p_user, found by its id, else
-- by the client's run id (the newest), else by the provider's id. Called by: status, and every answer about a generation.
-- Locks: none. One row always. outcome: 'ok', 'not_found', 'not_yours' (then nothing else is filled).
CREATE OR REPLACE FUNCTION genflow.{prefix}_get(
    p_user text, p_id uuid, p_run_id text DEFAULT NULL, p_ref text DEFAULT NULL,
    OUT outcome text, OUT id uuid, OUT run_id text, OUT status text, OUT preset text, OUT prompt text, OUT source_url text,
    OUT parameters jsonb, OUT seed bigint, OUT cost bigint, OUT retry_count integer, OUT max_retries integer,
    OUT provider text, OUT model text, OUT stability_job_id text, OUT aiml_job_id text, OUT fal_job_id text,
    OUT replicate_id text, OUT image_url text, OUT original_url text, OUT persisted boolean, OUT expires_at text,
    OUT fallback_used boolean, OUT error_code text, OUT error_message text, OUT cause_code text,
    OUT created_at text, OUT started_at text, OUT finished_at text, OUT processing_ms bigint, OUT result jsonb,
    OUT progress real, OUT queue_position integer, OUT logs jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    m {media};
    w genflow.work;
BEGIN
    IF p_id IS NOT NULL THEN
        SELECT * INTO m FROM {media} t WHERE t.id = p_id;
    ELSIF p_run_id IS NOT NULL THEN
        SELECT * INTO m FROM {media} t WHERE t.user_id = p_user AND t.run_id = p_run_id ORDER BY t.id DESC LIMIT 1;
    ELSE
        SELECT t.* INTO m FROM genflow.attempts a JOIN {media} t ON t.id = a.job_id WHERE a.provider_ref = p_ref
         ORDER BY t.user_id = p_user DESC, t.id DESC LIMIT 1;
    END IF;
    IF m.id IS NULL THEN
        outcome := 'not_found';
        RETURN;
    ELSIF m.user_id IS DISTINCT FROM p_user THEN
        outcome := 'not_yours';
        RETURN;
    END IF;
    IF m.finished_at IS NULL THEN
        SELECT * INTO w FROM genflow.work t WHERE t.job_id = m.id;
        m.provider := coalesce(w.provider, m.provider);
        m.model := coalesce(w.model, m.model);
        m.retry_count := coalesce(w.retries, m.retry_count);
        m.fallback_used := coalesce(w.chain_pos > 0, m.fallback_used);
    END IF;
    outcome := 'ok';
    id := m.id; run_id := coalesce(m.run_id, m.id::text); status := m.status;
    preset := m.preset; prompt := m.prompt; source_url := m.source_url; parameters := m.parameters; seed := m.seed;
    cost := m.cost; retry_count := m.retry_count; max_retries := m.max_retries; provider := m.provider; model := m.model;
    stability_job_id := m.stability_job_id; aiml_job_id := m.aiml_job_id; fal_job_id := m.fal_job_id;
    replicate_id := m.replicate_id; image_url := m.image_url; original_url := m.original_url; persisted := m.persisted;
    expires_at := genflow.iso(m.expires_at); fallback_used := m.fallback_used;
    error_code := m.error_code; error_message := m.error_message; cause_code := m.cause_code;
    created_at := genflow.iso(m.created_at); started_at := genflow.iso(m.started_at); finished_at := genflow.iso(m.finished_at);
    processing_ms := (extract(epoch FROM m.finished_at - m.started_at) * 1000)::bigint;
    result := m.result; progress := w.progress; queue_position := w.queue_position; logs := w.provider_logs;
END $body$;
