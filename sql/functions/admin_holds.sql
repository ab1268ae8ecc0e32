-- SPDX-License-Identifier: Apache-2.0
-- admin_holds(p_user): the credits of a user that are held now, oldest first, as a JSON array: of
-- each live generation that costs something {"kind": "generation", "id", "type", "credits", "state"
-- (its phase), "requestId": null, "since", "expiresAt" (its deadline), "ageSeconds"}, and of each
-- open reservation {"kind": "reservation", ...} with its request id. The newest beyond 1,000 are
-- left out. Called by: GET admin/users/{user}/holds. Locks: none.
CREATE OR REPLACE FUNCTION genflow.admin_holds(p_user text) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
        SELECT coalesce(json_agg(json_build_object(
                   'kind', h.kind, 'id', h.id, 'type', h.type, 'credits', h.credits, 'state',
                   h.state, 'requestId', h.request_id, 'since', genflow.iso(h.since), 'expiresAt',
                   genflow.iso(h.until), 'ageSeconds',
                   floor(extract(epoch FROM statement_timestamp() - h.since))::bigint)
                   ORDER BY h.since, h.id), '[]')
          FROM (SELECT 'generation' AS kind, w.job_id AS id, t.name AS type, w.cost AS credits,
                       w.phase AS state, NULL::text AS request_id, l.at AS since,
                       w.deadline_at AS until
                  FROM genflow.work w
                  JOIN genflow.types t ON t.no = w.type_no
                  JOIN genflow.ledger l ON l.ref = w.job_id AND l.kind = 'hold'
                 WHERE w.user_id = genflow.account_of(p_user) AND w.cost > 0
                 UNION ALL
                SELECT 'reservation', r.id, NULL, r.amount, 'open', r.request_id, r.created_at,
                       r.expires_at
                  FROM genflow.reservations r
                 WHERE r.user_id = genflow.account_of(p_user) AND r.state = 'open'
                 ORDER BY since, id LIMIT 1000) h);
END $$;
