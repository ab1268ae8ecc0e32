-- SPDX-License-Identifier: Apache-2.0
-- Pictures on their way from one store to another. A move is of one type and begins with an
-- administrator. moves_feed() finds its pictures, a few at a time; hosts claim them, copy each,
-- read the copy back, and report it: {prefix}_moved() (sql/types/moved.sql) writes the new address
-- and records the removal of the old copy in one transaction. A host that dies leaves a row in
-- genflow.moving that is due again when its claim is over; copying twice is harmless, because the
-- name comes from the generation. No money is touched.

-- move_secret(): a random part for the name of a picture that has none. Called by: moves_feed.
CREATE OR REPLACE FUNCTION genflow.move_secret() RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT substr(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
                         'hex'), 1, 32)
$$;

-- move_drop(p_no): takes out the pictures of a stopped move on which no host works, and records the
-- removal of the copies that earlier attempts have stored. One whose host is gone is left to
-- another for an hour. Called by: moves_feed, admin_move_stop. Locks: the rows, the removals.
CREATE OR REPLACE FUNCTION genflow.move_drop(p_no bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    g genflow.moving;
BEGIN
    FOR g IN DELETE FROM genflow.moving d
              WHERE d.move_no = p_no AND (d.held_until IS NULL
                 OR d.held_until < clock_timestamp() - interval '1 hour') RETURNING d.* LOOP
        PERFORM genflow.removal_add(g.job_id, g.type_no, g.copy, g.media_type, g.picture_secret,
                                    g.run_id, p_copy => true) WHERE g.copy <> g.url;
    END LOOP;
END $$;

-- moves_feed(p_limit, p_look): for each running move: looks at up to p_look further generations and
-- makes their pictures in an old store due, until p_limit of the move are under way; ends it when
-- none is left. Returns how many moves are running. Only one host at a time feeds a move.
-- Called by: the janitor of one child of each host, each second while a move is running.
-- Locks: the moves (SKIP LOCKED).
CREATE OR REPLACE FUNCTION genflow.moves_feed(p_limit integer DEFAULT 64,
                                              p_look integer DEFAULT 2000) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_open integer;
    m      record;
BEGIN
    FOR m IN SELECT v.*, t.media_schema, t.media_table
               FROM genflow.moves v JOIN genflow.types t ON t.no = v.type_no
              WHERE v.ended_at IS NULL ORDER BY v.no FOR UPDATE OF v SKIP LOCKED LOOP
        PERFORM genflow.move_drop(m.no) WHERE m.stopped_at IS NOT NULL;
        SELECT count(*) INTO v_open FROM genflow.moving g WHERE g.move_no = m.no;
        IF m.fed_at IS NOT NULL THEN
            UPDATE genflow.moves v SET ended_at = clock_timestamp()
             WHERE v.no = m.no AND v_open = 0;
        ELSIF to_regclass(format('%I.%I', m.media_schema, m.media_table)) IS NULL THEN
            UPDATE genflow.moves v SET fed_at = clock_timestamp(),
                last_error = 'the table of the type is gone: ' || m.media_table WHERE v.no = m.no;
        ELSIF v_open < p_limit THEN
            EXECUTE format(
                'WITH look AS MATERIALIZED ('
                '        SELECT t.id, t.image_url, t.persisted, t.result ->> ''sha256'' AS sha256, '
                '               CASE WHEN t.legacy_id IS NULL THEN t.run_id END AS run_id '
                '          FROM %1$I.%2$I t WHERE t.id > $1 ORDER BY t.id LIMIT $2), '
                'found AS MATERIALIZED ('
                -- one store may be inside of the other: the longer address says where it is
                '        SELECT k.* FROM look k WHERE k.persisted AND EXISTS ('
                '               SELECT FROM unnest($3) s WHERE starts_with(k.image_url, s) '
                '                  AND NOT (length($7) > length(s) '
                '                           AND starts_with(k.image_url, $7))) '
                '         ORDER BY k.id LIMIT $4), '
                'fed AS (INSERT INTO genflow.moving (job_id, type_no, move_no, url, sha256, '
                '                                    picture_secret, run_id, due_at) '
                '        SELECT f.id, $5, $6, f.image_url, f.sha256, '
                '               coalesce(genflow.picture_secret(f.id, f.image_url), '
                '                        genflow.move_secret()), '
                '               f.run_id, clock_timestamp() FROM found f '
                '        ON CONFLICT DO NOTHING RETURNING 1) '
                -- behind the last one that was looked at, or was taken where there were too many
                'UPDATE genflow.moves v SET found = v.found + (SELECT count(*) FROM fed), '
                '    seen = coalesce(CASE WHEN (SELECT count(*) FROM found) = $4 '
                '                         THEN (SELECT f.id FROM found f '
                '                               ORDER BY f.id DESC LIMIT 1) '
                '                         ELSE (SELECT k.id FROM look k '
                '                               ORDER BY k.id DESC LIMIT 1) END, v.seen), '
                '    fed_at = CASE WHEN NOT EXISTS (SELECT FROM look) THEN clock_timestamp() END '
                ' WHERE v.no = $6', m.media_schema, m.media_table)
                USING m.seen, p_look, m.sources, p_limit - v_open, m.type_no, m.no, m.target;
        END IF;
    END LOOP;
    RETURN (SELECT count(*) FROM genflow.moves v WHERE v.ended_at IS NULL);
END $$;

-- move_claim(p_types, p_limit, p_lease, p_from): claims pictures of those types that have to be
-- moved and were due at p_from or since (due.sql says where to begin, past dead rows). No other
-- host claims them for p_lease. A picture of which a copy still has to be removed waits for that:
-- the removal could otherwise hit what is being stored.
-- Called by: each host's dispatcher when some are due. Locks: the rows (SKIP LOCKED).
-- The plan is pinned: by due time, then row for row, whatever statistics the planner has.
CREATE OR REPLACE FUNCTION genflow.move_claim(p_types text[], p_limit integer, p_lease interval,
                                              p_from timestamptz DEFAULT '-infinity')
RETURNS TABLE (id uuid, type text, url text, tries integer, sha256 text, picture_secret text,
               run_id text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
    SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    IF genflow.restored() IS NOT NULL THEN                  -- site.sql
        RETURN;
    END IF;
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT g.job_id, EXISTS (SELECT FROM genflow.removals r
                                  WHERE r.job_id = g.job_id) AS waits
          FROM genflow.moving g
         WHERE g.due_at >= p_from AND g.due_at <= v_now
           AND g.type_no = ANY (ARRAY(SELECT t.no FROM genflow.types t
                                       WHERE t.name = ANY (p_types)))
         ORDER BY g.due_at LIMIT p_limit FOR UPDATE OF g SKIP LOCKED),
    put_off AS (
        UPDATE genflow.moving g SET due_at = v_now + interval '60 seconds'
         WHERE g.job_id = ANY (ARRAY(SELECT due.job_id FROM due WHERE due.waits))),
    mine AS (
        UPDATE genflow.moving g SET due_at = v_now + p_lease, tries = g.tries + 1,
            held_until = v_now + p_lease
         WHERE g.job_id = ANY (ARRAY(SELECT due.job_id FROM due WHERE NOT due.waits))
        RETURNING g.job_id, g.type_no, g.url, g.tries, g.sha256, g.picture_secret, g.run_id)
    SELECT m.job_id, t.name, m.url, m.tries, m.sha256, m.picture_secret, m.run_id FROM mine m
        JOIN genflow.types t ON t.no = m.type_no;
END $$;

-- move_later(p_id, p_delay, p_why, p_copy, p_media_type): the picture could not be moved now; the
-- next attempt is due after p_delay. p_copy: the address of a copy that was stored; NULL: none.
-- Called by: the dispatcher's writers. Locks: the row, its move. Outcomes: 'ok'; 'gone' it is not
-- under way.
CREATE OR REPLACE FUNCTION genflow.move_later(p_id uuid, p_delay interval, p_why text,
                                              p_copy text DEFAULT NULL,
                                              p_media_type text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_no bigint;
BEGIN
    UPDATE genflow.moving g SET due_at = clock_timestamp() + p_delay, held_until = NULL,
        copy = coalesce(p_copy, g.copy), media_type = coalesce(p_media_type, g.media_type)
     WHERE g.job_id = p_id RETURNING g.move_no INTO v_no;
    UPDATE genflow.moves v SET last_error = left(p_id || ': ' || p_why, 500) WHERE v.no = v_no;
    RETURN CASE WHEN v_no IS NULL THEN 'gone' ELSE 'ok' END;
END $$;

-- move_failed(p_id, p_why, p_copy, p_media_type): the picture cannot be moved and stays where it
-- is. p_copy: the address of a copy that was made and is not used; its removal is recorded; NULL:
-- there is none. Called by: the dispatcher's writers. Locks: the row, its move, the removal.
-- Outcomes: 'ok'; 'gone' it is not under way any more, or was deleted or taken down meanwhile.
CREATE OR REPLACE FUNCTION genflow.move_failed(p_id uuid, p_why text, p_copy text DEFAULT NULL,
                                               p_media_type text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_url text;
    g     genflow.moving;
    t     genflow.types;
BEGIN
    DELETE FROM genflow.moving d WHERE d.job_id = p_id RETURNING * INTO g;
    IF g.job_id IS NULL THEN
        RETURN 'gone';
    END IF;
    PERFORM genflow.removal_add(p_id, g.type_no, coalesce(p_copy, g.copy),
                                coalesce(p_media_type, g.media_type), g.picture_secret, g.run_id,
                                p_copy => true) WHERE coalesce(p_copy, g.copy) <> g.url;
    SELECT * INTO t FROM genflow.types y WHERE y.no = g.type_no;
    IF to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NOT NULL THEN
        EXECUTE format('SELECT m.image_url FROM %I.%I m WHERE m.id = $1', t.media_schema,
                       t.media_table) INTO v_url USING p_id;
    END IF;
    -- a host that was killed may have stored a copy that it did not report
    PERFORM genflow.removal_add(p_id, g.type_no, NULL, NULL, g.picture_secret, g.run_id)
      WHERE v_url IS NULL;
    UPDATE genflow.moves v SET failed = v.failed + 1,
        last_error = left(p_id || ': ' || p_why, 500) WHERE v.no = g.move_no AND v_url = g.url;
    RETURN CASE WHEN v_url = g.url THEN 'ok' ELSE 'gone' END;
END $$;

-- ---- administration ----

-- move_json(p_no): a move as an object of the wire. Called by: the functions below. Locks: none.
CREATE OR REPLACE FUNCTION genflow.move_json(p_no bigint) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT json_build_object(
        'id', v.no, 'type', t.name,
        'state', CASE WHEN v.stopped_at IS NOT NULL THEN 'stopped'
                      WHEN v.ended_at IS NOT NULL THEN 'done' ELSE 'running' END,
        'from', v.sources, 'to', v.target,
        'keepSeconds', extract(epoch FROM v.keep)::bigint,
        'found', v.found, 'moved', v.moved, 'failed', v.failed,
        'waiting', (SELECT count(*) FROM genflow.moving g WHERE g.move_no = v.no),
        'bytes', v.bytes, 'lastError', v.last_error, 'begunAt', genflow.iso(v.begun_at),
        'endedAt', genflow.iso(v.ended_at))
      FROM genflow.moves v JOIN genflow.types t ON t.no = v.type_no WHERE v.no = p_no
$$;

-- admin_move(p_types, p_sources, p_target, p_keep, p_by, p_call): begins a move of each of those
-- types: the pictures whose addresses begin with one of p_sources. p_target: what addresses in the
-- new store begin with. p_keep: how long the old copy of a moved picture stays. p_by: see
-- audit.sql. p_call: the token of this call (calls.sql). Called by: POST admin/moves. Locks: the
-- moves. Outcomes: 'ok' with an array of the moves; 'running' one of those types is being moved,
-- and none is begun; 'no_type' none of them exists.
CREATE OR REPLACE FUNCTION genflow.admin_move(p_types text[], p_sources text[], p_target text,
                                              p_keep interval, p_by jsonb DEFAULT NULL,
                                              p_call uuid DEFAULT NULL,
                                              OUT outcome text, OUT moves json)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_nos   bigint[] := '{}';
    v_no    bigint;
    v_first jsonb;
    t       genflow.types;
BEGIN
    LOCK TABLE genflow.moves IN SHARE ROW EXCLUSIVE MODE;
    v_first := genflow.call_answer(p_call);
    IF v_first IS NOT NULL THEN
        v_nos := ARRAY(SELECT jsonb_array_elements_text(v_first)::bigint);
    ELSIF EXISTS (SELECT FROM genflow.moves v JOIN genflow.types y ON y.no = v.type_no
                   WHERE v.ended_at IS NULL AND y.name = ANY (p_types)) THEN
        outcome := 'running';
        RETURN;
    ELSE
        FOR t IN SELECT * FROM genflow.types y WHERE y.name = ANY (p_types) ORDER BY y.no LOOP
            INSERT INTO genflow.moves (type_no, sources, target, keep)
            VALUES (t.no, p_sources, p_target, p_keep) RETURNING no INTO v_no;
            v_nos := v_nos || v_no;
            PERFORM genflow.audit_add(p_by, 'move', v_no::text, NULL,
                                      jsonb_build_object('type', t.name, 'from', p_sources,
                                                         'to', p_target, 'keepSeconds',
                                                         extract(epoch FROM p_keep)::bigint));
        END LOOP;
        PERFORM genflow.call_keep(p_call, to_jsonb(v_nos));
    END IF;
    outcome := CASE WHEN v_nos = '{}' THEN 'no_type' ELSE 'ok' END;
    moves := (SELECT json_agg(genflow.move_json(n)) FROM unnest(v_nos) n);
END $$;

-- admin_moves(p_types, p_limit): up to p_limit moves of those types, newest first. Called by: GET
-- admin/moves. Locks: none.
CREATE OR REPLACE FUNCTION genflow.admin_moves(p_types text[], p_limit integer) RETURNS SETOF json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT genflow.move_json(v.no) FROM genflow.moves v
     WHERE v.type_no = ANY (ARRAY(SELECT t.no FROM genflow.types t WHERE t.name = ANY (p_types)))
     ORDER BY v.no DESC LIMIT p_limit
$$;

-- admin_move_stop(p_no, p_types, p_by): begins no further picture of that move, which is one of
-- those types. Pictures on which a host works come to their end, and then the move. p_by: see
-- audit.sql. Called by: DELETE admin/moves/{id}. Locks: the move, its pictures.
-- Outcomes: 'ok' with the move, also if it was stopped before; 'ended'; 'not_found'.
CREATE OR REPLACE FUNCTION genflow.admin_move_stop(p_no bigint, p_types text[],
                                                   p_by jsonb DEFAULT NULL,
                                                   OUT outcome text, OUT move json)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    m genflow.moves;
BEGIN
    SELECT v.* INTO m FROM genflow.moves v JOIN genflow.types t ON t.no = v.type_no
     WHERE v.no = p_no AND t.name = ANY (p_types) FOR UPDATE OF v;
    outcome := CASE WHEN m.no IS NULL THEN 'not_found'
                    WHEN m.ended_at IS NOT NULL AND m.stopped_at IS NULL THEN 'ended'
                    ELSE 'ok' END;
    IF outcome = 'ok' AND m.stopped_at IS NULL THEN
        PERFORM genflow.move_drop(p_no);
        UPDATE genflow.moves v SET stopped_at = clock_timestamp(),
            fed_at = coalesce(v.fed_at, clock_timestamp()) WHERE v.no = p_no;
        PERFORM genflow.audit_add(p_by, 'move.stop', p_no::text,
                                  jsonb_build_object('found', m.found, 'moved', m.moved), NULL);
    END IF;
    move := CASE WHEN outcome = 'ok' THEN genflow.move_json(p_no) END;
END $$;
