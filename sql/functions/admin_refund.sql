-- SPDX-License-Identifier: Apache-2.0
-- admin_refund(p_id, p_amount, p_reason, p_reference, p_call): refunds the charge of a generation
-- once: all of it (p_amount NULL) or a part. The generation stays completed. p_call: the token of
-- this call (calls.sql). Called by: POST admin/refunds. Locks: the ledger row's keys, then the
-- account. Outcomes, each with the user and the amount: 'ok'; 'duplicate' refunded before under
-- this reference; 'refunded' refunded before under another reference or none; 'mismatch' the
-- reference counted for another entry; 'too_much' more than the charge, which is `amount`;
-- 'not_charged'. Only 'ok' changes anything.
CREATE OR REPLACE FUNCTION genflow.admin_refund(p_id uuid, p_amount bigint, p_reason text,
                                                p_reference text, p_call uuid DEFAULT NULL,
                                                OUT outcome text, OUT user_id text,
                                                    OUT amount bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r genflow.ledger;
BEGIN
    SELECT c.user_id, c.amount INTO user_id, amount FROM genflow.ledger c WHERE c.ref = p_id
        AND c.kind = 'capture';
    IF NOT FOUND THEN
        outcome := 'not_charged';
        RETURN;
    ELSIF p_amount > amount THEN
        outcome := 'too_much';
        RETURN;
    END IF;
    amount := coalesce(p_amount, amount);
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, reason, external_ref, call)
    VALUES (p_id, 'refund', user_id, amount, p_reason, p_reference, p_call)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
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
