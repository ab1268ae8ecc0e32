-- SPDX-License-Identifier: Apache-2.0
-- Reservations: credits held under a run id of the user until a generation with that run id uses
-- them, the user gives them back, or they expire. Clients of older systems reserve without naming a
-- generation. Such a reservation is unbound: the user's next generation from such a client uses the
-- oldest one, whatever its amount, and holds its own price. Lock order: reservation before ledger
-- and account.

-- reservation_end(p_id, p_state, p_job, p_call): ends an open reservation as 'used' (by generation
-- p_job, and only before it expires), 'returned' or 'expired', and releases its hold. False: it was
-- not open, or does not exist.
-- Called by: reservation_take, reserve_finalize, reservations_expire. Locks: reservation, account.
CREATE OR REPLACE FUNCTION genflow.reservation_end(p_id uuid, p_state text, p_job uuid DEFAULT NULL,
                                                   p_call uuid DEFAULT NULL)
RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE genflow.reservations r SET state = p_state, job_id = p_job
     WHERE r.id = p_id AND r.state = 'open'
       AND (p_state <> 'used' OR r.expires_at > clock_timestamp());
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, released, window_day, call)
    SELECT h.ref, 'release', h.user_id, 0, h.amount, h.window_day, p_call
      FROM genflow.ledger h WHERE h.ref = p_id AND h.kind = 'hold';
    RETURN true;
END $$;

-- reservation_oldest(p_user): the oldest unbound reservation of account p_user that is open and has
-- not expired; NULL: there is none. Called by: afford, reservation_take. Locks: none.
CREATE OR REPLACE FUNCTION genflow.reservation_oldest(p_user bigint) RETURNS uuid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.id FROM genflow.reservations r
     WHERE r.user_id = p_user AND r.unbound AND r.state = 'open'
       AND r.expires_at > clock_timestamp()
     ORDER BY r.created_at, r.id LIMIT 1
$$;

-- reservation_take(p_user, p_job, p_known): ends a reservation of account p_user as used by
-- generation p_job: p_known, which afford() read (may be NULL). With p_take, if another transaction
-- has ended that one, the oldest unbound reservation that is still open. The call waits for a
-- transaction that ends the same reservation, so two generations use two reservations. It ends one
-- at most. Called by: <prefix>_create. Locks: reservation, account.
CREATE OR REPLACE FUNCTION genflow.reservation_take(p_user bigint, p_job uuid, p_known uuid,
                                                    p_take boolean)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_id uuid := p_known;
BEGIN
    LOOP
        IF v_id IS NOT NULL AND genflow.reservation_end(v_id, 'used', p_job) OR NOT p_take THEN
            RETURN;
        END IF;
        v_id := genflow.reservation_oldest(p_user);
        IF v_id IS NULL THEN
            RETURN;
        END IF;
    END LOOP;
END $$;

