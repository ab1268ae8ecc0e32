-- SPDX-License-Identifier: Apache-2.0
-- admin_credit(p_user, p_amount, p_reason, p_reference, p_call, p_by): gives credits to a user, or
-- takes them if p_amount is negative. It creates the account if needed. A reference (a payment, an
-- order, a ticket) counts only once, for ever, over all users. p_call: the token of this call
-- (calls.sql). p_by: see audit.sql; NULL: p_reason is the record's, too. Called by: POST
-- admin/credits. Locks: the reference, then the account. Outcomes: 'ok'; 'duplicate' the same grant
-- counted before; 'mismatch' the reference counted for another grant; 'insufficient_credits' the
-- user has fewer free credits than p_amount takes. Only 'ok' changes anything.
CREATE OR REPLACE FUNCTION genflow.admin_credit(p_user text, p_amount bigint, p_reason text,
                                                p_reference text,
                                                p_call uuid DEFAULT NULL,
                                                p_by jsonb DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_user    bigint := genflow.account_make(p_user);
    v_balance bigint;
BEGIN
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, reason, external_ref, call)
    VALUES (genflow.new_id(0), CASE WHEN p_amount > 0 THEN 'grant' ELSE 'adjust' END, v_user,
            p_amount, p_reason, p_reference, p_call)
    ON CONFLICT (external_ref) WHERE external_ref IS NOT NULL DO NOTHING;
    IF FOUND THEN
        v_balance := (SELECT a.balance FROM genflow.accounts a WHERE a.user_id = v_user);
        PERFORM genflow.audit_add(coalesce(p_by, jsonb_build_object('reason', left(p_reason, 500))),
                                  'credit', v_user::text,
                                  jsonb_build_object('balance', v_balance - p_amount),
                                  jsonb_build_object('balance', v_balance, 'amount', p_amount,
                                                     'reference',
                                                     genflow.name_of(p_reference)), v_user);
        RETURN 'ok';
    END IF;
    RETURN (SELECT CASE WHEN l.call = p_call THEN 'ok'
                        WHEN l.user_id = v_user AND l.amount = p_amount
                            AND l.kind IN ('grant', 'adjust')
                        THEN 'duplicate' ELSE 'mismatch' END
              FROM genflow.ledger l WHERE l.external_ref = p_reference);
EXCEPTION WHEN check_violation OR SQLSTATE 'GF403' THEN
    RETURN 'insufficient_credits';
END $$;
