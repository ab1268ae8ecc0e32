-- SPDX-License-Identifier: Apache-2.0
-- What support/genflow-migrate remembers, in a schema of its own: rules, what was moved, what was
-- not, and how far it is. Run before each use; changes nothing that is there. A dry run makes
-- temporary tables of the same names instead, which search_path finds first.
CREATE SCHEMA IF NOT EXISTS genflow_migrate;

-- Which type a row belongs to: the first rule, in the order of no, whose pattern (LIKE, in small
-- letters) the field has. Edit them between a dry run and the next one.
CREATE TABLE IF NOT EXISTS genflow_migrate.rules (
    no      integer PRIMARY KEY,
    field   text NOT NULL
            CHECK (field IN ('meta.mode', 'mode', 'table', 'generation_type', 'preset_key',
                             'prompt')),
    pattern text NOT NULL CHECK (pattern = lower(pattern) AND pattern <> ''),
    type    text NOT NULL
);

-- One row for each row that was moved. It stays when its user deletes the generation, so that no
-- later run brings it back.
CREATE TABLE IF NOT EXISTS genflow_migrate.moved (
    legacy_id text     PRIMARY KEY,
    source    text     NOT NULL,                     -- the table that it was moved from
    type_no   smallint NOT NULL,
    id        uuid     NOT NULL,
    user_id   text     NOT NULL,
    hash      text     NOT NULL,                     -- of its picture's address
    spelled   text                                   -- its id there, if that is not legacy_id
);
ALTER TABLE genflow_migrate.moved ADD COLUMN IF NOT EXISTS spelled text;

-- Each row that was not moved, with all that it holds.
CREATE TABLE IF NOT EXISTS genflow_migrate.leftovers (
    source    text    NOT NULL,
    legacy_id text    NOT NULL,                      -- '': it has none
    nth       bigint  NOT NULL,                      -- among the rows of that id
    outcome   text    NOT NULL CHECK (outcome IN ('unclassified', 'rejected')),
    reason    text    NOT NULL,
    content   jsonb   NOT NULL,
    PRIMARY KEY (source, legacy_id, nth)
);

CREATE TABLE IF NOT EXISTS genflow_migrate.runs (
    no          integer PRIMARY KEY,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
);

-- How far a run is with a table: its rows up to last_id are done.
CREATE TABLE IF NOT EXISTS genflow_migrate.progress (
    run      integer NOT NULL,
    source   text    NOT NULL,
    last_id  text,
    finished boolean NOT NULL DEFAULT false,
    PRIMARY KEY (run, source)
);

-- What became of the rows of a run. outcome 'note': counted, and not part of the balance.
CREATE TABLE IF NOT EXISTS genflow_migrate.counts (
    run     integer NOT NULL,
    source  text    NOT NULL,
    outcome text    NOT NULL,
    type    text    NOT NULL DEFAULT '',
    reason  text    NOT NULL DEFAULT '',
    n       bigint  NOT NULL,
    PRIMARY KEY (run, source, outcome, type, reason)
);

