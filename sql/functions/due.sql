-- SPDX-License-Identifier: Apache-2.0
-- due(p_types, p_since, p_back, p_ahead): what a claim would find now, and where it should begin.
-- Reads at most two live rows of each index, so that a host without work sends this statement
-- alone. Dead rows between the begin of a scan and its end are passed, too, because vacuum cannot
-- remove them under an old snapshot: hence each scan has a begin and an end.
--   p_types  the names of the host's types
--   p_since  for each type four times, one for each lane of claim.sql; then one each for pictures
--            to be stored again, pictures to be removed, webhooks, pictures to be moved. What was
--            due before them was seen by earlier looks. Later than now counts as now
--   p_back   the scans begin so much before these times, because a transaction may commit later
--            than it made its job due, and because a row may have been locked
--   p_ahead  until when the caller sleeps unless it learns of a job that is due sooner
-- The first row has no place but the time of this look and wait_ms: how long until something
-- becomes due that is not due yet, within p_ahead; NULL: nothing does. Each further row names
-- something that is due: the place of its type, from 0, and its lane; or count + 0 for pictures to
-- be stored again, count + 1 for pictures to be removed, count + 2 for webhooks, count + 3 for
-- pictures to be moved (not for servers from before schema 46, which do not name it), without a
-- lane.
-- `at` is when the first row there was due, where a claim begins. A row that another host has
-- locked counts: the claim finds it locked. Jobs that a child leads are looked at only when its
-- lease is over.
-- Servers from before schema 32 send neither p_back nor p_ahead and no times behind those of the
-- types; they read only place and the first row's at.
-- Called by: one child of each host, at least once in GenflowDispatchPoll. Locks: none. The plan is
-- pinned as a claim's.
CREATE OR REPLACE FUNCTION genflow.due(p_types text[], p_since timestamptz[],
                                       p_back interval DEFAULT '10 seconds',
                                       p_ahead interval DEFAULT '0 seconds')
RETURNS TABLE (place integer, at timestamptz, lane integer, wait_ms integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
    SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    v_now   timestamptz := clock_timestamp();
    v_until timestamptz := v_now + p_ahead;
    v_count CONSTANT integer := cardinality(p_types);
    v_nos   smallint[];
    v_places integer[] := '{}';
    v_lanes integer[] := '{}';
    v_ats   timestamptz[] := '{}';
    v_since timestamptz;
    v_at    timestamptz;
    v_later timestamptz;
    -- when a child's lease is over, its jobs are due
    v_next  timestamptz := (SELECT min(c.expires) FROM genflow.children c
                             WHERE c.expires > v_now AND c.expires <= v_until);
    v_dead CONSTANT text[] := ARRAY(SELECT c.owner FROM genflow.children c
                                     WHERE c.expires <= v_now);
BEGIN
    v_nos := ARRAY(SELECT (SELECT t.no FROM genflow.types t WHERE t.name = n.name)
                     FROM unnest(p_types) WITH ORDINALITY AS n(name, at) ORDER BY n.at);
    FOR i IN 1 .. v_count LOOP
        v_since := least(p_since[4 * i - 3], v_now) - p_back;
        v_at := (SELECT w.due_at FROM genflow.work w
                  WHERE w.type_no = v_nos[i] AND w.due_at BETWEEN v_since AND v_now
                  ORDER BY w.due_at LIMIT 1);
        v_later := (SELECT w.due_at FROM genflow.work w
                     WHERE w.type_no = v_nos[i] AND w.due_at > v_now AND w.due_at <= v_until
                     ORDER BY w.due_at LIMIT 1);
        v_next := least(v_next, v_later);
        IF v_dead <> '{}' AND v_at IS NULL THEN
            v_later := (SELECT min(w.leased_until) FROM genflow.work w
                         WHERE w.led AND w.lease_owner = ANY (v_dead)
                           AND (w.type_no = v_nos[i]) IS TRUE AND w.leased_until <= v_until);
            v_at := CASE WHEN v_later <= v_now THEN v_now END;
            v_next := least(v_next, CASE WHEN v_later > v_now THEN v_later END);
        END IF;
        FOR l IN 0 .. 3 LOOP
            IF l > 0 THEN
                v_since := least(p_since[4 * i - 3 + l], v_now) - p_back;
                v_at := (SELECT least(w.turn, v_now) FROM genflow.work w
                          WHERE w.type_no = v_nos[i] AND w.priority = (2 - l)::smallint
                            AND w.turn >= v_since AND w.deadline_at > v_now
                          ORDER BY w.turn LIMIT 1);
            END IF;
            IF v_at IS NOT NULL THEN
                v_places := v_places || (i - 1);
                v_lanes := v_lanes || l;
                v_ats := v_ats || v_at;
            END IF;
        END LOOP;
    END LOOP;
    FOR k IN 0 .. CASE WHEN cardinality(p_since) > 4 * v_count + 3 THEN 3 ELSE 2 END LOOP
        v_since := least(coalesce(p_since[4 * v_count + 1 + k], '-infinity'), v_now) - p_back;
        IF k = 0 THEN
            v_at := (SELECT r.due_at FROM genflow.restores r
                      WHERE r.due_at BETWEEN v_since AND v_now AND r.type_no = ANY (v_nos)
                      ORDER BY r.due_at LIMIT 1);
            v_later := (SELECT r.due_at FROM genflow.restores r
                         WHERE r.due_at > v_now AND r.due_at <= v_until
                           AND r.type_no = ANY (v_nos)
                         ORDER BY r.due_at LIMIT 1);
        ELSIF k = 1 THEN
            v_at := (SELECT r.due_at FROM genflow.removals r
                      WHERE r.due_at BETWEEN v_since AND v_now AND r.type_no = ANY (v_nos)
                      ORDER BY r.due_at LIMIT 1);
            v_later := (SELECT r.due_at FROM genflow.removals r
                         WHERE r.due_at > v_now AND r.due_at <= v_until
                           AND r.type_no = ANY (v_nos)
                         ORDER BY r.due_at LIMIT 1);
        ELSIF k = 2 THEN
            v_at := (SELECT d.due_at FROM genflow.deliveries d
                      WHERE d.due_at BETWEEN v_since AND v_now AND d.type_no = ANY (v_nos)
                      ORDER BY d.due_at LIMIT 1);
            v_later := (SELECT d.due_at FROM genflow.deliveries d
                         WHERE d.due_at > v_now AND d.due_at <= v_until
                           AND d.type_no = ANY (v_nos)
                         ORDER BY d.due_at LIMIT 1);
        ELSE
            v_at := (SELECT g.due_at FROM genflow.moving g
                      WHERE g.due_at BETWEEN v_since AND v_now AND g.type_no = ANY (v_nos)
                      ORDER BY g.due_at LIMIT 1);
            v_later := (SELECT g.due_at FROM genflow.moving g
                         WHERE g.due_at > v_now AND g.due_at <= v_until
                           AND g.type_no = ANY (v_nos)
                         ORDER BY g.due_at LIMIT 1);
        END IF;
        v_next := least(v_next, v_later);
        IF v_at IS NOT NULL THEN
            v_places := v_places || (v_count + k);
            v_lanes := v_lanes || NULL::integer;
            v_ats := v_ats || v_at;
        END IF;
    END LOOP;
    at := v_now;
    wait_ms := ceil(extract(epoch FROM v_next - v_now) * 1000);
    RETURN NEXT;
    wait_ms := NULL;
    FOR i IN 1 .. cardinality(v_places) LOOP
        place := v_places[i];
        lane := v_lanes[i];
        at := v_ats[i];
        RETURN NEXT;
    END LOOP;
END $$;
