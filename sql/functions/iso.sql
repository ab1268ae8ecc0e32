-- SPDX-License-Identifier: Apache-2.0
-- iso(p_at): an instant as the wire shows it, ISO 8601 in UTC with milliseconds:
-- 2026-11-20T22:00:00.000Z.
CREATE OR REPLACE FUNCTION genflow.iso(p_at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