-- reserve(p_user, p_request_id, p_amount, p_action, p_lifetime, p_day, p_unbound, p_api_key): holds
-- p_amount credits under p_request_id, once, also if the call is repeated. p_action: the client's
-- name for it, or NULL; p_day: see day.sql; p_unbound: the client names no generation; p_api_key:
-- the key that the request came with (api_keys.sql), or NULL.
-- Called by: POST credits-reserve. Locks: the reservation, the account.
-- Outcomes: 'ok' action, expires_at of the reservation, which is open or used by a generation;
-- 'mismatch' one with another amount exists; 'ended' it was given back, or expired;
-- 'insufficient_credits', 'quota_exceeded', 'blocked', 'key_spent'. balance and held are the
-- account's credits afterwards.
-- SQLSTATE GF402, GF403, GF429: another transaction took the credits between check and hold; the
-- caller repeats the call and gets a row.
CREATE OR REPLACE FUNCTION genflow.reserve(
    p_user text, p_request_id text, p_amount bigint, p_action text, p_lifetime interval, p_day text,
    p_unbound boolean DEFAULT false, p_api_key text DEFAULT NULL,
    OUT outcome text, OUT action text, OUT expires_at text, OUT balance bigint, OUT held bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now  timestamptz := clock_timestamp();
    v_look record;
    r      genflow.reservations;
BEGIN
    SELECT * INTO v_look FROM genflow.afford(p_user, p_amount, p_day, NULL, false);
    outcome := v_look.outcome;
    IF outcome = 'ok' AND p_api_key IS NOT NULL THEN
        outcome := genflow.api_key_afford(p_api_key, p_amount, v_look.day, NULL);
    END IF;
    IF outcome = 'ok' THEN
        INSERT INTO genflow.reservations AS t (id, user_id, request_id, amount, action, unbound,
                                               created_at, expires_at)
        VALUES (genflow.new_id(0), v_look.account, p_request_id, p_amount, p_action, p_unbound,
                v_now, v_now + p_lifetime)
            ON CONFLICT ON CONSTRAINT reservations_once DO NOTHING RETURNING t.* INTO r;
        IF FOUND THEN
            PERFORM genflow.hold(r.id, v_look.account, p_amount, v_look.day, p_day, p_api_key);
        END IF;
    END IF;
    -- Refused, or the reservation exists: its state is the answer, even if the credits would not
    -- suffice again.
    IF r.id IS NULL THEN
        SELECT * INTO r FROM genflow.reservations t WHERE t.user_id = v_look.account
            AND t.request_id = p_request_id;
        IF FOUND THEN
            outcome := CASE WHEN r.amount <> p_amount THEN 'mismatch'
                            WHEN r.state = 'used' OR (r.state = 'open' AND r.expires_at > v_now)
                                THEN 'ok'
                            ELSE 'ended' END;
        END IF;
    END IF;
    action := r.action;
    expires_at := genflow.iso(r.expires_at);
    SELECT a.balance, a.held INTO balance, held FROM genflow.accounts a
     WHERE a.user_id = v_look.account;
    balance := coalesce(balance, 0);
    held := coalesce(held, 0);
END $$;

-- reserve_finalize(p_user, p_request_id, p_call): gives an open reservation back. For a reservation
-- that a generation uses it only reports the state: that generation decides whether its credits are
-- captured. So it may be called for a used one as often as the client likes: a page that lost the
-- answer, or commits again, gets the report again (200), and nothing moves. Only what was given
-- back is 'ended' the second time (400 ALREADY_PROCESSED): there a call had an effect, once.
-- p_call: the token of this call (calls.sql). Called by: POST credits-finalize. Locks:
-- the reservation, the account. Outcomes: 'returned' now, by this call; 'used' job_id, status of
-- the generation, charged: the credits captured so far; 'ended' it was given back before, or
-- expired; 'not_found' p_user has none of that name. amount: the reserved credits. For a batch:
-- job_id is the first one, status is that of a live one if there is one, and charged is the sum of
-- all.
CREATE OR REPLACE FUNCTION genflow.reserve_finalize(
    p_user text, p_request_id text, p_call uuid DEFAULT NULL,
    OUT outcome text, OUT amount bigint, OUT job_id uuid, OUT status text, OUT charged bigint,
    OUT balance bigint, OUT held bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_user bigint := genflow.account_of(p_user);
    r      genflow.reservations;
    v_jobs uuid[];
BEGIN
    charged := 0;
    SELECT * INTO r FROM genflow.reservations t WHERE t.user_id = v_user
        AND t.request_id = p_request_id FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'not_found';
        RETURN;
    END IF;
    amount := r.amount;
    IF r.state = 'used' THEN
        outcome := 'used';
        job_id := r.job_id;
        -- and those of a batch, by the keys that <prefix>_create_batch gave them
        v_jobs := job_id || ARRAY(
            SELECT k.job_id FROM genflow.idempotency_keys f JOIN genflow.idempotency_keys k
                ON k.user_id = f.user_id AND k.key IN (SELECT f.key || ' ' || i
                                                       FROM generate_series(2, 10) i)
             WHERE f.user_id = v_user AND f.job_id = r.job_id);
        SELECT b.status INTO status FROM unnest(v_jobs) WITH ORDINALITY AS j(id, no),
               genflow.job_brief(j.id) b
         ORDER BY b.status NOT IN ('pending', 'processing'), j.no LIMIT 1;
        SELECT coalesce(sum(l.amount), 0) INTO charged FROM genflow.ledger l
            WHERE l.ref = ANY (v_jobs) AND l.kind = 'capture';
    ELSE
        outcome := CASE WHEN genflow.reservation_end(r.id, 'returned', NULL, p_call)
            OR genflow.ended_by(r.id, p_call)
                        THEN 'returned' ELSE 'ended' END;
    END IF;
    SELECT a.balance, a.held INTO balance, held FROM genflow.accounts a WHERE a.user_id = v_user;
END $$;

-- reservations_expire(p_limit): ends up to p_limit open reservations that have expired, the oldest
-- first, and releases their holds, in account order. Called by: the janitor. Locks: the
-- reservations (it skips rows locked by others), the accounts. Returns the number of ended
-- reservations.
CREATE OR REPLACE FUNCTION genflow.reservations_expire(p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_ids uuid[];
    v_id  uuid;
BEGIN
    SELECT array_agg(o.id ORDER BY o.user_id, o.id) INTO v_ids
      FROM (SELECT r.id, r.user_id FROM genflow.reservations r WHERE r.state = 'open'
            AND r.expires_at <= clock_timestamp()
             ORDER BY r.expires_at LIMIT p_limit FOR UPDATE SKIP LOCKED) o;
    FOREACH v_id IN ARRAY coalesce(v_ids, '{}') LOOP
        PERFORM genflow.reservation_end(v_id, 'expired');
    END LOOP;
    RETURN coalesce(cardinality(v_ids), 0);
END $$;
