-- SPDX-License-Identifier: Apache-2.0
-- health(): the schema's version (its last migration) and its types. Called by: the module at
-- start, {base}/health.
CREATE OR REPLACE FUNCTION genflow.health() RETURNS TABLE (schema_version integer, types text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT (SELECT max(m.version) FROM genflow.migrations m),
           (SELECT array_agg(t.name ORDER BY t.no) FROM genflow.types t)
$$;
