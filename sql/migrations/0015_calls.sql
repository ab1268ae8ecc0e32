-- SPDX-License-Identifier: Apache-2.0
-- A connection may die between COMMIT and the answer. The module then repeats the statement under the same token of its call,
-- and the repetition gives the first answer. The token stands in a row that the act writes anyway; acts that write none keep
-- their answer in genflow.calls.

ALTER TABLE genflow.idempotency_keys ADD COLUMN call uuid;   -- that made the generation
ALTER TABLE genflow.ledger           ADD COLUMN call uuid;   -- that wrote the entry
ALTER TABLE genflow.late_results     ADD COLUMN call uuid;
ALTER TABLE genflow.breakers         ADD COLUMN call uuid;   -- that counted the last failure
ALTER TABLE genflow.work
    ADD COLUMN start_call uuid,                              -- that started it
    ADD COLUMN call       uuid;                              -- that claimed it, or noted the provider's id, whichever was last

-- Answers of acts that leave no row of their own, for as long as a repetition may come.
CREATE TABLE genflow.calls (
    call   uuid PRIMARY KEY,
    answer jsonb NOT NULL,
    at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX calls_at ON genflow.calls (at);

-- They take the token as a further parameter; the old ones would stand beside them.
DROP FUNCTION IF EXISTS
    genflow.reservation_end(uuid, text, uuid),
    genflow.reserve_finalize(text, text),
    genflow.breaker_note(text, text, text, text, integer, interval),
    genflow.asset_delete(text, uuid),
    genflow.template_delete(text, uuid),
    genflow.admin_credit(text, bigint, text, text),
    genflow.admin_refund(uuid, bigint, text, text),
    genflow.admin_cancel(uuid),
    genflow.admin_settle(integer, uuid),
    genflow.admin_clear(uuid, integer),
    genflow.admin_user_set(text, jsonb),
    genflow.admin_preset_add(text, text, jsonb),
    genflow.admin_preset_edit(text, text, jsonb),
    genflow.admin_preset_delete(text, text),
    genflow.admin_breaker_reset(text, text);
