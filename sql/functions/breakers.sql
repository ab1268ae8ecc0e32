-- SPDX-License-Identifier: Apache-2.0
-- breaker_note(p_provider, p_model, p_what, p_reason, p_failures, p_open, p_call): records how an
-- attempt with a model went.
--   p_what      'well' the provider works; 'failure'; 'refused' the provider rejects our key,
--               account or model: the breaker opens at once
--   p_failures  consecutive failures that open the breaker; 0: only 'refused' opens it
--   p_open      how long it stays open
--   p_call      the token of this call (calls.sql): a repetition does not count a second time
-- Called by: the dispatcher's writers. Locks: the breaker, after all other locks.
-- Outcomes: 'opened', 'closed' if this call changed it; 'noted'.
CREATE OR REPLACE FUNCTION genflow.breaker_note(p_provider text, p_model text, p_what text,
                                                p_reason text, p_failures integer,
                                                p_open interval, p_call uuid DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    b     genflow.breakers;
BEGIN
    IF p_what = 'well' THEN
        DELETE FROM genflow.breakers t WHERE t.provider = p_provider AND t.model = p_model
            RETURNING * INTO b;
        IF b.open_until IS NOT NULL THEN
            PERFORM genflow.call_keep(p_call, '{}');
        END IF;
        RETURN CASE WHEN b.open_until IS NOT NULL OR genflow.call_answer(p_call) IS NOT NULL
            THEN 'closed' ELSE 'noted' END;
    END IF;
    INSERT INTO genflow.breakers AS t (provider, model, failures, reason, call)
        VALUES (p_provider, p_model, 1, p_reason, p_call)
        ON CONFLICT (provider, model) DO UPDATE
        SET failures = t.failures + 1, reason = EXCLUDED.reason, call = p_call, updated_at = v_now
        WHERE t.call IS DISTINCT FROM p_call OR p_call IS NULL
    RETURNING * INTO b;
    IF NOT FOUND THEN
        RETURN CASE WHEN genflow.call_answer(p_call) IS NULL THEN 'noted' ELSE 'opened' END;
    END IF;
    IF p_what = 'failure' AND (p_failures = 0 OR b.failures < p_failures) THEN
        RETURN 'noted';
    END IF;
    -- Every further failure starts the open time anew: an attempt that was in flight when the
    -- breaker opened reports the same as the probe.
    UPDATE genflow.breakers t SET open_until = v_now + p_open, refused = p_what = 'refused',
           opened_at = coalesce(t.opened_at, v_now)
     WHERE t.provider = p_provider AND t.model = p_model;
    IF b.open_until IS NULL THEN
        PERFORM genflow.call_keep(p_call, '{}');
        RETURN 'opened';
    END IF;
    RETURN 'noted';
END $$;

-- breakers(): every model with failures. Called by: administration, metrics. Locks: none.
CREATE OR REPLACE FUNCTION genflow.breakers()
RETURNS TABLE (provider text, model text, state text, failures integer, open_until text,
               opened_at text, reason text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT b.provider, b.model,
           CASE WHEN b.open_until IS NULL THEN 'closed' WHEN b.open_until > now() THEN 'open'
               ELSE 'half-open' END,
           b.failures, genflow.iso(b.open_until), genflow.iso(b.opened_at), b.reason
      FROM genflow.breakers b ORDER BY b.provider, b.model;
END $$;
