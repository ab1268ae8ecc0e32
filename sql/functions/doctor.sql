-- SPDX-License-Identifier: Apache-2.0
-- What support/genflow-doctor prints, for the owner of the database and the role of administration,
-- not for the module. The functions write and lock nothing. Each section is a function with the
-- same three parameters:
--   p_user, p_job   only findings about that user (an identity) or that generation; NULL: all, of
--                   all realms
--   p_newest        how many generations of each type it reads, newest first; NULL: all, which is
--                   slow on large tables. It always reads all live work.
-- and the same four columns: finding, subject (a name, or the first ids), detail, advice. A row
-- with advice is a fault; a row without is a fact.

-- doctor_rows(...): the newest generations of each type that has its table. `request` is equal for
-- equal requests; `moved`: genflow-migrate moved it from an older system. The statements are
-- dynamic, so that the index finds the newest rows at any size of the tables.
CREATE OR REPLACE FUNCTION genflow.doctor_rows(p_user text, p_job uuid, p_newest integer)
RETURNS TABLE (type text, media text, id uuid, user_id bigint, status text, cost bigint,
               created_at timestamptz,
               image_url text, persisted boolean, expires_at timestamptz, request text,
               moved boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_user bigint := genflow.account_of(p_user);
    t      genflow.types;
BEGIN
    FOR t IN SELECT * FROM genflow.types y
        WHERE to_regclass(format('%I.%I', y.media_schema, y.media_table)) IS NOT NULL LOOP
        RETURN QUERY EXECUTE format($q$
            SELECT %1$L, '%2$I.%3$I', m.id, m.user_id, m.status, m.cost, m.created_at, m.image_url,
                   m.persisted, m.expires_at,
                   md5(concat_ws('|', m.prompt, m.preset, m.source_url, m.parameters::text)),
                   m.legacy_id IS NOT NULL
              FROM %2$I.%3$I m WHERE %4$s ORDER BY m.id DESC LIMIT $3$q$, t.name, t.media_schema,
                  t.media_table,
            CASE WHEN p_job IS NOT NULL THEN 'm.id = $2' WHEN p_user IS NOT NULL
                THEN 'm.user_id = $1' ELSE 'true' END)
        USING v_user, p_job, p_newest;
    END LOOP;
END $$;

-- doctor_ledger(p_user): the ledger of account p_user, each row with the changes that it makes to
-- the account. It has no SET, so that PostgreSQL inlines it.
CREATE OR REPLACE FUNCTION genflow.doctor_ledger(p_user bigint)
RETURNS TABLE (ref uuid, kind text, phase smallint, at timestamptz, reason text, change bigint,
               held_change bigint)
LANGUAGE sql STABLE AS $$
    SELECT l.ref, l.kind, l.phase, l.at, concat_ws(', ', l.reason, l.external_ref),
           CASE WHEN l.kind IN ('grant', 'adjust', 'refund') THEN l.amount WHEN l.kind = 'capture'
               THEN -l.amount ELSE 0 END,
           CASE WHEN l.kind = 'hold' THEN l.amount
                WHEN l.kind IN ('capture', 'release') THEN -(l.amount + l.released) ELSE 0 END
      FROM genflow.ledger l WHERE l.user_id = p_user
$$;

-- doctor_some(p_names): the first three names.
CREATE OR REPLACE FUNCTION genflow.doctor_some(p_names text[]) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$
    SELECT array_to_string(p_names[1:3], ', ') || CASE WHEN cardinality(p_names) > 3 THEN ', ...'
        ELSE '' END
$$;

-- doctor_number(p_n, p_thing): "1 generation", "2 generations".
CREATE OR REPLACE FUNCTION genflow.doctor_number(p_n bigint, p_thing text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format('%s %s%s', p_n, p_thing, CASE p_n WHEN 1 THEN '' ELSE 's' END)
$$;

-- doctor_since(p_at): the time since then, in whole seconds.
CREATE OR REPLACE FUNCTION genflow.doctor_since(p_at timestamptz) RETURNS interval
LANGUAGE sql VOLATILE AS $$
    SELECT date_trunc('second', clock_timestamp() - p_at)
$$;

-- doctor_end(p_kind, p_ref): the statement that ends an open hold, by 'capture' or 'release'.
CREATE OR REPLACE FUNCTION genflow.doctor_end(p_kind text,
                                              p_ref text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT format('INSERT INTO genflow.ledger (ref, kind, user_id, amount, released, window_day) '
                  'SELECT ref, %L, user_id, %s, '
                  'window_day FROM genflow.ledger WHERE kind = ''hold'' AND ref = %L;',
                  p_kind, CASE p_kind WHEN 'capture' THEN 'amount, 0' ELSE '0, amount' END, p_ref)
$$;

-- doctor_stuck(...): generations that make no progress, undelivered webhooks, the queue of each
-- type, and the number of generations that each child leads.
CREATE OR REPLACE FUNCTION genflow.doctor_stuck(
    p_user text DEFAULT NULL, p_job uuid DEFAULT NULL, p_newest integer DEFAULT 10000)
RETURNS TABLE (finding text, subject text, detail text, advice text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_user bigint := genflow.account_of(p_user);
    v_late timestamptz := clock_timestamp() - interval '2 minutes';
BEGIN
    RETURN QUERY
    SELECT 'the database was restored', current_database()::text, genflow.restored(),
           'The module submits and delivers nothing until you decide. If hosts may have worked '
           'since the backup: SELECT genflow.resume(''end''); If the site stood still: SELECT '
           'genflow.resume(''continue'');'
     WHERE genflow.restored() IS NOT NULL
    UNION ALL
    SELECT 'it cannot be ended', w.job_id::text, w.poison,
           'Repair what the error names. The claim retries each minute to end it.'
      FROM genflow.work w
     WHERE w.poison IS NOT NULL AND (p_user IS NULL OR w.user_id = v_user)
       AND (p_job IS NULL OR w.job_id = p_job);
    RETURN QUERY
    WITH live AS (
        SELECT w.*, coalesce(t.name, 'type ' || w.type_no) AS type,
               least(w.turn, genflow.lease_end(w)) AS at
          FROM genflow.work w LEFT JOIN genflow.types t ON t.no = w.type_no
         WHERE (p_user IS NULL OR w.user_id = v_user) AND (p_job IS NULL OR w.job_id = p_job)),
    advices (no, finding, advice) AS (VALUES
        (1, 'past its deadline',
            'See that an httpd with GenflowDispatch On runs and has this type in its '
            'configuration: the next claim of the type fails it with TIMEOUT and releases its '
            'credits. If one runs, see in pg_stat_activity which transaction stays open: claims '
            'skip a row that another session has locked.'),
        (2, 'its lease has expired and no child claims it',
            'See that an httpd with GenflowDispatch On runs and has this type in its '
            'configuration. "exit signal" and GF0121 in its error log show why the child lost the '
            'lease.'),
        (3, 'no child works on its type',
            'Start an httpd with GenflowDispatch On and this <GenflowType>. If one runs, its error '
            'log has the reason (GF0121: no database, GF0122: the type is incomplete).'),
        (4, 'the queue is behind',
            'The servers get more jobs than they can do. Raise GenflowDispatchJobs, add a server, '
            'or see with `polling` whether a provider is slow.')),
    late AS (
        SELECT CASE WHEN w.deadline_at < v_late THEN 1
                    WHEN w.lease_owner IS NOT NULL THEN 2
                    WHEN w.type_no NOT IN (SELECT o.type_no FROM genflow.work o
                                            WHERE o.lease_owner IS NOT NULL
                                              AND genflow.lease_end(o) >= v_late) THEN 3
                    ELSE 4 END AS no, w.*
          FROM live w WHERE w.at < v_late)
    SELECT a.finding, genflow.doctor_some(array_agg(w.job_id::text ORDER BY w.at)),
           format('%s, %s; the first was due %s ago', w.type,
                  genflow.doctor_number(count(*), 'generation'),
                  genflow.doctor_since(min(w.at))), a.advice
      FROM late w JOIN advices a USING (no) GROUP BY a.finding, a.advice, w.type
    UNION ALL
    SELECT 'live, but without its work row',
           genflow.doctor_some(array_agg(m.id::text ORDER BY m.id)),
           format('%s, %s without a row in genflow.work: no child will ever claim them', m.type,
                  genflow.doctor_number(count(*), 'generation')),
           format('Somebody deleted the row despite its trigger. This statement lets the next '
                  'claim fail them and release their credits: INSERT '
                  'INTO genflow.work (job_id, user_id, type_no, cost, due_at, deadline_at) SELECT '
                  'id, user_id, '
                  'genflow.id_type(id), cost, now(), now() FROM %s m '
                  'WHERE status IN (''pending'', ''processing'') AND NOT '
                  'EXISTS (SELECT FROM genflow.work w WHERE w.job_id = m.id);', m.media)
      FROM genflow.doctor_rows(p_user, p_job, p_newest) m
     WHERE m.status IN ('pending', 'processing') AND NOT EXISTS (SELECT FROM genflow.work w
         WHERE w.job_id = m.id)
     GROUP BY m.type, m.media
    UNION ALL
    SELECT v.finding, genflow.doctor_some(array_agg(d.job_id::text ORDER BY d.due_at)),
           format('%s, up to %s; the first is due at %s',
                  genflow.doctor_number(count(*), 'webhook'),
                  genflow.doctor_number(max(d.tries), 'attempt'), genflow.iso(min(d.due_at))),
           v.advice
      FROM genflow.deliveries d
      JOIN (VALUES
        (true, 'its webhook is not delivered',
            'See that an httpd with GenflowDispatch On and GenflowWebhookAllow runs and has this '
            'type in its configuration.'),
        (false, 'delivery of its webhook fails',
            'GF0431 in the error log has the receiver''s answer, or the reason why no request was '
            'sent. The module retries, ten attempts within about four days.'))
           AS v(late, finding, advice) ON v.late = (d.due_at < v_late)
     WHERE (d.due_at < v_late OR d.tries > 2) AND (p_user IS NULL OR d.user_id = v_user)
       AND (p_job IS NULL OR d.job_id = p_job)
     GROUP BY v.finding, v.advice
    UNION ALL
    SELECT 'its table is gone', t.name, format('%I.%I does not exist: requests for the type fail',
                                               t.media_schema, t.media_table),
           format('Restore it from a backup, or create an empty one: SELECT '
                  'genflow.create_type(%L);', t.name)
      FROM genflow.types t
     WHERE p_user IS NULL AND p_job IS NULL
       AND to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NULL
    UNION ALL
    SELECT 'there is no such generation', p_job::text,
           'no table of a type has it, nor does the ledger',
           'Find its id in the statement of its user: credits --user NAME.'
     WHERE p_job IS NOT NULL AND NOT EXISTS (SELECT FROM genflow.doctor_rows(NULL, p_job, 1))
       AND NOT EXISTS (SELECT FROM genflow.ledger l WHERE l.ref = p_job)
    UNION ALL
    SELECT 'queue', w.type,
           format('%s live: %s pending, %s queued, %s being sent, %s with a provider; the next '
                  'deadline is %s', count(*), count(*) FILTER (WHERE w.phase = 'pending'),
                  count(*) FILTER (WHERE w.phase = 'queued'),
                  count(*) FILTER (WHERE w.phase = 'sending'),
                  count(*) FILTER (WHERE w.phase = 'working'), genflow.iso(min(w.deadline_at))),
           NULL
      FROM live w GROUP BY w.type
    UNION ALL
    SELECT 'child at work', w.lease_owner,
           format('%s (the child''s name is host:process:random)',
                  genflow.doctor_number(count(*), 'generation')), NULL
      FROM live w WHERE w.lease_owner IS NOT NULL AND w.at >= v_late GROUP BY w.lease_owner;
END $$;

-- doctor_charges(...): charges that do not match their generations. With p_newest NULL also the
-- broken rules of genflow.check().
CREATE OR REPLACE FUNCTION genflow.doctor_charges(
    p_user text DEFAULT NULL, p_job uuid DEFAULT NULL, p_newest integer DEFAULT 10000)
RETURNS TABLE (finding text, subject text, detail text, advice text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH seen AS MATERIALIZED (
        SELECT m.*, l.*, m.created_at
               - lag(m.created_at) OVER (PARTITION BY m.status, m.user_id, m.type, m.request
                                         ORDER BY m.id) AS since_equal
          FROM genflow.doctor_rows(p_user, p_job, p_newest) m
         CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE l.kind = 'hold') AS holds,
                   count(*) FILTER (WHERE l.kind = 'capture') AS captures,
                   count(*) FILTER (WHERE l.kind = 'release') AS releases,
                   coalesce(sum(l.amount) FILTER (WHERE l.kind = 'capture'), 0) AS charged,
                   coalesce(sum(l.amount + l.released) FILTER (WHERE l.phase = 2), 0) AS resolved,
                   coalesce(sum(l.amount) FILTER (WHERE l.kind = 'refund'), 0) AS refunded
              FROM genflow.ledger l WHERE l.ref = m.id) l
         WHERE NOT m.moved OR l.holds + l.captures + l.releases > 0),
    advices (no, finding, advice) AS (VALUES
        (1, 'charged twice',
            'The schema forbids two ends: somebody dropped a constraint of genflow.ledger (compare '
            'it with sql/schema.sql). Give the second charge back with genflow.grant_credits().'),
        (2, 'charged without a picture',
            'Give the charge back with genflow.grant_credits(), and find out who wrote past the '
            'triggers: --job ID shows when.'),
        (3, 'completed without a charge', genflow.doctor_end('capture', '<id>')),
        (4, 'charged or given back another amount than was held',
            'Somebody changed the row''s cost or the ledger. Correct the difference with '
            'genflow.grant_credits().'),
        (5, 'ended, and its hold not given back', genflow.doctor_end('release', '<id>')),
        (6, 'without a hold',
            'Somebody deleted its hold from the ledger: restore that row from a backup.'),
        (7, 'refunded more than was charged',
            'Somebody wrote past the triggers: take the difference back with an `adjust` row and a '
            'reason.')),
    found AS (
        SELECT CASE WHEN s.captures + s.releases > 1 THEN 1
                    WHEN s.captures > 0 AND s.status <> 'completed' THEN 2
                    WHEN s.captures = 0 AND s.status = 'completed' THEN 3
                    WHEN s.captures + s.releases = 1 AND s.resolved <> s.cost THEN 4
                    WHEN s.releases = 0 AND s.status IN ('failed', 'cancelled') THEN 5
                    WHEN s.holds = 0 THEN 6
                    WHEN s.refunded > s.charged THEN 7 END AS no, s.*
          FROM seen s)
    SELECT a.finding, genflow.doctor_some(array_agg(f.id::text ORDER BY f.id DESC)),
           format('%s of users %s; price %s, charged %s, given back %s, refunded %s',
                  genflow.doctor_number(count(*), 'generation'),
                  genflow.doctor_some(array_agg(DISTINCT genflow.account_label(f.user_id))),
                  sum(f.cost), sum(f.charged),
                  sum(f.resolved - f.charged), sum(f.refunded)), a.advice
      FROM found f JOIN advices a USING (no) GROUP BY a.finding, a.advice
    UNION ALL
    SELECT c.rule, c.sample, format('broken rule, %s (genflow.check())',
                                         genflow.doctor_number(c.n, 'case')),
           'Run genflow-doctor with --job ID or --user NAME of this subject.'
      FROM genflow.check() c WHERE p_user IS NULL AND p_job IS NULL AND p_newest IS NULL
    UNION ALL
    SELECT 'books', 'generations',
           format('%s seen; %s completed, %s captured; %s failed or cancelled, %s released; '
                  'credits: %s charged, %s refunded', count(*),
                  count(*) FILTER (WHERE s.status = 'completed'), sum(s.captures),
                  count(*) FILTER (WHERE s.status IN ('failed', 'cancelled')), sum(s.releases),
                  sum(s.charged), sum(s.refunded)),
           NULL
      FROM seen s HAVING count(*) > 0
    UNION ALL
    SELECT 'possible unintended repeats', genflow.doctor_some(
               array_agg(DISTINCT genflow.account_label(s.user_id))),
           format('%s used the same prompt within a minute of another; each was charged. If a '
                  'client retries, it must send the same Idempotency-Key',
                  genflow.doctor_number(count(*), 'generation')), NULL
      FROM seen s WHERE s.status = 'completed'
          AND s.since_equal < interval '1 minute' HAVING count(*) > 0
    UNION ALL
    SELECT 'came too late', genflow.doctor_some(array_agg(DISTINCT r.job_id::text)),
           format('%s of %s for %s, already ended. The provider may bill them, no user was charged',
                  genflow.doctor_number(count(*), 'result'), coalesce(r.provider, 'a provider'),
                  genflow.doctor_number(count(DISTINCT r.job_id), 'generation')), NULL
      FROM genflow.late_results r JOIN seen s ON s.id = r.job_id GROUP BY r.provider;
END $$;

-- doctor_polling(...): generations that clients poll for long, and the providers' results of the
-- last hour.
CREATE OR REPLACE FUNCTION genflow.doctor_polling(
    p_user text DEFAULT NULL, p_job uuid DEFAULT NULL, p_newest integer DEFAULT 10000)
RETURNS TABLE (finding text, subject text, detail text, advice text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_user bigint := genflow.account_of(p_user);
BEGIN
    RETURN QUERY
    WITH live AS (
        SELECT w.*, a.sent_at, w.provider || '/' || w.model AS whom
          FROM genflow.work w LEFT JOIN genflow.attempts a ON a.job_id = w.job_id
              AND a.no = w.attempts
         WHERE (p_user IS NULL OR w.user_id = v_user) AND (p_job IS NULL OR w.job_id = p_job)),
    tries AS (
        SELECT a.provider || '/' || a.model AS whom, count(*) AS n,
               count(*) FILTER (WHERE a.outcome = 'completed') AS good,
               count(*) FILTER (WHERE a.outcome IN ('TIMEOUT', 'NETWORK_ERROR', 'API_ERROR',
                                                    'RATE_LIMIT')) AS bad,
               percentile_disc(0.5) WITHIN GROUP (ORDER BY a.ended_at - a.sent_at) AS median
          FROM genflow.doctor_rows(p_user, p_job, p_newest) m
              JOIN genflow.attempts a ON a.job_id = m.id
         WHERE a.ended_at > clock_timestamp() - interval '1 hour' GROUP BY a.provider, a.model)
    SELECT 'long with its provider', genflow.doctor_some(array_agg(w.job_id::text
        ORDER BY w.sent_at)),
           format('%s, %s, %s; the first was sent %s ago%s', w.whom,
                  genflow.doctor_number(count(*), 'generation'),
                  CASE w.phase WHEN 'sending' THEN 'no answer yet'
                       ELSE 'accepted, not finished' END,
                  genflow.doctor_since(min(w.sent_at)),
                  ', provider id ' || (array_agg(w.provider_ref ORDER BY w.sent_at))[1]),
           'See the state of the run in the provider''s console. GenflowProviderDeadline ends it '
           'at the latest: lower it if this provider is usually faster.'
      FROM live w WHERE w.phase <> 'queued'
          AND w.sent_at < clock_timestamp() - interval '5 minutes' GROUP BY w.phase, w.whom
    UNION ALL
    SELECT 'sent again and again', genflow.doctor_some(array_agg(w.job_id::text
        ORDER BY w.attempts DESC)),
           format('%s, %s with up to %s', w.whom, genflow.doctor_number(count(*), 'generation'),
                  genflow.doctor_number(max(w.attempts), 'submission')),
           'GF0402 in the error log has the provider''s answers. Lower GenflowTypeRetries, or '
           'remove it from GenflowTypeProviders until it works again.'
      FROM live w WHERE w.attempts > 8 GROUP BY w.whom
    UNION ALL
    SELECT 'its children keep dying', genflow.doctor_some(array_agg(w.job_id::text
        ORDER BY w.lost_leases DESC)),
           format('%s, up to %s lost', genflow.doctor_number(count(*), 'generation'),
                  genflow.doctor_number(max(w.lost_leases), 'lease')),
           'Search the error logs for "exit signal" and for GF0121 (no database). With its fifth '
           'lost lease the generation fails.'
      FROM live w WHERE w.lost_leases >= 2 HAVING count(*) > 0
    UNION ALL
    SELECT 'a provider that mostly fails', t.whom,
           format('%s of %s answers in the last hour were failures of the provider', t.bad, t.n),
           'GF0402 and GF0403 in the error log have its answers: key, credit, model name. Until it '
           'works again, put another entry before it in GenflowTypeProviders.'
      FROM tries t WHERE t.n >= 10 AND t.bad * 2 > t.n
    UNION ALL
    SELECT CASE WHEN b.refused THEN 'it refuses our key, account or model'
                ELSE 'its breaker is open' END, b.provider || '/' || b.model,
           format('since %s, after %s in a row: %s', genflow.iso(b.opened_at),
                  genflow.doctor_number(b.failures, 'failure'), b.reason),
           CASE WHEN b.refused THEN
                'Renew GenflowProviderKey, the account''s credit at the provider, or the model''s '
                'name in GenflowTypeProviders (GF0403, GF0407). A key from env: is read when httpd '
                'starts: restart it, a graceful restart is not enough.'
                ELSE 'The module uses the next entry of each chain and sends one attempt at '
                'intervals to see whether it works again. If it lasts, put another entry first in '
                'GenflowTypeProviders. GF0402 and GF0408 in the error log have its answers.' END
      FROM genflow.breakers b
     WHERE b.open_until IS NOT NULL AND NOT starts_with(b.provider, 'store:') AND p_user IS NULL
       AND p_job IS NULL
    UNION ALL
    SELECT 'provider in the last hour', t.whom,
           format('%s, %s of them pictures; half of them within %s',
                  genflow.doctor_number(t.n, 'answer'), t.good, t.median), NULL
      FROM tries t
    UNION ALL
    SELECT 'budget of today', b.provider,
           format('%s used since 00:00 UTC%s', sum(b.spent), CASE WHEN bool_or(b.slot = -1) THEN
                  '; GenflowProviderBudget was spent and a submission was refused: the module uses '
                  'the next entry of the chain' END),
           NULL
      FROM genflow.budgets b
     WHERE b.day = (clock_timestamp() AT TIME ZONE 'UTC')::date AND p_user IS NULL AND p_job IS NULL
     GROUP BY b.provider;
END $$;

-- doctor_images(...): pictures that are not stored. The script itself checks whether files and
-- addresses are there.
CREATE OR REPLACE FUNCTION genflow.doctor_images(
    p_user text DEFAULT NULL, p_job uuid DEFAULT NULL, p_newest integer DEFAULT 10000)
RETURNS TABLE (finding text, subject text, detail text, advice text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH done AS MATERIALIZED (
        SELECT m.*, r.tries, m.persisted IS NOT TRUE AND NOT m.moved AS away,
               m.persisted IS NOT TRUE AND m.moved AS elsewhere,
               r.job_id IS NULL OR coalesce(r.expires_at < clock_timestamp(), false) AS lost
          FROM genflow.doctor_rows(p_user, p_job, p_newest) m LEFT
              JOIN genflow.restores r ON r.job_id = m.id
         WHERE m.status = 'completed')
    SELECT CASE WHEN d.lost THEN 'the picture is lost' ELSE 'the store has not taken it yet' END,
           genflow.doctor_some(array_agg(d.id::text ORDER BY d.id DESC)),
           format('%s, %s; the newest is at %s%s', d.type,
                  genflow.doctor_number(count(*), 'picture'),
                  (array_agg(d.image_url ORDER BY d.id DESC))[1],
                  ', attempts: ' || max(d.tries)),
           CASE WHEN d.lost THEN
                'Its provider deleted it before the store took it. Give the charge back, and '
                'repair the store: GF0410 and GF0411 in the error log have its answers.'
                ELSE 'Repair the store: GF0410 and GF0411 in the error log have its answers. The '
                'module then stores the picture by itself, if the provider still has it: until '
                'expires_at of its row.' END
      FROM done d WHERE d.away GROUP BY d.lost, d.type
    UNION ALL
    SELECT 'the store takes no pictures', format('%s of %s', substr(b.provider, 7), b.model),
           format('since %s, last reported at %s: %s', genflow.iso(b.opened_at),
                  genflow.iso(b.updated_at), b.reason),
           'This server submits nothing to providers: requests get 503, queued jobs wait. Free '
           'disk space, check the owner of the folder and that its disk is not mounted read-only '
           '(GF0600 in the error log). For a store over HTTP, GF0410 and GF0411 have its answers. '
           'If the server is gone for good: SELECT genflow.admin_breaker_reset('''
           || b.provider || ''', ''' || b.model || ''');'
      FROM genflow.breakers b
     WHERE b.open_until IS NOT NULL AND starts_with(b.provider, 'store:') AND p_user IS NULL
       AND p_job IS NULL
    UNION ALL
    SELECT 'pictures', 'generations', format('%s seen, %s stored%s', count(*),
                                             count(*) FILTER (WHERE NOT d.away AND NOT d.elsewhere),
                                             CASE WHEN bool_or(d.elsewhere) THEN format(
                                                 ', %s at the older system''s addresses '
                                                 '(genflow-migrate --fetch stores them)',
                                                 count(*) FILTER (WHERE d.elsewhere)) END), NULL
      FROM done d HAVING count(*) > 0;
END $$;

-- doctor_strangers(p_names): those of these files of the folder ("neo-glitch/a7/<id>-<secret>.png")
-- that belong to no generation: no completed one has that picture, or the one of that thumbnail;
-- none is live, and no removal, restore or move of it waits. Called by: genflow-doctor.
CREATE OR REPLACE FUNCTION genflow.doctor_strangers(p_names text[]) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_uuid CONSTANT text := '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
    t      genflow.types;
BEGIN
    FOR t IN SELECT * FROM genflow.types y
        WHERE to_regclass(format('%I.%I', y.media_schema, y.media_table)) IS NOT NULL LOOP
        RETURN QUERY EXECUTE format($q$
            SELECT f.name FROM (SELECT n.name, substring(n.name FROM $2)::uuid AS id,
                                     n.name LIKE '%%-384.webp' AS thumbnail
                                FROM unnest($1) AS n(name)) f
             WHERE starts_with(f.name, %L)
               AND NOT EXISTS (SELECT FROM %I.%I m WHERE m.id = f.id
                               AND (right(m.image_url, length(f.name) + 1) = '/' || f.name
                                    OR f.thumbnail
                                   AND strpos(m.image_url, '/' || left(f.name, -9) || '.') > 0))
               AND NOT EXISTS (SELECT FROM genflow.work w WHERE w.job_id = f.id)
               AND NOT EXISTS (SELECT FROM genflow.restores r WHERE r.job_id = f.id)
               AND NOT EXISTS (SELECT FROM genflow.moving g WHERE g.job_id = f.id)
               AND NOT EXISTS (SELECT FROM genflow.removals r WHERE r.job_id = f.id)$q$,
            t.name || '/', t.media_schema, t.media_table) USING p_names, v_uuid;
    END LOOP;
    RETURN QUERY SELECT n.name FROM unnest(p_names) AS n(name)
                  WHERE NOT EXISTS (SELECT FROM genflow.types y
                                     WHERE starts_with(n.name, y.name || '/')
                                       AND to_regclass(format('%I.%I', y.media_schema,
                                           y.media_table)) IS NOT NULL);
END $$;

-- doctor_credits(...): accounts that their ledger or their live work does not explain. It compares
-- held credits of all accounts. It sums the ledger of p_user, else of the 100 users of the newest
-- generations, and of all accounts if p_newest is NULL.
CREATE OR REPLACE FUNCTION genflow.doctor_credits(
    p_user text DEFAULT NULL, p_job uuid DEFAULT NULL, p_newest integer DEFAULT 10000)
RETURNS TABLE (finding text, subject text, detail text, advice text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_user bigint := genflow.account_of(p_user);
BEGIN
    RETURN QUERY
    WITH who AS MATERIALIZED (
        SELECT v_user AS user_id WHERE v_user IS NOT NULL
        UNION (SELECT m.user_id FROM genflow.doctor_rows(p_user, p_job, p_newest) m
                WHERE p_user IS NULL AND p_newest IS NOT NULL GROUP BY m.user_id
                    ORDER BY max(m.created_at) DESC LIMIT 100)
        UNION SELECT a.user_id FROM genflow.accounts a
               WHERE p_newest IS NULL AND p_user IS NULL),
    sums AS (
        SELECT w.user_id, coalesce(a.balance, 0) AS balance, coalesce(a.held, 0) AS held,
               coalesce(a.generations, 0) AS generations, s.*
          FROM who w LEFT JOIN genflow.accounts a USING (user_id)
         CROSS JOIN LATERAL (
            SELECT count(*) AS entries, coalesce(sum(l.change), 0) AS sum_balance,
                   coalesce(sum(l.held_change), 0) AS sum_held,
                   count(*) FILTER (WHERE l.kind = 'hold'
                                    AND genflow.id_type(l.ref) <> 0) AS sum_generations
              FROM genflow.doctor_ledger(w.user_id) l) s),
    open AS MATERIALIZED (
        SELECT h.* FROM genflow.doctor_ledger(v_user) h
         WHERE h.kind = 'hold' AND NOT EXISTS (SELECT FROM genflow.ledger e WHERE e.ref = h.ref
                                               AND e.phase = 2)
           AND NOT EXISTS (SELECT FROM genflow.work w WHERE w.job_id = h.ref)
           AND NOT EXISTS (SELECT FROM genflow.reservations r WHERE r.id = h.ref
                           AND r.state = 'open'))
    SELECT 'there is no such account', p_user, 'that name was never granted credits',
           'See which name httpd gives the user (%u in the access log), and grant credits to that '
           'name: genflow.grant_credits().'
     WHERE p_user IS NOT NULL AND NOT EXISTS (SELECT FROM genflow.accounts a
                                               WHERE a.user_id = v_user AND a.opened)
    UNION ALL
    SELECT 'the account is not the sum of its ledger', genflow.account_label(s.user_id),
           format('balance %s, held %s, generations %s, but by the ledger %s, %s, %s', s.balance,
                  s.held, s.generations,
                  s.sum_balance, s.sum_held, s.sum_generations),
           format('Somebody changed the account by hand; the ledger is right. If the '
                  'account is gone, the statement makes it without a name: INSERT INTO '
                  'genflow.accounts (user_id, erased_at, balance, held, generations) VALUES '
                  '(%s, now(), %s, %s, %s) ON CONFLICT (user_id) DO UPDATE SET balance = '
                  'EXCLUDED.balance, held = EXCLUDED.held, generations = EXCLUDED.generations;',
                  s.user_id, s.sum_balance, s.sum_held,
                  greatest(s.generations, s.sum_generations))
      FROM sums s WHERE (s.balance, s.held) IS DISTINCT FROM (s.sum_balance, s.sum_held)
          OR s.generations < s.sum_generations
    UNION ALL
    SELECT 'held is not what live generations cost', genflow.account_label(a.user_id),
           format('held %s, live or reserved %s', a.held, coalesce(l.cost, 0)),
           'credits --user NAME names the open holds of this user without a live generation, and '
           'what to do.'
      FROM genflow.accounts a
      LEFT JOIN (SELECT h.user_id, sum(h.cost) AS cost
                   FROM (SELECT w.user_id, w.cost FROM genflow.work w
                         UNION ALL SELECT r.user_id, r.amount FROM genflow.reservations r
                             WHERE r.state = 'open') h
                  GROUP BY h.user_id) l USING (user_id)
     WHERE a.held <> coalesce(l.cost, 0) AND (p_user IS NULL OR a.user_id = v_user)
    UNION ALL
    SELECT 'an open hold without a live generation', h.ref::text,
           format('%s since %s; the generation is %s',
                  genflow.doctor_number(h.held_change, 'credit'), genflow.iso(h.at),
                  coalesce(m.status, 'gone')),
           CASE WHEN m.status IN ('pending', 'processing') THEN
                'stuck --job ID shows how it gets its work row back.'
                ELSE genflow.doctor_end(CASE m.status WHEN 'completed' THEN 'capture'
                                        ELSE 'release' END, h.ref::text) END
      FROM open h LEFT JOIN LATERAL genflow.doctor_rows(NULL, h.ref, 1) m ON true
    UNION ALL
    SELECT 'account', genflow.account_label(a.user_id),
           format('balance %s, of which %s held; used today %s%s, this week %s%s%s', a.balance,
           a.held, q.day_used, ' of ' || a.day_limit, q.week_used, ' of ' || a.week_limit, CASE
               WHEN a.blocked THEN '; BLOCKED' END), NULL
      FROM genflow.accounts a CROSS JOIN LATERAL genflow.quota_of(a.user_id, 'UTC') q
          WHERE a.user_id = v_user AND a.opened;
END $$;

-- doctor_statement(...): the newest p_newest entries of a user's ledger (NULL: all), oldest first,
-- each with the balance and the part of it that is held afterwards.
CREATE OR REPLACE FUNCTION genflow.doctor_statement(p_user text, p_newest integer DEFAULT 50)
RETURNS TABLE (at timestamptz, what text, change bigint, balance bigint, held bigint, ref uuid,
               reason text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_user bigint := genflow.account_of(p_user);
BEGIN
    RETURN QUERY
    WITH total AS (
        SELECT sum(l.change) AS change, sum(l.held_change) AS held
            FROM genflow.doctor_ledger(v_user) l),
    newest AS (
        SELECT l.*, row_number() OVER later AS n,
               sum(l.change) OVER later - l.change AS change_after,
               sum(l.held_change) OVER later - l.held_change AS held_after
          FROM (SELECT * FROM genflow.doctor_ledger(v_user) l ORDER BY l.at DESC, l.phase DESC,
                l.ref DESC LIMIT p_newest) l
        WINDOW later AS (ORDER BY l.at DESC, l.phase DESC, l.ref DESC))
    SELECT n.at, n.kind, n.change, (t.change - n.change_after)::bigint,
           (t.held - n.held_after)::bigint, n.ref, n.reason
      FROM newest n, total t ORDER BY n.n DESC;
END $$;

-- doctor_job(p_id): the history of one generation in order: row, key, ledger, attempts, provider
-- webhooks, late results, live work, restore. It leaves out the user's input and the secret names
-- of pictures.
CREATE OR REPLACE FUNCTION genflow.doctor_job(p_id uuid) RETURNS TABLE (at timestamptz, what text,
    detail text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_media text;
    v_type  text;
    v_row   jsonb;
BEGIN
    SELECT r.media, r.type INTO v_media, v_type FROM genflow.doctor_rows(NULL, p_id, 1) r;
    IF FOUND THEN
        EXECUTE format('SELECT to_jsonb(m) FROM %s m WHERE m.id = $1', v_media) INTO v_row
            USING p_id;
    END IF;
    RETURN QUERY
    SELECT s.at, s.what, s.detail FROM (
        SELECT (v_row->>'created_at')::timestamptz, 1, 'requested',
               format('%s, by %s, for %s', v_type,
                      genflow.account_label((v_row->>'user_id')::bigint),
                      genflow.doctor_number((v_row->>'cost')::bigint, 'credit'))
                   WHERE v_row IS NOT NULL
        UNION ALL
        SELECT k.created_at, 2, 'key', k.key FROM genflow.idempotency_keys k
         WHERE k.user_id = (v_row->>'user_id')::bigint AND k.job_id = p_id
        UNION ALL
        SELECT l.at, 3, l.kind,
               concat_ws(', ',
                         genflow.doctor_number(l.amount, 'credit') || ' of '
                         || genflow.account_label(l.user_id),
               CASE WHEN l.released > 0 THEN l.released || ' released' END, l.reason,
                   l.external_ref)
          FROM genflow.ledger l WHERE l.ref = p_id
        UNION ALL
        SELECT a.sent_at, 4, 'attempt ' || a.no,
               concat_ws(', ', format('sent to %s/%s', a.provider, a.model),
               'seed ' || a.seed, 'epoch ' || a.epoch, 'provider id ' || a.provider_ref)
          FROM genflow.attempts a WHERE a.job_id = p_id
        UNION ALL
        SELECT a.ended_at, 5, 'attempt ' || a.no, 'ended: ' || a.outcome
          FROM genflow.attempts a WHERE a.job_id = p_id AND a.ended_at IS NOT NULL
        UNION ALL
        SELECT (v_row->>'finished_at')::timestamptz, 6, v_row->>'status',
               concat_ws(', ', v_row->>'error_code',
               'cause ' || (v_row->>'cause_code'), v_row->>'error_message', v_row->>'image_url')
         WHERE v_row->>'finished_at' IS NOT NULL
        UNION ALL
        SELECT h.at, 7, 'provider webhook', format('of %s: %s', h.provider, h.event)
          FROM genflow.hooks h WHERE h.job_id = p_id
        UNION ALL
        SELECT r.at, 7, 'late result', concat_ws(', ', r.provider, 'epoch ' || r.epoch)
          FROM genflow.late_results r WHERE r.job_id = p_id
        UNION ALL
        SELECT clock_timestamp(), 8, v.name, (
            SELECT string_agg(format('%s %s', j.key, j.value), ', ')
                FROM jsonb_each_text(v.columns) j WHERE j.value IS NOT NULL)
          FROM (SELECT 'its row now', v_row - ARRAY['id', 'prompt', 'parameters', 'source_url',
                                                    'result'] WHERE v_row IS NOT NULL
                UNION ALL
                SELECT 'its work now', to_jsonb(w) - ARRAY['job_id', 'picture_secret']
                       || jsonb_build_object('lease_end', genflow.lease_end(w))
                    FROM genflow.work w WHERE w.job_id = p_id
                UNION ALL
                SELECT 'to be stored', to_jsonb(r) - ARRAY['job_id', 'picture_secret']
                    FROM genflow.restores r WHERE r.job_id = p_id
                UNION ALL
                SELECT 'to be moved', to_jsonb(g) - ARRAY['job_id', 'picture_secret']
                    FROM genflow.moving g WHERE g.job_id = p_id) v (name, columns)
        ) s (at, n, what, detail)
     ORDER BY s.at, s.n;
END $$;
