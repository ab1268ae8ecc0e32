-- SPDX-License-Identifier: Apache-2.0
-- admin_credit(p_user, p_amount, p_reason, p_reference, p_call): gives credits to a user, or takes
-- them if p_amount is negative. It creates the account if needed. A reference (a payment, an order,
-- a ticket) counts only once, for ever, over all users. p_call: the token of this call (calls.sql).
-- Called by: POST admin/credits. Locks: the reference, then the account. Outcomes:
-- 'ok'; 'duplicate' the same grant counted before; 'mismatch' the reference counted for another
-- grant; 'insufficient_credits' the user has fewer free credits than p_amount takes. Only 'ok'
-- changes anything.
CREATE OR REPLACE FUNCTION genflow.admin_credit(p_user text, p_amount bigint, p_reason text,
                                                p_reference text,
                                                p_call uuid DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, reason, external_ref, call)
    VALUES (genflow.new_id(0), CASE WHEN p_amount > 0 THEN 'grant' ELSE 'adjust' END, p_user,
            p_amount, p_reason, p_reference, p_call)
    ON CONFLICT (external_ref) WHERE external_ref IS NOT NULL DO NOTHING;
    IF FOUND THEN
        RETURN 'ok';
    END IF;
    RETURN (SELECT CASE WHEN l.call = p_call THEN 'ok'
                        WHEN l.user_id = p_user AND l.amount = p_amount
                            AND l.kind IN ('grant', 'adjust')
                        THEN 'duplicate' ELSE 'mismatch' END
              FROM genflow.ledger l WHERE l.external_ref = p_reference);
EXCEPTION WHEN check_violation OR SQLSTATE 'GF403' THEN
    RETURN 'insufficient_credits';
END $$;
