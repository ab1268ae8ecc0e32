-- SPDX-License-Identifier: Apache-2.0
-- Which rules genflow.check() found broken when it ran last (GET admin/now).
ALTER TABLE genflow.checks ADD COLUMN rules text[] NOT NULL DEFAULT '{}';
DROP FUNCTION IF EXISTS genflow.admin_money(bigint, bigint, text, text, bigint);
