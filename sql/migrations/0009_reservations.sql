-- SPDX-License-Identifier: Apache-2.0
-- Reservations: credits held under a run id before there is a generation.

-- The money is in the ledger under the reservation's own id: a hold, and a release once it is used, given back or over. A
-- reservation is never charged; the generation that uses it holds for itself in the same transaction. As in media tables,
-- deferred foreign keys check at commit that both rows are there.
CREATE TABLE genflow.reservations (
    id          uuid   PRIMARY KEY,
    user_id     text   NOT NULL,
    request_id  text   NOT NULL CHECK (length(request_id) BETWEEN 1 AND 200),      -- the run id of the generation to come
    amount      bigint NOT NULL CHECK (amount > 0),
    action      text   CHECK (length(action) <= 200),                              -- what the client calls it
    state       text   NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'used', 'returned', 'expired')),
    job_id      uuid   UNIQUE,                                                     -- the generation that used it
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at  timestamptz NOT NULL,
    hold_kind   text GENERATED ALWAYS AS ('hold') STORED,
    settle_kind text GENERATED ALWAYS AS (CASE WHEN state <> 'open' THEN 'release' END) STORED,
    CONSTRAINT reservations_once     UNIQUE (user_id, request_id),
    CONSTRAINT reservations_used_by  CHECK ((state = 'used') = (job_id IS NOT NULL)),
    CONSTRAINT reservations_has_hold FOREIGN KEY (id, hold_kind)   REFERENCES genflow.ledger (ref, kind)
        DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT reservations_settled  FOREIGN KEY (id, settle_kind) REFERENCES genflow.ledger (ref, kind)
        DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX reservations_open ON genflow.reservations (expires_at) WHERE state = 'open';

CREATE TRIGGER reservations_guard BEFORE UPDATE ON genflow.reservations FOR EACH ROW
    WHEN (NEW.id <> OLD.id OR NEW.user_id <> OLD.user_id OR NEW.amount <> OLD.amount OR OLD.state <> 'open')
    EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER reservations_no_delete BEFORE DELETE ON genflow.reservations FOR EACH ROW
    WHEN (OLD.state = 'open') EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER reservations_no_truncate BEFORE TRUNCATE ON genflow.reservations
    FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();

-- It is told now by whose day it counts.
DROP FUNCTION IF EXISTS genflow.quota(text);
