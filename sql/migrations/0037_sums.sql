-- SPDX-License-Identifier: Apache-2.0
-- What the ledger sums up to, for metrics (sql/functions/metrics.sql). Each ledger row leaves a row
-- in sums_new in its own transaction, which locks nothing; sums_fold() adds these to sums. The sums
-- of both are those of the ledger at every moment.
ALTER TYPE genflow.job_brief ADD ATTRIBUTE provider text;

CREATE TABLE genflow.sums (
    type_no  smallint NOT NULL,                      -- 0: no generation
    provider text     NOT NULL,                      -- of the end; '': none, or not known
    kind     text     NOT NULL,                      -- of the ledger's rows
    outcome  text     NOT NULL,                      -- of a generation's end; '': of no end
    n        bigint   NOT NULL,
    amount   bigint   NOT NULL,
    released bigint   NOT NULL,
    PRIMARY KEY (type_no, provider, kind, outcome)
) WITH (fillfactor = 50);
CREATE TABLE genflow.sums_new (
    type_no  smallint NOT NULL,
    provider text     NOT NULL,
    kind     text     NOT NULL,
    outcome  text     NOT NULL,
    amount   bigint   NOT NULL,
    released bigint   NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 0);

-- Of ends before this the provider is not known, nor whether they were cancelled.
INSERT INTO genflow.sums (type_no, provider, kind, outcome, n, amount, released)
SELECT CASE WHEN get_byte(uuid_send(l.ref), 6) >> 4 = 7 THEN get_byte(uuid_send(l.ref), 10)
           ELSE 0 END, '', l.kind,
       CASE l.kind WHEN 'capture' THEN 'completed' WHEN 'release' THEN 'failed' ELSE '' END,
       count(*), sum(l.amount), sum(l.released)
  FROM genflow.ledger l GROUP BY 1, 3, 4;

-- When genflow.check() ran last, and how many rules it found broken.
CREATE TABLE genflow.checks (
    only_row boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    at       timestamptz NOT NULL,
    broken   integer     NOT NULL
);
INSERT INTO genflow.checks (at, broken) VALUES ('-infinity', 0);
