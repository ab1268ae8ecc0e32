-- SPDX-License-Identifier: Apache-2.0
-- hook(p_provider, p_kind, p_id, p_token, p_event, p_ref, p_owner): a genuine report of a provider
-- that the run of a job has ended, at the address that its attempt was given. It says that it is
-- time to ask, not what the result is: the job is made due at once, and whoever leads it asks the
-- provider. A report that is earlier than our own note of the provider's id brings that id.
-- Called by: POST hook/... Locks: work, media.
--   p_event  the provider's name of this delivery
--   p_owner  the process that got it
-- Outcomes: 'unknown' no attempt of that provider, job and token; 'duplicate' the delivery was here
-- before; 'ended' nothing waits for it; 'led' p_owner leads the job and is to be told; 'due'
-- anybody may claim it now.
CREATE OR REPLACE FUNCTION genflow.hook(p_provider text, p_kind text, p_id uuid, p_token text,
                                        p_event text, p_ref text,
                                        p_owner text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    a     genflow.attempts;
    w     genflow.work;
BEGIN
    SELECT * INTO a FROM genflow.attempts t
     WHERE t.job_id = p_id AND t.provider = p_provider AND t.hook_token = p_token;
    IF NOT FOUND THEN
        RETURN 'unknown';
    END IF;
    INSERT INTO genflow.hooks (provider, event, job_id) VALUES (p_provider, p_event, p_id)
        ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'duplicate';
    END IF;
    SELECT * INTO w FROM genflow.work t WHERE t.job_id = p_id FOR UPDATE;
    IF NOT FOUND OR w.attempts <> a.no OR w.phase = 'queued' THEN
        RETURN 'ended';
    END IF;
    IF w.phase = 'sending' THEN
        EXECUTE format('SELECT genflow.%I($1, $2, $3, $4, $5, $6, $7)',
                       (SELECT t.prefix FROM genflow.types t WHERE t.no = w.type_no) || '_accepted')
          USING p_id, w.epoch, a.no, p_provider, p_kind, p_ref, w.due_at - clock_timestamp();
    ELSIF w.provider_ref <> p_ref THEN
        RETURN 'ended';
    END IF;
    IF w.lease_owner = p_owner THEN
        RETURN 'led';
    -- its leader elsewhere finds its lease gone
    ELSE
        UPDATE genflow.work t SET lease_owner = NULL, due_at = least(clock_timestamp(),
            t.deadline_at) WHERE t.job_id = p_id;
    END IF;
    RETURN 'due';
END $$;

-- hook_known(p_provider, p_id, p_token): was an attempt of that provider given this address? Asked
-- before the report's body is read: what nobody waits for costs no more. Called by: POST hook/...
-- Locks: none.
CREATE OR REPLACE FUNCTION genflow.hook_known(p_provider text, p_id uuid,
                                              p_token text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM genflow.attempts t WHERE t.job_id = p_id AND t.provider = p_provider
                   AND t.hook_token = p_token)
$$;

-- hook_ref(p_id, p_epoch): the provider's id of the job that a report, or a sender that woke after
-- its lease, may have brought while the answer to our submission was lost; NULL: none. Called by:
-- the dispatcher's writers. Locks: none.
CREATE OR REPLACE FUNCTION genflow.hook_ref(p_id uuid, p_epoch integer) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT w.provider_ref FROM genflow.work w WHERE w.job_id = p_id AND w.epoch = p_epoch
$$;
