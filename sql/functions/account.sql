-- SPDX-License-Identifier: Apache-2.0
-- Accounts have numbers (accounts.user_id), and every other table refers to the number. The name of
-- a user stands in genflow.accounts alone.
--
-- Between the module and the database a user is one text, the identity: the name; of a site with
-- GenflowRealm: its realm, U+001F, the name. Functions which the module calls take the identity
-- (p_user text) and find the number once; among themselves functions pass the number. Lists of all
-- users of a site take the identity with an empty name (realm, U+001F), also where the realm is
-- empty. Names have no control characters: the module refuses such users.

-- realm_of(p_user), name_of(p_user): the parts of an identity.
CREATE OR REPLACE FUNCTION genflow.realm_of(p_user text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN strpos(p_user, chr(31)) > 0 THEN split_part(p_user, chr(31), 1) ELSE '' END
$$;
CREATE OR REPLACE FUNCTION genflow.name_of(p_user text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT substr(p_user, strpos(p_user, chr(31)) + 1)
$$;

-- account_of(p_user): the number of that user's account; NULL: there is none. An erased account has
-- no name and is not found. Called by: functions of requests. Locks: none.
CREATE OR REPLACE FUNCTION genflow.account_of(p_user text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT a.user_id FROM genflow.accounts a
             WHERE a.realm = genflow.realm_of(p_user) AND a.name = genflow.name_of(p_user));
END $$;

-- account_make(p_user): the number of that user's account, which is made if it is missing. It is
-- not open then: it has no credits and answers as no account does, until the first credits or a
-- grant open it. Called by: functions that write a row for a user who may have no account. Locks:
-- the new row.
CREATE OR REPLACE FUNCTION genflow.account_make(p_user text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_user bigint := genflow.account_of(p_user);
BEGIN
    WHILE v_user IS NULL LOOP
        INSERT INTO genflow.accounts AS a (realm, name, opened)
            VALUES (genflow.realm_of(p_user), genflow.name_of(p_user), false)
            ON CONFLICT (realm, name) DO NOTHING RETURNING a.user_id INTO v_user;
        v_user := coalesce(v_user, genflow.account_of(p_user));
    END LOOP;
    RETURN v_user;
END $$;

-- account_named(p_name): the number of the account of that name outside of any realm. Called by:
-- tables from before schema version 42, whose users were names, when they get numbers.
CREATE OR REPLACE FUNCTION genflow.account_named(p_name text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT a.user_id FROM genflow.accounts a WHERE a.realm = '' AND a.name = p_name);
END $$;

-- identity_of(p_account): the user whose account has that number; NULL: erased. Called by:
-- functions that give a user to the module. Locks: none.
CREATE OR REPLACE FUNCTION genflow.identity_of(p_account bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT CASE a.realm WHEN '' THEN a.name ELSE a.realm || chr(31) || a.name END
              FROM genflow.accounts a WHERE a.user_id = p_account);
END $$;

-- account_label(p_account): how reports call it: name, realm/name, or its number if it was erased.
-- Called by: check, the doctor. Locks: none.
CREATE OR REPLACE FUNCTION genflow.account_label(p_account bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(replace(genflow.identity_of(p_account), chr(31), '/'),
                    'account ' || p_account);
END $$;

-- has_realms(): is there an account in a realm? Without one, lists need not look at realms. Called
-- by: lists of all users. Locks: none.
CREATE OR REPLACE FUNCTION genflow.has_realms() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM genflow.accounts a WHERE a.realm > '')
$$;

-- is_of(p_account, p_scope): is that account in the scope of an administrator? p_scope NULL:
-- everybody; an identity with an empty name: the users of that realm; an identity: that user.
-- Called by: functions of administration. Locks: none.
CREATE OR REPLACE FUNCTION genflow.is_of(p_account bigint, p_scope text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN p_scope IS NULL
        OR EXISTS (SELECT FROM genflow.accounts a
                    WHERE a.user_id = p_account AND a.realm = genflow.realm_of(p_scope)
                      AND genflow.name_of(p_scope) IN ('', a.name));
END $$;
