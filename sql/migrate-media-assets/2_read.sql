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
     WHERE c.relnamespace = to_regnamespace(quote_ident(p_schema))
       AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
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

-- look(p_schema): refuses a schema that is not there.
CREATE OR REPLACE FUNCTION genflow_migrate.look(p_schema text) RETURNS void
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF to_regnamespace(quote_ident(p_schema)) IS NULL THEN
        RAISE EXCEPTION 'genflow-migrate: there is no schema %: correct --schema', p_schema;
    END IF;
END $$;

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

-- json_of(p_row, p_id): a row as an object of its columns. A column of type json may hold what
-- jsonb cannot (\u0000), and a value may be too large. If the row cannot be read without its \u0000
-- either, the object has its id and the member `unreadable`.
CREATE OR REPLACE FUNCTION genflow_migrate.json_of(p_row anyelement, p_id text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_why text;
BEGIN
    RETURN to_jsonb(p_row);
EXCEPTION WHEN data_exception OR program_limit_exceeded OR out_of_memory THEN
    v_why := left(SQLERRM, 200);
    BEGIN
        RETURN regexp_replace(to_json(p_row)::text, '(?<!\\)((\\\\)*)\\u0000', '\1\\ufffd',
                              'g')::jsonb;
    EXCEPTION WHEN data_exception OR program_limit_exceeded OR out_of_memory THEN
        RETURN jsonb_build_object('id', p_id, 'unreadable', v_why);
    END;
END $$;

-- is_true(p_text): yes, in the words of any type of column.
CREATE OR REPLACE FUNCTION genflow_migrate.is_true(p_text text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT lower(btrim(p_text)) IN ('true', 't', 'yes', 'y', 'on', '1')
$$;

-- user_of(p_user, p_uuids): a user's name without spaces around it; where users have UUIDs
-- (p_uuids), in the small letters of one.
CREATE OR REPLACE FUNCTION genflow_migrate.user_of(p_user text, p_uuids boolean) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_user text := btrim(p_user, E' \t\r\n');
BEGIN
    IF p_uuids AND v_user ~ '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$' THEN
        RETURN lower(v_user);
    END IF;
    RETURN nullif(v_user, '');
END $$;

-- user_uuids(p_schema): whether the older system's users have UUIDs.
CREATE OR REPLACE FUNCTION genflow_migrate.user_uuids(p_schema text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM pg_attribute a
                    WHERE a.attrelid = to_regclass(format('%I.users', p_schema))
                      AND a.attname = 'id' AND a.atttypid = 'uuid'::regtype)
$$;

-- time_of(p_text): an instant from text; without a zone it is in that of the session (--zone).
-- NULL: it is none, or an infinite one.
CREATE OR REPLACE FUNCTION genflow_migrate.time_of(p_text text) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_time timestamptz;
BEGIN
    v_time := p_text;
    RETURN CASE WHEN isfinite(v_time) THEN v_time END;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

-- time_of(p_number): an instant from the seconds, or milliseconds, since 1970.
CREATE OR REPLACE FUNCTION genflow_migrate.time_of(p_number double precision) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN abs(p_number) < 1e11 THEN to_timestamp(p_number)
                WHEN abs(p_number) < 1e14 THEN to_timestamp(p_number / 1000) END
$$;

-- tags_of(p_value): tags from an array of SQL or JSON, or from one text, which may be an array's.
CREATE OR REPLACE FUNCTION genflow_migrate.tags_of(p_value jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_value jsonb := p_value;
    v_text  text := btrim(p_value #>> '{}');
BEGIN
    IF jsonb_typeof(p_value) = 'string' THEN
        BEGIN
            v_value := CASE WHEN v_text LIKE '{%}' THEN to_jsonb(v_text::text[])
                            WHEN v_text LIKE '[%]' THEN v_text::jsonb ELSE p_value END;
        EXCEPTION WHEN data_exception THEN
            v_value := p_value;                            -- the text is the tag
        END;
    END IF;
    RETURN CASE jsonb_typeof(v_value)
           WHEN 'array' THEN (SELECT array_agg(e.tag ORDER BY e.place)
                                FROM jsonb_array_elements_text(v_value)
                                     WITH ORDINALITY AS e(tag, place) WHERE e.tag IS NOT NULL)
           WHEN 'string' THEN CASE WHEN v_text <> '' THEN ARRAY[v_value #>> '{}'] END END;
END $$;

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

-- row_query(p_source, p_rel, p_where, p_careful): text of the query for the rows of a table as they
-- become ours. to_jsonb() makes every column that is missing a NULL, and gives text for a uuid; the
-- types of id and the times alone are looked up. Names that systems used for one thing stand in the
-- order in which they count. OFFSET 0: computed once for each row. p_careful: reads the rows, too,
-- that to_jsonb() fails for, and is slower.
--
-- legacy_id: the id as it is there (more than 800 bytes are cut, and are no id of ours). canon: as
-- it is kept and looked for, a UUID in small letters. nth: among the rows of one legacy_id.
CREATE OR REPLACE FUNCTION genflow_migrate.row_query(p_source text, p_rel regclass, p_where text,
                                                     p_careful boolean DEFAULT false)
RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_created text := genflow_migrate.time_query(p_rel, 'created_at');
    v_updated text := genflow_migrate.time_query(p_rel, 'updated_at');
    v_uuids   boolean := (SELECT genflow_migrate.user_uuids(n.nspname) FROM pg_class c
                          JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = p_rel);
    -- char(n) is padded
    v_id      text := (SELECT CASE a.atttypid WHEN 'bpchar'::regtype THEN 'rtrim(j->>''id'')'
                                              ELSE 'j->>''id''' END
                         FROM pg_attribute a WHERE a.attrelid = p_rel AND a.attname = 'id');
BEGIN
    RETURN format($q$
    SELECT n.*, %4$s AS rule FROM (
    SELECT %1$L::text AS source, i.legacy_id, i.canon,
           row_number() OVER (PARTITION BY i.legacy_id ORDER BY j->>'created_at', j::text) AS nth,
           j, genflow_migrate.user_of(j->>'user_id', %8$L) AS user_id, o.meta, o.meta_name,
           btrim(lower(o.meta->>'mode')) AS meta_mode, btrim(lower(j->>'mode')) AS mode,
           btrim(lower(coalesce(o.meta->>'generation_type', o.meta->>'generationType',
                                j->>'generation_type'))) AS generation_type,
           lower(p.preset) AS key, nullif(nullif(p.preset, ''), 'default') AS preset,
           coalesce(j->>'prompt', '') AS prompt,
           CASE WHEN u.picture LIKE '//%%' THEN 'https:' || u.picture ELSE u.picture END AS picture,
           nullif(btrim(j->>'source_url', E' \t\r\n'), '') AS source_url,
           nullif(j->>'run_id', '') AS run_id,
           coalesce(btrim(lower(j->>'status')), '') AS status,
           CASE WHEN v.visible = 'public' OR v.is_public THEN 'public' ELSE 'private' END
               AS visibility,
           v.visible = 'public' AND NOT v.is_public OR v.visible = 'private' AND v.is_public
               AS contradicts,
           coalesce(genflow_migrate.is_true(j->>'allow_remix'), false) AS allow_remix,
           genflow_migrate.tags_of(j->'tags') AS tags,
           %5$s AS created_at, %6$s AS updated_at
      FROM (SELECT %7$s AS j, s.* FROM %2$s s WHERE %3$s OFFSET 0) s
     CROSS JOIN LATERAL (
        SELECT w.legacy_id,
               CASE WHEN w.legacy_id ~ '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$'
                    THEN lower(w.legacy_id) ELSE w.legacy_id END AS canon
          FROM (SELECT CASE WHEN octet_length(%9$s) > 800
                            THEN left(%9$s, 100) || ' ... ' || md5(%9$s)
                            ELSE coalesce(%9$s, '') END AS legacy_id) w
        OFFSET 0) i
     CROSS JOIN LATERAL (
        SELECT CASE WHEN jsonb_typeof(j->m.name) = 'object' THEN j->m.name
                    WHEN m.name IS NOT NULL THEN genflow_migrate.object_of(j->m.name) END AS meta,
               m.name AS meta_name
          FROM (SELECT CASE WHEN jsonb_typeof(j->'meta') = 'object' THEN 'meta'
                            WHEN jsonb_typeof(j->'metadata') = 'object' THEN 'metadata'
                            WHEN jsonb_typeof(j->'meta') = 'string'
                                 AND genflow_migrate.object_of(j->'meta') IS NOT NULL THEN 'meta'
                            WHEN jsonb_typeof(j->'metadata') = 'string'
                                 AND genflow_migrate.object_of(j->'metadata') IS NOT NULL
                            THEN 'metadata' END AS name) m
        OFFSET 0) o
     CROSS JOIN LATERAL (
        SELECT btrim(coalesce(nullif(j->>'preset_key', ''), nullif(j->>'preset', ''),
                              nullif(o.meta->>'presetKey', ''), nullif(o.meta->>'preset_key', ''),
                              nullif(j->>'preset_id', ''))) AS preset
        OFFSET 0) p
     CROSS JOIN LATERAL (
        SELECT btrim(coalesce(nullif(j->>'final_url', ''), nullif(j->>'result_url', ''),
                              nullif(j->>'image_url', ''), nullif(j->>'cloudinary_url', ''),
                              nullif(j->>'url', '')), E' \t\r\n') AS picture
        OFFSET 0) u
     CROSS JOIN LATERAL (
        SELECT btrim(lower(j->>'visibility')) AS visible,
               genflow_migrate.is_true(j->>'is_public') AS is_public
        OFFSET 0) v) n OFFSET 0$q$,
        p_source, p_rel, p_where, genflow_migrate.rule_query(), v_created, v_updated,
        CASE WHEN p_careful THEN 'genflow_migrate.json_of(s, s.id::text)' ELSE 'to_jsonb(s)' END,
        v_uuids, v_id);
END $$;

-- time_query(p_rel, p_column): how an instant is read from that column; infinite ones count as
-- missing.
CREATE OR REPLACE FUNCTION genflow_migrate.time_query(p_rel regclass, p_column text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT CASE WHEN a.atttypid IN ('timestamp'::regtype, 'timestamptz'::regtype,
                                        'date'::regtype)
                    THEN format('CASE WHEN isfinite(s.%1$I) THEN s.%1$I::timestamptz END', p_column)
                    WHEN a.atttypid IN ('bigint'::regtype, 'integer'::regtype, 'numeric'::regtype,
                                        'double precision'::regtype, 'real'::regtype)
                    THEN format('genflow_migrate.time_of(s.%I::double precision)', p_column)
                    ELSE format('genflow_migrate.time_of(s.%I::text)', p_column) END
          FROM pg_attribute a
         WHERE a.attrelid = p_rel AND a.attname = p_column AND NOT a.attisdropped),
        'NULL::timestamptz')
$$;
