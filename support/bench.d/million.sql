-- SPDX-License-Identifier: Apache-2.0
-- :rows finished generations of 90 days, as the functions of a generation leave them, made within a minute or two per
-- million: the triggers look away, and what they would have summed is summed at the end (genflow.check() judges it).
-- The user `many` has a fifth of all, the user `few` has twenty, 1 to :users have the rest. Of a hundred, 90 are completed,
-- 6 failed, 4 cancelled; 75 are of the preset base, 5 of a rare one, the others of none. Of those of `many`, a quarter has the tag
-- usual, a 100th the tag rare, a tenth is a favourite.
SELECT genflow.grant_credits(u, 1000000, 'benchmark')
  FROM (SELECT n::text FROM generate_series(1, :users) AS n UNION ALL VALUES ('many'), ('few')) AS v (u) \g /dev/null
SET session_replication_role = replica;

CREATE SCHEMA bench;
CREATE UNLOGGED TABLE bench.rows AS
SELECT n, w.user_id, t.no, t.media_table, w.at,
       encode(overlay(uuid_send(genflow.new_id(t.no))                -- an id of that time
                      PLACING substring(int8send((extract(epoch FROM w.at) * 1000)::bigint) FROM 3) FROM 1), 'hex')::uuid AS id,
       CASE WHEN w.a < 90 THEN 'completed' WHEN w.a < 96 THEN 'failed' ELSE 'cancelled' END AS status,
       CASE WHEN w.b < 75 THEN 'base' WHEN w.b < 80 THEN 'rare' END AS preset
  FROM generate_series(1, :rows) AS n,
       LATERAL (SELECT CASE WHEN n % 5 = 0 THEN 'many' WHEN n % (:rows / 20) = 1 THEN 'few'
                            ELSE (1 + n / 5 % :users)::text END,
                       now() - interval '1 hour' - (:rows - n) * (interval '90 days' / :rows),
                       abs(hashint8extended(n, 1) % 100), abs(hashint8extended(n, 2) % 100), abs(hashint8extended(n, 3) % 5)
               ) AS w (user_id, at, a, b, c),
       LATERAL (SELECT * FROM genflow.types ORDER BY no OFFSET w.c LIMIT 1) AS t
 ORDER BY n;
ALTER TABLE bench.rows ADD COLUMN account bigint;
UPDATE bench.rows r SET account = a.user_id FROM genflow.accounts a WHERE a.realm = '' AND a.name = r.user_id;

DO $$
DECLARE
    t genflow.types;
BEGIN
    FOR t IN SELECT * FROM genflow.types LOOP
        EXECUTE format($q$
            INSERT INTO %I.%I (id, user_id, run_id, status, preset, prompt, parameters, seed, cost, max_retries, provider, model,
                               image_url, persisted, result, error_code, error_message, created_at, started_at, finished_at, tags,
                               favourite)
            SELECT id, account, 'run-' || n, status, preset,
                   'a lighthouse over a neon city in the rain, reflections on wet stone',
                   '{"aspect_ratio": "16:9", "negative_prompt": "text, watermark, blurred, low quality"}', n, 1, 3,
                   'stability', 'sd3', d.url, d.url IS NOT NULL,
                   CASE WHEN d.url IS NOT NULL
                        THEN jsonb_build_object('width', 1344, 'height', 768, 'bytes', 1638400, 'type', 'image/png',
                                                'sha256', encode(sha256(uuid_send(id)), 'hex')) END,
                   CASE status WHEN 'failed' THEN 'PROVIDER_FAILED' END, CASE status WHEN 'failed' THEN 'The provider failed' END,
                   at, at, at + interval '8 seconds',
                   nullif(array_remove(ARRAY[CASE WHEN n %% 20 = 0 THEN 'usual' END, CASE WHEN n %% 500 = 5 THEN 'rare' END], NULL), '{}'),
                   n %% 50 = 0
              FROM bench.rows, LATERAL (SELECT CASE status WHEN 'completed' THEN '/generated/' || id || '.png' END) AS d (url)
             WHERE no = %s ORDER BY n$q$, t.media_schema, t.media_table, t.no);
        EXECUTE format('INSERT INTO genflow.tags (user_id, tag, type_no, created_at, job_id) SELECT m.user_id, u.tag, %s, m.created_at, m.id '
                       'FROM %I.%I m, unnest(m.tags) AS u (tag)', t.no, t.media_schema, t.media_table);
    END LOOP;
