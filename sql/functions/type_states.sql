-- SPDX-License-Identifier: Apache-2.0
-- type_states(p_types, p_windows): what each of these types is like now. p_windows: the presets
-- that are on in a week of each (presets()). A row for each name; one that create_type() does not
-- know is not there.
--   is_there          its table exists
--   p50, p90          milliseconds that its successes take; NULL: none is known
--   presets, on       active presets, and those of them that are on now
--   open_breakers     in each row the same: a line "provider/model" for every open breaker, and a
--                     line feed before the first and behind the last
--   spent             ... in the same way "provider number": what its submissions of today cost
-- Called by: GET types. Locks: none. Reads up to 200 presets of a type, and 4,096 breakers.
CREATE OR REPLACE FUNCTION genflow.type_states(p_types text[], p_windows integer[])
RETURNS TABLE (type text, is_there boolean, p50 bigint, p90 bigint, presets integer,
               presets_on integer, open_breakers text, spent text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH shared AS MATERIALIZED (
        SELECT (SELECT concat(E'\n', string_agg(b.provider || '/' || b.model || E'\n', ''))
                  FROM (SELECT o.provider, o.model FROM genflow.breakers o
                         WHERE o.open_until > statement_timestamp() LIMIT 4096) b) AS breakers,
               (SELECT concat(E'\n', string_agg(b.provider || ' ' || b.spent || E'\n', ''))
                  FROM genflow.budgets() b) AS spent
    )
    SELECT n.name, to_regclass(quote_ident(t.media_schema) || '.' || quote_ident(t.media_table))
           IS NOT NULL,
           e.p50, e.p90, p.active::integer, p.on_now::integer, s.breakers, s.spent
      FROM unnest(p_types, p_windows) WITH ORDINALITY AS n (name, width, place)
     CROSS JOIN shared s
      LEFT JOIN genflow.types t ON t.name = n.name
      LEFT JOIN genflow.expected e ON e.type_no = t.no
     CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE r.is_active) AS active,
                                count(*) FILTER (WHERE r.is_on) AS on_now
                           FROM genflow.presets(n.name, n.width) r) p
     ORDER BY n.place
$$;
