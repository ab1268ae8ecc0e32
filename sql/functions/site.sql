-- SPDX-License-Identifier: Apache-2.0
-- Is this the database that the hosts worked with, or one that was restored from a backup? In a
-- restored database, jobs that the backup has as queued or sending may have been submitted and paid
-- for since. The module claims, submits, delivers, creates and starts nothing there until an
-- operator calls genflow.resume().
--
-- A database counts as restored when
--   - its cluster (system identifier) or its oid differs from genflow.site: a restored dump,
--     createdb -T, pg_upgrade;
--   - the picture folder holds a later mark than genflow.site: a base backup, a file-level copy,
--     pg_restore --clean;
--   - an operator called genflow.suspend().
-- The mark is a number that hosts increase, at most every mark_every (1 minute): first in the
-- database, while the folder of each host gets the mark before it, so that a standby that lacks up
-- to mark_every may be promoted. A host that was switched off, a new folder and a folder restored
-- from a backup hold an earlier mark or none, and that is no reason. The folder's file is named
-- .mark-<line>. resume() draws a new line, so that two sites may share a folder.
-- A backup younger than two marks is not detected: call genflow.suspend() before you start httpd
-- with such a database.

-- cluster_now(): the system identifier of this cluster; NULL if the owner of the functions may not
-- read it: then only the database's oid and the mark count. Called by: restored, resume.
CREATE OR REPLACE FUNCTION genflow.cluster_now() RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') THEN
        RETURN (SELECT c.system_identifier FROM pg_control_system() c);
    END IF;
    RETURN NULL;
END $$;

-- restored(): why this database counts as restored; NULL: it does not. Called by: every function
-- that begins work, {base}/health. Locks: none. Cluster and database cannot change during a
-- connection, so both are read once (genflow.here) and creating a generation stays fast.
-- this.
CREATE OR REPLACE FUNCTION genflow.restored() RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s      genflow.site;
    v_here text := current_setting('genflow.here', true);
    v_oid  oid;
BEGIN
    IF v_here IS NULL OR v_here = '' THEN
        v_here := set_config('genflow.here', concat_ws('/', (SELECT d.oid FROM pg_database d
            WHERE d.datname = current_database()),
                                                       genflow.cluster_now()), false);
    END IF;
    SELECT * INTO s FROM genflow.site;
    IF s.restored IS NULL AND v_here = concat_ws('/', s.database, s.cluster) THEN
        RETURN NULL;
    END IF;
    v_oid := split_part(v_here, '/', 1);
    RETURN CASE WHEN s.only_row IS NULL THEN 'genflow.site has no row'
                WHEN s.restored IS NOT NULL THEN s.restored
                WHEN s.cluster <> genflow.cluster_now() THEN format('it comes from another cluster '
                                                                    '(system identifier %s)',
                                                                        s.cluster)
                WHEN s.database <> v_oid THEN format('it is a copy of another database (oid %s)',
                                                     s.database) END;
END $$;

-- site_look(p_line, p_mark): compares the mark that a host's folder holds for p_line (p_mark NULL:
-- none) with the database's, and increases the mark if that is due. Called by: each child before it
-- claims. Locks: genflow.site, if it changes.
-- Returns why the database counts as restored (NULL: it does not), and the line and the mark that
-- the folder has to hold.
CREATE OR REPLACE FUNCTION genflow.site_look(p_line uuid, p_mark bigint, OUT restored text,
                                             OUT line uuid, OUT mark bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    s genflow.site;
BEGIN
    restored := genflow.restored();
    SELECT * INTO s FROM genflow.site;
    IF restored IS NULL AND p_line = s.line AND p_mark > s.mark THEN
        restored := format('the picture folder has seen later work (mark %s) than this database '
                           '(mark %s)', p_mark, s.mark);
        UPDATE genflow.site t SET restored = site_look.restored, folder_mark = p_mark
            WHERE t.restored IS NULL;
    ELSIF restored IS NULL AND s.marked_at + s.mark_every <= clock_timestamp() THEN
        UPDATE genflow.site t SET mark = t.mark + 1, marked_at = clock_timestamp()
            WHERE t.mark = s.mark RETURNING * INTO s;
        IF NOT FOUND THEN                                   -- another child has moved it
            SELECT * INTO s FROM genflow.site;
        END IF;
    END IF;
    line := s.line;
    mark := s.mark - 1;
END $$;

-- suspend(p_why): makes this database count as restored from now on. Called by: an operator, the
-- owner or administration. Locks: genflow.site.
CREATE OR REPLACE FUNCTION genflow.suspend(p_why text DEFAULT 'an operator says so') RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE genflow.site SET restored = p_why
$$;

-- resume(p_how): makes this database the site's from now on.
--   'end'       fails every started live generation with SITE_RESTORED and releases its credits:
--               after a restore, when hosts may have worked since the backup
--   'continue'  lets all generations continue: after a copy or pg_upgrade of a stopped site; queued
--               jobs are submitted
-- Pending generations stay pending in both cases. Called by: an operator, the owner or
-- administration. Locks: as <type>_settle(), in account order; genflow.site. Returns a text of what
-- it did. SQLSTATE 22023: another word.
CREATE OR REPLACE FUNCTION genflow.resume(p_how text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    j       record;
    v_ended integer := 0;
BEGIN
    IF p_how IS NULL OR p_how NOT IN ('end', 'continue') THEN
        RAISE EXCEPTION 'genflow: resume takes ''end'' or ''continue'', not %',
            quote_nullable(p_how) USING ERRCODE = '22023';
    ELSIF genflow.restored() IS NULL THEN
        RETURN 'this database does not count as restored: nothing was done';
    END IF;
    IF p_how = 'end' THEN
        FOR j IN
            SELECT s.*, t.prefix FROM (
                SELECT w.job_id, w.user_id, w.type_no FROM genflow.work w WHERE w.phase <> 'pending'
                    ORDER BY w.job_id FOR UPDATE) s
              JOIN genflow.types t ON t.no = s.type_no
             ORDER BY s.user_id, s.job_id
        LOOP
            EXECUTE format('SELECT genflow.%I($1, NULL, ''failed'', NULL, NULL, NULL, NULL, NULL, '
                           'NULL, NULL, ''SITE_RESTORED'', '
                           '''The site was restored from a backup; nothing was charged'', NULL)',
                               j.prefix || '_settle')
              USING j.job_id;
            v_ended := v_ended + 1;
        END LOOP;
    END IF;
    UPDATE genflow.site s SET cluster = genflow.cluster_now(), restored = NULL, folder_mark = NULL,
        line = gen_random_uuid(),
           database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()),
           mark = greatest(s.mark, s.folder_mark) + 1, resumed_at = clock_timestamp(),
           marked_at = clock_timestamp();
    RETURN format('resumed: %s generations were ended', v_ended);
END $$;
