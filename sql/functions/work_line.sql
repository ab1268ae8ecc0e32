-- SPDX-License-Identifier: Apache-2.0
-- work_line(): trigger before a job that no host has begun is queued. It sets the job's place in
-- the queue, and its due time to the deadline, which only ends it. The queue is fair between users:
-- a job is placed as if it had come 10 seconds later for each live job of its user (up to 100). A
-- user with one job passes a user with a thousand, every job gets its turn, and a single user loses
-- nothing: the place is an order, not a waiting time.
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
