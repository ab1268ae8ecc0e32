#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# genflow-migrate moves the rows of a media_assets into the tables of the types: each row is in the balance once, into one type,
# with all that it held; what cannot be moved is listed with its reason; a second run moves nothing. Ids are text or UUIDs, times
# with or without zone.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Migrate qw(balance);

use constant ROWS => 72;

# column => value as SQL text, and what becomes of the row: a type, or the reason why it is not moved.
my $PICTURE = q{'https://res.cloudinary.com/old/1.png'};
my @CASES = (
    # meta.mode decides, whatever preset_key and prompt say
    [{ meta => q('{"mode": "ghiblireact"}'), preset_key => q('nostalgia_distance'), prompt => q('tears of nostalgia') }, 'ghibli-reaction'],
    [{ meta => q('{"mode": "GhibliReact"}'), preset_key => q('cinematic') },            'ghibli-reaction'],
    [{ meta => q('{"mode": "emotionmask"}'), preset_key => q('ghibli_sparkle') },       'emotion-mask'],
    [{ meta => q('{"mode": "preset"}'), preset_key => q('visor') },                     'presets'],
    [{ meta => q('{"mode": "custom"}'), preset_key => q('landscape') },                 'custom-prompt'],
    [{ meta => q('{"mode": "neotokyoglitch"}'), prompt => q('a ghibli meadow') },       'neo-glitch'],
    [{ mode => q('neo_glitch'), preset_key => q('soft') },                              'neo-glitch'],
    [{ meta => q('{"mode": "unheard-of"}'), preset_key => q('peace_fear') },            'emotion-mask'],
    # then preset_key and generation_type
    [{ preset_key => q('ghibli_sparkle'), prompt => q('sparkle and nostalgia') },       'ghibli-reaction'],
    [{ preset_key => q('nostalgia_distance') },                                         'emotion-mask'],
    [{ preset_key => q('neo_tokyo_visor') },                                            'neo-glitch'],
    [{ preset_key => q('custom_prompt') },                                              'custom-prompt'],
    [{ preset_key => q('vintage_film_35mm') },                                          'presets'],
    [{ meta => q('{"generation_type": "emotion_mask"}'), preset_key => q('cinematic') }, 'emotion-mask'],
    [{ meta => q('{"generation_type": "ghibli_reaction"}') },                           'ghibli-reaction'],
    # then the prompt
    [{ prompt => q('Ghibli rain, with nostalgia') },                                    'ghibli-reaction'],
    [{ prompt => q('neo tokyo at night') },                                             'neo-glitch'],
    [{ prompt => q('nothing that a rule knows') },                                      'no rule fits'],
    [{},                                                                                'no rule fits'],
    # nulls, and what cannot be
    [{ user_id => 'NULL', mode => q('preset') },                                        'it has no user'],
    [{ user_id => q('  '), mode => q('preset') },                                       'it has no user'],
    [{ user_id => q(repeat('u', 256)), mode => q('preset') },                           'its user has more than 255 characters'],
    [{ user_id => q('nobody-knows'), mode => q('preset') },                             'presets'],
    [{ status => q('deleted'), mode => q('preset') },                                   'unknown status deleted'],
    [{ status => 'NULL', mode => q('preset') },                                         'presets'],
    [{ status => q('failed'), mode => q('preset'), final_url => 'NULL' },               'presets'],
    [{ status => q('processing'), mode => q('preset'), final_url => 'NULL' },           'presets'],
    [{ final_url => 'NULL', mode => q('preset') },                                      'presets'],
    [{ final_url => q('data:image/png;base64,AAAA'), mode => q('preset') },
        'its picture is no address of http, https or this site'],
    [{ final_url => 'NULL', url => q('/uploads/1.png'), mode => q('preset') },          'presets'],
    [{ created_at => 'NULL', mode => q('preset') },                                     'presets'],
    [{ created_at => q('infinity'), mode => q('preset') },                              'presets'],
    [{ created_at => q('1901-01-01'), mode => q('preset') },                            'created_at is before 1970 or after 9998'],
    [{ meta => q(jsonb_build_object('mode', 'preset', 'x', repeat('x', 70000))) },      'its meta is larger than 64 kB'],
    [{ tags => q(array_fill('x'::text, ARRAY[101])), mode => q('preset') },             'more than 100 tags, or 8 kB of them'],
    [{ run_id => q('run of two'), mode => q('preset') },                                'presets'],
    [{ run_id => q('run of two'), mode => q('preset') },                                'presets'],
    [{ run_id => q(repeat('r', 201)), mode => q('preset') },                            'presets'],
    [{ visibility => q('public'), is_public => 'false', mode => q('preset') },          'presets'],
    [{ visibility => q('private'), is_public => 'true', mode => q('preset') },          'presets'],
    [{ user_id => q('shop' || chr(31) || 'ann'), mode => q('preset') },                 'its user has control characters'],
);
my $MODE = { text => q('{"mode": "custom"}'), uuid => q('{"mode": "emotionmask"}') };

