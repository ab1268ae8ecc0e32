-- SPDX-License-Identifier: Apache-2.0
-- What front ends of older systems ask for: public pictures, settings of users, allowances of
-- accounts, and bodies that a row composes into a prompt. The tables of the types get an index of
-- public pictures from genflow.type_upgrade(), which sql/apply calls for each.
ALTER TYPE genflow.generation ADD ATTRIBUTE user_id text, ADD ATTRIBUTE input jsonb,
    ADD ATTRIBUTE input_summary jsonb;

-- own_limits: an administrator has set limits, which GenflowCreditDayLimit and
-- GenflowCreditWeekLimit leave alone. allowance_day: the last day whose credits were granted
-- (GenflowCreditDaily).
ALTER TABLE genflow.accounts ADD COLUMN own_limits boolean NOT NULL DEFAULT false,
    ADD COLUMN allowance_day date;
UPDATE genflow.accounts SET own_limits = true WHERE day_limit IS NOT NULL OR week_limit IS NOT NULL;

CREATE TABLE genflow.user_settings (
    user_id  text  PRIMARY KEY CHECK (length(user_id) BETWEEN 1 AND 255),
    settings jsonb NOT NULL CHECK (jsonb_typeof(settings) = 'object'
                                   AND octet_length(settings::text) <= 4096)
);

-- What genflow.compose() makes of a body of an older system. An administrator edits the rows.
CREATE TABLE genflow.compositions (
    name       text   PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
    type       text   NOT NULL,                        -- of the generation that is made
    template   text   NOT NULL CHECK (length(template) BETWEEN 1 AND 2000),  -- {member}: its words
    words      jsonb  NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(words) = 'object'),
    parameters jsonb  NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(parameters) = 'object'),
    takes      text[] NOT NULL DEFAULT '{}'            -- numbers of the body that are parameters
);
INSERT INTO genflow.compositions (name, type, template, words, parameters, takes)
VALUES ('image', 'custom-prompt',
        'a picture of the mood {mood}, {duration}, {motifTags}, {stylePreset}',
        '{"duration": [{"below": 60, "text": "simple, minimalist"},
                       {"below": 120, "text": "balanced, moderate detail"},
                       {"text": "complex, intricate, detailed"}],
          "stylePreset": {"abstract-oil": "abstract oil painting, thick brush strokes",
                          "impressionist": "impressionist painting, broken colour, soft light",
                          "romantic-landscape": "romantic landscape painting, wide sky, warm light",
                          "minimal-abstract": "minimal abstract painting, few calm shapes",
                          "*": "oil painting"}}',
        '{"width": 1024, "height": 1024, "num_inference_steps": 25, "guidance_scale": 7.5}',
        '{seed}');
