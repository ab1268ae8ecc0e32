-- SPDX-License-Identifier: Apache-2.0
-- What the .pg files say often: \ir helpers.sql, inside their transaction. Everything here is temporary. It speaks of the
-- type neo-glitch, which sql/apply makes; every test makes accounts of its own.
SET LOCAL client_min_messages = warning;

-- one file at a time: some of them make and drop types, which locks the ledger
SELECT pg_advisory_xact_lock(hashtextextended('genflow pgtap', 0)) \g /dev/null

-- a new user; without credits it has no account either
CREATE FUNCTION pg_temp.account(p_credits bigint DEFAULT 0) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_user text := 'pgtap ' || gen_random_uuid();
BEGIN
    IF p_credits > 0 THEN
        PERFORM genflow.grant_credits(v_user, p_credits, 'for a test');
    END IF;
    RETURN v_user;
END $$;

CREATE FUNCTION pg_temp.credits(p_user text) RETURNS text LANGUAGE sql AS $$
    SELECT format('%s, %s held', a.balance, a.held) FROM genflow.accounts a WHERE a.user_id = genflow.account_of(p_user) AND a.opened
$$;

-- p_owner NULL: queued, any host may claim it; else a lease of that owner
CREATE FUNCTION pg_temp.generate(
    p_user text, p_cost bigint DEFAULT 1, p_owner text DEFAULT NULL, p_key text DEFAULT gen_random_uuid()::text,
    p_hash bytea DEFAULT '\x01', p_lifetime interval DEFAULT '10 minutes',
    OUT outcome text, OUT id uuid, OUT epoch integer, OUT status text, OUT created_at text, OUT balance bigint, OUT held bigint,
    OUT picture_secret text, OUT intent text)
LANGUAGE sql AS $$
    SELECT * FROM genflow.neo_glitch_create(p_user, p_key, p_hash, 'run 1', 'base', 'a cat', NULL, '{"steps": 9}', 7,
                                            p_cost, 3::smallint, p_lifetime, p_owner, '30 seconds')
$$;

-- the id of a generation that was accepted
CREATE FUNCTION pg_temp.job(p_user text, p_cost bigint DEFAULT 1, p_owner text DEFAULT NULL) RETURNS uuid LANGUAGE sql AS $$
    SELECT g.id FROM pg_temp.generate(p_user, p_cost, p_owner) g WHERE g.outcome = 'ok'
$$;

CREATE FUNCTION pg_temp.settle(p_id uuid, p_epoch integer, p_status text) RETURNS text LANGUAGE sql AS $$
    SELECT genflow.neo_glitch_settle(
        p_id, p_epoch, p_status, 'acme', 'acme-1', false, CASE p_status WHEN 'completed' THEN '/generated/a.png' END, NULL,
        true, '{"bytes": 5}', CASE p_status WHEN 'failed' THEN 'PROVIDER_FAILED' END, NULL, NULL)
$$;

-- makes a job due now: its lease is over, or its delay
CREATE FUNCTION pg_temp.expire_lease(p_id uuid) RETURNS void LANGUAGE sql AS $$
    UPDATE genflow.work SET due_at = clock_timestamp() - interval '1 second' WHERE job_id = p_id
$$;

-- the same, and the time is over that a sender gets to come back
CREATE FUNCTION pg_temp.give_up(p_id uuid) RETURNS void LANGUAGE sql AS $$
    UPDATE genflow.work SET lease_owner = NULL, due_at = clock_timestamp() - interval '1 second' WHERE job_id = p_id
$$;

-- puts a job past its end
CREATE FUNCTION pg_temp.expire_job(p_id uuid) RETURNS void LANGUAGE sql AS $$
    UPDATE genflow.work
       SET due_at = clock_timestamp() - interval '2 seconds', deadline_at = clock_timestamp() - interval '1 second'
     WHERE job_id = p_id
$$;

-- one user's rows, everywhere: what a refusal must leave as it was
CREATE FUNCTION pg_temp.rows_of(p_user text) RETURNS text LANGUAGE sql AS $$
    SELECT format('%s ledger, %s work, %s media, %s keys; %s', (SELECT count(*) FROM genflow.ledger WHERE user_id = genflow.account_of(p_user)),
                  (SELECT count(*) FROM genflow.work WHERE user_id = genflow.account_of(p_user)),
                  (SELECT count(*) FROM public.neo_glitch_media WHERE user_id = genflow.account_of(p_user)),
                  (SELECT count(*) FROM genflow.idempotency_keys WHERE user_id = genflow.account_of(p_user)),
                  (SELECT a FROM genflow.accounts a WHERE a.user_id = genflow.account_of(p_user) AND a.opened))
$$;
