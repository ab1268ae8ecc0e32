-- SPDX-License-Identifier: Apache-2.0
-- attempt_begin(p_id, p_epoch, p_no, p_provider, p_model, p_seed, p_hook_token, p_lease, p_probe,
-- p_budget, p_price, p_hash, p_provider_cost): records the intent to submit. The writer commits it
-- before the first byte is sent. A host that later claims the job in phase 'sending' knows that the
-- provider may have received the request.
--   p_hook_token  part of the address for provider webhooks, or NULL
--   p_probe       how long other attempts wait while this one probes an open breaker
--   p_budget      what all submissions to the provider may cost on a day (UTC), or NULL
--   p_price       what this one costs. The sum is read without a lock, so attempts in flight may
--                 exceed the budget.
--   p_hash        hashes of the request, by which reconciling finds a run whose answer was lost, or
--                 NULL
--   p_provider_cost  millionths of the site's currency: what it costs if it has to be paid
--                 (sums.sql)
-- Called by: the dispatcher's writers. <type>_create() records the intent of an attempt that begins
-- at once by itself. Locks: work, then the breaker, then a slot of the budget. A
-- repeated call is harmless and gets the same answer. Outcomes: 'ok' send now; 'watched' send now,
-- and report the result, also a success, to breaker_note(); 'open' the breaker is open, nothing was
-- written; 'over' the budget is spent, nothing was written; 'spent' as 'over', for the first time
-- on this day over all hosts; 'unsure' the outcome of an earlier attempt of this job at this
-- provider is unknown (GenflowTypeUnknown next), so that provider never receives the job again,
-- nothing was written; 'stale' another host leads; 'gone' the job has ended; 'restored' nothing may
-- be sent (site.sql).
CREATE OR REPLACE FUNCTION genflow.attempt_begin(
    p_id uuid, p_epoch integer, p_no smallint, p_provider text, p_model text, p_seed bigint,
    p_hook_token text,
    p_lease interval, p_probe interval DEFAULT '30 seconds', p_budget bigint DEFAULT NULL,
    p_price bigint DEFAULT 1, p_hash jsonb DEFAULT NULL, p_provider_cost bigint DEFAULT 0)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_day date := (v_now AT TIME ZONE 'UTC')::date;
    w     genflow.work;
    b     genflow.breakers;
BEGIN
    IF genflow.restored() IS NOT NULL THEN
        RETURN 'restored';
    END IF;
    SELECT * INTO w FROM genflow.work t WHERE t.job_id = p_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'gone';
    ELSIF w.epoch <> p_epoch THEN
        RETURN 'stale';
    END IF;
    SELECT * INTO b FROM genflow.breakers t WHERE t.provider = p_provider AND t.model = p_model;
    IF w.phase = 'sending' AND w.attempts = p_no THEN
        RETURN CASE WHEN b.provider IS NULL THEN 'ok' ELSE 'watched' END;
    END IF;
    IF p_no > 1 AND EXISTS (SELECT FROM genflow.attempts a WHERE a.job_id = p_id
                             AND a.provider = p_provider AND a.outcome = 'UNKNOWN') THEN
        RETURN 'unsure';
    END IF;
    IF p_budget IS NOT NULL AND genflow.budget_is_spent(p_provider, p_budget, p_price) THEN
        INSERT INTO genflow.budgets (provider, day, slot) VALUES (p_provider, v_day, -1) ON CONFLICT
            DO NOTHING;
        RETURN CASE WHEN FOUND THEN 'spent' ELSE 'over' END;
    END IF;
    IF b.open_until IS NOT NULL THEN
        UPDATE genflow.breakers t SET open_until = v_now + p_probe, updated_at = v_now
         WHERE t.provider = p_provider AND t.model = p_model AND t.open_until <= v_now;
        IF NOT FOUND THEN
            RETURN 'open';
        END IF;
    END IF;
    UPDATE genflow.work t SET phase = 'sending', attempts = p_no, provider = p_provider,
        model = p_model,
           due_at = CASE WHEN t.led THEN t.due_at
               ELSE least(v_now + p_lease, t.deadline_at) END,
           leased_until = v_now + p_lease
     WHERE t.job_id = p_id;
    INSERT INTO genflow.attempts (job_id, no, epoch, provider, model, seed, hook_token,
                                  request_hash, provider_cost)
    VALUES (p_id, p_no, p_epoch, p_provider, p_model, p_seed, p_hook_token, p_hash,
            p_provider_cost);
    IF p_budget IS NOT NULL THEN
        PERFORM genflow.budget_add(p_provider, p_price);
    END IF;
    RETURN CASE WHEN b.provider IS NULL THEN 'ok' ELSE 'watched' END;
END $$;

-- attempt_at_once(p_provider, p_model, p_budget, p_price): may <type>_create() record the intent of
-- attempt 1 with the generation? Writes nothing. Called by: <type>_create(). Locks: none.
-- Outcomes: 'ok', 'watched' as of attempt_begin(); NULL: no, attempt_begin() decides. It also lets
-- an attempt probe a breaker that is half open, and notices on which day a budget is spent first.
CREATE OR REPLACE FUNCTION genflow.attempt_at_once(p_provider text, p_model text, p_budget bigint,
                                                   p_price bigint)
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b genflow.breakers;
BEGIN
    SELECT * INTO b FROM genflow.breakers t WHERE t.provider = p_provider AND t.model = p_model;
    IF b.open_until IS NOT NULL
        OR (p_budget IS NOT NULL AND genflow.budget_is_spent(p_provider, p_budget, p_price)) THEN
        RETURN NULL;
    END IF;
    RETURN CASE WHEN b.provider IS NULL THEN 'ok' ELSE 'watched' END;
END $$;

-- budget_is_spent(p_provider, p_budget, p_price): is less than p_price left of it today (UTC)?
-- Called by: attempt_begin(), attempt_at_once(). Locks: none.
CREATE OR REPLACE FUNCTION genflow.budget_is_spent(p_provider text, p_budget bigint, p_price bigint)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN p_budget < p_price + (SELECT coalesce(sum(t.spent), 0) FROM genflow.budgets t
                                  WHERE t.provider = p_provider
                                    AND t.day = (clock_timestamp() AT TIME ZONE 'UTC')::date);
END $$;

-- budget_add(p_provider, p_price): counts a submission. SQLSTATE 22023: a price below 0, which
-- would give back what was spent. Called by: attempt_begin(), <type>_create(). Locks: a slot of the
-- budget, after all other locks.
CREATE OR REPLACE FUNCTION genflow.budget_add(p_provider text, p_price bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_price < 0 THEN
        RAISE EXCEPTION 'genflow: the price of a submission is %', p_price USING ERRCODE = '22023';
    END IF;
    INSERT INTO genflow.budgets AS t (provider, day, slot, spent)
        VALUES (p_provider, (clock_timestamp() AT TIME ZONE 'UTC')::date, pg_backend_pid() % 16,
                p_price)
        ON CONFLICT (provider, day, slot) DO UPDATE SET spent = t.spent + EXCLUDED.spent;
END $$;

-- budgets(): today's (UTC) cost of submissions to each provider that has a budget. Called by:
-- {base}/health, administration. Locks: none.
CREATE OR REPLACE FUNCTION genflow.budgets() RETURNS TABLE (provider text, spent bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.provider, sum(t.spent)::bigint FROM genflow.budgets t
     WHERE t.day = (clock_timestamp() AT TIME ZONE 'UTC')::date
     GROUP BY t.provider ORDER BY t.provider
$$;
