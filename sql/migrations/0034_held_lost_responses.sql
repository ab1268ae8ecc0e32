-- SPDX-License-Identifier: Apache-2.0
-- A request holds the record of a lost response until it has read its generations
-- (sql/functions/lost_responses.sql). A record without generations is that of a refusal before
-- anything was created.
ALTER TABLE genflow.lost_responses
    ADD COLUMN held_by    uuid,                      -- token of the request
    ADD COLUMN held_until timestamptz,
    DROP CONSTRAINT lost_responses_jobs_check,
    ADD CONSTRAINT lost_responses_jobs_check CHECK (cardinality(jobs) <= 10);
