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

-- removal_add(p_id, p_type, p_url, p_media_type, p_secret, p_run_id, p_due, p_again, p_copy):
-- records that the picture of a generation has to be removed.
--   p_url     its address; NULL: it may have been stored, and every store that may have it has to
--             remove it
--   p_secret  the random part of its name
--   p_run_id  the client's name of the generation, which its name may contain; NULL: none
--   p_due     when; NULL: now
--   p_again   when once more, from every store; NULL: never
--   p_copy    p_url has a copy only: the generation has its picture at another address. A host that
--             does not know the store of p_url leaves it to others
-- If a removal of the same generation waits already, it becomes one for every store, because the
-- generation has no picture any more; but not for two copies: the first one stays as it is.
-- Called by: delete, restored, settle, stray, admin_takedown, moved, move_failed, move_drop.
-- Locks: the row.
CREATE OR REPLACE FUNCTION genflow.removal_add(p_id uuid, p_type smallint, p_url text,
                                               p_media_type text, p_secret text, p_run_id text,
                                               p_due timestamptz DEFAULT NULL,
                                               p_again timestamptz DEFAULT NULL,
                                               p_copy boolean DEFAULT false) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO genflow.removals AS r (job_id, type_no, url, media_type, picture_secret, run_id,
                                       is_copy, due_at, again_at)
    VALUES (p_id, p_type, p_url, p_media_type, p_secret, p_run_id, p_copy,
            coalesce(p_due, clock_timestamp()), p_again)
        ON CONFLICT (job_id) DO UPDATE SET url = NULL, is_copy = false, tries = 0,
                                           picture_secret = coalesce(r.picture_secret,
                                                                     EXCLUDED.picture_secret),
                                           run_id = coalesce(r.run_id, EXCLUDED.run_id),
                                           due_at = EXCLUDED.due_at,
                                           again_at = greatest(r.again_at, EXCLUDED.again_at)
         WHERE NOT (r.is_copy AND EXCLUDED.is_copy)
$$;

-- removal_claim(p_types, p_limit, p_lease, p_from): claims removals of pictures of those types that
-- were due at p_from or since (due.sql says where to begin, past dead rows). No other host claims
-- them for p_lease, and each further attempt comes later, up to 128 leases. url '': every store
-- that may have it. is_copy: p_copy of removal_add(). A repeated removal is harmless.
-- Called by: each host's dispatcher when some are due. Locks: the rows (SKIP LOCKED).
-- The plan is pinned: by due time, then row for row, whatever statistics the planner has.
CREATE OR REPLACE FUNCTION genflow.removal_claim(p_types text[], p_limit integer, p_lease interval,
                                                 p_from timestamptz DEFAULT '-infinity')
RETURNS TABLE (id uuid, type text, url text, media_type text, picture_secret text, run_id text,
               is_copy boolean)
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
        SELECT r.job_id FROM genflow.removals r
         WHERE r.due_at >= p_from AND r.due_at <= v_now
           AND r.type_no = ANY (ARRAY(SELECT t.no FROM genflow.types t
                                       WHERE t.name = ANY (p_types)))
         ORDER BY r.due_at LIMIT p_limit FOR UPDATE SKIP LOCKED),
    mine AS (
        UPDATE genflow.removals r SET due_at = v_now + p_lease * power(2, least(r.tries, 7)),
            tries = r.tries + 1
         WHERE r.job_id = ANY (ARRAY(SELECT due.job_id FROM due))
        RETURNING r.job_id, r.type_no, r.url, r.media_type, r.picture_secret, r.run_id,
                  r.is_copy)
    SELECT m.job_id, t.name, coalesce(m.url, ''), m.media_type, m.picture_secret, m.run_id,
           m.is_copy FROM mine m JOIN genflow.types t ON t.no = m.type_no;
END $$;

-- removal_done(p_id, p_url): the picture is gone from p_url ('': from every store). A removal that
-- was recorded again meanwhile stays, and one that is to be repeated waits for that. p_url NULL:
-- the caller is a server from before schema 14, which finds only pictures named by the id; removals
-- of others stay, too. Called by: the dispatcher's writers. Locks: the row.
CREATE OR REPLACE FUNCTION genflow.removal_done(p_id uuid, p_url text DEFAULT NULL) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE genflow.removals r SET url = NULL, due_at = r.again_at, again_at = NULL, tries = 0
     WHERE r.job_id = p_id AND r.tries > 0 AND r.again_at IS NOT NULL
       AND r.url IS NOT DISTINCT FROM nullif(p_url, '');
    DELETE FROM genflow.removals r
     WHERE r.job_id = p_id AND r.tries > 0
       AND CASE WHEN p_url IS NULL THEN r.url IS NOT NULL AND r.picture_secret IS NULL
                ELSE r.url IS NOT DISTINCT FROM nullif(p_url, '') END
$$;
