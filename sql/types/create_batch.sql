-- SPDX-License-Identifier: Apache-2.0
-- {prefix}_create_batch(...): several generations of one request, each with its own row, hold and
-- end; all or none are created. As {prefix}_create(), except
--   p_run_ids, p_seeds  one of each per generation (p_run_ids NULL: the ids serve); their length is
--                       the number of generations
--   p_reserved          the run id of the request, or NULL: an open reservation under it releases
--                       its whole hold for the first one, and the rest of it is free for the others
--   p_take              the first one uses an unbound reservation, the others none
--   p_key               names the first; the others append a blank and their number, which no
--                       client can send
-- Called by: a POST for more than one. Locks: as create, once per generation; only the call that
-- holds the first key reaches the others.
-- SQLSTATE GF402, GF403, GF429: as of create.
-- Rows: one per generation in order, 'ok' or 'replay', each with its own outcome. The janitor
-- removes keys one by one, so an old request that is repeated may find some of its generations and
-- create the others. Or a single row: the refusal of them all.
CREATE OR REPLACE FUNCTION genflow.{prefix}_create_batch(
    p_user text, p_key text, p_hash bytea, p_run_ids text[], p_preset text, p_prompt text,
    p_source_url text,
    p_parameters jsonb, p_seeds bigint[], p_cost bigint, p_max_retries smallint,
    p_lifetime interval, p_owner text, p_lease interval,
    p_start boolean DEFAULT true, p_priority smallint DEFAULT 0, p_day text DEFAULT 'UTC',
    p_concurrent integer DEFAULT 0, p_queue integer DEFAULT 0, p_chain_pos smallint DEFAULT 0,
    p_reserved text DEFAULT NULL,
    p_webhook_url text DEFAULT NULL, p_call uuid DEFAULT NULL,
    p_take boolean DEFAULT false, p_renew boolean DEFAULT false, p_api_key text DEFAULT NULL)
RETURNS TABLE (outcome text, id uuid, epoch integer, status text, created_at text, balance bigint,
               held bigint,
               picture_secret text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v_done    text[];
    v_epochs  integer[];
    v_ids     uuid[];
    v_states  text[];
    v_created text[];
    v_secrets text[];
    r         record;
BEGIN
    BEGIN
        FOR i IN 1 .. cardinality(p_seeds) LOOP
            SELECT * INTO r FROM genflow.{prefix}_create(
                p_user, CASE WHEN i = 1 THEN p_key ELSE p_key || ' ' || i END, p_hash, p_run_ids[i],
                p_preset, p_prompt,
                p_source_url, p_parameters, p_seeds[i], p_cost, p_max_retries, p_lifetime, p_owner,
                p_lease, p_start, p_priority, p_day,
                p_concurrent, p_queue, p_chain_pos, CASE WHEN i = 1 THEN p_reserved END,
                p_webhook_url, p_call, p_take AND i = 1, p_renew, p_api_key => p_api_key);
            IF r.outcome NOT IN ('ok', 'replay') THEN
                -- the generations before it hold nothing once they are undone
                r.held := r.held - (i - 1) * p_cost;
                RAISE EXCEPTION 'genflow: refused' USING ERRCODE = 'GF001';
            END IF;
            v_done := v_done || r.outcome;
            v_epochs := v_epochs || r.epoch;
            v_ids := v_ids || r.id;
            v_states := v_states || r.status;
            v_created := v_created || r.created_at;
            v_secrets := v_secrets || r.picture_secret;
        END LOOP;
    -- undoes the generations before it; GF000 would mean any GFxxx
    EXCEPTION WHEN SQLSTATE 'GF001' THEN
        RETURN QUERY SELECT r.outcome, NULL::uuid, NULL::integer, NULL::text, NULL::text, r.balance,
            r.held, NULL::text;
        RETURN;
    END;
    -- the first one has what p_take means for one
    IF p_take AND genflow.shares(genflow.account_of(p_user)) THEN
        UPDATE {media} m SET visibility = 'public'
          FROM unnest(v_done, v_ids) AS made(outcome, id)
         WHERE m.id = made.id AND made.outcome = 'ok' AND m.visibility = 'private';
    END IF;
    RETURN QUERY SELECT u.outcome, u.id, u.epoch, u.status, u.created_at, r.balance, r.held,
        u.secret
                   FROM unnest(v_done, v_ids, v_epochs, v_states, v_created, v_secrets)
                     AS u(outcome, id, epoch, status, created_at, secret);
END $body$;
