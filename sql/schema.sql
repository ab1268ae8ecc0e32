-- SPDX-License-Identifier: Apache-2.0
-- The schema that sql/apply makes of an empty database: tables with their constraints, indexes,
-- triggers and rights, then functions, each kind by name. Written by support/schema from the
-- catalogs of PostgreSQL 15 for the eyes of a reviewer. It describes, and is not there to be run:
-- a database is made by sql/apply. t/sql/020-schema.t compares it. Of the types only the first is
-- shown: the others are the same but for their names.

CREATE SCHEMA genflow;
GRANT USAGE ON SCHEMA genflow TO genflow_administration;
GRANT USAGE ON SCHEMA genflow TO genflow_module;

CREATE SEQUENCE genflow.late_results_id_seq AS bigint START 1 INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1;
-- owned by column id of table genflow.late_results

CREATE SEQUENCE genflow.lost_responses_id_seq AS bigint START 1 INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1;
-- owned by column id of table genflow.lost_responses

CREATE SEQUENCE genflow.presets_config_id_seq AS bigint START 1 INCREMENT 1 MINVALUE 1 MAXVALUE 9223372036854775807 CACHE 1;
-- owned by column id of table genflow.presets_config

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
    webhook_url text,
    priority smallint,
    provider_kind text,
    provider_ref text,
    legacy_id text,
    visibility text,
    allow_remix boolean,
    tags text[],
    meta jsonb,
    age_ms bigint,
    started boolean,
    user_id text,
    input jsonb,
    input_summary jsonb,
    expected_seconds integer,
    row_version text,
    favourite boolean,
    title text
);

CREATE TYPE genflow.job_brief AS (
    user_id text,
    cost bigint,
    status text,
    provider text
);

CREATE TABLE genflow.accounts (
    user_id text NOT NULL,
    balance bigint NOT NULL DEFAULT 0,
    held bigint NOT NULL DEFAULT 0,
    day date NOT NULL DEFAULT '1970-01-01'::date,
    week date NOT NULL DEFAULT '1970-01-01'::date,
    day_used bigint NOT NULL DEFAULT 0,
    week_used bigint NOT NULL DEFAULT 0,
    day_limit bigint,
    week_limit bigint,
    blocked boolean NOT NULL DEFAULT false,
    created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    generations bigint NOT NULL DEFAULT 0,
    own_limits boolean NOT NULL DEFAULT false,
    allowance_day date,
    entries bigint NOT NULL DEFAULT 0,
    CONSTRAINT accounts_pkey PRIMARY KEY (user_id),
    CONSTRAINT accounts_balance_covers_held CHECK (balance >= held),
    CONSTRAINT accounts_day_limit_check CHECK (day_limit >= 0),
    CONSTRAINT accounts_held_not_negative CHECK (held >= 0),
    CONSTRAINT accounts_used_not_negative CHECK ((day_used >= 0) AND (week_used >= 0)),
    CONSTRAINT accounts_user_id_check CHECK ((length(user_id) >= 1) AND (length(user_id) <= 255)),
    CONSTRAINT accounts_week_limit_check CHECK (week_limit >= 0)
) WITH (fillfactor=50, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=200);
CREATE TRIGGER accounts_no_delete BEFORE DELETE ON genflow.accounts FOR EACH ROW EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER accounts_no_truncate BEFORE TRUNCATE ON genflow.accounts FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();

CREATE TABLE genflow.api_keys (
    id text NOT NULL,
    hash bytea NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    types text[],
    budget bigint,
    budget_per text,
    budget_day date NOT NULL DEFAULT '1970-01-01'::date,
    budget_used bigint NOT NULL DEFAULT 0,
    created_by text,
    created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    used_at timestamp with time zone,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_budget_check CHECK (budget >= 0),
    CONSTRAINT api_keys_budget_kept CHECK ((budget_used >= 0) AND ((budget IS NULL) OR (budget_used <= budget))),
    CONSTRAINT api_keys_budget_per_check CHECK (budget_per = ANY (ARRAY['day'::text, 'total'::text])),
    CONSTRAINT api_keys_budget_whole CHECK ((budget IS NULL) = (budget_per IS NULL)),
    CONSTRAINT api_keys_hash_check CHECK (length(hash) = 32),
    CONSTRAINT api_keys_id_check CHECK (id ~ '^[0-9A-Za-z]{12}$'::text),
    CONSTRAINT api_keys_name_check CHECK ((length(name) >= 1) AND (length(name) <= 100)),
    CONSTRAINT api_keys_scopes_check CHECK ((cardinality(scopes) > 0) AND (scopes <@ ARRAY['images'::text, 'read'::text, 'keys'::text, 'admin'::text])),
    CONSTRAINT api_keys_types_check CHECK (cardinality(types) > 0),
    CONSTRAINT api_keys_user_id_check CHECK ((length(user_id) >= 1) AND (length(user_id) <= 255))
) WITH (fillfactor=70);
CREATE INDEX api_keys_user ON genflow.api_keys USING btree (user_id, created_at, id);
CREATE TRIGGER api_keys_guard BEFORE UPDATE ON genflow.api_keys FOR EACH ROW WHEN ((new.id <> old.id) OR (new.hash <> old.hash) OR (new.user_id <> old.user_id) OR (new.scopes <> old.scopes) OR (new.types IS DISTINCT FROM old.types) OR (new.budget IS DISTINCT FROM old.budget) OR (new.budget_per IS DISTINCT FROM old.budget_per) OR (new.expires_at IS DISTINCT FROM old.expires_at) OR ((old.revoked_at IS NOT NULL) AND (new.revoked_at IS DISTINCT FROM old.revoked_at))) EXECUTE FUNCTION genflow.forbid();

CREATE TABLE genflow.assets (
    id uuid NOT NULL,
    user_id text NOT NULL,
    type text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    bytes bytea NOT NULL STORAGE e,
    size integer NOT NULL GENERATED ALWAYS AS octet_length(bytes),
    sha256 bytea NOT NULL GENERATED ALWAYS AS sha256(bytes),
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT assets_pkey PRIMARY KEY (id),
    CONSTRAINT assets_once UNIQUE (user_id, sha256),
    CONSTRAINT assets_height_check CHECK (height > 0),
    CONSTRAINT assets_type_check CHECK (type = ANY (ARRAY['image/png'::text, 'image/jpeg'::text, 'image/webp'::text])),
    CONSTRAINT assets_width_check CHECK (width > 0)
);
CREATE INDEX assets_expiry ON genflow.assets USING btree (expires_at);

CREATE TABLE genflow.attempts (
    job_id uuid NOT NULL,
    no smallint NOT NULL,
    epoch integer NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    seed bigint,
    provider_ref text,
    outcome text,
    sent_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamp with time zone,
    hook_token text,
    request_hash jsonb,
    CONSTRAINT attempts_pkey PRIMARY KEY (job_id, no)
);
CREATE INDEX attempts_ref ON genflow.attempts USING btree (provider_ref) WHERE (provider_ref IS NOT NULL);

CREATE TABLE genflow.breakers (
    provider text NOT NULL,
    model text NOT NULL,
    failures integer NOT NULL,
    open_until timestamp with time zone,
    opened_at timestamp with time zone,
    reason text,
    updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    call uuid,
    refused boolean NOT NULL DEFAULT false,
    CONSTRAINT breakers_pkey PRIMARY KEY (provider, model)
) WITH (fillfactor=50);

CREATE TABLE genflow.budgets (
    provider text NOT NULL,
    day date NOT NULL,
    slot smallint NOT NULL,
    spent bigint NOT NULL DEFAULT 0,
    CONSTRAINT budgets_pkey PRIMARY KEY (provider, day, slot)
) WITH (fillfactor=50);

CREATE TABLE genflow.calls (
    call uuid NOT NULL,
    answer jsonb NOT NULL,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT calls_pkey PRIMARY KEY (call)
);
CREATE INDEX calls_at ON genflow.calls USING btree (at);

CREATE TABLE genflow.checks (
    only_row boolean NOT NULL DEFAULT true,
    at timestamp with time zone NOT NULL,
    broken integer NOT NULL,
    CONSTRAINT checks_pkey PRIMARY KEY (only_row),
    CONSTRAINT checks_only_row_check CHECK (only_row)
);

CREATE TABLE genflow.children (
    owner text NOT NULL,
    expires timestamp with time zone NOT NULL,
    CONSTRAINT children_pkey PRIMARY KEY (owner)
) WITH (fillfactor=50);

CREATE TABLE genflow.compositions (
    name text NOT NULL,
    type text NOT NULL,
    template text NOT NULL,
    words jsonb NOT NULL DEFAULT '{}'::jsonb,
    parameters jsonb NOT NULL DEFAULT '{}'::jsonb,
    takes text[] NOT NULL DEFAULT '{}'::text[],
    CONSTRAINT compositions_pkey PRIMARY KEY (name),
    CONSTRAINT compositions_name_check CHECK ((length(name) >= 1) AND (length(name) <= 64)),
    CONSTRAINT compositions_parameters_check CHECK (jsonb_typeof(parameters) = 'object'::text),
    CONSTRAINT compositions_template_check CHECK ((length(template) >= 1) AND (length(template) <= 2000)),
    CONSTRAINT compositions_words_check CHECK (jsonb_typeof(words) = 'object'::text)
);

CREATE TABLE genflow.deliveries (
    job_id uuid NOT NULL,
    type_no smallint NOT NULL,
    user_id text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    event text NOT NULL DEFAULT 'end'::text,
    CONSTRAINT deliveries_pkey PRIMARY KEY (job_id, event),
    CONSTRAINT deliveries_event_check CHECK (event = ANY (ARRAY['start'::text, 'end'::text]))
);
CREATE INDEX deliveries_due ON genflow.deliveries USING btree (due_at);

CREATE TABLE genflow.edits (
    job_id uuid NOT NULL,
    type_no smallint NOT NULL,
    user_id text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT edits_pkey PRIMARY KEY (job_id)
);
CREATE INDEX edits_user ON genflow.edits USING btree (user_id, at);

CREATE UNLOGGED TABLE genflow.expected (
    type_no smallint NOT NULL,
    p50 bigint,
    p90 bigint,
    computed_at timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
    CONSTRAINT expected_pkey PRIMARY KEY (type_no),
    CONSTRAINT expected_type_no_fkey FOREIGN KEY (type_no) REFERENCES genflow.types(no) ON DELETE CASCADE
) WITH (fillfactor=50);

CREATE TABLE genflow.hooks (
    provider text NOT NULL,
    event text NOT NULL,
    job_id uuid NOT NULL,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT hooks_pkey PRIMARY KEY (provider, event),
    CONSTRAINT hooks_event_check CHECK ((length(event) >= 1) AND (length(event) <= 300))
);
CREATE INDEX hooks_at ON genflow.hooks USING btree (at);

CREATE TABLE genflow.hosts (
    name text NOT NULL,
    version text NOT NULL,
    schema_needed integer NOT NULL,
    dispatches boolean NOT NULL,
    settings jsonb NOT NULL,
    clock_ahead bigint NOT NULL,
    began_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT hosts_pkey PRIMARY KEY (name)
) WITH (fillfactor=50);

CREATE TABLE genflow.idempotency_keys (
    user_id text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    job_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    call uuid,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, key),
    CONSTRAINT idempotency_keys_key_check CHECK ((length(key) >= 1) AND (length(key) <= 300))
);
CREATE INDEX idempotency_keys_age ON genflow.idempotency_keys USING btree (created_at);

CREATE TABLE genflow.late_results (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    job_id uuid NOT NULL,
    epoch integer,
    provider text,
    result jsonb,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    call uuid,
    CONSTRAINT late_results_pkey PRIMARY KEY (id)
);

CREATE TABLE genflow.ledger (
    ref uuid NOT NULL,
    kind text NOT NULL,
    user_id text NOT NULL,
    amount bigint NOT NULL,
    released bigint NOT NULL DEFAULT 0,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    window_day date,
    phase smallint GENERATED ALWAYS AS  CASE kind WHEN 'hold'::text THEN 1 WHEN 'capture'::text THEN 2 WHEN 'release'::text THEN 2 WHEN 'refund'::text THEN 3 ELSE 0 END,
    reason text,
    external_ref text,
    call uuid,
    api_key text,
    CONSTRAINT ledger_pkey PRIMARY KEY (ref, kind),
    CONSTRAINT ledger_one_phase UNIQUE (ref, phase),
    CONSTRAINT ledger_amounts CHECK (((amount >= 0) OR (kind = 'adjust'::text)) AND (released >= 0) AND ((kind <> 'release'::text) OR (amount = 0)) AND ((kind = ANY (ARRAY['capture'::text, 'release'::text])) OR (released = 0))),
    CONSTRAINT ledger_check CHECK ((api_key IS NULL) OR (kind = 'hold'::text)),
    CONSTRAINT ledger_kind_check CHECK (kind = ANY (ARRAY['grant'::text, 'adjust'::text, 'hold'::text, 'capture'::text, 'release'::text, 'refund'::text]))
);
CREATE UNIQUE INDEX ledger_external_ref ON genflow.ledger USING btree (external_ref) WHERE (external_ref IS NOT NULL);
CREATE INDEX ledger_user ON genflow.ledger USING btree (user_id, at);
CREATE TRIGGER ledger_append_only BEFORE DELETE OR UPDATE ON genflow.ledger FOR EACH ROW EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER ledger_apply AFTER INSERT ON genflow.ledger FOR EACH ROW EXECUTE FUNCTION genflow.ledger_apply();
CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON genflow.ledger FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();

CREATE TABLE genflow.lost_responses (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    user_id text NOT NULL,
    hash bytea NOT NULL,
    taken boolean NOT NULL DEFAULT false,
    jobs uuid[] NOT NULL,
    at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    held_by uuid,
    held_until timestamp with time zone,
    CONSTRAINT lost_responses_pkey PRIMARY KEY (id),
    CONSTRAINT lost_responses_jobs_check CHECK (cardinality(jobs) <= 10)
);
CREATE INDEX lost_responses_at ON genflow.lost_responses USING btree (at);
CREATE INDEX lost_responses_hash ON genflow.lost_responses USING btree (user_id, hash, at);

CREATE TABLE genflow.migrations (
    version integer NOT NULL,
    name text NOT NULL,
    applied_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT migrations_pkey PRIMARY KEY (version)
);

