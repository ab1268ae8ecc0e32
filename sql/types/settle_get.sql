-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_settle_get(p_user, ...): {prefix}_settle(), whose parameters and outcomes it has, and
-- the ended generation as {prefix}_get() returns it: a request that waits for the end need not read
-- it.
--   p_user  whose generation it is; NULL: nobody waits for it
-- Called by: the dispatcher's writers. Locks: as settle. Always one row (genflow.generation), whose
-- outcome is that of settle. The other columns are NULL without p_user, for a user who does not own
-- it, and if it has not ended ('stale', 'unknown').
CREATE OR REPLACE FUNCTION genflow.{prefix}_settle_get(
    p_user text,
    p_id uuid, p_epoch integer, p_status text, p_provider text, p_model text, p_fallback boolean,
    p_image_url text,
    p_original_url text, p_persisted boolean, p_result jsonb, p_error_code text,
    p_error_message text, p_cause_code text,
    p_keeps interval DEFAULT NULL, p_call uuid DEFAULT NULL)
RETURNS genflow.generation
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v_outcome text := genflow.{prefix}_settle(
        p_id, p_epoch, p_status, p_provider, p_model, p_fallback, p_image_url, p_original_url,
        p_persisted, p_result, p_error_code, p_error_message, p_cause_code, p_keeps, p_call);
    g         genflow.generation;
BEGIN
    IF p_user IS NOT NULL AND v_outcome IN ('done', 'same', 'settled') THEN
        g := genflow.{prefix}_get(p_user, p_id);
    END IF;
    g.outcome := v_outcome;
    RETURN g;
END $body$;
