-- SPDX-License-Identifier: Apache-2.0
-- ledger_list(p_user, p_cursor, p_limit): up to p_limit entries of p_user's ledger, newest first.
-- p_cursor: `cursor` of the last entry of the page before, or NULL. Called by: GET credits. Locks:
-- none. SQLSTATE 22023: p_cursor is no cursor.
--   amount         by how much the entry changed the credits that the user may spend: a hold takes
--                  them, a release gives them back, a capture takes no more than the hold did
--   balance_after  what the user could spend after the entry; the cursor carries it on
--   credits        the number granted, held, captured or released
--   job_id         the generation; for a reservation the generation that used it
--   request_id     of the reservation; NULL once the janitor has deleted that
CREATE OR REPLACE FUNCTION genflow.ledger_list(p_user text, p_cursor text, p_limit integer)
RETURNS TABLE (ref uuid, kind text, amount bigint, balance_after bigint, credits bigint,
               reason text, reference text,
               job_id uuid, request_id text, at text, cursor text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_user  bigint := genflow.account_of(p_user);
    v_at    timestamptz := 'infinity';
    v_phase smallint := 0;
    v_ref   uuid := '00000000-0000-0000-0000-000000000000';
    v_spend bigint := coalesce((SELECT a.balance - a.held FROM genflow.accounts a
                                WHERE a.user_id = v_user), 0);
    v_part  text[];
BEGIN
    IF p_cursor IS NOT NULL THEN                    -- microseconds, phase, ref, balance before it
        v_part := regexp_match(p_cursor,
                               '^(\d{1,17})_([0-3])_'
                               '([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_(-?\d{1,18})$');
        IF v_part IS NULL THEN
            RAISE EXCEPTION 'genflow: no cursor' USING ERRCODE = '22023';
        END IF;
        v_at := 'epoch'::timestamptz + v_part[1]::bigint * interval '1 microsecond';
        v_phase := v_part[2];
        v_ref := v_part[3];
        v_spend := v_part[4];
    END IF;
    RETURN QUERY
    WITH page AS (
        SELECT l.*, CASE WHEN l.kind = 'hold' THEN -l.amount WHEN l.kind IN ('capture', 'release')
            THEN l.released
                         ELSE l.amount END AS change
          FROM genflow.ledger l
         WHERE l.user_id = v_user AND (l.at, l.phase, l.ref) < (v_at, v_phase, v_ref)
         ORDER BY l.at DESC, l.phase DESC, l.ref DESC LIMIT p_limit),
    priced AS (
        SELECT p.*, (v_spend - sum(p.change) OVER (ORDER BY p.at DESC, p.phase DESC,
                                                   p.ref DESC))::bigint AS before FROM page p)
    SELECT t.ref, t.kind, t.change, t.before + t.change, CASE t.kind WHEN 'release' THEN t.released
        ELSE t.amount END,
           coalesce(t.reason, r.action), t.external_ref, CASE WHEN genflow.id_type(t.ref) <> 0
               THEN t.ref ELSE r.job_id END,
           r.request_id, genflow.iso(t.at),
           concat_ws('_', (extract(epoch FROM t.at) * 1000000)::bigint, t.phase, t.ref, t.before)
      FROM priced t LEFT JOIN genflow.reservations r ON r.id = t.ref
     ORDER BY t.at DESC, t.phase DESC, t.ref DESC;
END $$;