CREATE TABLE genflow.presets_config (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    type text NOT NULL,
    key text NOT NULL,
    label text NOT NULL,
    description text NOT NULL DEFAULT ''::text,
    category text NOT NULL,
    prompt text NOT NULL,
    negative_prompt text,
    strength numeric(4,3),
    parameters jsonb NOT NULL DEFAULT '{}'::jsonb,
    rotation_index integer,
    preset_week integer,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT presets_config_pkey PRIMARY KEY (id),
    CONSTRAINT presets_config_type_key_key UNIQUE (type, key),
    CONSTRAINT presets_config_category_check CHECK ((length(category) >= 1) AND (length(category) <= 50)),
    CONSTRAINT presets_config_description_check CHECK (length(description) <= 500),
    CONSTRAINT presets_config_key_check CHECK (key ~ '^[A-Za-z0-9._:-]{1,64}$'::text),
    CONSTRAINT presets_config_label_check CHECK ((length(label) >= 1) AND (length(label) <= 100)),
    CONSTRAINT presets_config_negative_prompt_check CHECK (length(negative_prompt) <= 1000),
    CONSTRAINT presets_config_parameters_check CHECK ((jsonb_typeof(parameters) = 'object'::text) AND (length((parameters)::text) <= 2000)),
    CONSTRAINT presets_config_preset_week_check CHECK ((preset_week >= 1) AND (preset_week <= 53)),
    CONSTRAINT presets_config_prompt_check CHECK (length(prompt) <= 2000),
    CONSTRAINT presets_config_rotation_index_check CHECK (rotation_index >= 0),
    CONSTRAINT presets_config_strength_check CHECK ((strength >= (0)::numeric) AND (strength <= (1)::numeric)),
    CONSTRAINT presets_config_type_check CHECK (type ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$'::text)
);
CREATE TRIGGER presets_config_touch BEFORE UPDATE ON genflow.presets_config FOR EACH ROW EXECUTE FUNCTION genflow.preset_touch();

CREATE TABLE genflow.recalls (
    owner text NOT NULL,
    job_id uuid NOT NULL,
    epoch integer NOT NULL,
    made_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamp with time zone,
    CONSTRAINT recalls_pkey PRIMARY KEY (owner, job_id, epoch)
);
CREATE INDEX recalls_age ON genflow.recalls USING btree (made_at);

CREATE TABLE genflow.removals (
    job_id uuid NOT NULL,
    type_no smallint NOT NULL,
    url text,
    media_type text,
    due_at timestamp with time zone NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    picture_secret text,
    run_id text,
    CONSTRAINT removals_pkey PRIMARY KEY (job_id)
);
CREATE INDEX removals_due ON genflow.removals USING btree (due_at);

CREATE TABLE genflow.reservations (
    id uuid NOT NULL,
    user_id text NOT NULL,
    request_id text NOT NULL,
    amount bigint NOT NULL,
    action text,
    state text NOT NULL DEFAULT 'open'::text,
    job_id uuid,
    created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamp with time zone NOT NULL,
    hold_kind text GENERATED ALWAYS AS 'hold'::text,
    settle_kind text GENERATED ALWAYS AS  CASE WHEN (state <> 'open'::text) THEN 'release'::text ELSE NULL::text END,
    unbound boolean NOT NULL DEFAULT false,
    CONSTRAINT reservations_pkey PRIMARY KEY (id),
    CONSTRAINT reservations_job_id_key UNIQUE (job_id),
    CONSTRAINT reservations_once UNIQUE (user_id, request_id),
    CONSTRAINT reservations_action_check CHECK (length(action) <= 200),
    CONSTRAINT reservations_amount_check CHECK (amount > 0),
    CONSTRAINT reservations_request_id_check CHECK ((length(request_id) >= 1) AND (length(request_id) <= 200)),
    CONSTRAINT reservations_state_check CHECK (state = ANY (ARRAY['open'::text, 'used'::text, 'returned'::text, 'expired'::text])),
    CONSTRAINT reservations_used_by CHECK ((state = 'used'::text) = (job_id IS NOT NULL)),
    CONSTRAINT reservations_has_hold FOREIGN KEY (id, hold_kind) REFERENCES genflow.ledger(ref, kind) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT reservations_settled FOREIGN KEY (id, settle_kind) REFERENCES genflow.ledger(ref, kind) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX reservations_open ON genflow.reservations USING btree (expires_at) WHERE (state = 'open'::text);
CREATE INDEX reservations_unbound ON genflow.reservations USING btree (user_id, created_at, id) WHERE ((state = 'open'::text) AND unbound);
CREATE TRIGGER reservations_guard BEFORE UPDATE ON genflow.reservations FOR EACH ROW WHEN ((new.id <> old.id) OR (new.user_id <> old.user_id) OR (new.amount <> old.amount) OR (old.state <> 'open'::text)) EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER reservations_no_delete BEFORE DELETE ON genflow.reservations FOR EACH ROW WHEN (old.state = 'open'::text) EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER reservations_no_truncate BEFORE TRUNCATE ON genflow.reservations FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();

CREATE TABLE genflow.restores (
    job_id uuid NOT NULL,
    type_no smallint NOT NULL,
    url text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    tries integer NOT NULL DEFAULT 0,
    picture_secret text,
    run_id text,
    CONSTRAINT restores_pkey PRIMARY KEY (job_id)
);
CREATE INDEX restores_due ON genflow.restores USING btree (due_at);

CREATE TABLE genflow.site (
    only_row boolean NOT NULL DEFAULT true,
    cluster bigint,
    database oid NOT NULL,
    line uuid NOT NULL DEFAULT gen_random_uuid(),
    mark bigint NOT NULL DEFAULT 1,
    mark_every interval NOT NULL DEFAULT '00:01:00'::interval,
    marked_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    folder_mark bigint,
    restored text,
    resumed_at timestamp with time zone,
    CONSTRAINT site_pkey PRIMARY KEY (only_row),
    CONSTRAINT site_only_row_check CHECK (only_row)
) WITH (fillfactor=50);

CREATE TABLE genflow.sums (
    type_no smallint NOT NULL,
    provider text NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    n bigint NOT NULL,
    amount bigint NOT NULL,
    released bigint NOT NULL,
    CONSTRAINT sums_pkey PRIMARY KEY (type_no, provider, kind, outcome)
) WITH (fillfactor=50);

CREATE TABLE genflow.sums_new (
    type_no smallint NOT NULL,
    provider text NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    amount bigint NOT NULL,
    released bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=5000, autovacuum_vacuum_insert_threshold=-1, autovacuum_vacuum_cost_delay=0);

CREATE TABLE genflow.tags (
    user_id text NOT NULL,
    tag text NOT NULL,
    type_no smallint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    job_id uuid NOT NULL,
    CONSTRAINT tags_pkey PRIMARY KEY (user_id, tag, type_no, created_at, job_id),
    CONSTRAINT tags_tag_check CHECK (length(tag) <= 200)
);

CREATE TABLE genflow.templates (
    id uuid NOT NULL,
    user_id text NOT NULL,
    name text NOT NULL,
    type text,
    config jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT templates_pkey PRIMARY KEY (id),
    CONSTRAINT templates_name UNIQUE (user_id, name),
    CONSTRAINT templates_config_check CHECK ((jsonb_typeof(config) = 'object'::text) AND (length((config)::text) <= 32768)),
    CONSTRAINT templates_name_check CHECK ((length(name) >= 1) AND (length(name) <= 100))
);
CREATE INDEX templates_user ON genflow.templates USING btree (user_id, id);

CREATE TABLE genflow.type_templates (
    part text NOT NULL,
    body text NOT NULL,
    CONSTRAINT type_templates_pkey PRIMARY KEY (part)
);

CREATE TABLE genflow.types (
    no smallint NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    media_schema text NOT NULL,
    media_table text NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT types_pkey PRIMARY KEY (no),
    CONSTRAINT types_media_schema_media_table_key UNIQUE (media_schema, media_table),
    CONSTRAINT types_name_key UNIQUE (name),
    CONSTRAINT types_prefix_key UNIQUE (prefix),
    CONSTRAINT types_name_check CHECK ((name ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$'::text) AND (length(name) <= 40)),
    CONSTRAINT types_no_check CHECK ((no >= 1) AND (no <= 255))
);

CREATE TABLE genflow.user_settings (
    user_id text NOT NULL,
    settings jsonb NOT NULL,
    CONSTRAINT user_settings_pkey PRIMARY KEY (user_id),
    CONSTRAINT user_settings_settings_check CHECK ((jsonb_typeof(settings) = 'object'::text) AND (octet_length((settings)::text) <= 4096)),
    CONSTRAINT user_settings_user_id_check CHECK ((length(user_id) >= 1) AND (length(user_id) <= 255))
);

CREATE TABLE genflow.work (
    job_id uuid NOT NULL,
    user_id text NOT NULL,
    type_no smallint NOT NULL,
    cost bigint NOT NULL,
    due_at timestamp with time zone NOT NULL,
    deadline_at timestamp with time zone NOT NULL,
    phase text NOT NULL DEFAULT 'queued'::text,
    lease_owner text,
    epoch integer NOT NULL DEFAULT 0,
    lost_leases smallint NOT NULL DEFAULT 0,
    attempts smallint NOT NULL DEFAULT 0,
    chain_pos smallint NOT NULL DEFAULT 0,
    retries smallint NOT NULL DEFAULT 0,
    provider text,
    model text,
    provider_ref text,
    progress real,
    queue_position integer,
    provider_logs jsonb,
    priority smallint NOT NULL DEFAULT 0,
    turn timestamp with time zone,
    picture_secret text DEFAULT "left"(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'hex'::text), 32),
    last_look boolean NOT NULL DEFAULT false,
    start_call uuid,
    call uuid,
    poison text,
    led boolean NOT NULL DEFAULT false,
    leased_until timestamp with time zone,
    CONSTRAINT work_pkey PRIMARY KEY (job_id),
    CONSTRAINT work_alarm_bounded CHECK (due_at <= deadline_at),
    CONSTRAINT work_led_by_owner CHECK ((NOT led) OR ((lease_owner IS NOT NULL) AND (leased_until IS NOT NULL))),
    CONSTRAINT work_pending_untouched CHECK ((phase <> 'pending'::text) OR ((due_at = deadline_at) AND (lease_owner IS NULL) AND (epoch = 0))),
    CONSTRAINT work_phase_check CHECK (phase = ANY (ARRAY['pending'::text, 'queued'::text, 'sending'::text, 'working'::text])),
    CONSTRAINT work_picture_secret_check CHECK (picture_secret ~ '^[0-9a-f]{32}$'::text),
    CONSTRAINT work_priority_check CHECK ((priority >= '-1'::integer) AND (priority <= 1)),
    CONSTRAINT work_progress_check CHECK ((progress >= (0)::double precision) AND (progress <= (1)::double precision)),
    CONSTRAINT work_queue_position_check CHECK (queue_position >= 0),
    CONSTRAINT work_ref_when_working CHECK ((phase = 'working'::text) = (provider_ref IS NOT NULL))
) WITH (fillfactor=70, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=5000, autovacuum_vacuum_insert_threshold=-1, autovacuum_vacuum_cost_delay=0);
CREATE INDEX work_due ON genflow.work USING btree (type_no, due_at);
CREATE INDEX work_led ON genflow.work USING btree (lease_owner) WHERE led;
CREATE INDEX work_line ON genflow.work USING btree (type_no, priority, turn) WHERE (turn IS NOT NULL);
CREATE INDEX work_user ON genflow.work USING btree (user_id);
CREATE TRIGGER work_keep BEFORE DELETE ON genflow.work FOR EACH ROW EXECUTE FUNCTION genflow.work_keep();
CREATE TRIGGER work_line_new BEFORE INSERT ON genflow.work FOR EACH ROW WHEN ((new.phase = 'queued'::text) AND (new.lease_owner IS NULL)) EXECUTE FUNCTION genflow.work_line();
CREATE TRIGGER work_line_started BEFORE UPDATE ON genflow.work FOR EACH ROW WHEN ((old.phase = 'pending'::text) AND (new.phase = 'queued'::text) AND (new.lease_owner IS NULL)) EXECUTE FUNCTION genflow.work_line();
CREATE TRIGGER work_no_truncate BEFORE TRUNCATE ON genflow.work FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();

CREATE TABLE public.neo_glitch_media (
    id uuid NOT NULL,
    user_id text NOT NULL,
    run_id text,
    status text NOT NULL,
    preset text,
    prompt text NOT NULL,
    source_url text,
    parameters jsonb NOT NULL DEFAULT '{}'::jsonb,
    seed bigint NOT NULL,
    cost bigint NOT NULL,
    max_retries smallint NOT NULL,
    priority smallint NOT NULL DEFAULT 0,
    retry_count smallint NOT NULL DEFAULT 0,
    provider text,
    model text,
    provider_kind text,
    provider_ref text,
    image_url text,
    original_url text,
    persisted boolean,
    expires_at timestamp with time zone,
    result jsonb,
    fallback_used boolean NOT NULL DEFAULT false,
    error_code text,
    error_message text,
    cause_code text,
    fallback_id uuid,
    webhook_url text,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    legacy_id text,
    visibility text NOT NULL DEFAULT 'private'::text,
    allow_remix boolean NOT NULL DEFAULT false,
    tags text[],
    favourite boolean NOT NULL DEFAULT false,
    title text,
    thumbnail_until timestamp with time zone,
    meta jsonb,
    hold_kind text GENERATED ALWAYS AS  CASE WHEN (legacy_id IS NULL) THEN 'hold'::text ELSE NULL::text END,
    settle_kind text GENERATED ALWAYS AS  CASE WHEN (legacy_id IS NOT NULL) THEN NULL::text WHEN (status = 'completed'::text) THEN 'capture'::text WHEN (status = ANY (ARRAY['failed'::text, 'cancelled'::text])) THEN 'release'::text ELSE NULL::text END,
    unsuccessful text GENERATED ALWAYS AS  CASE WHEN (status = ANY (ARRAY['failed'::text, 'cancelled'::text])) THEN status ELSE NULL::text END,
    CONSTRAINT neo_glitch_media_pkey PRIMARY KEY (id),
    CONSTRAINT neo_glitch_media_cost_check CHECK (cost >= 0),
    CONSTRAINT neo_glitch_media_error CHECK ((error_code IS NOT NULL) = (status = 'failed'::text)),
    CONSTRAINT neo_glitch_media_finished CHECK ((finished_at IS NOT NULL) = (status = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text]))),
    CONSTRAINT neo_glitch_media_id_check CHECK (genflow.id_type(id) = ANY (ARRAY[0, 1])),
    CONSTRAINT neo_glitch_media_legacy_id_check CHECK ((legacy_id ~ '^[A-Za-z0-9._:-]+$'::text) AND (length(legacy_id) <= 200)),
    CONSTRAINT neo_glitch_media_meta_check CHECK ((jsonb_typeof(meta) = 'object'::text) AND (octet_length((meta)::text) <= 65536)),
    CONSTRAINT neo_glitch_media_moved CHECK ((legacy_id IS NULL) OR ((cost = 0) AND (finished_at IS NOT NULL))),
    CONSTRAINT neo_glitch_media_result CHECK ((image_url IS NOT NULL) = (status = 'completed'::text)),
    CONSTRAINT neo_glitch_media_run_id_check CHECK ((length(run_id) >= 1) AND (length(run_id) <= 200)),
    CONSTRAINT neo_glitch_media_status_check CHECK (status = ANY (ARRAY['pending'::text, 'processing'::text, 'completed'::text, 'failed'::text, 'cancelled'::text])),
    CONSTRAINT neo_glitch_media_tags_check CHECK ((cardinality(tags) <= 100) AND (octet_length((tags)::text) <= 8192)),
    CONSTRAINT neo_glitch_media_title_check CHECK ((length(title) >= 1) AND (length(title) <= 200)),
    CONSTRAINT neo_glitch_media_visibility_check CHECK (visibility = ANY (ARRAY['private'::text, 'public'::text])),
    CONSTRAINT neo_glitch_media_has_hold FOREIGN KEY (id, hold_kind) REFERENCES genflow.ledger(ref, kind) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT neo_glitch_media_settled FOREIGN KEY (id, settle_kind) REFERENCES genflow.ledger(ref, kind) DEFERRABLE INITIALLY DEFERRED
) WITH (autovacuum_vacuum_scale_factor=0.05, autovacuum_analyze_scale_factor=0.05, fillfactor=55);
CREATE INDEX neo_glitch_media_all ON public.neo_glitch_media USING btree ((created_at AT TIME ZONE 'UTC'::text), id);
CREATE INDEX neo_glitch_media_all_lost ON public.neo_glitch_media USING btree (unsuccessful, (created_at AT TIME ZONE 'UTC'::text), id) WHERE (unsuccessful IS NOT NULL);
CREATE INDEX neo_glitch_media_favourite ON public.neo_glitch_media USING btree (user_id, created_at, id) WHERE favourite;
CREATE UNIQUE INDEX neo_glitch_media_legacy_id ON public.neo_glitch_media USING btree (legacy_id) WHERE (legacy_id IS NOT NULL);
CREATE INDEX neo_glitch_media_lost ON public.neo_glitch_media USING btree (user_id, unsuccessful, created_at, id) WHERE (unsuccessful IS NOT NULL);
CREATE INDEX neo_glitch_media_preset ON public.neo_glitch_media USING btree (user_id, preset, created_at, id) WHERE (preset IS NOT NULL);
CREATE INDEX neo_glitch_media_provider_ref ON public.neo_glitch_media USING btree (provider_ref) WHERE (provider_ref IS NOT NULL);
CREATE INDEX neo_glitch_media_public ON public.neo_glitch_media USING btree (created_at, id) WHERE (visibility = 'public'::text);
CREATE INDEX neo_glitch_media_run ON public.neo_glitch_media USING btree (user_id, run_id) WHERE (run_id IS NOT NULL);
CREATE INDEX neo_glitch_media_user ON public.neo_glitch_media USING btree (user_id, created_at, id);
CREATE TRIGGER neo_glitch_media_guard BEFORE UPDATE ON public.neo_glitch_media FOR EACH ROW WHEN ((new.id <> old.id) OR (new.user_id <> old.user_id) OR (new.cost <> old.cost) OR (new.created_at <> old.created_at) OR (new.legacy_id IS DISTINCT FROM old.legacy_id) OR ((old.status = ANY (ARRAY['completed'::text, 'failed'::text, 'cancelled'::text])) AND (new.status <> old.status))) EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER neo_glitch_media_no_delete BEFORE DELETE ON public.neo_glitch_media FOR EACH ROW WHEN (old.status = ANY (ARRAY['pending'::text, 'processing'::text])) EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER neo_glitch_media_no_truncate BEFORE TRUNCATE ON public.neo_glitch_media FOR EACH STATEMENT EXECUTE FUNCTION genflow.forbid();
CREATE TRIGGER neo_glitch_media_tags_delete AFTER DELETE ON public.neo_glitch_media FOR EACH ROW WHEN (old.tags IS NOT NULL) EXECUTE FUNCTION genflow.tags_keep('1');
CREATE TRIGGER neo_glitch_media_tags_insert AFTER INSERT ON public.neo_glitch_media FOR EACH ROW WHEN (new.tags IS NOT NULL) EXECUTE FUNCTION genflow.tags_keep('1');
CREATE TRIGGER neo_glitch_media_tags_update AFTER UPDATE OF tags ON public.neo_glitch_media FOR EACH ROW WHEN (new.tags IS DISTINCT FROM old.tags) EXECUTE FUNCTION genflow.tags_keep('1');

CREATE FUNCTION genflow.admin_api_key_put(p_user text, p_id text, p_hash bytea, p_name text, p_scopes text[], p_types text[], p_expires timestamp with time zone, p_budget bigint, p_per text, p_by text, p_max integer, OUT outcome text, OUT created_at text, OUT expires_at text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_now timestamptz := clock_timestamp();
    k     genflow.api_keys;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('genflow keys of ' || p_user, 0));
    SELECT * INTO k FROM genflow.api_keys o WHERE o.id = p_id AND o.hash = p_hash;
    IF NOT FOUND THEN
        IF p_expires <= v_now THEN
            outcome := 'past';
            RETURN;
        END IF;
        DELETE FROM genflow.api_keys o WHERE o.user_id = p_user
            AND least(o.revoked_at, o.expires_at) < v_now - interval '30 days';
        IF (SELECT count(*) FROM genflow.api_keys o WHERE o.user_id = p_user
               AND o.revoked_at IS NULL AND (o.expires_at IS NULL OR o.expires_at > v_now)) >= p_max
        THEN
            outcome := 'too_many';
            RETURN;
        END IF;
        INSERT INTO genflow.api_keys AS n (id, hash, user_id, name, scopes, types, budget,
                                           budget_per, created_by, created_at, expires_at)
        VALUES (p_id, p_hash, p_user, p_name, p_scopes, p_types, p_budget, p_per, p_by, v_now,
                p_expires)
        RETURNING n.* INTO k;
    END IF;
    outcome := 'ok';
    created_at := genflow.iso(k.created_at);
    expires_at := genflow.iso(k.expires_at);
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_api_key_put(text,text,bytea,text,text[],text[],timestamp with time zone,bigint,text,text,integer) TO genflow_administration;

CREATE FUNCTION genflow.admin_api_key_revoke(p_user text, p_id text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    UPDATE genflow.api_keys k SET revoked_at = coalesce(k.revoked_at, clock_timestamp())
     WHERE k.id = p_id AND (p_user IS NULL OR k.user_id = p_user);
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'not_found' END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_api_key_revoke(text,text) TO genflow_administration;

CREATE FUNCTION genflow.admin_api_keys(p_user text, p_before text, p_limit integer, p_day text DEFAULT 'UTC'::text) RETURNS TABLE(id text, user_id text, name text, scopes text, types text, budget bigint, per text, spent bigint, created_by text, created_at text, expires_at text, revoked_at text, used_at text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    RETURN QUERY
    SELECT k.id, k.user_id, k.name, array_to_string(k.scopes, ' '), array_to_string(k.types, ' '),
           k.budget, k.budget_per,
           genflow.api_key_spent(k, (statement_timestamp()
                                     AT TIME ZONE genflow.day_zone(p_day))::date),
           k.created_by, genflow.iso(k.created_at), genflow.iso(k.expires_at),
           genflow.iso(k.revoked_at), genflow.iso(k.used_at)
      FROM genflow.api_keys k
     WHERE (p_user IS NULL OR k.user_id = p_user)
       AND (p_before IS NULL OR (k.created_at, k.id) < (SELECT b.created_at, b.id
                                                          FROM genflow.api_keys b
                                                         WHERE b.id = p_before))
     ORDER BY k.created_at DESC, k.id DESC LIMIT p_limit;
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_api_keys(text,text,integer,text) TO genflow_administration;

CREATE FUNCTION genflow.admin_breaker_reset(p_provider text, p_model text DEFAULT NULL::text, p_call uuid DEFAULT NULL::uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    n       integer;
    v_first jsonb := genflow.call_begin(p_call);
BEGIN
    IF v_first IS NOT NULL THEN
        RETURN v_first->>'count';
    END IF;
    DELETE FROM genflow.breakers b WHERE b.provider = p_provider
        AND (p_model IS NULL OR b.model = p_model);
    GET DIAGNOSTICS n = ROW_COUNT;
    PERFORM genflow.call_keep(p_call, jsonb_build_object('count', n));
    RETURN n;
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_breaker_reset(text,text,uuid) TO genflow_administration;

CREATE FUNCTION genflow.admin_cancel(p_id uuid, p_call uuid DEFAULT NULL::uuid, OUT outcome text, OUT status text, OUT released bigint, OUT user_id text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    b genflow.job_brief := genflow.job_brief(p_id);
BEGIN
    outcome := 'not_found';
    IF b.status IS NOT NULL THEN
        outcome := genflow.admin_settle(genflow.id_type(p_id), p_id, p_call);
        outcome := CASE outcome WHEN 'done' THEN 'cancelled' WHEN 'unknown' THEN 'not_found'
            ELSE 'ended' END;
        status := (genflow.job_brief(p_id)).status;
        released := CASE outcome WHEN 'cancelled' THEN b.cost ELSE 0 END;
        user_id := b.user_id;
        IF outcome = 'ended' THEN
            DELETE FROM genflow.attempts a WHERE a.job_id = p_id;
            DELETE FROM genflow.hooks h WHERE h.job_id = p_id;
            DELETE FROM genflow.late_results r WHERE r.job_id = p_id;
        END IF;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_cancel(uuid,uuid) TO genflow_administration;

CREATE FUNCTION genflow.admin_check() RETURNS json
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    RETURN (SELECT coalesce(json_agg(json_build_object('rule', c.rule, 'count', c.n, 'sample',
                                                       c.sample)), '[]')
              FROM genflow.check() c);
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_check() TO genflow_administration;

CREATE FUNCTION genflow.admin_clear(p_after uuid, p_limit integer, p_type text DEFAULT NULL::text, p_status text DEFAULT NULL::text, p_user text DEFAULT NULL::text, p_call uuid DEFAULT NULL::uuid, OUT seen integer, OUT cancelled integer, OUT released bigint, OUT last uuid, OUT ended jsonb) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    j       record;
    v_first jsonb;
BEGIN
    v_first := genflow.call_begin(p_call);
    IF v_first IS NOT NULL THEN
        SELECT a.* INTO seen, cancelled, released, last, ended
          FROM jsonb_to_record(v_first) AS a(seen integer, cancelled integer, released bigint,
                                             last uuid, ended jsonb);
        RETURN;
    END IF;
    seen := 0; cancelled := 0; released := 0; ended := '[]';
    FOR j IN
        SELECT s.*, y.name FROM (
            SELECT w.job_id, w.user_id, w.type_no, w.cost FROM genflow.work w
             WHERE w.job_id > p_after
               AND (p_user IS NULL OR w.user_id = p_user)
               AND (p_status IS NULL OR (genflow.job_brief(w.job_id)).status = p_status)
               AND w.type_no = ANY (ARRAY(SELECT t.no FROM genflow.types t
                                           WHERE (p_type IS NULL OR t.name = p_type)
                                             AND to_regclass(format('%I.%I', t.media_schema,
                                                 t.media_table)) IS NOT NULL))
             ORDER BY w.job_id LIMIT p_limit FOR UPDATE) s
          JOIN genflow.types y ON y.no = s.type_no
         ORDER BY s.user_id, s.job_id
    LOOP
        seen := seen + 1;
        last := greatest(last, j.job_id);
        IF genflow.admin_settle(j.type_no, j.job_id, p_call) = 'done' THEN
            cancelled := cancelled + 1;
            released := released + j.cost;
            ended := ended || jsonb_build_object('id', j.job_id, 'type', j.name, 'user', j.user_id,
                                                 'released', j.cost);
        END IF;
    END LOOP;
    PERFORM genflow.call_keep(p_call, jsonb_build_object('seen', seen, 'cancelled', cancelled,
                                                         'released', released, 'last', last,
                                                         'ended', ended));
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_clear(uuid,integer,text,text,text,uuid) TO genflow_administration;

CREATE FUNCTION genflow.admin_credit(p_user text, p_amount bigint, p_reason text, p_reference text, p_call uuid DEFAULT NULL::uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, reason, external_ref, call)
    VALUES (genflow.new_id(0), CASE WHEN p_amount > 0 THEN 'grant' ELSE 'adjust' END, p_user,
            p_amount, p_reason, p_reference, p_call)
    ON CONFLICT (external_ref) WHERE external_ref IS NOT NULL DO NOTHING;
    IF FOUND THEN
        RETURN 'ok';
    END IF;
    RETURN (SELECT CASE WHEN l.call = p_call THEN 'ok'
                        WHEN l.user_id = p_user AND l.amount = p_amount
                            AND l.kind IN ('grant', 'adjust')
                        THEN 'duplicate' ELSE 'mismatch' END
              FROM genflow.ledger l WHERE l.external_ref = p_reference);
EXCEPTION WHEN check_violation OR SQLSTATE 'GF403' THEN
    RETURN 'insufficient_credits';
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_credit(text,bigint,text,text,uuid) TO genflow_administration;

CREATE FUNCTION genflow.admin_first_id(p_at timestamp with time zone) RETURNS uuid
    LANGUAGE sql IMMUTABLE AS
$$
    SELECT rpad(lpad(to_hex((extract(epoch FROM p_at) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

CREATE FUNCTION genflow.admin_jobs(p_types text[], p_status text, p_user text, p_before uuid, p_limit integer) RETURNS TABLE(type text, user_id text, id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_at  timestamptz := genflow.made_at(p_before);
    v_sql text := (genflow.list_query(p_types, p_status, p_user, NULL, v_at)).query;
BEGIN
    IF v_sql IS NOT NULL THEN
        RETURN QUERY EXECUTE format('SELECT t.name, j.user_id, j.id FROM (SELECT * FROM (%s) u '
                                    'ORDER BY u.created_at DESC, u.id DESC '
                                    'LIMIT $6) j JOIN genflow.types t USING (no) ORDER BY '
                                    'j.created_at DESC, j.id DESC', v_sql)
               USING p_user, p_status, NULL::text, v_at, p_before, p_limit;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_jobs(text[],text,text,uuid,integer) TO genflow_administration;

CREATE FUNCTION genflow.admin_preset(p genflow.presets_config) RETURNS json
    LANGUAGE plpgsql STABLE SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    RETURN json_build_object(
        'id', p.id, 'type', p.type, 'key', p.key, 'label', p.label, 'description', p.description,
            'category', p.category,
        'prompt', p.prompt, 'negativePrompt', p.negative_prompt, 'strength', p.strength,
            'parameters', p.parameters,
        'rotationIndex', p.rotation_index, 'week', p.preset_week, 'isActive', p.is_active,
        'createdAt', genflow.iso(p.created_at), 'updatedAt', genflow.iso(p.updated_at));
END $$;

CREATE FUNCTION genflow.admin_preset_add(p_type text, p_key text, p_preset jsonb, p_call uuid DEFAULT NULL::uuid, OUT outcome text, OUT preset json) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    r       genflow.presets_config;
    v_first jsonb;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('genflow presets ' || p_type, 0));
    IF EXISTS (SELECT FROM genflow.presets_config p WHERE p.type = p_type AND p.key = p_key) THEN
        v_first := genflow.call_answer(p_call);
        outcome := CASE WHEN v_first IS NULL THEN 'exists' ELSE 'ok' END;
        preset := v_first;
        RETURN;
    ELSIF (SELECT count(*) FROM genflow.presets_config p WHERE p.type = p_type) >= 200 THEN
        outcome := 'full';
        RETURN;
    END IF;
    INSERT INTO genflow.presets_config (type, key, label, description, category, prompt,
                                        negative_prompt, strength, parameters,
                                        rotation_index, preset_week, is_active)
    VALUES (p_type, p_key, p_preset->>'label', coalesce(p_preset->>'description', ''),
            p_preset->>'category', p_preset->>'prompt',
            p_preset->>'negativePrompt', (p_preset->>'strength')::numeric,
            coalesce(nullif(p_preset->'parameters', 'null'), '{}'),
            (p_preset->>'rotationIndex')::integer, (p_preset->>'week')::integer,
                coalesce((p_preset->>'isActive')::boolean, true))
    RETURNING * INTO r;
    outcome := 'ok';
    preset := genflow.admin_preset(r);
    PERFORM genflow.call_keep(p_call, preset::jsonb);
EXCEPTION WHEN check_violation THEN
    outcome := 'parameters';
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_preset_add(text,text,jsonb,uuid) TO genflow_administration;

CREATE FUNCTION genflow.admin_preset_delete(p_type text, p_key text, p_call uuid DEFAULT NULL::uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    DELETE FROM genflow.presets_config p WHERE p.type = p_type AND p.key = p_key;
    IF FOUND THEN
        PERFORM genflow.call_keep(p_call, '{}');
        RETURN 'ok';
    END IF;
    RETURN CASE WHEN genflow.call_answer(p_call) IS NULL THEN 'not_found' ELSE 'ok' END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_preset_delete(text,text,uuid) TO genflow_administration;

CREATE FUNCTION genflow.admin_preset_edit(p_type text, p_key text, p_changes jsonb, p_call uuid DEFAULT NULL::uuid, OUT outcome text, OUT preset json) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    r       genflow.presets_config;
    v_first jsonb := genflow.call_begin(p_call);
BEGIN
    IF v_first IS NOT NULL THEN
        outcome := CASE WHEN v_first = '{}' THEN 'not_found' ELSE 'ok' END;
        preset := nullif(v_first, '{}');
        RETURN;
    END IF;
    UPDATE genflow.presets_config p SET
        label           = coalesce(p_changes->>'label', p.label),
        description     = coalesce(p_changes->>'description', p.description),
        category        = coalesce(p_changes->>'category', p.category),
        prompt          = coalesce(p_changes->>'prompt', p.prompt),
        negative_prompt = CASE WHEN p_changes ? 'negativePrompt' THEN p_changes->>'negativePrompt'
            ELSE p.negative_prompt END,
        strength        = CASE WHEN p_changes ? 'strength' THEN (p_changes->>'strength')::numeric
            ELSE p.strength END,
        parameters      = coalesce(nullif(p_changes->'parameters', 'null'), p.parameters),
        rotation_index  = CASE WHEN p_changes ? 'rotationIndex'
            THEN (p_changes->>'rotationIndex')::integer
                               ELSE p.rotation_index END,
        preset_week     = CASE WHEN p_changes ? 'week' THEN (p_changes->>'week')::integer
            ELSE p.preset_week END,
        is_active       = coalesce((p_changes->>'isActive')::boolean, p.is_active)
     WHERE p.type = p_type AND p.key = p_key RETURNING * INTO r;
    outcome := CASE WHEN FOUND THEN 'ok' ELSE 'not_found' END;
    IF outcome = 'ok' THEN
        preset := genflow.admin_preset(r);
        PERFORM genflow.call_keep(p_call, preset::jsonb);
    END IF;
EXCEPTION WHEN check_violation THEN
    outcome := 'parameters';
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_preset_edit(text,text,jsonb,uuid) TO genflow_administration;

CREATE FUNCTION genflow.admin_presets(p_type text, p_key text DEFAULT NULL::text) RETURNS SETOF json
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    RETURN QUERY SELECT genflow.admin_preset(p) FROM genflow.presets_config p
     WHERE (p_type IS NULL OR p.type = p_type) AND (p_key IS NULL OR p.key = p_key)
     ORDER BY p.type, p.rotation_index, p.id;
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_presets(text,text) TO genflow_administration;

CREATE FUNCTION genflow.admin_refund(p_id uuid, p_amount bigint, p_reason text, p_reference text, p_call uuid DEFAULT NULL::uuid, OUT outcome text, OUT user_id text, OUT amount bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    r genflow.ledger;
BEGIN
    SELECT c.user_id, c.amount INTO user_id, amount FROM genflow.ledger c WHERE c.ref = p_id
        AND c.kind = 'capture';
    IF NOT FOUND THEN
        outcome := 'not_charged';
        RETURN;
    ELSIF p_amount > amount THEN
        outcome := 'too_much';
        RETURN;
    END IF;
    amount := coalesce(p_amount, amount);
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, reason, external_ref, call)
    VALUES (p_id, 'refund', user_id, amount, p_reason, p_reference, p_call)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        outcome := 'ok';
        RETURN;
    END IF;
    SELECT * INTO r FROM genflow.ledger l WHERE l.external_ref = p_reference;
    outcome := CASE WHEN NOT FOUND THEN 'refunded'
                    WHEN r.call = p_call THEN 'ok'
                    WHEN r.ref = p_id AND r.kind = 'refund' AND r.amount = admin_refund.amount
                        THEN 'duplicate'
                    ELSE 'mismatch' END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_refund(uuid,bigint,text,text,uuid) TO genflow_administration;

CREATE FUNCTION genflow.admin_settle(p_type integer, p_id uuid, p_call uuid) RETURNS text
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_outcome text;
BEGIN
    EXECUTE format('SELECT genflow.%I($1, NULL, ''cancelled'', NULL, NULL, NULL, NULL, NULL, NULL, '
                   'NULL, NULL, NULL, NULL, p_call => $2)',
                   (SELECT t.prefix FROM genflow.types t WHERE t.no = p_type) || '_settle')
       INTO v_outcome USING p_id, p_call;
    RETURN v_outcome;
END $$;

CREATE FUNCTION genflow.admin_stats() RETURNS json
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_day   timestamptz := now() - interval '1 day';
    v_week  timestamptz := now() - interval '7 days';
    v_media text;
    v_json  json;
BEGIN
    SELECT coalesce(string_agg(format(
               'SELECT %L, m.created_at >= $3, m.status, m.provider, m.model, count(*), '
               'sum(m.finished_at - m.started_at), sum(m.cost) '
               'FROM %I.%I m '
               'WHERE m.created_at AT TIME ZONE ''UTC'' >= $4 AT TIME ZONE ''UTC'' '
               'GROUP BY 2, 3, 4, 5', t.name, t.media_schema, t.media_table), ' UNION ALL '),
           'SELECT NULL::text, true, NULL::text, NULL::text, NULL::text, 0::bigint, '
           'NULL::interval, 0::numeric WHERE false')
      INTO v_media FROM genflow.types t
          WHERE to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NOT NULL;
    EXECUTE format($q$
    WITH media (type, today, status, provider, model, n, took, cost) AS MATERIALIZED (%s),
    tries AS MATERIALIZED (
        SELECT a.provider, a.model, a.job_id >= $2 AS today, coalesce(a.outcome, 'open') AS outcome,
               count(*) AS n,
               sum(a.ended_at - a.sent_at) AS took
          FROM genflow.attempts a WHERE a.job_id >= $1 GROUP BY 1, 2, 3, 4),
    windows (name, since, only_today) AS (VALUES ('day', $3, true), ('week', $4, false)),
    types AS (
        SELECT w.name, m.type, json_build_object(
               'type', m.type, 'generations', sum(m.n),
               'pending', coalesce(sum(m.n) FILTER (WHERE m.status = 'pending'), 0),
               'processing', coalesce(sum(m.n) FILTER (WHERE m.status = 'processing'), 0),
               'completed', coalesce(sum(m.n) FILTER (WHERE m.status = 'completed'), 0),
               'failed', coalesce(sum(m.n) FILTER (WHERE m.status = 'failed'), 0),
               'cancelled', coalesce(sum(m.n) FILTER (WHERE m.status = 'cancelled'), 0),
               'successRate', round(coalesce(sum(m.n) FILTER (WHERE m.status = 'completed'), 0)
                                    / sum(m.n) FILTER (WHERE m.status IN ('completed', 'failed')),
                                        4),
               'meanTime', round(1000 * extract(
                                 epoch FROM sum(m.took) FILTER (WHERE m.status = 'completed'))
                                 / sum(m.n) FILTER (WHERE m.status = 'completed')),
               'charged', coalesce(sum(m.cost) FILTER (WHERE m.status = 'completed'), 0)) AS row
          FROM windows w JOIN media m ON m.today OR NOT w.only_today GROUP BY w.name, m.type),
    outcomes AS (
        SELECT w.name, t.provider, t.model, t.outcome, sum(t.n) AS n, sum(t.took) AS took
          FROM windows w JOIN tries t ON t.today OR NOT w.only_today GROUP BY 1, 2, 3, 4),
    sent AS (
        SELECT o.name, o.provider, o.model, sum(o.n) AS n, json_object_agg(o.outcome, o.n
            ORDER BY o.outcome) AS outcomes,
               round(1000 * extract(epoch FROM sum(o.took))
                     / sum(o.n) FILTER (WHERE o.took IS NOT NULL)) AS mean
          FROM outcomes o GROUP BY 1, 2, 3),
    made AS (
        SELECT w.name, m.provider, m.model, sum(m.n) AS n, sum(m.cost) AS charged
          FROM windows w JOIN media m ON m.status = 'completed'
              AND (m.today OR NOT w.only_today) GROUP BY 1, 2, 3),
    providers AS (
        SELECT name, provider, model, json_build_object(
               'provider', provider, 'model', model, 'attempts', coalesce(s.n, 0), 'outcomes',
                   coalesce(s.outcomes, '{}'),
               'meanTime', s.mean, 'completed', coalesce(m.n, 0), 'charged',
                   coalesce(m.charged, 0)) AS row
          FROM sent s FULL JOIN made m USING (name, provider, model))
    SELECT json_build_object(
        'day', (SELECT json_build_object('since', genflow.iso(w.since), 'types', %2$s, 'providers',
                                         %3$s)
                  FROM windows w WHERE w.name = 'day'),
        'week', (SELECT json_build_object('since', genflow.iso(w.since), 'types', %2$s, 'providers',
                                          %3$s)
                   FROM windows w WHERE w.name = 'week'),
        'live', (SELECT json_build_object('queued', count(*) FILTER (WHERE w.phase = 'queued'),
                                          'sending', count(*) FILTER (WHERE w.phase = 'sending'),
                                          'working', count(*) FILTER (WHERE w.phase = 'working'))
                                              FROM genflow.work w))
    $q$, v_media,
        $q$coalesce((SELECT json_agg(t.row ORDER BY t.type) FROM types t WHERE t.name = w.name),
                    '[]')$q$,
        $q$coalesce((SELECT json_agg(p.row ORDER BY p.provider, p.model) FROM providers p
                     WHERE p.name = w.name), '[]')$q$)
    INTO v_json USING genflow.admin_first_id(v_week), genflow.admin_first_id(v_day), v_day, v_week;
    RETURN v_json;
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_stats() TO genflow_administration;

CREATE FUNCTION genflow.admin_user_set(p_user text, p_changes jsonb, p_call uuid DEFAULT NULL::uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    IF genflow.call_begin(p_call) IS NOT NULL THEN
        RETURN CASE WHEN EXISTS (SELECT FROM genflow.accounts a WHERE a.user_id = p_user) THEN 'ok'
            ELSE 'not_found' END;
    END IF;
    UPDATE genflow.accounts a SET
        blocked    = coalesce((p_changes->>'blocked')::boolean, a.blocked),
        own_limits = a.own_limits OR p_changes ?| ARRAY['dayLimit', 'weekLimit'],
        day_limit  = CASE WHEN p_changes ? 'dayLimit' THEN (p_changes->>'dayLimit')::bigint
            ELSE a.day_limit END,
        week_limit = CASE WHEN p_changes ? 'weekLimit' THEN (p_changes->>'weekLimit')::bigint
            ELSE a.week_limit END
     WHERE a.user_id = p_user;
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'not_found' END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_user_set(text,jsonb,uuid) TO genflow_administration;

CREATE FUNCTION genflow.admin_users(p_user text, p_after text, p_limit integer, p_day text DEFAULT 'UTC'::text) RETURNS TABLE(user_id text, account json)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    RETURN QUERY EXECUTE format($q$
        SELECT a.user_id, json_build_object(
               'userId', a.user_id, 'balance', a.balance, 'held', a.held, 'remaining', q.remaining,
               'dayUsed', q.day_used, 'dayLimit', a.day_limit, 'weekUsed', q.week_used, 'weekLimit',
                   a.week_limit,
               'blocked', a.blocked, 'generations', a.generations, 'createdAt',
                   genflow.iso(a.created_at))
          FROM (SELECT * FROM genflow.accounts t WHERE %s ORDER BY t.user_id LIMIT $3) a,
              genflow.quota(a.user_id, $4) q
         ORDER BY a.user_id$q$,
        CASE WHEN p_user IS NOT NULL THEN 't.user_id = $1' WHEN p_after IS NOT NULL
            THEN 't.user_id > $2' ELSE 'true' END)
    USING p_user, p_after, p_limit, p_day;
END $$;
GRANT EXECUTE ON FUNCTION genflow.admin_users(text,text,integer,text) TO genflow_administration;

CREATE FUNCTION genflow.afford(p_user text, p_cost bigint, p_day text, p_run_id text, p_take boolean, OUT outcome text, OUT balance bigint, OUT held bigint, OUT day date, OUT reservation uuid) RETURNS record
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_now       timestamptz := clock_timestamp();
    v_day_used  bigint;
    v_week_used bigint;
    a           genflow.accounts;
    r           record;
BEGIN
    day := (v_now AT TIME ZONE genflow.day_zone(p_day))::date;
    SELECT t.* INTO a FROM genflow.accounts t WHERE t.user_id = p_user;
    IF a.day = day + 1 THEN
        day := a.day;                                       -- the clock stepped back over midnight
    END IF;
    balance := coalesce(a.balance, 0);
    held := coalesce(a.held, 0);
    v_day_used := CASE WHEN a.day = day THEN a.day_used ELSE 0 END;
    v_week_used := CASE WHEN a.week = genflow.week_of(day) THEN a.week_used ELSE 0 END;
    IF p_day = 'rolling' AND a.day_limit IS NOT NULL THEN
        SELECT u.used INTO v_day_used FROM genflow.rolling_use(p_user, v_now) u;
    END IF;

    IF p_run_id IS NOT NULL THEN
        SELECT t.id INTO reservation FROM genflow.reservations t
         WHERE t.user_id = p_user AND t.request_id = p_run_id AND t.state = 'open'
           AND t.expires_at > v_now;
    END IF;
    IF reservation IS NULL AND p_take THEN
        reservation := genflow.reservation_oldest(p_user);
    END IF;
    IF reservation IS NOT NULL THEN
        SELECT h.amount, h.window_day INTO r FROM genflow.ledger h
         WHERE h.ref = reservation AND h.kind = 'hold';
        IF FOUND THEN
            held := held - r.amount;
            v_day_used := v_day_used - CASE WHEN r.window_day = day OR p_day = 'rolling'
                THEN r.amount ELSE 0 END;
            v_week_used := v_week_used - CASE
                WHEN genflow.week_of(r.window_day) = genflow.week_of(day) THEN r.amount ELSE 0 END;
        END IF;
    END IF;
    outcome := CASE WHEN a.blocked THEN 'blocked'
                    WHEN a.user_id IS NOT NULL AND p_cost = 0 THEN 'ok' -- whatever was used
                    WHEN a.user_id IS NULL OR balance - held < p_cost THEN 'insufficient_credits'
                    WHEN v_day_used + p_cost > a.day_limit OR v_week_used + p_cost > a.week_limit
                        THEN 'quota_exceeded'
                    ELSE 'ok' END;
END $$;

CREATE FUNCTION genflow.allowance(p_user text, p_initial bigint, p_daily bigint, p_cap bigint, p_day_limit bigint, p_week_limit bigint, p_day text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_today date := (clock_timestamp() AT TIME ZONE genflow.day_zone(p_day))::date;
    v_day   bigint := nullif(p_day_limit, -1);
    v_week  bigint := nullif(p_week_limit, -1);
    a       genflow.accounts;
BEGIN
    SELECT * INTO a FROM genflow.accounts t WHERE t.user_id = p_user;
    IF NOT FOUND THEN
        INSERT INTO genflow.accounts (user_id, day_limit, week_limit) VALUES (p_user, v_day, v_week)
            ON CONFLICT (user_id) DO NOTHING;
        IF FOUND AND p_initial > 0 THEN
            PERFORM genflow.grant_credits(p_user, p_initial, 'first credits',
                                          'genflow:first:' || p_user);
        END IF;
        SELECT * INTO a FROM genflow.accounts t WHERE t.user_id = p_user;
    END IF;
    IF NOT a.own_limits
       AND ((p_day_limit IS NOT NULL AND a.day_limit IS DISTINCT FROM v_day)
            OR (p_week_limit IS NOT NULL AND a.week_limit IS DISTINCT FROM v_week)) THEN
        UPDATE genflow.accounts t SET
            day_limit = CASE WHEN p_day_limit IS NULL THEN t.day_limit ELSE v_day END,
            week_limit = CASE WHEN p_week_limit IS NULL THEN t.week_limit ELSE v_week END
         WHERE t.user_id = p_user AND NOT t.own_limits;
    END IF;
    -- a clock that steps back over midnight gives nothing twice
    IF p_daily > 0 AND NOT a.blocked AND a.allowance_day IS DISTINCT FROM v_today
       AND coalesce(a.allowance_day, 'epoch') < v_today THEN
        UPDATE genflow.accounts t SET allowance_day = v_today
         WHERE t.user_id = p_user AND coalesce(t.allowance_day, 'epoch') < v_today
        RETURNING t.* INTO a;
        IF FOUND AND a.balance < p_cap THEN
            PERFORM genflow.grant_credits(p_user, least(p_daily, p_cap - a.balance),
                                          'credits of the day',
                                          format('genflow:daily:%s:%s', v_today, p_user));
        END IF;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION genflow.allowance(text,bigint,bigint,bigint,bigint,bigint,text) TO genflow_module;

CREATE FUNCTION genflow.api_key_afford(p_key text, p_cost bigint, p_day date, p_reservation uuid) RETURNS text
    LANGUAGE sql STABLE SET search_path=pg_catalog, pg_temp AS
$$
    SELECT CASE WHEN p_cost > 0 AND EXISTS (
        SELECT FROM genflow.api_keys k
         WHERE k.id = p_key AND k.budget < p_cost + genflow.api_key_spent(k, p_day) - coalesce(
               (SELECT h.amount FROM genflow.ledger h
                 WHERE h.ref = p_reservation AND h.kind = 'hold' AND h.api_key = p_key
                   AND (k.budget_per = 'total' OR h.window_day = k.budget_day)), 0))
        THEN 'key_spent' ELSE 'ok' END
$$;

CREATE FUNCTION genflow.api_key_get(p_id text) RETURNS TABLE(hash text, user_id text, scopes text, types text, revoked boolean, left_ms bigint, has_budget boolean, use_due boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT encode(k.hash, 'hex'), k.user_id, array_to_string(k.scopes, ' '),
           array_to_string(k.types, ' '), k.revoked_at IS NOT NULL,
           (extract(epoch FROM k.expires_at - statement_timestamp()) * 1000)::bigint,
           k.budget IS NOT NULL,
           k.used_at IS NULL OR k.used_at <= statement_timestamp() - interval '1 minute'
      FROM genflow.api_keys k WHERE k.id = p_id
$$;
GRANT EXECUTE ON FUNCTION genflow.api_key_get(text) TO genflow_module;

CREATE FUNCTION genflow.api_key_hold(p_key text, p_amount bigint, p_day date) RETURNS void
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    UPDATE genflow.api_keys k
       SET budget_used = genflow.api_key_spent(k, p_day) + p_amount,
           budget_day = CASE WHEN k.budget_day = p_day + 1 THEN k.budget_day ELSE p_day END
     WHERE k.id = p_key AND genflow.api_key_spent(k, p_day) + p_amount <= k.budget;
    IF NOT FOUND AND EXISTS (SELECT FROM genflow.api_keys k WHERE k.id = p_key
                                AND k.budget IS NOT NULL) THEN
        RAISE EXCEPTION 'genflow: budget of the key spent' USING ERRCODE = 'GF402';
    END IF;
END $$;

CREATE FUNCTION genflow.api_key_put(p_user text, p_id text, p_hash bytea, p_name text, p_scopes text[], p_types text[], p_expires timestamp with time zone, p_budget bigint, p_per text, p_by text, p_max integer, OUT outcome text, OUT created_at text, OUT expires_at text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    IF 'admin' = ANY (p_scopes) THEN
        outcome := 'admin';
        RETURN;
    END IF;
    SELECT k.* INTO outcome, created_at, expires_at
      FROM genflow.admin_api_key_put(p_user, p_id, p_hash, p_name, p_scopes, p_types, p_expires,
                                     p_budget, p_per, p_by, p_max) k;
END $$;
GRANT EXECUTE ON FUNCTION genflow.api_key_put(text,text,bytea,text,text[],text[],timestamp with time zone,bigint,text,text,integer) TO genflow_module;

CREATE FUNCTION genflow.api_key_return(p_ref uuid, p_released bigint) RETURNS void
    LANGUAGE sql SET search_path=pg_catalog, pg_temp AS
$$
    UPDATE genflow.api_keys k SET budget_used = greatest(k.budget_used - p_released, 0)
      FROM genflow.ledger h
     WHERE h.ref = p_ref AND h.kind = 'hold' AND k.id = h.api_key AND k.budget IS NOT NULL
       AND (k.budget_per = 'total' OR h.window_day = k.budget_day)
$$;

CREATE FUNCTION genflow.api_key_revoke(p_user text, p_id text) RETURNS text
    LANGUAGE sql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT CASE WHEN p_user IS NULL THEN 'not_found'
                ELSE genflow.admin_api_key_revoke(p_user, p_id) END
$$;
GRANT EXECUTE ON FUNCTION genflow.api_key_revoke(text,text) TO genflow_module;

CREATE FUNCTION genflow.api_key_spent(k genflow.api_keys, p_day date) RETURNS bigint
    LANGUAGE sql STABLE AS
$$
    SELECT CASE WHEN k.budget_per = 'total' OR k.budget_day BETWEEN p_day AND p_day + 1
                THEN k.budget_used ELSE 0 END
$$;

CREATE FUNCTION genflow.api_key_used(p_id text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    UPDATE genflow.api_keys k SET used_at = date_trunc('minute', clock_timestamp())
     WHERE k.id IN (SELECT o.id FROM genflow.api_keys o WHERE o.id = p_id
                       AND (o.used_at IS NULL
                            OR o.used_at <= clock_timestamp() - interval '1 minute')
                       FOR UPDATE SKIP LOCKED)
$$;
GRANT EXECUTE ON FUNCTION genflow.api_key_used(text) TO genflow_module;

CREATE FUNCTION genflow.api_keys(p_user text, p_before text, p_limit integer, p_day text DEFAULT 'UTC'::text) RETURNS TABLE(id text, user_id text, name text, scopes text, types text, budget bigint, per text, spent bigint, created_by text, created_at text, expires_at text, revoked_at text, used_at text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT k.* FROM genflow.admin_api_keys(p_user, p_before, p_limit, p_day) k
     WHERE p_user IS NOT NULL
$$;
GRANT EXECUTE ON FUNCTION genflow.api_keys(text,text,integer,text) TO genflow_module;

CREATE FUNCTION genflow.asset_bytes(p_id uuid) RETURNS TABLE(type text, bytes bytea)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT a.type, a.bytes FROM genflow.assets a WHERE a.id = p_id
$$;
GRANT EXECUTE ON FUNCTION genflow.asset_bytes(uuid) TO genflow_module;

CREATE FUNCTION genflow.asset_delete(p_user text, p_id uuid, p_call uuid DEFAULT NULL::uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_user text;
BEGIN
    SELECT a.user_id INTO v_user FROM genflow.assets a WHERE a.id = p_id FOR UPDATE;
    IF v_user = p_user THEN
        DELETE FROM genflow.assets a WHERE a.id = p_id;
        PERFORM genflow.call_keep(p_call, '{}');
        RETURN 'ok';
    END IF;
    RETURN CASE WHEN v_user IS NOT NULL THEN 'not_yours' WHEN genflow.call_answer(p_call) IS NULL
        THEN 'not_found' ELSE 'ok' END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.asset_delete(text,uuid,uuid) TO genflow_module;

CREATE FUNCTION genflow.asset_get(p_user text, p_id uuid, OUT outcome text, OUT id uuid, OUT type text, OUT width integer, OUT height integer, OUT size integer, OUT sha256 text, OUT expires_at text) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_user text;
BEGIN
    SELECT a.user_id, a.id, a.type, a.width, a.height, a.size, encode(a.sha256, 'hex'),
           genflow.iso(a.expires_at)
      INTO v_user, id, type, width, height, size, sha256, expires_at
      FROM genflow.assets a
     WHERE a.id = coalesce((genflow.call_answer(p_id) ->> 'asset')::uuid, p_id)
       AND a.expires_at > clock_timestamp();
    IF v_user = p_user THEN
        outcome := 'ok';
        RETURN;
    END IF;
    outcome := CASE WHEN v_user IS NULL THEN 'not_found' ELSE 'not_yours' END;
    id := NULL; type := NULL; width := NULL; height := NULL; size := NULL; sha256 := NULL;
    expires_at := NULL;
END $$;
GRANT EXECUTE ON FUNCTION genflow.asset_get(text,uuid) TO genflow_module;

CREATE FUNCTION genflow.asset_put(p_user text, p_type text, p_width integer, p_height integer, p_base64 text, p_lifetime interval, p_quota bigint, OUT outcome text, OUT id uuid, OUT expires_at text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_bytes bytea := decode(p_base64, 'base64');
    v_now   timestamptz := clock_timestamp();
    v_ends  timestamptz := v_now + p_lifetime;
BEGIN
    outcome := 'ok';
    PERFORM pg_advisory_xact_lock(hashtextextended('genflow assets of ' || p_user, 0));
    UPDATE genflow.assets a SET expires_at = greatest(a.expires_at, v_ends)
     WHERE a.user_id = p_user AND a.sha256 = sha256(v_bytes) AND a.expires_at > v_now
    RETURNING a.id, genflow.iso(a.expires_at) INTO id, expires_at;
    IF FOUND THEN
        RETURN;
    END IF;

    IF (SELECT coalesce(sum(greatest(a.size, 65536)), 0) FROM genflow.assets a
         WHERE a.user_id = p_user AND a.expires_at > v_now) + greatest(octet_length(v_bytes),
             65536) > p_quota THEN
        outcome := 'too_many';
        RETURN;
    END IF;
    INSERT INTO genflow.assets AS a (id, user_id, type, width, height, bytes, created_at,
                                     expires_at)
    VALUES (genflow.new_id(0), p_user, p_type, p_width, p_height, v_bytes, v_now, v_ends)
    ON CONFLICT ON CONSTRAINT assets_once DO UPDATE SET expires_at = EXCLUDED.expires_at
    RETURNING a.id, genflow.iso(a.expires_at) INTO id, expires_at;
    -- Last, because it skips locked rows: so no circle of waiting transactions can arise.
    PERFORM genflow.asset_sweep(20);
END $$;
GRANT EXECUTE ON FUNCTION genflow.asset_put(text,text,integer,integer,text,interval,bigint) TO genflow_module;

CREATE FUNCTION genflow.asset_sweep(p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_count integer;
BEGIN
    WITH old AS MATERIALIZED (                      -- see janitor()
        SELECT o.id FROM genflow.assets o WHERE o.expires_at < clock_timestamp() - interval '1 day'
         ORDER BY o.expires_at LIMIT p_limit FOR UPDATE SKIP LOCKED)
    DELETE FROM genflow.assets a USING old WHERE a.id = old.id;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;

CREATE FUNCTION genflow.asset_upload(p_upload uuid, p_user text, p_type text, p_width integer, p_height integer, p_base64 text, p_lifetime interval, p_quota bigint, p_call uuid DEFAULT NULL::uuid, OUT outcome text, OUT id uuid, OUT expires_at text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_before jsonb;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('genflow assets of ' || p_user, 0));
    v_before := genflow.call_answer(p_upload);
    IF v_before IS NOT NULL THEN
        outcome := 'used';
        IF v_before ->> 'call' = p_call::text THEN
            outcome := 'ok';
            id := v_before ->> 'asset';
            expires_at := v_before ->> 'expires_at';
        END IF;
        RETURN;
    END IF;
    SELECT p.outcome, p.id, p.expires_at INTO outcome, id, expires_at
      FROM genflow.asset_put(p_user, p_type, p_width, p_height, p_base64, p_lifetime, p_quota) p;
    IF outcome = 'ok' THEN
        INSERT INTO genflow.calls (call, answer, at)
        VALUES (p_upload, jsonb_build_object('asset', id, 'call', p_call, 'expires_at', expires_at),
                clock_timestamp() + greatest(p_lifetime - interval '1 hour', interval '0'));
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION genflow.asset_upload(uuid,text,text,integer,integer,text,interval,bigint,uuid) TO genflow_module;

CREATE FUNCTION genflow.attempt_at_once(p_provider text, p_model text, p_budget bigint, p_price bigint) RETURNS text
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    b genflow.breakers;
BEGIN
    SELECT * INTO b FROM genflow.breakers t WHERE t.provider = p_provider AND t.model = p_model;
    IF b.open_until IS NOT NULL
        OR (p_budget IS NOT NULL AND genflow.budget_is_spent(p_provider, p_budget, p_price)) THEN
        RETURN NULL;
    END IF;
    RETURN CASE WHEN b.provider IS NULL THEN 'ok' ELSE 'watched' END;
END $$;

CREATE FUNCTION genflow.attempt_begin(p_id uuid, p_epoch integer, p_no smallint, p_provider text, p_model text, p_seed bigint, p_hook_token text, p_lease interval, p_probe interval DEFAULT '00:00:30'::interval, p_budget bigint DEFAULT NULL::bigint, p_price bigint DEFAULT 1, p_hash jsonb DEFAULT NULL::jsonb) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_now timestamptz := clock_timestamp();
    v_day date := (v_now AT TIME ZONE 'UTC')::date;
    w     genflow.work;
    b     genflow.breakers;
BEGIN
    IF genflow.restored() IS NOT NULL THEN
        RETURN 'restored';
    END IF;
    SELECT * INTO w FROM genflow.work t WHERE t.job_id = p_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'gone';
    ELSIF w.epoch <> p_epoch THEN
        RETURN 'stale';
    END IF;
    SELECT * INTO b FROM genflow.breakers t WHERE t.provider = p_provider AND t.model = p_model;
    IF w.phase = 'sending' AND w.attempts = p_no THEN
        RETURN CASE WHEN b.provider IS NULL THEN 'ok' ELSE 'watched' END;
    END IF;
    IF p_no > 1 AND EXISTS (SELECT FROM genflow.attempts a WHERE a.job_id = p_id
                             AND a.provider = p_provider AND a.outcome = 'UNKNOWN') THEN
        RETURN 'unsure';
    END IF;
    IF p_budget IS NOT NULL AND genflow.budget_is_spent(p_provider, p_budget, p_price) THEN
        INSERT INTO genflow.budgets (provider, day, slot) VALUES (p_provider, v_day, -1) ON CONFLICT
            DO NOTHING;
        RETURN CASE WHEN FOUND THEN 'spent' ELSE 'over' END;
    END IF;
    IF b.open_until IS NOT NULL THEN
        UPDATE genflow.breakers t SET open_until = v_now + p_probe, updated_at = v_now
         WHERE t.provider = p_provider AND t.model = p_model AND t.open_until <= v_now;
        IF NOT FOUND THEN
            RETURN 'open';
        END IF;
    END IF;
    UPDATE genflow.work t SET phase = 'sending', attempts = p_no, provider = p_provider,
        model = p_model,
           due_at = CASE WHEN t.led THEN t.due_at
               ELSE least(v_now + p_lease, t.deadline_at) END,
           leased_until = v_now + p_lease
     WHERE t.job_id = p_id;
    INSERT INTO genflow.attempts (job_id, no, epoch, provider, model, seed, hook_token,
                                  request_hash)
    VALUES (p_id, p_no, p_epoch, p_provider, p_model, p_seed, p_hook_token, p_hash);
    IF p_budget IS NOT NULL THEN
        PERFORM genflow.budget_add(p_provider, p_price);
    END IF;
    RETURN CASE WHEN b.provider IS NULL THEN 'ok' ELSE 'watched' END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.attempt_begin(uuid,integer,smallint,text,text,bigint,text,interval,interval,bigint,bigint,jsonb) TO genflow_module;

CREATE FUNCTION genflow.breaker_note(p_provider text, p_model text, p_what text, p_reason text, p_failures integer, p_open interval, p_call uuid DEFAULT NULL::uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_now timestamptz := clock_timestamp();
    b     genflow.breakers;
BEGIN
    IF p_what = 'well' THEN
        DELETE FROM genflow.breakers t WHERE t.provider = p_provider AND t.model = p_model
            RETURNING * INTO b;
        IF b.open_until IS NOT NULL THEN
            PERFORM genflow.call_keep(p_call, '{}');
        END IF;
        RETURN CASE WHEN b.open_until IS NOT NULL OR genflow.call_answer(p_call) IS NOT NULL
            THEN 'closed' ELSE 'noted' END;
    END IF;
    INSERT INTO genflow.breakers AS t (provider, model, failures, reason, call)
        VALUES (p_provider, p_model, 1, p_reason, p_call)
        ON CONFLICT (provider, model) DO UPDATE
        SET failures = t.failures + 1, reason = EXCLUDED.reason, call = p_call, updated_at = v_now
        WHERE t.call IS DISTINCT FROM p_call OR p_call IS NULL
    RETURNING * INTO b;
    IF NOT FOUND THEN
        RETURN CASE WHEN genflow.call_answer(p_call) IS NULL THEN 'noted' ELSE 'opened' END;
    END IF;
    IF p_what = 'failure' AND (p_failures = 0 OR b.failures < p_failures) THEN
        RETURN 'noted';
    END IF;
    -- Every further failure starts the open time anew: an attempt that was in flight when the
    -- breaker opened reports the same as the probe.
    UPDATE genflow.breakers t SET open_until = v_now + p_open, refused = p_what = 'refused',
           opened_at = coalesce(t.opened_at, v_now)
     WHERE t.provider = p_provider AND t.model = p_model;
    IF b.open_until IS NULL THEN
        PERFORM genflow.call_keep(p_call, '{}');
        RETURN 'opened';
    END IF;
    RETURN 'noted';
END $$;
GRANT EXECUTE ON FUNCTION genflow.breaker_note(text,text,text,text,integer,interval,uuid) TO genflow_module;

CREATE FUNCTION genflow.breakers() RETURNS TABLE(provider text, model text, state text, failures integer, open_until text, opened_at text, reason text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    RETURN QUERY SELECT b.provider, b.model,
           CASE WHEN b.open_until IS NULL THEN 'closed' WHEN b.open_until > now() THEN 'open'
               ELSE 'half-open' END,
           b.failures, genflow.iso(b.open_until), genflow.iso(b.opened_at), b.reason
      FROM genflow.breakers b ORDER BY b.provider, b.model;
END $$;
GRANT EXECUTE ON FUNCTION genflow.breakers() TO genflow_administration;
GRANT EXECUTE ON FUNCTION genflow.breakers() TO genflow_module;

CREATE FUNCTION genflow.budget_add(p_provider text, p_price bigint) RETURNS void
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    INSERT INTO genflow.budgets AS t (provider, day, slot, spent)
        VALUES (p_provider, (clock_timestamp() AT TIME ZONE 'UTC')::date, pg_backend_pid() % 16,
                p_price)
        ON CONFLICT (provider, day, slot) DO UPDATE SET spent = t.spent + EXCLUDED.spent;
END $$;

CREATE FUNCTION genflow.budget_is_spent(p_provider text, p_budget bigint, p_price bigint) RETURNS boolean
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    RETURN p_budget < p_price + (SELECT coalesce(sum(t.spent), 0) FROM genflow.budgets t
                                  WHERE t.provider = p_provider
                                    AND t.day = (clock_timestamp() AT TIME ZONE 'UTC')::date);
END $$;

CREATE FUNCTION genflow.budgets() RETURNS TABLE(provider text, spent bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT t.provider, sum(t.spent)::bigint FROM genflow.budgets t
     WHERE t.day = (clock_timestamp() AT TIME ZONE 'UTC')::date
     GROUP BY t.provider ORDER BY t.provider
$$;
GRANT EXECUTE ON FUNCTION genflow.budgets() TO genflow_administration;
GRANT EXECUTE ON FUNCTION genflow.budgets() TO genflow_module;

CREATE FUNCTION genflow.call_answer(p_call uuid) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path=pg_catalog, pg_temp AS
$$
    SELECT c.answer FROM genflow.calls c WHERE c.call = p_call
$$;

CREATE FUNCTION genflow.call_begin(p_call uuid) RETURNS jsonb
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    IF p_call IS NOT NULL THEN
        INSERT INTO genflow.calls (call, answer) VALUES (p_call, '{}') ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RETURN genflow.call_answer(p_call);
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION genflow.call_keep(p_call uuid, p_answer jsonb) RETURNS void
    LANGUAGE sql SET search_path=pg_catalog, pg_temp AS
$$
    INSERT INTO genflow.calls (call, answer) SELECT p_call, p_answer WHERE p_call IS NOT NULL
        ON CONFLICT (call) DO UPDATE SET answer = EXCLUDED.answer
$$;

CREATE FUNCTION genflow."check"(p_grace interval DEFAULT '00:01:00'::interval) RETURNS TABLE(rule text, n bigint, sample text)
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_media  text;
    v_broken integer;
BEGIN
    -- all media rows as one set; a type whose table is gone breaks a rule of its own, and the
    -- others stay readable
    SELECT coalesce(string_agg(format('SELECT id, user_id, cost, status, legacy_id FROM %I.%I',
                                      media_schema, media_table), ' UNION ALL '),
                    'SELECT NULL::uuid, NULL::text, NULL::bigint, NULL::text, NULL::text '
                    'WHERE false')
      INTO v_media FROM genflow.types
          WHERE to_regclass(format('%I.%I', media_schema, media_table)) IS NOT NULL;
    RETURN QUERY EXECUTE format($q$
    WITH every (id, user_id, cost, status, legacy_id) AS (%s),
    media AS (SELECT * FROM every WHERE legacy_id IS NULL),
    gone (no) AS (SELECT t.no FROM genflow.types t
                  WHERE to_regclass(format('%%I.%%I', t.media_schema, t.media_table)) IS NULL),
    sums AS (
        SELECT l.user_id,
               sum(CASE WHEN l.kind IN ('grant', 'adjust', 'refund') THEN l.amount
                   WHEN l.kind = 'capture' THEN -l.amount ELSE 0 END) AS balance,
               sum(CASE WHEN l.kind = 'hold' THEN l.amount WHEN l.kind IN ('capture', 'release')
                   THEN -(l.amount + l.released) ELSE 0 END) AS held,
               count(*) FILTER (WHERE l.kind = 'hold'
                                AND genflow.id_type(l.ref) <> 0) AS generations
          FROM genflow.ledger l GROUP BY 1),
    broken (rule, sample) AS (
        SELECT 'every type has its table', t.name FROM genflow.types t JOIN gone g ON g.no = t.no
        UNION ALL SELECT 'balance = sum of the ledger', user_id FROM genflow.accounts a FULL
            JOIN sums s USING (user_id)
            WHERE a.balance IS DISTINCT FROM coalesce(s.balance, 0)
        UNION ALL SELECT 'held = open holds', user_id FROM genflow.accounts a FULL JOIN sums s
            USING (user_id)
            WHERE a.held IS DISTINCT FROM coalesce(s.held, 0)
        UNION ALL SELECT 'no fewer generations than holds of generations', user_id
            FROM genflow.accounts a JOIN sums s USING (user_id)
            WHERE a.generations < s.generations
        UNION ALL SELECT 'held = cost of live jobs and open reservations', a.user_id
            FROM genflow.accounts a
            LEFT JOIN (SELECT h.user_id, sum(h.cost) AS cost
                         FROM (SELECT w.user_id, w.cost FROM genflow.work w
                               UNION ALL SELECT r.user_id, r.amount FROM genflow.reservations r
                                   WHERE r.state = 'open') h
                        GROUP BY 1) l USING (user_id)
            WHERE a.held <> coalesce(l.cost, 0)
        UNION ALL SELECT 'no overdraft', a.user_id FROM genflow.accounts a WHERE a.balance < a.held
            OR a.held < 0
        UNION ALL SELECT 'a completed job has one capture of its cost', m.id::text
            FROM media m LEFT JOIN genflow.ledger c ON c.ref = m.id AND c.kind = 'capture'
            WHERE (m.status = 'completed') <> (c.ref IS NOT NULL) OR c.amount + c.released <> m.cost
        UNION ALL SELECT 'a failed or cancelled job has one release and costs nothing', m.id::text
            FROM media m LEFT JOIN genflow.ledger r ON r.ref = m.id AND r.kind = 'release'
            WHERE (m.status IN ('failed', 'cancelled')) <> (r.ref IS NOT NULL) OR r.amount <> 0
              OR r.released <> m.cost
        UNION ALL SELECT 'a job has its hold', m.id::text FROM media m LEFT
            JOIN genflow.ledger h ON h.ref = m.id AND h.kind = 'hold'
            WHERE h.ref IS NULL OR h.amount <> m.cost OR h.user_id <> m.user_id
        UNION ALL SELECT 'a moved generation has ended, and no entry in the ledger',
            m.id::text
            FROM every m WHERE m.legacy_id IS NOT NULL
              AND (m.cost <> 0 OR m.status IN ('pending', 'processing')
                   OR EXISTS (SELECT FROM genflow.ledger l WHERE l.ref = m.id))
        UNION ALL SELECT 'a hold, capture or release has a job or a deleted one', l.ref::text
            FROM genflow.ledger l LEFT JOIN media m ON m.id = l.ref
            WHERE l.kind = 'hold' AND m.id IS NULL AND genflow.id_type(l.ref) NOT IN (SELECT no
                FROM gone)
              AND NOT EXISTS (SELECT FROM genflow.ledger e WHERE e.ref = l.ref
                              AND e.kind IN ('capture', 'release'))
              AND NOT EXISTS (SELECT FROM genflow.reservations r WHERE r.id = l.ref)
        UNION ALL SELECT 'a reservation has its hold, and gives it back once when it ends',
            r.id::text
            FROM genflow.reservations r LEFT JOIN genflow.ledger h ON h.ref = r.id
                AND h.kind = 'hold'
            LEFT JOIN genflow.ledger e ON e.ref = r.id AND e.kind <> 'hold'
            WHERE h.ref IS NULL OR h.amount <> r.amount OR h.user_id <> r.user_id
              OR (r.state = 'open') <> (e.ref IS NULL)
               OR e.kind <> 'release' OR e.released <> r.amount
        UNION ALL SELECT 'a used reservation has its generation', r.id::text
            FROM genflow.reservations r
            WHERE r.state = 'used' AND NOT EXISTS (SELECT FROM genflow.ledger h
                                                   WHERE h.ref = r.job_id AND h.kind = 'hold'
                                                     AND h.user_id = r.user_id)
        UNION ALL SELECT 'one end per job', l.ref::text FROM genflow.ledger l
            WHERE l.kind IN ('capture', 'release')
            GROUP BY l.ref HAVING count(*) > 1
        UNION ALL SELECT 'a live job has its work row', coalesce(m.id, w.job_id)::text
            FROM (SELECT id FROM media WHERE status IN ('pending', 'processing')) m
            FULL JOIN (SELECT job_id FROM genflow.work WHERE type_no NOT IN (SELECT no
                FROM gone)) w ON w.job_id = m.id
            WHERE m.id IS NULL OR w.job_id IS NULL
        UNION ALL SELECT 'no live job past its deadline', w.job_id::text FROM genflow.work w
            WHERE w.deadline_at < clock_timestamp() - $1
        UNION ALL SELECT 'one key per job', k.job_id::text
            FROM genflow.idempotency_keys k GROUP BY k.job_id HAVING count(*) > 1
        UNION ALL SELECT 'the budget of a key counts what it held and did not give back', k.id
            FROM genflow.api_keys k
            LEFT JOIN (SELECT h.api_key, sum(h.amount - coalesce(e.released, 0)) AS used
                         FROM genflow.ledger h LEFT JOIN genflow.ledger e ON e.ref = h.ref
                             AND e.kind IN ('capture', 'release')
                        WHERE h.api_key IS NOT NULL GROUP BY 1) u ON u.api_key = k.id
            WHERE k.budget_per = 'total' AND k.budget_used <> coalesce(u.used, 0)
        UNION ALL SELECT 'a day''s budget of a key covers what it held that day and did not give'
            ' back', k.id
            FROM genflow.api_keys k
            JOIN (SELECT h.api_key, h.window_day, sum(h.amount - coalesce(e.released, 0)) AS used
                    FROM genflow.ledger h LEFT JOIN genflow.ledger e ON e.ref = h.ref
                        AND e.kind IN ('capture', 'release')
                   WHERE h.api_key IS NOT NULL GROUP BY 1, 2) u ON u.api_key = k.id
                     AND u.window_day = k.budget_day
            WHERE k.budget_per = 'day' AND k.budget_used < u.used
        UNION ALL SELECT 'a day''s quota covers what was held that day and not given back',
            a.user_id FROM genflow.accounts a
            JOIN (SELECT h.user_id, h.window_day, sum(h.amount - coalesce(r.released, 0)) AS used
                    FROM genflow.ledger h LEFT JOIN genflow.ledger r ON r.ref = h.ref
                        AND r.kind = 'release'
                   WHERE h.kind = 'hold' GROUP BY 1, 2) d ON d.user_id = a.user_id
                     AND d.window_day = a.day
            WHERE a.day_used < d.used)
    SELECT b.rule, count(*), min(b.sample) FROM broken b GROUP BY b.rule
        ORDER BY b.rule$q$, v_media) USING p_grace;
    GET DIAGNOSTICS v_broken = ROW_COUNT;
    -- for the metrics; a check at the same time does it as well
    IF current_setting('transaction_read_only') = 'off' THEN
        UPDATE genflow.checks c SET at = clock_timestamp(), broken = v_broken
         WHERE c.only_row IN (SELECT o.only_row FROM genflow.checks o FOR UPDATE SKIP LOCKED);
    END IF;
END $$;

CREATE FUNCTION genflow.cluster_now() RETURNS bigint
    LANGUAGE plpgsql STABLE SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    IF has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') THEN
        RETURN (SELECT c.system_identifier FROM pg_control_system() c);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION genflow.compose(p_name text, p_body jsonb, OUT type text, OUT prompt text, OUT parameters jsonb) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    c      genflow.compositions;
    v_mark text;
    v_text text;
    v_rule jsonb;
    v_said jsonb;
BEGIN
    SELECT * INTO c FROM genflow.compositions t WHERE t.name = p_name;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    type := c.type;
    prompt := c.template;
    FOR v_mark IN SELECT DISTINCT m[1] FROM regexp_matches(c.template, '\{(\w+)\}', 'g') m LOOP
        v_said := p_body -> v_mark;
        v_rule := c.words -> v_mark;
        v_text := CASE jsonb_typeof(v_said)
            WHEN 'array' THEN (SELECT string_agg(e, ', ') FROM jsonb_array_elements_text(v_said) e)
            WHEN 'object' THEN NULL ELSE v_said #>> '{}' END;
        IF jsonb_typeof(v_rule) = 'object' THEN
            v_text := coalesce(v_rule ->> coalesce(v_text, ''), v_rule ->> '*');
        ELSIF jsonb_typeof(v_rule) = 'array' THEN
            v_text := (SELECT r.value ->> 'text' FROM jsonb_array_elements(v_rule)
                           WITH ORDINALITY AS r(value, no)
                        WHERE jsonb_typeof(v_said) = 'number'
                          AND (r.value ->> 'below' IS NULL
                               OR (v_said #>> '{}')::numeric < (r.value ->> 'below')::numeric)
                        ORDER BY r.no LIMIT 1);
        END IF;
        -- braces of a user's text are no marks
        prompt := replace(prompt, '{' || v_mark || '}',
                          translate(coalesce(v_text, ''), '{}', '()'));
    END LOOP;
    prompt := btrim(regexp_replace(prompt, '(\s*,)+\s*(?=,|$)', '', 'g'), ' ,');
    parameters := c.parameters || coalesce(
        (SELECT jsonb_object_agg(n, p_body -> n) FROM unnest(c.takes) n
          WHERE jsonb_typeof(p_body -> n) = 'number'), '{}');
END $$;
GRANT EXECUTE ON FUNCTION genflow.compose(text,jsonb) TO genflow_module;

CREATE FUNCTION genflow.connections(OUT most integer, OUT limited_by text) RETURNS record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT l.most, l.limited_by FROM (
        SELECT current_setting('max_connections')::integer
                   - current_setting('superuser_reserved_connections')::integer
                   - coalesce(current_setting('reserved_connections', true)::integer, 0),
               'max_connections of PostgreSQL, less those that it reserves', 3
        UNION ALL
        SELECT r.rolconnlimit, format('the CONNECTION LIMIT of role %I', r.rolname), 1
          FROM pg_roles r WHERE r.rolname = session_user AND r.rolconnlimit >= 0
        UNION ALL
        SELECT d.datconnlimit, format('the CONNECTION LIMIT of database %I', d.datname), 2
          FROM pg_database d WHERE d.datname = current_database()
              AND d.datconnlimit >= 0) AS l(most, limited_by, rank)
     ORDER BY l.most, l.rank LIMIT 1
$$;
GRANT EXECUTE ON FUNCTION genflow.connections() TO genflow_module;

CREATE FUNCTION genflow.create_type(p_name text, p_schema text DEFAULT 'public'::text) RETURNS smallint
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_prefix text := replace(p_name, '-', '_');
    v_new    boolean;
    t        genflow.types;
BEGIN
    LOCK TABLE genflow.types IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO genflow.types (no, name, prefix, media_schema, media_table)
    SELECT coalesce(max(no), 0) + 1, p_name, v_prefix, p_schema, v_prefix || '_media'
        FROM genflow.types
    HAVING NOT EXISTS (SELECT FROM genflow.types WHERE name = p_name);
    v_new := FOUND;
    SELECT * INTO t FROM genflow.types WHERE name = p_name;
    IF v_new AND to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NOT NULL THEN
        RAISE EXCEPTION 'genflow: there is a table %.% already, which is not of mod_genflow; '
                        'rename it, or name another schema',
            t.media_schema, t.media_table USING ERRCODE = '42P07';
    END IF;
    IF to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NULL THEN
        PERFORM genflow.type_render(t, 'media_table');
        PERFORM genflow.type_render(t, 'media_keys');
    ELSE
        PERFORM genflow.type_upgrade(p_name);
    END IF;
    PERFORM genflow.type_render(t, f.part)
       FROM unnest(ARRAY['settle', 'create', 'create_batch', 'start', 'pace', 'get', 'claim',
                         'accepted', 'settle_get', 'restored',
                         'stray', 'thumbnail', 'thumbnail_claim', 'cancel', 'delete',
                         'edit']) AS f(part);
    PERFORM genflow.types_dispatch();
    PERFORM genflow.grant_role();
    RETURN t.no;
END $$;

CREATE FUNCTION genflow.day_zone(p_day text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT CASE p_day WHEN 'rolling' THEN 'UTC' ELSE p_day END
$$;

CREATE FUNCTION genflow.delivery_claim(p_types text[], p_limit integer, p_lease interval, p_from timestamp with time zone DEFAULT '-infinity'::timestamp with time zone) RETURNS TABLE(id uuid, type text, user_id text, tries integer, at bigint, event text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp SET plan_cache_mode=force_generic_plan SET jit=off SET enable_seqscan=off SET enable_bitmapscan=off SET enable_hashjoin=off SET enable_mergejoin=off AS
$$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    IF genflow.restored() IS NOT NULL THEN                  -- site.sql
        RETURN;
    END IF;
    RETURN QUERY
    WITH running AS MATERIALIZED (
        SELECT d.user_id, count(*) AS n FROM genflow.deliveries d
         WHERE d.due_at > v_now AND d.due_at <= v_now + p_lease GROUP BY d.user_id),
    due AS MATERIALIZED (
        SELECT d.job_id, d.event
          FROM genflow.deliveries d LEFT JOIN running ON running.user_id = d.user_id
         WHERE d.due_at >= p_from AND d.due_at <= v_now
           AND d.type_no = ANY (ARRAY(SELECT t.no FROM genflow.types t
                                       WHERE t.name = ANY (p_types)))
         ORDER BY coalesce(running.n, 0), d.due_at LIMIT p_limit FOR UPDATE OF d SKIP LOCKED),
    mine AS (
        UPDATE genflow.deliveries d SET due_at = v_now + p_lease, tries = d.tries + 1
         WHERE d.job_id = ANY (ARRAY(SELECT due.job_id FROM due))
           AND (d.job_id, d.event) IN (SELECT due.job_id, due.event FROM due)
        RETURNING d.job_id, d.type_no, d.user_id, d.tries, d.event)
    SELECT m.job_id, t.name, m.user_id, m.tries, extract(epoch FROM v_now)::bigint, m.event
      FROM mine m JOIN genflow.types t ON t.no = m.type_no;
END $$;
GRANT EXECUTE ON FUNCTION genflow.delivery_claim(text[],integer,interval,timestamp with time zone) TO genflow_module;

CREATE FUNCTION genflow.delivery_note(p_id uuid, p_delay interval, p_event text DEFAULT 'end'::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    IF p_delay IS NULL THEN
        DELETE FROM genflow.deliveries d WHERE d.job_id = p_id AND d.event = p_event;
    ELSE
        UPDATE genflow.deliveries d SET due_at = clock_timestamp() + p_delay
         WHERE d.job_id = p_id AND d.event = p_event;
    END IF;
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'gone' END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.delivery_note(uuid,interval,text) TO genflow_module;

CREATE FUNCTION genflow.doctor_charges(p_user text DEFAULT NULL::text, p_job uuid DEFAULT NULL::uuid, p_newest integer DEFAULT 10000) RETURNS TABLE(finding text, subject text, detail text, advice text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
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
                  genflow.doctor_some(array_agg(DISTINCT f.user_id)), sum(f.cost), sum(f.charged),
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
    SELECT 'possible unintended repeats', genflow.doctor_some(array_agg(DISTINCT s.user_id)),
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
GRANT EXECUTE ON FUNCTION genflow.doctor_charges(text,uuid,integer) TO genflow_administration;

CREATE FUNCTION genflow.doctor_credits(p_user text DEFAULT NULL::text, p_job uuid DEFAULT NULL::uuid, p_newest integer DEFAULT 10000) RETURNS TABLE(finding text, subject text, detail text, advice text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH who AS MATERIALIZED (
        SELECT p_user AS user_id WHERE p_user IS NOT NULL
        UNION (SELECT m.user_id FROM genflow.doctor_rows(p_user, p_job, p_newest) m
                WHERE p_user IS NULL AND p_newest IS NOT NULL GROUP BY m.user_id
                    ORDER BY max(m.created_at) DESC LIMIT 100)
        UNION SELECT a.user_id FROM genflow.accounts a WHERE p_newest IS NULL AND p_user IS NULL),
    sums AS (
        SELECT w.user_id, a.user_id IS NULL AS missing, coalesce(a.balance, 0) AS balance,
               coalesce(a.held, 0) AS held,
               coalesce(a.generations, 0) AS generations, s.*
          FROM who w LEFT JOIN genflow.accounts a USING (user_id)
         CROSS JOIN LATERAL (
            SELECT count(*) AS entries, coalesce(sum(l.change), 0) AS sum_balance,
                   coalesce(sum(l.held_change), 0) AS sum_held,
                   count(*) FILTER (WHERE l.kind = 'hold'
                                    AND genflow.id_type(l.ref) <> 0) AS sum_generations
              FROM genflow.doctor_ledger(w.user_id) l) s),
    open AS MATERIALIZED (
        SELECT h.* FROM genflow.doctor_ledger(p_user) h
         WHERE h.kind = 'hold' AND NOT EXISTS (SELECT FROM genflow.ledger e WHERE e.ref = h.ref
                                               AND e.phase = 2)
           AND NOT EXISTS (SELECT FROM genflow.work w WHERE w.job_id = h.ref)
           AND NOT EXISTS (SELECT FROM genflow.reservations r WHERE r.id = h.ref
                           AND r.state = 'open'))
    SELECT 'there is no such account', s.user_id, 'that name was never granted credits',
           'See which name httpd gives the user (%u in the access log), and grant credits to that '
           'name: genflow.grant_credits().'
      FROM sums s WHERE s.missing AND s.entries = 0
    UNION ALL
    SELECT 'the account is not the sum of its ledger', s.user_id,
           format('balance %s, held %s, generations %s, but by the ledger %s, %s, %s', s.balance,
                  s.held, s.generations,
                  s.sum_balance, s.sum_held, s.sum_generations),
           format('Somebody changed the account by hand; the ledger is right: INSERT INTO '
                  'genflow.accounts (user_id, balance, '
                  'held, generations) VALUES (%L, %s, %s, %s) ON CONFLICT (user_id) DO UPDATE SET '
                  'balance = EXCLUDED.balance, '
                  'held = EXCLUDED.held, generations = EXCLUDED.generations;',
                  s.user_id, s.sum_balance, s.sum_held, greatest(s.generations, s.sum_generations))
      FROM sums s WHERE (s.balance, s.held) IS DISTINCT FROM (s.sum_balance, s.sum_held)
          OR s.generations < s.sum_generations
    UNION ALL
    SELECT 'held is not what live generations cost', a.user_id,
           format('held %s, live or reserved %s', a.held, coalesce(l.cost, 0)),
           'credits --user NAME names the open holds of this user without a live generation, and '
           'what to do.'
      FROM genflow.accounts a
      LEFT JOIN (SELECT h.user_id, sum(h.cost) AS cost
                   FROM (SELECT w.user_id, w.cost FROM genflow.work w
                         UNION ALL SELECT r.user_id, r.amount FROM genflow.reservations r
                             WHERE r.state = 'open') h
                  GROUP BY h.user_id) l USING (user_id)
     WHERE a.held <> coalesce(l.cost, 0) AND (p_user IS NULL OR a.user_id = p_user)
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
    SELECT 'account', a.user_id,
           format('balance %s, of which %s held; used today %s%s, this week %s%s%s', a.balance,
           a.held, q.day_used, ' of ' || a.day_limit, q.week_used, ' of ' || a.week_limit, CASE
               WHEN a.blocked THEN '; BLOCKED' END), NULL
      FROM genflow.accounts a CROSS JOIN LATERAL genflow.quota(a.user_id) q
          WHERE a.user_id = p_user;
END $$;
GRANT EXECUTE ON FUNCTION genflow.doctor_credits(text,uuid,integer) TO genflow_administration;

CREATE FUNCTION genflow.doctor_end(p_kind text, p_ref text) RETURNS text
    LANGUAGE sql IMMUTABLE AS
$$
    SELECT format('INSERT INTO genflow.ledger (ref, kind, user_id, amount, released, window_day) '
                  'SELECT ref, %L, user_id, %s, '
                  'window_day FROM genflow.ledger WHERE kind = ''hold'' AND ref = %L;',
                  p_kind, CASE p_kind WHEN 'capture' THEN 'amount, 0' ELSE '0, amount' END, p_ref)
$$;

CREATE FUNCTION genflow.doctor_images(p_user text DEFAULT NULL::text, p_job uuid DEFAULT NULL::uuid, p_newest integer DEFAULT 10000) RETURNS TABLE(finding text, subject text, detail text, advice text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
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
GRANT EXECUTE ON FUNCTION genflow.doctor_images(text,uuid,integer) TO genflow_administration;

CREATE FUNCTION genflow.doctor_job(p_id uuid) RETURNS TABLE(at timestamp with time zone, what text, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
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
               format('%s, by %s, for %s', v_type, v_row->>'user_id',
                      genflow.doctor_number((v_row->>'cost')::bigint, 'credit'))
                   WHERE v_row IS NOT NULL
        UNION ALL
        SELECT k.created_at, 2, 'key', k.key FROM genflow.idempotency_keys k
         WHERE k.user_id = v_row->>'user_id' AND k.job_id = p_id
        UNION ALL
        SELECT l.at, 3, l.kind,
               concat_ws(', ',
                         genflow.doctor_number(l.amount, 'credit') || ' of ' || l.user_id,
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
                    FROM genflow.restores r WHERE r.job_id = p_id) v (name, columns)
        ) s (at, n, what, detail)
     ORDER BY s.at, s.n;
END $$;
GRANT EXECUTE ON FUNCTION genflow.doctor_job(uuid) TO genflow_administration;

CREATE FUNCTION genflow.doctor_ledger(p_user text) RETURNS TABLE(ref uuid, kind text, phase smallint, at timestamp with time zone, reason text, change bigint, held_change bigint)
    LANGUAGE sql STABLE AS
$$
    SELECT l.ref, l.kind, l.phase, l.at, concat_ws(', ', l.reason, l.external_ref),
           CASE WHEN l.kind IN ('grant', 'adjust', 'refund') THEN l.amount WHEN l.kind = 'capture'
               THEN -l.amount ELSE 0 END,
           CASE WHEN l.kind = 'hold' THEN l.amount
                WHEN l.kind IN ('capture', 'release') THEN -(l.amount + l.released) ELSE 0 END
      FROM genflow.ledger l WHERE l.user_id = p_user
$$;

CREATE FUNCTION genflow.doctor_number(p_n bigint, p_thing text) RETURNS text
    LANGUAGE sql IMMUTABLE AS
$$
    SELECT format('%s %s%s', p_n, p_thing, CASE p_n WHEN 1 THEN '' ELSE 's' END)
$$;

CREATE FUNCTION genflow.doctor_polling(p_user text DEFAULT NULL::text, p_job uuid DEFAULT NULL::uuid, p_newest integer DEFAULT 10000) RETURNS TABLE(finding text, subject text, detail text, advice text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH live AS (
        SELECT w.*, a.sent_at, w.provider || '/' || w.model AS whom
          FROM genflow.work w LEFT JOIN genflow.attempts a ON a.job_id = w.job_id
              AND a.no = w.attempts
         WHERE (p_user IS NULL OR w.user_id = p_user) AND (p_job IS NULL OR w.job_id = p_job)),
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
GRANT EXECUTE ON FUNCTION genflow.doctor_polling(text,uuid,integer) TO genflow_administration;

CREATE FUNCTION genflow.doctor_role(p_role text) RETURNS TABLE(finding text, subject text, detail text, advice text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
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
GRANT EXECUTE ON FUNCTION genflow.doctor_role(text) TO genflow_administration;

CREATE FUNCTION genflow.doctor_rows(p_user text, p_job uuid, p_newest integer) RETURNS TABLE(type text, media text, id uuid, user_id text, status text, cost bigint, created_at timestamp with time zone, image_url text, persisted boolean, expires_at timestamp with time zone, request text, moved boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    t genflow.types;
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
        USING p_user, p_job, p_newest;
    END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION genflow.doctor_rows(text,uuid,integer) TO genflow_administration;

CREATE FUNCTION genflow.doctor_since(p_at timestamp with time zone) RETURNS interval
    LANGUAGE sql AS
$$
    SELECT date_trunc('second', clock_timestamp() - p_at)
$$;

CREATE FUNCTION genflow.doctor_site(p_user text DEFAULT NULL::text, p_job uuid DEFAULT NULL::uuid, p_newest integer DEFAULT 10000) RETURNS TABLE(finding text, subject text, detail text, advice text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
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
        ('clock_wrong', 'a clock is wrong',
         'Set the clock of that machine, or of the database''s if all hosts are listed, and run '
         'an NTP service there (timedatectl set-ntp true). Signatures of S3 and of webhooks fail '
         'by a wrong clock; budgets and days follow the database''s.'),
        ('budget_spent', 'the budget of a provider is spent',
         'Raise GenflowProviderBudget if midnight UTC is too late; the chain uses its next entry '
         'until then (GF0720 in the error log).'))
    SELECT w.finding, f.subject, f.detail, w.advice
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
GRANT EXECUTE ON FUNCTION genflow.doctor_site(text,uuid,integer) TO genflow_administration;

CREATE FUNCTION genflow.doctor_some(p_names text[]) RETURNS text
    LANGUAGE sql IMMUTABLE AS
$$
    SELECT array_to_string(p_names[1:3], ', ') || CASE WHEN cardinality(p_names) > 3 THEN ', ...'
        ELSE '' END
$$;

CREATE FUNCTION genflow.doctor_statement(p_user text, p_newest integer DEFAULT 50) RETURNS TABLE(at timestamp with time zone, what text, change bigint, balance bigint, held bigint, ref uuid, reason text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH total AS (
        SELECT sum(l.change) AS change, sum(l.held_change) AS held
            FROM genflow.doctor_ledger(p_user) l),
    newest AS (
        SELECT l.*, row_number() OVER later AS n,
               sum(l.change) OVER later - l.change AS change_after,
               sum(l.held_change) OVER later - l.held_change AS held_after
          FROM (SELECT * FROM genflow.doctor_ledger(p_user) l ORDER BY l.at DESC, l.phase DESC,
                l.ref DESC LIMIT p_newest) l
        WINDOW later AS (ORDER BY l.at DESC, l.phase DESC, l.ref DESC))
    SELECT n.at, n.kind, n.change, (t.change - n.change_after)::bigint,
           (t.held - n.held_after)::bigint, n.ref, n.reason
      FROM newest n, total t ORDER BY n.n DESC;
END $$;
GRANT EXECUTE ON FUNCTION genflow.doctor_statement(text,integer) TO genflow_administration;

CREATE FUNCTION genflow.doctor_strangers(p_names text[]) RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
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
               AND NOT EXISTS (SELECT FROM genflow.removals r WHERE r.job_id = f.id)$q$,
            t.name || '/', t.media_schema, t.media_table) USING p_names, v_uuid;
    END LOOP;
    RETURN QUERY SELECT n.name FROM unnest(p_names) AS n(name)
                  WHERE NOT EXISTS (SELECT FROM genflow.types y
                                     WHERE starts_with(n.name, y.name || '/')
                                       AND to_regclass(format('%I.%I', y.media_schema,
                                           y.media_table)) IS NOT NULL);
END $$;
GRANT EXECUTE ON FUNCTION genflow.doctor_strangers(text[]) TO genflow_administration;

CREATE FUNCTION genflow.doctor_stuck(p_user text DEFAULT NULL::text, p_job uuid DEFAULT NULL::uuid, p_newest integer DEFAULT 10000) RETURNS TABLE(finding text, subject text, detail text, advice text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
#variable_conflict use_column
DECLARE
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
     WHERE w.poison IS NOT NULL AND (p_user IS NULL OR w.user_id = p_user)
       AND (p_job IS NULL OR w.job_id = p_job);
    RETURN QUERY
    WITH live AS (
        SELECT w.*, coalesce(t.name, 'type ' || w.type_no) AS type,
               least(w.turn, genflow.lease_end(w)) AS at
          FROM genflow.work w LEFT JOIN genflow.types t ON t.no = w.type_no
         WHERE (p_user IS NULL OR w.user_id = p_user) AND (p_job IS NULL OR w.job_id = p_job)),
    advices (no, finding, advice) AS (VALUES
        (1, 'past its deadline',
            'See that an httpd with GenflowDispatch On runs and has this type in its '
            'configuration: the next claim of the type fails it with TIMEOUT and releases its '
            'credits.'),
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
     WHERE (d.due_at < v_late OR d.tries > 2) AND (p_user IS NULL OR d.user_id = p_user)
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
GRANT EXECUTE ON FUNCTION genflow.doctor_stuck(text,uuid,integer) TO genflow_administration;

CREATE FUNCTION genflow.due(p_types text[], p_since timestamp with time zone[], p_back interval DEFAULT '00:00:10'::interval, p_ahead interval DEFAULT '00:00:00'::interval) RETURNS TABLE(place integer, at timestamp with time zone, lane integer, wait_ms integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp SET plan_cache_mode=force_generic_plan SET jit=off SET enable_seqscan=off SET enable_bitmapscan=off SET enable_sort=off AS
$$
DECLARE
    v_now   timestamptz := clock_timestamp();
    v_until timestamptz := v_now + p_ahead;
    v_count CONSTANT integer := cardinality(p_types);
    v_nos   smallint[];
    v_places integer[] := '{}';
    v_lanes integer[] := '{}';
    v_ats   timestamptz[] := '{}';
    v_since timestamptz;
    v_at    timestamptz;
    v_later timestamptz;
    -- when a child's lease is over, its jobs are due
    v_next  timestamptz := (SELECT min(c.expires) FROM genflow.children c
                             WHERE c.expires > v_now AND c.expires <= v_until);
    v_dead CONSTANT text[] := ARRAY(SELECT c.owner FROM genflow.children c
                                     WHERE c.expires <= v_now);
BEGIN
    v_nos := ARRAY(SELECT (SELECT t.no FROM genflow.types t WHERE t.name = n.name)
                     FROM unnest(p_types) WITH ORDINALITY AS n(name, at) ORDER BY n.at);
    FOR i IN 1 .. v_count LOOP
        v_since := least(p_since[4 * i - 3], v_now) - p_back;
        v_at := (SELECT w.due_at FROM genflow.work w
                  WHERE w.type_no = v_nos[i] AND w.due_at BETWEEN v_since AND v_now
                  ORDER BY w.due_at LIMIT 1);
        v_later := (SELECT w.due_at FROM genflow.work w
                     WHERE w.type_no = v_nos[i] AND w.due_at > v_now AND w.due_at <= v_until
                     ORDER BY w.due_at LIMIT 1);
        v_next := least(v_next, v_later);
        IF v_dead <> '{}' AND v_at IS NULL THEN
            v_later := (SELECT min(w.leased_until) FROM genflow.work w
                         WHERE w.led AND w.lease_owner = ANY (v_dead)
                           AND (w.type_no = v_nos[i]) IS TRUE AND w.leased_until <= v_until);
            v_at := CASE WHEN v_later <= v_now THEN v_now END;
            v_next := least(v_next, CASE WHEN v_later > v_now THEN v_later END);
        END IF;
        FOR l IN 0 .. 3 LOOP
            IF l > 0 THEN
                v_since := least(p_since[4 * i - 3 + l], v_now) - p_back;
                v_at := (SELECT least(w.turn, v_now) FROM genflow.work w
                          WHERE w.type_no = v_nos[i] AND w.priority = (2 - l)::smallint
                            AND w.turn >= v_since AND w.deadline_at > v_now
                          ORDER BY w.turn LIMIT 1);
            END IF;
            IF v_at IS NOT NULL THEN
                v_places := v_places || (i - 1);
                v_lanes := v_lanes || l;
                v_ats := v_ats || v_at;
            END IF;
        END LOOP;
    END LOOP;
    FOR k IN 0 .. 2 LOOP
        v_since := least(coalesce(p_since[4 * v_count + 1 + k], '-infinity'), v_now) - p_back;
        IF k = 0 THEN
            v_at := (SELECT r.due_at FROM genflow.restores r
                      WHERE r.due_at BETWEEN v_since AND v_now AND r.type_no = ANY (v_nos)
                      ORDER BY r.due_at LIMIT 1);
            v_later := (SELECT r.due_at FROM genflow.restores r
                         WHERE r.due_at > v_now AND r.due_at <= v_until
                           AND r.type_no = ANY (v_nos)
                         ORDER BY r.due_at LIMIT 1);
        ELSIF k = 1 THEN
            v_at := (SELECT r.due_at FROM genflow.removals r
                      WHERE r.due_at BETWEEN v_since AND v_now AND r.type_no = ANY (v_nos)
                      ORDER BY r.due_at LIMIT 1);
            v_later := (SELECT r.due_at FROM genflow.removals r
                         WHERE r.due_at > v_now AND r.due_at <= v_until
                           AND r.type_no = ANY (v_nos)
                         ORDER BY r.due_at LIMIT 1);
        ELSE
            v_at := (SELECT d.due_at FROM genflow.deliveries d
                      WHERE d.due_at BETWEEN v_since AND v_now AND d.type_no = ANY (v_nos)
                      ORDER BY d.due_at LIMIT 1);
            v_later := (SELECT d.due_at FROM genflow.deliveries d
                         WHERE d.due_at > v_now AND d.due_at <= v_until
                           AND d.type_no = ANY (v_nos)
                         ORDER BY d.due_at LIMIT 1);
        END IF;
        v_next := least(v_next, v_later);
        IF v_at IS NOT NULL THEN
            v_places := v_places || (v_count + k);
            v_lanes := v_lanes || NULL::integer;
            v_ats := v_ats || v_at;
        END IF;
    END LOOP;
    at := v_now;
    wait_ms := ceil(extract(epoch FROM v_next - v_now) * 1000);
    RETURN NEXT;
    wait_ms := NULL;
    FOR i IN 1 .. cardinality(v_places) LOOP
        place := v_places[i];
        lane := v_lanes[i];
        at := v_ats[i];
        RETURN NEXT;
    END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION genflow.due(text[],timestamp with time zone[],interval,interval) TO genflow_module;

CREATE FUNCTION genflow.edit_keep(p_user text, p_id uuid, p_type smallint) RETURNS void
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('genflow edits of ' || p_user, 0));
    INSERT INTO genflow.edits (job_id, type_no, user_id, at)
    VALUES (p_id, p_type, p_user, clock_timestamp())
        ON CONFLICT (job_id) DO UPDATE SET at = EXCLUDED.at;
END $$;

CREATE FUNCTION genflow.ended(p_ids uuid[]) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT u.id FROM unnest(p_ids) AS u(id) WHERE NOT EXISTS (SELECT FROM genflow.work w
        WHERE w.job_id = u.id)
$$;
GRANT EXECUTE ON FUNCTION genflow.ended(uuid[]) TO genflow_module;

CREATE FUNCTION genflow.ended_by(p_id uuid, p_call uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path=pg_catalog, pg_temp AS
$$
    SELECT EXISTS (SELECT FROM genflow.ledger l WHERE l.ref = p_id AND l.phase = 2
                   AND l.call = p_call)
$$;

CREATE FUNCTION genflow.expected_compute(p_age interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp SET jit=off SET enable_seqscan=off SET enable_bitmapscan=off SET enable_sort=off AS
$$
DECLARE
    v_count integer := 0;
    v_took  bigint[];
    t       record;
BEGIN
    INSERT INTO genflow.expected (type_no)
    SELECT y.no FROM genflow.types y
     WHERE NOT EXISTS (SELECT FROM genflow.expected e WHERE e.type_no = y.no) ORDER BY y.no
        ON CONFLICT DO NOTHING;
    FOR t IN SELECT y.no, to_regclass(format('%I.%I', y.media_schema, y.media_table)) AS media
               FROM genflow.expected e JOIN genflow.types y ON y.no = e.type_no
              WHERE e.computed_at < clock_timestamp() - p_age
              ORDER BY e.type_no FOR UPDATE OF e SKIP LOCKED LOOP
        CONTINUE WHEN t.media IS NULL;
        BEGIN
            EXECUTE format('SELECT percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY s.took)
                              FROM (SELECT (extract(epoch FROM n.finished_at - n.started_at)
                                            * 1000)::bigint AS took
                                      FROM (SELECT m.status, m.started_at, m.finished_at,
                                                   m.legacy_id
                                              FROM %s m
                                             ORDER BY m.created_at AT TIME ZONE ''UTC'' DESC,
                                                      m.id DESC LIMIT 5000) n
                                     WHERE n.status = ''completed'' AND n.legacy_id IS NULL
                                       AND n.started_at IS NOT NULL LIMIT 200) s', t.media)
               INTO v_took;
        -- its table was dropped just now
        EXCEPTION WHEN undefined_table THEN
            CONTINUE;
        END;
        UPDATE genflow.expected e SET p50 = coalesce(v_took[1], e.p50),
               p90 = coalesce(v_took[2], e.p90), computed_at = clock_timestamp()
         WHERE e.type_no = t.no;
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END $$;
GRANT EXECUTE ON FUNCTION genflow.expected_compute(interval) TO genflow_module;

CREATE FUNCTION genflow.faults() RETURNS TABLE(fault text, subject text, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
#variable_conflict use_column
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
    WITH live AS MATERIALIZED (
        SELECT h.* FROM genflow.hosts h WHERE h.seen_at > v_now - interval '1 minute')
    SELECT 'database_restored', current_database()::text, genflow.restored()
     WHERE genflow.restored() IS NOT NULL
    UNION ALL
    SELECT 'no_dispatcher', 'all hosts',
           format('%s here, and none with GenflowDispatch On',
                  genflow.doctor_number(count(*), 'host')) FROM live
    HAVING genflow.nobody_works()
    UNION ALL
    SELECT 'hosts_differ', s.kind, string_agg(format('%s: %s', s.hash, s.names), '; '
                                              ORDER BY s.names)
      FROM (SELECT m.key AS kind, left(m.value, 8) AS hash,
                   string_agg(l.name, ', ' ORDER BY l.name) AS names
              FROM live l CROSS JOIN LATERAL jsonb_each_text(l.settings) m
             GROUP BY m.key, m.value) s
     GROUP BY s.kind HAVING count(*) > 1
    UNION ALL
    SELECT 'clock_wrong', l.name,
           format('its clock is %s s %s the database''s', round(abs(l.clock_ahead) / 1000.0, 1),
                  CASE WHEN l.clock_ahead > 0 THEN 'ahead of' ELSE 'behind' END)
      FROM live l WHERE abs(l.clock_ahead) > 10000
    UNION ALL
    SELECT CASE WHEN b.refused THEN 'provider_refuses' ELSE 'provider_down' END,
           b.provider || CASE WHEN b.model <> '' THEN '/' || b.model ELSE '' END,
           format('since %s, after %s in a row: %s', genflow.iso(b.opened_at),
                  genflow.doctor_number(b.failures, 'failure'), b.reason)
      FROM genflow.breakers b
     WHERE NOT starts_with(b.provider, 'store:') AND b.open_until IS NOT NULL
       AND (b.refused OR b.open_until > v_now)
    UNION ALL
    SELECT 'budget_spent', b.provider, 'a submission was refused; until 00:00 UTC'
      FROM genflow.budgets b
     WHERE b.day = (v_now AT TIME ZONE 'UTC')::date AND b.slot = -1;
END $$;
GRANT EXECUTE ON FUNCTION genflow.faults() TO genflow_administration;
GRANT EXECUTE ON FUNCTION genflow.faults() TO genflow_module;

CREATE FUNCTION genflow.feed(p_viewer text, p_types text[], p_offset integer, p_limit integer) RETURNS SETOF genflow.generation
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    g genflow.generation;
BEGIN
    FOR g IN SELECT * FROM genflow.gallery(NULL, p_types, p_offset, p_limit) LOOP
        IF g.user_id IS DISTINCT FROM p_viewer THEN
            g.user_id := genflow.public_name(g.user_id);
        END IF;
        RETURN NEXT g;
    END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION genflow.feed(text,text[],integer,integer) TO genflow_module;

CREATE FUNCTION genflow.folded(p_text text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT lower(p_text COLLATE "und-x-icu")$$;

CREATE FUNCTION genflow.forbid() RETURNS trigger
    LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION 'genflow: forbidden % on %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'GF500';
END $$;

CREATE FUNCTION genflow.gallery(p_user text, p_types text[], p_offset integer, p_limit integer) RETURNS SETOF genflow.generation
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_rows text := genflow.gallery_query(p_types, p_user IS NULL);
    v_read text := (SELECT string_agg(format('SELECT g.*, p.created_at AS newest FROM page p, '
                                             'LATERAL genflow.%I(p.user_id, p.id) g '
                                             'WHERE p.no = %s', t.prefix || '_get', t.no),
                                      ' UNION ALL ')
                      FROM genflow.types t WHERE t.name = ANY (p_types));
BEGIN
    IF v_rows IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'WITH page AS MATERIALIZED (SELECT * FROM (%s) u ORDER BY u.created_at DESC, u.id DESC '
        'OFFSET $3 LIMIT $4) SELECT %s FROM (%s) r ORDER BY r.newest DESC, r.id DESC', v_rows,
        (SELECT string_agg('r.' || a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a
          WHERE a.attrelid = 'genflow.generation'::regclass AND a.attnum > 0
            AND NOT a.attisdropped), v_read)
      USING p_user, p_offset + p_limit, p_offset, p_limit;
END $$;
GRANT EXECUTE ON FUNCTION genflow.gallery(text,text[],integer,integer) TO genflow_module;

CREATE FUNCTION genflow.gallery_count(p_user text, p_types text[], p_most integer) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_rows  text := genflow.gallery_query(p_types, p_user IS NULL);
    v_count bigint := 0;
BEGIN
    IF v_rows IS NOT NULL THEN
        EXECUTE format('SELECT count(*) FROM (SELECT FROM (%s) u LIMIT $2) c', v_rows) INTO v_count
          USING p_user, p_most;
    END IF;
    RETURN v_count;
END $$;
GRANT EXECUTE ON FUNCTION genflow.gallery_count(text,text[],integer) TO genflow_module;

CREATE FUNCTION genflow.gallery_query(p_types text[], p_public boolean) RETURNS text
    LANGUAGE sql STABLE SET search_path=pg_catalog, pg_temp AS
$$
    SELECT string_agg(format('(SELECT %s AS no, m.user_id, m.id, m.created_at FROM %I.%I m '
                             'WHERE m.status = ''completed'' AND %s '
                             'ORDER BY m.created_at DESC, m.id DESC LIMIT $2)',
                             t.no, t.media_schema, t.media_table,
                             CASE WHEN p_public THEN '$1 IS NULL AND m.visibility = ''public'''
                                  ELSE 'm.user_id = $1' END),
                      ' UNION ALL ' ORDER BY t.no)
      FROM genflow.types t
     WHERE t.name = ANY (p_types)
       AND to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NOT NULL
$$;

CREATE FUNCTION genflow.generation_of(p_name text, OUT id uuid, OUT type text) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_id  uuid := CASE WHEN p_name ~ '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$'
                       THEN p_name::uuid END;
    v_no  integer := coalesce(genflow.id_type(v_id), 0);
    v_own text := (SELECT y.name FROM genflow.types y WHERE y.no = v_no);
    t     genflow.types;
BEGIN
    FOR t IN SELECT * FROM genflow.types y
        WHERE to_regclass(format('%I.%I', y.media_schema, y.media_table)) IS NOT NULL
              ORDER BY y.no = v_no DESC, y.no LOOP
        EXECUTE format('SELECT m.id FROM %1$I.%2$I m WHERE m.id = $1 UNION ALL '
                       'SELECT m.id FROM %1$I.%2$I m WHERE m.legacy_id = $2 LIMIT 1',
                       t.media_schema, t.media_table)
            INTO id USING v_id, coalesce(v_id::text, p_name);
        type := t.name;
        IF id IS NOT NULL THEN
            RETURN;
        END IF;
    END LOOP;
    type := v_own;
    id := CASE WHEN v_own IS NOT NULL THEN v_id END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.generation_of(text) TO genflow_module;

CREATE FUNCTION genflow.grant_credits(p_user text, p_amount bigint, p_reason text, p_reference text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    IF p_amount IS NULL OR p_amount < 1 THEN
        RAISE EXCEPTION 'genflow: a grant is at least 1 credit, not %', p_amount
            USING ERRCODE = '22023';
    END IF;
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, reason, external_ref)
    VALUES (genflow.new_id(0), 'grant', p_user, p_amount, p_reason, p_reference)
    ON CONFLICT (external_ref) WHERE external_ref IS NOT NULL DO NOTHING;
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'duplicate' END;
END $$;

CREATE FUNCTION genflow.grant_role() RETURNS void
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    f record;
BEGIN
    REVOKE ALL ON ALL FUNCTIONS IN SCHEMA genflow FROM PUBLIC, genflow_module,
        genflow_administration;
    GRANT USAGE ON SCHEMA genflow TO genflow_module, genflow_administration;
    FOR f IN
        SELECT p.oid::regprocedure AS name, g.role
          FROM pg_proc p
          JOIN (
            SELECT 'genflow_module' AS role, unnest(ARRAY[
                   'allowance',
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
                               '_settle', '_settle_get', '_restored', '_stray', '_thumbnail',
                               '_thumbnail_claim', '_cancel', '_delete', '_edit']) AS a(act)
            UNION ALL
            SELECT 'genflow_administration', unnest(ARRAY[
                   'admin_api_key_put',
                   'admin_api_key_revoke',
                   'admin_api_keys',
                   'admin_breaker_reset',
                   'admin_cancel',
                   'admin_check',
                   'admin_clear',
                   'admin_credit',
                   'admin_jobs',
                   'admin_preset_add',
                   'admin_preset_delete',
                   'admin_preset_edit',
                   'admin_presets',
                   'admin_refund',
                   'admin_stats',
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
                   'quota',
                   'restored',
                   'resume',
                   'suspend'])
            UNION ALL
            SELECT 'genflow_administration', t.prefix || '_get'
                FROM genflow.types t) g ON g.act = p.proname
         WHERE p.pronamespace = 'genflow'::regnamespace
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', f.name, f.role);
    END LOOP;
END $$;

CREATE FUNCTION genflow.hand_back(p_ids uuid[], p_epochs integer[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_count integer;
BEGIN
    WITH mine AS MATERIALIZED (
        SELECT w.job_id FROM genflow.work w
            JOIN unnest(p_ids, p_epochs) AS u(id, epoch) ON w.job_id = u.id AND w.epoch = u.epoch
           AND w.lease_owner IS NOT NULL
         ORDER BY w.job_id FOR UPDATE OF w)
    UPDATE genflow.work w SET lease_owner = NULL, led = false,
           due_at = least(clock_timestamp(), w.deadline_at)
      FROM mine WHERE w.job_id = mine.job_id;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;
GRANT EXECUTE ON FUNCTION genflow.hand_back(uuid[],integer[]) TO genflow_module;

CREATE FUNCTION genflow.health() RETURNS TABLE(schema_version integer, types text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT (SELECT max(m.version) FROM genflow.migrations m),
           (SELECT array_agg(t.name ORDER BY t.no) FROM genflow.types t)
$$;
GRANT EXECUTE ON FUNCTION genflow.health() TO genflow_administration;
GRANT EXECUTE ON FUNCTION genflow.health() TO genflow_module;

CREATE FUNCTION genflow.heartbeat(p_owner text, p_lease interval, p_ids uuid[], p_epochs integer[], p_dropped uuid[], p_dropped_epochs integer[]) RETURNS TABLE(id uuid, epoch integer, outcome text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
#variable_conflict use_column
DECLARE
    v_now  timestamptz := clock_timestamp();
    v_held uuid[];
BEGIN
    IF p_lease IS NULL THEN
        DELETE FROM genflow.recalls r WHERE r.owner = p_owner;
        DELETE FROM genflow.children c WHERE c.owner = p_owner
           AND NOT EXISTS (SELECT FROM genflow.work w WHERE w.led AND w.lease_owner = p_owner);
        RETURN;
    END IF;
    INSERT INTO genflow.children AS c (owner, expires) VALUES (p_owner, v_now + p_lease)
        ON CONFLICT (owner) DO UPDATE SET expires = EXCLUDED.expires;
    IF p_dropped <> '{}' THEN
        WITH mine AS MATERIALIZED (
            SELECT w.job_id FROM genflow.work w
              JOIN unnest(p_dropped, p_dropped_epochs) AS u(id, epoch)
                ON w.job_id = u.id AND w.epoch = u.epoch AND w.led AND w.lease_owner = p_owner
             ORDER BY w.job_id FOR UPDATE OF w)
        UPDATE genflow.work w SET led = false, due_at = least(v_now + p_lease, w.deadline_at)
          FROM mine WHERE w.job_id = mine.job_id;
    END IF;
    IF p_ids <> '{}' THEN
        WITH mine AS MATERIALIZED (
            SELECT w.job_id FROM genflow.work w
              JOIN unnest(p_ids, p_epochs) AS u(id, epoch)
                ON w.job_id = u.id AND w.epoch = u.epoch AND w.lease_owner = p_owner
             ORDER BY w.job_id FOR UPDATE OF w),
        named AS (
            UPDATE genflow.work w SET led = true, due_at = w.deadline_at,
                   leased_until = CASE WHEN w.led THEN w.leased_until ELSE w.due_at END
              FROM mine WHERE w.job_id = mine.job_id
            RETURNING w.job_id)
        SELECT array_agg(n.job_id) INTO v_held FROM named n;
        -- a statement of its own, which sees what has ended while the other one waited
        RETURN QUERY
        SELECT u.id, u.epoch,
               CASE WHEN w.job_id IS NULL THEN 'ended'
                    WHEN w.epoch = u.epoch AND w.job_id = ANY (v_held) THEN 'held'
                    ELSE 'lost' END
          FROM unnest(p_ids, p_epochs) AS u(id, epoch) LEFT JOIN genflow.work w ON w.job_id = u.id;
    END IF;
    IF EXISTS (SELECT FROM genflow.recalls r WHERE r.owner = p_owner) THEN
        DELETE FROM genflow.recalls r WHERE r.owner = p_owner AND r.seen_at < v_now - p_lease;
        UPDATE genflow.recalls r SET seen_at = v_now WHERE r.owner = p_owner AND r.seen_at IS NULL;
        RETURN QUERY
        SELECT r.job_id, r.epoch, CASE WHEN w.job_id IS NULL THEN 'ended' ELSE 'lost' END
          FROM genflow.recalls r LEFT JOIN genflow.work w ON w.job_id = r.job_id
         WHERE r.owner = p_owner;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION genflow.heartbeat(text,interval,uuid[],integer[],uuid[],integer[]) TO genflow_module;

CREATE FUNCTION genflow.heartbeat(p_ids uuid[], p_epochs integer[], p_lease interval) RETURNS SETOF uuid
    LANGUAGE sql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    WITH mine AS MATERIALIZED (
        SELECT w.job_id FROM genflow.work w
            JOIN unnest(p_ids, p_epochs) AS u(id, epoch) ON w.job_id = u.id AND w.epoch = u.epoch
           AND w.lease_owner IS NOT NULL
         ORDER BY w.job_id FOR UPDATE OF w)
    UPDATE genflow.work w SET due_at = least(clock_timestamp() + p_lease, w.deadline_at)
      FROM mine WHERE w.job_id = mine.job_id
    RETURNING w.job_id
$$;
GRANT EXECUTE ON FUNCTION genflow.heartbeat(uuid[],integer[],interval) TO genflow_module;

CREATE FUNCTION genflow.history(p_user text, p_types text[], p_status text, p_preset text, p_at bigint, p_id uuid, p_limit integer, p_words text[] DEFAULT NULL::text[], p_tag text DEFAULT NULL::text, p_since bigint DEFAULT NULL::bigint, p_favourite boolean DEFAULT false) RETURNS SETOF genflow.generation
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp SET jit=off AS
$$
DECLARE
    v_at    timestamptz := 'epoch'::timestamptz + p_at * interval '1 microsecond';
    v_since timestamptz := 'epoch'::timestamptz + p_since * interval '1 microsecond';
    v_like  text[] := genflow.like_words(p_words);
    v_read  text := (SELECT string_agg(format('SELECT g.*, p.created_at AS newest FROM page p, '
                                              'LATERAL genflow.%I($1, p.id) g WHERE p.no = %s',
                                                  t.prefix || '_get', t.no),
                                       ' UNION ALL ')
                       FROM genflow.types t WHERE t.name = ANY (p_types));
    c       record;
    q       record;
    v_look  integer := p_limit;
    v_found bigint;
    g       genflow.generation;
BEGIN
    SELECT * INTO c FROM genflow.list_changed(p_user, v_since) WHERE p_since IS NOT NULL;
    SELECT * INTO q FROM genflow.list_query(p_types, p_status, p_user, p_preset, v_at, p_tag,
                                            p_words IS NOT NULL, v_since,
                                            coalesce(c.is_many, false), p_favourite);
    IF q.query IS NULL THEN
        RETURN;
    END IF;
    IF q.is_bounded THEN
        v_look := genflow.list_bound();
    END IF;
    RETURN QUERY EXECUTE format(
        'WITH page AS MATERIALIZED (SELECT * FROM (SELECT * FROM (%s) u '
        'ORDER BY u.created_at DESC, u.id DESC LIMIT $6) s '
        'WHERE s.matches ORDER BY s.created_at DESC, s.id DESC LIMIT %s) '
        'SELECT %s FROM (%s) r ORDER BY r.newest DESC, r.id DESC', q.query, p_limit,
        (SELECT string_agg('r.' || a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a
          WHERE a.attrelid = 'genflow.generation'::regclass AND a.attnum > 0
            AND NOT a.attisdropped), v_read)
      USING p_user, p_status, p_preset, v_at, p_id, v_look, p_tag, v_like, v_since, c.ids;
    GET DIAGNOSTICS v_found = ROW_COUNT;
    IF NOT q.is_bounded OR v_found = p_limit THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT u.id, (extract(epoch FROM u.created_at) * 1000000)::bigint FROM (%s) u '
                   'ORDER BY u.created_at DESC, u.id DESC OFFSET $6 - 1 LIMIT 1', q.query)
       INTO g.id, g.at
      USING p_user, p_status, p_preset, v_at, p_id, v_look, p_tag, v_like, v_since, c.ids;
    IF g.id IS NOT NULL THEN
        g.outcome := 'more';
        RETURN NEXT g;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION genflow.history(text,text[],text,text,bigint,uuid,integer,text[],text,bigint,boolean) TO genflow_module;

CREATE FUNCTION genflow.history_count(p_user text, p_types text[], p_status text, p_preset text, p_most integer) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT t.total FROM genflow.history_total(p_user, p_types, p_status, p_preset, p_most) t
$$;
GRANT EXECUTE ON FUNCTION genflow.history_count(text,text[],text,text,integer) TO genflow_module;

CREATE FUNCTION genflow.history_total(p_user text, p_types text[], p_status text, p_preset text, p_most integer, p_words text[] DEFAULT NULL::text[], p_tag text DEFAULT NULL::text, p_since bigint DEFAULT NULL::bigint, p_favourite boolean DEFAULT false, OUT total bigint, OUT is_exact boolean) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp SET jit=off AS
$$
DECLARE
    v_since timestamptz := 'epoch'::timestamptz + p_since * interval '1 microsecond';
    v_like  text[] := genflow.like_words(p_words);
    v_look  integer := p_most + 1;
    v_older boolean := false;
    c       record;
    q       record;
BEGIN
    SELECT * INTO c FROM genflow.list_changed(p_user, v_since) WHERE p_since IS NOT NULL;
    SELECT * INTO q FROM genflow.list_query(p_types, p_status, p_user, p_preset, NULL, p_tag,
                                            p_words IS NOT NULL, v_since,
                                            coalesce(c.is_many, false), p_favourite);
    total := 0;
    IF q.query IS NOT NULL THEN
        v_look := CASE WHEN q.is_bounded THEN genflow.list_bound() ELSE v_look END;
        EXECUTE format('SELECT count(*) FROM (SELECT FROM (SELECT * FROM (%s) u '
                       'ORDER BY u.created_at DESC, u.id DESC LIMIT $6) s WHERE s.matches '
                       'LIMIT %s) c', q.query, p_most + 1) INTO total
          USING p_user, p_status, p_preset, NULL::timestamptz, NULL::uuid, v_look, p_tag, v_like,
                v_since, c.ids;
        IF q.is_bounded AND total <= p_most THEN
            EXECUTE format('SELECT EXISTS (SELECT FROM (%s) u OFFSET $6 - 1)', q.query) INTO v_older
              USING p_user, p_status, p_preset, NULL::timestamptz, NULL::uuid, v_look, p_tag,
                    v_like, v_since, c.ids;
        END IF;
    END IF;
    is_exact := total <= p_most AND NOT v_older;
    total := least(total, p_most);
END $$;
GRANT EXECUTE ON FUNCTION genflow.history_total(text,text[],text,text,integer,text[],text,bigint,boolean) TO genflow_module;

CREATE FUNCTION genflow.hold(p_ref uuid, p_user text, p_amount bigint, p_window date, p_day text, p_api_key text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, window_day, api_key)
        VALUES (p_ref, 'hold', p_user, p_amount, p_window, p_api_key);
    IF p_day = 'rolling' AND p_amount > 0 AND (SELECT u.used > a.day_limit
                                FROM genflow.accounts a, genflow.rolling_use(p_user,
                                    clock_timestamp()) u
                               WHERE a.user_id = p_user) THEN
        RAISE EXCEPTION 'genflow: quota spent' USING ERRCODE = 'GF429';
    END IF;
END $$;

CREATE FUNCTION genflow.hook(p_provider text, p_kind text, p_id uuid, p_token text, p_event text, p_ref text, p_owner text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
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
GRANT EXECUTE ON FUNCTION genflow.hook(text,text,uuid,text,text,text,text) TO genflow_module;

CREATE FUNCTION genflow.hook_known(p_provider text, p_id uuid, p_token text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT EXISTS (SELECT FROM genflow.attempts t WHERE t.job_id = p_id AND t.provider = p_provider
                   AND t.hook_token = p_token)
$$;
GRANT EXECUTE ON FUNCTION genflow.hook_known(text,uuid,text) TO genflow_module;

CREATE FUNCTION genflow.hook_ref(p_id uuid, p_epoch integer) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT w.provider_ref FROM genflow.work w WHERE w.job_id = p_id AND w.epoch = p_epoch
$$;
GRANT EXECUTE ON FUNCTION genflow.hook_ref(uuid,integer) TO genflow_module;

CREATE FUNCTION genflow.host_seen(p_name text, p_version text, p_needed integer, p_dispatches boolean, p_settings text, p_clock bigint, OUT clock_ahead bigint, OUT differs text, OUT idle boolean) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    clock_ahead := p_clock - (extract(epoch FROM v_now) * 1000)::bigint;
    INSERT INTO genflow.hosts AS h (name, version, schema_needed, dispatches, settings, clock_ahead)
        VALUES (p_name, p_version, p_needed, p_dispatches, p_settings::jsonb,
                host_seen.clock_ahead)
        ON CONFLICT (name) DO UPDATE
        SET version = EXCLUDED.version, schema_needed = EXCLUDED.schema_needed,
            dispatches = EXCLUDED.dispatches, settings = EXCLUDED.settings,
            clock_ahead = EXCLUDED.clock_ahead, seen_at = v_now,
            began_at = CASE WHEN h.settings = EXCLUDED.settings THEN h.began_at ELSE v_now END;
    differs := (SELECT string_agg(format('%s (not as %s)', d.kind, d.names), ', ' ORDER BY d.kind)
                  FROM (SELECT m.key AS kind, string_agg(o.name, ', ' ORDER BY o.name) AS names
                          FROM jsonb_each_text(p_settings::jsonb) m
                          JOIN genflow.hosts o ON o.name <> p_name
                           AND o.seen_at > v_now - interval '1 minute'
                           AND o.settings ->> m.key <> m.value
                         GROUP BY m.key) d);
    idle := genflow.nobody_works();
END $$;
GRANT EXECUTE ON FUNCTION genflow.host_seen(text,text,integer,boolean,text,bigint) TO genflow_module;

CREATE FUNCTION genflow.id_at(p_at timestamp with time zone) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT (lpad(to_hex((extract(epoch FROM p_at) * 1000)::bigint), 12, '0')
            || repeat('0', 20))::uuid
$$;

CREATE FUNCTION genflow.id_type(p_id uuid) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT CASE WHEN get_byte(uuid_send(p_id), 6) >> 4 = 7 THEN get_byte(uuid_send(p_id), 10)
                ELSE 0 END
$$;

CREATE FUNCTION genflow.is_since(p_xmin xid, p_xid bigint, p_seen bigint[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT genflow.xid_distance(p_xmin, p_xid) < 2147483648
       AND genflow.xid_distance(p_xmin, p_xid) <> ALL (p_seen)
$$;

CREATE FUNCTION genflow.iso(p_at timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE AS
$$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
GRANT EXECUTE ON FUNCTION genflow.iso(timestamp with time zone) TO genflow_administration;

CREATE FUNCTION genflow.janitor(p_part text, p_limit integer, p_jobs interval, p_keys interval, p_media interval DEFAULT NULL::interval) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp SET jit=off SET enable_seqscan=off SET enable_bitmapscan=off SET enable_sort=off AS
$$
DECLARE
    v_over  timestamptz := clock_timestamp() - p_jobs;
    v_count integer := 0;
    t       genflow.types;
BEGIN
    CASE p_part
    WHEN 'attempts' THEN
        -- A generation created after v_over cannot have ended before it.
        WITH old AS MATERIALIZED (
            SELECT o.job_id, o.no FROM genflow.attempts o
             WHERE o.job_id < genflow.id_at(v_over)
               AND EXISTS (SELECT FROM genflow.ledger l WHERE l.ref = o.job_id AND l.phase = 2
                           AND l.at < v_over)
             ORDER BY o.job_id, o.no LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.attempts a USING old
         WHERE a.job_id = old.job_id AND a.no = old.no;
    WHEN 'hooks' THEN
        WITH old AS MATERIALIZED (
            SELECT o.provider, o.event FROM genflow.hooks o
             WHERE o.at < v_over AND EXISTS (SELECT FROM genflow.ledger l WHERE l.ref = o.job_id
                                             AND l.phase = 2 AND l.at < v_over)
             ORDER BY o.at LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.hooks h USING old
         WHERE h.provider = old.provider AND h.event = old.event;
    WHEN 'late_results' THEN
        WITH old AS MATERIALIZED (
            SELECT o.id FROM genflow.late_results o WHERE o.at < v_over ORDER BY o.id
                LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.late_results r USING old
         WHERE r.id = old.id;
    WHEN 'calls' THEN
        WITH old AS MATERIALIZED (
            SELECT o.call FROM genflow.calls o WHERE o.at < clock_timestamp() - interval '1 hour'
             ORDER BY o.at LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.calls c USING old
         WHERE c.call = old.call;
    WHEN 'keys' THEN
        WITH old AS MATERIALIZED (
            SELECT o.user_id, o.key FROM genflow.idempotency_keys o
             WHERE o.created_at < clock_timestamp() - p_keys
               AND NOT EXISTS (SELECT FROM genflow.work w WHERE w.job_id = o.job_id)
             ORDER BY o.created_at LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.idempotency_keys k USING old
         WHERE k.user_id = old.user_id AND k.key = old.key;
    WHEN 'budgets' THEN
        WITH old AS MATERIALIZED (
            SELECT o.provider, o.day, o.slot FROM genflow.budgets o
                WHERE o.day < (clock_timestamp() AT TIME ZONE 'UTC')::date - 31
             ORDER BY o.provider, o.day, o.slot LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.budgets b USING old
         WHERE b.provider = old.provider AND b.day = old.day AND b.slot = old.slot;
    WHEN 'lost_responses' THEN
        WITH old AS MATERIALIZED (
            SELECT o.id FROM genflow.lost_responses o
             WHERE o.at < clock_timestamp() - interval '15 minutes'
             ORDER BY o.at LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.lost_responses r USING old
         WHERE r.id = old.id;
    WHEN 'children' THEN
        DELETE FROM genflow.hosts h WHERE h.seen_at < clock_timestamp() - interval '1 day';
        INSERT INTO genflow.children (owner, expires)
        SELECT DISTINCT w.lease_owner, clock_timestamp() FROM genflow.work w
         WHERE w.led AND NOT EXISTS (SELECT FROM genflow.children c WHERE c.owner = w.lease_owner)
            ON CONFLICT DO NOTHING;
        WITH old AS MATERIALIZED (
            SELECT o.owner FROM genflow.children o
             WHERE o.expires < clock_timestamp() - interval '1 minute'
               AND NOT EXISTS (SELECT FROM genflow.work w WHERE w.led AND w.lease_owner = o.owner)
             LIMIT p_limit FOR UPDATE SKIP LOCKED),
        gone AS (DELETE FROM genflow.children c USING old WHERE c.owner = old.owner),
        over AS MATERIALIZED (
            SELECT o.owner, o.job_id, o.epoch FROM genflow.recalls o
             WHERE o.made_at < clock_timestamp() - interval '1 day'
             ORDER BY o.made_at LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.recalls r USING over
         WHERE r.owner = over.owner AND r.job_id = over.job_id AND r.epoch = over.epoch;
    WHEN 'sums' THEN
        RETURN genflow.sums_fold(p_limit);
    WHEN 'assets' THEN
        RETURN genflow.asset_sweep(p_limit);
    WHEN 'reservations' THEN
        RETURN genflow.reservations_expire(p_limit);
    WHEN 'ended_reservations' THEN
        v_over := clock_timestamp() - p_keys;
        WITH old AS MATERIALIZED (
            SELECT o.id FROM genflow.reservations o
             WHERE o.id < genflow.id_at(v_over) AND o.state <> 'open'
               AND EXISTS (SELECT FROM genflow.ledger l WHERE l.ref = o.id AND l.phase = 2
                           AND l.at < v_over)
               AND NOT EXISTS (SELECT FROM genflow.work w WHERE w.job_id = o.job_id)
             ORDER BY o.id LIMIT p_limit FOR UPDATE SKIP LOCKED)
        DELETE FROM genflow.reservations r USING old
         WHERE r.id = old.id;
    ELSE
        SELECT * INTO t FROM genflow.types y WHERE y.name = p_part;
        EXECUTE format('SELECT count(*) '
                       'FROM genflow.%I(NULL, $1, interval ''1 minute'', ''-infinity'', '
                       '''{}'', true)',
                       t.prefix || '_claim') INTO v_count USING p_limit;
        IF p_media IS NOT NULL AND v_count < p_limit THEN   -- else the next call comes at once
            EXECUTE format('SELECT count(*) FROM (SELECT m.user_id, m.id FROM %I.%I m
                                                   WHERE m.created_at AT TIME ZONE ''UTC''
                                                         < $1 AT TIME ZONE ''UTC''
                                                     AND m.finished_at < $1
                                                     AND NOT EXISTS (SELECT
                                                         FROM genflow.deliveries w
                                                             WHERE w.job_id = m.id)
                                                   ORDER BY m.created_at AT TIME ZONE ''UTC'', m.id
                                                       LIMIT $2 FOR UPDATE SKIP LOCKED) old,
                                   LATERAL genflow.%I(old.user_id, old.id) d',
                           t.media_schema, t.media_table, t.prefix || '_delete')
               INTO v_count USING clock_timestamp() - p_media, p_limit;
        END IF;
        RETURN v_count;
    END CASE;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;
GRANT EXECUTE ON FUNCTION genflow.janitor(text,integer,interval,interval,interval) TO genflow_module;

CREATE FUNCTION genflow.janitor_parts() RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT unnest(ARRAY['attempts', 'hooks', 'late_results', 'calls', 'keys', 'assets',
                        'reservations', 'ended_reservations',
                        'budgets', 'lost_responses', 'children', 'sums'])
    UNION ALL (SELECT t.name FROM genflow.types t ORDER BY t.no)
$$;
GRANT EXECUTE ON FUNCTION genflow.janitor_parts() TO genflow_module;

CREATE FUNCTION genflow.job_brief(p_id uuid) RETURNS genflow.job_brief
    LANGUAGE plpgsql STABLE SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v genflow.job_brief;
BEGIN
    CASE genflow.id_type(p_id)
        WHEN 0 THEN SELECT r.user_id, r.amount, CASE r.state WHEN 'open' THEN 'pending'
            ELSE 'cancelled' END
                      INTO v FROM genflow.reservations r WHERE r.id = p_id;
        WHEN 1 THEN SELECT t.user_id, t.cost, t.status, t.provider INTO v FROM public.neo_glitch_media t WHERE t.id = p_id;
        WHEN 2 THEN SELECT t.user_id, t.cost, t.status, t.provider INTO v FROM public.emotion_mask_media t WHERE t.id = p_id;
        WHEN 3 THEN SELECT t.user_id, t.cost, t.status, t.provider INTO v FROM public.presets_media t WHERE t.id = p_id;
        WHEN 4 THEN SELECT t.user_id, t.cost, t.status, t.provider INTO v FROM public.ghibli_reaction_media t WHERE t.id = p_id;
        WHEN 5 THEN SELECT t.user_id, t.cost, t.status, t.provider INTO v FROM public.custom_prompt_media t WHERE t.id = p_id;
        ELSE NULL;
    END CASE;
    RETURN v;
END $$;

CREATE FUNCTION genflow.key_of(p_key text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path=pg_catalog, pg_temp AS
$$
    SELECT CASE WHEN p_key ~ '^key:"([^"\\ ]|\\["\\])+"( [0-9]+)?$'
                THEN 'key:' || regexp_replace(substring(p_key FROM '^key:"(.+)"'), '\\(["\\])',
                                              '\1', 'g')
                            || coalesce(substring(p_key FROM '"( [0-9]+)$'), '')
                ELSE p_key END
$$;

CREATE FUNCTION genflow.lane_ahead(p_type smallint, p_priority smallint, p_turn timestamp with time zone, OUT ahead bigint, OUT head uuid) RETURNS record
    LANGUAGE plpgsql STABLE SET search_path=pg_catalog, pg_temp SET plan_cache_mode=force_generic_plan SET jit=off SET enable_seqscan=off SET enable_bitmapscan=off SET enable_sort=off AS
$$
DECLARE
    v_counted CONSTANT integer := 100;
    v_probes  CONSTANT integer := 8;
    v_first   timestamptz;                                  -- turn of the head
    v_from    timestamptz;                                  -- of the first job that is counted
    v_slice   interval;
    v_at      timestamptz;
    v_rows    integer;
    v_last    timestamptz;
BEGIN
    SELECT count(*), min(s.turn), (array_agg(s.job_id))[count(*)::integer] INTO ahead, v_from, head
      FROM (SELECT w.turn, w.job_id FROM genflow.work w
             WHERE w.type_no = p_type AND w.priority = p_priority AND w.turn < p_turn
             ORDER BY w.turn DESC LIMIT v_counted + 1) s;
    IF ahead <= v_counted THEN
        RETURN;
    END IF;
    SELECT w.turn, w.job_id INTO v_first, head FROM genflow.work w
     WHERE w.type_no = p_type AND w.priority = p_priority AND w.turn <= v_from
     ORDER BY w.turn LIMIT 1;
    v_slice := (v_from - v_first) / v_probes;
    FOR i IN 0 .. v_probes - 1 LOOP
        v_at := v_first + v_slice * (i + 0.5);
        SELECT count(*), max(s.turn) INTO v_rows, v_last
          FROM (SELECT w.turn FROM genflow.work w
                 WHERE w.type_no = p_type AND w.priority = p_priority
                   AND w.turn BETWEEN v_at AND v_from ORDER BY w.turn LIMIT 12) s;
        ahead := ahead + v_rows * extract(epoch FROM v_slice)
                 / greatest(extract(epoch FROM v_last - v_at), 0.000001);
    END LOOP;
END $$;

CREATE FUNCTION genflow.lease_end(w genflow.work) RETURNS timestamp with time zone
    LANGUAGE sql STABLE SET search_path=pg_catalog, pg_temp AS
$$
    SELECT CASE WHEN w.led THEN least(w.due_at, greatest(w.leased_until,
                    (SELECT c.expires FROM genflow.children c WHERE c.owner = w.lease_owner)))
                ELSE w.due_at END
$$;

CREATE FUNCTION genflow.ledger_apply() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_job     genflow.job_brief;
    v_account genflow.accounts;
    v_week    date := genflow.week_of(NEW.window_day);
BEGIN
    IF NEW.kind IN ('hold', 'capture', 'release') THEN
        v_job := genflow.job_brief(NEW.ref);
        -- its media row is gone: the user is the one of the hold
        IF NEW.kind = 'release' AND v_job.status IS NULL THEN
            SELECT h.user_id, h.amount, 'failed' INTO v_job FROM genflow.ledger h
                WHERE h.ref = NEW.ref AND h.kind = 'hold';
        END IF;
        IF v_job.user_id IS DISTINCT FROM NEW.user_id
           OR (NEW.kind = 'hold'
               AND (v_job.status NOT IN ('pending', 'processing') OR v_job.cost <> NEW.amount
                    OR (genflow.id_type(NEW.ref) <> 0
                        AND NOT EXISTS (SELECT FROM genflow.work w WHERE w.job_id = NEW.ref
                                        AND w.cost = NEW.amount))))
           OR (NEW.kind = 'capture'
               AND (v_job.status <> 'completed' OR NEW.amount + NEW.released <> v_job.cost))
           OR (NEW.kind = 'release' AND (v_job.status NOT IN ('failed', 'cancelled')
                                         OR NEW.released <> v_job.cost))
        THEN
            RAISE EXCEPTION 'genflow: ledger % for % does not match its job', NEW.kind, NEW.ref
                USING ERRCODE = 'GF501';
        END IF;
    END IF;

    CASE NEW.kind
    WHEN 'hold' THEN
        -- If the clock steps back over midnight, counting continues in the later window, so that
        -- no quota is granted twice. A clock that was a year wrong does not block the user for a
        -- year.
        UPDATE genflow.accounts a SET
            entries   = a.entries + 1,
            held      = a.held + NEW.amount,
            day       = CASE WHEN a.day = NEW.window_day + 1 THEN a.day ELSE NEW.window_day END,
            day_used  = CASE WHEN a.day BETWEEN NEW.window_day AND NEW.window_day + 1
                THEN a.day_used ELSE 0 END + NEW.amount,
            week      = CASE WHEN a.week = v_week + 7 THEN a.week ELSE v_week END,
            week_used = CASE WHEN a.week BETWEEN v_week AND v_week + 7 THEN a.week_used
                ELSE 0 END + NEW.amount,
            generations = a.generations + CASE genflow.id_type(NEW.ref) WHEN 0 THEN 0 ELSE 1 END
        WHERE a.user_id = NEW.user_id AND NOT a.blocked
          AND a.balance - a.held >= NEW.amount
          AND (NEW.amount = 0 OR a.day_limit IS NULL
               OR CASE WHEN a.day BETWEEN NEW.window_day AND NEW.window_day + 1 THEN a.day_used
                   ELSE 0 END
                  + NEW.amount <= a.day_limit)
          AND (NEW.amount = 0 OR a.week_limit IS NULL
               OR CASE WHEN a.week BETWEEN v_week AND v_week + 7 THEN a.week_used ELSE 0 END
                  + NEW.amount <= a.week_limit);
        IF NOT FOUND THEN
            SELECT * INTO v_account FROM genflow.accounts a WHERE a.user_id = NEW.user_id;
            IF NOT FOUND OR v_account.blocked THEN
                RAISE EXCEPTION 'genflow: no account' USING ERRCODE = 'GF403';
            ELSIF v_account.balance - v_account.held < NEW.amount THEN
                RAISE EXCEPTION 'genflow: too few credits' USING ERRCODE = 'GF402';
            ELSE
                RAISE EXCEPTION 'genflow: quota spent' USING ERRCODE = 'GF429';
            END IF;
        END IF;
    WHEN 'capture' THEN
        UPDATE genflow.accounts a SET balance = a.balance - NEW.amount,
            held = a.held - NEW.amount - NEW.released,
            entries = a.entries + 1
         WHERE a.user_id = NEW.user_id;
    WHEN 'release' THEN
        -- Releases the hold and, while its window still counts, the quota. It never raises an
        -- error: a release must always pass.
        UPDATE genflow.accounts a SET
            entries   = a.entries + 1,
            held      = a.held - NEW.released,
            day_used  = CASE WHEN a.day = NEW.window_day THEN greatest(a.day_used - NEW.released, 0)
                ELSE a.day_used END,
            week_used = CASE WHEN a.week = v_week THEN greatest(a.week_used - NEW.released, 0)
                ELSE a.week_used END
         WHERE a.user_id = NEW.user_id;
    WHEN 'refund' THEN
        IF NOT EXISTS (SELECT FROM genflow.ledger c WHERE c.ref = NEW.ref AND c.kind = 'capture'
                          AND c.user_id = NEW.user_id AND c.amount >= NEW.amount) THEN
            RAISE EXCEPTION 'genflow: refund without a charge' USING ERRCODE = 'GF502';
        END IF;
        UPDATE genflow.accounts a SET balance = a.balance + NEW.amount, entries = a.entries + 1
            WHERE a.user_id = NEW.user_id;
    ELSE                                                            -- grant, adjust
        IF NEW.amount < 0 THEN
            UPDATE genflow.accounts a SET balance = a.balance + NEW.amount, entries = a.entries + 1
                WHERE a.user_id = NEW.user_id;
        ELSE
            INSERT INTO genflow.accounts AS a (user_id, balance, entries)
                VALUES (NEW.user_id, NEW.amount, 1)
                ON CONFLICT (user_id) DO UPDATE SET balance = a.balance + EXCLUDED.balance,
                    entries = a.entries + 1;
        END IF;
    END CASE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'genflow: no account' USING ERRCODE = 'GF403';
    END IF;
    IF NEW.api_key IS NOT NULL AND NEW.amount > 0 THEN
        PERFORM genflow.api_key_hold(NEW.api_key, NEW.amount, NEW.window_day);
    ELSIF NEW.released > 0 THEN
        PERFORM genflow.api_key_return(NEW.ref, NEW.released);
    END IF;
    INSERT INTO genflow.sums_new (type_no, provider, kind, outcome, amount, released)
    VALUES (CASE WHEN NEW.kind IN ('grant', 'adjust') THEN 0 ELSE genflow.id_type(NEW.ref) END,
            CASE WHEN NEW.kind IN ('capture', 'release') THEN coalesce(v_job.provider, '')
                ELSE '' END, NEW.kind,
            CASE WHEN NEW.kind IN ('capture', 'release') THEN v_job.status ELSE '' END,
            NEW.amount, NEW.released);
    RETURN NULL;
END $$;

CREATE FUNCTION genflow.ledger_list(p_user text, p_cursor text, p_limit integer) RETURNS TABLE(ref uuid, kind text, amount bigint, balance_after bigint, credits bigint, reason text, reference text, job_id uuid, request_id text, at text, cursor text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
#variable_conflict use_column
DECLARE
    v_at    timestamptz := 'infinity';
    v_phase smallint := 0;
    v_ref   uuid := '00000000-0000-0000-0000-000000000000';
    v_spend bigint := coalesce((SELECT a.balance - a.held FROM genflow.accounts a
                                WHERE a.user_id = p_user), 0);
    v_part  text[];
BEGIN
    IF p_cursor IS NOT NULL THEN                    -- microseconds, phase, ref, balance before it
        v_part := regexp_match(p_cursor,
                               '^(\d{1,17})_([0-3])_'
                               '([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_(-?\d{1,18})$');
        IF v_part IS NULL THEN
            RAISE EXCEPTION 'genflow: no cursor' USING ERRCODE = '22023';
        END IF;
        v_at := 'epoch'::timestamptz + v_part[1]::bigint * interval '1 microsecond';
        v_phase := v_part[2];
        v_ref := v_part[3];
        v_spend := v_part[4];
    END IF;
    RETURN QUERY
    WITH page AS (
        SELECT l.*, CASE WHEN l.kind = 'hold' THEN -l.amount WHEN l.kind IN ('capture', 'release')
            THEN l.released
                         ELSE l.amount END AS change
          FROM genflow.ledger l
         WHERE l.user_id = p_user AND (l.at, l.phase, l.ref) < (v_at, v_phase, v_ref)
         ORDER BY l.at DESC, l.phase DESC, l.ref DESC LIMIT p_limit),
    priced AS (
        SELECT p.*, (v_spend - sum(p.change) OVER (ORDER BY p.at DESC, p.phase DESC,
                                                   p.ref DESC))::bigint AS before FROM page p)
    SELECT t.ref, t.kind, t.change, t.before + t.change, CASE t.kind WHEN 'release' THEN t.released
        ELSE t.amount END,
           coalesce(t.reason, r.action), t.external_ref, CASE WHEN genflow.id_type(t.ref) <> 0
               THEN t.ref ELSE r.job_id END,
           r.request_id, genflow.iso(t.at),
           concat_ws('_', (extract(epoch FROM t.at) * 1000000)::bigint, t.phase, t.ref, t.before)
      FROM priced t LEFT JOIN genflow.reservations r ON r.id = t.ref
     ORDER BY t.at DESC, t.phase DESC, t.ref DESC;
END $$;
GRANT EXECUTE ON FUNCTION genflow.ledger_list(text,text,integer) TO genflow_module;

CREATE FUNCTION genflow.ledger_sums() RETURNS TABLE(type_no smallint, provider text, kind text, outcome text, n bigint, amount bigint, released bigint)
    LANGUAGE sql STABLE SET search_path=pg_catalog, pg_temp AS
$$
    SELECT u.type_no, u.provider, u.kind, u.outcome, sum(u.n)::bigint, sum(u.amount)::bigint,
           sum(u.released)::bigint
      FROM (SELECT s.* FROM genflow.sums s
            UNION ALL SELECT d.type_no, d.provider, d.kind, d.outcome, 1, d.amount, d.released
                        FROM genflow.sums_new d) u
     GROUP BY 1, 2, 3, 4
$$;

CREATE FUNCTION genflow.like_words(p_words text[]) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path=pg_catalog, pg_temp AS
$$
    SELECT array_agg('%' || regexp_replace(genflow.folded(w.word), '([\\%_])', '\\\1', 'g') || '%')
      FROM unnest(p_words) AS w (word)
$$;

CREATE FUNCTION genflow.limits(p_user text, p_type_no smallint, p_concurrent integer, p_queue integer) RETURNS text
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    IF p_concurrent > 0 THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('genflow generations of ' || p_user, 0));
        IF (SELECT count(*) FROM (SELECT FROM genflow.work w WHERE w.user_id = p_user
                                  LIMIT p_concurrent) l) >= p_concurrent THEN
            RETURN 'too_many';
        END IF;
    END IF;
    IF p_queue > 0 AND (SELECT count(*) FROM (SELECT FROM genflow.work w WHERE w.type_no = p_type_no
                                              AND w.turn IS NOT NULL
                                               LIMIT p_queue) l) >= p_queue THEN
        RETURN 'queue_full';
    END IF;
    RETURN 'ok';
END $$;

CREATE FUNCTION genflow.list_bound() RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT 10000$$;

CREATE FUNCTION genflow.list_changed(p_user text, p_since timestamp with time zone, OUT ids uuid[], OUT is_many boolean) RETURNS record
    LANGUAGE plpgsql STABLE SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_entries bigint;
    v_edits   uuid[];
BEGIN
    v_edits := ARRAY(SELECT e.job_id FROM genflow.edits e
                      WHERE e.user_id = p_user AND e.at >= p_since
                      ORDER BY e.at LIMIT genflow.list_bound() + 1);
    SELECT count(*), array_agg(l.ref) FILTER (
               -- an id may be of a moment after it was created
               WHERE l.kind IN ('capture', 'release')
                 AND l.ref < genflow.id_at(greatest(p_since, 'epoch') + interval '1 minute'))
      INTO v_entries, ids
      FROM (SELECT n.ref, n.kind FROM genflow.ledger n
             WHERE n.user_id = p_user AND n.at >= p_since
             ORDER BY n.at LIMIT genflow.list_bound() + 1) l;
    is_many := greatest(v_entries, cardinality(v_edits)) > genflow.list_bound();
    ids := CASE WHEN NOT is_many THEN ids || v_edits END;
END $$;

CREATE FUNCTION genflow.list_query(p_types text[], p_status text, p_user text, p_preset text, p_at timestamp with time zone, p_tag text DEFAULT NULL::text, p_has_words boolean DEFAULT false, p_since timestamp with time zone DEFAULT NULL::timestamp with time zone, p_walks boolean DEFAULT false, p_favourite boolean DEFAULT false, OUT query text, OUT is_bounded boolean) RETURNS record
    LANGUAGE plpgsql STABLE SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_zone   text := CASE WHEN p_user IS NULL THEN ' AT TIME ZONE ''UTC''' ELSE '' END;
    v_lives  boolean := coalesce(p_status IN ('pending', 'processing'), false);
    v_by_tag boolean := p_tag IS NOT NULL AND NOT v_lives;
    v_first  text[] := array_remove(ARRAY[                  -- conditions, those of an index first
        CASE WHEN p_favourite THEN 'm.favourite' END,
        CASE WHEN p_status IN ('failed', 'cancelled') THEN 'm.unsuccessful = $2' END,
        CASE WHEN p_preset IS NOT NULL THEN 'm.preset = $3' END], NULL);
    v_conds  text[] := v_first || array_remove(ARRAY[
        CASE WHEN v_lives OR p_status = 'completed' THEN 'm.status = $2' END,
        CASE WHEN p_tag IS NOT NULL AND NOT v_by_tag THEN '$7 = ANY (m.tags)' END,
        CASE WHEN p_has_words
            THEN 'genflow.folded(concat_ws(chr(10), m.title, m.prompt)) LIKE ALL ($8)' END,
        CASE WHEN p_walks THEN
            '(m.created_at >= $9 OR m.finished_at >= $9 OR EXISTS (SELECT FROM genflow.edits e '
            'WHERE e.job_id = m.id AND e.at >= $9))' END], NULL);
    v_index  integer := CASE                                -- how many are left to an index
        WHEN p_tag IS NULL AND NOT p_has_words AND p_since IS NULL AND NOT p_favourite
            THEN cardinality(v_conds)
        WHEN v_by_tag OR v_lives THEN 0 ELSE least(cardinality(v_first), 1) END;
    v_at     text := CASE WHEN v_by_tag THEN 'k.created_at' ELSE 'm.created_at' || v_zone END;
    v_id     text := CASE WHEN v_by_tag THEN 'k.job_id' ELSE 'm.id' END;
    v_page   text := format('(%s, %s) < ($4%s, $5)', v_at, v_id, v_zone);
    v_rows   text := concat('(SELECT %1$s AS no, m.user_id, ',
        CASE WHEN v_by_tag THEN 'k.job_id AS id, k.created_at, ' ELSE 'm.id, m.created_at, ' END,
        coalesce(array_to_string(nullif(v_conds[v_index + 1:], '{}'), ' AND '), 'true'),
        ' AS matches FROM ',
        -- OFFSET 0: one row after the other, as many as are asked for
        CASE WHEN v_by_tag THEN 'genflow.tags k CROSS JOIN LATERAL (SELECT * FROM %2$I.%3$I t '
                                'WHERE t.id = k.job_id OFFSET 0) m '
            ELSE '%2$I.%3$I m ' END, 'WHERE ', concat_ws(' AND ', 'true',
            CASE WHEN v_by_tag THEN 'k.user_id = $1 AND k.tag = $7 AND k.type_no = %1$s'
                WHEN p_user IS NOT NULL THEN 'm.user_id = $1' END,
            CASE WHEN v_lives THEN
                concat('m.id = ANY (ARRAY(SELECT w.job_id FROM genflow.work w WHERE w.type_no = ',
                       '%1$s', CASE WHEN p_user IS NOT NULL THEN ' AND w.user_id = $1' END, '))')
                END,
            nullif(array_to_string(v_conds[:v_index], ' AND '), ''),
            CASE WHEN p_since IS NOT NULL AND NOT p_walks THEN v_at || ' >= $9' END,
            CASE WHEN p_at IS NOT NULL THEN v_page END),
        ' ORDER BY ', v_at, ' DESC, ', v_id, ' DESC LIMIT $6)');
BEGIN
    is_bounded := v_index < cardinality(v_conds);
    IF p_since IS NOT NULL AND NOT p_walks THEN             -- and the older ones that have changed
        v_rows := concat(v_rows, ' UNION ALL (SELECT %1$s, m.user_id, m.id, m.created_at, true '
            'FROM %2$I.%3$I m WHERE ', array_to_string(ARRAY['m.id = ANY ($10)', 'm.user_id = $1',
                'm.created_at < $9'] || v_conds, ' AND '),
            CASE WHEN v_by_tag THEN ' AND $7 = ANY (m.tags)' END,
            CASE WHEN p_at IS NOT NULL THEN ' AND (m.created_at, m.id) < ($4, $5)' END,
            ' ORDER BY m.created_at DESC, m.id DESC LIMIT $6)');
    END IF;
    query := (
        SELECT string_agg(format(v_rows, t.no, t.media_schema, t.media_table), ' UNION ALL '
                          ORDER BY t.no)
          FROM genflow.types t
         WHERE t.name = ANY (p_types)
           AND to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NOT NULL);
END $$;

CREATE FUNCTION genflow.live(p_ids uuid[]) RETURNS TABLE(id uuid, version text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT w.job_id, w.xmin::text FROM genflow.work w WHERE w.job_id = ANY (p_ids)
$$;
GRANT EXECUTE ON FUNCTION genflow.live(uuid[]) TO genflow_module;

CREATE FUNCTION genflow.live(p_ids uuid[], p_versions xid[]) RETURNS TABLE(id uuid, version text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp SET plan_cache_mode=force_custom_plan AS
$$
BEGIN
    RETURN QUERY SELECT u.id, w.xmin::text FROM unnest(p_ids, p_versions) AS u (id, version)
        LEFT JOIN genflow.work w ON w.job_id = u.id
        WHERE w.xmin IS DISTINCT FROM u.version;
END $$;
GRANT EXECUTE ON FUNCTION genflow.live(uuid[],xid[]) TO genflow_module;

CREATE FUNCTION genflow.lost_response_keep(p_user text, p_hash bytea, p_call uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    PERFORM genflow.lost_response_lock(p_user, p_hash);
    UPDATE genflow.lost_responses r SET taken = true
     WHERE r.user_id = p_user AND r.hash = p_hash AND r.held_by = p_call;
    RETURN FOUND;
END $$;
GRANT EXECUTE ON FUNCTION genflow.lost_response_keep(text,bytea,uuid) TO genflow_module;

CREATE FUNCTION genflow.lost_response_lock(p_user text, p_hash bytea) RETURNS void
    LANGUAGE sql SET search_path=pg_catalog, pg_temp AS
$$
    SELECT pg_advisory_xact_lock(
        hashtextextended('genflow lost ' || encode(p_hash, 'hex') || ' ' || p_user, 0))
$$;

CREATE FUNCTION genflow.lost_response_put(p_user text, p_hash bytea, p_jobs text, p_call uuid DEFAULT NULL::uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    IF genflow.call_begin(p_call) IS NULL THEN
        INSERT INTO genflow.lost_responses (user_id, hash, jobs)
        VALUES (p_user, p_hash, string_to_array(p_jobs, ',')::uuid[]);
        PERFORM genflow.call_keep(p_call, 'true');
    END IF;
    RETURN true;
END $$;
GRANT EXECUTE ON FUNCTION genflow.lost_response_put(text,bytea,text,uuid) TO genflow_module;

CREATE FUNCTION genflow.lost_response_take(p_user text, p_hash bytea, p_keys text, p_is_retry boolean, p_lifetime interval, p_call uuid DEFAULT NULL::uuid) RETURNS TABLE(id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_since timestamptz := clock_timestamp() - p_lifetime;
    v_until timestamptz;
    v_jobs  uuid[];
    v_key   text;
BEGIN
    PERFORM genflow.lost_response_lock(p_user, p_hash);
    v_until := clock_timestamp() + interval '200 ms';
    UPDATE genflow.lost_responses r SET held_by = p_call, held_until = v_until
     WHERE r.id = (SELECT o.id FROM genflow.lost_responses o
                    WHERE o.user_id = p_user AND o.hash = p_hash AND o.at >= v_since
                      AND NOT o.taken AND o.jobs <> '{}'
                      AND (o.held_by = p_call OR o.held_until IS NULL
                           OR o.held_until <= clock_timestamp())
                    ORDER BY o.held_by = p_call DESC NULLS LAST, o.at, o.id LIMIT 1)
    RETURNING r.jobs INTO v_jobs;
    IF NOT FOUND AND EXISTS (SELECT FROM genflow.lost_responses o
                              WHERE o.user_id = p_user AND o.hash = p_hash AND o.at >= v_since
                                AND NOT o.taken AND o.jobs <> '{}') THEN
        v_jobs := ARRAY[NULL::uuid];
    END IF;
    IF v_jobs IS NULL AND p_is_retry THEN
        UPDATE genflow.lost_responses r SET taken = true, held_by = p_call
         WHERE r.id = (SELECT o.id FROM genflow.lost_responses o
                        WHERE o.user_id = p_user AND o.hash = p_hash
                          AND o.at >= clock_timestamp() - interval '1 minute'
                          AND (NOT o.taken OR o.held_by = p_call) AND o.jobs = '{}'
                        ORDER BY o.held_by = p_call DESC NULLS LAST, o.at, o.id LIMIT 1);
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    IF v_jobs IS NULL THEN
        SELECT split_part(k.key, ' ', 1) INTO v_key
          FROM genflow.idempotency_keys k
         WHERE k.user_id = p_user AND k.key BETWEEN p_keys AND p_keys || 'g'
           AND starts_with(k.key, p_keys) AND k.created_at >= v_since
           AND (EXISTS (SELECT FROM genflow.work w WHERE w.job_id = k.job_id)
                OR p_is_retry
                   AND EXISTS (SELECT FROM genflow.ledger l
                                WHERE l.ref = k.job_id AND l.phase = 2
                                  AND l.at >= clock_timestamp() - interval '1 minute'))
         ORDER BY EXISTS (SELECT FROM genflow.lost_responses r
                           WHERE r.user_id = p_user AND r.hash = p_hash
                             AND k.job_id = ANY (r.jobs)),
                  k.created_at DESC
         LIMIT 1;
        IF p_is_retry THEN
            v_jobs := (SELECT array_agg(m.id) FROM genflow.made_before(p_user, v_key, '') m);
            INSERT INTO genflow.lost_responses (user_id, hash, jobs, held_by, held_until)
            SELECT p_user, p_hash, v_jobs, p_call, v_until WHERE v_jobs IS NOT NULL;
        ELSIF v_key IS NOT NULL THEN
            v_jobs := ARRAY[NULL::uuid];
        END IF;
    END IF;
    RETURN QUERY SELECT j FROM unnest(v_jobs) j;
END $$;
GRANT EXECUTE ON FUNCTION genflow.lost_response_take(text,bytea,text,boolean,interval,uuid) TO genflow_module;

CREATE FUNCTION genflow.made_at(p_id uuid) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_at timestamptz;
    t    genflow.types;
BEGIN
    SELECT * INTO t FROM genflow.types y
     WHERE y.name = genflow.type_of(p_id)
       AND to_regclass(format('%I.%I', y.media_schema, y.media_table)) IS NOT NULL;
    IF FOUND THEN
        EXECUTE format('SELECT m.created_at FROM %I.%I m WHERE m.id = $1', t.media_schema,
                       t.media_table) INTO v_at USING p_id;
    END IF;
    RETURN coalesce(v_at,
                    to_timestamp(('x' || left(replace(p_id::text, '-', ''),
                                              12))::bit(48)::bigint / 1000.0));
END $$;

CREATE FUNCTION genflow.made_before(p_user text, p_key text, p_hash bytea) RETURNS TABLE(outcome text, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT CASE WHEN k.request_hash = p_hash THEN 'replay' ELSE 'mismatch' END, k.job_id
      FROM generate_series(1, 10) n
      JOIN genflow.idempotency_keys k ON k.user_id = p_user
       AND k.key = genflow.key_of(CASE n WHEN 1 THEN p_key ELSE p_key || ' ' || n END)
     ORDER BY n
$$;
GRANT EXECUTE ON FUNCTION genflow.made_before(text,text,bytea) TO genflow_module;

CREATE FUNCTION genflow.media_find(p_user text, p_types text[], p_urls text[]) RETURNS TABLE(id uuid, type text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_sql text := (SELECT string_agg(format(
        '(SELECT m.id, %L::text AS type, m.created_at FROM %I.%I m WHERE m.user_id = $1 '
        'AND m.status = ''completed'' AND (m.image_url = ANY ($2) OR m.original_url = ANY ($2)) '
        'ORDER BY m.created_at DESC, m.id DESC LIMIT 1)', t.name, t.media_schema, t.media_table),
        ' UNION ALL ')
      FROM genflow.types t
     WHERE t.name = ANY (p_types)
       AND to_regclass(format('%I.%I', t.media_schema, t.media_table)) IS NOT NULL);
BEGIN
    IF v_sql IS NOT NULL THEN
        RETURN QUERY EXECUTE format('SELECT u.id, u.type FROM (%s) u ORDER BY u.created_at DESC '
                                    'LIMIT 1', v_sql) USING p_user, p_urls;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION genflow.media_find(text,text[],text[]) TO genflow_module;

CREATE FUNCTION genflow.media_mark(p_user text, p_id uuid, p_visibility text, p_remix boolean, p_tags text[], p_meta jsonb, OUT outcome text, OUT status text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    t      genflow.types;
    v_user text;
BEGIN
    outcome := 'not_found';
    SELECT * INTO t FROM genflow.types y
     WHERE y.name = genflow.type_of(p_id)
       AND to_regclass(format('%I.%I', y.media_schema, y.media_table)) IS NOT NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    EXECUTE format('UPDATE %I.%I m SET visibility = coalesce($3, m.visibility), '
                   'allow_remix = coalesce($4, m.allow_remix), tags = coalesce($5, m.tags), '
                   'meta = CASE WHEN $6 IS NULL THEN m.meta '
                   'ELSE coalesce(m.meta, ''{}'') || $6 END '
                   'WHERE m.id = $1 AND m.user_id = $2 AND m.status = ''completed'' '
                   'AND ($6 IS NULL '
                   'OR octet_length((coalesce(m.meta, ''{}'') || $6)::text) <= 65536) '
                   'RETURNING m.status', t.media_schema, t.media_table)
       INTO status USING p_id, p_user, p_visibility, p_remix, p_tags, p_meta;
    IF status IS NOT NULL THEN
        PERFORM genflow.edit_keep(p_user, p_id, t.no);
        outcome := 'ok';
        RETURN;
    END IF;
    EXECUTE format('SELECT m.user_id, m.status FROM %I.%I m WHERE m.id = $1', t.media_schema,
                   t.media_table) INTO v_user, status USING p_id;
    outcome := CASE WHEN v_user IS NULL THEN 'not_found' WHEN v_user <> p_user THEN 'not_yours'
        WHEN status = 'completed' AND p_meta IS NOT NULL THEN 'too_large'
        ELSE 'invalid_status' END;
    IF outcome <> 'invalid_status' THEN
        status := NULL;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION genflow.media_mark(text,uuid,text,boolean,text[],jsonb) TO genflow_module;

CREATE FUNCTION genflow.metrics() RETURNS TABLE(metric text, type text, provider text, word text, value bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp SET jit=off AS
$$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    PERFORM genflow.sums_fold(10000);
    RETURN QUERY
    WITH sums AS MATERIALIZED (
        SELECT t.name, s.* FROM genflow.ledger_sums() s
          LEFT JOIN genflow.types t ON t.no = s.type_no),
    live AS MATERIALIZED (
        SELECT t.name, w.phase, count(*) AS n, min(w.job_id::text) AS oldest
          FROM genflow.work w LEFT JOIN genflow.types t ON t.no = w.type_no GROUP BY 1, 2)
    SELECT 'genflow_generations_created', s.name, NULL, NULL, s.n FROM sums s
     WHERE s.kind = 'hold' AND s.type_no <> 0
    UNION ALL SELECT 'genflow_generations_ended', s.name, s.provider, s.outcome, s.n FROM sums s
     WHERE s.kind IN ('capture', 'release') AND s.type_no <> 0
    UNION ALL SELECT 'genflow_credits_held', s.name, NULL, NULL, s.amount FROM sums s
     WHERE s.kind = 'hold'
    UNION ALL SELECT 'genflow_credits_captured', s.name, NULL, NULL, s.amount FROM sums s
     WHERE s.kind = 'capture'
    UNION ALL SELECT 'genflow_credits_released', s.name, NULL, NULL, s.released FROM sums s
     WHERE s.kind IN ('capture', 'release')
    UNION ALL SELECT 'genflow_credits_refunded', s.name, NULL, NULL, s.amount FROM sums s
     WHERE s.kind = 'refund'
    UNION ALL SELECT 'genflow_credits_granted', NULL, NULL, NULL, s.amount FROM sums s
     WHERE s.kind = 'grant'
    UNION ALL SELECT 'genflow_credits_adjusted', NULL, NULL, NULL, s.amount FROM sums s
     WHERE s.kind = 'adjust'
    UNION ALL SELECT 'genflow_credits_on_hold', NULL, NULL, NULL,
                     CASE s.kind WHEN 'hold' THEN s.amount ELSE -(s.amount + s.released) END
      FROM sums s WHERE s.kind IN ('hold', 'capture', 'release')
    UNION ALL SELECT 'genflow_generations_live', l.name, NULL, l.phase, l.n FROM live l
    UNION ALL SELECT 'genflow_queue_oldest_seconds', l.name, NULL, NULL,
                     greatest((extract(epoch FROM v_now) * 1000000)::bigint - 1000
                              * ('x' || left(replace(l.oldest, '-', ''), 12))::bit(48)::bigint, 0)
      FROM live l WHERE l.phase = 'queued'
    UNION ALL SELECT 'genflow_breakers_open', NULL, b.provider, NULL, count(*)
      FROM genflow.breakers b WHERE b.open_until > v_now GROUP BY b.provider
    UNION ALL SELECT 'genflow_provider_budget_spent', NULL, b.provider, NULL, b.spent
      FROM genflow.budgets() b
    UNION ALL SELECT 'genflow_webhooks_waiting', NULL, NULL, NULL, count(*) FROM genflow.deliveries
    UNION ALL SELECT 'genflow_webhooks_overdue', NULL, NULL, NULL, count(*)
      FROM genflow.deliveries d WHERE d.due_at < v_now - interval '1 minute'
    UNION ALL SELECT 'genflow_restores_waiting', NULL, NULL, NULL, count(*) FROM genflow.restores
    UNION ALL SELECT 'genflow_removals_waiting', NULL, NULL, NULL, count(*) FROM genflow.removals
    UNION ALL SELECT 'genflow_ledger_check_timestamp_seconds', NULL, NULL, NULL,
                     (extract(epoch FROM c.at) * 1000000)::bigint FROM genflow.checks c
     WHERE isfinite(c.at)
    UNION ALL SELECT 'genflow_ledger_check_broken_rules', NULL, NULL, NULL, c.broken::bigint
      FROM genflow.checks c
    UNION ALL SELECT 'genflow_database_lock_waits', NULL, NULL, NULL, count(DISTINCT l.pid)
      FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE NOT l.granted AND a.datname = current_database();
END $$;
GRANT EXECUTE ON FUNCTION genflow.metrics() TO genflow_module;

CREATE FUNCTION genflow.neo_glitch_accepted(p_id uuid, p_epoch integer, p_no smallint, p_provider text, p_kind text, p_ref text, p_lease interval, p_call uuid DEFAULT NULL::uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    w       genflow.work;
    v_stale boolean;
BEGIN
    SELECT * INTO w FROM genflow.work t WHERE t.job_id = p_id FOR UPDATE;
    UPDATE genflow.attempts a SET provider_ref = p_ref WHERE a.job_id = p_id AND a.no = p_no;
    v_stale := w.epoch <> p_epoch;
    IF w.job_id IS NULL THEN
        RETURN 'gone';
    ELSIF v_stale AND (w.phase <> 'sending' OR w.attempts <> p_no) THEN
        RETURN 'stale';
    ELSIF w.provider_ref = p_ref THEN
        RETURN CASE WHEN w.call = p_call THEN 'ok' ELSE 'reported' END;
    END IF;
    UPDATE genflow.work t SET phase = 'working', provider_ref = p_ref, call = p_call,
           due_at = CASE WHEN v_stale OR t.led THEN t.due_at
               ELSE least(clock_timestamp() + p_lease, t.deadline_at) END,
           leased_until = CASE WHEN v_stale THEN t.leased_until
               ELSE clock_timestamp() + p_lease END
     WHERE t.job_id = p_id;
    UPDATE public.neo_glitch_media m SET provider_kind = p_kind, provider_ref = p_ref WHERE m.id = p_id;
    RETURN CASE WHEN v_stale THEN 'stale' ELSE 'ok' END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_accepted(uuid,integer,smallint,text,text,text,interval,uuid) TO genflow_module;

CREATE FUNCTION genflow.neo_glitch_cancel(p_user text, p_id uuid, p_call uuid DEFAULT NULL::uuid, OUT outcome text, OUT status text, OUT owner text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_user text;
BEGIN
    SELECT m.user_id INTO v_user FROM public.neo_glitch_media m WHERE m.id = p_id;
    IF v_user IS DISTINCT FROM p_user THEN
        outcome := CASE WHEN v_user IS NULL THEN 'not_found' ELSE 'not_yours' END;
        RETURN;
    END IF;
    SELECT w.lease_owner INTO owner FROM genflow.work w WHERE w.job_id = p_id FOR UPDATE;
    IF FOUND THEN
        PERFORM genflow.neo_glitch_settle(p_id, NULL, 'cancelled', NULL, NULL, NULL, NULL, NULL, NULL,
                                        NULL, NULL, NULL, NULL,
                                         p_call => p_call);
        outcome := 'ok';
        status := 'cancelled';
    ELSE
        SELECT m.status INTO status FROM public.neo_glitch_media m WHERE m.id = p_id;
        outcome := CASE WHEN NOT FOUND THEN 'not_found' WHEN genflow.ended_by(p_id, p_call)
            THEN 'ok' ELSE 'invalid_status' END;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_cancel(text,uuid,uuid) TO genflow_module;

CREATE FUNCTION genflow.neo_glitch_claim(p_owner text, p_limit integer, p_lease interval, p_from timestamp with time zone, p_lines timestamp with time zone[] DEFAULT '{-infinity,-infinity,-infinity}'::timestamp with time zone[], p_ends boolean DEFAULT false, p_call uuid DEFAULT NULL::uuid, p_again boolean DEFAULT false) RETURNS TABLE(id uuid, epoch integer, phase text, attempts smallint, chain_pos smallint, retries smallint, provider text, model text, provider_ref text, deadline_ms bigint, user_id text, run_id text, preset text, prompt text, source_url text, parameters jsonb, seed bigint, max_retries smallint, due_at timestamp with time zone, age_ms bigint, lane smallint, picture_secret text, last_look boolean, request_hash jsonb)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp SET plan_cache_mode=force_generic_plan SET jit=off SET enable_seqscan=off SET enable_bitmapscan=off SET enable_sort=off AS
$$
DECLARE
    v_now  timestamptz := clock_timestamp();
    -- longer than a transaction that queues a job
    v_slack CONSTANT interval := '10 seconds';
    v_looks CONSTANT boolean := p_owner IS NOT NULL AND p_call IS NOT NULL;
    v_live uuid[];
    v_due  timestamptz[];
    v_lane smallint[];
    v_dead uuid[];
    v_wait uuid[];
    v_led  boolean;
    v_dead_children text[] := '{}';
    v_id   uuid;
BEGIN
    IF genflow.restored() IS NOT NULL THEN                  -- site.sql
        RETURN;
    END IF;
    IF p_again THEN
        UPDATE genflow.work w SET lease_owner = NULL, led = false, due_at = v_now
         WHERE w.type_no = 1 AND w.due_at > v_now AND w.lease_owner = p_owner
           AND w.call = p_call;
    END IF;
    -- A child that renews its lease meanwhile keeps it, or waits until this claim has its jobs.
    -- IS TRUE: the index of led jobs is used alone, whatever statistics the planner has.
    IF p_owner IS NOT NULL THEN
        v_dead_children := ARRAY(
            SELECT c.owner FROM genflow.children c
             WHERE c.expires <= v_now
               AND EXISTS (SELECT FROM genflow.work w
                            WHERE w.led AND w.lease_owner = c.owner
                              AND (w.type_no = 1) IS TRUE AND w.leased_until <= v_now)
               FOR SHARE OF c SKIP LOCKED);
    END IF;
    SELECT array_agg(s.job_id ORDER BY s.lane, s.at) FILTER (WHERE s.fate = 'take'),
           array_agg(s.at ORDER BY s.lane, s.at) FILTER (WHERE s.fate = 'take'),
           array_agg(s.lane ORDER BY s.lane, s.at) FILTER (WHERE s.fate = 'take'),
           array_agg(s.job_id ORDER BY s.user_id, s.job_id) FILTER (WHERE s.fate = 'end'),
           array_agg(s.job_id) FILTER (WHERE s.fate = 'wait'), bool_or(s.led)
      INTO v_live, v_due, v_lane, v_dead, v_wait, v_led
      FROM (SELECT d.job_id, d.user_id, d.lane, d.at, d.led, CASE WHEN
                   d.poison IS NOT NULL OR (d.lease_owner IS NOT NULL AND d.lost_leases >= 4)
                   OR (SELECT m.id FROM public.neo_glitch_media m WHERE m.id = d.job_id) IS NULL THEN 'end'
                   WHEN d.deadline_at <= v_now OR (d.last_look AND NOT v_looks)
                   THEN CASE WHEN d.begun AND NOT d.last_look AND v_looks THEN 'take' ELSE 'end' END
                   WHEN d.phase = 'sending' AND d.lease_owner IS NOT NULL THEN 'wait'
                       ELSE 'take' END AS fate
              FROM (SELECT * FROM (
                        SELECT 0::smallint AS lane, w.due_at AS at, w.job_id, w.user_id, w.phase,
                               w.lease_owner, w.lost_leases,
                               w.deadline_at, w.last_look, w.poison,
                               w.phase IN ('sending', 'working')
                                   OR w.lease_owner IS NOT NULL AS begun, w.led
                          FROM genflow.work w
                         WHERE w.type_no = 1 AND w.due_at BETWEEN p_from - v_slack AND v_now
                           AND (p_owner IS NOT NULL OR w.deadline_at <= v_now - CASE
                                WHEN w.last_look OR (w.phase IN ('queued', 'pending')
                                                     AND w.lease_owner IS NULL)
                                THEN interval '0' ELSE p_lease END)
                         ORDER BY w.due_at LIMIT p_limit FOR UPDATE SKIP LOCKED) begun
                    UNION ALL
                    SELECT * FROM (
                        SELECT 0::smallint, w.leased_until, w.job_id, w.user_id, w.phase,
                               w.lease_owner, w.lost_leases, w.deadline_at, w.last_look, w.poison,
                               true, w.led
                          FROM genflow.work w
                         WHERE w.led AND w.lease_owner = ANY (v_dead_children)
                           AND (w.type_no = 1) IS TRUE AND w.leased_until <= v_now
                           AND (w.due_at > v_now) IS TRUE
                         LIMIT p_limit FOR UPDATE SKIP LOCKED) of_dead_children
                    UNION ALL
                    SELECT l.lane::smallint, least(line.turn, v_now), line.job_id, line.user_id,
                           line.phase, line.lease_owner,
                           line.lost_leases, line.deadline_at, line.last_look, line.poison, false,
                           false
                      FROM unnest(p_lines) WITH ORDINALITY AS l(since, lane)
                     CROSS JOIN LATERAL (
                        SELECT w.* FROM genflow.work w
                         WHERE w.type_no = 1 AND w.priority = (2 - l.lane)::smallint
                           AND w.turn >= l.since - v_slack
                           AND w.deadline_at > v_now AND p_owner IS NOT NULL
                         ORDER BY w.turn LIMIT p_limit FOR UPDATE SKIP LOCKED) line
                    LIMIT p_limit) d) s;
    FOREACH v_id IN ARRAY coalesce(v_dead, '{}') LOOP
        SELECT w.job_id, CASE w.phase WHEN 'pending' THEN 'cancelled' ELSE 'failed' END, w.user_id,
               w.provider, w.model, w.retries,
               m.max_retries, (extract(epoch FROM v_now - m.created_at) * 1000)::bigint
          INTO id, phase, user_id, provider, model, retries, max_retries, age_ms
          FROM genflow.work w LEFT JOIN public.neo_glitch_media m ON m.id = w.job_id WHERE w.job_id = v_id;
        BEGIN
            PERFORM genflow.neo_glitch_settle(v_id, NULL, phase, NULL, NULL, NULL, NULL, NULL, NULL,
                                            NULL,
                                            CASE phase WHEN 'failed' THEN 'TIMEOUT' END,
                                            CASE phase WHEN 'failed'
                                                THEN 'The generation did not end within its time'
                                                 ELSE 'The generation was not started within its '
                                                      'time' END, NULL);
        -- a job that cannot be ended does not stop the others
        EXCEPTION
        WHEN lock_not_available OR deadlock_detected OR serialization_failure THEN
            RAISE;
        WHEN OTHERS THEN
            RAISE WARNING 'GF0644: job=% type=neo-glitch: it cannot be ended (SQLSTATE % %): see '
                          'genflow-doctor stuck', v_id, SQLSTATE,
                SQLERRM;
            PERFORM genflow.recall(ARRAY[v_id]);
            UPDATE genflow.work w SET poison = SQLSTATE || ': ' || SQLERRM, lease_owner = NULL,
                led = false, turn = NULL,
                   due_at = v_now + interval '1 minute', deadline_at = greatest(w.deadline_at,
                       v_now + interval '1 minute')
             WHERE w.job_id = v_id;
            CONTINUE;
        END;
        IF p_ends THEN
            RETURN NEXT;
        END IF;
    END LOOP;
    -- most claims find nothing and need no further statement
    IF v_led THEN
        PERFORM genflow.recall(v_live || v_wait);
    END IF;
    IF v_wait IS NOT NULL THEN
        UPDATE genflow.work w SET lease_owner = NULL, led = false,
            lost_leases = w.lost_leases + 1,
            due_at = least(v_now + p_lease, w.deadline_at)
         WHERE w.job_id = ANY (v_wait);
    END IF;
    IF v_live IS NULL THEN
        RETURN;
    END IF;
    UPDATE genflow.work w SET
        epoch       = w.epoch + 1,
        lost_leases = w.lost_leases + CASE WHEN w.lease_owner IS NULL THEN 0 ELSE 1 END,
        lease_owner = p_owner,
        led         = false,
        call        = p_call,
        turn        = NULL,
        due_at      = CASE WHEN w.deadline_at <= v_now THEN v_now + p_lease
            ELSE least(v_now + p_lease, w.deadline_at) END,
        deadline_at = CASE WHEN w.deadline_at <= v_now THEN v_now + p_lease ELSE w.deadline_at END,
        last_look   = w.last_look OR w.deadline_at <= v_now
     WHERE w.job_id = ANY (v_live);
    -- Their work begins now, if it did not begin before.
    UPDATE public.neo_glitch_media m SET status = 'processing', started_at = v_now
     WHERE m.id = ANY (v_live) AND m.status = 'pending';
    -- In the order in which they were leased. OFFSET 0: by key, job for job, whatever statistics
    -- the planner has.
    RETURN QUERY
    SELECT w.job_id, w.epoch, w.phase, w.attempts, w.chain_pos, w.retries, w.provider, w.model,
           w.provider_ref,
           (extract(epoch FROM w.deadline_at - v_now) * 1000)::bigint, m.user_id, m.run_id,
               m.preset, m.prompt,
           m.source_url, m.parameters, m.seed, m.max_retries, o.due_at,
           (extract(epoch FROM v_now - m.created_at) * 1000)::bigint, o.lane, w.picture_secret,
               w.last_look,
           CASE w.phase WHEN 'sending' THEN
               (SELECT a.request_hash FROM genflow.attempts a
                 WHERE a.job_id = w.job_id AND a.no = w.attempts) END
      FROM unnest(v_live, v_due, v_lane) AS o(job_id, due_at, lane)
     CROSS JOIN LATERAL (SELECT * FROM genflow.work t WHERE t.job_id = o.job_id OFFSET 0) w
     CROSS JOIN LATERAL (SELECT * FROM public.neo_glitch_media t WHERE t.id = o.job_id OFFSET 0) m;
END $$;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_claim(text,integer,interval,timestamp with time zone,timestamp with time zone[],boolean,uuid,boolean) TO genflow_module;

CREATE FUNCTION genflow.neo_glitch_create(p_user text, p_key text, p_hash bytea, p_run_id text, p_preset text, p_prompt text, p_source_url text, p_parameters jsonb, p_seed bigint, p_cost bigint, p_max_retries smallint, p_lifetime interval, p_owner text, p_lease interval, p_start boolean DEFAULT true, p_priority smallint DEFAULT 0, p_day text DEFAULT 'UTC'::text, p_concurrent integer DEFAULT 0, p_queue integer DEFAULT 0, p_chain_pos smallint DEFAULT 0, p_reserved text DEFAULT NULL::text, p_webhook_url text DEFAULT NULL::text, p_call uuid DEFAULT NULL::uuid, p_take boolean DEFAULT false, p_renew boolean DEFAULT false, p_fallback_of uuid DEFAULT NULL::uuid, p_provider text DEFAULT NULL::text, p_model text DEFAULT NULL::text, p_hook_token text DEFAULT NULL::text, p_budget bigint DEFAULT NULL::bigint, p_price bigint DEFAULT 1, p_request_hash jsonb DEFAULT NULL::jsonb, p_api_key text DEFAULT NULL::text, OUT outcome text, OUT id uuid, OUT epoch integer, OUT status text, OUT created_at text, OUT balance bigint, OUT held bigint, OUT picture_secret text, OUT intent text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_now  timestamptz := clock_timestamp();
    v_hash bytea;
    v_call uuid;
    v_made boolean;
    v_prior uuid;
    v_look record;
BEGIN
    p_key := genflow.key_of(p_key);
    SELECT * INTO v_look
      FROM genflow.afford(p_user, p_cost, p_day, coalesce(p_reserved, p_run_id), p_take);
    outcome := v_look.outcome;
    balance := v_look.balance;
    held := v_look.held;
    IF outcome = 'ok' AND p_api_key IS NOT NULL THEN
        outcome := genflow.api_key_afford(p_api_key, p_cost, v_look.day, v_look.reservation);
    END IF;
    IF outcome = 'ok' AND p_concurrent + p_queue > 0 THEN
        outcome := genflow.limits(p_user, 1::smallint, p_concurrent,
                                  CASE WHEN p_start AND p_owner IS NULL THEN p_queue ELSE 0 END);
    END IF;
    IF outcome = 'ok' AND genflow.restored() IS NOT NULL THEN
        outcome := 'restored';
    END IF;
    IF p_fallback_of IS NOT NULL THEN
        SELECT m.fallback_id INTO v_prior FROM public.neo_glitch_media m
         WHERE m.id = p_fallback_of AND m.user_id = p_user FOR UPDATE;
    END IF;
    IF outcome = 'ok' AND v_prior IS NULL THEN
        id := genflow.new_id(1);
        INSERT INTO genflow.idempotency_keys (user_id, key, request_hash, job_id, call)
            VALUES (p_user, p_key, p_hash, id, p_call)
            ON CONFLICT (user_id, key) DO NOTHING;
        v_made := FOUND;
        IF NOT v_made AND p_renew THEN
            -- a concurrent call waits here, and then finds the key with the new generation
            UPDATE genflow.idempotency_keys k
               SET request_hash = p_hash, job_id = neo_glitch_create.id, call = p_call,
                   created_at = v_now
             WHERE k.user_id = p_user AND k.key = p_key
               AND (genflow.job_brief(k.job_id)).status IN ('failed', 'cancelled');
            v_made := FOUND;
        END IF;
        IF v_made THEN
            status := CASE WHEN p_owner IS NULL THEN 'pending' ELSE 'processing' END;
            epoch := CASE WHEN p_owner IS NULL THEN 0 ELSE 1 END;
            created_at := genflow.iso(v_now);
            INSERT INTO public.neo_glitch_media (id, user_id, run_id, status, preset, prompt, source_url,
                                 parameters, seed, cost,
                                 max_retries, priority, webhook_url, created_at, visibility,
                                 started_at)
            VALUES (id, p_user, p_run_id, status, p_preset, p_prompt, p_source_url, p_parameters,
                    p_seed, p_cost,
                    p_max_retries, p_priority, p_webhook_url, v_now,
                    CASE WHEN p_take AND genflow.shares(p_user) THEN 'public' ELSE 'private' END,
                    CASE WHEN p_owner IS NOT NULL THEN v_now END);
            IF p_fallback_of IS NOT NULL THEN
                UPDATE public.neo_glitch_media m SET fallback_id = neo_glitch_create.id
                 WHERE m.id = p_fallback_of AND m.user_id = p_user;
            END IF;
            IF p_owner IS NOT NULL AND p_start AND p_provider IS NOT NULL THEN
                intent := genflow.attempt_at_once(p_provider, p_model, p_budget, p_price);
            END IF;
            INSERT INTO genflow.work (job_id, user_id, type_no, cost, phase, due_at, deadline_at,
                                      lease_owner, epoch, priority,
                                      chain_pos, attempts, provider, model)
            VALUES (id, p_user, 1, p_cost, CASE WHEN NOT p_start THEN 'pending'
                                                   WHEN intent IS NULL THEN 'queued'
                                                   ELSE 'sending' END,
                    CASE WHEN NOT p_start THEN v_now + p_lifetime WHEN p_owner IS NULL THEN v_now
                         ELSE least(v_now + p_lease, v_now + p_lifetime) END,
                    v_now + p_lifetime, p_owner, epoch, p_priority, p_chain_pos,
                    (intent IS NOT NULL)::integer,
                    CASE WHEN intent IS NOT NULL THEN p_provider END,
                    CASE WHEN intent IS NOT NULL THEN p_model END)
            RETURNING work.picture_secret INTO picture_secret;
            PERFORM genflow.reservation_take(p_user, id, v_look.reservation, p_take);
            PERFORM genflow.hold(id, p_user, p_cost, v_look.day, p_day, p_api_key);
            -- of several generations of a prediction the first one
            IF p_parameters #>> '{front,start}' = 'true' AND p_webhook_url IS NOT NULL AND p_start
               AND (NOT p_parameters->'front' ? 'count' OR p_run_id LIKE '%-1') THEN
                INSERT INTO genflow.deliveries (job_id, type_no, user_id, due_at, event)
                    VALUES (id, 1, p_user, v_now, 'start');
            END IF;
            -- behind the hold, as a later intent is
            IF intent IS NOT NULL THEN
                INSERT INTO genflow.attempts (job_id, no, epoch, provider, model, seed, hook_token,
                                              request_hash)
                VALUES (id, 1, epoch, p_provider, p_model, p_seed, p_hook_token, p_request_hash);
                IF p_budget IS NOT NULL THEN
                    PERFORM genflow.budget_add(p_provider, p_price);
                END IF;
            END IF;
            RETURN;
        END IF;
    END IF;

    -- Refused, or the key is taken: the generation that it created before is the answer, even if
    -- the credits would not suffice again.
    SELECT k.job_id, k.request_hash, k.call INTO id, v_hash, v_call
      FROM genflow.idempotency_keys k WHERE k.user_id = p_user AND k.key = p_key;
    IF NOT FOUND OR (v_prior IS NOT NULL AND id <> v_prior) THEN
        id := v_prior;
        IF v_prior IS NOT NULL THEN
            outcome := 'replay';
            status := (genflow.job_brief(id)).status;
        END IF;
    -- this very call created it, but its answer was lost
    ELSIF v_call = p_call THEN
        outcome := 'ok';
        status := CASE WHEN p_owner IS NULL THEN 'pending' ELSE 'processing' END;
        epoch := CASE WHEN p_owner IS NULL THEN 0 ELSE 1 END;
        created_at := (SELECT genflow.iso(m.created_at) FROM public.neo_glitch_media m
                       WHERE m.id = neo_glitch_create.id);
        picture_secret := (SELECT w.picture_secret FROM genflow.work w
                           WHERE w.job_id = neo_glitch_create.id);
        IF p_provider IS NOT NULL AND EXISTS (
            SELECT FROM genflow.work w WHERE w.job_id = neo_glitch_create.id AND w.epoch = 1
                AND w.lease_owner = p_owner AND w.phase = 'sending' AND w.attempts = 1) THEN
            intent := CASE WHEN EXISTS (SELECT FROM genflow.breakers b WHERE b.provider = p_provider
                                         AND b.model = p_model) THEN 'watched' ELSE 'ok' END;
        END IF;
    ELSE
        status := (genflow.job_brief(id)).status;
        IF p_renew AND outcome <> 'ok' AND status IN ('failed', 'cancelled') THEN
            id := NULL;                                     -- refused: it would create a new one
        ELSE
            outcome := CASE WHEN v_hash <> p_hash THEN 'mismatch' ELSE 'replay' END;
        END IF;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_create(text,text,bytea,text,text,text,text,jsonb,bigint,bigint,smallint,interval,text,interval,boolean,smallint,text,integer,integer,smallint,text,text,uuid,boolean,boolean,uuid,text,text,text,bigint,bigint,jsonb,text) TO genflow_module;

CREATE FUNCTION genflow.neo_glitch_create_batch(p_user text, p_key text, p_hash bytea, p_run_ids text[], p_preset text, p_prompt text, p_source_url text, p_parameters jsonb, p_seeds bigint[], p_cost bigint, p_max_retries smallint, p_lifetime interval, p_owner text, p_lease interval, p_start boolean DEFAULT true, p_priority smallint DEFAULT 0, p_day text DEFAULT 'UTC'::text, p_concurrent integer DEFAULT 0, p_queue integer DEFAULT 0, p_chain_pos smallint DEFAULT 0, p_reserved text DEFAULT NULL::text, p_webhook_url text DEFAULT NULL::text, p_call uuid DEFAULT NULL::uuid, p_take boolean DEFAULT false, p_renew boolean DEFAULT false, p_api_key text DEFAULT NULL::text) RETURNS TABLE(outcome text, id uuid, epoch integer, status text, created_at text, balance bigint, held bigint, picture_secret text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
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
            SELECT * INTO r FROM genflow.neo_glitch_create(
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
    IF p_take AND genflow.shares(p_user) THEN
        UPDATE public.neo_glitch_media m SET visibility = 'public'
          FROM unnest(v_done, v_ids) AS made(outcome, id)
         WHERE m.id = made.id AND made.outcome = 'ok' AND m.visibility = 'private';
    END IF;
    RETURN QUERY SELECT u.outcome, u.id, u.epoch, u.status, u.created_at, r.balance, r.held,
        u.secret
                   FROM unnest(v_done, v_ids, v_epochs, v_states, v_created, v_secrets)
                     AS u(outcome, id, epoch, status, created_at, secret);
END $$;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_create_batch(text,text,bytea,text[],text,text,text,jsonb,bigint[],bigint,smallint,interval,text,interval,boolean,smallint,text,integer,integer,smallint,text,text,uuid,boolean,boolean,text) TO genflow_module;

CREATE FUNCTION genflow.neo_glitch_delete(p_user text, p_id uuid, p_call uuid DEFAULT NULL::uuid, OUT outcome text, OUT status text, OUT image_url text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_user  text;
    v_type  text;
    v_run   text;
    v_until timestamptz;
    v_first jsonb;
BEGIN
    -- A picture that is not persisted and expires is at its provider: the module cannot remove it.
    -- Several rows of an older system may have one picture under one run id. A thumbnail that is
    -- just being stored is removed afterwards: its host makes the removal due as soon as it can.
    DELETE FROM public.neo_glitch_media m WHERE m.id = p_id AND m.user_id = p_user AND m.finished_at IS NOT NULL
    RETURNING m.status, CASE WHEN m.persisted OR m.expires_at IS NULL THEN m.image_url END,
        m.result ->> 'type', CASE WHEN m.legacy_id IS NULL THEN m.run_id END,
        m.thumbnail_until
      INTO status, image_url, v_type, v_run, v_until;
    IF NOT FOUND THEN
        v_first := genflow.call_answer(p_call);
        IF v_first IS NOT NULL THEN
            outcome := 'ok';
            status := v_first->>'status';
            image_url := v_first->>'image_url';
            RETURN;
        END IF;
        SELECT m.user_id, m.status INTO v_user, status FROM public.neo_glitch_media m WHERE m.id = p_id;
        outcome := CASE WHEN v_user = p_user THEN 'invalid_status' WHEN v_user IS NULL
            THEN 'not_found' ELSE 'not_yours' END;
        RETURN;
    END IF;
    DELETE FROM genflow.restores r WHERE r.job_id = p_id;
    DELETE FROM genflow.edits e WHERE e.job_id = p_id;
    PERFORM genflow.removal_add(p_id, 1::smallint, image_url, v_type,
                                genflow.picture_secret(p_id, image_url), v_run,
                                CASE WHEN v_until > clock_timestamp() THEN v_until END)
      WHERE image_url IS NOT NULL;
    PERFORM genflow.call_keep(p_call, jsonb_build_object('status', status, 'image_url', image_url));
    outcome := 'ok';
END $$;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_delete(text,uuid,uuid) TO genflow_module;

CREATE FUNCTION genflow.neo_glitch_edit(p_user text, p_id uuid, p_tags text[], p_favourite boolean, p_title text, p_titled boolean, OUT outcome text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    UPDATE public.neo_glitch_media m SET
        tags = CASE WHEN p_tags IS NULL THEN m.tags ELSE nullif(p_tags, '{}') END,
        favourite = coalesce(p_favourite, m.favourite),
        title = CASE WHEN p_titled THEN p_title ELSE m.title END
     WHERE m.id = p_id AND m.user_id = p_user
       AND (p_favourite <> m.favourite OR (p_titled AND p_title IS DISTINCT FROM m.title)
            OR (p_tags IS NOT NULL AND nullif(p_tags, '{}') IS DISTINCT FROM m.tags));
    IF FOUND THEN
        PERFORM genflow.edit_keep(p_user, p_id, 1::smallint);
        outcome := 'ok';
        RETURN;
    END IF;
    outcome := CASE WHEN EXISTS (SELECT FROM public.neo_glitch_media m WHERE m.id = p_id AND m.user_id = p_user)
        THEN 'ok' ELSE 'not_found' END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_edit(text,uuid,text[],boolean,text,boolean) TO genflow_module;

CREATE FUNCTION genflow.neo_glitch_get(p_user text, p_id uuid, p_run_id text DEFAULT NULL::text, p_ref text DEFAULT NULL::text, p_kind text DEFAULT NULL::text) RETURNS genflow.generation
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    m public.neo_glitch_media;
    w genflow.work;
    g genflow.generation;
    q record;
BEGIN
    IF p_id IS NOT NULL THEN
        SELECT * INTO m FROM public.neo_glitch_media t WHERE t.id = p_id;
        IF NOT FOUND THEN
            SELECT * INTO m FROM public.neo_glitch_media t WHERE t.legacy_id = p_id::text;
        END IF;
    ELSIF p_run_id IS NOT NULL THEN
        SELECT * INTO m FROM public.neo_glitch_media t WHERE t.user_id = p_user AND t.run_id = p_run_id
            ORDER BY t.id DESC LIMIT 1;
        IF NOT FOUND THEN
            SELECT * INTO m FROM public.neo_glitch_media t WHERE t.legacy_id = p_run_id;
        END IF;
    ELSE
        SELECT * INTO m FROM public.neo_glitch_media t
         WHERE t.provider_ref = p_ref AND (p_kind IS NULL OR t.provider_kind = p_kind)
         ORDER BY t.user_id = p_user DESC, t.id DESC LIMIT 1;
    END IF;
    IF m.id IS NULL THEN
        g.outcome := 'not_found';
        RETURN g;
    ELSIF m.user_id IS DISTINCT FROM p_user THEN
        g.outcome := 'not_yours';
        RETURN g;
    END IF;
    IF m.finished_at IS NULL THEN
        SELECT * INTO w FROM genflow.work t WHERE t.job_id = m.id;
        g.row_version := (SELECT t.xmin::text FROM genflow.work t WHERE t.job_id = m.id);
        m.provider := coalesce(w.provider, m.provider);
        m.model := coalesce(w.model, m.model);
        m.retry_count := coalesce(w.retries, m.retry_count);
        m.fallback_used := coalesce(w.chain_pos > 0, m.fallback_used);
    END IF;
    g.outcome := 'ok'; g.type := 'neo-glitch';
    g.id := m.id; g.run_id := coalesce(m.run_id, m.id::text); g.status := m.status;
    g.preset := m.preset; g.prompt := m.prompt; g.source_url := m.source_url;
    g.parameters := m.parameters; g.seed := m.seed;
    g.cost := m.cost; g.retry_count := m.retry_count; g.max_retries := m.max_retries;
    g.provider := m.provider; g.model := m.model;
    g.provider_kind := m.provider_kind; g.provider_ref := m.provider_ref;
    CASE m.provider_kind                                    -- for servers from before schema 18
    WHEN 'stability' THEN g.stability_job_id := m.provider_ref;
    WHEN 'aiml' THEN g.aiml_job_id := m.provider_ref;
    WHEN 'fal' THEN g.fal_job_id := m.provider_ref;
    WHEN 'replicate' THEN g.replicate_id := m.provider_ref;
    ELSE NULL;
    END CASE;
    g.image_url := m.image_url;
    g.original_url := m.original_url; g.persisted := m.persisted;
    g.expires_at := genflow.iso(m.expires_at);
    g.fallback_used := m.fallback_used; g.error_code := m.error_code;
    g.error_message := m.error_message;
    g.cause_code := m.cause_code; g.created_at := genflow.iso(m.created_at);
    g.started_at := genflow.iso(m.started_at);
    g.finished_at := genflow.iso(m.finished_at);
    g.processing_ms := (extract(epoch FROM m.finished_at - m.started_at) * 1000)::bigint;
    g.result := m.result; g.progress := w.progress; g.queue_position := w.queue_position;
    g.logs := w.provider_logs;
    IF w.turn IS NOT NULL THEN
        SELECT * INTO q FROM genflow.queue_place(w.type_no, w.priority, w.turn);
        g.queue_position := q.place;
        g.expected_seconds := ceil(least(q.place + 1, 1000000)
                                   * genflow.neo_glitch_pace(coalesce(q.head, m.id)));
    END IF;
    g.at := (extract(epoch FROM m.created_at) * 1000000)::bigint; g.webhook_url := m.webhook_url;
    g.priority := m.priority;
    g.legacy_id := m.legacy_id; g.visibility := m.visibility; g.allow_remix := m.allow_remix;
    g.tags := m.tags; g.meta := m.meta; g.favourite := m.favourite; g.title := m.title;
    g.age_ms := (extract(epoch FROM statement_timestamp() - m.created_at) * 1000)::bigint;
    g.started := m.finished_at IS NULL AND w.phase <> 'pending';
    g.user_id := m.user_id;
    IF m.parameters ? 'input' THEN
        g.input := m.parameters -> 'input';
        g.input_summary := jsonb_build_object(
            'mood', g.input -> 'mood', 'duration', g.input -> 'duration',
            'stylePreset', g.input -> 'stylePreset', 'seed', g.input -> 'seed');
    END IF;
    RETURN g;
END $$;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_get(text,uuid,text,text,text) TO genflow_administration;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_get(text,uuid,text,text,text) TO genflow_module;

CREATE FUNCTION genflow.neo_glitch_pace(p_id uuid) RETURNS double precision
    LANGUAGE plpgsql STABLE SET search_path=pg_catalog, pg_temp SET plan_cache_mode=force_generic_plan SET jit=off SET enable_seqscan=off SET enable_bitmapscan=off SET enable_sort=off AS
$$
DECLARE
    v_now  timestamptz := statement_timestamp();
    v_made timestamptz;
BEGIN
    SELECT m.created_at INTO v_made FROM public.neo_glitch_media m WHERE m.id = p_id;
    RETURN (SELECT extract(epoch FROM v_now - min(s.started_at)) / nullif(count(*), 0)
              FROM (SELECT m.started_at FROM public.neo_glitch_media m
                     WHERE (m.created_at AT TIME ZONE 'UTC', m.id)
                           < (v_made AT TIME ZONE 'UTC', p_id)
                     ORDER BY m.created_at AT TIME ZONE 'UTC' DESC, m.id DESC LIMIT 50) s
             WHERE s.started_at > v_now - interval '10 minutes');
END $$;

CREATE FUNCTION genflow.neo_glitch_restored(p_id uuid, p_image_url text, p_result jsonb) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    UPDATE public.neo_glitch_media t SET image_url = p_image_url, result = p_result, persisted = true,
        expires_at = NULL
     WHERE t.id = p_id AND t.status = 'completed' AND NOT t.persisted;
    DELETE FROM genflow.restores r WHERE r.job_id = p_id;
    IF EXISTS (SELECT FROM public.neo_glitch_media t WHERE t.id = p_id AND t.status = 'completed'
               AND t.persisted) THEN
        RETURN 'ok';
    END IF;
    PERFORM genflow.removal_add(p_id, 1::smallint, p_image_url, p_result ->> 'type',
                                genflow.picture_secret(p_id, p_image_url),
                                (SELECT t.run_id FROM public.neo_glitch_media t WHERE t.id = p_id));
    RETURN 'gone';
END $$;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_restored(uuid,text,jsonb) TO genflow_module;

CREATE FUNCTION genflow.neo_glitch_settle(p_id uuid, p_epoch integer, p_status text, p_provider text, p_model text, p_fallback boolean, p_image_url text, p_original_url text, p_persisted boolean, p_result jsonb, p_error_code text, p_error_message text, p_cause_code text, p_keeps interval DEFAULT NULL::interval, p_call uuid DEFAULT NULL::uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_now  timestamptz := clock_timestamp();
    v_ours boolean := p_status = 'completed' AND p_image_url IS NOT NULL
        AND (p_persisted OR p_keeps IS NULL);
    w      genflow.work;
    m      record;
BEGIN
    SELECT * INTO w FROM genflow.work t WHERE t.job_id = p_id FOR UPDATE;
    IF NOT FOUND THEN
        SELECT t.status, t.image_url, t.run_id INTO m FROM public.neo_glitch_media t WHERE t.id = p_id;
        IF FOUND AND m.status = p_status THEN
            RETURN CASE WHEN genflow.ended_by(p_id, p_call) THEN 'done' ELSE 'same' END;
        END IF;
        IF v_ours THEN
            PERFORM genflow.removal_add(p_id, 1::smallint, p_image_url, p_result ->> 'type',
                                        genflow.picture_secret(p_id, p_image_url), m.run_id);
        END IF;
        IF m.status IS NULL THEN
            RETURN 'unknown';
        END IF;
        IF p_status = 'completed' THEN
            INSERT INTO genflow.late_results (job_id, epoch, provider, result, call)
            SELECT p_id, p_epoch, p_provider, p_result, p_call
             WHERE NOT EXISTS (SELECT FROM genflow.late_results r WHERE r.job_id = p_id
                               AND r.call = p_call);
        END IF;
        RETURN 'settled';
    END IF;
    IF p_status <> 'completed' AND p_epoch <> w.epoch THEN
        RETURN 'stale';
    END IF;
    IF w.led AND p_epoch IS DISTINCT FROM w.epoch THEN
        PERFORM genflow.recall(ARRAY[p_id]);
    END IF;
    UPDATE public.neo_glitch_media t SET
        status = p_status, finished_at = v_now, provider = coalesce(p_provider, w.provider),
        model = coalesce(p_model, w.model),
        retry_count = w.retries, fallback_used = coalesce(p_fallback, w.chain_pos > 0),
        image_url = p_image_url,
        original_url = p_original_url, persisted = p_persisted, expires_at = v_now + p_keeps,
        result = p_result, error_code = p_error_code,
        error_message = p_error_message, cause_code = p_cause_code
     WHERE t.id = p_id
    RETURNING t.user_id, t.cost, t.webhook_url, t.run_id INTO m;
    -- the row went with its table: release the hold
    IF NOT FOUND THEN
        DELETE FROM genflow.work t WHERE t.job_id = p_id;
        INSERT INTO genflow.ledger (ref, kind, user_id, amount, released, at, window_day, call)
        SELECT p_id, 'release', h.user_id, 0, h.amount, v_now, h.window_day, p_call
          FROM genflow.ledger h WHERE h.ref = p_id AND h.kind = 'hold';
        IF v_ours THEN
            PERFORM genflow.removal_add(p_id, 1::smallint, p_image_url, p_result ->> 'type',
                                        w.picture_secret, NULL);
        END IF;
        RETURN 'unknown';
    END IF;
    IF p_status <> 'completed' AND w.epoch > 0 AND p_error_code IS DISTINCT FROM 'SITE_RESTORED'
        AND (
        p_epoch IS NULL OR p_error_code = 'STORE_FAILED' OR w.epoch > coalesce(
            (SELECT a.epoch FROM genflow.attempts a WHERE a.job_id = p_id AND a.no = w.attempts),
                1)) THEN
        PERFORM genflow.removal_add(p_id, 1::smallint, NULL, NULL, w.picture_secret, m.run_id,
                                    CASE WHEN p_epoch IS NULL AND w.lease_owner IS NOT NULL
                                        THEN greatest(genflow.lease_end(w), v_now) END);
    END IF;
    UPDATE genflow.attempts a SET outcome = coalesce(p_error_code, p_status), ended_at = v_now
     -- a failed attempt did not make the picture
     WHERE a.job_id = p_id AND a.no = w.attempts AND a.outcome IS NULL;
    DELETE FROM genflow.work t WHERE t.job_id = p_id;
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, released, at, window_day, call)
    SELECT p_id, CASE p_status WHEN 'completed' THEN 'capture' ELSE 'release' END, m.user_id,
           CASE p_status WHEN 'completed' THEN m.cost ELSE 0 END, CASE p_status WHEN 'completed'
               THEN 0 ELSE m.cost END,
           v_now, h.window_day, p_call
      FROM genflow.ledger h WHERE h.ref = p_id AND h.kind = 'hold';
    IF p_status = 'completed' AND NOT p_persisted THEN
        INSERT INTO genflow.restores (job_id, type_no, url, due_at, expires_at, picture_secret,
                                      run_id)
        VALUES (p_id, 1, p_image_url, v_now, v_now + p_keeps, w.picture_secret, m.run_id);
    END IF;
    IF m.webhook_url IS NOT NULL THEN
        INSERT INTO genflow.deliveries (job_id, type_no, user_id, due_at)
            VALUES (p_id, 1, m.user_id, v_now);
    END IF;
    RETURN 'done';
END $$;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_settle(uuid,integer,text,text,text,boolean,text,text,boolean,jsonb,text,text,text,interval,uuid) TO genflow_module;

CREATE FUNCTION genflow.neo_glitch_settle_get(p_user text, p_id uuid, p_epoch integer, p_status text, p_provider text, p_model text, p_fallback boolean, p_image_url text, p_original_url text, p_persisted boolean, p_result jsonb, p_error_code text, p_error_message text, p_cause_code text, p_keeps interval DEFAULT NULL::interval, p_call uuid DEFAULT NULL::uuid) RETURNS genflow.generation
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_outcome text := genflow.neo_glitch_settle(
        p_id, p_epoch, p_status, p_provider, p_model, p_fallback, p_image_url, p_original_url,
        p_persisted, p_result, p_error_code, p_error_message, p_cause_code, p_keeps, p_call);
    g         genflow.generation;
BEGIN
    IF p_user IS NOT NULL AND v_outcome IN ('done', 'same', 'settled') THEN
        g := genflow.neo_glitch_get(p_user, p_id);
    END IF;
    g.outcome := v_outcome;
    RETURN g;
END $$;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_settle_get(text,uuid,integer,text,text,text,boolean,text,text,boolean,jsonb,text,text,text,interval,uuid) TO genflow_module;

CREATE FUNCTION genflow.neo_glitch_start(p_user text, p_id uuid, p_owner text, p_lease interval, p_lifetime interval, p_call uuid DEFAULT NULL::uuid, OUT outcome text, OUT status text, OUT id uuid, OUT epoch integer, OUT preset text, OUT prompt text, OUT source_url text, OUT parameters jsonb, OUT seed bigint, OUT max_retries smallint, OUT age_ms bigint, OUT picture_secret text, OUT run_id text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_now  timestamptz := clock_timestamp();
    v_user text;
BEGIN
    IF genflow.restored() IS NOT NULL THEN
        outcome := 'restored';
        RETURN;
    END IF;
    UPDATE genflow.work w SET
        phase       = 'queued',
        start_call  = p_call,
        lease_owner = p_owner,
        epoch       = CASE WHEN p_owner IS NULL THEN 0 ELSE 1 END,
        deadline_at = v_now + p_lifetime,
        due_at      = CASE WHEN p_owner IS NULL THEN v_now
            ELSE least(v_now + p_lease, v_now + p_lifetime) END
     WHERE w.job_id = p_id AND w.user_id = p_user AND w.phase = 'pending'
    RETURNING w.epoch, w.picture_secret INTO epoch, picture_secret;
    IF FOUND THEN
        UPDATE public.neo_glitch_media m SET status = CASE WHEN p_owner IS NULL THEN m.status ELSE 'processing' END,
               started_at = CASE WHEN p_owner IS NOT NULL THEN v_now END
         WHERE m.id = p_id
        RETURNING 'ok', m.status, m.id, m.preset, m.prompt, m.source_url, m.parameters, m.seed,
            m.max_retries,
                  (extract(epoch FROM v_now - m.created_at) * 1000)::bigint, m.run_id
             INTO outcome, status, id, preset, prompt, source_url, parameters, seed, max_retries,
                 age_ms, run_id;
        RETURN;
    END IF;
    -- Perhaps this very call started it and its answer was lost: the epoch is the one of then.
    SELECT 'ok', m.status, m.id, CASE WHEN p_owner IS NULL THEN 0 ELSE 1 END, m.preset, m.prompt,
           m.source_url, m.parameters, m.seed,
           m.max_retries, (extract(epoch FROM v_now - m.created_at) * 1000)::bigint,
           w.picture_secret, m.run_id
      INTO outcome, status, id, epoch, preset, prompt, source_url, parameters, seed, max_retries,
          age_ms, picture_secret, run_id
      FROM genflow.work w JOIN public.neo_glitch_media m ON m.id = w.job_id
     WHERE w.job_id = p_id AND w.user_id = p_user AND w.start_call = p_call;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT m.user_id, m.status INTO v_user, status FROM public.neo_glitch_media m WHERE m.id = p_id;
    IF v_user = p_user THEN
        outcome := 'invalid_status';
    ELSE
        outcome := CASE WHEN v_user IS NULL THEN 'not_found' ELSE 'not_yours' END;
        status := NULL;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_start(text,uuid,text,interval,interval,uuid) TO genflow_module;

CREATE FUNCTION genflow.neo_glitch_stray(p_id uuid, p_secret text, p_run_id text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    IF EXISTS (SELECT FROM genflow.work w WHERE w.job_id = p_id)
        OR EXISTS (SELECT FROM public.neo_glitch_media t WHERE t.id = p_id AND t.status = 'completed') THEN
        RETURN 'kept';
    END IF;
    PERFORM genflow.removal_add(p_id, 1::smallint, NULL, NULL, p_secret, p_run_id);
    RETURN 'ok';
END $$;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_stray(uuid,text,text) TO genflow_module;

CREATE FUNCTION genflow.neo_glitch_thumbnail(p_id uuid, p_color text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE public.neo_glitch_media t SET thumbnail_until = NULL,
        result = coalesce(t.result, '{}') || jsonb_strip_nulls(
            jsonb_build_object('thumbnail', p_color IS NOT NULL, 'color', p_color))
     WHERE t.id = p_id AND t.status = 'completed' AND t.persisted;
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'gone' END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_thumbnail(uuid,text) TO genflow_module;

CREATE FUNCTION genflow.neo_glitch_thumbnail_claim(p_id uuid, p_lease interval) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    UPDATE public.neo_glitch_media t SET thumbnail_until = v_now + p_lease
     WHERE t.id = p_id AND t.status = 'completed' AND t.persisted
       AND t.result -> 'thumbnail' IS NULL
       AND (t.thumbnail_until IS NULL OR t.thumbnail_until <= v_now);
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'no' END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.neo_glitch_thumbnail_claim(uuid,interval) TO genflow_module;

CREATE FUNCTION genflow.new_edits(p_user text, p_xid bigint, p_seen bigint[]) RETURNS TABLE(job_id uuid, xid xid)
    LANGUAGE plpgsql STABLE SET search_path=pg_catalog, pg_temp SET plan_cache_mode=force_generic_plan SET jit=off SET enable_seqscan=off SET enable_bitmapscan=off AS
$$
#variable_conflict use_column
DECLARE
    v_from timestamptz;
BEGIN
    SELECT n.at - interval '10 seconds' INTO v_from
      FROM (SELECT e.at, e.xmin FROM genflow.edits e WHERE e.user_id = p_user
             ORDER BY e.at DESC LIMIT 1000) n
     WHERE NOT genflow.is_since(n.xmin, p_xid, p_seen) LIMIT 1;
    RETURN QUERY
    SELECT e.job_id, e.xmin FROM genflow.edits e
     WHERE e.user_id = p_user AND e.at >= coalesce(v_from, '-infinity')
       AND genflow.is_since(e.xmin, p_xid, p_seen)
     ORDER BY e.at DESC LIMIT 1001;
END $$;

CREATE FUNCTION genflow.new_id(p_type integer) RETURNS uuid
    LANGUAGE sql PARALLEL SAFE AS
$$
    SELECT encode(set_byte(set_byte(
               -- version 4 becomes 7: two more bits
               set_bit(set_bit(
                   overlay(uuid_send(gen_random_uuid()) PLACING
                           substring(int8send((extract(epoch
                                                       FROM clock_timestamp()) * 1000)::bigint)
                                                           FROM 3) FROM 1),
                   52, 1), 53, 1),
               10, p_type), 11, genflow.shard_no()), 'hex')::uuid
$$;

CREATE FUNCTION genflow.nobody_works() RETURNS boolean
    LANGUAGE sql STABLE SET search_path=pg_catalog, pg_temp AS
$$
    SELECT s.restored IS NULL
           AND s.marked_at < clock_timestamp() - s.mark_every - interval '1 minute'
           AND NOT EXISTS (SELECT FROM genflow.hosts h
                            WHERE h.dispatches
                              AND h.seen_at > clock_timestamp() - interval '1 minute')
           AND NOT EXISTS (SELECT FROM genflow.children c WHERE c.expires > clock_timestamp())
      FROM genflow.site s
$$;

CREATE FUNCTION genflow.picture_secret(p_id uuid, p_url text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path=pg_catalog, pg_temp AS
$$
    SELECT substring(p_url FROM '(?:' || p_id::text || '-|_)([0-9a-f]{32})\.[a-z]+$')
$$;

CREATE FUNCTION genflow.preset_touch() RETURNS trigger
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;

CREATE FUNCTION genflow.presets(p_type text, p_window integer, p_at timestamp with time zone DEFAULT now()) RETURNS TABLE(id bigint, key text, label text, description text, category text, prompt text, negative_prompt text, strength numeric, parameters jsonb, rotation_index integer, week integer, available_at text, current_week integer, is_active boolean, is_on boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    WITH listed AS (
        SELECT p.*, p.is_active AND p_window > 0 AND p.preset_week IS NULL
            AND p.rotation_index IS NOT NULL AS rotates
          FROM genflow.presets_config p WHERE p.type = p_type
    ),
    placed AS (
        SELECT l.*, CASE WHEN l.rotates THEN
                    row_number() OVER (PARTITION BY l.rotates ORDER BY l.rotation_index, l.id) - 1
                        END AS place
          FROM listed l
    ),
    cycle AS (
        SELECT count(p.place) AS places,
               greatest(1, (count(p.place) + p_window - 1) / nullif(p_window, 0),
                        max(p.preset_week) FILTER (WHERE p.is_active AND p_window > 0)) AS weeks,
               ((p_at AT TIME ZONE 'UTC')::date - DATE '1970-01-05') / 7 AS now
          FROM placed p
    )
    SELECT p.id, p.key, p.label, p.description, p.category, p.prompt, p.negative_prompt, p.strength,
           jsonb_strip_nulls(jsonb_build_object('strength', p.strength, 'negative_prompt',
                                                p.negative_prompt)) || p.parameters,
           p.rotation_index,
           CASE WHEN p.rotates THEN p.place / p_window + 1 WHEN p_window > 0 THEN p.preset_week
               END::integer,
           CASE WHEN next.weeks > 0 THEN
                genflow.iso((DATE '1970-01-05' + 7 * (c.now + next.weeks))::timestamp
                            AT TIME ZONE 'UTC') END,
           (c.now % c.weeks + 1)::integer, p.is_active, next.weeks IS NOT DISTINCT FROM 0
      FROM placed p CROSS JOIN cycle c
     -- weeks until it is available: from now on, the first week of a cycle that has it
     CROSS JOIN LATERAL (
        SELECT min(s.n) AS weeks
          FROM generate_series(0, c.weeks::integer - 1) AS s(n),
              LATERAL (SELECT (c.now + s.n) % c.weeks AS of_cycle) w
         WHERE p.is_active
           AND CASE WHEN p.rotates
               THEN ((p.place - w.of_cycle * p_window) % c.places + c.places) % c.places < p_window
                    WHEN p_window > 0 AND p.preset_week IS NOT NULL
                        THEN w.of_cycle = p.preset_week - 1
                    ELSE true END) next
     ORDER BY p.rotation_index, p.id LIMIT 200
$$;
GRANT EXECUTE ON FUNCTION genflow.presets(text,integer,timestamp with time zone) TO genflow_module;

CREATE FUNCTION genflow.progress(p_id uuid, p_epoch integer, p_progress real, p_queue_position integer, p_logs jsonb) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    UPDATE genflow.work t SET progress = p_progress, queue_position = p_queue_position,
        provider_logs = p_logs
     WHERE t.job_id = p_id AND t.epoch = p_epoch;
    RETURN CASE WHEN FOUND THEN 'ok'
                WHEN EXISTS (SELECT FROM genflow.work t WHERE t.job_id = p_id) THEN 'stale'
                ELSE 'gone' END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.progress(uuid,integer,real,integer,jsonb) TO genflow_module;

CREATE FUNCTION genflow.public_name(p_user text) RETURNS text
    LANGUAGE sql STABLE SET search_path=pg_catalog, pg_temp AS
$$
    SELECT 'user-' || left(encode(sha256(convert_to(s.line || ' ' || p_user, 'UTF8')), 'hex'), 12)
      FROM genflow.site s
$$;

CREATE FUNCTION genflow.queue_place(p_type smallint, p_priority smallint, p_turn timestamp with time zone, OUT place bigint, OUT head uuid) RETURNS record
    LANGUAGE plpgsql STABLE SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    SELECT l.ahead, l.head INTO place, head
      FROM genflow.lane_ahead(p_type, p_priority, p_turn) l;
    FOR v_priority IN p_priority + 1 .. 1 LOOP
        place := place + (genflow.lane_ahead(p_type, v_priority::smallint, 'infinity')).ahead;
    END LOOP;
    IF place > 100 THEN
        place := round(place::numeric, 1 - floor(log(place::numeric))::integer);
    END IF;
END $$;

CREATE FUNCTION genflow.quota(p_user text, p_day text DEFAULT 'UTC'::text) RETURNS TABLE(balance bigint, held bigint, day_limit bigint, day_used bigint, week_limit bigint, week_used bigint, remaining bigint, day_reset text, at text, wait integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    WITH clock AS (
        SELECT z.now, z.zone, d.today, genflow.week_of(d.today) AS monday
          FROM (SELECT statement_timestamp() AS now, genflow.day_zone(p_day) AS zone) z
         CROSS JOIN LATERAL (SELECT (z.now AT TIME ZONE z.zone)::date AS today) d
    ),
    rolling AS (
        SELECT u.used, coalesce(u.since + interval '24 hours', c.now) AS reset
          FROM clock c CROSS JOIN LATERAL genflow.rolling_use(p_user, c.now) u
              WHERE p_day = 'rolling'
    ),
    used AS (
        SELECT a.balance, a.held, a.day_limit, a.week_limit, a.blocked,
               coalesce(r.used, CASE WHEN a.day BETWEEN c.today AND c.today + 1 THEN a.day_used
                        ELSE 0 END) AS day_used,
               CASE WHEN a.week BETWEEN c.monday AND c.monday + 7 THEN a.week_used
                   ELSE 0 END AS week_used,
               coalesce(r.reset, (c.today + 1)::timestamp AT TIME ZONE c.zone) AS day_reset,
               (c.monday + 7)::timestamp AT TIME ZONE c.zone AS week_reset
          FROM clock c LEFT JOIN rolling r ON true LEFT
              JOIN genflow.accounts a ON a.user_id = p_user
    )
    SELECT coalesce(u.balance, 0), coalesce(u.held, 0), u.day_limit, u.day_used, u.week_limit,
           u.week_used,
           CASE WHEN u.blocked THEN 0
                ELSE greatest(0, coalesce(least(u.balance - u.held, u.day_limit - u.day_used,
                                                u.week_limit - u.week_used), 0))
           END,
           genflow.iso(u.day_reset), genflow.iso(c.now),
           ceil(extract(epoch FROM CASE WHEN u.week_limit - u.week_used <= u.day_limit - u.day_used
                        OR u.day_limit IS NULL
                                        THEN u.week_reset ELSE u.day_reset END - c.now))::integer
      FROM used u, clock c
$$;
GRANT EXECUTE ON FUNCTION genflow.quota(text,text) TO genflow_administration;
GRANT EXECUTE ON FUNCTION genflow.quota(text,text) TO genflow_module;

CREATE FUNCTION genflow.recall(p_ids uuid[]) RETURNS void
    LANGUAGE sql SET search_path=pg_catalog, pg_temp AS
$$
    INSERT INTO genflow.recalls (owner, job_id, epoch)
    SELECT w.lease_owner, w.job_id, w.epoch FROM genflow.work w
     WHERE w.job_id = ANY (p_ids) AND w.led
        ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION genflow.removal_add(p_id uuid, p_type smallint, p_url text, p_media_type text, p_secret text, p_run_id text, p_due timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS void
    LANGUAGE sql SET search_path=pg_catalog, pg_temp AS
$$
    INSERT INTO genflow.removals AS r (job_id, type_no, url, media_type, picture_secret, run_id,
                                       due_at)
    VALUES (p_id, p_type, p_url, p_media_type, p_secret, p_run_id,
            coalesce(p_due, clock_timestamp()))
        ON CONFLICT (job_id) DO UPDATE SET url = NULL, picture_secret = coalesce(r.picture_secret,
            EXCLUDED.picture_secret),
                                           run_id = coalesce(r.run_id, EXCLUDED.run_id),
                                           due_at = EXCLUDED.due_at, tries = 0
$$;

CREATE FUNCTION genflow.removal_claim(p_types text[], p_limit integer, p_lease interval, p_from timestamp with time zone DEFAULT '-infinity'::timestamp with time zone) RETURNS TABLE(id uuid, type text, url text, media_type text, picture_secret text, run_id text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp SET plan_cache_mode=force_generic_plan SET jit=off SET enable_seqscan=off SET enable_bitmapscan=off SET enable_hashjoin=off SET enable_mergejoin=off AS
$$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    IF genflow.restored() IS NOT NULL THEN                  -- site.sql
        RETURN;
    END IF;
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT r.job_id FROM genflow.removals r
         WHERE r.due_at >= p_from AND r.due_at <= v_now
           AND r.type_no = ANY (ARRAY(SELECT t.no FROM genflow.types t
                                       WHERE t.name = ANY (p_types)))
         ORDER BY r.due_at LIMIT p_limit FOR UPDATE SKIP LOCKED),
    mine AS (
        UPDATE genflow.removals r SET due_at = v_now + p_lease * power(2, least(r.tries, 7)),
            tries = r.tries + 1
         WHERE r.job_id = ANY (ARRAY(SELECT due.job_id FROM due))
        RETURNING r.job_id, r.type_no, r.url, r.media_type, r.picture_secret, r.run_id)
    SELECT m.job_id, t.name, coalesce(m.url, ''), m.media_type, m.picture_secret, m.run_id
        FROM mine m JOIN genflow.types t ON t.no = m.type_no;
END $$;
GRANT EXECUTE ON FUNCTION genflow.removal_claim(text[],integer,interval,timestamp with time zone) TO genflow_module;

CREATE FUNCTION genflow.removal_done(p_id uuid, p_url text DEFAULT NULL::text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    DELETE FROM genflow.removals r
     WHERE r.job_id = p_id AND r.tries > 0
       AND CASE WHEN p_url IS NULL THEN r.url IS NOT NULL AND r.picture_secret IS NULL
                ELSE r.url IS NOT DISTINCT FROM nullif(p_url, '') END
$$;
GRANT EXECUTE ON FUNCTION genflow.removal_done(uuid,text) TO genflow_module;

CREATE FUNCTION genflow.requeue(p_id uuid, p_epoch integer, p_delay interval, p_chain_pos smallint, p_retries smallint, p_outcome text, p_ref text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_now timestamptz := clock_timestamp();
    w     genflow.work;
BEGIN
    SELECT * INTO w FROM genflow.work t WHERE t.job_id = p_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'gone';
    ELSIF w.epoch <> p_epoch THEN
        RETURN 'stale';
    ELSIF w.provider_ref <> coalesce(p_ref, '') THEN
        UPDATE genflow.work t SET lease_owner = NULL, led = false,
               due_at = least(v_now, t.deadline_at)
            WHERE t.job_id = p_id;
        RETURN 'reported';
    END IF;
    UPDATE genflow.work t SET phase = 'queued', lease_owner = NULL, led = false,
           provider_ref = NULL, lost_leases = 0,
           progress = NULL, queue_position = NULL, provider_logs = NULL,
           chain_pos = p_chain_pos, retries = p_retries, due_at = least(v_now + p_delay,
               t.deadline_at)
     WHERE t.job_id = p_id;
    UPDATE genflow.attempts a SET outcome = p_outcome, ended_at = v_now
     WHERE a.job_id = p_id AND a.no = w.attempts AND a.outcome IS NULL AND p_outcome IS NOT NULL;
    RETURN 'ok';
END $$;
GRANT EXECUTE ON FUNCTION genflow.requeue(uuid,integer,interval,smallint,smallint,text,text) TO genflow_module;

CREATE FUNCTION genflow.reservation_end(p_id uuid, p_state text, p_job uuid DEFAULT NULL::uuid, p_call uuid DEFAULT NULL::uuid) RETURNS boolean
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    UPDATE genflow.reservations r SET state = p_state, job_id = p_job
     WHERE r.id = p_id AND r.state = 'open'
       AND (p_state <> 'used' OR r.expires_at > clock_timestamp());
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO genflow.ledger (ref, kind, user_id, amount, released, window_day, call)
    SELECT h.ref, 'release', h.user_id, 0, h.amount, h.window_day, p_call
      FROM genflow.ledger h WHERE h.ref = p_id AND h.kind = 'hold';
    RETURN true;
END $$;

CREATE FUNCTION genflow.reservation_oldest(p_user text) RETURNS uuid
    LANGUAGE sql STABLE SET search_path=pg_catalog, pg_temp AS
$$
    SELECT r.id FROM genflow.reservations r
     WHERE r.user_id = p_user AND r.unbound AND r.state = 'open'
       AND r.expires_at > clock_timestamp()
     ORDER BY r.created_at, r.id LIMIT 1
$$;

CREATE FUNCTION genflow.reservation_take(p_user text, p_job uuid, p_known uuid, p_take boolean) RETURNS void
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_id uuid := p_known;
BEGIN
    LOOP
        IF v_id IS NOT NULL AND genflow.reservation_end(v_id, 'used', p_job) OR NOT p_take THEN
            RETURN;
        END IF;
        v_id := genflow.reservation_oldest(p_user);
        IF v_id IS NULL THEN
            RETURN;
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION genflow.reservations_expire(p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_ids uuid[];
    v_id  uuid;
BEGIN
    SELECT array_agg(o.id ORDER BY o.user_id, o.id) INTO v_ids
      FROM (SELECT r.id, r.user_id FROM genflow.reservations r WHERE r.state = 'open'
            AND r.expires_at <= clock_timestamp()
             ORDER BY r.expires_at LIMIT p_limit FOR UPDATE SKIP LOCKED) o;
    FOREACH v_id IN ARRAY coalesce(v_ids, '{}') LOOP
        PERFORM genflow.reservation_end(v_id, 'expired');
    END LOOP;
    RETURN coalesce(cardinality(v_ids), 0);
END $$;

CREATE FUNCTION genflow.reserve(p_user text, p_request_id text, p_amount bigint, p_action text, p_lifetime interval, p_day text, p_unbound boolean DEFAULT false, p_api_key text DEFAULT NULL::text, OUT outcome text, OUT action text, OUT expires_at text, OUT balance bigint, OUT held bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_now  timestamptz := clock_timestamp();
    v_look record;
    r      genflow.reservations;
BEGIN
    SELECT * INTO v_look FROM genflow.afford(p_user, p_amount, p_day, NULL, false);
    outcome := v_look.outcome;
    IF outcome = 'ok' AND p_api_key IS NOT NULL THEN
        outcome := genflow.api_key_afford(p_api_key, p_amount, v_look.day, NULL);
    END IF;
    IF outcome = 'ok' THEN
        INSERT INTO genflow.reservations AS t (id, user_id, request_id, amount, action, unbound,
                                               created_at, expires_at)
        VALUES (genflow.new_id(0), p_user, p_request_id, p_amount, p_action, p_unbound, v_now,
                v_now + p_lifetime)
            ON CONFLICT ON CONSTRAINT reservations_once DO NOTHING RETURNING t.* INTO r;
        IF FOUND THEN
            PERFORM genflow.hold(r.id, p_user, p_amount, v_look.day, p_day, p_api_key);
        END IF;
    END IF;
    -- Refused, or the reservation exists: its state is the answer, even if the credits would not
    -- suffice again.
    IF r.id IS NULL THEN
        SELECT * INTO r FROM genflow.reservations t WHERE t.user_id = p_user
            AND t.request_id = p_request_id;
        IF FOUND THEN
            outcome := CASE WHEN r.amount <> p_amount THEN 'mismatch'
                            WHEN r.state = 'used' OR (r.state = 'open' AND r.expires_at > v_now)
                                THEN 'ok'
                            ELSE 'ended' END;
        END IF;
    END IF;
    action := r.action;
    expires_at := genflow.iso(r.expires_at);
    SELECT a.balance, a.held INTO balance, held FROM genflow.accounts a WHERE a.user_id = p_user;
    balance := coalesce(balance, 0);
    held := coalesce(held, 0);
END $$;
GRANT EXECUTE ON FUNCTION genflow.reserve(text,text,bigint,text,interval,text,boolean,text) TO genflow_module;

CREATE FUNCTION genflow.reserve_finalize(p_user text, p_request_id text, p_call uuid DEFAULT NULL::uuid, OUT outcome text, OUT amount bigint, OUT job_id uuid, OUT status text, OUT charged bigint, OUT balance bigint, OUT held bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    r      genflow.reservations;
    v_jobs uuid[];
BEGIN
    charged := 0;
    SELECT * INTO r FROM genflow.reservations t WHERE t.user_id = p_user
        AND t.request_id = p_request_id FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'not_found';
        RETURN;
    END IF;
    amount := r.amount;
    IF r.state = 'used' THEN
        outcome := 'used';
        job_id := r.job_id;
        -- and those of a batch, by the keys that <prefix>_create_batch gave them
        v_jobs := job_id || ARRAY(
            SELECT k.job_id FROM genflow.idempotency_keys f JOIN genflow.idempotency_keys k
                ON k.user_id = f.user_id AND k.key IN (SELECT f.key || ' ' || i
                                                       FROM generate_series(2, 10) i)
             WHERE f.user_id = p_user AND f.job_id = r.job_id);
        SELECT b.status INTO status FROM unnest(v_jobs) WITH ORDINALITY AS j(id, no),
               genflow.job_brief(j.id) b
         ORDER BY b.status NOT IN ('pending', 'processing'), j.no LIMIT 1;
        SELECT coalesce(sum(l.amount), 0) INTO charged FROM genflow.ledger l
            WHERE l.ref = ANY (v_jobs) AND l.kind = 'capture';
    ELSE
        outcome := CASE WHEN genflow.reservation_end(r.id, 'returned', NULL, p_call)
            OR genflow.ended_by(r.id, p_call)
                        THEN 'returned' ELSE 'ended' END;
    END IF;
    SELECT a.balance, a.held INTO balance, held FROM genflow.accounts a WHERE a.user_id = p_user;
END $$;
GRANT EXECUTE ON FUNCTION genflow.reserve_finalize(text,text,uuid) TO genflow_module;

CREATE FUNCTION genflow.restore_claim(p_types text[], p_limit integer, p_lease interval, p_from timestamp with time zone DEFAULT '-infinity'::timestamp with time zone) RETURNS TABLE(id uuid, type text, url text, tries integer, picture_secret text, run_id text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp SET plan_cache_mode=force_generic_plan SET jit=off SET enable_seqscan=off SET enable_bitmapscan=off SET enable_hashjoin=off SET enable_mergejoin=off AS
$$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    IF genflow.restored() IS NOT NULL THEN                  -- site.sql
        RETURN;
    END IF;
    DELETE FROM genflow.restores r
     WHERE r.job_id = ANY (ARRAY(SELECT e.job_id FROM genflow.restores e
                                  WHERE e.due_at >= p_from
                                    AND e.due_at <= v_now AND e.expires_at <= v_now
                                  ORDER BY e.due_at FOR UPDATE SKIP LOCKED));
    RETURN QUERY
    WITH due AS MATERIALIZED (
        SELECT r.job_id FROM genflow.restores r
         WHERE r.due_at >= p_from AND r.due_at <= v_now
           AND r.type_no = ANY (ARRAY(SELECT t.no FROM genflow.types t
                                       WHERE t.name = ANY (p_types)))
         ORDER BY r.due_at LIMIT p_limit FOR UPDATE SKIP LOCKED),
    mine AS (
        UPDATE genflow.restores r SET due_at = v_now + p_lease, tries = r.tries + 1
         WHERE r.job_id = ANY (ARRAY(SELECT due.job_id FROM due))
        RETURNING r.job_id, r.type_no, r.url, r.tries, r.picture_secret, r.run_id)
    SELECT m.job_id, t.name, m.url, m.tries, m.picture_secret, m.run_id FROM mine m
        JOIN genflow.types t ON t.no = m.type_no;
END $$;
GRANT EXECUTE ON FUNCTION genflow.restore_claim(text[],integer,interval,timestamp with time zone) TO genflow_module;

CREATE FUNCTION genflow.restore_later(p_id uuid, p_delay interval) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    IF p_delay IS NULL THEN
        DELETE FROM genflow.restores r WHERE r.job_id = p_id;
    ELSE
        UPDATE genflow.restores r SET due_at = clock_timestamp() + p_delay WHERE r.job_id = p_id;
    END IF;
    RETURN CASE WHEN FOUND THEN 'ok' ELSE 'gone' END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.restore_later(uuid,interval) TO genflow_module;

CREATE FUNCTION genflow.restored() RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    s      genflow.site;
    v_here text := current_setting('genflow.here', true);
    v_oid  oid;
BEGIN
    IF v_here IS NULL OR v_here = '' THEN
        v_here := set_config('genflow.here', concat_ws('/', (SELECT d.oid FROM pg_database d
            WHERE d.datname = current_database()),
                                                       genflow.cluster_now()), false);
    END IF;
    SELECT * INTO s FROM genflow.site;
    IF s.restored IS NULL AND v_here = concat_ws('/', s.database, s.cluster) THEN
        RETURN NULL;
    END IF;
    v_oid := split_part(v_here, '/', 1);
    RETURN CASE WHEN s.only_row IS NULL THEN 'genflow.site has no row'
                WHEN s.restored IS NOT NULL THEN s.restored
                WHEN s.cluster <> genflow.cluster_now() THEN format('it comes from another cluster '
                                                                    '(system identifier %s)',
                                                                        s.cluster)
                WHEN s.database <> v_oid THEN format('it is a copy of another database (oid %s)',
                                                     s.database) END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.restored() TO genflow_administration;
GRANT EXECUTE ON FUNCTION genflow.restored() TO genflow_module;

CREATE FUNCTION genflow.resume(p_how text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    j       record;
    v_ended integer := 0;
BEGIN
    IF p_how IS NULL OR p_how NOT IN ('end', 'continue') THEN
        RAISE EXCEPTION 'genflow: resume takes ''end'' or ''continue'', not %',
            quote_nullable(p_how) USING ERRCODE = '22023';
    ELSIF genflow.restored() IS NULL THEN
        RETURN 'this database does not count as restored: nothing was done';
    END IF;
    IF p_how = 'end' THEN
        FOR j IN
            SELECT s.*, t.prefix FROM (
                SELECT w.job_id, w.user_id, w.type_no FROM genflow.work w WHERE w.phase <> 'pending'
                    ORDER BY w.job_id FOR UPDATE) s
              JOIN genflow.types t ON t.no = s.type_no
             ORDER BY s.user_id, s.job_id
        LOOP
            EXECUTE format('SELECT genflow.%I($1, NULL, ''failed'', NULL, NULL, NULL, NULL, NULL, '
                           'NULL, NULL, ''SITE_RESTORED'', '
                           '''The site was restored from a backup; nothing was charged'', NULL)',
                               j.prefix || '_settle')
              USING j.job_id;
            v_ended := v_ended + 1;
        END LOOP;
    END IF;
    UPDATE genflow.site s SET cluster = genflow.cluster_now(), restored = NULL, folder_mark = NULL,
        line = gen_random_uuid(),
           database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()),
           mark = greatest(s.mark, s.folder_mark) + 1, resumed_at = clock_timestamp(),
           marked_at = clock_timestamp();
    RETURN format('resumed: %s generations were ended', v_ended);
END $$;
GRANT EXECUTE ON FUNCTION genflow.resume(text) TO genflow_administration;

CREATE FUNCTION genflow.rolling_use(p_user text, p_at timestamp with time zone, OUT used bigint, OUT since timestamp with time zone) RETURNS record
    LANGUAGE sql STABLE AS
$$
    SELECT coalesce(sum(h.amount), 0)::bigint, min(h.at)
      FROM genflow.ledger h
     WHERE h.user_id = p_user AND h.kind = 'hold' AND h.at > p_at - interval '24 hours'
       AND NOT EXISTS (SELECT FROM genflow.ledger r WHERE r.ref = h.ref AND r.kind = 'release')
$$;

CREATE FUNCTION genflow.shard_no() RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT 0$$;

CREATE FUNCTION genflow.shares(p_user text) RETURNS boolean
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    PERFORM FROM genflow.user_settings s
      WHERE s.user_id = p_user AND s.settings @> '{"share_to_feed": true}' FOR SHARE;
    RETURN FOUND;
END $$;

CREATE FUNCTION genflow.site_look(p_line uuid, p_mark bigint, OUT restored text, OUT line uuid, OUT mark bigint) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    s genflow.site;
BEGIN
    restored := genflow.restored();
    SELECT * INTO s FROM genflow.site;
    IF restored IS NULL AND p_line = s.line AND p_mark > s.mark THEN
        restored := format('the picture folder has seen later work (mark %s) than this database '
                           '(mark %s)', p_mark, s.mark);
        UPDATE genflow.site t SET restored = site_look.restored, folder_mark = p_mark
            WHERE t.restored IS NULL;
    ELSIF restored IS NULL AND s.marked_at + s.mark_every <= clock_timestamp() THEN
        UPDATE genflow.site t SET mark = t.mark + 1, marked_at = clock_timestamp()
            WHERE t.mark = s.mark RETURNING * INTO s;
        IF NOT FOUND THEN                                   -- another child has moved it
            SELECT * INTO s FROM genflow.site;
        END IF;
    END IF;
    line := s.line;
    mark := s.mark - 1;
END $$;
GRANT EXECUTE ON FUNCTION genflow.site_look(uuid,bigint) TO genflow_module;

CREATE FUNCTION genflow.sums_fold(p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp SET jit=off AS
$$
DECLARE
    v_count integer;
BEGIN
    WITH gone AS (
        DELETE FROM genflow.sums_new d
         WHERE d.ctid = ANY (ARRAY(SELECT o.ctid FROM genflow.sums_new o LIMIT p_limit
                                   FOR UPDATE SKIP LOCKED))
        RETURNING d.*),
    added AS (
        INSERT INTO genflow.sums AS s (type_no, provider, kind, outcome, n, amount, released)
        SELECT g.type_no, g.provider, g.kind, g.outcome, count(*), sum(g.amount), sum(g.released)
          FROM gone g GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
            ON CONFLICT (type_no, provider, kind, outcome) DO UPDATE
           SET n = s.n + EXCLUDED.n, amount = s.amount + EXCLUDED.amount,
               released = s.released + EXCLUDED.released)
    SELECT count(*) INTO v_count FROM gone;
    RETURN v_count;
END $$;

CREATE FUNCTION genflow.suspend(p_why text DEFAULT 'an operator says so'::text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    UPDATE genflow.site SET restored = p_why
$$;
GRANT EXECUTE ON FUNCTION genflow.suspend(text) TO genflow_administration;

CREATE FUNCTION genflow.tags_keep() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM genflow.tags t
         WHERE t.user_id = OLD.user_id AND t.tag = ANY (OLD.tags)
           AND t.type_no = TG_ARGV[0]::smallint AND t.created_at = OLD.created_at
           AND t.job_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO genflow.tags (user_id, tag, type_no, created_at, job_id)
        SELECT DISTINCT NEW.user_id, u.tag, TG_ARGV[0]::smallint, NEW.created_at, NEW.id
          FROM unnest(NEW.tags) AS u (tag) WHERE length(u.tag) <= 200;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION genflow.template_delete(p_user text, p_id uuid, p_call uuid DEFAULT NULL::uuid) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_user text;
BEGIN
    SELECT t.user_id INTO v_user FROM genflow.templates t WHERE t.id = p_id FOR UPDATE;
    IF v_user = p_user THEN
        DELETE FROM genflow.templates t WHERE t.id = p_id;
        PERFORM genflow.call_keep(p_call, '{}');
        RETURN 'ok';
    END IF;
    RETURN CASE WHEN v_user IS NOT NULL THEN 'not_yours' WHEN genflow.call_answer(p_call) IS NULL
        THEN 'not_found' ELSE 'ok' END;
END $$;
GRANT EXECUTE ON FUNCTION genflow.template_delete(text,uuid,uuid) TO genflow_module;

CREATE FUNCTION genflow.template_get(p_user text, p_id uuid, OUT outcome text, OUT type text, OUT config jsonb) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    t genflow.templates;
BEGIN
    SELECT * INTO t FROM genflow.templates o WHERE o.id = p_id;
    IF t.user_id = p_user THEN
        outcome := 'ok';
        type := t.type;
        config := t.config;
    ELSE
        outcome := CASE WHEN t.id IS NULL THEN 'not_found' ELSE 'not_yours' END;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION genflow.template_get(text,uuid) TO genflow_module;

CREATE FUNCTION genflow.template_put(p_user text, p_name text, p_type text, p_config jsonb, p_max integer, OUT outcome text, OUT id uuid, OUT created_at text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    t genflow.templates;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('genflow templates of ' || p_user, 0));
    SELECT * INTO t FROM genflow.templates o WHERE o.user_id = p_user AND o.name = p_name;
    IF NOT FOUND THEN
        IF (SELECT count(*) FROM genflow.templates o WHERE o.user_id = p_user) >= p_max THEN
            outcome := 'too_many';
            RETURN;
        END IF;
        INSERT INTO genflow.templates AS n (id, user_id, name, type, config, created_at)
        VALUES (genflow.new_id(0), p_user, p_name, p_type, p_config, clock_timestamp())
        RETURNING n.* INTO t;
    ELSIF t.type IS DISTINCT FROM p_type OR t.config <> p_config THEN
        outcome := 'taken';
        RETURN;
    END IF;
    outcome := 'ok';
    id := t.id;
    created_at := genflow.iso(t.created_at);
END $$;
GRANT EXECUTE ON FUNCTION genflow.template_put(text,text,text,jsonb,integer) TO genflow_module;

CREATE FUNCTION genflow.templates(p_user text, p_before uuid, p_limit integer) RETURNS TABLE(id uuid, name text, type text, config jsonb, created_at text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT t.id, t.name, t.type, t.config, genflow.iso(t.created_at)
      FROM genflow.templates t
     WHERE t.user_id = p_user AND (p_before IS NULL OR t.id < p_before)
     ORDER BY t.id DESC LIMIT p_limit
$$;
GRANT EXECUTE ON FUNCTION genflow.templates(text,uuid,integer) TO genflow_module;

CREATE FUNCTION genflow.type_of(p_id uuid) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_no    integer := genflow.id_type(p_id);
    v_found boolean;
    t       genflow.types;
BEGIN
    IF v_no > 0 THEN
        RETURN (SELECT y.name FROM genflow.types y WHERE y.no = v_no);
    END IF;
    FOR t IN SELECT * FROM genflow.types y
        WHERE to_regclass(format('%I.%I', y.media_schema, y.media_table)) IS NOT NULL
              ORDER BY y.no LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I WHERE id = $1)', t.media_schema,
                       t.media_table) INTO v_found USING p_id;
        IF v_found THEN
            RETURN t.name;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
GRANT EXECUTE ON FUNCTION genflow.type_of(uuid) TO genflow_module;

CREATE FUNCTION genflow.type_render(t genflow.types, p_part text) RETURNS void
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_sql text := (SELECT body FROM genflow.type_templates WHERE part = p_part);
    v_old regprocedure[] := ARRAY(SELECT p.oid::regprocedure FROM pg_proc p
                                  WHERE p.pronamespace = 'genflow'::regnamespace
                                    AND p.proname = t.prefix || '_' || p_part);
    v_one regprocedure;
BEGIN
    v_sql := replace(v_sql, '{media}', format('%I.%I', t.media_schema, t.media_table));
    v_sql := replace(v_sql, '{name}', t.media_table);
    v_sql := replace(v_sql, '{prefix}', t.prefix);
    v_sql := replace(v_sql, '{type}', t.name);
    v_sql := replace(v_sql, '{no}', t.no::text);
    BEGIN
        EXECUTE v_sql;
    -- other results: it cannot be replaced
    EXCEPTION WHEN invalid_function_definition THEN
        FOREACH v_one IN ARRAY v_old LOOP
            EXECUTE format('DROP FUNCTION %s', v_one);
        END LOOP;
        EXECUTE v_sql;
        RETURN;
    END;
    -- other parameters: the old one stands beside it
    FOREACH v_one IN ARRAY v_old LOOP
        IF EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = 'genflow'::regnamespace
                      AND p.proname = t.prefix || '_' || p_part AND p.oid <> ALL (v_old)) THEN
            EXECUTE format('DROP FUNCTION %s', v_one);
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION genflow.type_states(p_types text[], p_windows integer[]) RETURNS TABLE(type text, is_there boolean, p50 bigint, p90 bigint, presets integer, presets_on integer, open_breakers text, spent text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    WITH shared AS MATERIALIZED (
        SELECT (SELECT concat(E'\n', string_agg(b.provider || '/' || b.model || E'\n', ''))
                  FROM (SELECT o.provider, o.model FROM genflow.breakers o
                         WHERE o.open_until > statement_timestamp() LIMIT 4096) b) AS breakers,
               (SELECT concat(E'\n', string_agg(b.provider || ' ' || b.spent || E'\n', ''))
                  FROM genflow.budgets() b) AS spent
    )
    SELECT n.name, to_regclass(quote_ident(t.media_schema) || '.' || quote_ident(t.media_table))
           IS NOT NULL,
           e.p50, e.p90, p.active::integer, p.on_now::integer, s.breakers, s.spent
      FROM unnest(p_types, p_windows) WITH ORDINALITY AS n (name, width, place)
     CROSS JOIN shared s
      LEFT JOIN genflow.types t ON t.name = n.name
      LEFT JOIN genflow.expected e ON e.type_no = t.no
     CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE r.is_active) AS active,
                                count(*) FILTER (WHERE r.is_on) AS on_now
                           FROM genflow.presets(n.name, n.width) r) p
     ORDER BY n.place
$$;
GRANT EXECUTE ON FUNCTION genflow.type_states(text[],integer[]) TO genflow_module;

CREATE FUNCTION genflow.type_upgrade(p_name text) RETURNS void
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    t       genflow.types;
    v_copy  genflow.types;
    v_table text;
    v_is    regclass;
    v_ought regclass;
    v_sql   text;
BEGIN
    SELECT * INTO STRICT t FROM genflow.types y WHERE y.name = p_name;
    v_table := format('%I.%I', t.media_schema, t.media_table);
    v_is := v_table::regclass;
    v_copy := t;
    v_copy.media_schema := 'pg_temp';
    PERFORM genflow.type_render(v_copy, 'media_table');
    v_ought := format('pg_temp.%I', t.media_table)::regclass;
    FOR v_sql IN
        SELECT format('ALTER TABLE %s ADD COLUMN %I %s', v_table, o.attname, concat_ws(' ',
                   format_type(o.atttypid, o.atttypmod),
                   CASE o.attgenerated WHEN '' THEN 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)
                        ELSE format('GENERATED ALWAYS AS (%s) STORED',
                                    pg_get_expr(d.adbin, d.adrelid)) END,
                   CASE WHEN o.attnotnull THEN 'NOT NULL' END))
          FROM pg_attribute o
          LEFT JOIN pg_attrdef d ON d.adrelid = o.attrelid AND d.adnum = o.attnum
         WHERE o.attrelid = v_ought AND o.attnum > 0 AND NOT EXISTS (
               SELECT FROM pg_attribute a
                WHERE a.attrelid = v_is AND a.attname = o.attname AND NOT a.attisdropped)
         ORDER BY o.attnum
    LOOP
        EXECUTE v_sql;
    END LOOP;
    PERFORM genflow.type_render(t, 'media_moved');
    FOR v_sql IN
        SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', v_table, o.conname,
                      pg_get_constraintdef(o.oid))
          FROM pg_constraint o
         WHERE o.conrelid = v_ought AND o.contype IN ('p', 'u', 'c') AND NOT EXISTS (
               SELECT FROM pg_constraint a WHERE a.conrelid = v_is AND a.conname = o.conname)
         UNION ALL
        SELECT regexp_replace(pg_get_indexdef(o.indexrelid), ' ON (ONLY )?pg_temp\w*\.\S+ USING ',
                              format(' ON %s USING ', v_table))
          FROM pg_index o JOIN pg_class c ON c.oid = o.indexrelid
         WHERE o.indrelid = v_ought
           AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = o.indexrelid)
           AND NOT EXISTS (SELECT FROM pg_index a JOIN pg_class b ON b.oid = a.indexrelid
                            WHERE a.indrelid = v_is AND b.relname = c.relname)
         UNION ALL
        SELECT regexp_replace(pg_get_triggerdef(o.oid), ' ON pg_temp\w*\.\S+ ',
                              format(' ON %s ', v_table))
          FROM pg_trigger o
         WHERE o.tgrelid = v_ought AND NOT o.tgisinternal AND NOT EXISTS (
               SELECT FROM pg_trigger a WHERE a.tgrelid = v_is AND a.tgname = o.tgname)
         UNION ALL
        SELECT format('ALTER TABLE %s SET (%s)', v_table, array_to_string(o.reloptions, ', '))
          FROM pg_class o, pg_class a
         WHERE o.oid = v_ought AND a.oid = v_is AND NOT o.reloptions <@ a.reloptions
    LOOP
        EXECUTE v_sql;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_constraint a WHERE a.conrelid = v_is AND a.contype = 'f') THEN
        PERFORM genflow.type_render(t, 'media_keys');
    END IF;
    EXECUTE format('DROP TABLE pg_temp.%I', t.media_table);
END $$;

CREATE FUNCTION genflow.types_dispatch() RETURNS void
    LANGUAGE plpgsql SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_cases text;
BEGIN
    SELECT string_agg(format('WHEN %s THEN SELECT t.user_id, t.cost, t.status, t.provider INTO v '
                             'FROM %I.%I t WHERE t.id = p_id;',
                             t.no, t.media_schema, t.media_table), E'\n        ' ORDER BY t.no)
      INTO v_cases FROM genflow.types t;
    EXECUTE format($f$
CREATE OR REPLACE FUNCTION genflow.job_brief(p_id uuid) RETURNS genflow.job_brief
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v genflow.job_brief;
BEGIN
    CASE genflow.id_type(p_id)
        WHEN 0 THEN SELECT r.user_id, r.amount, CASE r.state WHEN 'open' THEN 'pending'
            ELSE 'cancelled' END
                      INTO v FROM genflow.reservations r WHERE r.id = p_id;
        %s
        ELSE NULL;
    END CASE;
    RETURN v;
END $body$
$f$, v_cases);
END $$;

CREATE FUNCTION genflow.user_changes(p_user text, p_new bigint, p_xid bigint, p_seen bigint[]) RETURNS TABLE(id uuid)
    LANGUAGE plpgsql STABLE SET search_path=pg_catalog, pg_temp AS
$$
#variable_conflict use_column
DECLARE
    v_from  timestamptz;
    v_refs  uuid[];
    v_edits uuid[];
BEGIN
    IF p_new > 0 THEN
        SELECT min(n.at) - interval '10 seconds' INTO v_from
          FROM (SELECT l.at FROM genflow.ledger l WHERE l.user_id = p_user
                 ORDER BY l.at DESC LIMIT p_new) n;
        v_refs := ARRAY(SELECT l.ref FROM genflow.ledger l
                         WHERE l.user_id = p_user AND l.at >= v_from
                           AND genflow.is_since(l.xmin, p_xid, p_seen));
        IF cardinality(v_refs) < p_new THEN
            id := NULL;
            RETURN NEXT;
        END IF;
    END IF;
    v_edits := ARRAY(SELECT e.job_id FROM genflow.new_edits(p_user, p_xid, p_seen) e);
    IF cardinality(v_edits) > 1000 THEN
        id := NULL;
        RETURN NEXT;
    END IF;
    RETURN QUERY
    SELECT r.ref FROM unnest(v_refs) AS r (ref) WHERE genflow.id_type(r.ref) <> 0
     UNION
    SELECT e.id FROM unnest(v_edits) AS e (id)
     UNION
    SELECT w.job_id FROM genflow.work w
     WHERE w.user_id = p_user AND genflow.is_since(w.xmin, p_xid, p_seen);
END $$;

CREATE FUNCTION genflow.user_events(p_user text, p_since text, p_waiting boolean, p_limit integer, p_day text DEFAULT 'UTC'::text) RETURNS TABLE(instant text, version text, balance bigint, held bigint, remaining bigint, is_reset boolean, is_paid boolean, waits boolean, id uuid, type text, row_version text, changed boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
#variable_conflict use_column
DECLARE
    v_most    CONSTANT integer := 1000;                     -- ledger entries of a look
    v_of      text := (SELECT left(encode(sha256(convert_to(s.line || ' ' || p_user, 'UTF8')),
                                          'hex'), 8) FROM genflow.site s);
    v_now     pg_snapshot := pg_current_snapshot();
    v_entries bigint := coalesce((SELECT a.entries FROM genflow.accounts a
                                   WHERE a.user_id = p_user), 0);
    v_part    text[];
    v_new     bigint[];                                     -- entries since the one and the other
    v_xid     bigint[];
    v_changes uuid[] := '{}';
    v_later   uuid[] := '{}';                               -- than the look that goes on
BEGIN
    SELECT q.balance, q.held, q.remaining INTO balance, held, remaining
      FROM genflow.quota(p_user, p_day) q;
    version := (SELECT v.version FROM genflow.user_versions(ARRAY[p_user]) v);
    waits := EXISTS (SELECT FROM genflow.work w WHERE w.user_id = p_user AND w.turn IS NOT NULL);
    is_reset := false;
    is_paid := false;
    IF p_since IS NOT NULL THEN
        v_part := regexp_match(p_since, '^([0-9a-f]{8})\.(\d{1,18})\.(\d{1,18})((?:-\d{1,10})*)'
                                        '(?:_(\d{1,18})\.(\d{1,18})((?:-\d{1,10})*)_([0-9a-f]{8}'
                                        '(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?$');
        v_new := array_remove(ARRAY[v_entries - v_part[2]::bigint,
                                    v_entries - v_part[5]::bigint], NULL);
        v_xid := array_remove(ARRAY[v_part[3], v_part[6]], NULL);
        is_reset := v_part IS NULL OR v_part[1] <> v_of
            OR 0 > ANY (v_new) OR v_most < ANY (v_new)
            OR EXISTS (SELECT FROM unnest(v_xid) AS x (xid)
                        WHERE pg_snapshot_xmax(v_now)::text::bigint - x.xid
                              NOT BETWEEN 0 AND 2147483647);
    END IF;
    IF p_since IS NOT NULL AND NOT is_reset THEN
        v_changes := ARRAY(SELECT c.id FROM genflow.user_changes(
            p_user, v_new[1], v_xid[1], (string_to_array(v_part[4], '-'))[2:]::bigint[]) c);
        is_paid := v_new[1] > 0;
        IF v_part[8] IS NOT NULL THEN
            v_later := ARRAY(SELECT c.id FROM genflow.user_changes(
                p_user, v_new[2], v_xid[2], (string_to_array(v_part[7], '-'))[2:]::bigint[]) c);
            is_paid := is_paid AND v_new[2] = 0;
            instant := concat(v_of, '.', v_part[5], '.', v_part[6], v_part[7]);
        END IF;
        is_reset := array_position(v_changes || v_later, NULL) IS NOT NULL;
    END IF;
    IF instant IS NULL OR is_reset THEN
        instant := concat_ws('.', v_of, v_entries, genflow.user_instant(
            p_user, pg_snapshot_xmin(v_now)::text::bigint));
    END IF;
    FOR id, type, row_version, changed IN
        SELECT g.id, t.name, w.xmin::text, g.changed
          FROM (SELECT u.id, bool_or(u.changed) AS changed
                  FROM (SELECT c.id, true AS changed FROM unnest(v_changes) AS c (id)
                         WHERE (v_part[8] IS NULL OR c.id > v_part[8]::uuid)
                           AND c.id <> ALL (v_later)
                         UNION ALL
                        (SELECT w.job_id, false FROM genflow.work w
                          WHERE p_waiting AND w.user_id = p_user AND w.turn IS NOT NULL
                          ORDER BY w.turn LIMIT 100)) u
                 GROUP BY u.id) g
          LEFT JOIN genflow.edits d ON d.job_id = g.id     -- ids of older systems have no type
          JOIN genflow.types t ON t.no = coalesce(d.type_no, genflow.id_type(g.id))
          LEFT JOIN genflow.work w ON w.job_id = g.id
         WHERE NOT is_reset
         ORDER BY g.id LIMIT p_limit
    LOOP
        RETURN NEXT;
    END LOOP;
    IF NOT FOUND THEN
        RETURN NEXT;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION genflow.user_events(text,text,boolean,integer,text) TO genflow_module;

CREATE FUNCTION genflow.user_instant(p_user text, p_xid bigint) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path=pg_catalog, pg_temp SET plan_cache_mode=force_generic_plan SET jit=off SET enable_seqscan=off SET enable_bitmapscan=off AS
$$
DECLARE
    v_most  CONSTANT integer := 100;
    v_own   bigint[] := array_remove(
        ARRAY[pg_current_xact_id_if_assigned()::text::bigint - p_xid], NULL);
    v_from  timestamptz;                                    -- older entries are of before p_xid
    v_seen  bigint[];
    v_first bigint := 0;                                    -- where the distances are counted from
BEGIN
    SELECT n.at - interval '10 seconds' INTO v_from
      FROM (SELECT l.at, l.xmin FROM genflow.ledger l WHERE l.user_id = p_user
             ORDER BY l.at DESC LIMIT 1000) n
     WHERE NOT genflow.is_since(n.xmin, p_xid, v_own) LIMIT 1;
    v_seen := ARRAY(
        SELECT DISTINCT genflow.xid_distance(r.xmin, p_xid)
          FROM ((SELECT l.xmin FROM genflow.ledger l
                  WHERE l.user_id = p_user AND l.at >= coalesce(v_from, '-infinity')
                  ORDER BY l.at DESC LIMIT 1000)
                 UNION ALL
                SELECT w.xmin FROM genflow.work w WHERE w.user_id = p_user
                 UNION ALL
                SELECT e.xid FROM genflow.new_edits(p_user, p_xid, v_own) e) r (xmin)
         WHERE genflow.is_since(r.xmin, p_xid, v_own)
         ORDER BY 1 DESC LIMIT v_most + 1);
    IF cardinality(v_seen) > v_most THEN
        v_first := v_seen[v_most + 1] + 1;
        v_seen := v_seen[:v_most];
    END IF;
    RETURN concat(p_xid + v_first, (SELECT string_agg('-' || d.distance - v_first, ''
                                                      ORDER BY d.distance)
                                      FROM unnest(v_seen) AS d (distance)));
END $$;

CREATE FUNCTION genflow.user_settings(p_user text, p_changes jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
DECLARE
    v_settings jsonb;
    t          genflow.types;
BEGIN
    IF p_changes IS NULL THEN
        SELECT s.settings INTO v_settings FROM genflow.user_settings s WHERE s.user_id = p_user;
    ELSE
        INSERT INTO genflow.user_settings AS s (user_id, settings) VALUES (p_user, p_changes)
            ON CONFLICT (user_id) DO UPDATE SET settings = s.settings || EXCLUDED.settings
            RETURNING s.settings INTO v_settings;
    END IF;
    IF p_changes @> '{"share_to_feed": false}' THEN
        FOR t IN SELECT * FROM genflow.types y
            WHERE y.no IN (SELECT w.type_no FROM genflow.work w WHERE w.user_id = p_user)
              AND to_regclass(format('%I.%I', y.media_schema, y.media_table)) IS NOT NULL LOOP
            EXECUTE format('UPDATE %1$I.%2$I m SET visibility = ''private'' WHERE m.id IN ('
                           'SELECT l.id FROM genflow.work w JOIN %1$I.%2$I l ON l.id = w.job_id '
                           'WHERE w.user_id = $1 AND w.type_no = $2 AND l.visibility = ''public'' '
                           'FOR UPDATE OF l SKIP LOCKED)', t.media_schema, t.media_table)
              USING p_user, t.no;
        END LOOP;
    END IF;
    RETURN coalesce(v_settings, '{}');
END $$;
GRANT EXECUTE ON FUNCTION genflow.user_settings(text,jsonb) TO genflow_module;

CREATE FUNCTION genflow.user_state(p_user text, p_day text, p_concurrent integer, p_queue integer, p_types text[]) RETURNS TABLE(balance bigint, held bigint, day_limit bigint, day_used bigint, week_limit bigint, week_used bigint, remaining bigint, day_reset text, at text, wait integer, live bigint, queued bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    RETURN QUERY
    SELECT q.*,
           CASE WHEN p_concurrent IS NOT NULL THEN
                (SELECT count(*) FROM (SELECT FROM genflow.work w WHERE w.user_id = p_user
                                       LIMIT p_concurrent) l) END,
           CASE WHEN p_queue IS NOT NULL THEN
                (SELECT coalesce(max(least(p.place, p_queue)), 0) FROM genflow.types t,
                        LATERAL genflow.queue_place(t.no, -1::smallint, 'infinity') p
                  WHERE t.name = ANY (p_types)) END
      FROM genflow.quota(p_user, p_day) q;
END $$;
GRANT EXECUTE ON FUNCTION genflow.user_state(text,text,integer,integer,text[]) TO genflow_module;

CREATE FUNCTION genflow.user_versions(p_users text[]) RETURNS TABLE(user_id text, version text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
    SELECT u.user_id, hashtextextended(concat_ws('.', a.xmin, w.jobs, w.versions,
                                                 'e' || e.xmin), 0)::text
      FROM unnest(p_users) AS u (user_id)
      LEFT JOIN genflow.accounts a ON a.user_id = u.user_id
      LEFT JOIN LATERAL (SELECT n.xmin FROM genflow.edits n WHERE n.user_id = u.user_id
                          ORDER BY n.at DESC LIMIT 1) e ON true
     CROSS JOIN LATERAL (SELECT count(*) AS jobs, sum(t.xmin::text::bigint) AS versions
                           FROM genflow.work t WHERE t.user_id = u.user_id) w
$$;
GRANT EXECUTE ON FUNCTION genflow.user_versions(text[]) TO genflow_module;

CREATE FUNCTION genflow.week_of(p_date date) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT p_date - (extract(isodow FROM p_date)::integer - 1)
$$;

CREATE FUNCTION genflow.work_keep() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    IF (genflow.job_brief(OLD.job_id)).status IN ('pending', 'processing') THEN
        RAISE EXCEPTION 'genflow: live job % would lose its alarm', OLD.job_id
            USING ERRCODE = 'GF500';
    END IF;
    RETURN OLD;
END $$;

CREATE FUNCTION genflow.work_line() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS
$$
BEGIN
    NEW.due_at := NEW.deadline_at;
    NEW.turn := clock_timestamp() + interval '10 seconds'
        * (SELECT count(*) FROM (SELECT FROM genflow.work w WHERE w.user_id = NEW.user_id
                                 AND w.job_id <> NEW.job_id LIMIT 100) l);
    RETURN NEW;
END $$;

CREATE FUNCTION genflow.xid_distance(p_xmin xid, p_xid bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$
    SELECT (p_xmin::text::bigint - p_xid) & 4294967295
$$;

