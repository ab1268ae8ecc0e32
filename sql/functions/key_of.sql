-- SPDX-License-Identifier: Apache-2.0
-- key_of(p_key): the idempotency key that p_key means: key:"k" is key:k, also for the numbered keys
-- of a batch. Servers from before schema 17 send the quotes along. A key with a blank in it keeps
-- its quotes, so that it cannot equal a numbered key.
-- Called by: <prefix>_create, made_before. Locks: none.
CREATE OR REPLACE FUNCTION genflow.key_of(p_key text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN p_key ~ '^key:"([^"\\ ]|\\["\\])+"( [0-9]+)?$'
                THEN 'key:' || regexp_replace(substring(p_key FROM '^key:"(.+)"'), '\\(["\\])',
                                              '\1', 'g')
                            || coalesce(substring(p_key FROM '"( [0-9]+)$'), '')
                ELSE p_key END
$$;

-- made_before(p_user, p_key, p_hash): the generations that the key created, those of a batch in
-- their order; no row: none. outcome: 'replay', or 'mismatch' if the key came with another body.
-- Called by: requests that would be refused because nothing can be created now. Locks: none.
CREATE OR REPLACE FUNCTION genflow.made_before(p_user text, p_key text,
                                               p_hash bytea) RETURNS TABLE (outcome text, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN k.request_hash = p_hash THEN 'replay' ELSE 'mismatch' END, k.job_id
      FROM (SELECT genflow.account_of(p_user) AS account) v CROSS JOIN generate_series(1, 10) n
      JOIN genflow.idempotency_keys k ON k.user_id = v.account
       AND k.key = genflow.key_of(CASE n WHEN 1 THEN p_key ELSE p_key || ' ' || n END)
     ORDER BY n
$$;
