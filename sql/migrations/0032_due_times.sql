-- SPDX-License-Identifier: Apache-2.0
-- They take or return more than before (sql/functions/due.sql, restores.sql, removals.sql,
-- deliveries.sql).
DROP FUNCTION IF EXISTS genflow.due(text[], timestamptz[]);
DROP FUNCTION IF EXISTS genflow.restore_claim(text[], integer, interval);
DROP FUNCTION IF EXISTS genflow.removal_claim(text[], integer, interval);
DROP FUNCTION IF EXISTS genflow.delivery_claim(text[], integer, interval);
