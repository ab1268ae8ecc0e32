-- SPDX-License-Identifier: Apache-2.0
-- Pictures that the dispatcher has to remove from their stores in the background, until a store
-- confirms that they are gone.

-- picture_secret(p_id, p_url): the random part of the picture's name in an address of ours: behind
-- the id, or behind a run id (GenflowStorePublicId run); NULL: it has none. Called by: functions
-- that record the removal of a picture whose address is known.
CREATE OR REPLACE FUNCTION genflow.picture_secret(p_id uuid, p_url text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT substring(p_url FROM '(?:' || p_id::text || '-|_)([0-9a-f]{32})\.[a-z]+$')
$$;

-- removal_add(p_id, p_type, p_url, p_media_type, p_secret, p_run_id, p_due, p_again, p_copy,
-- p_beside): records that the picture of a generation has to be removed.
--   p_url     its address; NULL: it may have been stored, and every store that may have it has to
--             remove it
--   p_secret  the random part of its name
--   p_run_id  the client's name of the generation, which its name may contain; NULL: none
--   p_due     when; NULL: now
--   p_again   when once more, from every store; NULL: never
--   p_copy    p_url has a copy only: the generation has its picture at another address. A host that
--             does not know the store of p_url leaves it to others
--   p_beside  such a copy whose name differs by its ending from that of the picture, which may be
--             in the same store: the thumbnail there, which both names have, is the picture's
-- Copies are removed one by one. Without p_copy the generation has no picture any more: what waits
-- for its removal is due, too, and all of the same random part becomes one removal from every
-- store.
-- Called by: delete, restored, settle, stray, admin_takedown, moved, move_failed, move_drop,
-- removal_spare. Locks: the rows of the generation.
CREATE OR REPLACE FUNCTION genflow.removal_add(p_id uuid, p_type smallint, p_url text,
                                               p_media_type text, p_secret text, p_run_id text,
                                               p_due timestamptz DEFAULT NULL,
                                               p_again timestamptz DEFAULT NULL,
                                               p_copy boolean DEFAULT false,
                                               p_beside boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_due   timestamptz := coalesce(p_due, clock_timestamp());
    v_again timestamptz := p_again;
    v_url   text := p_url;
    v_type  text := p_media_type;
    v_run   text := p_run_id;
    g       genflow.removals;
BEGIN
    IF NOT p_copy THEN
        FOR g IN DELETE FROM genflow.removals r
                  WHERE r.job_id = p_id AND r.picture_secret IS NOT DISTINCT FROM p_secret
                 RETURNING r.* LOOP
            v_url := NULL;
            v_type := coalesce(v_type, g.media_type);
            v_run := coalesce(g.run_id, v_run);
            v_again := greatest(g.again_at, v_again);
        END LOOP;
        UPDATE genflow.removals r SET due_at = least(r.due_at, v_due), beside = false
         WHERE r.job_id = p_id;
    END IF;
    INSERT INTO genflow.removals AS r (job_id, type_no, url, media_type, picture_secret, run_id,
                                       is_copy, beside, due_at, again_at)
    VALUES (p_id, p_type, v_url, v_type, p_secret, v_run, p_copy, p_beside, v_due, v_again)
        ON CONFLICT (job_id, place) DO UPDATE SET
            is_copy = r.is_copy AND EXCLUDED.is_copy, beside = r.beside AND EXCLUDED.beside,
            tries = 0, picture_secret = coalesce(r.picture_secret, EXCLUDED.picture_secret),
            run_id = coalesce(r.run_id, EXCLUDED.run_id), due_at = EXCLUDED.due_at,
            again_at = greatest(r.again_at, EXCLUDED.again_at);
END $$;

-- removal_spare(p_id, p_type, p_url, p_persisted, p_media_type, p_run_id, p_living): a host stored
-- the picture of a generation at p_url (not p_persisted: in the folder, for a while), whose picture
-- is stored at p_living: records the removal of what is at p_url. Of the same name, both may be one
-- file whose address has changed with the configuration: it stays.
-- Called by: settle, restored. Locks: as removal_add.
CREATE OR REPLACE FUNCTION genflow.removal_spare(p_id uuid, p_type smallint, p_url text,
                                                 p_persisted boolean, p_media_type text,
                                                 p_run_id text, p_living text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT genflow.removal_add(p_id, p_type, p_url, p_media_type,
                               genflow.picture_secret(p_id, p_url), p_run_id, p_copy => true,
                               p_beside => true)
     WHERE p_url <> p_living AND (NOT p_persisted OR substring(p_url FROM '[^/]*$')
                                      <> substring(p_living FROM '[^/]*$'))
$$;

-- removal_claim(p_types, p_limit, p_lease, p_from): claims removals of pictures of those types that
-- were due at p_from or since (due.sql says where to begin, past dead rows). No other host claims
-- them for p_lease, and each further attempt comes later, up to 128 leases. url '': every store
-- that may have it. is_copy, beside: p_copy and p_beside of removal_add(). A repeated removal is
-- harmless.
-- Called by: each host's dispatcher when some are due. Locks: the rows (SKIP LOCKED).
-- The plan is pinned: by due time, then row for row, whatever statistics the planner has.
CREATE OR REPLACE FUNCTION genflow.removal_claim(p_types text[], p_limit integer, p_lease interval,
                                                 p_from timestamptz DEFAULT '-infinity')
RETURNS TABLE (id uuid, type text, url text, media_type text, picture_secret text, run_id text,
               is_copy boolean, beside boolean)
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
        SELECT r.ctid AS at FROM genflow.removals r
         WHERE r.due_at >= p_from AND r.due_at <= v_now
           AND r.type_no = ANY (ARRAY(SELECT t.no FROM genflow.types t
                                       WHERE t.name = ANY (p_types)))
         ORDER BY r.due_at LIMIT p_limit FOR UPDATE SKIP LOCKED),
    mine AS (
        UPDATE genflow.removals r SET due_at = v_now + p_lease * power(2, least(r.tries, 7)),
            tries = r.tries + 1
         WHERE r.ctid = ANY (ARRAY(SELECT due.at FROM due))
        RETURNING r.job_id, r.type_no, r.url, r.media_type, r.picture_secret, r.run_id,
                  r.is_copy, r.beside)
    SELECT m.job_id, t.name, coalesce(m.url, ''), m.media_type, m.picture_secret, m.run_id,
           m.is_copy, m.beside FROM mine m JOIN genflow.types t ON t.no = m.type_no;
END $$;

-- removal_done(p_id, p_url): the picture is gone from p_url ('': from every store). A removal that
-- was recorded again meanwhile stays, and one that is to be repeated waits for that. p_url NULL:
-- the caller is a server from before schema 14, which finds only pictures named by the id; removals
-- of others stay, too. Called by: the dispatcher's writers. Locks: the row.
CREATE OR REPLACE FUNCTION genflow.removal_done(p_id uuid, p_url text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    g genflow.removals;
BEGIN
    FOR g IN DELETE FROM genflow.removals r
              WHERE r.job_id = p_id AND r.tries > 0
                AND CASE WHEN p_url IS NULL THEN r.url IS NOT NULL AND r.picture_secret IS NULL
                         ELSE r.url IS NOT DISTINCT FROM nullif(p_url, '') END
             RETURNING r.* LOOP
        INSERT INTO genflow.removals AS r (job_id, type_no, media_type, picture_secret, run_id,
                                           due_at)
        SELECT g.job_id, g.type_no, g.media_type, g.picture_secret, g.run_id, g.again_at
         WHERE g.again_at IS NOT NULL
            ON CONFLICT (job_id, place) DO UPDATE SET
                again_at = greatest(r.again_at, EXCLUDED.due_at);
    END LOOP;
END $$;