-- Pictures that --fetch gave to httpd's dispatchers to store.
CREATE TABLE IF NOT EXISTS genflow_migrate.fetched (
    id        uuid     PRIMARY KEY,
    type_no   smallint NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What was decided about the reservations that were open in the older credits_ledger: 'given back'
-- as a grant, or 'spent'. It stays, so that no later run decides otherwise.
CREATE TABLE IF NOT EXISTS genflow_migrate.reserved (
    key        text PRIMARY KEY,                     -- the id of the entry, else its request_id
    user_id    text,
    amount     bigint,
    outcome    text NOT NULL CHECK (outcome IN ('given back', 'spent')),
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- When --verify found everything in its place.
CREATE TABLE IF NOT EXISTS genflow_migrate.verified (
    at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    run integer     NOT NULL
);

-- meta.mode kept what was asked for; preset_key was rewritten from the prompt later. So mode
-- decides first, and the prompt last.
INSERT INTO genflow_migrate.rules (no, field, pattern, type)
SELECT row_number() OVER (ORDER BY r.place, p.place) * 10, r.field, p.pattern, r.type
  FROM (VALUES
    (1, 'meta.mode', 'ghibli-reaction', '{ghiblireact%,ghibli%}'),
    (2, 'meta.mode', 'emotion-mask', '{emotionmask%,emotion%}'),
    (3, 'meta.mode', 'neo-glitch', '{neotokyoglitch%,neo%glitch%,neoglitch%}'),
    (4, 'meta.mode', 'custom-prompt', '{custom%}'),
    (5, 'meta.mode', 'presets', '{preset%}'),
    (6, 'mode', 'ghibli-reaction', '{ghiblireact%,ghibli%}'),
    (7, 'mode', 'emotion-mask', '{emotionmask%,emotion%}'),
    (8, 'mode', 'neo-glitch', '{neotokyoglitch%,neo%glitch%,neoglitch%}'),
    (9, 'mode', 'custom-prompt', '{custom%}'),
    (10, 'mode', 'presets', '{preset%}'),
    (11, 'table', 'neo-glitch', '{neo_glitch_media%}'),
    (12, 'table', 'emotion-mask', '{emotion_mask_media%}'),
    (13, 'table', 'presets', '{presets_media%}'),
    (14, 'table', 'ghibli-reaction', '{ghibli_reaction_media%}'),
    (15, 'table', 'custom-prompt', '{custom_prompt_media%}'),
    (16, 'generation_type', 'ghibli-reaction', '{%ghibli%}'),
    (17, 'generation_type', 'emotion-mask', '{%emotion%}'),
    (18, 'generation_type', 'neo-glitch', '{%neo%glitch%,%neo%tokyo%}'),
    (19, 'generation_type', 'custom-prompt', '{%custom%}'),
    (20, 'generation_type', 'presets', '{%preset%}'),
    (21, 'preset_key', 'ghibli-reaction', '{%ghibli%}'),
    (22, 'preset_key', 'emotion-mask',
        '{emotion_mask%,joy_sadness,strength_vulnerability,nostalgia_distance,peace_fear,'
        'happy,sad,angry,surprised,disgusted,fearful,neutral}'),
    (23, 'preset_key', 'neo-glitch', '{neo_tokyo%,base,visor,tattoos,scanlines}'),
    (24, 'preset_key', 'custom-prompt', '{custom,custom_prompt}'),
    (25, 'preset_key', 'presets',
        '{cinematic%,portrait,landscape,street,vintage%,black_white,artistic,fashion,'
        'documentary,minimalist,dramatic,soft%,bold,elegant,dynamic,serene,mysterious,'
        'vibrant,subtle,powerful,delicate,intense,tranquil,striking,timeless}'),
    (26, 'preset_key', 'presets',
        '{bright_airy,vivid_pop,tropical_boost,urban_grit,mono_drama,dreamy_pastels,'
        'golden_hour%,high_fashion_editorial,moody_forest,desert_glow,retro_polaroid,'
        'crystal_clear,ocean_breeze,festival_vibes,noir_classic,sun_kissed,frost_light,'
        'neon_nights,cultural_glow,rainy_day_mood,wildlife_focus,street_story}'),
    (27, 'prompt', 'ghibli-reaction', '{%ghibli%}'),
    (28, 'prompt', 'neo-glitch', '{%neo tokyo%,%neo-tokyo%,%cyberpunk%,%glitch%}'),
    (29, 'prompt', 'emotion-mask', '{%emotion%,%nostalgia%}')
       ) AS r (place, field, type, patterns),
       unnest(r.patterns::text[]) WITH ORDINALITY AS p (pattern, place)
 WHERE NOT EXISTS (SELECT FROM genflow_migrate.rules);
