-- SPDX-License-Identifier: Apache-2.0
-- ended_by(p_id, p_call): did the call with that token end the generation, or the reservation? Then
-- a function that finds it ended is the repetition of that call (calls.sql). Called by:
-- <prefix>_settle, <prefix>_cancel, reserve_finalize. Locks: none.
CREATE OR REPLACE FUNCTION genflow.ended_by(p_id uuid, p_call uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM genflow.ledger l WHERE l.ref = p_id AND l.phase = 2
                   AND l.call = p_call)
$$;

-- ended(p_ids): those of the jobs that have ended. Called by: servers of an earlier version while
-- they still run. Locks: none.
CREATE OR REPLACE FUNCTION genflow.ended(p_ids uuid[]) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.id FROM unnest(p_ids) AS u(id) WHERE NOT EXISTS (SELECT FROM genflow.work w
        WHERE w.job_id = u.id)
$$;
