-- SPDX-License-Identifier: Apache-2.0
-- Pictures that an administrator takes down (sql/functions/admin_takedown.sql), and the record of
-- what administrators do (sql/functions/audit.sql). The tables of the types get taken_down_at from
-- genflow.type_upgrade().
ALTER TYPE genflow.generation ADD ATTRIBUTE taken_down_at text;

-- the removal is repeated then, for every name and every store
ALTER TABLE genflow.removals ADD COLUMN again_at timestamptz;

CREATE TABLE genflow.audit (
    id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- who signed in at genflow-admin; "role:NAME": a role of the database without one
    admin  text        NOT NULL,
    action text        NOT NULL CHECK (action ~ '^[a-z]+(\.[a-z]+)?$'),
    -- the id of a generation, the number of an account, a preset, a key's id, ...: no user's name
    target text        NOT NULL,
    before jsonb,
    after  jsonb,
    reason text        CHECK (length(reason) <= 500)
);
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON genflow.audit
    FOR EACH ROW EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON genflow.audit
    FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();

-- It has a further parameter.
DROP FUNCTION IF EXISTS
    genflow.removal_add(uuid, smallint, text, text, text, text, timestamptz);
