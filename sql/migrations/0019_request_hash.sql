-- SPDX-License-Identifier: Apache-2.0
-- What was sent to the provider, as hashes: {"prompt": "5f2c...", "seed": "..."}. Each is the first
-- 16 hex digits of the SHA-256 of a member of the input. After a lost answer the module compares
-- the provider's list of runs with them. NULL: the provider has no such list, or a server from
-- before this migration sent it.
ALTER TABLE genflow.attempts ADD COLUMN request_hash jsonb;

-- attempt_begin() has one parameter more.
DROP FUNCTION IF EXISTS genflow.attempt_begin(uuid, integer, smallint, text, text, bigint, text,
                                              interval, interval, bigint, bigint);