END $$;

INSERT INTO genflow.ledger (ref, kind, user_id, amount, released, at, window_day)
SELECT r.id, l.kind, r.account, l.amount, l.released, r.at + l.later, (r.at AT TIME ZONE 'UTC')::date
  FROM bench.rows r,
       LATERAL (SELECT 'hold', 1, 0, interval '0'
                UNION ALL SELECT CASE r.status WHEN 'completed' THEN 'capture' ELSE 'release' END, (r.status = 'completed')::integer,
                                 (r.status <> 'completed')::integer, interval '8 seconds') AS l (kind, amount, released, later)
 ORDER BY r.n;

-- The janitor has left a week of these.
INSERT INTO genflow.attempts (job_id, no, epoch, provider, model, seed, outcome, sent_at, ended_at)
SELECT id, 1, 1, 'stability', 'sd3', n, CASE status WHEN 'failed' THEN 'PROVIDER_FAILED' ELSE status END, at, at + interval '8 seconds'
  FROM bench.rows WHERE at > now() - interval '7 days' ORDER BY n;
INSERT INTO genflow.idempotency_keys (user_id, key, request_hash, job_id, created_at)
SELECT account, 'own:' || id, uuid_send(id), id, at FROM bench.rows WHERE at > now() - interval '7 days' ORDER BY n;

UPDATE genflow.accounts a
   SET balance = a.balance - s.charged, day = s.day, day_used = s.today, week = genflow.week_of(s.day), week_used = s.this_week,
       generations = s.made
  FROM (SELECT l.user_id, sum(l.amount) FILTER (WHERE l.kind = 'capture') AS charged, d.day,
               coalesce(sum(l.amount) FILTER (WHERE l.kind = 'capture' AND l.window_day = d.day), 0) AS today,
               coalesce(sum(l.amount) FILTER (WHERE l.kind = 'capture' AND l.window_day >= genflow.week_of(d.day)), 0) AS this_week,
               count(*) FILTER (WHERE l.kind = 'hold') AS made
          FROM genflow.ledger l
          JOIN (SELECT user_id, max(window_day) AS day FROM genflow.ledger WHERE kind = 'hold' GROUP BY 1) d USING (user_id)
         GROUP BY l.user_id, d.day) s
 WHERE a.user_id = s.user_id;
-- Grants were summed by the trigger.
INSERT INTO genflow.sums_new (at, type_no, provider, model, kind, outcome, amount, released, took, provider_cost)
SELECT r.at + l.later, r.no, l.provider, l.model, l.kind, l.outcome, l.amount, l.released, l.took, l.cost
  FROM bench.rows r,
       LATERAL (SELECT '', '', 'hold', '', 1, 0, interval '0', 0, 0
                UNION ALL SELECT 'stability', 'sd3', CASE r.status WHEN 'completed' THEN 'capture' ELSE 'release' END, r.status,
                                 (r.status = 'completed')::integer, (r.status <> 'completed')::integer, interval '8 seconds',
                                 8000000 * (r.status = 'completed')::integer, 0
                UNION ALL SELECT 'stability', 'sd3', 'attempt', CASE r.status WHEN 'failed' THEN 'PROVIDER_FAILED' ELSE r.status END,
                                 0, 0, interval '8 seconds', 8000000, 65000 * (r.status <> 'failed')::integer)
               AS l (provider, model, kind, outcome, amount, released, later, took, cost);
SELECT genflow.sums_fold(10000000) \g /dev/null
SET session_replication_role = origin;
VACUUM ANALYZE;
