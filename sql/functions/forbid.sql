-- SPDX-License-Identifier: Apache-2.0
-- forbid(): trigger. Refuses the statement that fires it.
-- Called by: triggers of the ledger, of live work and of every media table. SQLSTATE GF500: a bug
-- or an intruder.
CREATE OR REPLACE FUNCTION genflow.forbid() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'genflow: forbidden % on %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'GF500';
END $$;
