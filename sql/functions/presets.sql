-- SPDX-License-Identifier: Apache-2.0
-- presets(p_type, p_window, p_at): the presets of a type, each with whether it is available in the
-- week of p_at. Called by: the module, every few seconds while requests need it; GET presets.
-- Locks: none. Up to 200 rows.
-- Weeks begin on Monday, UTC. In each week of a cycle a window of p_window presets is available:
-- week 1 has the first ones in the order of rotation_index, week 2 the ones after them, and the
-- last week is filled up from the start. A preset with a preset_week is available in that week
-- instead. A preset with neither is always available, and so is every preset if p_window is 0. The
-- cycle is as long as the rotation, or the largest preset_week, needs. An inactive preset is never
-- available.
--   parameters     all parameters that the preset gives a generation, with strength and
--                  negative_prompt
--   week           the (first) week of the cycle in which it is available; NULL: not bound to weeks
--   available_at   the Monday on which it is available again; NULL: it is available, or inactive
--   current_week   the week of the cycle that p_at is in, from 1; the same in all rows
CREATE OR REPLACE FUNCTION genflow.presets(p_type text, p_window integer,
                                           p_at timestamptz DEFAULT now())
RETURNS TABLE (id bigint, key text, label text, description text, category text, prompt text,
               negative_prompt text,
               strength numeric, parameters jsonb, rotation_index integer, week integer,
               available_at text, current_week integer,
               is_active boolean, is_on boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH listed AS (
        SELECT p.*, p.is_active AND p_window > 0 AND p.preset_week IS NULL
            AND p.rotation_index IS NOT NULL AS rotates
          FROM genflow.presets_config p WHERE p.type = p_type
    ),
    placed AS (
        SELECT l.*, CASE WHEN l.rotates THEN
                    row_number() OVER (PARTITION BY l.rotates ORDER BY l.rotation_index, l.id) - 1
                        END AS place
          FROM listed l
    ),
    cycle AS (
        SELECT count(p.place) AS places,
               greatest(1, (count(p.place) + p_window - 1) / nullif(p_window, 0),
                        max(p.preset_week) FILTER (WHERE p.is_active AND p_window > 0)) AS weeks,
               ((p_at AT TIME ZONE 'UTC')::date - DATE '1970-01-05') / 7 AS now
          FROM placed p
    )
    SELECT p.id, p.key, p.label, p.description, p.category, p.prompt, p.negative_prompt, p.strength,
           jsonb_strip_nulls(jsonb_build_object('strength', p.strength, 'negative_prompt',
                                                p.negative_prompt)) || p.parameters,
           p.rotation_index,
           CASE WHEN p.rotates THEN p.place / p_window + 1 WHEN p_window > 0 THEN p.preset_week
               END::integer,
           CASE WHEN next.weeks > 0 THEN
                genflow.iso((DATE '1970-01-05' + 7 * (c.now + next.weeks))::timestamp
                            AT TIME ZONE 'UTC') END,
           (c.now % c.weeks + 1)::integer, p.is_active, next.weeks IS NOT DISTINCT FROM 0
      FROM placed p CROSS JOIN cycle c
     -- weeks until it is available: from now on, the first week of a cycle that has it
     CROSS JOIN LATERAL (
        SELECT min(s.n) AS weeks
          FROM generate_series(0, c.weeks::integer - 1) AS s(n),
              LATERAL (SELECT (c.now + s.n) % c.weeks AS of_cycle) w
         WHERE p.is_active
           AND CASE WHEN p.rotates
               THEN ((p.place - w.of_cycle * p_window) % c.places + c.places) % c.places < p_window
                    WHEN p_window > 0 AND p.preset_week IS NOT NULL
                        THEN w.of_cycle = p.preset_week - 1
                    ELSE true END) next
     ORDER BY p.rotation_index, p.id LIMIT 200
$$;

-- preset_touch(): records when a preset was last edited. Called by: the trigger of presets_config.
CREATE OR REPLACE FUNCTION genflow.preset_touch() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;
