-- SPDX-License-Identifier: Apache-2.0
-- How genflow-migrate reads the older system's tables, whatever columns they have.

-- types(): the shipped types, with their numbers where sql/apply was here already.
CREATE OR REPLACE FUNCTION genflow_migrate.types()
RETURNS TABLE (name text, no smallint, media_schema text, media_table text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF to_regclass('genflow.types') IS NULL THEN
        RETURN QUERY SELECT v.name, 0::smallint, 'public', replace(v.name, '-', '_') || '_media'
          FROM unnest(ARRAY['neo-glitch', 'emotion-mask', 'presets', 'ghibli-reaction',
                            'custom-prompt']) AS v(name);
    ELSE
        RETURN QUERY EXECUTE
            'SELECT t.name, t.no, t.media_schema, t.media_table FROM genflow.types t';
    END IF;
END $$;

-- in_the_way(p_schema): tables of that schema that have the names of ours and are not ours: they
-- become <name>_old.
CREATE OR REPLACE FUNCTION genflow_migrate.in_the_way(p_schema text) RETURNS SETOF text
LANGUAGE sql STABLE AS $$
    SELECT c.relname::text FROM pg_class c
     WHERE c.relnamespace = to_regnamespace(quote_ident(p_schema)) AND c.relkind IN ('r', 'p', 'v',
         'm')
       AND c.relname = ANY (ARRAY['neo_glitch_media', 'emotion_mask_media', 'presets_media',
                                  'ghibli_reaction_media', 'custom_prompt_media'])
       AND (to_regclass('genflow.types') IS NULL OR NOT EXISTS (
            SELECT FROM genflow_migrate.types() t
             WHERE (t.media_schema, t.media_table) = (p_schema, c.relname)))
     ORDER BY 1
$$;

-- sources(p_schema): the tables that are moved: media_assets first, whose meta.mode is the truth.
-- name: as it is called in the end; rel: as it is called now.
CREATE OR REPLACE FUNCTION genflow_migrate.sources(p_schema text)
RETURNS TABLE (name text, rel regclass)
LANGUAGE sql STABLE AS $$
    SELECT v.name, c.oid::regclass
      FROM (SELECT 0 AS place, 'media_assets' AS name, 'media_assets' AS now
            UNION ALL
            SELECT 1, t || '_old', t || '_old'
              FROM unnest(ARRAY['neo_glitch_media', 'emotion_mask_media', 'presets_media',
                                'ghibli_reaction_media', 'custom_prompt_media']) AS t
            UNION ALL
            SELECT 1, w || '_old', w FROM genflow_migrate.in_the_way(p_schema) AS w) v
      JOIN pg_class c ON c.relnamespace = to_regnamespace(quote_ident(p_schema))
          AND c.relname = v.now
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
     ORDER BY v.place, v.name
$$;

-- object_of(p_value): a JSON object, given as one or as its text; else NULL.
CREATE OR REPLACE FUNCTION genflow_migrate.object_of(p_value jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v jsonb := p_value;
BEGIN
    IF jsonb_typeof(v) = 'string' THEN
        v := (v #>> '{}')::jsonb;
    END IF;
    RETURN CASE WHEN jsonb_typeof(v) = 'object' THEN v END;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

-- time_of(p_text): an instant from text; without a zone it is in that of the session (--zone).
CREATE OR REPLACE FUNCTION genflow_migrate.time_of(p_text text) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN p_text::timestamptz;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

-- tags_of(p_value): tags from an array of SQL or JSON, or from one text.
CREATE OR REPLACE FUNCTION genflow_migrate.tags_of(p_value jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE jsonb_typeof(p_value)
           WHEN 'array' THEN (SELECT array_agg(e.tag ORDER BY e.place)
                                FROM jsonb_array_elements_text(p_value)
                                     WITH ORDINALITY AS e(tag, place) WHERE e.tag IS NOT NULL)
           WHEN 'string' THEN CASE WHEN p_value #>> '{}' <> '' THEN ARRAY[p_value #>> '{}'] END END
$$;

-- make_id(p_type, p_at, p_legacy): the id of today for an older one: a UUIDv7 of its time, so that
-- lists keep their order, and always the same for the same row.
CREATE OR REPLACE FUNCTION genflow_migrate.make_id(p_type integer, p_at timestamptz, p_legacy text)
RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM p_at) * 1000)::bigint), 12, '0') || '7' || substr(h, 1,
        3)
            || '8' || substr(h, 4, 3) || lpad(to_hex(p_type), 2, '0') || '00' || substr(h, 7,
                8))::uuid
      FROM md5(p_legacy) AS h
$$;

