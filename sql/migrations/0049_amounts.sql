-- SPDX-License-Identifier: Apache-2.0
-- What users have without an administrator (sql/functions/amounts.sql), for each realm ('': users
-- without one). NULL: not given. A limit of 0: none.
CREATE TABLE genflow.amounts (
    realm      text        PRIMARY KEY,
    initial    bigint      CHECK (initial BETWEEN 0 AND 1000000),
    daily      bigint      CHECK (daily BETWEEN 0 AND 1000000),
    -- up to this balance; NULL: up to daily
    daily_max  bigint      CHECK (daily_max BETWEEN 0 AND 1000000000),
    day_limit  bigint      CHECK (day_limit BETWEEN 0 AND 1000000000),
    week_limit bigint      CHECK (week_limit BETWEEN 0 AND 1000000000),
    -- when a day begins, for daily (day.sql)
    day        text        NOT NULL DEFAULT 'UTC',
    set_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The amounts that the directives of a host state, one text for each realm.
ALTER TABLE genflow.hosts ADD COLUMN amounts text[] NOT NULL DEFAULT '{}';

-- It has another parameter, and a further column.
DROP FUNCTION IF EXISTS genflow.host_seen(text, text, integer, boolean, text, bigint);
