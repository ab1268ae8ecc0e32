-- SPDX-License-Identifier: Apache-2.0
-- Functions that have another parameter, or a further column: lateness is no rule of the ledger any
-- more, but a word of health.
DROP FUNCTION IF EXISTS genflow.check(interval);
DROP FUNCTION IF EXISTS genflow.host_seen(text, text, integer, boolean, text, bigint);
