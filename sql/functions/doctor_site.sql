-- SPDX-License-Identifier: Apache-2.0
-- What support/genflow-doctor says about the site as a whole (see doctor.sql for the columns).

-- doctor_site(...): faults of the site, with their remedies; its hosts, its schema, what is due.
-- p_user and p_job: about a single user or generation it says nothing.
CREATE OR REPLACE FUNCTION genflow.doctor_site(
    p_user text DEFAULT NULL, p_job uuid DEFAULT NULL, p_newest integer DEFAULT 10000)
RETURNS TABLE (finding text, subject text, detail text, advice text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_now    timestamptz := clock_timestamp();
    v_schema integer     := (SELECT max(m.version) FROM genflow.migrations m);
BEGIN
    IF p_user IS NOT NULL OR p_job IS NOT NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH words (fault, finding, advice) AS (VALUES
        ('no_dispatcher', 'no host works on jobs',
         'Start an httpd with GenflowDispatch On that uses this database, or remove '
         'GenflowDispatch Off from one. Until then nothing is made: generations stay queued, '
         'and their credits held, until their GenflowTypeLifetime is over.'),
        ('hosts_differ', 'hosts have different settings',
         'Give all hosts the same configuration: of types (<GenflowType>, GenflowTypeProviders), '
         'prices (GenflowTypeCost, GenflowTypeFallbackCost, GenflowProviderPrice, '
         'GenflowProviderBudget), store (GenflowStore...) and day (GenflowCredit...), then '
         'restart them gracefully. The host that answers a request decides what it costs.'),
        ('amounts_differ', 'the amounts of credits are others than the directives state',
         'Run sql/apply --credits ''{}'' if the directives are right, or else correct '
         'GenflowCreditInitial, Daily, DailyMax, DayLimit, WeekLimit and Day. What the database '
         'has is what users get.'),
        ('clock_wrong', 'a clock is wrong',
         'Set the clock of that machine, or of the database''s if all hosts are listed, and run '
         'an NTP service there (timedatectl set-ntp true). Signatures of S3 and of webhooks fail '
         'by a wrong clock; budgets and days follow the database''s.'),
        ('budget_spent', 'the budget of a provider is spent',
         'Raise GenflowProviderBudget if midnight UTC is too late; the chain uses its next entry '
         'until then (GF0720 in the error log).'))
    SELECT w.finding, f.subject, f.detail, replace(w.advice, '{}', f.subject)
      FROM genflow.faults() f JOIN words w USING (fault) ORDER BY w.finding, f.subject;
    RETURN QUERY
    SELECT 'no role may use this database', current_database()::text,
           'genflow_module has no member that can log in',
           'Run sql/apply --role NAME with the role that DBDParams names.'
     WHERE NOT EXISTS (SELECT FROM pg_roles r
                        WHERE r.rolcanlogin AND NOT r.rolsuper
                          AND pg_has_role(r.oid, 'genflow_module', 'MEMBER'))
    UNION ALL
    SELECT 'the schema is older than a host needs', h.name,
           format('schema %s, mod_genflow %s needs %s', v_schema, h.version, h.schema_needed),
           'Run sql/apply of that version.'
      FROM genflow.hosts h
     WHERE h.seen_at > v_now - interval '1 minute' AND h.schema_needed > v_schema
    UNION ALL
    SELECT 'hosts run different versions', string_agg(DISTINCT h.version, ', '),
           string_agg(format('%s: %s', h.name, h.version), '; ' ORDER BY h.name),
           'Finish the upgrade: install the same version everywhere and restart httpd.'
      FROM genflow.hosts h WHERE h.seen_at > v_now - interval '1 minute'
    HAVING count(DISTINCT h.version) > 1
    UNION ALL
    SELECT 'host', h.name,
           format('mod_genflow %s, %s, seen %s ago, its clock is %s ms ahead', h.version,
                  CASE WHEN h.dispatches THEN 'works on jobs' ELSE 'only takes requests' END,
                  genflow.doctor_since(h.seen_at), h.clock_ahead), NULL
      FROM genflow.hosts h WHERE h.seen_at > v_now - interval '1 minute'
    UNION ALL
    SELECT 'host, gone', h.name, format('seen %s ago', genflow.doctor_since(h.seen_at)), NULL
      FROM genflow.hosts h WHERE h.seen_at <= v_now - interval '1 minute'
    UNION ALL
    SELECT 'schema', v_schema::text, format('PostgreSQL %s, database %s, clock %s',
                                            current_setting('server_version'), current_database(),
                                            genflow.iso(v_now)), NULL
    UNION ALL
    SELECT 'oldest due job', (array_agg(w.job_id::text ORDER BY w.due_at))[1],
           format('due %s ago; %s in all', genflow.doctor_since(min(w.due_at)),
                  genflow.doctor_number(count(*), 'due job')), NULL
      FROM genflow.work w WHERE NOT w.led AND w.due_at < v_now HAVING count(*) > 0;
END $$;

-- doctor_role(p_role): may this role, the one of DBDParams, do what httpd needs, and no more? The
-- columns are those of a section. Called by: genflow-doctor --conf.
CREATE OR REPLACE FUNCTION genflow.doctor_role(p_role text)
RETURNS TABLE (finding text, subject text, detail text, advice text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r pg_roles;
BEGIN
    SELECT * INTO r FROM pg_roles WHERE rolname = p_role;
    IF NOT FOUND OR NOT r.rolcanlogin THEN
        RETURN QUERY SELECT 'the role of DBDParams is not there', p_role,
            CASE WHEN r.rolname IS NULL THEN 'there is no such role' ELSE 'it may not log in' END,
            format('sql/apply --role %s makes it, or correct user= in DBDParams.', p_role);
    ELSIF NOT pg_has_role(r.oid, 'genflow_module', 'USAGE') THEN
        RETURN QUERY SELECT 'the role of DBDParams is not granted', p_role,
            'it is no member of genflow_module: every request gets 500, health 503'::text,
            format('sql/apply --role %s', p_role);
    ELSIF pg_has_role(r.oid, 'genflow_administration', 'MEMBER') THEN
        RETURN QUERY SELECT 'the role of DBDParams may administer', p_role,
            'it is a superuser, or a member of genflow_administration'::text,
            'A thief of DBDParams could give himself credits. Connect requests as another role: '
            'sql/apply --role NAME --admin-role NAME.'::text;
    ELSE
        RETURN QUERY SELECT 'role', p_role, 'may do what requests and the background need'::text,
            NULL::text;
    END IF;
END $$;
