-- SPDX-License-Identifier: Apache-2.0
-- The events of a user: which of the user's generations have changed since an instant, and what the
-- account has. There is no log of events. The ledger has an entry for each begin and each end of a
-- generation, a live generation has its row in genflow.work, and an edited one in genflow.edits.
--
-- An instant is a text: <of>.<entries>.<xid>[-<d>...]. `of` is a hash of genflow.site.line and of
-- the user: the instants of other users, and those of before a database was restored from a backup,
-- are none. `entries` is the number of the user's ledger entries (accounts.entries). `xid` is the
-- oldest transaction that was still running (pg_snapshot_xmin). A row that was not visible at that
-- instant has been written by this transaction or a later one, however long a transaction stays
-- open before it commits. Dates cannot tell that: an entry has the date of its statement, which is
-- older than its commit. Each <d> is a later transaction that wrote rows of this user which were
-- visible at that instant, as its distance from `xid`. So a row has changed since then if and only
-- if its transaction is `xid` or later, and is none of those. The rows of a transaction become
-- visible at once, and so do those of a transaction within it, which has a number of its own.
-- An instant names the 100 newest such transactions at most. Beyond that `xid` is the next one
-- behind the others: a transaction that has been open for longer is then not found by its number.
-- Its ledger entries are missed and counted (below); a change of a live row alone is not seen
-- before the next change.
-- A client that has got only some events of a look has the text <of>.<entries>.<xid>[-<d>...]
-- _<entries>.<xid>[-<d>...]_<id>: the instant before the look, that of the look, and the generation
-- up to which the events have come. The look goes on behind it.
--
-- Entries of one user become visible in the order in which their transactions got the account's row
-- (ledger_apply()), so their number says how many are new. user_changes() reads as many of the
-- newest, and all that are up to 10 seconds older: an entry that waited longer for the account, or
-- that came after the clock was set back, is missed there. The number shows that, too: then the
-- answer is that too much has changed (is_reset).

