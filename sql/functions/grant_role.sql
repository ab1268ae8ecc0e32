-- SPDX-License-Identifier: Apache-2.0
-- grant_role(): grants the rights of two groups of roles, which cannot log in themselves. Members
-- of genflow_module (DBDParams) may call the functions of requests and of the dispatcher. Members
-- of genflow_administration (GenflowAdminDatabase, genflow-doctor) may call those of genflow-admin
-- and of the doctor. Neither group has rights on a table or a type. It changes what differs alone:
-- it also revokes what an earlier version granted. Called by: sql/apply, create_type.
CREATE OR REPLACE FUNCTION genflow.grant_role() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    f record;
BEGIN
    GRANT USAGE ON SCHEMA genflow TO genflow_module, genflow_administration;
    FOR f IN
        WITH wanted (oid, role) AS (
        SELECT DISTINCT p.oid, g.role
          FROM pg_proc p
          JOIN (
            SELECT 'genflow_module' AS role, unnest(ARRAY[
                   'allowance',
                   'amounts_advice',
                   'api_key_get',
                   'api_key_put',
                   'api_key_revoke',
                   'api_key_used',
                   'api_keys',
                   'asset_bytes',
                   'asset_delete',
                   'asset_get',
                   'asset_put',
                   'asset_upload',
                   'attempt_begin',
                   'breaker_note',
                   'breakers',
                   'budgets',
                   'compose',
                   'connections',
                   'delivery_claim',
                   'delivery_note',
                   'due',
                   'check_due',
                   'check_run',
                   'ended',
                   'expected_compute',
                   'faults',
                   'feed',
                   'generation_of',
                   'gallery',
                   'gallery_count',
                   'hand_back',
                   'health',
                   'heartbeat',
                   'history',
                   'history_count',
                   'history_total',
                   'hook',
                   'hook_known',
                   'hook_ref',
                   'host_seen',
                   'janitor',
                   'janitor_parts',
                   'ledger_list',
                   'live',
                   'lost_response_keep',
                   'lost_response_put',
                   'lost_response_take',
                   'made_before',
                   'media_find',
                   'media_mark',
                   'metrics',
                   'move_claim',
                   'move_failed',
                   'move_later',
                   'moves_feed',
                   'presets',
                   'progress',
                   'quota',
                   'removal_claim',
                   'removal_done',
                   'requeue',
                   'reserve',
                   'reserve_finalize',
                   'restore_claim',
                   'restore_later',
                   'restored',
                   'site_look',
                   'template_delete',
                   'template_get',
                   'template_put',
                   'templates',
                   'type_of',
                   'type_states',
                   'user_events',
                   'user_settings',
                   'user_state',
                   'user_versions']) AS act
            UNION ALL
            SELECT 'genflow_module', t.prefix || a.act
              FROM genflow.types t,
                  unnest(ARRAY['_create', '_create_batch', '_start', '_get', '_claim', '_accepted',
                               '_settle', '_settle_get', '_restored', '_moved', '_stray',
                               '_thumbnail', '_thumbnail_claim', '_cancel', '_delete',
                               '_edit']) AS a(act)
            UNION ALL
            SELECT 'genflow_administration', unnest(ARRAY[
                   'admin_amounts',
                   'admin_api_key_put',
                   'admin_api_key_revoke',
                   'admin_api_keys',
                   'admin_audit',
                   'admin_breaker_reset',
                   'admin_cancel',
                   'admin_check',
                   'admin_clear',
                   'admin_credit',
                   'admin_erase',
                   'admin_erase_work',
                   'admin_holds',
                   'admin_jobs',
                   'admin_money',
                   'admin_move',
                   'admin_move_stop',
                   'admin_moves',
                   'admin_now',
                   'admin_preset_add',
                   'admin_preset_delete',
                   'admin_preset_edit',
                   'admin_presets',
                   'admin_refund',
                   'admin_stats',
                   'admin_takedown',
                   'admin_user_set',
                   'admin_users',
                   'breakers',
                   'budgets',
                   'doctor_charges',
                   'doctor_credits',
                   'doctor_images',
                   'doctor_job',
                   'doctor_polling',
                   'doctor_role',
                   'doctor_rows',
                   'doctor_site',
                   'doctor_statement',
                   'doctor_strangers',
                   'doctor_stuck',
                   'faults',
                   'health',
                   'iso',
                   'ledger_list',
                   'quota',
                   'restored',
                   'resume',
                   'suspend'])
            UNION ALL
            SELECT 'genflow_administration', t.prefix || '_get'
                FROM genflow.types t) g ON g.act = p.proname
         WHERE p.pronamespace = 'genflow'::regnamespace),
        there (oid, role) AS (
        SELECT p.oid, CASE a.grantee WHEN 0 THEN 'public' ELSE a.grantee::regrole::text END
          FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
         WHERE p.pronamespace = 'genflow'::regnamespace
           AND (a.grantee = 0 OR a.grantee::regrole::text IN ('genflow_module',
                                                              'genflow_administration')))
        SELECT 'GRANT EXECUTE ON FUNCTION %s TO %s' AS act, m.oid::regprocedure AS name, m.role
          FROM (TABLE wanted EXCEPT TABLE there) m
        UNION ALL
        SELECT 'REVOKE ALL ON FUNCTION %s FROM %s', m.oid::regprocedure, m.role
          FROM (TABLE there EXCEPT TABLE wanted) m
    LOOP
        EXECUTE format(f.act, f.name, f.role);
    END LOOP;
END $$;
