-- SPDX-License-Identifier: Apache-2.0
-- ledger_apply(): trigger after each ledger row. It applies the row to its account, so that balance
-- = sum of the ledger by construction, and counts it there (entries). It refuses a row that the
-- state of its job does not allow: a hold unless the job is live and has a work row, a capture
-- unless the job is completed (in the same transaction), a release unless the job ended otherwise.
-- It adds the row to the sums of the ledger (sums.sql).
-- For the ledger a reservation is like a job (genflow.job_brief()), but it needs no work row and
-- never completes.
-- Called by: the trigger alone. Locks: the account row, after all other locks (order: key, work,
-- media, ledger, account), then the API key of the hold (api_keys.sql). Outcomes: SQLSTATE GF402
-- too few credits, GF403 no such account or blocked, GF429 quota spent: another transaction took
-- the credits, the caller repeats the call;
-- GF501, GF502: a ledger row that matches no job: a bug.
CREATE OR REPLACE FUNCTION genflow.ledger_apply() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_job     genflow.job_brief;
    v_account genflow.accounts;
    v_week    date := genflow.week_of(NEW.window_day);
BEGIN
    IF NEW.kind IN ('hold', 'capture', 'release') THEN
        v_job := genflow.job_brief(NEW.ref);
        -- its media row is gone: the user is the one of the hold
        IF NEW.kind = 'release' AND v_job.status IS NULL THEN
            SELECT h.user_id, h.amount, 'failed' INTO v_job FROM genflow.ledger h
                WHERE h.ref = NEW.ref AND h.kind = 'hold';
        END IF;
        IF v_job.user_id IS DISTINCT FROM NEW.user_id
           OR (NEW.kind = 'hold'
               AND (v_job.status NOT IN ('pending', 'processing') OR v_job.cost <> NEW.amount
                    OR (genflow.id_type(NEW.ref) <> 0
                        AND NOT EXISTS (SELECT FROM genflow.work w WHERE w.job_id = NEW.ref
                                        AND w.cost = NEW.amount))))
           OR (NEW.kind = 'capture'
               AND (v_job.status <> 'completed' OR NEW.amount + NEW.released <> v_job.cost))
           OR (NEW.kind = 'release' AND (v_job.status NOT IN ('failed', 'cancelled')
                                         OR NEW.released <> v_job.cost))
        THEN
            RAISE EXCEPTION 'genflow: ledger % for % does not match its job', NEW.kind, NEW.ref
                USING ERRCODE = 'GF501';
        END IF;
    END IF;

    CASE NEW.kind
    WHEN 'hold' THEN
        -- If the clock steps back over midnight, counting continues in the later window, so that
        -- no quota is granted twice. A clock that was a year wrong does not block the user for a
        -- year.
        UPDATE genflow.accounts a SET
            entries   = a.entries + 1,
            held      = a.held + NEW.amount,
            day       = CASE WHEN a.day = NEW.window_day + 1 THEN a.day ELSE NEW.window_day END,
            day_used  = CASE WHEN a.day BETWEEN NEW.window_day AND NEW.window_day + 1
                THEN a.day_used ELSE 0 END + NEW.amount,
            week      = CASE WHEN a.week = v_week + 7 THEN a.week ELSE v_week END,
            week_used = CASE WHEN a.week BETWEEN v_week AND v_week + 7 THEN a.week_used
                ELSE 0 END + NEW.amount,
            generations = a.generations + CASE genflow.id_type(NEW.ref) WHEN 0 THEN 0 ELSE 1 END
        WHERE a.user_id = NEW.user_id AND NOT a.blocked AND a.opened
          AND a.balance - a.held >= NEW.amount
          AND (NEW.amount = 0 OR a.day_limit IS NULL
               OR CASE WHEN a.day BETWEEN NEW.window_day AND NEW.window_day + 1 THEN a.day_used
                   ELSE 0 END
                  + NEW.amount <= a.day_limit)
          AND (NEW.amount = 0 OR a.week_limit IS NULL
               OR CASE WHEN a.week BETWEEN v_week AND v_week + 7 THEN a.week_used ELSE 0 END
                  + NEW.amount <= a.week_limit);
        IF NOT FOUND THEN
            SELECT * INTO v_account FROM genflow.accounts a WHERE a.user_id = NEW.user_id;
            IF NOT FOUND OR v_account.blocked OR NOT v_account.opened THEN
                RAISE EXCEPTION 'genflow: no account' USING ERRCODE = 'GF403';
            ELSIF v_account.balance - v_account.held < NEW.amount THEN
                RAISE EXCEPTION 'genflow: too few credits' USING ERRCODE = 'GF402';
            ELSE
                RAISE EXCEPTION 'genflow: quota spent' USING ERRCODE = 'GF429';
            END IF;
        END IF;
    WHEN 'capture' THEN
        UPDATE genflow.accounts a SET balance = a.balance - NEW.amount,
            held = a.held - NEW.amount - NEW.released,
            entries = a.entries + 1
         WHERE a.user_id = NEW.user_id;
    WHEN 'release' THEN
        -- Releases the hold and, while its window still counts, the quota. It never raises an
        -- error: a release must always pass.
        UPDATE genflow.accounts a SET
            entries   = a.entries + 1,
            held      = a.held - NEW.released,
            day_used  = CASE WHEN a.day = NEW.window_day THEN greatest(a.day_used - NEW.released, 0)
                ELSE a.day_used END,
            week_used = CASE WHEN a.week = v_week THEN greatest(a.week_used - NEW.released, 0)
                ELSE a.week_used END
         WHERE a.user_id = NEW.user_id;
    WHEN 'refund' THEN
        IF NOT EXISTS (SELECT FROM genflow.ledger c WHERE c.ref = NEW.ref AND c.kind = 'capture'
                          AND c.user_id = NEW.user_id AND c.amount >= NEW.amount) THEN
            RAISE EXCEPTION 'genflow: refund without a charge' USING ERRCODE = 'GF502';
        END IF;
        UPDATE genflow.accounts a SET balance = a.balance + NEW.amount, entries = a.entries + 1
            WHERE a.user_id = NEW.user_id;
    ELSE                                                            -- grant, adjust
        IF NEW.amount < 0 THEN
            UPDATE genflow.accounts a SET balance = a.balance + NEW.amount, entries = a.entries + 1
                WHERE a.user_id = NEW.user_id AND a.opened;
        ELSE
            UPDATE genflow.accounts a SET balance = a.balance + NEW.amount, entries = a.entries + 1,
                   opened = true,
                   created_at = CASE WHEN a.opened THEN a.created_at ELSE clock_timestamp() END
                WHERE a.user_id = NEW.user_id;
        END IF;
    END CASE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'genflow: no account' USING ERRCODE = 'GF403';
    END IF;
    IF NEW.api_key IS NOT NULL AND NEW.amount > 0 THEN
        PERFORM genflow.api_key_hold(NEW.api_key, NEW.amount, NEW.window_day);
    ELSIF NEW.released > 0 THEN
        PERFORM genflow.api_key_return(NEW.ref, NEW.released);
    END IF;
    INSERT INTO genflow.sums_new (at, type_no, provider, model, kind, outcome, amount, released,
                                  took)
    VALUES (NEW.at,
            CASE WHEN NEW.kind IN ('grant', 'adjust') THEN 0 ELSE genflow.id_type(NEW.ref) END,
            CASE WHEN NEW.kind IN ('capture', 'release') THEN coalesce(v_job.provider, '')
                ELSE '' END,
            CASE WHEN NEW.kind IN ('capture', 'release') THEN coalesce(v_job.model, '')
                ELSE '' END, NEW.kind,
            CASE WHEN NEW.kind IN ('capture', 'release') THEN v_job.status ELSE '' END,
            NEW.amount, NEW.released,
            CASE WHEN NEW.kind = 'capture'
                THEN coalesce(extract(epoch FROM NEW.at - v_job.started_at) * 1000000, 0)
                ELSE 0 END);
    RETURN NULL;
END $$;
