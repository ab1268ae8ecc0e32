-- SPDX-License-Identifier: Apache-2.0
-- grant_credits(p_user, p_amount, p_reason, p_reference): gives credits to a user and creates the
-- account if needed. p_amount at least 1. p_reference (a payment, an order, a ticket) counts only
-- once, for ever, over all users; NULL: grants are not deduplicated. Called by: an administrator.
-- Locks: the account. Outcomes: 'ok'; 'duplicate': the reference counted before, nothing changed.
CREATE OR REPLACE FUNCTION genflow.grant_credits(p_user text, p_amount bigint, p_reason text,
                                                 p_reference text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_amount IS NULL OR p_amount < 1 THEN
        RAISE EXCEPTION 'genflow: a grant is at least 1 credit, not %', p_amount
            USING ERRCODE = '22023';
    END IF;
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, reason, external_ref)
    VALUES (genflow.new_id(0), 'grant', genflow.account_make(p_user), p_amount, p_reason,
            p_reference)
    ON CONFLICT (external_ref) WHERE external_ref IS NOT NULL DO NOTHING;
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'duplicate' END;
END $$;
