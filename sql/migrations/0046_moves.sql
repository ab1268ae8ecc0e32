-- SPDX-License-Identifier: Apache-2.0
-- Pictures that are moved from one store to another in the background (sql/functions/moves.sql).

CREATE TABLE genflow.moves (
    no         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type_no    smallint    NOT NULL REFERENCES genflow.types (no),
    -- what the addresses of pictures that move begin with
    sources    text[]      NOT NULL CHECK (cardinality(sources) > 0),
    -- the same of the store that they move to
    target     text        NOT NULL,
    -- how long the old copy of a moved picture stays
    keep       interval    NOT NULL CHECK (keep >= '0'),
    -- the last generation that was looked at, by id
    seen       uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    found      bigint      NOT NULL DEFAULT 0,
    moved      bigint      NOT NULL DEFAULT 0,
    failed     bigint      NOT NULL DEFAULT 0,
    bytes      bigint      NOT NULL DEFAULT 0,
    last_error text,
    begun_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- all generations were looked at, or nothing more is begun
    fed_at     timestamptz,
    stopped_at timestamptz,
    ended_at   timestamptz
);
CREATE UNIQUE INDEX moves_running ON genflow.moves (type_no) WHERE ended_at IS NULL;

-- The pictures of a move that is under way.
CREATE TABLE genflow.moving (
    job_id         uuid        PRIMARY KEY,
    type_no        smallint    NOT NULL,
    move_no        bigint      NOT NULL REFERENCES genflow.moves (no),
    url            text        NOT NULL,
    -- of the picture, as it was stored; NULL: an older system stored it
    sha256         text,
    picture_secret text,
    run_id         text,
    due_at         timestamptz NOT NULL,
    tries          integer     NOT NULL DEFAULT 0,
    -- a host works on it until then; NULL: none does
    held_until     timestamptz,
    -- a copy that an attempt has stored, and its media type; NULL: none
    copy           text,
    media_type     text
) WITH (fillfactor = 70);
CREATE INDEX moving_due ON genflow.moving (due_at);
CREATE INDEX moving_move ON genflow.moving (move_no);
