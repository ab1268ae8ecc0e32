-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_create(...): one generation, its credits held and its work begun: key + media row + work
-- row + hold, all or nothing; and the intent of its first attempt, if the caller names one.
-- Called by: POST of the type, generation/create, {prefix}_create_batch(). Locks: key, reservation,
-- then the account and the API key (last and briefly), then a slot of the budget. With
-- p_fallback_of the media row of that one before the key.
--   p_key, p_hash     idempotency key of the user and the hash of the request
--   p_run_id          the client's own name, or NULL. An open reservation under it is used: it
--                     releases its hold, and the generation holds in the same transaction.
--   p_reserved        another run id, whose reservation is used instead: that of a batch; NULL:
--                     none
--   p_take            from an older client: without a reservation under these run ids, the oldest
--                     unbound one of the user is used (reserve.sql), and the picture is public if
--                     the user shares new ones (shares())
--   p_renew           a key whose generation failed or was cancelled creates a new generation, from
--                     any body
--   p_lifetime        after it the generation fails and its hold is released, in every case
--   p_owner, p_lease  the host process that starts at once with a lease of that length (epoch 1):
--                     the generation is 'processing' from the beginning; or NULL: any host may
--                     claim it, and it is 'pending' until then
--   p_start           false: it waits for {prefix}_start(); past p_lifetime it is
--                     cancelled and its hold released (p_owner: NULL)
--   p_priority        1: before others that are due, -1: after them
--   p_day             the day of the quotas (day.sql)
--   p_concurrent, p_queue  limits (limits.sql); 0: none
--   p_chain_pos       the chain entry to begin with; entries that only a request can choose come
--                     after all others
--   p_webhook_url     receives the webhook of the end, or NULL; with "front": {"start": true} among
--                     p_parameters (model/prediction.h) that of the begin, too
--   p_fallback_of     the failed generation of p_user that this one draws here, or NULL. There is
--                     one such generation, whatever key the call has.
--   p_call            the token of this call (calls.sql): repeated under it, the function returns
--                     'ok' again, with the same epoch and intent
--   p_provider, p_model, p_hook_token, p_budget, p_price, p_request_hash, p_provider_cost
--                     the intent of attempt 1, as of attempt_begin(), for a p_owner that sends at
--                     once: the work begins in phase 'sending'. p_provider NULL: no intent.
--   p_api_key         the id of the API key that the request came with, for its budget
--                     (api_keys.sql); NULL: none
-- Outcomes: 'ok' id, epoch, created_at of the new generation, picture_secret: the random part of
--           its picture's name, which no response contains; intent: 'ok' or 'watched', as of
--           attempt_begin(): recorded, send now; NULL: none was recorded, because p_provider is
--           NULL, its breaker is open or half open, or its budget is spent. attempt_begin() decides
--           then.
--           'replay' id, status of the generation that this key created before
--           'mismatch' the key came with another body
--           'key_spent' the budget of the API key does not suffice
--           'insufficient_credits', 'quota_exceeded', 'blocked' balance and held are the account's
--           credits
--           'too_many', 'queue_full' (limits.sql); 'restored' (site.sql)
-- SQLSTATE GF402, GF403, GF429: another transaction took the credits between check and hold; the
-- caller repeats the call and gets a row.
CREATE OR REPLACE FUNCTION genflow.{prefix}_create(
    p_user text, p_key text, p_hash bytea, p_run_id text, p_preset text, p_prompt text,
    p_source_url text,
    p_parameters jsonb, p_seed bigint, p_cost bigint, p_max_retries smallint, p_lifetime interval,
    p_owner text, p_lease interval,
    p_start boolean DEFAULT true, p_priority smallint DEFAULT 0, p_day text DEFAULT 'UTC',
    p_concurrent integer DEFAULT 0,
    p_queue integer DEFAULT 0, p_chain_pos smallint DEFAULT 0, p_reserved text DEFAULT NULL,
    p_webhook_url text DEFAULT NULL,
    p_call uuid DEFAULT NULL, p_take boolean DEFAULT false, p_renew boolean DEFAULT false,
    p_fallback_of uuid DEFAULT NULL,
    p_provider text DEFAULT NULL, p_model text DEFAULT NULL, p_hook_token text DEFAULT NULL,
    p_budget bigint DEFAULT NULL, p_price bigint DEFAULT 1, p_request_hash jsonb DEFAULT NULL,
    p_api_key text DEFAULT NULL, p_provider_cost bigint DEFAULT 0,
    OUT outcome text, OUT id uuid, OUT epoch integer, OUT status text, OUT created_at text,
        OUT balance bigint, OUT held bigint,
    OUT picture_secret text, OUT intent text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v_now  timestamptz := clock_timestamp();
    v_hash bytea;
    v_call uuid;
    v_made boolean;
    v_prior uuid;
    v_look record;
BEGIN
    p_key := genflow.key_of(p_key);
    SELECT * INTO v_look
      FROM genflow.afford(p_user, p_cost, p_day, coalesce(p_reserved, p_run_id), p_take);
    outcome := v_look.outcome;
    balance := v_look.balance;
    held := v_look.held;
    IF outcome = 'ok' AND p_api_key IS NOT NULL THEN
        outcome := genflow.api_key_afford(p_api_key, p_cost, v_look.day, v_look.reservation);
    END IF;
    IF outcome = 'ok' AND p_concurrent + p_queue > 0 THEN
        outcome := genflow.limits(v_look.account, {no}::smallint, p_concurrent,
                                  CASE WHEN p_start AND p_owner IS NULL THEN p_queue ELSE 0 END);
    END IF;
    IF outcome = 'ok' AND genflow.restored() IS NOT NULL THEN
        outcome := 'restored';
    END IF;
    IF p_fallback_of IS NOT NULL THEN
        SELECT m.fallback_id INTO v_prior FROM {media} m
         WHERE m.id = p_fallback_of AND m.user_id = v_look.account FOR UPDATE;
    END IF;
    IF outcome = 'ok' AND v_prior IS NULL THEN
        id := genflow.new_id({no});
        INSERT INTO genflow.idempotency_keys (user_id, key, request_hash, job_id, call)
            VALUES (v_look.account, p_key, p_hash, id, p_call)
            ON CONFLICT (user_id, key) DO NOTHING;
        v_made := FOUND;
        IF NOT v_made AND p_renew THEN
            -- a concurrent call waits here, and then finds the key with the new generation
            UPDATE genflow.idempotency_keys k
               SET request_hash = p_hash, job_id = {prefix}_create.id, call = p_call,
                   created_at = v_now
             WHERE k.user_id = v_look.account AND k.key = p_key
               AND (genflow.job_brief(k.job_id)).status IN ('failed', 'cancelled');
            v_made := FOUND;
        END IF;
        IF v_made THEN
            status := CASE WHEN p_owner IS NULL THEN 'pending' ELSE 'processing' END;
            epoch := CASE WHEN p_owner IS NULL THEN 0 ELSE 1 END;
            created_at := genflow.iso(v_now);
            INSERT INTO {media} (id, user_id, run_id, status, preset, prompt, source_url,
                                 parameters, seed, cost,
                                 max_retries, priority, webhook_url, created_at, visibility,
                                 started_at)
            VALUES (id, v_look.account, p_run_id, status, p_preset, p_prompt, p_source_url,
                    p_parameters, p_seed, p_cost,
                    p_max_retries, p_priority, p_webhook_url, v_now,
                    CASE WHEN p_take AND genflow.shares(v_look.account) THEN 'public'
                        ELSE 'private' END,
                    CASE WHEN p_owner IS NOT NULL THEN v_now END);
            IF p_fallback_of IS NOT NULL THEN
                UPDATE {media} m SET fallback_id = {prefix}_create.id
                 WHERE m.id = p_fallback_of AND m.user_id = v_look.account;
            END IF;
            IF p_owner IS NOT NULL AND p_start AND p_provider IS NOT NULL THEN
                intent := genflow.attempt_at_once(p_provider, p_model, p_budget, p_price);
            END IF;
            INSERT INTO genflow.work (job_id, user_id, type_no, cost, phase, due_at, deadline_at,
                                      lease_owner, epoch, priority,
                                      chain_pos, attempts, provider, model)
            VALUES (id, v_look.account, {no}, p_cost, CASE WHEN NOT p_start THEN 'pending'
                                                   WHEN intent IS NULL THEN 'queued'
                                                   ELSE 'sending' END,
                    CASE WHEN NOT p_start THEN v_now + p_lifetime WHEN p_owner IS NULL THEN v_now
                         ELSE least(v_now + p_lease, v_now + p_lifetime) END,
                    v_now + p_lifetime, p_owner, epoch, p_priority, p_chain_pos,
                    (intent IS NOT NULL)::integer,
                    CASE WHEN intent IS NOT NULL THEN p_provider END,
                    CASE WHEN intent IS NOT NULL THEN p_model END)
            RETURNING work.picture_secret INTO picture_secret;
            PERFORM genflow.reservation_take(v_look.account, id, v_look.reservation, p_take);
            PERFORM genflow.hold(id, v_look.account, p_cost, v_look.day, p_day, p_api_key);
            -- of several generations of a prediction the first one
            IF p_parameters #>> '{front,start}' = 'true' AND p_webhook_url IS NOT NULL AND p_start
               AND (NOT p_parameters->'front' ? 'count' OR p_run_id LIKE '%-1') THEN
                INSERT INTO genflow.deliveries (job_id, type_no, user_id, due_at, event)
                    VALUES (id, {no}, v_look.account, v_now, 'start');
            END IF;
            -- behind the hold, as a later intent is
            IF intent IS NOT NULL THEN
                INSERT INTO genflow.attempts (job_id, no, epoch, provider, model, seed, hook_token,
                                              request_hash, provider_cost)
                VALUES (id, 1, epoch, p_provider, p_model, p_seed, p_hook_token, p_request_hash,
                        p_provider_cost);
                IF p_budget IS NOT NULL THEN
                    PERFORM genflow.budget_add(p_provider, p_price);
                END IF;
            END IF;
            RETURN;
        END IF;
    END IF;

    -- Refused, or the key is taken: the generation that it created before is the answer, even if
    -- the credits would not suffice again.
    SELECT k.job_id, k.request_hash, k.call INTO id, v_hash, v_call
      FROM genflow.idempotency_keys k
     WHERE k.user_id = v_look.account AND k.key = p_key;
    IF NOT FOUND OR (v_prior IS NOT NULL AND id <> v_prior) THEN
        id := v_prior;
        IF v_prior IS NOT NULL THEN
            outcome := 'replay';
            status := (genflow.job_brief(id)).status;
        END IF;
    -- this very call created it, but its answer was lost
    ELSIF v_call = p_call THEN
        outcome := 'ok';
        status := CASE WHEN p_owner IS NULL THEN 'pending' ELSE 'processing' END;
        epoch := CASE WHEN p_owner IS NULL THEN 0 ELSE 1 END;
        created_at := (SELECT genflow.iso(m.created_at) FROM {media} m
                       WHERE m.id = {prefix}_create.id);
        picture_secret := (SELECT w.picture_secret FROM genflow.work w
                           WHERE w.job_id = {prefix}_create.id);
        IF p_provider IS NOT NULL AND EXISTS (
            SELECT FROM genflow.work w WHERE w.job_id = {prefix}_create.id AND w.epoch = 1
                AND w.lease_owner = p_owner AND w.phase = 'sending' AND w.attempts = 1) THEN
            intent := CASE WHEN EXISTS (SELECT FROM genflow.breakers b WHERE b.provider = p_provider
                                         AND b.model = p_model) THEN 'watched' ELSE 'ok' END;
        END IF;
    ELSE
        status := (genflow.job_brief(id)).status;
        IF p_renew AND outcome <> 'ok' AND status IN ('failed', 'cancelled') THEN
            id := NULL;                                     -- refused: it would create a new one
        ELSE
            outcome := CASE WHEN v_hash <> p_hash THEN 'mismatch' ELSE 'replay' END;
        END IF;
    END IF;
END $body$;
