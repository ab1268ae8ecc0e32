-- SPDX-License-Identifier: Apache-2.0
-- due(p_types, p_since): what a claim would find now. Reads at most one row of each index, so that
-- a host without work sends this statement alone.
--   p_types  the names of the host's types
--   p_since  for each type four times: where its claims begin (p_from and p_lines of claim.sql)
-- Returns the place of each type that has due jobs, from 0, and behind the types: count + 0 for
-- pictures to be stored again, count + 1 for pictures to be removed, count + 2 for webhooks. A row
-- that another host has locked counts: the claim finds it locked. The first row has no place but
-- the time: the next claim of a type without due jobs begins there, and skips what this one read.
-- Called by: each host's dispatcher, periodically. Locks: none. The plan is pinned as a claim's.
CREATE OR REPLACE FUNCTION genflow.due(p_types text[], p_since timestamptz[])
RETURNS TABLE (place integer, at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
    SET enable_sort = off AS $$
DECLARE
    v_now  timestamptz := clock_timestamp();
    v_slack CONSTANT interval := '10 seconds';              -- as in claim.sql
    v_count CONSTANT integer := cardinality(p_types);
    v_nos  smallint[];
BEGIN
    at := v_now;
    RETURN NEXT;
    v_nos := ARRAY(SELECT (SELECT t.no FROM genflow.types t WHERE t.name = n.name)
                     FROM unnest(p_types) WITH ORDINALITY AS n(name, at) ORDER BY n.at);
    FOR i IN 1 .. v_count LOOP
        IF EXISTS (SELECT FROM genflow.work w WHERE w.type_no = v_nos[i]
                      AND w.due_at BETWEEN p_since[4 * i - 3] - v_slack AND v_now)
           OR EXISTS (SELECT FROM generate_series(1, 3) AS l(lane)
                       WHERE EXISTS (SELECT FROM genflow.work w WHERE w.type_no = v_nos[i]
                                        AND w.priority = (2 - l.lane)::smallint
                                        AND w.turn >= p_since[4 * i - 3 + l.lane] - v_slack
                                        AND w.deadline_at > v_now)) THEN
            place := i - 1;
            RETURN NEXT;
        END IF;
    END LOOP;
    IF EXISTS (SELECT FROM genflow.restores r WHERE r.due_at <= v_now
                  AND r.type_no = ANY (v_nos)) THEN
        place := v_count;
        RETURN NEXT;
    END IF;
    IF EXISTS (SELECT FROM genflow.removals r WHERE r.due_at <= v_now
                  AND r.type_no = ANY (v_nos)) THEN
        place := v_count + 1;
        RETURN NEXT;
    END IF;
    IF EXISTS (SELECT FROM genflow.deliveries d WHERE d.due_at <= v_now
                  AND d.type_no = ANY (v_nos)) THEN
        place := v_count + 2;
        RETURN NEXT;
    END IF;
END $$;
