-- SPDX-License-Identifier: Apache-2.0
-- A user's event comes once, also to a client that comes back (sql/functions/user_events.sql): a
-- generation object has the version of its live row, and an instant names the transactions that it
-- has seen. The functions of before have other parameters and columns.
ALTER TYPE genflow.generation ADD ATTRIBUTE row_version text;
DROP FUNCTION IF EXISTS genflow.user_events(text, text, uuid, boolean, integer, text);
DROP FUNCTION IF EXISTS genflow.user_changes(text, bigint, bigint);
DROP FUNCTION IF EXISTS genflow.is_since(xid, bigint);
