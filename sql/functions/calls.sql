-- SPDX-License-Identifier: Apache-2.0
-- Answers for a repetition of the same call. p_call is the token of a call: the module draws one
-- for each statement that changes something, and sends the statement again if the connection dies
-- before the answer comes (db/db.c). NULL: the caller does not repeat. Most functions look for
-- their token only before they would refuse, after they took their locks, so that a first call
-- still in progress has ended by then.
--
-- call_answer(p_call): the answer of that call; NULL: it is not known. Called by: functions with
-- p_call. Locks: none.
CREATE OR REPLACE FUNCTION genflow.call_answer(p_call uuid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.answer FROM genflow.calls c WHERE c.call = p_call
$$;

-- call_begin(p_call): the same for a function that would not refuse a repetition but execute it
-- twice. It waits for a first call still in progress. NULL: this is the first call, and the
-- function ends with call_keep(). Called by: functions with p_call, first of all. Locks: the token.
CREATE OR REPLACE FUNCTION genflow.call_begin(p_call uuid) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_call IS NOT NULL THEN
        INSERT INTO genflow.calls (call, answer) VALUES (p_call, '{}') ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RETURN genflow.call_answer(p_call);
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- call_keep(p_call, p_answer): stores the answer of a function that leaves no other row with the
-- token. The janitor deletes it after an hour (part 'calls'). Called by: functions with p_call.
-- Locks: the token.
CREATE OR REPLACE FUNCTION genflow.call_keep(p_call uuid, p_answer jsonb) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO genflow.calls (call, answer) SELECT p_call, p_answer WHERE p_call IS NOT NULL
        ON CONFLICT (call) DO UPDATE SET answer = EXCLUDED.answer
$$;
