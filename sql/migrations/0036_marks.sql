-- SPDX-License-Identifier: Apache-2.0
-- What users write at their generations: tags, a title, favourites (sql/types/edit.sql). The tables
-- of the types get their columns and triggers from genflow.type_upgrade().
ALTER TYPE genflow.generation ADD ATTRIBUTE favourite boolean, ADD ATTRIBUTE title text;

-- Each tag of each generation, for lists by tag in order. The triggers of the types' tables keep it
-- (sql/functions/marks.sql).
CREATE TABLE genflow.tags (
    user_id    text        NOT NULL,
    tag        text        NOT NULL CHECK (length(tag) <= 200),
    type_no    smallint    NOT NULL,
    created_at timestamptz NOT NULL,                 -- of the generation
    job_id     uuid        NOT NULL,
    PRIMARY KEY (user_id, tag, type_no, created_at, job_id)
);

-- The last edit of each generation that was edited: for lists of what has changed, and for events.
CREATE TABLE genflow.edits (
    job_id  uuid        PRIMARY KEY,
    type_no smallint    NOT NULL,
    user_id text        NOT NULL,
    at      timestamptz NOT NULL
);
CREATE INDEX edits_user ON genflow.edits (user_id, at);

-- These two have more parameters.
DROP FUNCTION IF EXISTS genflow.list_query(text[], text, text, text, timestamptz);
DROP FUNCTION IF EXISTS genflow.history(text, text[], text, text, bigint, uuid, integer);
