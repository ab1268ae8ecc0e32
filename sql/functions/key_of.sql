-- SPDX-License-Identifier: Apache-2.0
-- key_of(p_key): the idempotency key that p_key means: key:"k" is key:k, and so are the numbered ones of a batch. Servers from
-- before schema 17 send the quotes along; a key with a blank in it keeps them, so that it is no numbered one.
-- Called by: <prefix>_create. Locks: none.
CREATE OR REPLACE FUNCTION genflow.key_of(p_key text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN p_key ~ '^key:"([^"\\ ]|\\["\\])+"( [0-9]+)?$'
                THEN 'key:' || regexp_replace(substring(p_key FROM '^key:"(.+)"'), '\\(["\\])', '\1', 'g')
                            || coalesce(substring(p_key FROM '"( [0-9]+)$'), '')
                ELSE p_key END
$$;
