-- SPDX-License-Identifier: Apache-2.0
-- The place of a job in our own queue. The queue of a type has three lanes (high, normal, low),
-- each in the order of `turn` (work_line()). A look reads at most 198 rows of a lane, however many
-- wait.
--
-- lane_ahead(p_type, p_priority, p_turn): how many jobs of that lane come before p_turn. It counts
-- up to 100. Beyond that it measures at eight instants between the head of the lane and the nearest
-- hundred how close together jobs are, and estimates. `head` is the first of them; NULL: none is.
-- Called by: queue_place(). Locks: none. The plan is pinned as that of a claim.
CREATE OR REPLACE FUNCTION genflow.lane_ahead(p_type smallint, p_priority smallint,
                                              p_turn timestamptz,
                                              OUT ahead bigint, OUT head uuid)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
    SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    v_counted CONSTANT integer := 100;
    v_probes  CONSTANT integer := 8;
    v_first   timestamptz;                                  -- turn of the head
    v_from    timestamptz;                                  -- of the first job that is counted
    v_slice   interval;
    v_at      timestamptz;
    v_rows    integer;
    v_last    timestamptz;
BEGIN
    SELECT count(*), min(s.turn), (array_agg(s.job_id))[count(*)::integer] INTO ahead, v_from, head
      FROM (SELECT w.turn, w.job_id FROM genflow.work w
             WHERE w.type_no = p_type AND w.priority = p_priority AND w.turn < p_turn
             ORDER BY w.turn DESC LIMIT v_counted + 1) s;
    IF ahead <= v_counted THEN
        RETURN;
    END IF;
    SELECT w.turn, w.job_id INTO v_first, head FROM genflow.work w
     WHERE w.type_no = p_type AND w.priority = p_priority AND w.turn <= v_from
     ORDER BY w.turn LIMIT 1;
    v_slice := (v_from - v_first) / v_probes;
    FOR i IN 0 .. v_probes - 1 LOOP
        v_at := v_first + v_slice * (i + 0.5);
        SELECT count(*), max(s.turn) INTO v_rows, v_last
          FROM (SELECT w.turn FROM genflow.work w
                 WHERE w.type_no = p_type AND w.priority = p_priority
                   AND w.turn BETWEEN v_at AND v_from ORDER BY w.turn LIMIT 12) s;
        ahead := ahead + v_rows * extract(epoch FROM v_slice)
                 / greatest(extract(epoch FROM v_last - v_at), 0.000001);
    END LOOP;
END $$;

-- queue_place(p_type, p_priority, p_turn): how many jobs of the type come before that one, which is
-- not counted. Above 100 it is an estimate of two digits. `head` is the first job of its lane;
-- NULL: the lane has none before it.
-- Called by: <prefix>_get for a job that no host has begun. Locks: none.
CREATE OR REPLACE FUNCTION genflow.queue_place(p_type smallint, p_priority smallint,
                                               p_turn timestamptz,
                                               OUT place bigint, OUT head uuid)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT l.ahead, l.head INTO place, head
      FROM genflow.lane_ahead(p_type, p_priority, p_turn) l;
    FOR v_priority IN p_priority + 1 .. 1 LOOP
        place := place + (genflow.lane_ahead(p_type, v_priority::smallint, 'infinity')).ahead;
    END LOOP;
    IF place > 100 THEN
        place := round(place::numeric, 1 - floor(log(place::numeric))::integer);
    END IF;
END $$;
