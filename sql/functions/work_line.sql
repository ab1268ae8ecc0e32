-- SPDX-License-Identifier: Apache-2.0
-- work_line(): trigger before a job is queued that no host has begun: gives it its place in the
-- line, and lets its alarm only end it. The line is fair between users: a job stands as if it had
-- come 10 seconds later for each live job that its user has (up to 100). Who asks for one thing
-- passes who asks for a thousand; nobody waits for ever; who is alone loses nothing, because a turn
-- is an order, not a time to wait for.
-- Called by: the trigger alone. Locks: none.
CREATE OR REPLACE FUNCTION genflow.work_line() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.due_at := NEW.deadline_at;
    NEW.turn := clock_timestamp() + interval '10 seconds'
        * (SELECT count(*) FROM (SELECT FROM genflow.work w WHERE w.user_id = NEW.user_id
                                 AND w.job_id <> NEW.job_id LIMIT 100) l);
    RETURN NEW;
END $$;
