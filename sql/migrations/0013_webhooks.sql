-- SPDX-License-Identifier: Apache-2.0
-- The client's webhook: who asks for a generation may name an address that is told its end.

ALTER TYPE genflow.generation ADD ATTRIBUTE webhook_url text;

-- Ended generations whose webhook is still to be told: a row is written by the transaction that ends it, and goes when the
-- receiver has it or is given up. What is told is read from the generation itself.
CREATE TABLE genflow.deliveries (
    job_id  uuid PRIMARY KEY,
    type_no smallint NOT NULL,
    user_id text NOT NULL,
    due_at  timestamptz NOT NULL,                    -- next try; a host that tries moves it ahead
    tries   integer NOT NULL DEFAULT 0
);
CREATE INDEX deliveries_due ON genflow.deliveries (due_at);

DO $$
DECLARE
    t genflow.types;
BEGIN
    FOR t IN SELECT * FROM genflow.types WHERE to_regclass(format('%I.%I', media_schema, media_table)) IS NOT NULL LOOP
        EXECUTE format('ALTER TABLE %I.%I ADD COLUMN webhook_url text', t.media_schema, t.media_table);
    END LOOP;
END $$;
