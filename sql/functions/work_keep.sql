-- SPDX-License-Identifier: Apache-2.0
-- work_keep(): trigger before a work row is deleted. A live job must keep its work row.
-- Called by: the trigger alone. SQLSTATE GF500: a bug.
CREATE OR REPLACE FUNCTION genflow.work_keep() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (genflow.job_brief(OLD.job_id)).status IN ('pending', 'processing') THEN
        RAISE EXCEPTION 'genflow: live job % would lose its alarm', OLD.job_id
            USING ERRCODE = 'GF500';
    END IF;
    RETURN OLD;
END $$;
