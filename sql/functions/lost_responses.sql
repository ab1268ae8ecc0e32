-- SPDX-License-Identifier: Apache-2.0
-- Responses that could not be delivered. Clients of other APIs (SetHandler genflow-openai, ...)
-- repeat a request whose connection broke, without a key that would name it. Equal requests at the
-- same time are ordinary, so an equal request alone finds nothing: it takes one record of a lost
-- response, and without a record it creates generations.
--
-- A request takes a record in two steps: lost_response_take() holds it for 200 ms, and once the
-- request has read the generations, lost_response_keep() removes it. If the answer of the
-- first step is lost, or the process dies, the hold ends and the record is there again. The token
-- of the request (p_call) names its hold.

-- lost_response_put(p_user, p_hash, p_jobs, p_call): the response about the generations p_jobs (ids
-- with commas between them) of the request with the hash p_hash did not reach p_user. Without ids:
-- the request was refused before anything was created, and its client marks its repetition. Called
-- by: requests at a front. Locks: the token of the call.
CREATE OR REPLACE FUNCTION genflow.lost_response_put(
    p_user text, p_hash bytea, p_jobs text, p_call uuid DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF genflow.call_begin(p_call) IS NULL THEN
        INSERT INTO genflow.lost_responses (user_id, hash, jobs)
        VALUES (genflow.account_make(p_user), p_hash, string_to_array(p_jobs, ',')::uuid[]);
        PERFORM genflow.call_keep(p_call, 'true');
    END IF;
    RETURN true;
END $$;

-- lost_response_lock(p_user, p_hash): one request of account p_user at a time looks for records of
-- this one. Called
-- by: the functions below. Locks: p_user and p_hash (advisory).
CREATE OR REPLACE FUNCTION genflow.lost_response_lock(p_user bigint, p_hash bytea) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_advisory_xact_lock(
        hashtextextended('genflow lost ' || encode(p_hash, 'hex') || ' ' || p_user, 0))
$$;

-- lost_response_take(p_user, p_hash, p_keys, p_is_retry, p_lifetime, p_call): holds the oldest free
-- record of an equal request that is not older than p_lifetime, and returns its generations in
-- their order; called again with its token, the same. p_is_retry: the client says that it repeats a
-- request. Then, without such a record: if an equal request was refused less than a minute ago,
-- takes the record of that, and returns no row. Without that, too: makes and holds a record of the
-- newest generations whose idempotency key begins with p_keys, that live or have ended less than a
-- minute ago; the ones without a record come first. A host that was killed, or a response that was
-- lost behind its socket, left none. No row: there are no generations. One row that is NULL: none
-- yet, but another request holds a record, or, without p_is_retry, generations whose key begins
-- with p_keys live, and their client may have gone just now, unnoticed. Called by: requests at a
-- front, before they create anything. Locks: lost_response_lock(), the record.
CREATE OR REPLACE FUNCTION genflow.lost_response_take(
    p_user text, p_hash bytea, p_keys text, p_is_retry boolean, p_lifetime interval,
    p_call uuid DEFAULT NULL)
RETURNS TABLE (id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_user  bigint := genflow.account_of(p_user);
    v_since timestamptz := clock_timestamp() - p_lifetime;
    v_until timestamptz;
    v_jobs  uuid[];
    v_key   text;
BEGIN
    IF v_user IS NULL THEN
        RETURN;
    END IF;
    PERFORM genflow.lost_response_lock(v_user, p_hash);
    v_until := clock_timestamp() + interval '200 ms';
    UPDATE genflow.lost_responses r SET held_by = p_call, held_until = v_until
     WHERE r.id = (SELECT o.id FROM genflow.lost_responses o
                    WHERE o.user_id = v_user AND o.hash = p_hash AND o.at >= v_since
                      AND NOT o.taken AND o.jobs <> '{}'
                      AND (o.held_by = p_call OR o.held_until IS NULL
                           OR o.held_until <= clock_timestamp())
                    ORDER BY o.held_by = p_call DESC NULLS LAST, o.at, o.id LIMIT 1)
    RETURNING r.jobs INTO v_jobs;
    IF NOT FOUND AND EXISTS (SELECT FROM genflow.lost_responses o
                              WHERE o.user_id = v_user AND o.hash = p_hash AND o.at >= v_since
                                AND NOT o.taken AND o.jobs <> '{}') THEN
        v_jobs := ARRAY[NULL::uuid];
    END IF;
    IF v_jobs IS NULL AND p_is_retry THEN
        UPDATE genflow.lost_responses r SET taken = true, held_by = p_call
         WHERE r.id = (SELECT o.id FROM genflow.lost_responses o
                        WHERE o.user_id = v_user AND o.hash = p_hash
                          AND o.at >= clock_timestamp() - interval '1 minute'
                          AND (NOT o.taken OR o.held_by = p_call) AND o.jobs = '{}'
                        ORDER BY o.held_by = p_call DESC NULLS LAST, o.at, o.id LIMIT 1);
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    IF v_jobs IS NULL THEN
        SELECT split_part(k.key, ' ', 1) INTO v_key
          FROM genflow.idempotency_keys k
         WHERE k.user_id = v_user AND k.key BETWEEN p_keys AND p_keys || 'g'
           AND starts_with(k.key, p_keys) AND k.created_at >= v_since
           AND (EXISTS (SELECT FROM genflow.work w WHERE w.job_id = k.job_id)
                OR p_is_retry
                   AND EXISTS (SELECT FROM genflow.ledger l
                                WHERE l.ref = k.job_id AND l.phase = 2
                                  AND l.at >= clock_timestamp() - interval '1 minute'))
         ORDER BY EXISTS (SELECT FROM genflow.lost_responses r
                           WHERE r.user_id = v_user AND r.hash = p_hash
                             AND k.job_id = ANY (r.jobs)),
                  k.created_at DESC
         LIMIT 1;
        IF p_is_retry THEN
            v_jobs := (SELECT array_agg(m.id) FROM genflow.made_before(p_user, v_key, '') m);
            INSERT INTO genflow.lost_responses (user_id, hash, jobs, held_by, held_until)
            SELECT v_user, p_hash, v_jobs, p_call, v_until WHERE v_jobs IS NOT NULL;
        ELSIF v_key IS NOT NULL THEN
            v_jobs := ARRAY[NULL::uuid];
        END IF;
    END IF;
    RETURN QUERY SELECT j FROM unnest(v_jobs) j;
END $$;

-- lost_response_keep(p_user, p_hash, p_call): the request with that token has read the generations
-- of the record that it holds: nothing finds the record any more. False: its hold was over, and
-- another request took the record. Called by: requests at a front. Locks: lost_response_lock(), the
-- record.
CREATE OR REPLACE FUNCTION genflow.lost_response_keep(p_user text, p_hash bytea, p_call uuid)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_user bigint := genflow.account_of(p_user);
BEGIN
    PERFORM genflow.lost_response_lock(v_user, p_hash);
    UPDATE genflow.lost_responses r SET taken = true
     WHERE r.user_id = v_user AND r.hash = p_hash AND r.held_by = p_call;
    RETURN FOUND;
END $$;