for my $kind (qw(text uuid)) {
    my $old   = Genflow::Migrate->new;
    my $times = $kind eq 'uuid' ? 'timestamptz' : 'timestamp(3)';
    # without a primary key, so that an id may be there twice
    $old->sql("CREATE TABLE users (id $kind PRIMARY KEY)",
        "INSERT INTO users SELECT md5('user')::uuid::$kind",
        "CREATE TABLE media_assets (n integer, id $kind, user_id text, url text, result_url text, source_url text, final_url text,
             public_id text, prompt text DEFAULT '', negative_prompt text, model text, mode text, run_id text, preset_key text,
             strength double precision, tags text[], meta jsonb, status text DEFAULT 'ready', visibility text DEFAULT 'private',
             is_public boolean DEFAULT false, allow_remix boolean DEFAULT false, width integer, height integer,
             created_at $times, updated_at $times)");
    my $n = 0;
    my %expected;
    for my $case (@CASES) {
        my %row = (user_id => q(md5('user')::uuid::text), final_url => $PICTURE, created_at => q('2025-08-25 10:00:00'),
            %{ $case->[0] });
        $n++;
        $expected{$n} = $case->[1];
        $old->sql("INSERT INTO media_assets (n, id, @{[join ', ', sort keys %row]})
                   VALUES ($n, md5('$n')::uuid::$kind, @{[join ', ', map { $row{$_} } sort keys %row]})");
    }
    # two rows of one id, one row without, and what the others are
    $old->sql("INSERT INTO media_assets (n, id, user_id, final_url, mode, created_at)
                   SELECT $n + 1, md5('1')::uuid::$kind, 'u', $PICTURE, 'preset', timestamp '2026-01-01'",
        "INSERT INTO media_assets (n, user_id, final_url, mode) VALUES ($n + 2, 'u', $PICTURE, 'preset')");
    @expected{ $n + 1, $n + 2 } = ('an earlier row has this id', 'it has no id');
    for ($n + 3 .. ROWS) {
        $expected{$_} = $kind eq 'uuid' ? 'emotion-mask' : 'custom-prompt';
        $old->sql("INSERT INTO media_assets (n, id, user_id, final_url, source_url, prompt, negative_prompt, model, strength, tags,
                       meta, visibility, allow_remix, width, height, created_at, updated_at, public_id)
                   VALUES ($_, md5('$_')::uuid::$kind, md5('user')::uuid::text, $PICTURE, 'https://old.example/s.png', 'a cat', 'dog',
                       'model-1', 0.45, '{a,b}', $MODE->{$kind}, 'public', true, 640, 480, '2025-08-25 10:00:00.123',
                       '2025-08-25 10:00:09', 'pub/$_')");
    }

    # ---- the dry run ----

    my $before = $old->sql("SELECT md5(string_agg(m::text, '' ORDER BY n)) FROM media_assets m");
    my ($dry, $code) = $old->migrate('--show', 100);
    is $code, 0, "$kind: a dry run succeeds in a database without mod_genflow" or diag $dry;
    is $old->sql("SELECT to_regnamespace('genflow') IS NULL AND NOT EXISTS (SELECT FROM genflow_migrate.moved)"), 't',
        '... and moves nothing';
    is balance($dry)->{media_assets}{rows}, ROWS, '... it counts every row';
    ok !exists balance($dry)->{all}{wrong}, '... and balances';

    # ---- moved ----

    my ($said, $failed) = $old->migrate('--apply', '--show', 100);
    is $failed, 0, "$kind: the rows are moved" or diag $said;
    is_deeply balance($said)->{media_assets}, balance($dry)->{media_assets}, '... as the dry run said';
    my %got = map { split /\|/, $_, 2 } split /\n/, $old->sql(<<"SQL");
        SELECT s.n, coalesce(t.name, l.reason) FROM (
            SELECT a.*, row_number() OVER (PARTITION BY a.id ORDER BY a.created_at) AS nth FROM media_assets a) s
          LEFT JOIN genflow_migrate.moved m ON m.legacy_id = s.id::text AND s.nth = 1
          LEFT JOIN genflow.types t ON t.no = m.type_no
          LEFT JOIN genflow_migrate.leftovers l ON l.legacy_id = coalesce(s.id::text, '') AND l.nth = s.nth
SQL
    is_deeply \%got, \%expected, '... each into the type that the rules name, or listed with its reason';
    my $all = join ' UNION ALL ', map { "SELECT * FROM ${_}_media" } qw(neo_glitch emotion_mask presets ghibli_reaction custom_prompt);
    is $old->sql("SELECT count(*), count(DISTINCT legacy_id) FROM ($all) g"), join('|', (balance($said)->{all}{moved}) x 2),
        '... each once';
    is $old->sql("SELECT md5(string_agg(m::text, '' ORDER BY n)) FROM media_assets m"), $before, '... the older table is as it was';
    like $said, qr/^  note: media_assets: its user is not in the table users: 1$/m, 'a user that users does not have is noted';
    like $said, qr/^  media_assets \S+ row 2: rejected: an earlier row has this id$/m, 'rows that are not moved are listed';

    my $last = ROWS;
    my $media = $kind eq 'uuid' ? 'emotion_mask_media' : 'custom_prompt_media';
    is $old->sql(qq{
        SELECT concat_ws('|', status, prompt, source_url, parameters, model, image_url, original_url, persisted, visibility, allow_remix,
                         tags, result, cost, created_at AT TIME ZONE 'UTC', finished_at AT TIME ZONE 'UTC', meta->>'mode',
                         meta#>>'{legacy,public_id}', meta#>>'{legacy,table}')
          FROM $media WHERE legacy_id = md5('$last')::uuid::text}),
        'completed|a cat|https://old.example/s.png|{"strength": 0.45, "negative_prompt": "dog"}|model-1|'
        . 'https://res.cloudinary.com/old/1.png|https://res.cloudinary.com/old/1.png|f|public|t|{a,b}|{"width": 640, "height": 480}|0|'
        . '2025-08-25 10:00:00.123|2025-08-25 10:00:09|' . ($kind eq 'uuid' ? 'emotionmask' : 'custom') . "|pub/$last|media_assets",
        'a row keeps all that it held';
    is $old->sql(q{SELECT string_agg(concat_ws(' ', s.n, g.status, g.error_code, g.visibility), ', ' ORDER BY s.n)
                     FROM presets_media g JOIN media_assets s ON s.id::text = g.legacy_id WHERE s.n IN (26, 27, 28, 30, 39, 40)}),
        '26 failed API_ERROR private, 27 failed TIMEOUT private, 28 failed EMPTY_RESULT private, 30 completed private, '
        . '39 completed public, 40 completed public', 'status and visibility are those of the older system';
    is $old->sql(q{SELECT count(*) FROM presets_media WHERE run_id = 'run of two'}), 2, 'two may have one run id';
    is $old->sql('SELECT count(*) FROM genflow.check()'), 0, 'the books are sound';

    # ---- again ----

    my ($again) = $old->migrate('--apply');
    my %there = %{ balance($said)->{all} };
    is_deeply balance($again)->{all}, { %there, moved => 0, already => $there{moved} }, "$kind: a second run moves nothing";
    $old->sql('CREATE VIEW public.assets AS SELECT id, user_id, url FROM media_assets') if $kind eq 'text';
    $old->sql("DELETE FROM presets_media WHERE legacy_id = md5('37')::uuid::text");
    is balance(($old->migrate('--apply'))[0])->{all}{moved}, 0, 'what its user deleted does not come back';
    $old->sql("INSERT INTO genflow_migrate.rules (no, field, pattern, type) VALUES (5000, 'prompt', 'nothing%', 'custom-prompt')");
    is balance(($old->migrate('--apply'))[0])->{all}{moved}, 1, 'a rule that was added moves what it fits';

    # ---- verified, and dropped ----

    my ($no, $refused) = $old->migrate('--drop');
    is $refused, 1, 'nothing is dropped that was not verified';
    like $no, qr/run genflow-migrate --verify/, '... and it says so';
    my ($verified, $wrong) = $old->migrate('--verify');
    is $wrong, 0, 'everything is in its place' or diag $verified;
    $old->sql("INSERT INTO media_assets (n, id, user_id, final_url, mode) VALUES (99, md5('99')::uuid::$kind, 'u', $PICTURE, 'preset')");
    like +($old->migrate('--drop', '--accept-leftovers'))[0], qr/nothing is dropped: media_assets: rows neither moved nor listed as not moved: 1,/,
        'a row that came since keeps the table';
    is +($old->migrate('--verify'))[1], 1, '... and --verify finds it';
    is balance(($old->migrate('--apply'))[0])->{all}{moved}, 1, '... until it is moved';
    is +($old->migrate('--verify'))[1], 0, '... and verified';
    like +($old->migrate('--drop'))[0], qr/nothing is dropped: rows not moved: /, 'rows that were not moved keep the table';
    is +($old->migrate('--drop', '--accept-leftovers'))[1], 0, '... unless that is accepted';
    is $old->sql(q{SELECT to_regclass('media_assets') IS NULL AND EXISTS (
                       SELECT FROM genflow_migrate.leftovers WHERE content->>'status' = 'deleted')}), 't',
        '... the table is gone, and they are kept with all that they held';
    is $old->sql("SELECT to_regclass('public.assets') IS NULL"), 't', '... and the view assets on it is gone';
}

# ---- nothing but id and user_id; a view ----

my $bare = Genflow::Migrate->new;
$bare->sql('CREATE TABLE media_assets_of_theirs (id integer PRIMARY KEY, user_id integer)',
    'INSERT INTO media_assets_of_theirs VALUES (1, 1), (2, 2), (3, NULL)',
    'CREATE VIEW media_assets AS SELECT * FROM media_assets_of_theirs',
    'CREATE SCHEMA genflow_migrate');
my ($poor, $code) = $bare->migrate('--apply');
is $code, 0, 'every column but id and user_id may be missing, and the table may be a view' or diag $poor;
is_deeply balance($poor)->{all}, { rows => 3, moved => 0, already => 0, unclassified => 2, rejected => 1 }, '... no row is lost';
$bare->sql("INSERT INTO genflow_migrate.rules (no, field, pattern, type) VALUES (1, 'table', '%', 'presets')");
is balance(($bare->migrate('--apply'))[0])->{all}{moved}, 2, '... and a rule for the table moves them';
$bare->sql("UPDATE genflow_migrate.rules SET type = 'paintings' WHERE no = 1");
my ($said, $refused) = $bare->migrate;
is $refused, 1, 'a rule that names no type stops it';
like $said, qr/rule 1 names the type paintings: there is no such type/, '... and is named';

# ---- columns of other types; two at once; wrong usage ----

my $odd = Genflow::Migrate->new;
$odd->sql('CREATE TABLE media_assets (id varchar(40), user_id uuid, url text, meta text, tags jsonb, strength numeric, width text,
                                      is_public text, created_at text)',
    q(INSERT INTO media_assets VALUES
        ('aaaaaaaaaaaaaaaaaaaa', gen_random_uuid(), '/u/1.png', '{"mode": "custom"}', '["x", null, 7]', 0.5, 'wide', 'true', '2025-08-25T10:00:00+02:00'),
        ('bbbbbbbbbbbbbbbbbbbb', gen_random_uuid(), '/u/2.png', '{"mode": "custom', '"y"', NULL, '9', NULL, 'yesterday evening'),
        ('cccccccccccccccccccc', gen_random_uuid(), '/u/3.png', '[1]', '{"z": 1}', NULL, NULL, NULL, '2025-08-25 10:00')));
my $rule = q(INSERT INTO genflow_migrate.rules (no, field, pattern, type) VALUES (9000, 'table', 'media_assets', 'presets'));
$odd->migrate;
$odd->sql($rule);
my ($different, $odd_code) = $odd->migrate('--apply', '--zone', 'America/New_York');
is_deeply balance($different)->{all}, { rows => 3, moved => 3, already => 0, unclassified => 0, rejected => 0 },
    'columns of other types are read' or diag $different;
is $odd->sql(q{SELECT string_agg(concat_ws(' ', left(legacy_id, 1), tags, visibility, created_at AT TIME ZONE 'UTC', meta->>'mode'), ', ' ORDER BY legacy_id)
                 FROM (SELECT * FROM custom_prompt_media UNION ALL SELECT * FROM presets_media) g WHERE left(legacy_id, 1) <> 'b'}),
    'a {x,7} public 2025-08-25 08:00:00 custom, c private 2025-08-25 14:00:00', '... as far as they say something; --zone is the zone of times without one';
my $other = $odd->session;
$other->sql("SELECT pg_advisory_lock(hashtextextended('genflow migrate', 0))");
$other->start('SELECT pg_sleep(30)');
my ($second, $second_code) = $odd->migrate('--apply');
is $second_code, 1, 'two at once: the second one refuses';
like $second, qr/another one runs in this database \(PostgreSQL's process $other->{backend} since [\d:]+\): wait for its end,/,
    '... and says which one';
is +($odd->migrate(@$_))[1], 2, "wrong usage: @$_"
    for ['--apply', '--drop'], ['--batch', 0], ['--batch', 'x'], ['--show', ''], ['--fast'], ['--rate', -1];
done_testing;
