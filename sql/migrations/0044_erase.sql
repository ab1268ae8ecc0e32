-- SPDX-License-Identifier: Apache-2.0
-- Erasing a user (sql/functions/admin_erase.sql), and whom an entry of the record is about.
ALTER TABLE genflow.audit ADD COLUMN user_id bigint;    -- number of the account; NULL: of none
CREATE INDEX audit_user ON genflow.audit (user_id, id) WHERE user_id IS NOT NULL;

-- Accounts that lost their name, until nothing of their users is left.
CREATE TABLE genflow.erasures (
    user_id bigint      PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- They have a further parameter.
DROP FUNCTION IF EXISTS
    genflow.audit_add(jsonb, text, text, jsonb, jsonb),
    genflow.admin_audit(text, text, bigint, integer);
