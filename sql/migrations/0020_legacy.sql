-- SPDX-License-Identifier: Apache-2.0
-- Generations that come from an older system (support/genflow-migrate), and who may see one. The
-- tables of the types get their columns from genflow.type_upgrade(), which sql/apply calls for
-- each. It writes each table anew once: about 20 s for a million rows, in which its type waits.
ALTER TYPE genflow.generation ADD ATTRIBUTE legacy_id text, ADD ATTRIBUTE visibility text,
    ADD ATTRIBUTE allow_remix boolean, ADD ATTRIBUTE tags text[], ADD ATTRIBUTE meta jsonb;

-- It tells more than before.
DROP FUNCTION IF EXISTS genflow.doctor_rows(text, uuid, integer);
