-- SPDX-License-Identifier: Apache-2.0
-- hold(p_ref, p_user, p_amount, p_window, p_day, p_api_key): holds credits of account p_user for a
-- generation or a reservation in the window p_window, against the budget of the key p_api_key, if
-- it has one (NULL: the request came without a key). ledger_apply() checks the credits and the
-- quotas of window and week. This function checks the quota of a rolling day: the account is locked
-- by then, so no other hold of the user can come between.
-- Called by: <prefix>_create, reserve. Locks: the account, then the key.
-- SQLSTATE GF402, GF403, GF429: as ledger_apply().
CREATE OR REPLACE FUNCTION genflow.hold(p_ref uuid, p_user bigint, p_amount bigint, p_window date,
                                        p_day text,
                                        p_api_key text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, window_day, api_key)
        VALUES (p_ref, 'hold', p_user, p_amount, p_window, p_api_key);
    IF p_day = 'rolling' AND p_amount > 0 AND (SELECT u.used > a.day_limit
                                FROM genflow.accounts a, genflow.rolling_use(p_user,
                                    clock_timestamp()) u
                               WHERE a.user_id = p_user) THEN
        RAISE EXCEPTION 'genflow: quota spent' USING ERRCODE = 'GF429';
    END IF;
END $$;
