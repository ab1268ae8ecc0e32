-- SPDX-License-Identifier: Apache-2.0
-- Rows for t/upgrade/make.pl: every table, every state that a row may have, of two types.
SELECT genflow.grant_credits('anna', 100, 'a gift', 'payment 1'), genflow.grant_credits('bert', 20, 'a gift'),
       genflow.grant_credits('carl', 3, 'a gift');
SELECT genflow.admin_credit('bert', -5, 'a mistake', 'ticket 7');
UPDATE genflow.accounts SET day_limit = 50, week_limit = 200 WHERE name = 'bert';
UPDATE genflow.accounts SET blocked = true WHERE name = 'carl';

CREATE FUNCTION pg_temp.job(p_key text, p_owner text DEFAULT 'host:1:x', p_start boolean DEFAULT true, p_hook text DEFAULT NULL)
RETURNS uuid LANGUAGE sql AS $$
    SELECT c.id FROM genflow.neo_glitch_create('anna', p_key, '\x01', 'run ' || p_key, 'base', 'a cat', NULL,
        '{"steps": 9}', 7, 1, 3::smallint, '1 hour', p_owner, '30 seconds', p_start => p_start, p_webhook_url => p_hook) c
$$;
CREATE FUNCTION pg_temp.intent(p_id uuid, p_no integer DEFAULT 1) RETURNS text LANGUAGE sql AS $$
    SELECT genflow.attempt_begin(p_id, 1, p_no::smallint, 'acme', 'acme-1', 7, 'token', '30 seconds')
$$;
CREATE FUNCTION pg_temp.settle(p_id uuid, p_status text, p_persisted boolean DEFAULT true, p_keeps interval DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
    SELECT genflow.neo_glitch_settle(p_id, NULL, p_status, 'acme', 'acme-1', false,
        CASE p_status WHEN 'completed' THEN '/generated/neo-glitch/00/' || p_id || '.png' END, 'https://acme.example/1.png',
        p_persisted, '{"bytes": 5, "type": "image/png"}', CASE p_status WHEN 'failed' THEN 'PROVIDER_FAILED' END,
        CASE p_status WHEN 'failed' THEN 'The provider failed' END, NULL, p_keeps)
$$;
CREATE FUNCTION pg_temp.accepted(p_id uuid, p_ref text) RETURNS text LANGUAGE sql AS $$
    SELECT genflow.neo_glitch_accepted(p_id, 1, 1::smallint, 'acme', 'fal', p_ref, '30 seconds')
$$;

-- live
SELECT pg_temp.job('pending', NULL, false), pg_temp.job('in line', NULL), pg_temp.job('leased');
SELECT pg_temp.job('sending') AS id \gset
SELECT pg_temp.intent(:'id');
SELECT pg_temp.job('working', p_hook => 'https://client.example/hook') AS id \gset
SELECT pg_temp.intent(:'id'), pg_temp.accepted(:'id', 'run-of-acme-1');
SELECT genflow.progress(:'id', 1, 0.5, 2, '["half"]');
SELECT genflow.hook('acme', 'fal', :'id', 'token', 'event 1', 'run-of-acme-1', 'host:1:x');
SELECT pg_temp.job('retried') AS id \gset
SELECT pg_temp.intent(:'id');
SELECT genflow.requeue(:'id', 1, '5 minutes', 0::smallint, 1::smallint, 'PROVIDER_DOWN');
SELECT outcome FROM genflow.presets_create('bert', 'live', '\x01', NULL, NULL, 'a dog', NULL, '{}', 7, 2, 3::smallint, '1 hour',
                                           NULL, NULL);

-- ended
SELECT pg_temp.job('completed', p_hook => 'https://client.example/hook') AS id \gset
SELECT pg_temp.intent(:'id'), pg_temp.settle(:'id', 'completed');
SELECT outcome FROM genflow.admin_refund(:'id', NULL, 'ugly', 'ticket 8');
SELECT pg_temp.settle(pg_temp.job('temporary'), 'completed', false, '1 day');
SELECT pg_temp.job('failed') AS id \gset
SELECT pg_temp.intent(:'id'), pg_temp.settle(:'id', 'failed'), pg_temp.settle(:'id', 'completed');
SELECT outcome FROM genflow.neo_glitch_cancel('anna', pg_temp.job('cancelled'));
SELECT pg_temp.job('deleted') AS id \gset
SELECT pg_temp.settle(:'id', 'completed');
SELECT outcome FROM genflow.neo_glitch_delete('anna', :'id');
SELECT genflow.presets_settle(c.id, NULL, 'completed', 'local', 'local', false, '/generated/presets/00/x.png', NULL, true,
                              '{"bytes": 5, "type": "image/png"}', NULL, NULL, NULL)
  FROM genflow.presets_create('bert', 'ended', '\x01', NULL, NULL, 'a dog', NULL, '{}', 7, 2, 3::smallint, '1 hour', 'h', '1 min') c;

-- reservations, and what a generation used
SELECT (genflow.reserve('anna', name, 2, 'a batch', '1 day', 'UTC')).outcome
  FROM unnest('{open,returned,expired,run used}'::text[]) AS name;
SELECT outcome FROM genflow.reserve_finalize('anna', 'returned');
SELECT pg_temp.settle(pg_temp.job('used'), 'completed');
UPDATE genflow.reservations SET expires_at = created_at WHERE request_id = 'expired';
SELECT genflow.reservations_expire(10);

-- beside generations
SELECT genflow.breaker_note('acme', 'acme-1', 'failure', 'HTTP 503', 5, '1 minute'),
       genflow.breaker_note('acme', 'acme-2', 'refused', 'HTTP 401', 5, '1 minute');
SELECT outcome FROM genflow.asset_put('anna', 'image/png', 3, 2, encode('not really a picture', 'base64'), '1 day', 1000000);
SELECT outcome FROM genflow.template_put('anna', 'often', 'neo-glitch', '{"prompt": "a cat"}', 10);

-- only to keep the file small
DELETE FROM genflow.presets_config WHERE id > 1;
UPDATE genflow.type_templates SET body = '';
