-- SPDX-License-Identifier: Apache-2.0
-- limits(p_user, p_type_no, p_concurrent, p_queue): may account p_user have one more?
--   p_concurrent  live generations that a user may have, over all types; 0: any number. Exact: a
--                 second call for the same user waits until this transaction has ended.
--   p_queue       jobs of all users that may wait in the queue of the type; 0: any number. Not
--                 exact: simultaneous calls all see the same queue.
-- Called by: <prefix>_create, before its other locks. Locks: the user's generations (advisory).
-- Outcomes: 'ok', 'too_many', 'queue_full'.
CREATE OR REPLACE FUNCTION genflow.limits(p_user bigint, p_type_no smallint, p_concurrent integer,
                                          p_queue integer) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_concurrent > 0 THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('genflow generations of ' || p_user, 0));
        IF (SELECT count(*) FROM (SELECT FROM genflow.work w WHERE w.user_id = p_user
                                  LIMIT p_concurrent) l) >= p_concurrent THEN
            RETURN 'too_many';
        END IF;
    END IF;
    IF p_queue > 0 AND (SELECT count(*) FROM (SELECT FROM genflow.work w WHERE w.type_no = p_type_no
                                              AND w.turn IS NOT NULL
                                               LIMIT p_queue) l) >= p_queue THEN
        RETURN 'queue_full';
    END IF;
    RETURN 'ok';
END $$;
