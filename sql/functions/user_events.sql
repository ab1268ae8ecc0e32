-- SPDX-License-Identifier: Apache-2.0
-- The events of a user: which of the user's generations have changed since an instant, and what the
-- account has. There is no log of events. The ledger has an entry for each begin and each end of a
-- generation, and a live generation has its row in genflow.work.
--
-- An instant is a text: <line>.<entries>.<xid>. `line` begins genflow.site.line, so that a database
-- which was restored from a backup knows no instant of before. `entries` is the number of the
-- user's ledger entries (accounts.entries). `xid` is the oldest transaction that was still running
-- (pg_snapshot_xmin). What was not visible at that instant has been written by this transaction or
-- a later one, however long a transaction stays open before it commits. Dates cannot tell that: an
-- entry has the date of its statement, which is older than its commit.
-- A client that has got only some events of a look has the instant <line>.<entries>.<xid>_<entries>
-- .<xid>_<id>: the first one for generations behind that id, the second one for the others.
--
-- Entries of one user become visible in the order in which their transactions got the account's row
-- (ledger_apply()), so their number says how many are new. user_changes() reads as many of the
-- newest, and all that are up to 10 seconds older: an entry that waited longer for the account, or
-- that came after the clock was set back, is missed there. The number shows that, too: then the
-- answer is that too much has changed (is_reset).