-- rule_query(): which rule classifies a row `n` (below), as one CASE; NULL: none.
CREATE OR REPLACE FUNCTION genflow_migrate.rule_query() RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT coalesce('CASE ' || string_agg(format('WHEN %s LIKE %L THEN %s',
               CASE r.field WHEN 'meta.mode' THEN 'n.meta_mode' WHEN 'table' THEN 'n.source'
                            WHEN 'prompt' THEN 'lower(n.prompt)' WHEN 'preset_key' THEN 'n.key'
                            ELSE 'n.' || r.field END, r.pattern, r.no), ' '
                                ORDER BY r.no) || ' END',
           'NULL::integer')
      FROM genflow_migrate.rules r
$$;

-- row_query(p_source, p_rel, p_where): text of the query for the rows of a table as they become
-- ours. to_jsonb() makes every column that is missing a NULL, and gives text for a uuid; only the
-- types of the times are looked up. Names that systems used for one thing stand in the order in
-- which they count. OFFSET 0: computed once for each row.
CREATE OR REPLACE FUNCTION genflow_migrate.row_query(p_source text, p_rel regclass, p_where text)
RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_created text := genflow_migrate.time_query(p_rel, 'created_at');
    v_updated text := genflow_migrate.time_query(p_rel, 'updated_at');
BEGIN
    RETURN format($q$
    SELECT n.*, %4$s AS rule FROM (
    SELECT %1$L::text AS source, coalesce(j->>'id', '') AS legacy_id,
           row_number() OVER (PARTITION BY coalesce(j->>'id', '') ORDER BY j->>'created_at',
               j::text) AS nth, j,
           nullif(btrim(j->>'user_id'), '') AS user_id, o.meta,
           lower(o.meta->>'mode') AS meta_mode, lower(j->>'mode') AS mode,
           lower(coalesce(o.meta->>'generation_type', o.meta->>'generationType',
                          j->>'generation_type')) AS generation_type,
           lower(p.preset) AS key, nullif(nullif(p.preset, ''), 'default') AS preset,
           coalesce(j->>'prompt', '') AS prompt,
           coalesce(nullif(j->>'final_url', ''), nullif(j->>'result_url', ''),
                    nullif(j->>'image_url', ''), nullif(j->>'cloudinary_url', ''),
                    nullif(j->>'url', '')) AS picture,
           nullif(j->>'source_url', '') AS source_url, nullif(j->>'run_id', '') AS run_id,
           coalesce(lower(nullif(j->>'status', '')), '') AS status,
           CASE WHEN lower(j->>'visibility') = 'public' OR j->>'is_public' = 'true' THEN 'public'
                ELSE 'private' END AS visibility,
           lower(j->>'visibility') = 'public' AND j->>'is_public' = 'false'
               OR lower(j->>'visibility') = 'private' AND j->>'is_public' = 'true' AS contradicts,
           coalesce(j->>'allow_remix' = 'true', false) AS allow_remix,
           genflow_migrate.tags_of(j->'tags') AS tags,
           %5$s AS created_at, %6$s AS updated_at
      FROM (SELECT to_jsonb(s) AS j, s.* FROM %2$s s WHERE %3$s OFFSET 0) s
     CROSS JOIN LATERAL (
        SELECT CASE WHEN jsonb_typeof(coalesce(j->'meta', j->'metadata')) = 'object'
                    THEN coalesce(j->'meta', j->'metadata')
                    ELSE coalesce(genflow_migrate.object_of(j->'meta'),
                                  genflow_migrate.object_of(j->'metadata')) END AS meta
        OFFSET 0) o
     CROSS JOIN LATERAL (
        SELECT coalesce(nullif(j->>'preset_key', ''), nullif(j->>'preset', ''),
                        nullif(o.meta->>'presetKey', ''), nullif(o.meta->>'preset_key', ''),
                        nullif(j->>'preset_id', '')) AS preset
        OFFSET 0) p) n OFFSET 0$q$,
        p_source, p_rel, p_where, genflow_migrate.rule_query(), v_created, v_updated);
END $$;

-- time_query(p_rel, p_column): how an instant is read from that column; infinite ones count as
-- missing.
CREATE OR REPLACE FUNCTION genflow_migrate.time_query(p_rel regclass, p_column text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT CASE WHEN a.atttypid IN ('timestamp'::regtype, 'timestamptz'::regtype,
            'date'::regtype)
                    THEN format('CASE WHEN isfinite(s.%1$I) THEN s.%1$I::timestamptz END', p_column)
                    ELSE format('genflow_migrate.time_of(s.%I::text)', p_column) END
          FROM pg_attribute a
         WHERE a.attrelid = p_rel AND a.attname = p_column AND NOT a.attisdropped),
        'NULL::timestamptz')
$$;
