-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_get(...): the generation object's data of one generation of p_user, found by its id,
-- else by the client's run id (the newest), else by the provider's id of the run. p_id and p_run_id
-- also find a generation by its legacy_id.
--   p_kind  the kind of provider that gave p_ref; NULL: any
-- queue_position: while no host has begun it, how many generations of the type come before it in
-- our queue (queue_place()); afterwards the place in the provider's queue, if it reports one.
-- expected_seconds: about how long until it is begun; NULL: unknown, or it was begun.
-- row_version: that of its live row, which changes with every update of it; NULL: it has ended.
-- Called by: status, and every response with a generation object. Locks: none. Always one row
-- (genflow.generation). Outcomes: 'ok', 'not_found', 'not_yours' (the other columns are then NULL).
CREATE OR REPLACE FUNCTION genflow.{prefix}_get(
    p_user text, p_id uuid, p_run_id text DEFAULT NULL, p_ref text DEFAULT NULL,
    p_kind text DEFAULT NULL)
RETURNS genflow.generation
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    m {media};
    w genflow.work;
    g genflow.generation;
    q record;
BEGIN
    IF p_id IS NOT NULL THEN
        SELECT * INTO m FROM {media} t WHERE t.id = p_id;
        IF NOT FOUND THEN
            SELECT * INTO m FROM {media} t WHERE t.legacy_id = p_id::text;
        END IF;
    ELSIF p_run_id IS NOT NULL THEN
        SELECT * INTO m FROM {media} t WHERE t.user_id = genflow.account_of(p_user)
            AND t.run_id = p_run_id ORDER BY t.id DESC LIMIT 1;
        IF NOT FOUND THEN
            SELECT * INTO m FROM {media} t WHERE t.legacy_id = p_run_id;
        END IF;
    ELSE
        SELECT * INTO m FROM {media} t
         WHERE t.provider_ref = p_ref AND (p_kind IS NULL OR t.provider_kind = p_kind)
         ORDER BY t.user_id = genflow.account_of(p_user) DESC NULLS LAST, t.id DESC LIMIT 1;
    END IF;
    IF m.id IS NULL THEN
        g.outcome := 'not_found';
        RETURN g;
    END IF;
    g.user_id := genflow.identity_of(m.user_id);
    IF (g.user_id = p_user) IS NOT TRUE THEN
        g.user_id := NULL;
        g.outcome := 'not_yours';
        RETURN g;
    END IF;
    IF m.finished_at IS NULL THEN
        SELECT * INTO w FROM genflow.work t WHERE t.job_id = m.id;
        g.row_version := (SELECT t.xmin::text FROM genflow.work t WHERE t.job_id = m.id);
        m.provider := coalesce(w.provider, m.provider);
        m.model := coalesce(w.model, m.model);
        m.retry_count := coalesce(w.retries, m.retry_count);
        m.fallback_used := coalesce(w.chain_pos > 0, m.fallback_used);
    END IF;
    g.outcome := 'ok'; g.type := '{type}';
    g.id := m.id; g.run_id := coalesce(m.run_id, m.id::text); g.status := m.status;
    g.preset := m.preset; g.prompt := m.prompt; g.source_url := m.source_url;
    g.parameters := m.parameters; g.seed := m.seed;
    g.cost := m.cost; g.retry_count := m.retry_count; g.max_retries := m.max_retries;
    g.provider := m.provider; g.model := m.model;
    g.provider_kind := m.provider_kind; g.provider_ref := m.provider_ref;
    CASE m.provider_kind                                    -- for servers from before schema 18
    WHEN 'stability' THEN g.stability_job_id := m.provider_ref;
    WHEN 'aiml' THEN g.aiml_job_id := m.provider_ref;
    WHEN 'fal' THEN g.fal_job_id := m.provider_ref;
    WHEN 'replicate' THEN g.replicate_id := m.provider_ref;
    ELSE NULL;
    END CASE;
    g.image_url := m.image_url; g.taken_down_at := genflow.iso(m.taken_down_at);
    g.original_url := m.original_url; g.persisted := m.persisted;
    g.expires_at := genflow.iso(m.expires_at);
    g.fallback_used := m.fallback_used; g.error_code := m.error_code;
    g.error_message := m.error_message;
    g.cause_code := m.cause_code; g.created_at := genflow.iso(m.created_at);
    g.started_at := genflow.iso(m.started_at);
    g.finished_at := genflow.iso(m.finished_at);
    g.processing_ms := (extract(epoch FROM m.finished_at - m.started_at) * 1000)::bigint;
    g.result := m.result; g.progress := w.progress; g.queue_position := w.queue_position;
    g.logs := w.provider_logs;
    IF w.turn IS NOT NULL THEN
        SELECT * INTO q FROM genflow.queue_place(w.type_no, w.priority, w.turn);
        g.queue_position := q.place;
        g.expected_seconds := ceil(least(q.place + 1, 1000000)
                                   * genflow.{prefix}_pace(coalesce(q.head, m.id)));
    END IF;
    g.at := (extract(epoch FROM m.created_at) * 1000000)::bigint; g.webhook_url := m.webhook_url;
    g.priority := m.priority;
    g.legacy_id := m.legacy_id; g.visibility := m.visibility; g.allow_remix := m.allow_remix;
    g.tags := m.tags; g.meta := m.meta; g.favourite := m.favourite; g.title := m.title;
    g.age_ms := (extract(epoch FROM statement_timestamp() - m.created_at) * 1000)::bigint;
    g.started := m.finished_at IS NULL AND w.phase <> 'pending';
    IF m.parameters ? 'input' THEN
        g.input := m.parameters -> 'input';
        g.input_summary := jsonb_build_object(
            'mood', g.input -> 'mood', 'duration', g.input -> 'duration',
            'stylePreset', g.input -> 'stylePreset', 'seed', g.input -> 'seed');
    END IF;
    RETURN g;
END $body$;
