-- SPDX-License-Identifier: Apache-2.0
-- History: a user's generations over several types, newest first, by keyset: each page costs the
-- same, at any depth and for any number of rows. A type whose table is gone is left out.
--
-- An index leads to the rows of one filter: a tag (genflow.tags), favourites, an end without a
-- picture, a preset. Where others come beside it, or words, a statement looks at one row after the
-- other, newest first, and at look_bound() of them at most. A page that has not found all its rows
-- among these ends there, and the next page goes on behind them.

-- list_bound(): how many rows a statement looks at. Called by: history, history_total,
-- list_changed.
CREATE OR REPLACE FUNCTION genflow.list_bound() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 10000';

-- look_bound(p_words): the same where words are looked for, in whole prompts; NULL: list_bound().
-- Called by: history, history_total.
CREATE OR REPLACE FUNCTION genflow.look_bound(p_words text[]) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS 'SELECT CASE WHEN p_words IS NULL THEN genflow.list_bound() ELSE 2000 END';

-- list_query(p_types, p_status, p_user, p_preset, p_at, ...): the text of the query for (no,
-- user_id, id, created_at, matches) that all lists of generations run, here and in admin_jobs.sql.
-- Each type adds its newest $6 rows from an index in order (see sql/types/media_table.sql). $1
-- account, $2 status, $3 preset; $4, $5 the end of the page before; $7 tag, $8 patterns of words,
-- $9 since, $10 list_changed().ids, $11 the realm. The text has only the conditions of the call, so
-- that each case gets a plan that fits it. is_bounded: `matches` has some of them, and $6 is
-- look_bound().
--   p_walks  list_changed().is_many: each row shows whether it has changed since $9
--   p_realm  without p_user: of users of this realm alone; NULL: of all
CREATE OR REPLACE FUNCTION genflow.list_query(
    p_types text[], p_status text, p_user bigint, p_preset text, p_at timestamptz,
    p_tag text DEFAULT NULL, p_has_words boolean DEFAULT false, p_since timestamptz DEFAULT NULL,
    p_walks boolean DEFAULT false, p_favourite boolean DEFAULT false, p_realm text DEFAULT NULL,
    OUT query text, OUT is_bounded boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_zone   text := CASE WHEN p_user IS NULL THEN ' AT TIME ZONE ''UTC''' ELSE '' END;
    v_lives  boolean := coalesce(p_status IN ('pending', 'processing'), false);
    v_by_tag boolean := p_tag IS NOT NULL AND NOT v_lives;
    v_first  text[] := array_remove(ARRAY[                  -- conditions, those of an index first
        CASE WHEN p_favourite THEN 'm.favourite' END,
        CASE WHEN p_status IN ('failed', 'cancelled') THEN 'm.unsuccessful = $2' END,
        CASE WHEN p_preset IS NOT NULL THEN 'm.preset = $3' END], NULL);
    v_conds  text[] := v_first || array_remove(ARRAY[
        CASE WHEN v_lives OR p_status = 'completed' THEN 'm.status = $2' END,
        CASE WHEN p_tag IS NOT NULL AND NOT v_by_tag THEN '$7 = ANY (m.tags)' END,
        CASE WHEN p_has_words
            THEN 'genflow.folded(concat_ws(chr(10), m.title, m.prompt)) LIKE ALL ($8)' END,
        CASE WHEN p_walks THEN
            '(m.created_at >= $9 OR m.finished_at >= $9 OR EXISTS (SELECT FROM genflow.edits e '
            'WHERE e.job_id = m.id AND e.at >= $9))' END], NULL);
    v_index  integer := CASE                                -- how many are left to an index
        WHEN p_tag IS NULL AND NOT p_has_words AND p_since IS NULL AND NOT p_favourite
            THEN cardinality(v_conds)
        WHEN v_by_tag OR v_lives THEN 0 ELSE least(cardinality(v_first), 1) END;
    v_at     text := CASE WHEN v_by_tag THEN 'k.created_at' ELSE 'm.created_at' || v_zone END;
    v_id     text := CASE WHEN v_by_tag THEN 'k.job_id' ELSE 'm.id' END;
    v_page   text := format('(%s, %s) < ($4%s, $5)', v_at, v_id, v_zone);
    v_rows   text := concat('(SELECT %1$s AS no, m.user_id, ',
        CASE WHEN v_by_tag THEN 'k.job_id AS id, k.created_at, ' ELSE 'm.id, m.created_at, ' END,
        coalesce(array_to_string(nullif(v_conds[v_index + 1:], '{}'), ' AND '), 'true'),
        ' AS matches FROM ',
        -- OFFSET 0: one row after the other, as many as are asked for
        CASE WHEN v_by_tag THEN 'genflow.tags k CROSS JOIN LATERAL (SELECT * FROM %2$I.%3$I t '
                                'WHERE t.id = k.job_id OFFSET 0) m '
            ELSE '%2$I.%3$I m ' END, 'WHERE ', concat_ws(' AND ', 'true',
            CASE WHEN v_by_tag THEN 'k.user_id = $1 AND k.tag = $7 AND k.type_no = %1$s'
                WHEN p_user IS NOT NULL THEN 'm.user_id = $1'
                WHEN p_realm IS NOT NULL THEN 'EXISTS (SELECT FROM genflow.accounts a '
                    'WHERE a.user_id = m.user_id AND a.realm = $11)' END,
            CASE WHEN v_lives THEN
                concat('m.id = ANY (ARRAY(SELECT w.job_id FROM genflow.work w WHERE w.type_no = ',
                       '%1$s', CASE WHEN p_user IS NOT NULL THEN ' AND w.user_id = $1' END, '))')
                END,
            nullif(array_to_string(v_conds[:v_index], ' AND '), ''),
            CASE WHEN p_since IS NOT NULL AND NOT p_walks THEN v_at || ' >= $9' END,
            CASE WHEN p_at IS NOT NULL THEN v_page END),
        ' ORDER BY ', v_at, ' DESC, ', v_id, ' DESC LIMIT $6)');
BEGIN
    is_bounded := v_index < cardinality(v_conds);
    IF p_since IS NOT NULL AND NOT p_walks THEN             -- and the older ones that have changed
        v_rows := concat(v_rows, ' UNION ALL (SELECT %1$s, m.user_id, m.id, m.created_at, true '
            'FROM %2$I.%3$I m WHERE ', array_to_string(ARRAY['m.id = ANY ($10)', 'm.user_id = $1',
                'm.created_at < $9'] || v_conds, ' AND '),
            CASE WHEN v_by_tag THEN ' AND $7 = ANY (m.tags)' END,
            CASE WHEN p_at IS NOT NULL THEN ' AND (m.created_at, m.id) < ($4, $5)' END,
            ' ORDER BY m.created_at DESC, m.id DESC LIMIT $6)');
    END IF;
    query := (
        SELECT string_agg(format(v_rows, t.no, t.media_schema, t.media_table), ' UNION ALL '
                          ORDER BY t.no)
          FROM genflow.types t
         WHERE t.name = ANY (p_types)
           AND to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NOT NULL);
END $$;

-- list_changed(p_user, p_since): ids: the generations of account p_user that were created before
-- p_since, and have ended or were edited at p_since or later. is_many: there are more entries in
-- the ledger, or edits, than a statement looks at, and `ids` is NULL. Called by: history,
-- history_total. Locks: none.
CREATE OR REPLACE FUNCTION genflow.list_changed(p_user bigint, p_since timestamptz, OUT ids uuid[],
                                                OUT is_many boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_entries bigint;
    v_edits   uuid[];
BEGIN
    v_edits := ARRAY(SELECT e.job_id FROM genflow.edits e
                      WHERE e.user_id = p_user AND e.at >= p_since
                      ORDER BY e.at LIMIT genflow.list_bound() + 1);
    SELECT count(*), array_agg(l.ref) FILTER (
               -- an id may be of a moment after it was created
               WHERE l.kind IN ('capture', 'release')
                 AND l.ref < genflow.id_at(greatest(p_since, 'epoch') + interval '1 minute'))
      INTO v_entries, ids
      FROM (SELECT n.ref, n.kind FROM genflow.ledger n
             WHERE n.user_id = p_user AND n.at >= p_since
             ORDER BY n.at LIMIT genflow.list_bound() + 1) l;
    is_many := greatest(v_entries, cardinality(v_edits)) > genflow.list_bound();
    ids := CASE WHEN NOT is_many THEN ids || v_edits END;
END $$;

-- like_words(p_words): patterns for LIKE ALL: the text has all words. Called by: history,
-- history_total.
CREATE OR REPLACE FUNCTION genflow.like_words(p_words text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg('%' || regexp_replace(genflow.folded(w.word), '([\\%_])', '\\\1', 'g') || '%')
      FROM unnest(p_words) AS w (word)
$$;

-- history(p_user, p_types, p_status, p_preset, p_at, p_id, p_limit, ...): one page. p_at, p_id: at
-- and id of the last row of the page before; NULL: the first page. The others are filters, NULL
-- (p_favourite: false): all.
--   p_words      all of them are in the prompt or the title, as parts of words, in any case
--   p_since      created, ended or edited at that time (microseconds since 1970) or later
--   p_favourite  only favourites
-- A last row with the outcome 'more', at and id: the page ends early, because so many rows were
-- looked at; the next page goes on behind that row, which it may show or not. Called by: GET
-- generations. Locks: none.
CREATE OR REPLACE FUNCTION genflow.history(
    p_user text, p_types text[], p_status text, p_preset text, p_at bigint, p_id uuid,
    p_limit integer, p_words text[] DEFAULT NULL, p_tag text DEFAULT NULL,
    p_since bigint DEFAULT NULL, p_favourite boolean DEFAULT false)
RETURNS SETOF genflow.generation
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_at    timestamptz := 'epoch'::timestamptz + p_at * interval '1 microsecond';
    v_since timestamptz := 'epoch'::timestamptz + p_since * interval '1 microsecond';
    v_like  text[] := genflow.like_words(p_words);
    v_user  bigint := genflow.account_of(p_user);
    v_read  text := (SELECT string_agg(format('SELECT g.*, p.created_at AS newest FROM page p, '
                                              'LATERAL genflow.%I($11, p.id) g WHERE p.no = %s',
                                                  t.prefix || '_get', t.no),
                                       ' UNION ALL ')
                       FROM genflow.types t WHERE t.name = ANY (p_types));
    c       record;
    q       record;
    v_look  integer := p_limit;
    v_found bigint;
    g       genflow.generation;
BEGIN
    IF v_user IS NULL THEN
        RETURN;
    END IF;
    SELECT * INTO c FROM genflow.list_changed(v_user, v_since) WHERE p_since IS NOT NULL;
    SELECT * INTO q FROM genflow.list_query(p_types, p_status, v_user, p_preset, v_at, p_tag,
                                            p_words IS NOT NULL, v_since,
                                            coalesce(c.is_many, false), p_favourite);
    IF q.query IS NULL THEN
        RETURN;
    END IF;
    IF q.is_bounded THEN
        v_look := genflow.look_bound(p_words);
    END IF;
    RETURN QUERY EXECUTE format(
        'WITH page AS MATERIALIZED (SELECT * FROM (SELECT * FROM (%s) u '
        'ORDER BY u.created_at DESC, u.id DESC LIMIT $6) s '
        'WHERE s.matches ORDER BY s.created_at DESC, s.id DESC LIMIT %s) '
        'SELECT %s FROM (%s) r ORDER BY r.newest DESC, r.id DESC', q.query, p_limit,
        (SELECT string_agg('r.' || a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a
          WHERE a.attrelid = 'genflow.generation'::regclass AND a.attnum > 0
            AND NOT a.attisdropped), v_read)
      USING v_user, p_status, p_preset, v_at, p_id, v_look, p_tag, v_like, v_since, c.ids, p_user;
    GET DIAGNOSTICS v_found = ROW_COUNT;
    IF NOT q.is_bounded OR v_found = p_limit THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT u.id, (extract(epoch FROM u.created_at) * 1000000)::bigint FROM (%s) u '
                   'ORDER BY u.created_at DESC, u.id DESC OFFSET $6 - 1 LIMIT 1', q.query)
       INTO g.id, g.at
      USING v_user, p_status, p_preset, v_at, p_id, v_look, p_tag, v_like, v_since, c.ids;
    IF g.id IS NOT NULL THEN
        g.outcome := 'more';
        RETURN NEXT g;
    END IF;
END $$;

-- history_total(p_user, p_types, p_status, p_preset, p_most, ...): the number of those rows,
-- counted up to p_most, because the cost of a count grows with it. is_exact: there are no more;
-- false also where older rows were not looked at. Called by: GET generations. Locks: none.
CREATE OR REPLACE FUNCTION genflow.history_total(
    p_user text, p_types text[], p_status text, p_preset text, p_most integer,
    p_words text[] DEFAULT NULL, p_tag text DEFAULT NULL, p_since bigint DEFAULT NULL,
    p_favourite boolean DEFAULT false, OUT total bigint, OUT is_exact boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_since timestamptz := 'epoch'::timestamptz + p_since * interval '1 microsecond';
    v_like  text[] := genflow.like_words(p_words);
    v_user  bigint := genflow.account_of(p_user);
    v_look  integer := p_most + 1;
    v_older boolean := false;
    c       record;
    q       record;
BEGIN
    SELECT * INTO c FROM genflow.list_changed(v_user, v_since) WHERE p_since IS NOT NULL;
    SELECT * INTO q FROM genflow.list_query(p_types, p_status, v_user, p_preset, NULL, p_tag,
                                            p_words IS NOT NULL, v_since,
                                            coalesce(c.is_many, false), p_favourite);
    total := 0;
    IF v_user IS NOT NULL AND q.query IS NOT NULL THEN
        v_look := CASE WHEN q.is_bounded THEN genflow.look_bound(p_words) ELSE v_look END;
        EXECUTE format('SELECT count(*) FROM (SELECT FROM (SELECT * FROM (%s) u '
                       'ORDER BY u.created_at DESC, u.id DESC LIMIT $6) s WHERE s.matches '
                       'LIMIT %s) c', q.query, p_most + 1) INTO total
          USING v_user, p_status, p_preset, NULL::timestamptz, NULL::uuid, v_look, p_tag, v_like,
                v_since, c.ids;
        IF q.is_bounded AND total <= p_most THEN
            EXECUTE format('SELECT EXISTS (SELECT FROM (%s) u OFFSET $6 - 1)', q.query) INTO v_older
              USING v_user, p_status, p_preset, NULL::timestamptz, NULL::uuid, v_look, p_tag,
                    v_like, v_since, c.ids;
        END IF;
    END IF;
    is_exact := total <= p_most AND NOT v_older;
    total := least(total, p_most);
END $$;

-- history_count(...): history_total(), without the filters and without is_exact. Called by: servers
-- of an earlier version while they still run. Locks: none.
CREATE OR REPLACE FUNCTION genflow.history_count(p_user text, p_types text[], p_status text,
                                                 p_preset text, p_most integer)
RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.total FROM genflow.history_total(p_user, p_types, p_status, p_preset, p_most) t
$$;
