-- SPDX-License-Identifier: Apache-2.0
-- Every act of administration is recorded, and an entry has the realm whose administrators see it.
ALTER TABLE genflow.audit ADD COLUMN realm text NOT NULL DEFAULT '';
CREATE INDEX audit_realm ON genflow.audit (realm, id) WHERE realm > '';

-- They have a further parameter.
DROP FUNCTION IF EXISTS
    genflow.admin_api_key_put(text, text, bytea, text, text[], text[], timestamptz, bigint, text,
                              text, integer),
    genflow.admin_api_key_revoke(text, text),
    genflow.admin_breaker_reset(text, text, uuid),
    genflow.admin_cancel(uuid, uuid, text),
    genflow.admin_clear(uuid, integer, text, text, text, uuid),
    genflow.admin_credit(text, bigint, text, text, uuid),
    genflow.admin_preset_add(text, text, jsonb, uuid),
    genflow.admin_preset_delete(text, text, uuid),
    genflow.admin_preset_edit(text, text, jsonb, uuid),
    genflow.admin_refund(uuid, bigint, text, text, uuid, text),
    genflow.admin_user_set(text, jsonb, uuid);
