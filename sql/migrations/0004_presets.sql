-- SPDX-License-Identifier: Apache-2.0
-- Presets: rows, which an administrator edits; what stands here is what a site begins with. A migration runs once, so an
-- edited or deleted row is never put back.

-- A preset belongs to a type by name; the type need not be there yet. Which presets are on in a week: genflow.presets().
CREATE TABLE genflow.presets_config (
    id              bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type            text    NOT NULL CHECK (type ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$'),
    key             text    NOT NULL CHECK (key ~ '^[A-Za-z0-9._:-]{1,64}$'),
    label           text    NOT NULL CHECK (length(label) BETWEEN 1 AND 100),
    description     text    NOT NULL DEFAULT '' CHECK (length(description) <= 500),
    category        text    NOT NULL CHECK (length(category) BETWEEN 1 AND 50),
    prompt          text    NOT NULL CHECK (length(prompt) <= 2000),            -- goes before the user's own; '' adds nothing
    negative_prompt text    CHECK (length(negative_prompt) <= 1000),
    strength        numeric(4,3) CHECK (strength BETWEEN 0 AND 1),
    parameters      jsonb   NOT NULL DEFAULT '{}'                               -- further ones: guidance_scale ...
                    CHECK (jsonb_typeof(parameters) = 'object' AND length(parameters::text) <= 2000),
    rotation_index  integer CHECK (rotation_index >= 0),                        -- its place in the weekly rotation, or
    preset_week     integer CHECK (preset_week BETWEEN 1 AND 53),               -- the week of the cycle that it keeps to
    is_active       boolean NOT NULL DEFAULT true,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (type, key)
);

CREATE FUNCTION genflow.preset_touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER presets_config_touch BEFORE UPDATE ON genflow.presets_config
    FOR EACH ROW EXECUTE FUNCTION genflow.preset_touch();

-- ---- neo-glitch: each style under two names ----

INSERT INTO genflow.presets_config (type, key, label, description, category, prompt, strength)
SELECT 'neo-glitch', family || key, label, description, 'neo tokyo', prompt, strength
  FROM (VALUES (''), ('neo_tokyo_')) AS f(family),
       (VALUES
    (1, 'base', 'Neo Tokyo', 'A night of neon and rain', 0.30,
     'Neo Tokyo night, neon signs in the rain, subtle glitch, cinematic cyberpunk light'),
    (2, 'visor', 'Visor', 'A visor full of reflections', 0.35,
     'Neo Tokyo, glowing cyber visor reflecting neon, scan lines, cyberpunk portrait light'),
    (3, 'tattoos', 'Tattoos', 'Circuits on the skin', 0.40,
     'Neo Tokyo, luminous circuit tattoos, neon tracery, chrome and haze'),
    (4, 'scanlines', 'Scan lines', 'Seen on an old monitor', 0.35,
     'Neo Tokyo on an old monitor, heavy scan lines, RGB split, glitch bands')
       ) AS v(place, key, label, description, strength, prompt)
 ORDER BY family, place;

-- ---- emotion-mask ----

INSERT INTO genflow.presets_config (type, key, label, description, category, prompt, negative_prompt, strength, parameters)
SELECT 'emotion-mask', key, label, description, category, prompt,
       'distorted face, extra faces, extra limbs, blurry, low quality, text, watermark', 0.45,
       '{"guidance_scale": 7.5, "num_inference_steps": 30}'
  FROM (VALUES
    ('happy', 'Happy', 'Open, warm joy', 'one emotion',
     'portrait with a radiant, genuine smile, bright eyes, relaxed brow, warm golden light, joyful mood'),
    ('sad', 'Sad', 'Quiet grief', 'one emotion',
     'portrait of quiet sadness, lowered gaze, glistening eyes, soft blue window light, muted colours, melancholic mood'),
    ('angry', 'Angry', 'Contained fury', 'one emotion',
     'portrait of fierce anger, furrowed brow, clenched jaw, hard red side light, deep shadows, tense mood'),
    ('surprised', 'Surprised', 'Caught off guard', 'one emotion',
     'portrait of sudden surprise, wide eyes, raised brows, parted lips, crisp bright light, lively mood'),
    ('disgusted', 'Disgusted', 'Turned away', 'one emotion',
     'portrait of disgust, wrinkled nose, narrowed eyes, curled lip, sickly green side light, uneasy mood'),
    ('fearful', 'Fearful', 'Eyes in the dark', 'one emotion',
     'portrait of fear, wide alert eyes, pale skin, face half in darkness, cold narrow light, suspenseful mood'),
    ('neutral', 'Neutral', 'A calm face', 'one emotion',
     'portrait with a calm, neutral expression, steady gaze, even soft light, plain background, composed mood'),
    ('joy_sadness', 'Joy and sadness', 'A smile through tears', 'two emotions',
     'portrait divided by emotion: one side of the face smiling in warm gold, the other in tears in cool blue, '
     'a seamless transition, bittersweet mood'),
    ('strength_vulnerability', 'Strength and vulnerability', 'Armour and open heart', 'two emotions',
     'portrait divided by emotion: one side resolute in bronze light, the other soft and unguarded in pale rose, '
     'a fine crack of light between them, intimate mood'),
    ('nostalgia_distance', 'Nostalgia and distance', 'Looking back from far away', 'two emotions',
     'portrait divided by emotion: one side lost in a sepia memory, the other distant behind misted glass in grey blue, '
     'dreamlike, wistful mood'),
    ('peace_fear', 'Peace and fear', 'Stillness before the storm', 'two emotions',
     'portrait divided by emotion: one side serene in soft dawn light, the other tense in stormy shadow, '
     'a quiet boundary between them, uncanny mood'),
    ('emotion_mask_love', 'Mask of love', 'Tenderness to wear', 'masks',
     'portrait behind an ornate translucent mask of love, rose gold filigree, blossoms at the temples, tender eyes, soft glow'),
    ('emotion_mask_joy', 'Mask of joy', 'A feast to wear', 'masks',
     'portrait behind an ornate translucent mask of joy, bright enamel and sunbeams, confetti of light, laughing eyes'),
    ('emotion_mask_sadness', 'Mask of sadness', 'Rain to wear', 'masks',
     'portrait behind an ornate translucent mask of sadness, blue porcelain with silver tear tracks, rain in the background'),
    ('emotion_mask_conf_loneliness', 'Mask of confidence over loneliness', 'Proud outside, alone inside', 'masks',
     'portrait holding a proud, gleaming mask of confidence before a lonely face, empty stage, single spotlight, long shadow')
       ) AS v(key, label, description, category, prompt);

-- ---- ghibli-reaction ----

INSERT INTO genflow.presets_config (type, key, label, description, category, prompt, negative_prompt, strength, parameters)
SELECT 'ghibli-reaction', key, label, description, 'reactions', prompt,
       'photorealistic, harsh shadows, distorted face, extra limbs, blurry, low quality, text, watermark', 0.35,
       '{"guidance_scale": 9, "num_inference_steps": 28}'
  FROM (VALUES
    ('ghibli_tears', 'Tears', 'Big tears, brave face',
     'hand-painted anime film still, large glossy tears welling up and rolling down, trembling smile, watercolour sky, soft light'),
    ('ghibli_shock', 'Shock', 'Hair on end',
     'hand-painted anime film still, comic shock, wide round eyes, hair standing up in a wave, speed lines of wind, clear daylight'),
    ('ghibli_sparkle', 'Sparkle', 'Eyes full of stars',
     'hand-painted anime film still, sparkling eyes full of wonder, floating motes of light, flower meadow, warm breeze'),
    ('ghibli_reaction', 'Reaction', 'The look of a hand-painted film',
     'hand-painted anime film still, expressive reaction, clean line work, lush watercolour background, gentle summer light')
       ) AS v(key, label, description, prompt);

-- ---- custom-prompt: the user's own words; the presets only give them a name ----

INSERT INTO genflow.presets_config (type, key, label, description, category, prompt)
VALUES ('custom-prompt', 'custom', 'Custom', 'Your own words', 'custom', ''),
       ('custom-prompt', 'custom_prompt', 'Custom prompt', 'Your own words', 'custom', '');

-- ---- presets: 25, of which a window is on each week (GenflowTypePresetWindow) ----

INSERT INTO genflow.presets_config (type, key, label, description, category, prompt, negative_prompt, strength, parameters,
                                    rotation_index)
SELECT 'presets', key, label, description, category, prompt,
       'blurry, low quality, deformed, extra limbs, text, watermark, signature', strength,
       '{"guidance_scale": 7.5, "num_inference_steps": 30}', place - 1
  FROM (VALUES
    (1, 'golden_hour', 'Golden hour', 'Low sun, long shadows', 'photography', 0.35,
     'golden hour photograph, low warm sun behind the subject, rim light, soft lens flare, long shadows, fine film grain'),
    (2, 'film_noir', 'Film noir', 'Blinds, smoke, a secret', 'cinema', 0.45,
     'black and white film noir still, hard light through venetian blinds, drifting smoke, wet street, deep contrast'),
    (3, 'watercolour', 'Watercolour', 'Wet on wet', 'painting', 0.55,
     'loose watercolour painting, wet-on-wet washes, pigment blooms, white paper showing through, delicate pencil lines'),
    (4, 'space_opera', 'Space opera', 'Between the stars', 'science fiction', 0.50,
     'epic space opera scene, vast starship windows, ringed planet beyond, cool rim light, volumetric haze, sense of scale'),
    (5, 'storybook', 'Storybook', 'Once upon a time', 'illustration', 0.50,
     'warm storybook illustration, gouache texture, rounded shapes, cosy lamplight, tiny whimsical details'),
    (6, 'enchanted_forest', 'Enchanted forest', 'Moss and fireflies', 'fantasy', 0.50,
     'enchanted forest at dusk, ancient mossy trees, fireflies, shafts of green light, glowing mushrooms, quiet magic'),
    (7, 'polaroid_1979', 'Polaroid 1979', 'Found in a drawer', 'vintage', 0.40,
     'faded instant photograph from the late seventies, warm colour shift, soft focus, light leak at the edge, candid moment'),
    (8, 'paper_cut', 'Paper cut', 'Layers of card', 'craft', 0.60,
     'layered paper cut artwork, crisp edges of coloured card, depth by stacked layers, soft shadows between them'),
    (9, 'ukiyo_e', 'Ukiyo-e', 'A woodblock print', 'painting', 0.60,
     'ukiyo-e woodblock print, flat colour areas, flowing outlines, indigo gradient, stylised waves and clouds, washi texture'),
    (10, 'studio_portrait', 'Studio portrait', 'Softbox and grey paper', 'photography', 0.35,
     'studio portrait photograph, large softbox, seamless grey backdrop, natural skin texture, catchlights, 85 mm look'),
    (11, 'desert_outpost', 'Desert outpost', 'Two suns, one road', 'science fiction', 0.50,
     'remote desert outpost on an alien world, twin suns low on the horizon, weathered machines, dust in the air, wide vista'),
    (12, 'comic_ink', 'Comic ink', 'Bold lines, halftone', 'illustration', 0.55,
     'dynamic comic book panel, bold black ink, halftone dots, limited flat colours, dramatic angle, motion lines'),
    (13, 'alpine_dawn', 'Alpine dawn', 'First light on the ridge', 'nature', 0.40,
     'alpine dawn, first pink light on snow ridges, mist in the valley, mirror-still lake, crisp cold air'),
    (14, 'oil_masters', 'Old masters', 'Oil and candlelight', 'painting', 0.55,
     'oil painting in the manner of the baroque masters, chiaroscuro candlelight, rich umber shadows, visible brushwork, fine glaze'),
    (15, 'stained_glass', 'Stained glass', 'Light through lead', 'craft', 0.60,
     'stained glass window, jewel-coloured panes, black lead lines, sun behind the glass, radiant colour'),
    (16, 'art_deco_poster', 'Art deco poster', 'Grand hotel, 1928', 'poster', 0.55,
     'art deco travel poster, bold geometry, streamlined forms, gold and teal palette, elegant symmetry, grain of a lithograph'),
    (17, 'dragon_keep', 'Dragon keep', 'A castle on the edge', 'fantasy', 0.55,
     'fantasy castle keep on a sheer cliff, distant dragon among storm clouds, torchlight, banners in the wind, heroic mood'),
    (18, 'vaporwave', 'Vaporwave', 'Pink dusk, marble bust', 'retro', 0.50,
     'vaporwave scene, pink and cyan dusk, marble bust, chrome grid to the horizon, palm silhouettes, soft VHS noise'),
    (19, 'clay_stop_motion', 'Clay figures', 'Thumbprints included', 'craft', 0.60,
     'stop-motion clay figures, visible thumbprints, miniature set, practical lamps, shallow depth of field, charming imperfection'),
    (20, 'underwater_light', 'Under water', 'Rays from above', 'nature', 0.45,
     'underwater scene, dancing rays from the surface, drifting particles, coral colours, weightless hair and cloth, turquoise depth'),
    (21, 'double_exposure', 'Double exposure', 'Two pictures in one', 'photography', 0.45,
     'double exposure photograph, silhouette filled with a misty pine forest, clean white background, subtle tonal blending'),
    (22, 'pixel_arcade', 'Pixel arcade', 'Insert coin', 'retro', 0.60,
     'sixteen-bit pixel art, limited palette, crisp dithering, parallax city background, arcade mood'),
    (23, 'bauhaus_shapes', 'Bauhaus', 'Circle, square, triangle', 'poster', 0.60,
     'bauhaus composition, circles, squares and triangles in primary colours, strict grid, off-white paper, screen print texture'),
    (24, 'silent_film', 'Silent film', 'Iris in', 'cinema', 0.45,
     'frame of a silent film, sepia tone, iris vignette, scratches and flicker, theatrical gesture, painted backdrop'),
    (25, 'autumn_haze', 'Autumn haze', 'Leaves and low fog', 'nature', 0.40,
     'autumn morning, low fog between amber trees, fallen leaves, soft backlight, calm earthy palette')
       ) AS v(place, key, label, description, category, strength, prompt)
 ORDER BY place;
