-- SPDX-License-Identifier: Apache-2.0
-- Responses that could not be delivered. Clients of other APIs (SetHandler genflow-openai, ...)
-- repeat a request whose connection broke, without a key that would name it. Equal requests at the
-- same time are ordinary, so an equal request alone finds nothing: it takes one record of a lost
-- response, and without a record it creates generations.

-- lost_response_put(p_user, p_hash, p_jobs, p_call): the response about the generations p_jobs (ids
-- with commas between them) of the request with the hash p_hash did not reach p_user. Called by:
-- requests at a front. Locks: the token of the call.
CREATE OR REPLACE FUNCTION genflow.lost_response_put(
    p_user text, p_hash bytea, p_jobs text, p_call uuid DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF genflow.call_begin(p_call) IS NULL THEN
        INSERT INTO genflow.lost_responses (user_id, hash, jobs)
        VALUES (p_user, p_hash, string_to_array(p_jobs, ',')::uuid[]);
        PERFORM genflow.call_keep(p_call, 'true');
    END IF;
    RETURN true;
END $$;

-- lost_response_take(p_user, p_hash, p_keys, p_is_retry, p_lifetime, p_call): takes the oldest
-- record of an equal request that is not older than p_lifetime: its generations in their order.
-- Each record is taken once. Without a record, and with p_is_retry (the client says that it
-- repeats a request): the newest generations whose idempotency key begins with p_keys, that live
-- or have ended less than a minute ago. A host that was killed, or a response that was lost behind
-- its socket, left no record. Of these, the ones that no repetition has taken come first. No row:
-- there are none. One row that is NULL: there are none, but generations whose key begins with
-- p_keys live; their client may have gone just now, unnoticed. Called by: requests at a front,
-- before they create anything. Locks: p_user and p_hash (advisory), the record.
CREATE OR REPLACE FUNCTION genflow.lost_response_take(
    p_user text, p_hash bytea, p_keys text, p_is_retry boolean, p_lifetime interval,
    p_call uuid DEFAULT NULL)
RETURNS TABLE (id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_since timestamptz := clock_timestamp() - p_lifetime;
    v_jobs  uuid[];
    v_key   text;
BEGIN
    PERFORM pg_advisory_xact_lock(
        hashtextextended('genflow lost ' || encode(p_hash, 'hex') || ' ' || p_user, 0));
    v_jobs := (SELECT array_agg(j::uuid)
                 FROM jsonb_array_elements_text(genflow.call_answer(p_call)) j);
    IF v_jobs IS NULL THEN
        UPDATE genflow.lost_responses r SET taken = true
         WHERE r.id = (SELECT o.id FROM genflow.lost_responses o
                        WHERE o.user_id = p_user AND o.hash = p_hash AND o.at >= v_since
                          AND NOT o.taken
                        ORDER BY o.at, o.id LIMIT 1)
        RETURNING r.jobs INTO v_jobs;
        IF v_jobs IS NULL AND p_is_retry THEN
            SELECT split_part(k.key, ' ', 1) INTO v_key
              FROM genflow.idempotency_keys k
             WHERE k.user_id = p_user AND k.key BETWEEN p_keys AND p_keys || 'g'
               AND starts_with(k.key, p_keys) AND k.created_at >= v_since
               AND (EXISTS (SELECT FROM genflow.work w WHERE w.job_id = k.job_id)
                    OR EXISTS (SELECT FROM genflow.ledger l
                                WHERE l.ref = k.job_id AND l.phase = 2
                                  AND l.at >= clock_timestamp() - interval '1 minute'))
             ORDER BY EXISTS (SELECT FROM genflow.lost_responses r
                               WHERE r.user_id = p_user AND r.hash = p_hash AND r.taken
                                 AND k.job_id = ANY (r.jobs)),
                      k.created_at DESC
             LIMIT 1;
            v_jobs := (SELECT array_agg(m.id) FROM genflow.made_before(p_user, v_key, '') m);
            INSERT INTO genflow.lost_responses (user_id, hash, taken, jobs)
            SELECT p_user, p_hash, true, v_jobs WHERE v_jobs IS NOT NULL;
        END IF;
        IF v_jobs IS NOT NULL THEN
            PERFORM genflow.call_keep(p_call, to_jsonb(v_jobs));
        END IF;
    END IF;
    IF v_jobs IS NULL AND NOT p_is_retry
       AND EXISTS (SELECT FROM genflow.idempotency_keys k
                    WHERE p_user = k.user_id AND k.key BETWEEN p_keys AND p_keys || 'g'
                      AND starts_with(k.key, p_keys)
                      AND EXISTS (SELECT FROM genflow.work w WHERE w.job_id = k.job_id)) THEN
        v_jobs := ARRAY[NULL::uuid];
    END IF;
    RETURN QUERY SELECT j FROM unnest(v_jobs) j;
END $$;
