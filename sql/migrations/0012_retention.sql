-- SPDX-License-Identifier: Apache-2.0
-- Ended generations may go some time after their end.

-- It is told now how long generations are kept.
DROP FUNCTION IF EXISTS genflow.janitor(text, integer, interval, interval);
