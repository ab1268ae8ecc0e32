-- SPDX-License-Identifier: Apache-2.0
-- Responses of fronts that could not be delivered (sql/functions/lost_responses.sql): the next
-- equal request of the user takes one, once, and gets its generations in place of new ones.
CREATE TABLE genflow.lost_responses (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text   NOT NULL,
    hash    bytea  NOT NULL,
    taken   boolean NOT NULL DEFAULT false,
    jobs    uuid[] NOT NULL CHECK (cardinality(jobs) BETWEEN 1 AND 10),
    at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX lost_responses_hash ON genflow.lost_responses (user_id, hash, at);
CREATE INDEX lost_responses_at ON genflow.lost_responses (at);