-- user_versions(p_users): for each of these users a text that changes when their account or one of
-- their live generations changes. Called by: a child with streams of users, some times a second.
-- Locks: none. A row's xmin only grows, so that a number of rows and the sum of their xmin are a
-- version of them.
CREATE OR REPLACE FUNCTION genflow.user_versions(p_users text[])
RETURNS TABLE (user_id text, version text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.user_id, hashtextextended(concat_ws('.', a.xmin, w.jobs, w.versions), 0)::text
      FROM unnest(p_users) AS u (user_id)
      LEFT JOIN genflow.accounts a ON a.user_id = u.user_id
     CROSS JOIN LATERAL (SELECT count(*) AS jobs, sum(t.xmin::text::bigint) AS versions
                           FROM genflow.work t WHERE t.user_id = u.user_id) w
$$;

-- is_since(p_xmin, p_xid): was a row with this xmin written by transaction p_xid or a later one? An
-- xmin is the last 32 bits of such a number. Called by: user_changes().
CREATE OR REPLACE FUNCTION genflow.is_since(p_xmin xid, p_xid bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ((p_xmin::text::bigint - p_xid) & 4294967295) < 2147483648
$$;

-- user_changes(p_user, p_new, p_xid): the generations of p_user that have changed since transaction
-- p_xid, which is p_new ledger entries ago; NULL among them: there may be more. Also some that had
-- changed shortly before, while a transaction runs for long. Called by: user_events(). Locks: none.
CREATE OR REPLACE FUNCTION genflow.user_changes(p_user text, p_new bigint, p_xid bigint)
RETURNS TABLE (id uuid)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_from timestamptz;
    v_refs uuid[];
BEGIN
    IF p_new > 0 THEN
        SELECT min(n.at) - interval '10 seconds' INTO v_from
          FROM (SELECT l.at FROM genflow.ledger l WHERE l.user_id = p_user
                 ORDER BY l.at DESC LIMIT p_new) n;
        v_refs := ARRAY(SELECT l.ref FROM genflow.ledger l
                         WHERE l.user_id = p_user AND l.at >= v_from
                           AND genflow.is_since(l.xmin, p_xid));
        IF cardinality(v_refs) < p_new THEN
            id := NULL;
            RETURN NEXT;
        END IF;
    END IF;
    RETURN QUERY
    SELECT r.ref FROM unnest(v_refs) AS r (ref) WHERE genflow.id_type(r.ref) <> 0
     UNION
    SELECT w.job_id FROM genflow.work w
     WHERE w.user_id = p_user AND genflow.is_since(w.xmin, p_xid);
END $$;

-- user_events(p_user, p_since, p_after, p_waiting, p_limit, p_day): what has changed for p_user.
--   p_since    the instant that the client knows; NULL: now
--   p_after    of the generations, only those behind this id
--   p_waiting  also the first 100 that wait in our queue, whose places may have changed
--   p_limit    generations
--   p_day      as in quota.sql
-- Returns a row for each generation in the order of their ids, or one row without a generation.
-- Each has
--   instant    of this look
--   version    as user_versions()
--   balance, held, remaining  as quota()
--   is_reset   p_since is no instant, or too old, or more has changed than a look reads: the client
--              reads its lists anew. There are no generations then.
--   is_paid    the ledger has new entries since p_since
--   waits      a generation waits in our queue
--   id, type   a generation, which may be deleted; changed: false: it only waits in our queue
-- Called by: GET events. Locks: none.
CREATE OR REPLACE FUNCTION genflow.user_events(p_user text, p_since text, p_after uuid,
                                               p_waiting boolean, p_limit integer,
                                               p_day text DEFAULT 'UTC')
RETURNS TABLE (instant text, version text, balance bigint, held bigint, remaining bigint,
               is_reset boolean, is_paid boolean, waits boolean, id uuid, type text,
               changed boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_most    CONSTANT integer := 1000;                     -- ledger entries of a look
    v_line    text := (SELECT left(s.line::text, 8) FROM genflow.site s);
    v_now     pg_snapshot := pg_current_snapshot();
    v_entries bigint := coalesce((SELECT a.entries FROM genflow.accounts a
                                   WHERE a.user_id = p_user), 0);
    v_part    text[];
    v_new     bigint[];                                     -- entries since the one and the other
    v_xid     bigint[];
    v_changes uuid[] := '{}';
BEGIN
    SELECT q.balance, q.held, q.remaining INTO balance, held, remaining
      FROM genflow.quota(p_user, p_day) q;
    version := (SELECT v.version FROM genflow.user_versions(ARRAY[p_user]) v);
    instant := concat_ws('.', v_line, v_entries, pg_snapshot_xmin(v_now));
    waits := EXISTS (SELECT FROM genflow.work w WHERE w.user_id = p_user AND w.turn IS NOT NULL);
    is_reset := false;
    is_paid := false;
    IF p_since IS NOT NULL THEN
        v_part := regexp_match(p_since, '^([0-9a-f]{8})\.(\d{1,18})\.(\d{1,18})(?:_(\d{1,18})\.'
                                        '(\d{1,18})_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}'
                                        '-[0-9a-f]{12}))?$');
        v_new := array_remove(ARRAY[v_entries - v_part[2]::bigint,
                                    v_entries - v_part[4]::bigint], NULL);
        v_xid := array_remove(ARRAY[v_part[3], v_part[5]], NULL);
        is_reset := v_part IS NULL OR v_part[1] <> v_line
            OR 0 > ANY (v_new) OR v_most < ANY (v_new)
            OR EXISTS (SELECT FROM unnest(v_xid) AS x (xid)
                        WHERE pg_snapshot_xmax(v_now)::text::bigint - x.xid
                              NOT BETWEEN 0 AND 2147483647);
    END IF;
    IF p_since IS NOT NULL AND NOT is_reset THEN
        is_paid := v_new[1] > 0;
        v_changes := ARRAY(SELECT c.id FROM genflow.user_changes(p_user, v_new[1], v_xid[1]) c
                            WHERE v_part[6] IS NULL OR c.id > v_part[6]::uuid OR c.id IS NULL);
        IF v_part[6] IS NOT NULL THEN
            v_changes := v_changes || ARRAY(
                SELECT c.id FROM genflow.user_changes(p_user, v_new[2], v_xid[2]) c);
        END IF;
        is_reset := array_position(v_changes, NULL) IS NOT NULL;
    END IF;
    IF is_reset THEN
        v_changes := '{}';
    END IF;
    FOR id, type, changed IN
        SELECT g.id, t.name, bool_or(g.changed)
          FROM (SELECT c.id, true AS changed FROM unnest(v_changes) AS c (id)
                 UNION ALL
                (SELECT w.job_id, false FROM genflow.work w
                  WHERE p_waiting AND NOT is_reset AND w.user_id = p_user AND w.turn IS NOT NULL
                  ORDER BY w.turn LIMIT 100)) g
          JOIN genflow.types t ON t.no = genflow.id_type(g.id)
         WHERE p_after IS NULL OR g.id > p_after
         GROUP BY g.id, t.name ORDER BY g.id LIMIT p_limit
    LOOP
        RETURN NEXT;
    END LOOP;
    IF NOT FOUND THEN
        RETURN NEXT;
    END IF;
END $$;
