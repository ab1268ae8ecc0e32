-- SPDX-License-Identifier: Apache-2.0
-- folded(p_text): p_text as searches compare it: in small letters. ICU knows those of all scripts,
-- whatever the locale of the database. Called by: list_query(), like_words(). PostgreSQL puts the
-- expression in place of the call.
DO $$
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION genflow.folded(p_text text) RETURNS text '
                   'LANGUAGE sql IMMUTABLE PARALLEL SAFE AS ''SELECT lower(p_text COLLATE %s)''',
                   CASE WHEN EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu')
                             AND getdatabaseencoding() = 'UTF8'
                        THEN '"und-x-icu"' ELSE '"default"' END);
END $$;
