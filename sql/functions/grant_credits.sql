-- SPDX-License-Identifier: Apache-2.0
-- What an administrator does to credits. A reference (a payment, an order, a ticket) counts only once, for ever, over all
-- users and all of these functions.

-- grant_credits(p_user, p_amount, p_reason, p_reference): gives credits to a user, whose account it makes if needed.
-- p_amount at least 1. p_reference NULL: no guard against counting twice. Called by: an administrator, admin_credit.
-- Locks: the account. Outcomes: 'ok'; 'duplicate': the reference had counted before and nothing changed.
CREATE OR REPLACE FUNCTION genflow.grant_credits(p_user text, p_amount bigint, p_reason text, p_reference text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_amount IS NULL OR p_amount < 1 THEN
        RAISE EXCEPTION 'genflow: a grant is at least 1 credit, not %', p_amount USING ERRCODE = '22023';
    END IF;
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, reason, external_ref)
    VALUES (genflow.new_id(0), 'grant', p_user, p_amount, p_reason, p_reference)
    ON CONFLICT (external_ref) WHERE external_ref IS NOT NULL DO NOTHING;
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'duplicate' END;
END $$;

-- credit_reasoned(p_reason, p_reference): refuses a change of credits that does not say why and by what.
-- Called by: adjust_credits, refund, admin_credit. SQLSTATE 22023.
CREATE OR REPLACE FUNCTION genflow.credit_reasoned(p_reason text, p_reference text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(p_reason, '') = '' OR coalesce(p_reference, '') = '' THEN
        RAISE EXCEPTION 'genflow: a change of credits needs a reason and a reference' USING ERRCODE = '22023';
    END IF;
END $$;

-- adjust_credits(p_user, p_amount, p_reason, p_reference): puts a balance right by p_amount, more or less, but not 0. It
-- takes nothing that is held. Called by: an administrator, admin_credit. Locks: the account.
-- Outcomes: 'ok'; 'duplicate': the reference had counted before; 'insufficient_credits': less than that is free, or there is
-- no such account. All but 'ok' change nothing.
CREATE OR REPLACE FUNCTION genflow.adjust_credits(p_user text, p_amount bigint, p_reason text, p_reference text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM genflow.credit_reasoned(p_reason, p_reference);
    IF p_amount IS NULL OR p_amount = 0 THEN
        RAISE EXCEPTION 'genflow: an adjustment of nothing' USING ERRCODE = '22023';
    END IF;
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, reason, external_ref)
    VALUES (genflow.new_id(0), 'adjust', p_user, p_amount, p_reason, p_reference)
    ON CONFLICT (external_ref) WHERE external_ref IS NOT NULL DO NOTHING;
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'duplicate' END;
EXCEPTION WHEN check_violation OR SQLSTATE 'GF403' THEN         -- the account would not cover what is held; there is none
    RETURN 'insufficient_credits';
END $$;

-- refund(p_job, p_amount, p_reason, p_reference): gives the user what a generation was charged, or part of it, once.
-- p_amount at least 1; NULL: all of it. The generation may be deleted by now. Called by: an administrator.
-- Locks: the account. Outcomes: 'ok'; 'duplicate': the reference had counted before; 'refunded': the generation had its
-- refund; 'not_charged'; 'too_much': more than was charged. All but 'ok' change nothing.
CREATE OR REPLACE FUNCTION genflow.refund(p_job uuid, p_amount bigint, p_reason text, p_reference text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_charge genflow.ledger;
BEGIN
    PERFORM genflow.credit_reasoned(p_reason, p_reference);
    IF p_amount < 1 THEN
        RAISE EXCEPTION 'genflow: a refund is at least 1 credit, not %', p_amount USING ERRCODE = '22023';
    END IF;
    SELECT * INTO v_charge FROM genflow.ledger l WHERE l.ref = p_job AND l.kind = 'capture';
    IF NOT FOUND OR v_charge.amount = 0 THEN
        RETURN 'not_charged';
    ELSIF p_amount > v_charge.amount THEN
        RETURN 'too_much';
    END IF;
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, reason, external_ref)
    VALUES (p_job, 'refund', v_charge.user_id, coalesce(p_amount, v_charge.amount), p_reason, p_reference)
    ON CONFLICT DO NOTHING;
    RETURN CASE WHEN FOUND THEN 'ok'
                WHEN EXISTS (SELECT FROM genflow.ledger l WHERE l.external_ref = p_reference) THEN 'duplicate'
                ELSE 'refunded' END;
END $$;
