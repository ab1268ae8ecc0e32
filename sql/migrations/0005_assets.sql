-- SPDX-License-Identifier: Apache-2.0
-- Source pictures that users bring. They live here because the database is the only state that all hosts share.

CREATE TABLE genflow.assets (
    id         uuid    PRIMARY KEY,
    user_id    text    NOT NULL,
    type       text    NOT NULL CHECK (type IN ('image/png', 'image/jpeg', 'image/webp')),
    width      integer NOT NULL CHECK (width > 0),
    height     integer NOT NULL CHECK (height > 0),
    bytes      bytea   NOT NULL,
    size       integer NOT NULL GENERATED ALWAYS AS (octet_length(bytes)) STORED,
    sha256     bytea   NOT NULL GENERATED ALWAYS AS (sha256(bytes)) STORED,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT assets_once UNIQUE (user_id, sha256)            -- the same picture again only moves expires_at
);
ALTER TABLE genflow.assets ALTER bytes SET STORAGE EXTERNAL;   -- pictures are compressed already
CREATE INDEX assets_expiry ON genflow.assets (expires_at);
