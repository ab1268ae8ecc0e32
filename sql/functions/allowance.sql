-- SPDX-License-Identifier: Apache-2.0
-- allowance(p_user): what a user has without an administrator, by the amounts of the user's realm
-- (amounts.sql): the first credits, which make an account; the credits of the day, given at the
-- first use of a day, up to a balance of daily_max; the limits of accounts without limits of their
-- own. Each grant is an entry of the ledger. Without amounts it does nothing. Called by: requests
-- that show or use credits, where a directive states amounts, or the database's are others. Locks:
-- the account. Asking twice is harmless: the references of the grants count once.
CREATE OR REPLACE FUNCTION genflow.allowance(p_user text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m       genflow.amounts;
    v_today date;
    v_cap   bigint;
    v_day   bigint;
    v_week  bigint;
    v_user  bigint;
    a       genflow.accounts;
BEGIN
    SELECT * INTO m FROM genflow.amounts t WHERE t.realm = genflow.realm_of(p_user);
    IF num_nonnulls(m.initial, m.daily, m.day_limit, m.week_limit) = 0
       OR coalesce(genflow.name_of(p_user), '') = '' THEN
        RETURN;
    END IF;
    v_today := (clock_timestamp() AT TIME ZONE genflow.day_zone(m.day))::date;
    v_cap := coalesce(m.daily_max, m.daily);
    v_day := nullif(m.day_limit, 0);
    v_week := nullif(m.week_limit, 0);
    SELECT * INTO a FROM genflow.accounts t
     WHERE t.realm = genflow.realm_of(p_user) AND t.name = genflow.name_of(p_user);
    v_user := a.user_id;
    IF a.opened IS NOT TRUE THEN
        v_user := genflow.account_make(p_user);
        -- of two calls at once the second one waits here, and finds it open
        UPDATE genflow.accounts t SET opened = true, created_at = clock_timestamp(),
               day_limit = v_day, week_limit = v_week
         WHERE t.user_id = v_user AND NOT t.opened;
        IF FOUND AND m.initial > 0 THEN
            PERFORM genflow.grant_credits(p_user, m.initial, 'first credits',
                                          'genflow:first:' || v_user);
        END IF;
        SELECT * INTO a FROM genflow.accounts t WHERE t.user_id = v_user;
    END IF;
    IF NOT a.own_limits
       AND ((m.day_limit IS NOT NULL AND a.day_limit IS DISTINCT FROM v_day)
            OR (m.week_limit IS NOT NULL AND a.week_limit IS DISTINCT FROM v_week)) THEN
        UPDATE genflow.accounts t SET
            day_limit = CASE WHEN m.day_limit IS NULL THEN t.day_limit ELSE v_day END,
            week_limit = CASE WHEN m.week_limit IS NULL THEN t.week_limit ELSE v_week END
         WHERE t.user_id = v_user AND NOT t.own_limits;
    END IF;
    -- a clock that steps back over midnight gives nothing twice
    IF m.daily > 0 AND NOT a.blocked AND a.allowance_day IS DISTINCT FROM v_today
       AND coalesce(a.allowance_day, 'epoch') < v_today THEN
        UPDATE genflow.accounts t SET allowance_day = v_today
         WHERE t.user_id = v_user AND t.erased_at IS NULL     -- since it was read above
           AND coalesce(t.allowance_day, 'epoch') < v_today
        RETURNING t.* INTO a;
        IF FOUND AND a.balance < v_cap THEN
            PERFORM genflow.grant_credits(p_user, least(m.daily, v_cap - a.balance),
                                          'credits of the day',
                                          format('genflow:daily:%s:%s', v_today, v_user));
        END IF;
    END IF;
END $$;

-- allowance(...) as servers of schema 33 call it, with amounts, which do not count: sql/apply runs
-- before the servers are upgraded.
CREATE OR REPLACE FUNCTION genflow.allowance(p_user text, p_initial bigint, p_daily bigint,
                                             p_cap bigint, p_day_limit bigint, p_week_limit bigint,
                                             p_day text)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT genflow.allowance(p_user)
$$;

-- shares(p_user): does account p_user publish new pictures at once (share_to_feed)? Called by:
-- create, for front ends of older systems. Locks: the settings, if so: user_settings() waits for
-- the generation that is being created, and finds it.
CREATE OR REPLACE FUNCTION genflow.shares(p_user bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM genflow.user_settings s
      WHERE s.user_id = p_user AND s.settings @> '{"share_to_feed": true}' FOR SHARE;
    RETURN FOUND;
END $$;

-- user_settings(p_user, p_changes): the settings of a user, after p_changes (an object; NULL:
-- none). Without share_to_feed the pictures that are being made become private, too: their user
-- cannot unpublish what is not ready. Called by: GET, POST, PUT user-settings. Locks: the settings,
-- media (it skips rows locked by others: they are ending).
CREATE OR REPLACE FUNCTION genflow.user_settings(p_user text, p_changes jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_settings jsonb;
    v_user     bigint := genflow.account_of(p_user);
    t          genflow.types;
BEGIN
    IF p_changes IS NULL THEN
        SELECT s.settings INTO v_settings FROM genflow.user_settings s WHERE s.user_id = v_user;
    ELSE
        v_user := coalesce(v_user, genflow.account_make(p_user));
        INSERT INTO genflow.user_settings AS s (user_id, settings) VALUES (v_user, p_changes)
            ON CONFLICT (user_id) DO UPDATE SET settings = s.settings || EXCLUDED.settings
            RETURNING s.settings INTO v_settings;
    END IF;
    IF p_changes @> '{"share_to_feed": false}' THEN
        FOR t IN SELECT * FROM genflow.types y
            WHERE y.no IN (SELECT w.type_no FROM genflow.work w WHERE w.user_id = v_user)
              AND to_regclass(format('%I.%I', y.media_schema, y.media_table)) IS NOT NULL LOOP
            EXECUTE format('UPDATE %1$I.%2$I m SET visibility = ''private'' WHERE m.id IN ('
                           'SELECT l.id FROM genflow.work w JOIN %1$I.%2$I l ON l.id = w.job_id '
                           'WHERE w.user_id = $1 AND w.type_no = $2 AND l.visibility = ''public'' '
                           'FOR UPDATE OF l SKIP LOCKED)', t.media_schema, t.media_table)
              USING v_user, t.no;
        END LOOP;
    END IF;
    RETURN coalesce(v_settings, '{}');
END $$;
