-- SPDX-License-Identifier: Apache-2.0
-- Galleries as front ends of older systems know them: pages by offset, of a user's own pictures or
-- of everybody's public ones; and what a user may change of a picture of their own. Only completed
-- generations are in them. A type whose table is gone is left out.

-- gallery_query(p_types, p_user): text of the query for (no, user_id, id, created_at) of the newest
-- $2 rows of each type: those of account $1, or, if p_user has no name, the public ones of all
-- users of the realm $3. Called by: gallery, gallery_count.
CREATE OR REPLACE FUNCTION genflow.gallery_query(p_types text[], p_user text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(format('(SELECT %s AS no, m.user_id, m.id, m.created_at FROM %I.%I m '
                             'WHERE m.status = ''completed'' AND m.image_url IS NOT NULL AND %s '
                             'ORDER BY m.created_at DESC, m.id DESC LIMIT $2)',
                             t.no, t.media_schema, t.media_table,
                             CASE WHEN genflow.name_of(p_user) <> '' THEN 'm.user_id = $1'
                                  WHEN genflow.has_realms() THEN
                                      '$1 IS NULL AND m.visibility = ''public'' AND EXISTS (SELECT '
                                      'FROM genflow.accounts a WHERE a.user_id = m.user_id '
                                      'AND a.realm = $3)'
                                  ELSE '$1 IS NULL AND $3 = '''' AND '
                                       'm.visibility = ''public''' END),
                      ' UNION ALL ' ORDER BY t.no)
      FROM genflow.types t
     WHERE t.name = ANY (p_types)
       AND to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NOT NULL
$$;

-- gallery(p_user, p_types, p_offset, p_limit): one page, newest first, without the first p_offset
-- rows: the pictures of p_user, or, if that has an empty name, the public ones of all users of that
-- realm; NULL: of those without a realm. Called by: GET getUserMedia; feed. Locks: none. The cost
-- grows with p_offset, which the caller bounds.
CREATE OR REPLACE FUNCTION genflow.gallery(p_user text, p_types text[], p_offset integer,
                                           p_limit integer)
RETURNS SETOF genflow.generation
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_rows text := genflow.gallery_query(p_types, p_user);
    v_read text := (SELECT string_agg(format('SELECT g.*, p.created_at AS newest FROM page p, '
                                             'LATERAL genflow.%I(genflow.identity_of(p.user_id), '
                                             'p.id) g '
                                             'WHERE p.no = %s', t.prefix || '_get', t.no),
                                      ' UNION ALL ')
                      FROM genflow.types t WHERE t.name = ANY (p_types));
BEGIN
    IF v_rows IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'WITH page AS MATERIALIZED (SELECT * FROM (%s) u ORDER BY u.created_at DESC, u.id DESC '
        'OFFSET $4 LIMIT $5) SELECT %s FROM (%s) r ORDER BY r.newest DESC, r.id DESC', v_rows,
        (SELECT string_agg('r.' || a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a
          WHERE a.attrelid = 'genflow.generation'::regclass AND a.attnum > 0
            AND NOT a.attisdropped), v_read)
      USING genflow.account_of(p_user), p_offset + p_limit,
            coalesce(genflow.realm_of(p_user), ''), p_offset, p_limit;
END $$;

-- public_name(p_user): the name of a user for everybody else: the same in all feeds, and nobody can
-- compute it from the user's, which may be an address of mail or of a network. resume() changes it.
-- Called by: feed. Locks: none.
CREATE OR REPLACE FUNCTION genflow.public_name(p_user text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'user-' || left(encode(sha256(convert_to(s.line || ' ' || p_user, 'UTF8')), 'hex'), 12)
      FROM genflow.site s
$$;

-- feed(p_viewer, p_types, p_offset, p_limit): gallery() of the public pictures of all users of
-- the realm of p_viewer, each under the public name of its user, but those of p_viewer. Nobody
-- signed in: NULL, or an identity with an empty name. Called by: GET feed, getPublicFeed,
-- getNeoGlitchFeed. Locks: none.
CREATE OR REPLACE FUNCTION genflow.feed(p_viewer text, p_types text[], p_offset integer,
                                        p_limit integer)
RETURNS SETOF genflow.generation
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    g genflow.generation;
BEGIN
    FOR g IN SELECT * FROM genflow.gallery(
        coalesce(genflow.realm_of(p_viewer), '') || chr(31), p_types, p_offset, p_limit) LOOP
        IF g.user_id IS DISTINCT FROM p_viewer THEN
            g.user_id := genflow.public_name(g.user_id);
        END IF;
        RETURN NEXT g;
    END LOOP;
END $$;

-- gallery_count(p_user, p_types, p_most): how many there are on all pages, counted up to p_most.
-- Called by: as gallery. Locks: none.
CREATE OR REPLACE FUNCTION genflow.gallery_count(p_user text, p_types text[], p_most integer)
RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_rows  text := genflow.gallery_query(p_types, p_user);
    v_count bigint := 0;
BEGIN
    IF v_rows IS NOT NULL THEN
        EXECUTE format('SELECT count(*) FROM (SELECT FROM (%s) u LIMIT $2) c', v_rows) INTO v_count
          USING genflow.account_of(p_user), p_most, coalesce(genflow.realm_of(p_user), '');
    END IF;
    RETURN v_count;
END $$;

-- media_find(p_user, p_types, p_urls): the newest completed generation of p_user whose picture is
-- at one of these addresses, here or at its provider; no row: there is none. Called by: POST
-- save-media, save-neo-glitch. Locks: none.
CREATE OR REPLACE FUNCTION genflow.media_find(p_user text, p_types text[], p_urls text[])
RETURNS TABLE (id uuid, type text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_sql text := (SELECT string_agg(format(
        '(SELECT m.id, %L::text AS type, m.created_at FROM %I.%I m WHERE m.user_id = $1 '
        'AND m.status = ''completed'' AND (m.image_url = ANY ($2) OR m.original_url = ANY ($2)) '
        'ORDER BY m.created_at DESC, m.id DESC LIMIT 1)', t.name, t.media_schema, t.media_table),
        ' UNION ALL ')
      FROM genflow.types t
     WHERE t.name = ANY (p_types)
       AND to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NOT NULL);
BEGIN
    IF v_sql IS NOT NULL THEN
        RETURN QUERY EXECUTE format('SELECT u.id, u.type FROM (%s) u ORDER BY u.created_at DESC '
                                    'LIMIT 1', v_sql) USING genflow.account_of(p_user), p_urls;
    END IF;
END $$;

-- media_mark(p_user, p_id, p_visibility, p_remix, p_tags, p_meta): changes what a user may change
-- of a completed generation of their own: who sees it ('private', 'public'), whether others may
-- remix it, its tags, and members of its meta. NULL: stays. Saying it twice is harmless. Called by:
-- POST togglePublish, save-media. Locks: media, the user's edits (advisory). Outcomes: 'ok';
-- 'not_found'; 'not_yours'; 'invalid_status' it has no picture, and status tells why; 'too_large'
-- its meta would have more than 64 kB, and nothing is changed.
CREATE OR REPLACE FUNCTION genflow.media_mark(
    p_user text, p_id uuid, p_visibility text, p_remix boolean, p_tags text[], p_meta jsonb,
    OUT outcome text, OUT status text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t       genflow.types;
    v_user  bigint := genflow.account_of(p_user);
    v_owner bigint;
BEGIN
    outcome := 'not_found';
    t := genflow.type_row(p_id);
    IF t.no IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('UPDATE %I.%I m SET visibility = coalesce($3, m.visibility), '
                   'allow_remix = coalesce($4, m.allow_remix), tags = coalesce($5, m.tags), '
                   'meta = CASE WHEN $6 IS NULL THEN m.meta '
                   'ELSE coalesce(m.meta, ''{}'') || $6 END '
                   'WHERE m.id = $1 AND m.user_id = $2 AND m.status = ''completed'' '
                   'AND ($6 IS NULL '
                   'OR octet_length((coalesce(m.meta, ''{}'') || $6)::text) <= 65536) '
                   'RETURNING m.status', t.media_schema, t.media_table)
       INTO status USING p_id, v_user, p_visibility, p_remix, p_tags, p_meta;
    IF status IS NOT NULL THEN
        PERFORM genflow.edit_keep(v_user, p_id, t.no);
        outcome := 'ok';
        RETURN;
    END IF;
    EXECUTE format('SELECT m.user_id, m.status FROM %I.%I m WHERE m.id = $1', t.media_schema,
                   t.media_table) INTO v_owner, status USING p_id;
    outcome := CASE WHEN v_owner IS NULL THEN 'not_found'
        WHEN v_owner IS DISTINCT FROM v_user THEN 'not_yours'
        WHEN status = 'completed' AND p_meta IS NOT NULL THEN 'too_large'
        ELSE 'invalid_status' END;
    IF outcome <> 'invalid_status' THEN
        status := NULL;
    END IF;
END $$;
