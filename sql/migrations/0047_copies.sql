-- SPDX-License-Identifier: Apache-2.0
-- Copies of pictures that live elsewhere (sql/functions/removals.sql). What waited before is of
-- deleted generations: no released schema has moves.
ALTER TABLE genflow.removals ADD COLUMN is_copy boolean NOT NULL DEFAULT false;

-- They have a further parameter, or column.
DROP FUNCTION IF EXISTS
    genflow.removal_add(uuid, smallint, text, text, text, text, timestamptz, timestamptz);
DROP FUNCTION IF EXISTS genflow.removal_claim(text[], integer, interval, timestamptz);
