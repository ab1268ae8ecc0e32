#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A site that works while its older system's rows are moved: their users find, list and delete them by their older ids, credits are
# granted once, presets come along, and --fetch lets the dispatchers store the pictures.
use Genflow::Test;

use Genflow::Migrate qw(balance);

my $schema = "older_$$";
my ($user, $other) = (account(0), account(3));
my $key = "older$$";
sql(<<'SQL', schema => $schema, user => $user, other => $other, fake => $ENV{GENFLOW_FAKE}, key => $key);
    CREATE SCHEMA :"schema";
    SET search_path = :"schema";
    CREATE TABLE media_assets (id text PRIMARY KEY, user_id text, final_url text, prompt text, mode text, run_id text, meta jsonb,
                               preset_key text, is_public boolean, created_at timestamp);
    INSERT INTO media_assets
    SELECT :'key' || name, CASE WHEN name < 'f' THEN :'user' ELSE :'other' END,
           CASE WHEN path LIKE 'http%' THEN path ELSE :'fake' || path || '?u=' || :'user' END, 'an older cat', mode,
           'run-' || :'key' || name, meta::jsonb, preset, name = 'b', timestamp '2025-08-25 12:00:00' + place * interval '1 minute'
      FROM (VALUES (1, 'a', 'preset', '/_source/picture/a', NULL, 'cinematic'),
                   (2, 'b', NULL, '/_source/picture/b', '{"mode": "neotokyoglitch", "stabilityJobId": "stable-b"}', 'visor'),
                   (3, 'c', NULL, '/nowhere', '{"mode": "neotokyoglitch"}', NULL),
                   (4, 'd', 'ghiblireact', '/_source/picture/d', NULL, NULL),
                   (5, 'f', NULL, '/_source/picture/f', '{"mode": "neotokyoglitch"}', NULL),
                   (6, 'g', NULL, '/_source/moved/g', '{"mode": "neotokyoglitch"}', NULL),
                   (7, 'h', NULL, '/_source/private/h', '{"mode": "neotokyoglitch"}', NULL),
                   (9, 'j', NULL, '/_source/big/j', '{"mode": "neotokyoglitch"}', NULL),
                   (10, 'k', NULL, 'http://127.0.0.2:1/k', '{"mode": "neotokyoglitch"}', NULL),
                   (11, 'l', NULL, 'http://127.0.0.1:1/l', '{"mode": "neotokyoglitch"}', NULL)) AS v (place, name, mode, path, meta, preset);
    CREATE TABLE user_credits (user_id text PRIMARY KEY, credits integer DEFAULT 30, balance integer);
    INSERT INTO user_credits VALUES (:'user', 30, 12), (:'other', 30, 0), (:'user' || ' x', 30, -4);
    CREATE TABLE credits_ledger (id text, user_id text, request_id text UNIQUE, action text, amount integer, status text);
    INSERT INTO credits_ledger VALUES ('1', :'user', '1', 'image.gen', -2, 'reserved'),
           ('2', :'user' || ' y', '2', 'grant', 9, 'completed'), ('3', :'user' || ' y', '3', 'image.gen', -2, 'completed'),
           ('4', :'user' || ' y', '4', 'image.gen', -2, 'refunded'), ('5', '', '5', 'grant', 9, 'completed');
    CREATE TABLE presets_config (preset_key text, preset_name text, preset_prompt text, preset_strength double precision,
                                 preset_category text, preset_week integer, preset_rotation_index integer, is_active boolean);
    INSERT INTO presets_config VALUES (:'key' || '-preset', 'Older', 'an older prompt', 0.8, 'old', NULL, NULL, false),
           ('golden_hour', 'Theirs', 'their prompt', 0.8, 'old', 1, 1, true), ('no key', 'Bad', 'x', 0.8, 'old', 1, 1, true);
    CREATE TABLE assets (id text PRIMARY KEY, user_id text, url text);
    CREATE TABLE auth_otps (email text, code text);
SQL
my $golden = sql1(q(SELECT md5(p::text) FROM genflow.presets_config p WHERE type = 'presets' AND key = 'golden_hour'));

# ---- moved, on-line ----

my ($dry) = migrate();
my ($said, $code) = migrate('--apply');
is $code, 0, 'rows are moved while httpd runs' or diag $said;
is_deeply balance($said)->{all}, { rows => 10, moved => 10, already => 0, unclassified => 0, rejected => 0 }, '... all of them';
is_deeply balance($said), balance($dry), '... as the dry run said';
like $said, qr/^user_credits, by user: 3 = 1 granted \(12 credits\) \+ 0 already there \+ 2 nothing to grant \+ 0 rejected$/m,
    'balances become grants';
like $said, qr/^credits_ledger, by user: 2 = 1 granted \(7 credits\) \+ 0 already there \+ 0 nothing to grant \+ 1 rejected$/m,
    '... of users who are in the ledger alone, too';
like $said, qr/^credits_ledger, still reserved: 1 = 1 given back \(2 credits\) \+ 0 already decided \+ 0 spent \+ 0 rejected$/m,
    '... what is still reserved there is given back';
