-- SPDX-License-Identifier: Apache-2.0
-- The amounts that a user has without an administrator: one row of genflow.amounts for each realm,
-- which only administration writes. The directives (GenflowCreditInitial and its siblings) state
-- what is expected: a host announces it, and the row wins. The role of requests names no amount.
--
-- An amount stands in a text of words, in this order: realm=NAME (none: users without a realm),
-- initial, daily, daily_max, day_limit, week_limit, day. A word that is missing is not given; the
-- day is then UTC. Without any amount the word is "none". Examples:
--     initial=30 daily=10 daily_max=35 day=Europe/Berlin
--     realm=shop none

-- amounts_text(a): the text of a row. model/settings.c makes the same text of the directives.
CREATE OR REPLACE FUNCTION genflow.amounts_text(a genflow.amounts) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat_ws(' ', 'realm=' || nullif(a.realm, ''),
                     coalesce(nullif(concat_ws(' ', 'initial=' || a.initial, 'daily=' || a.daily,
                                               'daily_max=' || a.daily_max,
                                               'day_limit=' || a.day_limit,
                                               'week_limit=' || a.week_limit), '')
                              || coalesce(' day=' || nullif(a.day, 'UTC'), ''), 'none'))
$$;

-- amounts_read(p_text): the row of a text. SQLSTATE 22023: it is none. Called by: admin_amounts.
CREATE OR REPLACE FUNCTION genflow.amounts_read(p_text text) RETURNS genflow.amounts
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    a       genflow.amounts;
    v_known jsonb := '{"initial": 1000000, "daily": 1000000, "daily_max": 1000000000,
                       "day_limit": 1000000000, "week_limit": 1000000000}';
    v_seen  text[] := '{}';
    v_word  text;
    v_name  text;
    v_value text;
BEGIN
    a.realm := '';
    a.day := 'UTC';
    FOREACH v_word IN ARRAY regexp_split_to_array(btrim(coalesce(p_text, '')), '\s+') LOOP
        v_name := split_part(v_word, '=', 1);
        v_value := substr(v_word, length(v_name) + 2);
        IF v_name = ANY (v_seen) THEN
            RAISE EXCEPTION 'genflow: amounts: % is given twice', v_name USING ERRCODE = '22023';
        ELSIF v_name = 'realm' AND v_value ~ '^[a-z0-9]+(-[a-z0-9]+)*$' THEN
            a.realm := v_value;
        ELSIF v_name = 'day' AND (v_value = 'rolling' OR EXISTS (
                  SELECT FROM pg_timezone_names z WHERE z.name = v_value)) THEN
            a.day := v_value;
        ELSIF v_known ? v_name AND v_value ~ '^[0-9]{1,10}$'
              AND v_value::bigint <= (v_known ->> v_name)::bigint THEN
            a := jsonb_populate_record(a, jsonb_build_object(v_name, v_value::bigint));
        ELSIF v_word <> 'none' THEN
            RAISE EXCEPTION 'genflow: amounts: "%" is none of realm=NAME, initial=N and daily=N '
                            '(N: 0 to 1000000), daily_max=N, day_limit=N and week_limit=N (0 to '
                            '1000000000), day=ZONE or day=rolling, none', v_word
                USING ERRCODE = '22023';
        END IF;
        v_seen := v_seen || v_name;
    END LOOP;
    IF ('none' = ANY (v_seen)) = (num_nonnulls(a.initial, a.daily, a.daily_max, a.day_limit,
                                               a.week_limit) > 0) OR 'none' = ANY (v_seen)
        AND 'day' = ANY (v_seen) THEN
        RAISE EXCEPTION 'genflow: amounts: give an amount at least, or the word none alone'
            USING ERRCODE = '22023';
    END IF;
    RETURN a;
END $$;

-- admin_amounts(p_text, p_by): sets the amounts of a realm. A user has the first credits of the row
-- at the time of the first use; what was granted stays. p_by: see audit.sql. Called by: sql/apply
-- --credits, genflow-setup, the role of administration. Locks: the row. Outcomes: 'ok'; 'same': so
-- it was. SQLSTATE 22023: the text says what is wrong with it.
CREATE OR REPLACE FUNCTION genflow.admin_amounts(p_text text, p_by jsonb DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    a        genflow.amounts := genflow.amounts_read(p_text);
    v_before text;
BEGIN
    SELECT genflow.amounts_text(t) INTO v_before FROM genflow.amounts t
     WHERE t.realm = a.realm FOR UPDATE;
    IF v_before = genflow.amounts_text(a) THEN
        RETURN 'same';
    END IF;
    INSERT INTO genflow.amounts VALUES (a.realm, a.initial, a.daily, a.daily_max, a.day_limit,
                                        a.week_limit, a.day)
        ON CONFLICT (realm) DO UPDATE
        SET initial = EXCLUDED.initial, daily = EXCLUDED.daily, daily_max = EXCLUDED.daily_max,
            day_limit = EXCLUDED.day_limit, week_limit = EXCLUDED.week_limit, day = EXCLUDED.day,
            set_at = clock_timestamp();
    PERFORM genflow.audit_add(coalesce(p_by, '{}') || jsonb_build_object('realm', a.realm),
                              'amounts', a.realm, jsonb_build_object('amounts', v_before),
                              jsonb_build_object('amounts', genflow.amounts_text(a)));
    RETURN 'ok';
END $$;

-- amounts_differ(p_expected): of these texts those that are not the rows' of their realms, with
-- what the rows say. Called by: amounts_advice, faults. Locks: none.
CREATE OR REPLACE FUNCTION genflow.amounts_differ(p_expected text[])
RETURNS TABLE (expected text, there text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.expected, t.there
      FROM unnest(p_expected) AS e(expected)
     CROSS JOIN LATERAL (SELECT coalesce(substring(e.expected FROM '^realm=(\S+)'), '') AS realm) r
     CROSS JOIN LATERAL (
        SELECT coalesce((SELECT genflow.amounts_text(a) FROM genflow.amounts a
                          WHERE a.realm = r.realm),
                        concat_ws(' ', 'realm=' || nullif(r.realm, ''), 'none')) AS there) t
     WHERE t.there <> e.expected
$$;

-- amounts_advice(p_expected): the command that sets the amounts to these texts, and what the
-- database has; NULL: they are so. Called by: host_seen, httpd's test of its configuration. Locks:
-- none.
CREATE OR REPLACE FUNCTION genflow.amounts_advice(p_expected text[]) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('sql/apply %s (the database has: %s)',
                  string_agg(format('--credits ''%s''', d.expected), ' ' ORDER BY d.expected),
                  string_agg(d.there, '; ' ORDER BY d.expected))
      FROM genflow.amounts_differ(p_expected) d HAVING count(*) > 0
$$;
