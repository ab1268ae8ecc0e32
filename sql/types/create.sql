-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_create(...): one generation, held and started: key + media row + work row + hold, all or nothing.
-- Called by: POST of the type. Locks: key, then the account (last and briefly).
--   p_key, p_hash     idempotency key of the user and the hash of what was asked
--   p_run_id          the client's own name, or NULL
--   p_lifetime        after it the generation fails and its hold is released, whatever else happens
--   p_owner, p_lease  the host process that starts at once with a lease of that length (epoch 1), or NULL: whoever claims
--   p_chain_pos       with which link of the type's chain it begins; one that only a wish chooses is behind all others
-- Outcomes: 'ok' id, epoch, created_at of the new generation
--           'replay' id, status of the one that this key made before, 'mismatch' the key came with another body
--           'insufficient_credits', 'quota_exceeded', 'blocked' balance and held tell how much is there
-- SQLSTATE GF402, GF403, GF429: the credits went between look and hold; ask again, the answer is then a row.
CREATE OR REPLACE FUNCTION genflow.{prefix}_create(
    p_user text, p_key text, p_hash bytea, p_run_id text, p_preset text, p_prompt text, p_source_url text,
    p_parameters jsonb, p_seed bigint, p_cost bigint, p_max_retries smallint, p_lifetime interval, p_owner text, p_lease interval,
    p_chain_pos smallint DEFAULT 0,
    OUT outcome text, OUT id uuid, OUT epoch integer, OUT status text, OUT created_at text, OUT balance bigint, OUT held bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v_now  timestamptz := clock_timestamp();
    v_day  date := (v_now AT TIME ZONE 'UTC')::date;
    v_hash bytea;
    a      genflow.accounts;
BEGIN
    -- A cheap unlocked look, so that a refusal writes nothing; what decides is the conditional UPDATE of ledger_apply().
    SELECT t.* INTO a FROM genflow.accounts t WHERE t.user_id = p_user;
    IF a.day = v_day + 1 THEN
        v_day := a.day;                                     -- the clock stepped back over midnight
    END IF;
    balance := coalesce(a.balance, 0);
    held := coalesce(a.held, 0);
    outcome := CASE WHEN a.blocked THEN 'blocked'
                    WHEN a.user_id IS NULL OR balance - held < p_cost THEN 'insufficient_credits'
                    WHEN CASE WHEN a.day = v_day THEN a.day_used ELSE 0 END + p_cost > a.day_limit
                      OR CASE WHEN a.week = v_day - (extract(isodow FROM v_day)::integer - 1) THEN a.week_used ELSE 0 END
                         + p_cost > a.week_limit THEN 'quota_exceeded'
                    ELSE 'ok' END;

    IF outcome = 'ok' THEN
        id := genflow.new_id({no});
        INSERT INTO genflow.idempotency_keys (user_id, key, request_hash, job_id) VALUES (p_user, p_key, p_hash, id)
            ON CONFLICT (user_id, key) DO NOTHING;
        IF FOUND THEN
            status := 'processing';
            epoch := CASE WHEN p_owner IS NULL THEN 0 ELSE 1 END;
            created_at := genflow.iso(v_now);
            INSERT INTO {media} (id, user_id, run_id, status, preset, prompt, source_url, parameters, seed, cost,
                                 max_retries, created_at, started_at)
            VALUES (id, p_user, p_run_id, status, p_preset, p_prompt, p_source_url, p_parameters, p_seed, p_cost,
                    p_max_retries, v_now, v_now);
            INSERT INTO genflow.work (job_id, user_id, type_no, cost, due_at, deadline_at, lease_owner, epoch, chain_pos)
            VALUES (id, p_user, {no}, p_cost,
                    CASE WHEN p_owner IS NULL THEN v_now ELSE least(v_now + p_lease, v_now + p_lifetime) END,
                    v_now + p_lifetime, p_owner, epoch, p_chain_pos);
            INSERT INTO genflow.ledger (ref, kind, user_id, amount, at, window_day)
            VALUES (id, 'hold', p_user, p_cost, v_now, v_day);
            RETURN;
        END IF;
    END IF;

    -- Refused, or the key is taken: what it made before is the answer, even where credits would not suffice again.
    SELECT k.job_id, k.request_hash INTO id, v_hash FROM genflow.idempotency_keys k WHERE k.user_id = p_user AND k.key = p_key;
    IF NOT FOUND THEN
        id := NULL;
    ELSIF v_hash <> p_hash THEN
        outcome := 'mismatch';
    ELSE
        outcome := 'replay';
        status := (genflow.job_brief(id)).status;
    END IF;
END $body$;
