-- SPDX-License-Identifier: Apache-2.0
-- afford(p_user, p_cost, p_day, p_run_id, p_take): could p_user hold p_cost credits now? It reads
-- without locks and is cheap, so that a refusal writes nothing. The conditional UPDATE of
-- ledger_apply() decides. Credits of an open reservation under p_run_id (may be NULL) count as
-- free, because the hold would replace it. p_take: without such a reservation, those of the oldest
-- unbound one do (reserve.sql). p_day: see day.sql.
-- Called by: <prefix>_create, reserve.
-- Outcomes: 'ok', 'blocked', 'insufficient_credits', 'quota_exceeded'. balance and held are the
-- account's credits, held without that reservation, whose id is `reservation`. `day` is the window
-- that a hold would count in. `account` is the number of the account; NULL: there is none.
CREATE OR REPLACE FUNCTION genflow.afford(
    p_user text, p_cost bigint, p_day text, p_run_id text, p_take boolean,
    OUT outcome text, OUT balance bigint, OUT held bigint, OUT day date, OUT reservation uuid,
    OUT account bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now       timestamptz := clock_timestamp();
    v_day_used  bigint;
    v_week_used bigint;
    a           genflow.accounts;
    r           record;
BEGIN
    day := (v_now AT TIME ZONE genflow.day_zone(p_day))::date;
    SELECT t.* INTO a FROM genflow.accounts t
     WHERE t.realm = genflow.realm_of(p_user) AND t.name = genflow.name_of(p_user);
    account := a.user_id;
    IF a.day = day + 1 THEN
        day := a.day;                                       -- the clock stepped back over midnight
    END IF;
    balance := coalesce(a.balance, 0);
    held := coalesce(a.held, 0);
    v_day_used := CASE WHEN a.day = day THEN a.day_used ELSE 0 END;
    v_week_used := CASE WHEN a.week = genflow.week_of(day) THEN a.week_used ELSE 0 END;
    IF p_day = 'rolling' AND a.day_limit IS NOT NULL THEN
        SELECT u.used INTO v_day_used FROM genflow.rolling_use(account, v_now) u;
    END IF;

    IF p_run_id IS NOT NULL THEN
        SELECT t.id INTO reservation FROM genflow.reservations t
         WHERE t.user_id = account AND t.request_id = p_run_id AND t.state = 'open'
           AND t.expires_at > v_now;
    END IF;
    IF reservation IS NULL AND p_take THEN
        reservation := genflow.reservation_oldest(account);
    END IF;
    IF reservation IS NOT NULL THEN
        SELECT h.amount, h.window_day INTO r FROM genflow.ledger h
         WHERE h.ref = reservation AND h.kind = 'hold';
        IF FOUND THEN
            held := held - r.amount;
            v_day_used := v_day_used - CASE WHEN r.window_day = day OR p_day = 'rolling'
                THEN r.amount ELSE 0 END;
            v_week_used := v_week_used - CASE
                WHEN genflow.week_of(r.window_day) = genflow.week_of(day) THEN r.amount ELSE 0 END;
        END IF;
    END IF;
    outcome := CASE WHEN a.blocked THEN 'blocked'
                    WHEN a.opened AND p_cost = 0 THEN 'ok' -- whatever was used
                    WHEN a.opened IS NOT TRUE OR balance - held < p_cost
                        THEN 'insufficient_credits'
                    WHEN v_day_used + p_cost > a.day_limit OR v_week_used + p_cost > a.week_limit
                        THEN 'quota_exceeded'
                    ELSE 'ok' END;
END $$;
