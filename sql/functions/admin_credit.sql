-- SPDX-License-Identifier: Apache-2.0
-- What an administrator does to credits over HTTP: the acts of grant_credits.sql, with an answer that tells a repeated call
-- ('duplicate': the same had counted under this reference) from another one under a used reference ('mismatch').

-- admin_credit(p_user, p_amount, p_reason, p_reference): gives credits, or takes them where p_amount is negative.
-- Called by: POST admin/credits. Locks: as grant_credits(), adjust_credits(). Outcomes: theirs, and 'mismatch'. Only 'ok'
-- changes anything.
CREATE OR REPLACE FUNCTION genflow.admin_credit(p_user text, p_amount bigint, p_reason text, p_reference text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_outcome text;
BEGIN
    v_outcome := CASE WHEN p_amount > 0 THEN genflow.grant_credits(p_user, p_amount, p_reason, p_reference)
                      ELSE genflow.adjust_credits(p_user, p_amount, p_reason, p_reference) END;
    RETURN CASE WHEN v_outcome = 'duplicate'
                 AND NOT EXISTS (SELECT FROM genflow.ledger l WHERE l.external_ref = p_reference AND l.user_id = p_user
                                    AND l.amount = p_amount AND l.kind IN ('grant', 'adjust'))
                THEN 'mismatch' ELSE v_outcome END;
END $$;

-- admin_refund(p_id, p_amount, p_reason, p_reference): gives the charge of a generation back, once: all of it (p_amount NULL)
-- or a part. The generation stays completed. Called by: POST admin/refunds. Locks: as refund(). Outcomes: those of refund(),
-- and 'mismatch'; with whose charge it was, and how much is given back ('too_much': how much could be). Only 'ok' changes
-- anything.
CREATE OR REPLACE FUNCTION genflow.admin_refund(p_id uuid, p_amount bigint, p_reason text, p_reference text,
                                                OUT outcome text, OUT user_id text, OUT amount bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    outcome := genflow.refund(p_id, p_amount, p_reason, p_reference);
    SELECT c.user_id, CASE outcome WHEN 'too_much' THEN c.amount ELSE coalesce(p_amount, c.amount) END INTO user_id, amount
      FROM genflow.ledger c WHERE c.ref = p_id AND c.kind = 'capture';
    IF outcome = 'duplicate'
       AND NOT EXISTS (SELECT FROM genflow.ledger l WHERE l.external_ref = p_reference AND l.ref = p_id AND l.kind = 'refund'
                          AND l.amount = admin_refund.amount) THEN
        outcome := 'mismatch';
    END IF;
END $$;
