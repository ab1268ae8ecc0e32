-- SPDX-License-Identifier: Apache-2.0
-- The provider's id of a run stands in one column, whatever kind of provider gave it. The tables of
-- the types get theirs from genflow.type_upgrade(), which sql/apply calls for each: migrations do
-- not loop over types.

-- Servers from before this migration read stability_job_id and the like, which stay in the type.
ALTER TYPE genflow.generation ADD ATTRIBUTE provider_kind text, ADD ATTRIBUTE provider_ref text;