-- user_versions(p_users): for each of these users a text that changes when their account or one of
-- their live generations changes. Called by: a child with streams of users, some times a second.
-- Locks: none. A row's xmin only grows, so that a number of rows and the sum of their xmin are a
-- version of them. Edits of a user come one after the other (edit_keep()): the newest one shows a
-- new one.
CREATE OR REPLACE FUNCTION genflow.user_versions(p_users text[])
RETURNS TABLE (user_id text, version text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.user_id, hashtextextended(concat_ws('.', a.xmin, w.jobs, w.versions,
                                                 'e' || e.xmin), 0)::text
      FROM unnest(p_users) AS u (user_id)
      LEFT JOIN genflow.accounts a
             ON a.realm = genflow.realm_of(u.user_id) AND a.name = genflow.name_of(u.user_id)
      LEFT JOIN LATERAL (SELECT n.xmin FROM genflow.edits n WHERE n.user_id = a.user_id
                          ORDER BY n.at DESC LIMIT 1) e ON true
     CROSS JOIN LATERAL (SELECT count(*) AS jobs, sum(t.xmin::text::bigint) AS versions
                           FROM genflow.work t WHERE t.user_id = a.user_id) w
$$;

-- xid_distance(p_xmin, p_xid): how many transactions began from p_xid to the one that wrote a row
-- with this xmin, which is the last 32 bits of its number; half of them and more: it began before.
-- Called by: the functions below.
CREATE OR REPLACE FUNCTION genflow.xid_distance(p_xmin xid, p_xid bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (p_xmin::text::bigint - p_xid) & 4294967295
$$;

-- is_since(p_xmin, p_xid, p_seen): was a row with this xmin written by transaction p_xid or a later
-- one, but none at these distances from it? Called by: user_instant(), user_changes().
CREATE OR REPLACE FUNCTION genflow.is_since(p_xmin xid, p_xid bigint, p_seen bigint[])
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT genflow.xid_distance(p_xmin, p_xid) < 2147483648
       AND genflow.xid_distance(p_xmin, p_xid) <> ALL (p_seen)
$$;

-- new_edits(p_user, p_xid, p_seen): those of the newest 1,000 edits of account p_user that are new
-- in the sense of is_since(), and all that are up to 10 seconds older: more are not read. Called
-- by: user_instant(), user_changes(). Locks: none. The plan is pinned as that of a claim.
CREATE OR REPLACE FUNCTION genflow.new_edits(p_user bigint, p_xid bigint, p_seen bigint[])
RETURNS TABLE (job_id uuid, xid xid)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
    SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
    v_from timestamptz;
BEGIN
    SELECT n.at - interval '10 seconds' INTO v_from
      FROM (SELECT e.at, e.xmin FROM genflow.edits e WHERE e.user_id = p_user
             ORDER BY e.at DESC LIMIT 1000) n
     WHERE NOT genflow.is_since(n.xmin, p_xid, p_seen) LIMIT 1;
    RETURN QUERY
    SELECT e.job_id, e.xmin FROM genflow.edits e
     WHERE e.user_id = p_user AND e.at >= coalesce(v_from, '-infinity')
       AND genflow.is_since(e.xmin, p_xid, p_seen)
     ORDER BY e.at DESC LIMIT 1001;
END $$;

-- user_instant(p_user, p_xid): <xid>[-<d>...] of now, where p_xid is the oldest transaction that
-- runs. A transaction that looks has not seen its own rows. Called by: user_events(). Locks: none.
-- The plan is pinned as that of a claim: of thousands of entries it reads the newest.
CREATE OR REPLACE FUNCTION genflow.user_instant(p_user bigint, p_xid bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off
    SET enable_bitmapscan = off
AS $$
DECLARE
    v_most  CONSTANT integer := 100;
    v_own   bigint[] := array_remove(
        ARRAY[pg_current_xact_id_if_assigned()::text::bigint - p_xid], NULL);
    v_from  timestamptz;                                    -- older entries are of before p_xid
    v_seen  bigint[];
    v_first bigint := 0;                                    -- where the distances are counted from
BEGIN
    SELECT n.at - interval '10 seconds' INTO v_from
      FROM (SELECT l.at, l.xmin FROM genflow.ledger l WHERE l.user_id = p_user
             ORDER BY l.at DESC LIMIT 1000) n
     WHERE NOT genflow.is_since(n.xmin, p_xid, v_own) LIMIT 1;
    v_seen := ARRAY(
        SELECT DISTINCT genflow.xid_distance(r.xmin, p_xid)
          FROM ((SELECT l.xmin FROM genflow.ledger l
                  WHERE l.user_id = p_user AND l.at >= coalesce(v_from, '-infinity')
                  ORDER BY l.at DESC LIMIT 1000)
                 UNION ALL
                SELECT w.xmin FROM genflow.work w WHERE w.user_id = p_user
                 UNION ALL
                SELECT e.xid FROM genflow.new_edits(p_user, p_xid, v_own) e) r (xmin)
         WHERE genflow.is_since(r.xmin, p_xid, v_own)
         ORDER BY 1 DESC LIMIT v_most + 1);
    IF cardinality(v_seen) > v_most THEN
        v_first := v_seen[v_most + 1] + 1;
        v_seen := v_seen[:v_most];
    END IF;
    RETURN concat(p_xid + v_first, (SELECT string_agg('-' || d.distance - v_first, ''
                                                      ORDER BY d.distance)
                                      FROM unnest(v_seen) AS d (distance)));
END $$;

-- user_changes(p_user, p_new, p_xid, p_seen): the generations of account p_user that have changed
-- since an instant: p_new ledger entries ago, or by transaction p_xid or a later one that is not
-- among p_seen. NULL among them: there may be more. Called by: user_events(). Locks: none.
CREATE OR REPLACE FUNCTION genflow.user_changes(p_user bigint, p_new bigint, p_xid bigint,
                                                p_seen bigint[])
RETURNS TABLE (id uuid)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_from  timestamptz;
    v_refs  uuid[];
    v_edits uuid[];
BEGIN
    IF p_new > 0 THEN
        SELECT min(n.at) - interval '10 seconds' INTO v_from
          FROM (SELECT l.at FROM genflow.ledger l WHERE l.user_id = p_user
                 ORDER BY l.at DESC LIMIT p_new) n;
        v_refs := ARRAY(SELECT l.ref FROM genflow.ledger l
                         WHERE l.user_id = p_user AND l.at >= v_from
                           AND genflow.is_since(l.xmin, p_xid, p_seen));
        IF cardinality(v_refs) < p_new THEN
            id := NULL;
            RETURN NEXT;
        END IF;
    END IF;
    v_edits := ARRAY(SELECT e.job_id FROM genflow.new_edits(p_user, p_xid, p_seen) e);
    IF cardinality(v_edits) > 1000 THEN
        id := NULL;
        RETURN NEXT;
    END IF;
    RETURN QUERY
    SELECT r.ref FROM unnest(v_refs) AS r (ref) WHERE genflow.id_type(r.ref) <> 0
     UNION
    SELECT e.id FROM unnest(v_edits) AS e (id)
     UNION
    SELECT w.job_id FROM genflow.work w
     WHERE w.user_id = p_user AND genflow.is_since(w.xmin, p_xid, p_seen);
END $$;

-- user_events(p_user, p_since, p_waiting, p_limit, p_day): what has changed for p_user.
--   p_since    the instant that the client knows, or the part of a look; NULL: now
--   p_waiting  also the first 100 that wait in our queue, whose places may have changed
--   p_limit    generations
--   p_day      as in quota.sql
-- Returns a row for each generation in the order of their ids, or one row without a generation.
-- Each has
--   instant    of this look; of the look that goes on
--   version    as user_versions()
--   balance, held, remaining  as quota()
--   is_reset   p_since is no instant, or too old, or more has changed than a look reads: the client
--              reads its lists anew. There are no generations then.
--   is_paid    the ledger has new entries up to the instant, and none after it
--   waits      a generation waits in our queue
--   id, type   a generation, which may be deleted
--   row_version  of its live row, as <prefix>_get() has it; NULL: it has ended
--   changed    false: it only waits in our queue
-- A generation that has changed again since the instant is not among them: the next look has it.
-- Called by: GET events. Locks: none.
CREATE OR REPLACE FUNCTION genflow.user_events(p_user text, p_since text, p_waiting boolean,
                                               p_limit integer, p_day text DEFAULT 'UTC')
RETURNS TABLE (instant text, version text, balance bigint, held bigint, remaining bigint,
               is_reset boolean, is_paid boolean, waits boolean, id uuid, type text,
               row_version text, changed boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_most    CONSTANT integer := 1000;                     -- ledger entries of a look
    v_of      text := (SELECT left(encode(sha256(convert_to(s.line || ' ' || p_user, 'UTF8')),
                                          'hex'), 8) FROM genflow.site s);
    v_now     pg_snapshot := pg_current_snapshot();
    v_user    bigint := genflow.account_of(p_user);
    v_entries bigint := coalesce((SELECT a.entries FROM genflow.accounts a
                                   WHERE a.user_id = v_user), 0);
    v_part    text[];
    v_new     bigint[];                                     -- entries since the one and the other
    v_xid     bigint[];
    v_changes uuid[] := '{}';
    v_later   uuid[] := '{}';                               -- than the look that goes on
BEGIN
    SELECT q.balance, q.held, q.remaining INTO balance, held, remaining
      FROM genflow.quota_of(v_user, p_day) q;
    version := (SELECT v.version FROM genflow.user_versions(ARRAY[p_user]) v);
    waits := EXISTS (SELECT FROM genflow.work w WHERE w.user_id = v_user AND w.turn IS NOT NULL);
    is_reset := false;
    is_paid := false;
    IF p_since IS NOT NULL THEN
        v_part := regexp_match(p_since, '^([0-9a-f]{8})\.(\d{1,18})\.(\d{1,18})((?:-\d{1,10})*)'
                                        '(?:_(\d{1,18})\.(\d{1,18})((?:-\d{1,10})*)_([0-9a-f]{8}'
                                        '(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?$');
        v_new := array_remove(ARRAY[v_entries - v_part[2]::bigint,
                                    v_entries - v_part[5]::bigint], NULL);
        v_xid := array_remove(ARRAY[v_part[3], v_part[6]], NULL);
        is_reset := v_part IS NULL OR v_part[1] <> v_of
            OR 0 > ANY (v_new) OR v_most < ANY (v_new)
            OR EXISTS (SELECT FROM unnest(v_xid) AS x (xid)
                        WHERE pg_snapshot_xmax(v_now)::text::bigint - x.xid
                              NOT BETWEEN 0 AND 2147483647);
    END IF;
    IF p_since IS NOT NULL AND NOT is_reset THEN
        v_changes := ARRAY(SELECT c.id FROM genflow.user_changes(
            v_user, v_new[1], v_xid[1], (string_to_array(v_part[4], '-'))[2:]::bigint[]) c);
        is_paid := v_new[1] > 0;
        IF v_part[8] IS NOT NULL THEN
            v_later := ARRAY(SELECT c.id FROM genflow.user_changes(
                v_user, v_new[2], v_xid[2], (string_to_array(v_part[7], '-'))[2:]::bigint[]) c);
            is_paid := is_paid AND v_new[2] = 0;
            instant := concat(v_of, '.', v_part[5], '.', v_part[6], v_part[7]);
        END IF;
        is_reset := array_position(v_changes || v_later, NULL) IS NOT NULL;
    END IF;
    IF instant IS NULL OR is_reset THEN
        instant := concat_ws('.', v_of, v_entries, genflow.user_instant(
            v_user, pg_snapshot_xmin(v_now)::text::bigint));
    END IF;
    FOR id, type, row_version, changed IN
        SELECT g.id, t.name, w.xmin::text, g.changed
          FROM (SELECT u.id, bool_or(u.changed) AS changed
                  FROM (SELECT c.id, true AS changed FROM unnest(v_changes) AS c (id)
                         WHERE (v_part[8] IS NULL OR c.id > v_part[8]::uuid)
                           AND c.id <> ALL (v_later)
                         UNION ALL
                        (SELECT w.job_id, false FROM genflow.work w
                          WHERE p_waiting AND w.user_id = v_user AND w.turn IS NOT NULL
                          ORDER BY w.turn LIMIT 100)) u
                 GROUP BY u.id) g
          LEFT JOIN genflow.edits d ON d.job_id = g.id     -- ids of older systems have no type
          JOIN genflow.types t ON t.no = coalesce(d.type_no, genflow.id_type(g.id))
          LEFT JOIN genflow.work w ON w.job_id = g.id
         WHERE NOT is_reset
         ORDER BY g.id LIMIT p_limit
    LOOP
        RETURN NEXT;
    END LOOP;
    IF NOT FOUND THEN
        RETURN NEXT;
    END IF;
END $$;
