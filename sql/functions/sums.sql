-- SPDX-License-Identifier: Apache-2.0
-- What happened, in sums: by the hour, by the day (UTC) and of all time, by type, provider, model,
-- kind and outcome. The kinds are those of the ledger, and 'attempt': an attempt that ended. Each
-- row of the ledger and each end of an attempt leaves a row in sums_new in its own transaction
-- (ledger_apply(), attempt_end()), which waits for nobody; sums_fold() adds these to sums. Both
-- together are the sums of the ledger in every snapshot.

-- sums_fold(p_limit): adds up to p_limit rows of sums_new to sums. Any number of hosts may call it
-- at once. Called by: metrics(), each host's janitor. Locks: the rows of sums_new (SKIP LOCKED),
-- then those of sums, in order. Returns how many rows it added.
CREATE OR REPLACE FUNCTION genflow.sums_fold(p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    v_count integer;
BEGIN
    WITH gone AS (
        DELETE FROM genflow.sums_new d
         WHERE d.ctid = ANY (ARRAY(SELECT o.ctid FROM genflow.sums_new o LIMIT p_limit
                                   FOR UPDATE SKIP LOCKED))
        RETURNING d.*),
    added AS (
        INSERT INTO genflow.sums AS s (span, at, type_no, provider, model, kind, outcome, n, amount,
                                       released, took, provider_cost)
        SELECT p.span, p.at, g.type_no, g.provider, p.model, g.kind, g.outcome, count(*),
               sum(g.amount), sum(g.released), sum(g.took), sum(g.provider_cost)
          FROM gone g CROSS JOIN LATERAL (
               VALUES ('all', '-infinity'::timestamptz, ''),
                      ('day', date_trunc('day', g.at, 'UTC'), g.model),
                      ('hour', date_trunc('hour', g.at, 'UTC'), g.model)) p (span, at, model)
         GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7
            ON CONFLICT (span, at, type_no, provider, model, kind, outcome) DO UPDATE
           SET n = s.n + EXCLUDED.n, amount = s.amount + EXCLUDED.amount,
               released = s.released + EXCLUDED.released, took = s.took + EXCLUDED.took,
               provider_cost = s.provider_cost + EXCLUDED.provider_cost)
    SELECT count(*) INTO v_count FROM gone;
    RETURN v_count;
END $$;

-- sums_of(p_span, p_from, p_to): the sums of the hours or days that begin in [p_from, p_to), as one
-- snapshot has them; 'all': those of all time, without models. One sum may have several rows.
-- Called by: metrics(), administration. Locks: none.
CREATE OR REPLACE FUNCTION genflow.sums_of(p_span text, p_from timestamptz DEFAULT '-infinity',
                                           p_to timestamptz DEFAULT 'infinity')
RETURNS TABLE (at timestamptz, type_no smallint, provider text, model text, kind text,
               outcome text, n bigint, amount bigint, released bigint, took bigint,
               provider_cost bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.at, s.type_no, s.provider, s.model, s.kind, s.outcome, s.n, s.amount, s.released,
           s.took, s.provider_cost
      FROM genflow.sums s WHERE s.span = p_span AND s.at >= p_from AND s.at < p_to
    UNION ALL
    SELECT u.at, u.type_no, u.provider, u.model, u.kind, u.outcome, count(*), sum(u.amount)::bigint,
           sum(u.released)::bigint, sum(u.took)::bigint, sum(u.provider_cost)::bigint
      FROM (SELECT CASE p_span WHEN 'all' THEN '-infinity' ELSE date_trunc(p_span, d.at, 'UTC')
                   END AS at,
                   d.type_no, d.provider, CASE p_span WHEN 'all' THEN '' ELSE d.model END AS model,
                   d.kind, d.outcome, d.amount, d.released, d.took, d.provider_cost
              FROM genflow.sums_new d) u
     WHERE u.at >= p_from AND u.at < p_to
     GROUP BY 1, 2, 3, 4, 5, 6
$$;

-- ledger_sums(): the sums of the ledger. Called by: metrics(), tests. Locks: none.
CREATE OR REPLACE FUNCTION genflow.ledger_sums()
RETURNS TABLE (type_no smallint, provider text, kind text, outcome text, n bigint, amount bigint,
               released bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.type_no, s.provider, s.kind, s.outcome, sum(s.n)::bigint, sum(s.amount)::bigint,
           sum(s.released)::bigint
      FROM genflow.sums_of('all') s WHERE s.kind <> 'attempt' GROUP BY 1, 2, 3, 4
$$;

-- attempt_end(p_id, p_no, p_outcome, p_paid, p_at): ends an attempt that is open, and counts it.
-- p_paid: the provider made the picture or may have made it, so that it has to be paid. Called by:
-- requeue(), <type>_settle(). Locks: the row of the attempt, after its work.
CREATE OR REPLACE FUNCTION genflow.attempt_end(p_id uuid, p_no smallint, p_outcome text,
                                               p_paid boolean, p_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    WITH ended AS (
        UPDATE genflow.attempts a SET outcome = p_outcome, ended_at = p_at
         WHERE a.job_id = p_id AND a.no = p_no AND a.outcome IS NULL
        RETURNING a.provider, a.model, a.sent_at, a.provider_cost)
    INSERT INTO genflow.sums_new (at, type_no, provider, model, kind, outcome, amount, released,
                                  took, provider_cost)
    SELECT p_at, genflow.id_type(p_id), e.provider, e.model, 'attempt', p_outcome, 0, 0,
           (extract(epoch FROM p_at - e.sent_at) * 1000000)::bigint,
           CASE WHEN p_paid THEN e.provider_cost ELSE 0 END
      FROM ended e;
END $$;
