-- SPDX-License-Identifier: Apache-2.0
-- admin_refund(p_id, p_amount, p_reason, p_reference, p_call, p_scope, p_by): refunds the charge of
-- a generation once: all of it (p_amount NULL) or a part. p_scope: of these users alone (is_of()).
-- The generation stays completed. p_call: the token of this call (calls.sql). p_by: as in
-- admin_credit(). Called by: POST admin/refunds. Locks: the ledger row's keys, then the
-- account. Outcomes, each with the user and the amount: 'ok'; 'duplicate' refunded before under
-- this reference; 'refunded' refunded before under another reference or none; 'mismatch' the
-- reference counted for another entry; 'too_much' more than the charge, which is `amount`;
-- 'not_charged'. Only 'ok' changes anything.
CREATE OR REPLACE FUNCTION genflow.admin_refund(p_id uuid, p_amount bigint, p_reason text,
                                                p_reference text, p_call uuid DEFAULT NULL,
                                                p_scope text DEFAULT NULL,
                                                p_by jsonb DEFAULT NULL,
                                                OUT outcome text, OUT user_id text,
                                                    OUT amount bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_user    bigint;
    v_charge  bigint;
    v_balance bigint;
    r         genflow.ledger;
BEGIN
    SELECT c.user_id, c.amount INTO v_user, amount FROM genflow.ledger c
     WHERE c.ref = p_id AND c.kind = 'capture' AND genflow.is_of(c.user_id, p_scope);
    user_id := genflow.identity_of(v_user);
    IF v_user IS NULL THEN
        outcome := 'not_charged';
        RETURN;
    ELSIF p_amount > amount THEN
        outcome := 'too_much';
        RETURN;
    END IF;
    v_charge := amount;
    amount := coalesce(p_amount, amount);
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, reason, external_ref, call)
    VALUES (p_id, 'refund', v_user, amount, p_reason, p_reference, p_call)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        v_balance := (SELECT a.balance FROM genflow.accounts a WHERE a.user_id = v_user);
        PERFORM genflow.audit_add(coalesce(p_by, jsonb_build_object('reason', left(p_reason, 500))),
                                  'refund', p_id::text,
                                  jsonb_build_object('balance', v_balance - amount, 'charged',
                                                     v_charge),
                                  jsonb_build_object('balance', v_balance, 'amount', amount,
                                                     'reference',
                                                     genflow.name_of(p_reference)), v_user);
        outcome := 'ok';
        RETURN;
    END IF;
    SELECT * INTO r FROM genflow.ledger l WHERE l.external_ref = p_reference;
    outcome := CASE WHEN NOT FOUND THEN 'refunded'
                    WHEN r.call = p_call THEN 'ok'
                    WHEN r.ref = p_id AND r.kind = 'refund' AND r.amount = admin_refund.amount
                        THEN 'duplicate'
                    ELSE 'mismatch' END;
END $$;
