-- SPDX-License-Identifier: Apache-2.0
-- How long a generation is expected to wait in our queue (sql/functions/queue_place.sql).
ALTER TYPE genflow.generation ADD ATTRIBUTE expected_seconds integer;
