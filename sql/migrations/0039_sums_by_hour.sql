-- SPDX-License-Identifier: Apache-2.0
-- The sums of the ledger by hour and by day (UTC), beside those of all time, and what ended
-- attempts cost: for GET admin/money, admin/now and admin/stats (sql/functions/sums.sql). And since
-- when genflow.check() finds what it finds.

-- span: 'all' (at is -infinity, model ''), 'day', 'hour'. provider_cost: millionths of the site's
-- currency (GenflowProviderCost). took: microseconds, of what ended well and of attempts.
ALTER TABLE genflow.sums
    ADD COLUMN span          text        NOT NULL DEFAULT 'all'
        CHECK (span IN ('all', 'day', 'hour')),
    ADD COLUMN at            timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN model         text        NOT NULL DEFAULT '',
    ADD COLUMN took          bigint      NOT NULL DEFAULT 0,
    ADD COLUMN provider_cost bigint      NOT NULL DEFAULT 0;
ALTER TABLE genflow.sums DROP CONSTRAINT sums_pkey;
ALTER TABLE genflow.sums ADD PRIMARY KEY (span, at, type_no, provider, model, kind, outcome);
ALTER TABLE genflow.sums_new
    ADD COLUMN at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN model         text        NOT NULL DEFAULT '',
    ADD COLUMN took          bigint      NOT NULL DEFAULT 0,
    ADD COLUMN provider_cost bigint      NOT NULL DEFAULT 0;

-- What the submission costs if it has to be paid.
ALTER TABLE genflow.attempts ADD COLUMN provider_cost bigint NOT NULL DEFAULT 0;
DROP FUNCTION IF EXISTS genflow.attempt_begin(uuid, integer, smallint, text, text, bigint, text,
                                              interval, interval, bigint, bigint, jsonb);

ALTER TABLE genflow.checks ADD COLUMN since timestamptz NOT NULL DEFAULT '-infinity';
UPDATE genflow.checks SET since = at;

DROP FUNCTION IF EXISTS genflow.admin_first_id(timestamptz);

-- For the sums by hour and type: which model made it, and how long that took.
ALTER TYPE genflow.job_brief ADD ATTRIBUTE model text, ADD ATTRIBUTE started_at timestamptz;

-- What the ledger has so far: all of it, by the hour. Provider, model and time are those of the
-- rows of the last 90 days; before that they are not known, nor whether an end was a cancellation.
WITH gone AS (DELETE FROM genflow.sums_new RETURNING *)
INSERT INTO genflow.sums AS s (type_no, provider, kind, outcome, n, amount, released)
SELECT g.type_no, g.provider, g.kind, g.outcome, count(*), sum(g.amount), sum(g.released)
  FROM gone g GROUP BY 1, 2, 3, 4
    ON CONFLICT (span, at, type_no, provider, model, kind, outcome) DO UPDATE
   SET n = s.n + EXCLUDED.n, amount = s.amount + EXCLUDED.amount,
       released = s.released + EXCLUDED.released;
DO $$
DECLARE
    v_media text;
BEGIN
    SELECT coalesce(string_agg(format('SELECT id, provider, model, status, started_at FROM %I.%I '
                                      'WHERE finished_at > now() - interval ''90 days''',
                                      media_schema, media_table), ' UNION ALL '),
                    'SELECT NULL::uuid AS id, NULL::text AS provider, NULL::text AS model, '
                    'NULL::text AS status, NULL::timestamptz AS started_at WHERE false')
      INTO v_media FROM genflow.types
          WHERE to_regclass(format('%I.%I', media_schema, media_table)) IS NOT NULL;
    EXECUTE format($q$
        INSERT INTO genflow.sums (span, at, type_no, provider, model, kind, outcome, n, amount,
                                  released, took)
        SELECT 'hour', date_trunc('hour', l.at, 'UTC'), r.type_no, coalesce(m.provider, ''),
               coalesce(m.model, ''), l.kind,
               CASE WHEN l.kind NOT IN ('capture', 'release') THEN ''
                    WHEN m.id IS NOT NULL THEN m.status
                    WHEN l.kind = 'capture' THEN 'completed'
                    WHEN r.type_no = 0 THEN 'cancelled' ELSE 'failed' END,
               count(*), sum(l.amount), sum(l.released),
               coalesce(sum((extract(epoch FROM l.at - m.started_at) * 1000000)::bigint)
                            FILTER (WHERE l.kind = 'capture'), 0)
          FROM genflow.ledger l
         CROSS JOIN LATERAL (SELECT CASE WHEN l.kind NOT IN ('grant', 'adjust')
                                          AND get_byte(uuid_send(l.ref), 6) >> 4 = 7
                                         THEN get_byte(uuid_send(l.ref), 10) ELSE 0 END) r (type_no)
          LEFT JOIN (%s) m ON m.id = l.ref AND l.kind IN ('capture', 'release')
         GROUP BY 2, 3, 4, 5, 6, 7$q$, v_media);
END $$;
INSERT INTO genflow.sums (span, at, type_no, provider, model, kind, outcome, n, amount, released,
                          took)
SELECT 'hour', date_trunc('hour', a.ended_at, 'UTC'), get_byte(uuid_send(a.job_id), 10), a.provider,
       a.model, 'attempt', a.outcome, count(*), 0, 0,
       sum((extract(epoch FROM a.ended_at - a.sent_at) * 1000000)::bigint)
  FROM genflow.attempts a WHERE a.outcome IS NOT NULL AND a.ended_at IS NOT NULL
 GROUP BY 2, 3, 4, 5, 7;
INSERT INTO genflow.sums (span, at, type_no, provider, model, kind, outcome, n, amount, released,
                          took)
SELECT 'day', date_trunc('day', s.at, 'UTC'), s.type_no, s.provider, s.model, s.kind, s.outcome,
       sum(s.n), sum(s.amount), sum(s.released), sum(s.took)
  FROM genflow.sums s WHERE s.span = 'hour' GROUP BY 2, 3, 4, 5, 6, 7;
