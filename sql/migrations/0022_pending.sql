-- SPDX-License-Identifier: Apache-2.0
-- A generation is 'pending' until a process begins to work on it, and started_at is when it began.
-- The tables of the types get fallback_id from genflow.type_upgrade(), which sql/apply calls for
-- each. Generations that wait in the queue during the upgrade stay 'processing'.

-- started: it lives and waits for no start. age_ms: since it was created.
ALTER TYPE genflow.generation ADD ATTRIBUTE age_ms bigint, ADD ATTRIBUTE started boolean;
