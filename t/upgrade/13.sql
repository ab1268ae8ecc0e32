-- SPDX-License-Identifier: Apache-2.0
-- A database of schema version 13, by t/upgrade/make.pl. Functions are there by their signatures
-- alone. t/sql/upgrade.t loads it.
SET check_function_bodies = false;
SET client_min_messages = warning;
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'genflow_module') THEN
        CREATE ROLE genflow_module NOLOGIN;
    END IF;
END $$;
CREATE SCHEMA genflow;
CREATE TYPE genflow.generation AS (
	outcome text,
	type text,
	id uuid,
	run_id text,
	status text,
	preset text,
	prompt text,
	source_url text,
	parameters jsonb,
	seed bigint,
	cost bigint,
	retry_count integer,
	max_retries integer,
	provider text,
	model text,
	stability_job_id text,
	aiml_job_id text,
	fal_job_id text,
	replicate_id text,
	image_url text,
	original_url text,
	persisted boolean,
	expires_at text,
	fallback_used boolean,
	error_code text,
	error_message text,
	cause_code text,
	created_at text,
	started_at text,
	finished_at text,
	processing_ms bigint,
	result jsonb,
	progress real,
	queue_position integer,
	logs jsonb,
	at bigint,
	webhook_url text
);
CREATE TYPE genflow.job_brief AS (
	user_id text,
	cost bigint,
	status text
);
CREATE FUNCTION genflow.admin_breaker_reset(p_provider text, p_model text DEFAULT NULL) RETURNS integer LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.admin_cancel(p_id uuid, OUT outcome text, OUT status text, OUT released bigint) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.admin_check() RETURNS json LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.admin_clear(p_after uuid, p_limit integer, OUT seen integer, OUT cancelled integer, OUT released bigint, OUT last uuid) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.admin_credit(p_user text, p_amount bigint, p_reason text, p_reference text) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.admin_first_id(p_at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT rpad(lpad(to_hex((extract(epoch FROM p_at) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;
CREATE FUNCTION genflow.admin_jobs(p_types text[], p_status text, p_user text, p_before uuid, p_limit integer) RETURNS TABLE(type text, user_id text, id uuid) LANGUAGE plpgsql AS 'BEGIN END';
CREATE TABLE genflow.presets_config (
    id bigint NOT NULL,
    type text NOT NULL,
    key text NOT NULL,
    label text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    category text NOT NULL,
    prompt text NOT NULL,
    negative_prompt text,
    strength numeric(4,3),
    parameters jsonb DEFAULT '{}'::jsonb NOT NULL,
    rotation_index integer,
    preset_week integer,
    is_active boolean DEFAULT true NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT presets_config_category_check CHECK (((length(category) >= 1) AND (length(category) <= 50))),
    CONSTRAINT presets_config_description_check CHECK ((length(description) <= 500)),
    CONSTRAINT presets_config_key_check CHECK ((key ~ '^[A-Za-z0-9._:-]{1,64}$'::text)),
    CONSTRAINT presets_config_label_check CHECK (((length(label) >= 1) AND (length(label) <= 100))),
    CONSTRAINT presets_config_negative_prompt_check CHECK ((length(negative_prompt) <= 1000)),
    CONSTRAINT presets_config_parameters_check CHECK (((jsonb_typeof(parameters) = 'object'::text) AND (length((parameters)::text) <= 2000))),
    CONSTRAINT presets_config_preset_week_check CHECK (((preset_week >= 1) AND (preset_week <= 53))),
    CONSTRAINT presets_config_prompt_check CHECK ((length(prompt) <= 2000)),
    CONSTRAINT presets_config_rotation_index_check CHECK ((rotation_index >= 0)),
    CONSTRAINT presets_config_strength_check CHECK (((strength >= (0)::numeric) AND (strength <= (1)::numeric))),
    CONSTRAINT presets_config_type_check CHECK ((type ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$'::text))
);
CREATE FUNCTION genflow.admin_preset(p genflow.presets_config) RETURNS json LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.admin_preset_add(p_type text, p_key text, p_preset jsonb, OUT outcome text, OUT preset json) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.admin_preset_delete(p_type text, p_key text) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.admin_preset_edit(p_type text, p_key text, p_changes jsonb, OUT outcome text, OUT preset json) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.admin_presets(p_type text, p_key text DEFAULT NULL) RETURNS SETOF json LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.admin_refund(p_id uuid, p_amount bigint, p_reason text, p_reference text, OUT outcome text, OUT user_id text, OUT amount bigint) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.admin_settle(p_type integer, p_id uuid) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.admin_stats() RETURNS json LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.admin_user_set(p_user text, p_changes jsonb) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.admin_users(p_user text, p_after text, p_limit integer, p_day text DEFAULT 'UTC'::text) RETURNS TABLE(user_id text, account json) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.afford(p_user text, p_cost bigint, p_day text, p_run_id text, OUT outcome text, OUT balance bigint, OUT held bigint, OUT day date, OUT reservation uuid) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.asset_bytes(p_id uuid) RETURNS TABLE(type text, bytes bytea) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.asset_delete(p_user text, p_id uuid) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.asset_get(p_user text, p_id uuid, OUT outcome text, OUT id uuid, OUT type text, OUT width integer, OUT height integer, OUT size integer, OUT sha256 text, OUT expires_at text) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.asset_put(p_user text, p_type text, p_width integer, p_height integer, p_base64 text, p_lifetime interval, p_quota bigint, OUT outcome text, OUT id uuid, OUT expires_at text) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.asset_sweep(p_limit integer) RETURNS integer LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.attempt_begin(p_id uuid, p_epoch integer, p_no smallint, p_provider text, p_model text, p_seed bigint, p_hook_token text, p_lease interval, p_probe interval DEFAULT '00:00:30'::interval) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.breaker_note(p_provider text, p_model text, p_what text, p_reason text, p_failures integer, p_open interval) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.breakers() RETURNS TABLE(provider text, model text, state text, failures integer, open_until text, opened_at text, reason text) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow."check"(p_grace interval DEFAULT '00:01:00'::interval) RETURNS TABLE(rule text, n bigint, sample text) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.create_type(p_name text, p_schema text DEFAULT 'public'::text) RETURNS smallint LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.day_zone(p_day text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT CASE p_day WHEN 'rolling' THEN 'UTC' ELSE p_day END
$$;
CREATE FUNCTION genflow.delivery_claim(p_types text[], p_limit integer, p_lease interval) RETURNS TABLE(id uuid, type text, user_id text, tries integer, at bigint) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.delivery_note(p_id uuid, p_delay interval) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.doctor_charges(p_user text DEFAULT NULL, p_job uuid DEFAULT NULL, p_newest integer DEFAULT 10000) RETURNS TABLE(finding text, subject text, detail text, advice text) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.doctor_credits(p_user text DEFAULT NULL, p_job uuid DEFAULT NULL, p_newest integer DEFAULT 10000) RETURNS TABLE(finding text, subject text, detail text, advice text) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.doctor_end(p_kind text, p_ref text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT format('INSERT INTO genflow.ledger (ref, kind, user_id, amount, released, window_day) SELECT ref, %L, user_id, %s, '
                  'window_day FROM genflow.ledger WHERE kind = ''hold'' AND ref = %L;',
                  p_kind, CASE p_kind WHEN 'capture' THEN 'amount, 0' ELSE '0, amount' END, p_ref)
$$;
CREATE FUNCTION genflow.doctor_images(p_user text DEFAULT NULL, p_job uuid DEFAULT NULL, p_newest integer DEFAULT 10000) RETURNS TABLE(finding text, subject text, detail text, advice text) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.doctor_job(p_id uuid) RETURNS TABLE(at timestamptz, what text, detail text) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.doctor_ledger(p_user text) RETURNS TABLE(ref uuid, kind text, phase smallint, at timestamptz, reason text, change bigint, held_change bigint) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.doctor_polling(p_user text DEFAULT NULL, p_job uuid DEFAULT NULL, p_newest integer DEFAULT 10000) RETURNS TABLE(finding text, subject text, detail text, advice text) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.doctor_rows(p_user text, p_job uuid, p_newest integer) RETURNS TABLE(type text, media text, id uuid, user_id text, status text, cost bigint, created_at timestamptz, image_url text, persisted boolean, expires_at timestamptz, request text) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.doctor_since(p_at timestamptz) RETURNS interval LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.doctor_some(p_names text[]) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT array_to_string(p_names[1:3], ', ') || CASE WHEN cardinality(p_names) > 3 THEN ', ...' ELSE '' END
$$;
CREATE FUNCTION genflow.doctor_statement(p_user text, p_newest integer DEFAULT 50) RETURNS TABLE(at timestamptz, what text, change bigint, balance bigint, held bigint, ref uuid, reason text) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.doctor_stuck(p_user text DEFAULT NULL, p_job uuid DEFAULT NULL, p_newest integer DEFAULT 10000) RETURNS TABLE(finding text, subject text, detail text, advice text) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.ended(p_ids uuid[]) RETURNS SETOF uuid LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.forbid() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.grant_credits(p_user text, p_amount bigint, p_reason text, p_reference text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.grant_role() RETURNS void LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.hand_back(p_ids uuid[], p_epochs integer[]) RETURNS integer LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.health() RETURNS TABLE(schema_version integer, types text[]) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.heartbeat(p_ids uuid[], p_epochs integer[], p_lease interval) RETURNS SETOF uuid LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.history(p_user text, p_types text[], p_status text, p_preset text, p_at bigint, p_id uuid, p_limit integer) RETURNS SETOF genflow.generation LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.history_count(p_user text, p_types text[], p_status text, p_preset text, p_most integer) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.hold(p_ref uuid, p_user text, p_amount bigint, p_window date, p_day text) RETURNS void LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.hook(p_provider text, p_kind text, p_id uuid, p_token text, p_event text, p_ref text, p_owner text) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.hook_ref(p_id uuid, p_epoch integer) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.id_at(p_at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT (lpad(to_hex((extract(epoch FROM p_at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;
CREATE FUNCTION genflow.id_type(p_id uuid) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT CASE WHEN get_byte(b, 6) >> 4 = 7 THEN get_byte(b, 10) ELSE 0 END FROM uuid_send(p_id) AS b
$$;
CREATE FUNCTION genflow.iso(p_at timestamptz) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.janitor(p_part text, p_limit integer, p_jobs interval, p_keys interval, p_media interval DEFAULT NULL) RETURNS integer LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.janitor_parts() RETURNS SETOF text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.job_brief(p_id uuid) RETURNS genflow.job_brief LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.ledger_apply() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.ledger_list(p_user text, p_cursor text, p_limit integer) RETURNS TABLE(ref uuid, kind text, amount bigint, balance_after bigint, credits bigint, reason text, reference text, job_id uuid, request_id text, at text, cursor text) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.limits(p_user text, p_type_no smallint, p_concurrent integer, p_queue integer) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.list_query(p_types text[], p_status text, p_user text, p_preset text, p_at timestamptz) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.made_at(p_id uuid) RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.neo_glitch_accepted(p_id uuid, p_epoch integer, p_no smallint, p_provider text, p_kind text, p_ref text, p_lease interval) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.neo_glitch_cancel(p_user text, p_id uuid, OUT outcome text, OUT status text, OUT owner text) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.neo_glitch_claim(p_owner text, p_limit integer, p_lease interval, p_from timestamptz, p_lines timestamptz[] DEFAULT '{-infinity,-infinity,-infinity}'::timestamptz[], p_ends boolean DEFAULT false) RETURNS TABLE(id uuid, epoch integer, phase text, attempts smallint, chain_pos smallint, retries smallint, provider text, model text, provider_ref text, deadline_ms bigint, user_id text, run_id text, preset text, prompt text, source_url text, parameters jsonb, seed bigint, max_retries smallint, due_at timestamptz, age_ms bigint, lane smallint) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.neo_glitch_create(p_user text, p_key text, p_hash bytea, p_run_id text, p_preset text, p_prompt text, p_source_url text, p_parameters jsonb, p_seed bigint, p_cost bigint, p_max_retries smallint, p_lifetime interval, p_owner text, p_lease interval, p_start boolean DEFAULT true, p_priority smallint DEFAULT 0, p_day text DEFAULT 'UTC'::text, p_concurrent integer DEFAULT 0, p_queue integer DEFAULT 0, p_chain_pos smallint DEFAULT 0, p_reserved text DEFAULT NULL, p_webhook_url text DEFAULT NULL, OUT outcome text, OUT id uuid, OUT epoch integer, OUT status text, OUT created_at text, OUT balance bigint, OUT held bigint) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.neo_glitch_create_batch(p_user text, p_key text, p_hash bytea, p_run_ids text[], p_preset text, p_prompt text, p_source_url text, p_parameters jsonb, p_seeds bigint[], p_cost bigint, p_max_retries smallint, p_lifetime interval, p_owner text, p_lease interval, p_start boolean DEFAULT true, p_priority smallint DEFAULT 0, p_day text DEFAULT 'UTC'::text, p_concurrent integer DEFAULT 0, p_queue integer DEFAULT 0, p_chain_pos smallint DEFAULT 0, p_reserved text DEFAULT NULL, p_webhook_url text DEFAULT NULL) RETURNS TABLE(outcome text, id uuid, epoch integer, status text, created_at text, balance bigint, held bigint) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.neo_glitch_delete(p_user text, p_id uuid, OUT outcome text, OUT status text, OUT image_url text) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.neo_glitch_get(p_user text, p_id uuid, p_run_id text DEFAULT NULL, p_ref text DEFAULT NULL) RETURNS genflow.generation LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.neo_glitch_restored(p_id uuid, p_image_url text, p_result jsonb) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.neo_glitch_settle(p_id uuid, p_epoch integer, p_status text, p_provider text, p_model text, p_fallback boolean, p_image_url text, p_original_url text, p_persisted boolean, p_result jsonb, p_error_code text, p_error_message text, p_cause_code text, p_keeps interval DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.neo_glitch_start(p_user text, p_id uuid, p_owner text, p_lease interval, p_lifetime interval, OUT outcome text, OUT status text, OUT id uuid, OUT epoch integer, OUT preset text, OUT prompt text, OUT source_url text, OUT parameters jsonb, OUT seed bigint, OUT max_retries smallint, OUT age_ms bigint) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.new_id(p_type integer) RETURNS uuid LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.preset_touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.presets(p_type text, p_window integer, p_at timestamptz DEFAULT now()) RETURNS TABLE(id bigint, key text, label text, description text, category text, prompt text, negative_prompt text, strength numeric, parameters jsonb, rotation_index integer, week integer, available_at text, current_week integer, is_active boolean, is_on boolean) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.progress(p_id uuid, p_epoch integer, p_progress real, p_queue_position integer, p_logs jsonb) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.quota(p_user text, p_day text DEFAULT 'UTC'::text) RETURNS TABLE(balance bigint, held bigint, day_limit bigint, day_used bigint, week_limit bigint, week_used bigint, remaining bigint, day_reset text, at text, wait integer) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.removal_claim(p_types text[], p_limit integer, p_lease interval) RETURNS TABLE(id uuid, type text, url text, media_type text) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.removal_done(p_id uuid) RETURNS void LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.requeue(p_id uuid, p_epoch integer, p_delay interval, p_chain_pos smallint, p_retries smallint, p_outcome text, p_ref text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.reservation_end(p_id uuid, p_state text, p_job uuid DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.reservations_expire(p_limit integer) RETURNS integer LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.reserve(p_user text, p_request_id text, p_amount bigint, p_action text, p_lifetime interval, p_day text, OUT outcome text, OUT action text, OUT expires_at text, OUT balance bigint, OUT held bigint) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.reserve_finalize(p_user text, p_request_id text, OUT outcome text, OUT amount bigint, OUT job_id uuid, OUT status text, OUT charged bigint, OUT balance bigint, OUT held bigint) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.restore_claim(p_types text[], p_limit integer, p_lease interval) RETURNS TABLE(id uuid, type text, url text, tries integer) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.restore_later(p_id uuid, p_delay interval) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.rolling_use(p_user text, p_at timestamptz, OUT used bigint, OUT since timestamptz) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.shard_no() RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$SELECT 0$$;
CREATE FUNCTION genflow.template_delete(p_user text, p_id uuid) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.template_get(p_user text, p_id uuid, OUT outcome text, OUT type text, OUT config jsonb) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.template_put(p_user text, p_name text, p_type text, p_config jsonb, p_max integer, OUT outcome text, OUT id uuid, OUT created_at text) RETURNS record LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.templates(p_user text, p_before uuid, p_limit integer) RETURNS TABLE(id uuid, name text, type text, config jsonb, created_at text) LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.type_of(p_id uuid) RETURNS text LANGUAGE plpgsql AS 'BEGIN END';
CREATE TABLE genflow.types (
    no smallint NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    media_schema text NOT NULL,
    media_table text NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT types_name_check CHECK (((name ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$'::text) AND (length(name) <= 40))),
    CONSTRAINT types_no_check CHECK (((no >= 1) AND (no <= 255)))
);
CREATE FUNCTION genflow.type_render(t genflow.types, p_part text) RETURNS void LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.types_dispatch() RETURNS void LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.week_of(p_date date) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT p_date - (extract(isodow FROM p_date)::integer - 1)
$$;
CREATE FUNCTION genflow.work_keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION genflow.work_line() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE TABLE genflow.accounts (
    user_id text NOT NULL,
    balance bigint DEFAULT 0 NOT NULL,
    held bigint DEFAULT 0 NOT NULL,
    day date DEFAULT '1970-01-01'::date NOT NULL,
    week date DEFAULT '1970-01-01'::date NOT NULL,
    day_used bigint DEFAULT 0 NOT NULL,
    week_used bigint DEFAULT 0 NOT NULL,
    day_limit bigint,
    week_limit bigint,
    blocked boolean DEFAULT false NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    generations bigint DEFAULT 0 NOT NULL,
    CONSTRAINT accounts_balance_covers_held CHECK ((balance >= held)),
    CONSTRAINT accounts_day_limit_check CHECK ((day_limit >= 0)),
    CONSTRAINT accounts_held_not_negative CHECK ((held >= 0)),
    CONSTRAINT accounts_used_not_negative CHECK (((day_used >= 0) AND (week_used >= 0))),
    CONSTRAINT accounts_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 255))),
    CONSTRAINT accounts_week_limit_check CHECK ((week_limit >= 0))
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='200');
CREATE TABLE genflow.assets (
    id uuid NOT NULL,
    user_id text NOT NULL,
    type text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    bytes bytea NOT NULL,
    size integer GENERATED ALWAYS AS (octet_length(bytes)) STORED NOT NULL,
    sha256 bytea GENERATED ALWAYS AS (sha256(bytes)) STORED NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT assets_height_check CHECK ((height > 0)),
    CONSTRAINT assets_type_check CHECK ((type = ANY (ARRAY['image/png'::text, 'image/jpeg'::text, 'image/webp'::text]))),
    CONSTRAINT assets_width_check CHECK ((width > 0))
);
ALTER TABLE ONLY genflow.assets ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE TABLE genflow.attempts (
    job_id uuid NOT NULL,
    no smallint NOT NULL,
    epoch integer NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    seed bigint,
    provider_ref text,
    outcome text,
    sent_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamptz,
    hook_token text
);
CREATE TABLE genflow.breakers (
    provider text NOT NULL,
    model text NOT NULL,
    failures integer NOT NULL,
    open_until timestamptz,
    opened_at timestamptz,
    reason text,
    updated_at timestamptz DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='50');
CREATE TABLE genflow.deliveries (
    job_id uuid NOT NULL,
    type_no smallint NOT NULL,
    user_id text NOT NULL,
    due_at timestamptz NOT NULL,
    tries integer DEFAULT 0 NOT NULL
);
CREATE TABLE genflow.hooks (
    provider text NOT NULL,
    event text NOT NULL,
    job_id uuid NOT NULL,
    at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT hooks_event_check CHECK (((length(event) >= 1) AND (length(event) <= 300)))
);
CREATE TABLE genflow.idempotency_keys (
    user_id text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    job_id uuid NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT idempotency_keys_key_check CHECK (((length(key) >= 1) AND (length(key) <= 300)))
);
CREATE TABLE genflow.late_results (
    id bigint NOT NULL,
    job_id uuid NOT NULL,
    epoch integer,
    provider text,
    result jsonb,
    at timestamptz DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE genflow.late_results ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME genflow.late_results_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE genflow.ledger (
    ref uuid NOT NULL,
    kind text NOT NULL,
    user_id text NOT NULL,
    amount bigint NOT NULL,
    released bigint DEFAULT 0 NOT NULL,
    at timestamptz DEFAULT clock_timestamp() NOT NULL,
    window_day date,
    phase smallint GENERATED ALWAYS AS (
CASE kind
    WHEN 'hold'::text THEN 1
    WHEN 'capture'::text THEN 2
    WHEN 'release'::text THEN 2
    WHEN 'refund'::text THEN 3
    ELSE 0
END) STORED,
    reason text,
    external_ref text,
    CONSTRAINT ledger_amounts CHECK ((((amount >= 0) OR (kind = 'adjust'::text)) AND (released >= 0) AND ((kind <> 'release'::text) OR (amount = 0)) AND ((kind = ANY (ARRAY['capture'::text, 'release'::text])) OR (released = 0)))),
    CONSTRAINT ledger_kind_check CHECK ((kind = ANY (ARRAY['grant'::text, 'adjust'::text, 'hold'::text, 'capture'::text, 'release'::text, 'refund'::text])))
);
CREATE TABLE genflow.migrations (
    version integer NOT NULL,
    name text NOT NULL,
    applied_at timestamptz DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE genflow.presets_config ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME genflow.presets_config_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE genflow.removals (
    job_id uuid NOT NULL,
    type_no smallint NOT NULL,
    url text NOT NULL,
    media_type text,
    due_at timestamptz NOT NULL,
    tries integer DEFAULT 0 NOT NULL
);
CREATE TABLE genflow.reservations (
    id uuid NOT NULL,
    user_id text NOT NULL,
    request_id text NOT NULL,
    amount bigint NOT NULL,
    action text,
    state text DEFAULT 'open'::text NOT NULL,
    job_id uuid,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamptz NOT NULL,
    hold_kind text GENERATED ALWAYS AS ('hold'::text) STORED,
    settle_kind text GENERATED ALWAYS AS (
CASE
    WHEN (state <> 'open'::text) THEN 'release'::text
    ELSE NULL::text
END) STORED,
    CONSTRAINT reservations_action_check CHECK ((length(action) <= 200)),
    CONSTRAINT reservations_amount_check CHECK ((amount > 0)),
    CONSTRAINT reservations_request_id_check CHECK (((length(request_id) >= 1) AND (length(request_id) <= 200))),
    CONSTRAINT reservations_state_check CHECK ((state = ANY (ARRAY['open'::text, 'used'::text, 'returned'::text, 'expired'::text]))),
    CONSTRAINT reservations_used_by CHECK (((state = 'used'::text) = (job_id IS NOT NULL)))
);
CREATE TABLE genflow.restores (
    job_id uuid NOT NULL,
    type_no smallint NOT NULL,
    url text NOT NULL,
    due_at timestamptz NOT NULL,
    expires_at timestamptz,
    tries integer DEFAULT 0 NOT NULL
);
CREATE TABLE genflow.templates (
    id uuid NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    type text,
    config jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT templates_config_check CHECK (((jsonb_typeof(config) = 'object'::text) AND (length((config)::text) <= 32768))),
    CONSTRAINT templates_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100)))
);
CREATE TABLE genflow.type_templates (
    part text NOT NULL,
    body text NOT NULL
);
CREATE TABLE genflow.work (
    job_id uuid NOT NULL,
    user_id text NOT NULL,
    type_no smallint NOT NULL,
    cost bigint NOT NULL,
    due_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    phase text DEFAULT 'queued'::text NOT NULL,
    lease_owner text,
    epoch integer DEFAULT 0 NOT NULL,
    lost_leases smallint DEFAULT 0 NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    chain_pos smallint DEFAULT 0 NOT NULL,
    retries smallint DEFAULT 0 NOT NULL,
    provider text,
    model text,
    provider_ref text,
    progress real,
    queue_position integer,
    provider_logs jsonb,
    priority smallint DEFAULT 0 NOT NULL,
    turn timestamptz,
    CONSTRAINT work_alarm_bounded CHECK ((due_at <= deadline_at)),
    CONSTRAINT work_pending_untouched CHECK (((phase <> 'pending'::text) OR ((due_at = deadline_at) AND (lease_owner IS NULL) AND (epoch = 0)))),
    CONSTRAINT work_phase_check CHECK ((phase = ANY (ARRAY['pending'::text, 'queued'::text, 'sending'::text, 'working'::text]))),
    CONSTRAINT work_priority_check CHECK (((priority >= '-1'::integer) AND (priority <= 1))),
    CONSTRAINT work_progress_check CHECK (((progress >= (0)::double precision) AND (progress <= (1)::double precision))),
    CONSTRAINT work_queue_position_check CHECK ((queue_position >= 0)),
    CONSTRAINT work_ref_when_working CHECK (((phase = 'working'::text) = (provider_ref IS NOT NULL)))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='5000', autovacuum_vacuum_insert_threshold='-1', autovacuum_vacuum_cost_delay='0');
CREATE TABLE genflow.test_prefixes AS SELECT * FROM (VALUES (1, 'neo_glitch'), (2, 'emotion_mask'), (3, 'presets'), (4, 'ghibli_reaction'), (5, 'custom_prompt')) AS v (no, prefix);
DO $$
DECLARE
    t genflow.test_prefixes;
BEGIN
    FOR t IN SELECT * FROM genflow.test_prefixes ORDER BY no LOOP
        EXECUTE replace(replace($ddl$
CREATE TABLE public.neo_glitch_media (
    id uuid NOT NULL,
    user_id text NOT NULL,
    run_id text,
    status text NOT NULL,
    preset text,
    prompt text NOT NULL,
    source_url text,
    parameters jsonb DEFAULT '{}'::jsonb NOT NULL,
    seed bigint NOT NULL,
    cost bigint NOT NULL,
    max_retries smallint NOT NULL,
    retry_count smallint DEFAULT 0 NOT NULL,
    provider text,
    model text,
    stability_job_id text,
    aiml_job_id text,
    fal_job_id text,
    replicate_id text,
    image_url text,
    original_url text,
    persisted boolean,
    expires_at timestamptz,
    result jsonb,
    fallback_used boolean DEFAULT false NOT NULL,
    error_code text,
    error_message text,
    cause_code text,
    webhook_url text,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    hold_kind text GENERATED ALWAYS AS ('hold'::text) STORED,
    settle_kind text GENERATED ALWAYS AS (
CASE
    WHEN (status = 'completed'::text) THEN 'capture'::text
    WHEN (status = ANY (ARRAY['failed'::text, 'cancelled'::text])) THEN 'release'::text
    ELSE NULL::text
END) STORED,
    unsuccessful text GENERATED ALWAYS AS (
CASE
    WHEN (status = ANY (ARRAY['failed'::text, 'cancelled'::text])) THEN status
    ELSE NULL::text
END) STORED,
    CONSTRAINT neo_glitch_media_cost_check CHECK ((cost >= 0)),
    CONSTRAINT neo_glitch_media_error CHECK (((error_code IS NOT NULL) = (status = 'failed'::text))),
    CONSTRAINT neo_glitch_media_finished CHECK (((finished_at IS NOT NULL) = (status = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text])))),
    CONSTRAINT neo_glitch_media_id_check CHECK ((genflow.id_type(id) = ANY (ARRAY[0, 1]))),
    CONSTRAINT neo_glitch_media_result CHECK (((image_url IS NOT NULL) = (status = 'completed'::text))),
    CONSTRAINT neo_glitch_media_run_id_check CHECK (((length(run_id) >= 1) AND (length(run_id) <= 200))),
    CONSTRAINT neo_glitch_media_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text, 'cancelled'::text])))
)
WITH (autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05', fillfactor='55');
$ddl$, 'neo_glitch_', t.prefix || '_'), 'ARRAY[0, 1]', format('ARRAY[0, %s]', t.no));
    END LOOP;
END $$;
DO $$
DECLARE
    v_text text;
BEGIN
    FOR v_text IN SELECT replace(pg_get_functiondef(p.oid), 'genflow.neo_glitch_', 'genflow.' || t.prefix || '_')
                    FROM pg_proc p, genflow.test_prefixes t
                   WHERE p.pronamespace = 'genflow'::regnamespace AND p.proname LIKE 'neo_glitch\_%' AND t.prefix <> 'neo_glitch'
    LOOP
        EXECUTE v_text;
    END LOOP;
END $$;
INSERT INTO genflow.accounts VALUES
	('carl', 3, 0, '1970-01-01', '1970-01-01', 0, 0, NULL, NULL, true, '2026-11-22 10:34:20.117029+00', 0),
	('bert', 13, 2, '2026-11-22', '2026-11-16', 4, 4, 50, 200, false, '2026-11-22 10:34:20.116666+00', 2),
	('anna', 97, 8, '2026-11-22', '2026-11-16', 12, 12, NULL, NULL, false, '2026-11-22 10:34:20.115857+00', 12);
INSERT INTO genflow.assets VALUES
	('01a202d2-3651-78df-b40c-0000d0934e6f', 'anna', 'image/png', 3, 2, '\x6e6f74207265616c6c7920612070696374757265', DEFAULT, DEFAULT, '2026-11-22 10:34:20.5964+00', '2026-11-23 10:34:20.5964+00');
INSERT INTO genflow.attempts VALUES
	('01a202d2-34c0-7b97-991e-01006cced7af', 1, 1, 'acme', 'acme-1', 7, NULL, NULL, '2026-11-22 10:34:20.23675+00', NULL, 'token'),
	('01a202d2-34d1-7e72-9855-010002276f66', 1, 1, 'acme', 'acme-1', 7, 'run-of-acme-1', NULL, '2026-11-22 10:34:20.249584+00', NULL, 'token'),
	('01a202d2-34f8-77f6-97b6-01005dadc1e7', 1, 1, 'acme', 'acme-1', 7, NULL, 'PROVIDER_DOWN', '2026-11-22 10:34:20.301714+00', '2026-11-22 10:34:20.302594+00', 'token'),
	('01a202d2-3524-7b25-a4ae-0100177a891b', 1, 1, 'acme', 'acme-1', 7, NULL, 'completed', '2026-11-22 10:34:20.329091+00', '2026-11-22 10:34:20.329313+00', 'token'),
	('01a202d2-3560-73d7-a611-0100ac2da6ca', 1, 1, 'acme', 'acme-1', 7, NULL, 'PROVIDER_FAILED', '2026-11-22 10:34:20.407911+00', '2026-11-22 10:34:20.407974+00', 'token');
INSERT INTO genflow.breakers VALUES
	('acme', 'acme-1', 1, NULL, NULL, 'HTTP 503', '2026-11-22 10:34:20.583601+00'),
	('acme', 'acme-2', 1, '2026-11-22 10:35:20.583933+00', '2026-11-22 10:34:20.583933+00', 'HTTP 401', '2026-11-22 10:34:20.583977+00');
INSERT INTO genflow.deliveries VALUES
	('01a202d2-3524-7b25-a4ae-0100177a891b', 1, 'anna', '2026-11-22 10:34:20.329313+00', 0);
INSERT INTO genflow.hooks VALUES
	('acme', 'event 1', '01a202d2-34d1-7e72-9855-010002276f66', '2026-11-22 10:34:20.26494+00');
INSERT INTO genflow.idempotency_keys VALUES
	('anna', 'pending', '\x01', '01a202d2-3473-7d70-ac8b-010080142618', '2026-11-22 10:34:20.163663+00'),
	('anna', 'in line', '\x01', '01a202d2-34a7-7db2-ab59-01001c0b13a4', '2026-11-22 10:34:20.199377+00'),
	('anna', 'leased', '\x01', '01a202d2-34b7-7eea-997e-0100ec5dff0b', '2026-11-22 10:34:20.215258+00'),
	('anna', 'sending', '\x01', '01a202d2-34c0-7b97-991e-01006cced7af', '2026-11-22 10:34:20.224107+00'),
	('anna', 'working', '\x01', '01a202d2-34d1-7e72-9855-010002276f66', '2026-11-22 10:34:20.240744+00'),
	('anna', 'retried', '\x01', '01a202d2-34f8-77f6-97b6-01005dadc1e7', '2026-11-22 10:34:20.279803+00'),
	('bert', 'live', '\x01', '01a202d2-3512-75fe-9df6-03001cac4fbd', '2026-11-22 10:34:20.305609+00'),
	('anna', 'completed', '\x01', '01a202d2-3524-7b25-a4ae-0100177a891b', '2026-11-22 10:34:20.324362+00'),
	('anna', 'temporary', '\x01', '01a202d2-3541-7709-9f65-01004ca9a1c0', '2026-11-22 10:34:20.353263+00'),
	('anna', 'failed', '\x01', '01a202d2-3560-73d7-a611-0100ac2da6ca', '2026-11-22 10:34:20.383878+00'),
	('anna', 'cancelled', '\x01', '01a202d2-3594-7323-a40d-0100d2b80d85', '2026-11-22 10:34:20.435732+00'),
	('anna', 'deleted', '\x01', '01a202d2-359d-7612-bd40-01001dcf08f8', '2026-11-22 10:34:20.445442+00'),
	('bert', 'ended', '\x01', '01a202d2-35b1-7320-a145-03004a03e88c', '2026-11-22 10:34:20.465203+00'),
	('anna', 'used', '\x01', '01a202d2-3600-7f4a-b7f3-0100e98cf3fd', '2026-11-22 10:34:20.543675+00');
INSERT INTO genflow.late_results OVERRIDING SYSTEM VALUE VALUES
	(1, '01a202d2-3560-73d7-a611-0100ac2da6ca', NULL, 'acme', '{"type": "image/png", "bytes": 5}', '2026-11-22 10:34:20.427028+00');
INSERT INTO genflow.ledger VALUES
	('01a202d2-3449-7fdf-af69-0000a1157019', 'grant', 'anna', 100, 0, '2026-11-22 10:34:20.105129+00', NULL, DEFAULT, 'a gift', 'payment 1'),
	('01a202d2-3454-734a-9da5-0000f8fb2ecc', 'grant', 'bert', 20, 0, '2026-11-22 10:34:20.116509+00', NULL, DEFAULT, 'a gift', NULL),
	('01a202d2-3455-73e4-955c-00008a3271fd', 'grant', 'carl', 3, 0, '2026-11-22 10:34:20.116905+00', NULL, DEFAULT, 'a gift', NULL),
	('01a202d2-345a-7a9f-8f01-00006091aa16', 'adjust', 'bert', -5, 0, '2026-11-22 10:34:20.122516+00', NULL, DEFAULT, 'a mistake', 'ticket 7'),
	('01a202d2-3473-7d70-ac8b-010080142618', 'hold', 'anna', 1, 0, '2026-11-22 10:34:20.179393+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-34a7-7db2-ab59-01001c0b13a4', 'hold', 'anna', 1, 0, '2026-11-22 10:34:20.201184+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-34b7-7eea-997e-0100ec5dff0b', 'hold', 'anna', 1, 0, '2026-11-22 10:34:20.216217+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-34c0-7b97-991e-01006cced7af', 'hold', 'anna', 1, 0, '2026-11-22 10:34:20.224794+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-34d1-7e72-9855-010002276f66', 'hold', 'anna', 1, 0, '2026-11-22 10:34:20.24138+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-34f8-77f6-97b6-01005dadc1e7', 'hold', 'anna', 1, 0, '2026-11-22 10:34:20.280713+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-3512-75fe-9df6-03001cac4fbd', 'hold', 'bert', 2, 0, '2026-11-22 10:34:20.316505+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-3524-7b25-a4ae-0100177a891b', 'hold', 'anna', 1, 0, '2026-11-22 10:34:20.324981+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-3524-7b25-a4ae-0100177a891b', 'capture', 'anna', 1, 0, '2026-11-22 10:34:20.329313+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-3524-7b25-a4ae-0100177a891b', 'refund', 'anna', 1, 0, '2026-11-22 10:34:20.344175+00', NULL, DEFAULT, 'ugly', 'ticket 8'),
	('01a202d2-3541-7709-9f65-01004ca9a1c0', 'hold', 'anna', 1, 0, '2026-11-22 10:34:20.354007+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-3541-7709-9f65-01004ca9a1c0', 'capture', 'anna', 1, 0, '2026-11-22 10:34:20.361914+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-3560-73d7-a611-0100ac2da6ca', 'hold', 'anna', 1, 0, '2026-11-22 10:34:20.384522+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-3560-73d7-a611-0100ac2da6ca', 'release', 'anna', 0, 1, '2026-11-22 10:34:20.407974+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-3594-7323-a40d-0100d2b80d85', 'hold', 'anna', 1, 0, '2026-11-22 10:34:20.436468+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-3594-7323-a40d-0100d2b80d85', 'release', 'anna', 0, 1, '2026-11-22 10:34:20.442512+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-359d-7612-bd40-01001dcf08f8', 'hold', 'anna', 1, 0, '2026-11-22 10:34:20.445963+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-359d-7612-bd40-01001dcf08f8', 'capture', 'anna', 1, 0, '2026-11-22 10:34:20.452713+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-35b1-7320-a145-03004a03e88c', 'hold', 'bert', 2, 0, '2026-11-22 10:34:20.466019+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-35b1-7320-a145-03004a03e88c', 'capture', 'bert', 2, 0, '2026-11-22 10:34:20.47607+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-35d1-744d-aa3f-00006a00b903', 'hold', 'anna', 2, 0, '2026-11-22 10:34:20.498085+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-35de-7a64-89b3-00006c9c3438', 'hold', 'anna', 2, 0, '2026-11-22 10:34:20.510581+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-35e5-769b-a850-00009bce7145', 'hold', 'anna', 2, 0, '2026-11-22 10:34:20.517588+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-35e7-7117-a2c0-000044ae05d7', 'hold', 'anna', 2, 0, '2026-11-22 10:34:20.523011+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-35de-7a64-89b3-00006c9c3438', 'release', 'anna', 0, 2, '2026-11-22 10:34:20.536339+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-35e7-7117-a2c0-000044ae05d7', 'release', 'anna', 0, 2, '2026-11-22 10:34:20.544731+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-3600-7f4a-b7f3-0100e98cf3fd', 'hold', 'anna', 1, 0, '2026-11-22 10:34:20.545355+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-3600-7f4a-b7f3-0100e98cf3fd', 'capture', 'anna', 1, 0, '2026-11-22 10:34:20.545884+00', '2026-11-22', DEFAULT, NULL, NULL),
	('01a202d2-35e5-769b-a850-00009bce7145', 'release', 'anna', 0, 2, '2026-11-22 10:34:20.572962+00', '2026-11-22', DEFAULT, NULL, NULL);
INSERT INTO genflow.migrations VALUES
	(1, '0001_accounts', '2026-11-22 10:34:17.117017+00'),
	(2, '0002_work', '2026-11-22 10:34:17.27817+00'),
	(3, '0003_guards', '2026-11-22 10:34:17.533067+00'),
	(4, '0004_presets', '2026-11-22 10:34:17.576891+00'),
	(5, '0005_assets', '2026-11-22 10:34:17.693575+00'),
	(6, '0006_background', '2026-11-22 10:34:17.763385+00'),
	(7, '0007_twostep', '2026-11-22 10:34:17.889884+00'),
	(8, '0008_steering', '2026-11-22 10:34:17.95119+00'),
	(9, '0009_reservations', '2026-11-22 10:34:17.998799+00'),
	(10, '0010_limits', '2026-11-22 10:34:18.044537+00'),
	(11, '0011_lists', '2026-11-22 10:34:18.0989+00'),
	(12, '0012_retention', '2026-11-22 10:34:18.119269+00'),
	(13, '0013_webhooks', '2026-11-22 10:34:18.120028+00');
INSERT INTO genflow.presets_config OVERRIDING SYSTEM VALUE VALUES
	(1, 'neo-glitch', 'base', 'Neo Tokyo', 'A night of neon and rain', 'neo tokyo', 'Neo Tokyo night, neon signs in the rain, subtle glitch, cinematic cyberpunk light', NULL, 0.300, '{}', NULL, NULL, true, '2026-11-22 10:34:17.650085+00', '2026-11-22 10:34:17.650085+00');
INSERT INTO genflow.removals VALUES
	('01a202d2-359d-7612-bd40-01001dcf08f8', 1, '/generated/neo-glitch/00/01a202d2-359d-7612-bd40-01001dcf08f8.png', 'image/png', '2026-11-22 10:34:20.458408+00', 0);
INSERT INTO genflow.reservations VALUES
	('01a202d2-35d1-744d-aa3f-00006a00b903', 'anna', 'open', 2, 'a batch', 'open', NULL, '2026-11-22 10:34:20.496822+00', '2026-11-23 10:34:20.496822+00', DEFAULT, DEFAULT),
	('01a202d2-35de-7a64-89b3-00006c9c3438', 'anna', 'returned', 2, 'a batch', 'returned', NULL, '2026-11-22 10:34:20.509998+00', '2026-11-23 10:34:20.509998+00', DEFAULT, DEFAULT),
	('01a202d2-35e7-7117-a2c0-000044ae05d7', 'anna', 'run used', 2, 'a batch', 'used', '01a202d2-3600-7f4a-b7f3-0100e98cf3fd', '2026-11-22 10:34:20.518249+00', '2026-11-23 10:34:20.518249+00', DEFAULT, DEFAULT),
	('01a202d2-35e5-769b-a850-00009bce7145', 'anna', 'expired', 2, 'a batch', 'expired', NULL, '2026-11-22 10:34:20.51703+00', '2026-11-22 10:34:20.51703+00', DEFAULT, DEFAULT);
INSERT INTO genflow.restores VALUES
	('01a202d2-3541-7709-9f65-01004ca9a1c0', 1, '/generated/neo-glitch/00/01a202d2-3541-7709-9f65-01004ca9a1c0.png', '2026-11-22 10:34:20.361914+00', '2026-11-23 10:34:20.361914+00', 0);
INSERT INTO genflow.templates VALUES
	('01a202d2-3658-78c0-8f9c-0000c0afb631', 'anna', 'often', 'neo-glitch', '{"prompt": "a cat"}', '2026-11-22 10:34:20.631616+00');
INSERT INTO genflow.type_templates VALUES
	('accepted', ''),
	('cancel', ''),
	('claim', ''),
	('create', ''),
	('create_batch', ''),
	('delete', ''),
	('get', ''),
	('media_table', ''),
	('restored', ''),
	('settle', ''),
	('start', '');
INSERT INTO genflow.types VALUES
	(1, 'neo-glitch', 'neo_glitch', 'public', 'neo_glitch_media', '2026-11-22 10:34:18.595008+00'),
	(2, 'emotion-mask', 'emotion_mask', 'public', 'emotion_mask_media', '2026-11-22 10:34:18.812677+00'),
	(3, 'presets', 'presets', 'public', 'presets_media', '2026-11-22 10:34:19.064431+00'),
	(4, 'ghibli-reaction', 'ghibli_reaction', 'public', 'ghibli_reaction_media', '2026-11-22 10:34:19.30847+00'),
	(5, 'custom-prompt', 'custom_prompt', 'public', 'custom_prompt_media', '2026-11-22 10:34:19.553826+00');
INSERT INTO genflow.work VALUES
	('01a202d2-3473-7d70-ac8b-010080142618', 'anna', 1, 1, '2026-11-22 11:34:20.137554+00', '2026-11-22 11:34:20.137554+00', 'pending', NULL, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL),
	('01a202d2-34a7-7db2-ab59-01001c0b13a4', 'anna', 1, 1, '2026-11-22 11:34:20.18217+00', '2026-11-22 11:34:20.18217+00', 'queued', NULL, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, '2026-11-22 10:34:30.200827+00'),
	('01a202d2-34b7-7eea-997e-0100ec5dff0b', 'anna', 1, 1, '2026-11-22 10:34:50.202234+00', '2026-11-22 11:34:20.202234+00', 'queued', 'host:1:x', 1, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL),
	('01a202d2-34c0-7b97-991e-01006cced7af', 'anna', 1, 1, '2026-11-22 10:34:50.23544+00', '2026-11-22 11:34:20.223509+00', 'sending', 'host:1:x', 1, 0, 1, 0, 0, 'acme', 'acme-1', NULL, NULL, NULL, NULL, 0, NULL),
	('01a202d2-34d1-7e72-9855-010002276f66', 'anna', 1, 1, '2026-11-22 10:34:50.25046+00', '2026-11-22 11:34:20.24015+00', 'working', 'host:1:x', 1, 0, 1, 0, 0, 'acme', 'acme-1', 'run-of-acme-1', 0.5, 2, '["half"]', 0, NULL),
	('01a202d2-34f8-77f6-97b6-01005dadc1e7', 'anna', 1, 1, '2026-11-22 10:39:20.302594+00', '2026-11-22 11:34:20.278796+00', 'queued', NULL, 1, 0, 1, 0, 1, 'acme', 'acme-1', NULL, NULL, NULL, NULL, 0, NULL),
	('01a202d2-3512-75fe-9df6-03001cac4fbd', 'bert', 3, 2, '2026-11-22 11:34:20.305028+00', '2026-11-22 11:34:20.305028+00', 'queued', NULL, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, '2026-11-22 10:34:20.316157+00');
INSERT INTO public.neo_glitch_media VALUES
	('01a202d2-3473-7d70-ac8b-010080142618', 'anna', 'run pending', 'pending', 'base', 'a cat', NULL, '{"steps": 9}', 7, 1, 3, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, '2026-11-22 10:34:20.137554+00', NULL, NULL, DEFAULT, DEFAULT, DEFAULT),
	('01a202d2-34a7-7db2-ab59-01001c0b13a4', 'anna', 'run in line', 'processing', 'base', 'a cat', NULL, '{"steps": 9}', 7, 1, 3, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, '2026-11-22 10:34:20.18217+00', '2026-11-22 10:34:20.18217+00', NULL, DEFAULT, DEFAULT, DEFAULT),
	('01a202d2-34b7-7eea-997e-0100ec5dff0b', 'anna', 'run leased', 'processing', 'base', 'a cat', NULL, '{"steps": 9}', 7, 1, 3, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, '2026-11-22 10:34:20.202234+00', '2026-11-22 10:34:20.202234+00', NULL, DEFAULT, DEFAULT, DEFAULT),
	('01a202d2-34c0-7b97-991e-01006cced7af', 'anna', 'run sending', 'processing', 'base', 'a cat', NULL, '{"steps": 9}', 7, 1, 3, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, '2026-11-22 10:34:20.223509+00', '2026-11-22 10:34:20.223509+00', NULL, DEFAULT, DEFAULT, DEFAULT),
	('01a202d2-34d1-7e72-9855-010002276f66', 'anna', 'run working', 'processing', 'base', 'a cat', NULL, '{"steps": 9}', 7, 1, 3, 0, NULL, NULL, NULL, NULL, 'run-of-acme-1', NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, 'https://client.example/hook', '2026-11-22 10:34:20.24015+00', '2026-11-22 10:34:20.24015+00', NULL, DEFAULT, DEFAULT, DEFAULT),
	('01a202d2-34f8-77f6-97b6-01005dadc1e7', 'anna', 'run retried', 'processing', 'base', 'a cat', NULL, '{"steps": 9}', 7, 1, 3, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, '2026-11-22 10:34:20.278796+00', '2026-11-22 10:34:20.278796+00', NULL, DEFAULT, DEFAULT, DEFAULT),
	('01a202d2-3524-7b25-a4ae-0100177a891b', 'anna', 'run completed', 'completed', 'base', 'a cat', NULL, '{"steps": 9}', 7, 1, 3, 0, 'acme', 'acme-1', NULL, NULL, NULL, NULL, '/generated/neo-glitch/00/01a202d2-3524-7b25-a4ae-0100177a891b.png', 'https://acme.example/1.png', true, NULL, '{"type": "image/png", "bytes": 5}', false, NULL, NULL, NULL, 'https://client.example/hook', '2026-11-22 10:34:20.324088+00', '2026-11-22 10:34:20.324088+00', '2026-11-22 10:34:20.329313+00', DEFAULT, DEFAULT, DEFAULT),
	('01a202d2-3541-7709-9f65-01004ca9a1c0', 'anna', 'run temporary', 'completed', 'base', 'a cat', NULL, '{"steps": 9}', 7, 1, 3, 0, 'acme', 'acme-1', NULL, NULL, NULL, NULL, '/generated/neo-glitch/00/01a202d2-3541-7709-9f65-01004ca9a1c0.png', 'https://acme.example/1.png', false, '2026-11-23 10:34:20.361914+00', '{"type": "image/png", "bytes": 5}', false, NULL, NULL, NULL, NULL, '2026-11-22 10:34:20.352918+00', '2026-11-22 10:34:20.352918+00', '2026-11-22 10:34:20.361914+00', DEFAULT, DEFAULT, DEFAULT),
	('01a202d2-3560-73d7-a611-0100ac2da6ca', 'anna', 'run failed', 'failed', 'base', 'a cat', NULL, '{"steps": 9}', 7, 1, 3, 0, 'acme', 'acme-1', NULL, NULL, NULL, NULL, NULL, 'https://acme.example/1.png', true, NULL, '{"type": "image/png", "bytes": 5}', false, 'PROVIDER_FAILED', 'The provider failed', NULL, NULL, '2026-11-22 10:34:20.383596+00', '2026-11-22 10:34:20.383596+00', '2026-11-22 10:34:20.407974+00', DEFAULT, DEFAULT, DEFAULT),
	('01a202d2-3594-7323-a40d-0100d2b80d85', 'anna', 'run cancelled', 'cancelled', 'base', 'a cat', NULL, '{"steps": 9}', 7, 1, 3, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, '2026-11-22 10:34:20.435457+00', '2026-11-22 10:34:20.435457+00', '2026-11-22 10:34:20.442512+00', DEFAULT, DEFAULT, DEFAULT),
	('01a202d2-3600-7f4a-b7f3-0100e98cf3fd', 'anna', 'run used', 'completed', 'base', 'a cat', NULL, '{"steps": 9}', 7, 1, 3, 0, 'acme', 'acme-1', NULL, NULL, NULL, NULL, '/generated/neo-glitch/00/01a202d2-3600-7f4a-b7f3-0100e98cf3fd.png', 'https://acme.example/1.png', true, NULL, '{"type": "image/png", "bytes": 5}', false, NULL, NULL, NULL, NULL, '2026-11-22 10:34:20.543117+00', '2026-11-22 10:34:20.543117+00', '2026-11-22 10:34:20.545884+00', DEFAULT, DEFAULT, DEFAULT);
INSERT INTO public.presets_media VALUES
	('01a202d2-3512-75fe-9df6-03001cac4fbd', 'bert', NULL, 'processing', NULL, 'a dog', NULL, '{}', 7, 2, 3, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, '2026-11-22 10:34:20.305028+00', '2026-11-22 10:34:20.305028+00', NULL, DEFAULT, DEFAULT, DEFAULT),
	('01a202d2-35b1-7320-a145-03004a03e88c', 'bert', NULL, 'completed', NULL, 'a dog', NULL, '{}', 7, 2, 3, 0, 'local', 'local', NULL, NULL, NULL, NULL, '/generated/presets/00/x.png', NULL, true, NULL, '{"type": "image/png", "bytes": 5}', false, NULL, NULL, NULL, NULL, '2026-11-22 10:34:20.464913+00', '2026-11-22 10:34:20.464913+00', '2026-11-22 10:34:20.47607+00', DEFAULT, DEFAULT, DEFAULT);
SELECT pg_catalog.setval('genflow.late_results_id_seq', 1, true);
SELECT pg_catalog.setval('genflow.presets_config_id_seq', 54, true);
ALTER TABLE ONLY genflow.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (user_id);
ALTER TABLE ONLY genflow.assets
    ADD CONSTRAINT assets_once UNIQUE (user_id, sha256);
ALTER TABLE ONLY genflow.assets
    ADD CONSTRAINT assets_pkey PRIMARY KEY (id);
ALTER TABLE ONLY genflow.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (job_id, no);
ALTER TABLE ONLY genflow.breakers
    ADD CONSTRAINT breakers_pkey PRIMARY KEY (provider, model);
ALTER TABLE ONLY genflow.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY genflow.hooks
    ADD CONSTRAINT hooks_pkey PRIMARY KEY (provider, event);
ALTER TABLE ONLY genflow.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, key);
ALTER TABLE ONLY genflow.late_results
    ADD CONSTRAINT late_results_pkey PRIMARY KEY (id);
ALTER TABLE ONLY genflow.ledger
    ADD CONSTRAINT ledger_one_phase UNIQUE (ref, phase);
ALTER TABLE ONLY genflow.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (ref, kind);
ALTER TABLE ONLY genflow.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY genflow.presets_config
    ADD CONSTRAINT presets_config_pkey PRIMARY KEY (id);
ALTER TABLE ONLY genflow.presets_config
    ADD CONSTRAINT presets_config_type_key_key UNIQUE (type, key);
ALTER TABLE ONLY genflow.removals
    ADD CONSTRAINT removals_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY genflow.reservations
    ADD CONSTRAINT reservations_job_id_key UNIQUE (job_id);
ALTER TABLE ONLY genflow.reservations
    ADD CONSTRAINT reservations_once UNIQUE (user_id, request_id);
ALTER TABLE ONLY genflow.reservations
    ADD CONSTRAINT reservations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY genflow.restores
    ADD CONSTRAINT restores_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY genflow.templates
    ADD CONSTRAINT templates_name UNIQUE (user_id, name);
ALTER TABLE ONLY genflow.templates
    ADD CONSTRAINT templates_pkey PRIMARY KEY (id);
ALTER TABLE ONLY genflow.type_templates
    ADD CONSTRAINT type_templates_pkey PRIMARY KEY (part);
ALTER TABLE ONLY genflow.types
    ADD CONSTRAINT types_media_schema_media_table_key UNIQUE (media_schema, media_table);
ALTER TABLE ONLY genflow.types
    ADD CONSTRAINT types_name_key UNIQUE (name);
ALTER TABLE ONLY genflow.types
    ADD CONSTRAINT types_pkey PRIMARY KEY (no);
ALTER TABLE ONLY genflow.types
    ADD CONSTRAINT types_prefix_key UNIQUE (prefix);
ALTER TABLE ONLY genflow.work
    ADD CONSTRAINT work_pkey PRIMARY KEY (job_id);
CREATE INDEX assets_expiry ON genflow.assets USING btree (expires_at);
CREATE INDEX attempts_ref ON genflow.attempts USING btree (provider_ref) WHERE (provider_ref IS NOT NULL);
CREATE INDEX deliveries_due ON genflow.deliveries USING btree (due_at);
CREATE INDEX hooks_at ON genflow.hooks USING btree (at);
CREATE INDEX idempotency_keys_age ON genflow.idempotency_keys USING btree (created_at);
CREATE UNIQUE INDEX ledger_external_ref ON genflow.ledger USING btree (external_ref) WHERE (external_ref IS NOT NULL);
CREATE INDEX ledger_user ON genflow.ledger USING btree (user_id, at);
CREATE INDEX removals_due ON genflow.removals USING btree (due_at);
CREATE INDEX reservations_open ON genflow.reservations USING btree (expires_at) WHERE (state = 'open'::text);
CREATE INDEX restores_due ON genflow.restores USING btree (due_at);
CREATE INDEX templates_user ON genflow.templates USING btree (user_id, id);
CREATE INDEX work_due ON genflow.work USING btree (type_no, due_at);
CREATE INDEX work_line ON genflow.work USING btree (type_no, priority, turn) WHERE (turn IS NOT NULL);
CREATE INDEX work_user ON genflow.work USING btree (user_id);
CREATE TRIGGER accounts_no_delete BEFORE DELETE ON genflow.accounts FOR EACH ROW EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER accounts_no_truncate BEFORE TRUNCATE ON genflow.accounts FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER ledger_append_only BEFORE DELETE OR UPDATE ON genflow.ledger FOR EACH ROW EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER ledger_apply AFTER INSERT ON genflow.ledger FOR EACH ROW EXECUTE FUNCTION genflow.ledger_apply();
CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON genflow.ledger FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER presets_config_touch BEFORE UPDATE ON genflow.presets_config FOR EACH ROW EXECUTE FUNCTION genflow.preset_touch();
CREATE TRIGGER reservations_guard BEFORE UPDATE ON genflow.reservations FOR EACH ROW WHEN (((new.id <> old.id) OR (new.user_id <> old.user_id) OR (new.amount <> old.amount) OR (old.state <> 'open'::text))) EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER reservations_no_delete BEFORE DELETE ON genflow.reservations FOR EACH ROW WHEN ((old.state = 'open'::text)) EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER reservations_no_truncate BEFORE TRUNCATE ON genflow.reservations FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER work_keep BEFORE DELETE ON genflow.work FOR EACH ROW EXECUTE FUNCTION genflow.work_keep();
CREATE TRIGGER work_line_new BEFORE INSERT ON genflow.work FOR EACH ROW WHEN (((new.phase = 'queued'::text) AND (new.lease_owner IS NULL))) EXECUTE FUNCTION genflow.work_line();
CREATE TRIGGER work_line_started BEFORE UPDATE ON genflow.work FOR EACH ROW WHEN (((old.phase = 'pending'::text) AND (new.phase = 'queued'::text) AND (new.lease_owner IS NULL))) EXECUTE FUNCTION genflow.work_line();
CREATE TRIGGER work_no_truncate BEFORE TRUNCATE ON genflow.work FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();
ALTER TABLE ONLY genflow.reservations
    ADD CONSTRAINT reservations_has_hold FOREIGN KEY (id, hold_kind) REFERENCES genflow.ledger(ref, kind) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY genflow.reservations
    ADD CONSTRAINT reservations_settled FOREIGN KEY (id, settle_kind) REFERENCES genflow.ledger(ref, kind) DEFERRABLE INITIALLY DEFERRED;
GRANT USAGE ON SCHEMA genflow TO genflow_module;
DO $$
DECLARE
    t genflow.test_prefixes;
BEGIN
    FOR t IN SELECT * FROM genflow.test_prefixes ORDER BY no LOOP
        EXECUTE replace(replace($ddl$
ALTER TABLE ONLY public.neo_glitch_media
    ADD CONSTRAINT neo_glitch_media_pkey PRIMARY KEY (id);
CREATE INDEX neo_glitch_media_aiml_job_id ON public.neo_glitch_media USING btree (aiml_job_id) WHERE (aiml_job_id IS NOT NULL);
CREATE INDEX neo_glitch_media_all ON public.neo_glitch_media USING btree ((created_at AT TIME ZONE 'UTC'::text), id);
CREATE INDEX neo_glitch_media_all_lost ON public.neo_glitch_media USING btree (unsuccessful, (created_at AT TIME ZONE 'UTC'::text), id) WHERE (unsuccessful IS NOT NULL);
CREATE INDEX neo_glitch_media_fal_job_id ON public.neo_glitch_media USING btree (fal_job_id) WHERE (fal_job_id IS NOT NULL);
CREATE INDEX neo_glitch_media_lost ON public.neo_glitch_media USING btree (user_id, unsuccessful, created_at, id) WHERE (unsuccessful IS NOT NULL);
CREATE INDEX neo_glitch_media_preset ON public.neo_glitch_media USING btree (user_id, preset, created_at, id) WHERE (preset IS NOT NULL);
CREATE INDEX neo_glitch_media_replicate_id ON public.neo_glitch_media USING btree (replicate_id) WHERE (replicate_id IS NOT NULL);
CREATE INDEX neo_glitch_media_run ON public.neo_glitch_media USING btree (user_id, run_id) WHERE (run_id IS NOT NULL);
CREATE INDEX neo_glitch_media_stability_job_id ON public.neo_glitch_media USING btree (stability_job_id) WHERE (stability_job_id IS NOT NULL);
CREATE INDEX neo_glitch_media_user ON public.neo_glitch_media USING btree (user_id, created_at, id);
CREATE TRIGGER neo_glitch_media_guard BEFORE UPDATE ON public.neo_glitch_media FOR EACH ROW WHEN (((new.id <> old.id) OR (new.user_id <> old.user_id) OR (new.cost <> old.cost) OR (new.created_at <> old.created_at) OR ((old.status = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text])) AND (new.status <> old.status)))) EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER neo_glitch_media_no_delete BEFORE DELETE ON public.neo_glitch_media FOR EACH ROW WHEN ((old.status = ANY (ARRAY['pending'::text, 'processing'::text]))) EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER neo_glitch_media_no_truncate BEFORE TRUNCATE ON public.neo_glitch_media FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();
ALTER TABLE ONLY public.neo_glitch_media
    ADD CONSTRAINT neo_glitch_media_has_hold FOREIGN KEY (id, hold_kind) REFERENCES genflow.ledger(ref, kind) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.neo_glitch_media
    ADD CONSTRAINT neo_glitch_media_settled FOREIGN KEY (id, settle_kind) REFERENCES genflow.ledger(ref, kind) DEFERRABLE INITIALLY DEFERRED;
$ddl$, 'neo_glitch_', t.prefix || '_'), 'ARRAY[0, 1]', format('ARRAY[0, %s]', t.no));
    END LOOP;
END $$;
DROP TABLE genflow.test_prefixes;
GRANT ALL ON FUNCTION genflow.admin_breaker_reset, genflow.admin_cancel, genflow.admin_check, genflow.admin_clear, genflow.admin_credit, genflow.admin_jobs, genflow.admin_preset_add, genflow.admin_preset_delete, genflow.admin_preset_edit, genflow.admin_presets, genflow.admin_refund, genflow.admin_stats, genflow.admin_user_set, genflow.admin_users, genflow.asset_bytes, genflow.asset_delete, genflow.asset_get, genflow.asset_put, genflow.attempt_begin, genflow.breaker_note, genflow.breakers, genflow.delivery_claim, genflow.delivery_note, genflow.ended, genflow.hand_back, genflow.health, genflow.heartbeat, genflow.history, genflow.history_count, genflow.hook, genflow.hook_ref, genflow.janitor, genflow.janitor_parts, genflow.ledger_list, genflow.neo_glitch_accepted, genflow.neo_glitch_cancel, genflow.neo_glitch_claim, genflow.neo_glitch_create, genflow.neo_glitch_create_batch, genflow.neo_glitch_delete, genflow.neo_glitch_get, genflow.neo_glitch_restored, genflow.neo_glitch_settle, genflow.neo_glitch_start, genflow.presets, genflow.progress, genflow.quota, genflow.removal_claim, genflow.removal_done, genflow.requeue, genflow.reserve, genflow.reserve_finalize, genflow.restore_claim, genflow.restore_later, genflow.template_delete, genflow.template_get, genflow.template_put, genflow.templates, genflow.type_of TO genflow_module;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA genflow FROM PUBLIC;