credits_are $user, 14, 0, 'a user has the older balance, and what was reserved';
credits_are "$user y", 7, 0, '... or the sum of the older ledger';
like $said, qr/^presets_config: 3 = 1 moved \+ 1 already there \+ 1 rejected$/m, 'presets come along';
is sql1(q(SELECT md5(p::text) FROM genflow.presets_config p WHERE type = 'presets' AND key = 'golden_hour')), $golden,
    '... those that were there stay as they were';
like $said, qr/^(?:$_: got (?:generated ids|a column id)\n?)/m, "$_ generates ids" for qw(assets auth_otps presets_config);
is sql1(q(INSERT INTO :"schema".assets (user_id) VALUES ('u') RETURNING id IS NOT NULL), schema => $schema), 't', '... so that a row may come without one';
my ($again) = migrate('--apply');
is balance($again)->{all}{moved}, 0, 'a second run moves nothing';
credits_are $user, 14, 0, '... and grants nothing';

# ---- by their older ids ----

my $b = status_of($user, "${key}b");
is $b->{status}, 'completed', 'status finds an older id';
is $b->{prompt}, 'an older cat', '... with what it held';
is $b->{createdAt}, '2025-08-25T12:02:00.000Z', '... a time without zone is in UTC';
is data(api(GET => "/api/neo-glitch/status?$_", user => $user))->{id}, $b->{id}, "... by $_"
    for "runId=run-${key}b", 'stabilityJobId=stable-b', "jobId=$b->{id}";
is api(GET => "/api/generation/${key}a", user => $user)->{status}, 200, 'generation/{id} finds one of whichever type';
error_is(api(GET => "/api/neo-glitch/status?id=${key}f", user => $user), 403, 'UNAUTHORIZED', 'not that of another user');
is_deeply [map { $_->{type} } @{ data(api(GET => '/api/generations', user => $user))->{items} }],
    [qw(ghibli-reaction neo-glitch neo-glitch presets)], 'history lists them, newest first';
is sql1("SELECT string_agg(visibility, ' ' ORDER BY legacy_id) FROM public.neo_glitch_media WHERE user_id = genflow.account_of(:'user')", user => $user),
    'public private', 'visibility came along';
is api(DELETE => "/api/generation/${key}d", user => $user)->{status}, 200, 'their user deletes one by its older id';
is balance((migrate('--apply'))[0])->{all}{moved}, 0, '... and it does not come back';

# ---- their pictures ----

expect_log('GF0416', 'GF0417');
my ($first) = migrate('--fetch', '--limit', 1);
like $first, qr/^pictures: 9 = \d stored \+ \d waiting/m, '--fetch requests one picture';
migrate('--fetch', '--rate', 100);
my $dead = q(SELECT count(*) FROM genflow.restores WHERE url = 'http://127.0.0.1:1/l' AND tries > 0);
ok((wait_for { sql1($dead) == 1 }), '... all of them, also of a host that does not answer');
is sql1(q(SELECT count(*) FROM genflow.restores WHERE url = 'http://127.0.0.1:1/l' AND expires_at < now() + interval '3 days')), 1,
    '... that one not for ever';
sql(q(UPDATE genflow.restores SET expires_at = now(), due_at = now() WHERE url = 'http://127.0.0.1:1/l'));
my $stored = wait_for { my ($now) = migrate('--fetch'); $now =~ /^pictures: 9 = 5 stored \+ 0 waiting to be fetched \+ 4 given up/m };
ok $stored, 'the dispatchers store all but those that are gone or not public'
    or diag +(migrate('--fetch'))[0];
is sql1(q(SELECT string_agg(right(legacy_id, 1), '' ORDER BY legacy_id) FROM public.neo_glitch_media WHERE user_id = genflow.account_of(:'user') AND persisted), user => $other),
    'fgj', '... not one that is behind a redirect to a private address';
my $now = status_of($user, "${key}b");
ok $now->{persisted} && $now->{imageUrl} =~ m{/generated/neo-glitch/}, 'a picture is in the store';
is api(GET => $now->{imageUrl} =~ s{\Ahttps?://[^/]+}{}r)->{status}, 200, '... from where it is served';
is status_of($user, "${key}c")->{imageUrl}, "$ENV{GENFLOW_FAKE}/nowhere?u=$user", 'the one that is gone keeps its address';
is sql1("SELECT original_url FROM public.neo_glitch_media WHERE legacy_id = :'id'", id => "${key}b"), "$ENV{GENFLOW_FAKE}/_source/picture/b?u=$user",
    'the older address is kept';
my ($verified, $wrong) = migrate('--verify');
is $wrong, 0, 'all is in its place' or diag $verified;
like $verified, qr/moved: 10, of these deleted by their users since: 1;/, '... and what was deleted is counted';
is +(migrate('--drop'))[1], 0, 'the older table is dropped';
is api(GET => "/api/generation/${key}a", user => $user)->{status}, 200, '... and older ids still work';
sql('SET client_min_messages = warning; DROP SCHEMA :"schema" CASCADE', schema => $schema);
finish;

sub migrate { return Genflow::Migrate::run($ENV{PGDATABASE}, '--schema', $schema, @_) }
