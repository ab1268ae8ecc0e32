-- SPDX-License-Identifier: Apache-2.0
-- A client of a front may want the begin of a generation delivered, too (sql/types/create.sql):
-- each event of a generation has a delivery of its own. The functions of before have other columns
-- and parameters.
ALTER TABLE genflow.deliveries
    ADD COLUMN event text NOT NULL DEFAULT 'end' CHECK (event IN ('start', 'end')),
    DROP CONSTRAINT deliveries_pkey,
    ADD PRIMARY KEY (job_id, event);
DROP FUNCTION IF EXISTS genflow.delivery_claim(text[], integer, interval);
DROP FUNCTION IF EXISTS genflow.delivery_note(uuid, interval);
