-- SPDX-License-Identifier: Apache-2.0
-- hook(p_provider, p_kind, p_id, p_token, p_event, p_ref, p_owner): records an authentic provider
-- webhook: the run of a job has ended. The provider sent it to the address that the attempt gave.
-- It only means that it is time to poll, not what the result is: the job becomes due at once, and
-- the host that leads it polls the provider. A webhook that arrives before we recorded the
-- provider's id brings that id.
-- Called by: POST hook/... Locks: work, media.
--   p_event  the provider's name of this delivery
--   p_owner  the process that received it
-- Outcomes: 'unknown' no attempt of that provider, job and token; 'duplicate' this delivery came
-- before; 'ended' the job has ended; 'led' p_owner leads the job, the caller notifies its own
-- dispatcher; 'due' any host may claim it now.
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
          USING p_id, w.epoch, a.no, p_provider, p_kind, p_ref,
                genflow.lease_end(w) - clock_timestamp();
    ELSIF w.provider_ref <> p_ref THEN
        RETURN 'ended';
    END IF;
    IF w.lease_owner = p_owner THEN
        RETURN 'led';
    -- a leader on another host finds its lease gone
    ELSE
        PERFORM genflow.recall(ARRAY[p_id]);
        UPDATE genflow.work t SET lease_owner = NULL, led = false,
               due_at = least(clock_timestamp(), t.deadline_at)
         WHERE t.job_id = p_id;
    END IF;
    RETURN 'due';
END $$;

-- hook_known(p_provider, p_id, p_token): did an attempt of that provider give this address? The
-- module calls it before it reads the webhook's body, so that an unknown webhook costs little.
-- Called by: POST hook/... Locks: none.
CREATE OR REPLACE FUNCTION genflow.hook_known(p_provider text, p_id uuid,
                                              p_token text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM genflow.attempts t WHERE t.job_id = p_id AND t.provider = p_provider
                   AND t.hook_token = p_token)
$$;

-- hook_ref(p_id, p_epoch): the provider's id of the run, if a provider webhook, or a submitting
-- host that woke after its lease, recorded it while the answer to our submission was lost; else
-- NULL.
-- Called by: the dispatcher's writers. Locks: none.
CREATE OR REPLACE FUNCTION genflow.hook_ref(p_id uuid, p_epoch integer) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT w.provider_ref FROM genflow.work w WHERE w.job_id = p_id AND w.epoch = p_epoch
$$;
