-- SPDX-License-Identifier: Apache-2.0
-- API keys. The database never sees a key: C makes it, hands its id and its SHA-256 over, and
-- compares later ones in constant time (api/authn.c). Keys are found by their id.

-- ---- the budget of a key ----
--
-- budget_used counts the credits that the key's holds reserve or have charged. A hold adds its
-- amount, a release, or the released part of a capture, gives back: ledger_apply() does both, with
-- the account already locked. A budget per day counts by the days of the quotas, rolling ones as
-- days of UTC.

-- api_key_spent(k, p_day): the credits that count against the budget of key k on that day. If the
-- clock steps back over midnight, counting continues in the later day, as for quotas.
CREATE OR REPLACE FUNCTION genflow.api_key_spent(k genflow.api_keys, p_day date) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN k.budget_per = 'total' OR k.budget_day BETWEEN p_day AND p_day + 1
                THEN k.budget_used ELSE 0 END
$$;

-- api_key_afford(p_key, p_cost, p_day, p_reservation): could the key hold p_cost credits now? What
-- it reserved under p_reservation (may be NULL) counts as free: the hold would replace it. As
-- afford(): it reads without locks, and the conditional UPDATE of api_key_hold() decides.
-- Called by: <prefix>_create, reserve. Outcomes: 'ok', 'key_spent'.
CREATE OR REPLACE FUNCTION genflow.api_key_afford(p_key text, p_cost bigint, p_day date,
                                                  p_reservation uuid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN p_cost > 0 AND EXISTS (
        SELECT FROM genflow.api_keys k
         WHERE k.id = p_key AND k.budget < p_cost + genflow.api_key_spent(k, p_day) - coalesce(
               (SELECT h.amount FROM genflow.ledger h
                 WHERE h.ref = p_reservation AND h.kind = 'hold' AND h.api_key = p_key
                   AND (k.budget_per = 'total' OR h.window_day = k.budget_day)), 0))
        THEN 'key_spent' ELSE 'ok' END
$$;

-- api_key_hold(p_key, p_amount, p_day): counts a hold against the budget of the key that it came
-- with. Called by: ledger_apply. Locks: the key, after the account. SQLSTATE GF402: the budget is
-- spent: another transaction took the rest, and the caller repeats the call.
CREATE OR REPLACE FUNCTION genflow.api_key_hold(p_key text, p_amount bigint, p_day date)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE genflow.api_keys k
       SET budget_used = genflow.api_key_spent(k, p_day) + p_amount,
           budget_day = CASE WHEN k.budget_day = p_day + 1 THEN k.budget_day ELSE p_day END
     WHERE k.id = p_key AND genflow.api_key_spent(k, p_day) + p_amount <= k.budget;
    IF NOT FOUND AND EXISTS (SELECT FROM genflow.api_keys k WHERE k.id = p_key
                                AND k.budget IS NOT NULL) THEN
        RAISE EXCEPTION 'genflow: budget of the key spent' USING ERRCODE = 'GF402';
    END IF;
END $$;

-- api_key_return(p_ref, p_released): gives the released part of a hold back to the budget of its
-- key, while its day still counts. Called by: ledger_apply. Locks: the key, after the account.
CREATE OR REPLACE FUNCTION genflow.api_key_return(p_ref uuid, p_released bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE genflow.api_keys k SET budget_used = greatest(k.budget_used - p_released, 0)
      FROM genflow.ledger h
     WHERE h.ref = p_ref AND h.kind = 'hold' AND k.id = h.api_key AND k.budget IS NOT NULL
       AND (k.budget_per = 'total' OR h.window_day = k.budget_day)
$$;

-- ---- authentication ----

-- api_key_get(p_id): what authentication needs to know of a key. No row: there is none. left_ms:
-- milliseconds until it expires, 0 or less if it has; NULL: never. use_due: its last use was not
-- recorded within this minute.
-- Called by: authentication, once in some seconds and child for each key. Locks: none.
CREATE OR REPLACE FUNCTION genflow.api_key_get(p_id text)
RETURNS TABLE (hash text, user_id text, scopes text, types text, revoked boolean, left_ms bigint,
               has_budget boolean, use_due boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT encode(k.hash, 'hex'), genflow.identity_of(k.user_id), array_to_string(k.scopes, ' '),
           array_to_string(k.types, ' '), k.revoked_at IS NOT NULL,
           (extract(epoch FROM k.expires_at - statement_timestamp()) * 1000)::bigint,
           k.budget IS NOT NULL,
           k.used_at IS NULL OR k.used_at <= statement_timestamp() - interval '1 minute'
      FROM genflow.api_keys k WHERE k.id = p_id
$$;

-- api_key_used(p_id): records that the key was used, to the minute, and at most once a minute. It
-- waits for nobody: a key that a create has locked is in use anyway, and the next call records it.
-- Called by: authentication, for a key that was right. Locks: the key (skipped if locked).
CREATE OR REPLACE FUNCTION genflow.api_key_used(p_id text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE genflow.api_keys k SET used_at = date_trunc('minute', clock_timestamp())
     WHERE k.id IN (SELECT o.id FROM genflow.api_keys o WHERE o.id = p_id
                       AND (o.used_at IS NULL
                            OR o.used_at <= clock_timestamp() - interval '1 minute')
                       FOR UPDATE SKIP LOCKED)
$$;

-- ---- making, listing, revoking ----

-- api_key_add(...): what api_key_put() and admin_api_key_put() have in common. added: it is new,
-- and this is no repeated call. Called by: both.
CREATE OR REPLACE FUNCTION genflow.api_key_add(
    p_user text, p_id text, p_hash bytea, p_name text, p_scopes text[], p_types text[],
    p_expires timestamptz, p_budget bigint, p_per text, p_by text, p_max integer,
    OUT outcome text, OUT created_at text, OUT expires_at text, OUT added boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now  timestamptz := clock_timestamp();
    v_user bigint := genflow.account_make(p_user);
    k      genflow.api_keys;
BEGIN
    added := false;
    PERFORM pg_advisory_xact_lock(hashtextextended('genflow keys of ' || v_user, 0));
    SELECT * INTO k FROM genflow.api_keys o WHERE o.id = p_id AND o.hash = p_hash;
    IF NOT FOUND THEN
        IF p_expires <= v_now THEN
            outcome := 'past';
            RETURN;
        END IF;
        DELETE FROM genflow.api_keys o WHERE o.user_id = v_user
            AND least(o.revoked_at, o.expires_at) < v_now - interval '30 days';
        IF (SELECT count(*) FROM genflow.api_keys o WHERE o.user_id = v_user
               AND o.revoked_at IS NULL AND (o.expires_at IS NULL OR o.expires_at > v_now)) >= p_max
        THEN
            outcome := 'too_many';
            RETURN;
        END IF;
        INSERT INTO genflow.api_keys AS n (id, hash, user_id, name, scopes, types, budget,
                                           budget_per, created_by, created_at, expires_at)
        VALUES (p_id, p_hash, v_user, p_name, p_scopes, p_types, p_budget, p_per, p_by, v_now,
                p_expires)
        RETURNING n.* INTO k;
        added := true;
    END IF;
    outcome := 'ok';
    created_at := genflow.iso(k.created_at);
    expires_at := genflow.iso(k.expires_at);
END $$;

-- admin_api_key_put(...): api_key_put() for any scope. p_admin: as p_by of audit.sql. Called by:
-- POST keys of administration.
CREATE OR REPLACE FUNCTION genflow.admin_api_key_put(
    p_user text, p_id text, p_hash bytea, p_name text, p_scopes text[], p_types text[],
    p_expires timestamptz, p_budget bigint, p_per text, p_by text, p_max integer,
    p_admin jsonb DEFAULT NULL,
    OUT outcome text, OUT created_at text, OUT expires_at text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_added boolean;
BEGIN
    SELECT k.* INTO outcome, created_at, expires_at, v_added
      FROM genflow.api_key_add(p_user, p_id, p_hash, p_name, p_scopes, p_types, p_expires,
                               p_budget, p_per, p_by, p_max) k;
    IF v_added THEN
        PERFORM genflow.audit_add(p_admin, 'key.add', p_id, NULL,
                                  jsonb_build_object('name', p_name, 'scopes', p_scopes, 'types',
                                                     p_types, 'budget', p_budget, 'per', p_per,
                                                     'expiresAt', expires_at),
                                  genflow.account_of(p_user));
    END IF;
END $$;

-- api_key_put(p_user, p_id, p_hash, p_name, p_scopes, p_types, p_expires, p_budget, p_per,
-- p_by, p_max): stores a key of p_user, who may have p_max that are neither revoked nor expired.
--   p_types    names of types that it may create; NULL: all
--   p_expires  NULL: never
--   p_budget   credits that it may hold and spend per p_per, 'day' (day.sql) or 'total'; NULL: any
--              number, and p_per is then NULL
--   p_by       id of the key that the request came with; NULL: the user signed in
-- Scope `admin` is refused here: the role of requests could otherwise make itself administrator.
-- Keys that were revoked or expired 30 days ago are deleted. A repeated call is harmless.
-- Called by: POST keys. Locks: the user's keys (advisory). Outcomes: 'ok' created_at, expires_at;
-- 'too_many'; 'past' it would have expired before; 'admin'.
CREATE OR REPLACE FUNCTION genflow.api_key_put(
    p_user text, p_id text, p_hash bytea, p_name text, p_scopes text[], p_types text[],
    p_expires timestamptz, p_budget bigint, p_per text, p_by text, p_max integer,
    OUT outcome text, OUT created_at text, OUT expires_at text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF 'admin' = ANY (p_scopes) THEN
        outcome := 'admin';
        RETURN;
    END IF;
    SELECT k.outcome, k.created_at, k.expires_at INTO outcome, created_at, expires_at
      FROM genflow.api_key_add(p_user, p_id, p_hash, p_name, p_scopes, p_types, p_expires,
                               p_budget, p_per, p_by, p_max) k;
END $$;

-- admin_api_keys(...): api_keys(); p_user with an empty name: the keys of all users of that realm;
-- NULL: of all realms, for the hoster. Called by: api_keys, GET keys of administration.
CREATE OR REPLACE FUNCTION genflow.admin_api_keys(p_user text, p_before text, p_limit integer,
                                                  p_day text DEFAULT 'UTC')
RETURNS TABLE (id text, user_id text, name text, scopes text, types text, budget bigint, per text,
               spent bigint, created_by text, created_at text, expires_at text, revoked_at text,
               used_at text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_user bigint := genflow.account_of(p_user);
BEGIN
    RETURN QUERY
    SELECT k.id, genflow.identity_of(k.user_id), k.name, array_to_string(k.scopes, ' '),
           array_to_string(k.types, ' '),
           k.budget, k.budget_per,
           genflow.api_key_spent(k, (statement_timestamp()
                                     AT TIME ZONE genflow.day_zone(p_day))::date),
           k.created_by, genflow.iso(k.created_at), genflow.iso(k.expires_at),
           genflow.iso(k.revoked_at), genflow.iso(k.used_at)
      FROM genflow.api_keys k
     WHERE CASE WHEN p_user IS NULL THEN true WHEN v_user IS NOT NULL THEN k.user_id = v_user
                WHEN genflow.name_of(p_user) = '' THEN genflow.is_of(k.user_id, p_user)
                ELSE false END
       AND (p_before IS NULL OR (k.created_at, k.id) < (SELECT b.created_at, b.id
                                                          FROM genflow.api_keys b
                                                         WHERE b.id = p_before))
     ORDER BY k.created_at DESC, k.id DESC LIMIT p_limit;
END $$;

-- api_keys(p_user, p_before, p_limit): up to p_limit keys of p_user, newest first, after the one
-- with the id p_before (NULL: from the first). Never the hash. spent: credits held or charged that
-- count against the budget now. p_day: see day.sql.
-- Called by: GET keys. Locks: none.
CREATE OR REPLACE FUNCTION genflow.api_keys(p_user text, p_before text, p_limit integer,
                                            p_day text DEFAULT 'UTC')
RETURNS TABLE (id text, user_id text, name text, scopes text, types text, budget bigint, per text,
               spent bigint, created_by text, created_at text, expires_at text, revoked_at text,
               used_at text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT k.* FROM genflow.admin_api_keys(p_user, p_before, p_limit, p_day) k
     WHERE genflow.name_of(p_user) <> ''
$$;

-- admin_api_key_revoke(...): api_key_revoke(); p_user as in admin_api_keys(). p_by: see audit.sql;
-- a key that was revoked before gets no entry. Called by: DELETE keys/{id} of administration.
CREATE OR REPLACE FUNCTION genflow.admin_api_key_revoke(p_user text, p_id text,
                                                        p_by jsonb DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    k genflow.api_keys;
BEGIN
    SELECT * INTO k FROM genflow.api_keys o
     WHERE o.id = p_id AND genflow.is_of(o.user_id, p_user) FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'not_found';
    ELSIF k.revoked_at IS NULL THEN
        UPDATE genflow.api_keys o SET revoked_at = clock_timestamp() WHERE o.id = p_id
            RETURNING o.* INTO k;
        PERFORM genflow.audit_add(p_by, 'key.revoke', p_id,
                                  jsonb_build_object('name', k.name, 'scopes', k.scopes),
                                  jsonb_build_object('revokedAt', genflow.iso(k.revoked_at)),
                                  k.user_id);
    END IF;
    RETURN 'ok';
END $$;

-- api_key_revoke(p_user, p_id): revokes a key of p_user, for good. A repeated call is harmless.
-- Generations that it began go on. Called by: DELETE keys/{id}. Locks: the key. Outcomes: 'ok';
-- 'not_found', also for a key of another user.
CREATE OR REPLACE FUNCTION genflow.api_key_revoke(p_user text, p_id text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE genflow.api_keys k SET revoked_at = coalesce(k.revoked_at, clock_timestamp())
     WHERE k.id = p_id AND k.user_id = genflow.account_of(p_user) AND genflow.name_of(p_user) <> '';
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'not_found' END;
END $$;
