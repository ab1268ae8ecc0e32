-- SPDX-License-Identifier: Apache-2.0
-- Answers that a repetition of the same call gets. p_call is the token of a call: the module draws
-- one for each statement that changes something and sends it again if the connection dies before
-- the answer comes (db/db.c). NULL: the caller does not repeat itself. Most acts look for their
-- token only where they would refuse, after their locks, so that a first call that is still under
-- way has ended by then.

-- call_answer(p_call): what the call answered; NULL: it has not been here. Called by: acts. Locks:
-- none.
CREATE OR REPLACE FUNCTION genflow.call_answer(p_call uuid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.answer FROM genflow.calls c WHERE c.call = p_call
$$;

-- call_begin(p_call): the same for an act that would not refuse a repetition but do it once more:
-- waits for a first call that is still under way. NULL: this is the first one, which ends with
-- call_keep(). Called by: acts, first of all. Locks: the token.
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

-- call_keep(p_call, p_answer): keeps the answer of an act that leaves no row with the token. The
-- janitor removes it after an hour (part 'calls'). Called by: acts. Locks: the token.
CREATE OR REPLACE FUNCTION genflow.call_keep(p_call uuid, p_answer jsonb) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO genflow.calls (call, answer) SELECT p_call, p_answer WHERE p_call IS NOT NULL
        ON CONFLICT (call) DO UPDATE SET answer = EXCLUDED.answer
$$;
