-- SPDX-License-Identifier: Apache-2.0
-- What the files about the doctor share: generations in every state, and troubles that are made by force, as no caller can.
-- \ir doctor_helpers.sql behind helpers.sql.

SELECT pg_temp.account(50) AS user \gset
SELECT pg_temp.job(:'user', 3) AS queued \gset
SELECT pg_temp.job(:'user', 3, 'host 1') AS working \gset
SELECT pg_temp.job(:'user', 3) AS completed \gset
SELECT pg_temp.job(:'user', 3) AS failed \gset
SELECT genflow.attempt_begin(:'working', 1, 1::smallint, 'acme', 'acme-1', 7, NULL, '30 seconds'),
       genflow.neo_glitch_accepted(:'working', 1, 1::smallint, 'acme', 'fal', 'ref 1', '30 seconds'),
       pg_temp.settle(:'completed', 0, 'completed'), pg_temp.settle(:'failed', 0, 'failed') \g /dev/null
SELECT genflow.create_type('pgtap-gone') \g /dev/null
SET CONSTRAINTS ALL IMMEDIATE;

CREATE TEMP TABLE names (name text, value text);
INSERT INTO names VALUES ('{user}', :'user'), ('{queued}', :'queued'), ('{working}', :'working'),
                         ('{completed}', :'completed'), ('{failed}', :'failed');

-- what a section calls wrong; with a table for names in it
CREATE FUNCTION pg_temp.wrong(p_section text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_says text;
    n      names;
BEGIN
    EXECUTE format($q$SELECT coalesce(string_agg(finding || ': ' || subject, '; ' ORDER BY finding), 'sound')
                        FROM genflow.doctor_%s() WHERE advice IS NOT NULL$q$, p_section) INTO v_says;
    FOR n IN SELECT * FROM names LOOP
        v_says := replace(v_says, n.value, n.name);
    END LOOP;
    RETURN v_says;
END $$;

CREATE FUNCTION pg_temp.force(p_force text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_force text;
    n       names;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOREACH v_force IN ARRAY p_force LOOP
        FOR n IN SELECT * FROM names LOOP
            v_force := replace(v_force, n.name, quote_literal(n.value));
        END LOOP;
        EXECUTE v_force;
    END LOOP;
    SET LOCAL session_replication_role = origin;
END $$;

-- does these things, returns what the section says then, and undoes them
CREATE FUNCTION pg_temp.broken(p_section text, VARIADIC p_force text[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.force(p_force);
    RAISE EXCEPTION USING ERRCODE = 'UNDO1', MESSAGE = pg_temp.wrong(p_section);
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
    RETURN SQLERRM;
END $$;

-- does these things, then what the section advises for a trouble of one subject; returns what section and check() say then
CREATE FUNCTION pg_temp.repaired(p_section text, p_user text, p_finding text, VARIADIC p_force text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_advice text;
BEGIN
    PERFORM pg_temp.force(p_force);
    EXECUTE format($q$SELECT replace(advice, '<id>', subject) FROM genflow.doctor_%s($1) WHERE finding = $2$q$, p_section)
       INTO STRICT v_advice USING p_user, p_finding;
    SET CONSTRAINTS ALL DEFERRED;
    EXECUTE substring(v_advice FROM '(?:INSERT|SELECT) .*;$');
    PERFORM genflow.neo_glitch_claim('host 2', 10, '30 seconds', '-infinity');
    SET CONSTRAINTS ALL IMMEDIATE;
    RAISE EXCEPTION USING ERRCODE = 'UNDO1', MESSAGE = concat_ws('; ', pg_temp.wrong(p_section),
        (SELECT string_agg(c.rule, '; ') FROM genflow.check() c));
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
    RETURN SQLERRM;
END $$;
