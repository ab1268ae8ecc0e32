-- SPDX-License-Identifier: Apache-2.0
-- API keys: what a program sends instead of a user name and password. The key itself is nowhere
-- stored: its SHA-256 is (sql/functions/api_keys.sql).
CREATE TABLE genflow.api_keys (
    id          text   PRIMARY KEY CHECK (id ~ '^[0-9A-Za-z]{12}$'),  -- in the key; no secret
    hash        bytea  NOT NULL CHECK (length(hash) = 32),            -- of the whole key
    user_id     text   NOT NULL CHECK (length(user_id) BETWEEN 1 AND 255),
    name        text   NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    scopes      text[] NOT NULL CHECK (cardinality(scopes) > 0
                                       AND scopes <@ ARRAY['images', 'read', 'keys', 'admin']),
    types       text[] CHECK (cardinality(types) > 0),                -- NULL: any type
    budget      bigint CHECK (budget >= 0),                           -- credits; NULL: no limit
    budget_per  text   CHECK (budget_per IN ('day', 'total')),
    budget_day  date   NOT NULL DEFAULT 'epoch',    -- per day: the day that budget_used counts
    budget_used bigint NOT NULL DEFAULT 0,          -- held or charged, not given back
    created_by  text,                               -- id of the key that made it
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at  timestamptz,
    revoked_at  timestamptz,
    used_at     timestamptz,                        -- to the minute
    CONSTRAINT api_keys_budget_whole CHECK ((budget IS NULL) = (budget_per IS NULL)),
    CONSTRAINT api_keys_budget_kept  CHECK (budget_used >= 0
                                            AND (budget IS NULL OR budget_used <= budget))
) WITH (fillfactor = 70);
CREATE INDEX api_keys_user ON genflow.api_keys (user_id, created_at, id);

-- What a key is and may do is fixed, and a revoked one stays revoked.
CREATE TRIGGER api_keys_guard BEFORE UPDATE ON genflow.api_keys FOR EACH ROW
    WHEN (NEW.id <> OLD.id OR NEW.hash <> OLD.hash OR NEW.user_id <> OLD.user_id
          OR NEW.scopes <> OLD.scopes OR NEW.types IS DISTINCT FROM OLD.types
          OR NEW.budget IS DISTINCT FROM OLD.budget
          OR NEW.budget_per IS DISTINCT FROM OLD.budget_per
          OR NEW.expires_at IS DISTINCT FROM OLD.expires_at
          OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at))
    EXECUTE FUNCTION genflow.forbid();

-- Which key held these credits: of holds alone.
ALTER TABLE genflow.ledger ADD COLUMN api_key text CHECK (api_key IS NULL OR kind = 'hold');

-- They know the key now.
DROP FUNCTION IF EXISTS genflow.hold(uuid, text, bigint, date, text);
DROP FUNCTION IF EXISTS genflow.reserve(text, text, bigint, text, interval, text, boolean);
