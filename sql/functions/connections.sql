-- SPDX-License-Identifier: Apache-2.0
-- connections(): how many connections the caller's role may open to this database, and which
-- setting limits them: max_connections less the reserved ones (reserved_connections since
-- PostgreSQL 16), or the CONNECTION LIMIT of the role or of the database if that is smaller. Other
-- roles, databases and servers share the same number. Called by: one child at the start of httpd.
-- Locks: none.
CREATE OR REPLACE FUNCTION genflow.connections(OUT most integer, OUT limited_by text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.most, l.limited_by FROM (
        SELECT current_setting('max_connections')::integer
                   - current_setting('superuser_reserved_connections')::integer
                   - coalesce(current_setting('reserved_connections', true)::integer, 0),
               'max_connections of PostgreSQL, less those that it reserves', 3
        UNION ALL
        SELECT r.rolconnlimit, format('the CONNECTION LIMIT of role %I', r.rolname), 1
          FROM pg_roles r WHERE r.rolname = session_user AND r.rolconnlimit >= 0
        UNION ALL
        SELECT d.datconnlimit, format('the CONNECTION LIMIT of database %I', d.datname), 2
          FROM pg_database d WHERE d.datname = current_database()
              AND d.datconnlimit >= 0) AS l(most, limited_by, rank)
     ORDER BY l.most, l.rank LIMIT 1
$$;
