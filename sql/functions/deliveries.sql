-- SPDX-License-Identifier: Apache-2.0
-- delivery_claim(p_types, p_limit, p_lease): ended generations of those types whose webhooks are to
-- be told now; nobody else gets them for p_lease. Who dies with one only delays it: a receiver may
-- be told twice, by the same id, and never not at all. The user of whom fewest are being told comes
-- first: a crowd whose receivers are slow holds up its own user alone. Being told is what is due
-- again within p_lease (a next try that is so near counts as well).
-- `at` is now in seconds since 1970, by the one clock that all hosts share: what is told is signed
-- with it.
-- Called by: each host's dispatcher, now and then. Locks: the rows (SKIP LOCKED).
CREATE OR REPLACE FUNCTION genflow.delivery_claim(p_types text[], p_limit integer, p_lease interval)
RETURNS TABLE (id uuid, type text, user_id text, tries integer, at bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    IF genflow.restored() IS NOT NULL THEN                  -- site.sql
        RETURN;
    END IF;
    RETURN QUERY
    WITH told AS MATERIALIZED (
        SELECT d.user_id, count(*) AS n FROM genflow.deliveries d
         WHERE d.due_at > v_now AND d.due_at <= v_now + p_lease GROUP BY d.user_id),
    due AS MATERIALIZED (
        SELECT d.job_id FROM genflow.deliveries d LEFT JOIN told ON told.user_id = d.user_id
         WHERE d.due_at <= v_now AND d.type_no = ANY (ARRAY(SELECT t.no FROM genflow.types t
                                                            WHERE t.name = ANY (p_types)))
         ORDER BY coalesce(told.n, 0), d.due_at LIMIT p_limit FOR UPDATE OF d SKIP LOCKED),
    mine AS (
        UPDATE genflow.deliveries d SET due_at = v_now + p_lease, tries = d.tries + 1
          FROM due WHERE d.job_id = due.job_id
        RETURNING d.job_id, d.type_no, d.user_id, d.tries)
    SELECT m.job_id, t.name, m.user_id, m.tries, extract(epoch FROM v_now)::bigint
      FROM mine m JOIN genflow.types t ON t.no = m.type_no;
END $$;

-- delivery_note(p_id, p_delay): how a try went: the next one comes after p_delay; NULL: there is
-- none, the receiver has it or is given up. Called by: the dispatcher's writers. Locks: the row.
-- Outcomes: 'ok'; 'gone' somebody else has told it.
CREATE OR REPLACE FUNCTION genflow.delivery_note(p_id uuid, p_delay interval) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_delay IS NULL THEN
        DELETE FROM genflow.deliveries d WHERE d.job_id = p_id;
    ELSE
        UPDATE genflow.deliveries d SET due_at = clock_timestamp() + p_delay WHERE d.job_id = p_id;
    END IF;
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'gone' END;
END $$;
