-- SPDX-License-Identifier: Apache-2.0
-- The number of an account's ledger entries since this migration: from two such numbers a stream of
-- a user's events knows how many entries came between (sql/functions/user_events.sql).
ALTER TABLE genflow.accounts ADD COLUMN entries bigint NOT NULL DEFAULT 0;
