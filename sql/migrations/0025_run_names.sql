-- SPDX-License-Identifier: Apache-2.0
-- Cloudinary may name a picture by the client's run id (GenflowStorePublicId), so that a picture
-- that is stored later, or removed, has it beside the random part of its name. NULL: the client
-- gave none, or the row is older: such a picture is named by the generation's id.
ALTER TABLE genflow.restores ADD COLUMN run_id text;
ALTER TABLE genflow.removals ADD COLUMN run_id text;

-- They tell or take more than before.
DROP FUNCTION IF EXISTS genflow.removal_add(uuid, smallint, text, text, text, timestamptz);
DROP FUNCTION IF EXISTS genflow.removal_claim(text[], integer, interval);
DROP FUNCTION IF EXISTS genflow.restore_claim(text[], integer, interval);
