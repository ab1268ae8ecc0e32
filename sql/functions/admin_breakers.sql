-- SPDX-License-Identifier: Apache-2.0
-- admin_breaker_reset(p_provider, p_model, p_call, p_by): closes the breakers of a provider, or of
-- one model of it, and sets its failures to zero, so that the next attempt is sent. p_call: the
-- token of this call (calls.sql). p_by: see audit.sql; where there is no breaker, it writes no
-- entry. Called by: POST admin/providers/{provider}/reset. Locks: the breakers. Returns the number
-- of breakers.
CREATE OR REPLACE FUNCTION genflow.admin_breaker_reset(p_provider text, p_model text DEFAULT NULL,
                                                       p_call uuid DEFAULT NULL,
                                                       p_by jsonb DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    n       integer;
    v_first jsonb := genflow.call_begin(p_call);
    v_gone  jsonb;
BEGIN
    IF v_first IS NOT NULL THEN
        RETURN v_first->>'count';
    END IF;
    WITH gone AS (DELETE FROM genflow.breakers b WHERE b.provider = p_provider
                      AND (p_model IS NULL OR b.model = p_model) RETURNING b.*)
    SELECT count(*), jsonb_agg(jsonb_build_object('model', g.model, 'failures', g.failures,
                                                  'reason', g.reason) ORDER BY g.model)
      INTO n, v_gone FROM gone g;
    IF n > 0 THEN
        PERFORM genflow.audit_add(p_by, 'breaker.reset', p_provider,
                                  jsonb_build_object('breakers', v_gone),
                                  jsonb_build_object('closed', n));
    END IF;
    PERFORM genflow.call_keep(p_call, jsonb_build_object('count', n));
    RETURN n;
END $$;
