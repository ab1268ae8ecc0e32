-- SPDX-License-Identifier: Apache-2.0
-- How long generations of a type take (sql/functions/expected.sql). Unlogged: after a crash the
-- janitor computes it anew.
CREATE UNLOGGED TABLE genflow.expected (
    type_no     smallint    PRIMARY KEY REFERENCES genflow.types (no) ON DELETE CASCADE,
    -- milliseconds; NULL: no generation has succeeded yet
    p50         bigint,
    p90         bigint,
    computed_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
