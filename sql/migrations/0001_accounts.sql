-- SPDX-License-Identifier: Apache-2.0
-- Accounts and the ledger. What the ledger says is true; an account row is the running sum of its ledger rows,
-- kept beside them so that one conditional UPDATE can decide a purchase.

-- The only mutable money row. Balance, holds and both quota windows live in ONE row: credit and quota are decided
-- together by one UPDATE. No indexed column ever changes (heap-only updates, hence the low fillfactor).
CREATE TABLE genflow.accounts (
    user_id    text   PRIMARY KEY CHECK (length(user_id) BETWEEN 1 AND 255),
    balance    bigint NOT NULL DEFAULT 0,            -- credits owned, holds included
    held       bigint NOT NULL DEFAULT 0,            -- part of balance that open holds reserve
    day        date   NOT NULL DEFAULT 'epoch',      -- the day (UTC) that day_used counts
    week       date   NOT NULL DEFAULT 'epoch',      -- Monday of the week that week_used counts
    day_used   bigint NOT NULL DEFAULT 0,            -- credits held or spent in that day
    week_used  bigint NOT NULL DEFAULT 0,
    day_limit  bigint CHECK (day_limit >= 0),        -- NULL: no limit
    week_limit bigint CHECK (week_limit >= 0),
    blocked    boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT accounts_held_not_negative  CHECK (held >= 0),
    CONSTRAINT accounts_balance_covers_held CHECK (balance >= held),   -- so balance >= 0: no overdraft, ever
    CONSTRAINT accounts_used_not_negative  CHECK (day_used >= 0 AND week_used >= 0)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);

-- Append only. One row is one balanced transfer:
--   grant, adjust   nothing   -> available      refund   revenue   -> available
--   hold            available -> held           release  held      -> available
--   capture         held      -> revenue (and what is left of the hold -> available)
-- A job's rows carry its id as ref. (ref, kind) and (ref, phase) are unique: one hold, ONE resolution (capture or
-- release, never both, never twice), one refund. That is what makes a double charge impossible.
CREATE TABLE genflow.ledger (
    ref          uuid   NOT NULL,                    -- job id (hold, capture, release, refund) or an id of its own
    kind         text   NOT NULL CHECK (kind IN ('grant', 'adjust', 'hold', 'capture', 'release', 'refund')),
    user_id      text   NOT NULL,
    amount       bigint NOT NULL,                    -- hold: reserved; capture: charged; else: credited (adjust: +/-)
    released     bigint NOT NULL DEFAULT 0,          -- capture, release: part of the hold given back
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    window_day   date,                               -- hold, capture, release: the day whose quota the hold used
    phase        smallint GENERATED ALWAYS AS
                 (CASE kind WHEN 'hold' THEN 1 WHEN 'capture' THEN 2 WHEN 'release' THEN 2
                            WHEN 'refund' THEN 3 ELSE 0 END) STORED,
    reason       text,
    external_ref text,                               -- grant, adjust: a payment or ticket that may count only once
    CONSTRAINT ledger_pkey        PRIMARY KEY (ref, kind),
    CONSTRAINT ledger_one_phase   UNIQUE (ref, phase),
    CONSTRAINT ledger_amounts     CHECK ((amount >= 0 OR kind = 'adjust') AND released >= 0
                                         AND (kind <> 'release' OR amount = 0)
                                         AND (kind IN ('capture', 'release') OR released = 0))
);
CREATE UNIQUE INDEX ledger_external_ref ON genflow.ledger (external_ref) WHERE external_ref IS NOT NULL;
CREATE INDEX ledger_user ON genflow.ledger (user_id, at);
