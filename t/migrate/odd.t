#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# genflow-migrate on tables that are not as it would like them: names that need quotes, padded columns, ids in two spellings, values
# that JSON cannot hold, columns twice, values of a size, tables of other kinds, rows that it may not see, and no table at all. No row
# is lost or moved twice, and no value is dropped without a word.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Migrate qw(balance);

my $UPPER = 'AAAAAAAA-0000-4000-8000-00000000000';
my $LOWER = lc $UPPER;
my $old   = Genflow::Migrate->new;
$old->apply;

# ---- names that need quotes, and padded columns ----

my $QUOTED = q(Old "Site's);
$old->sql(q(CREATE SCHEMA "Old ""Site's"), q(CREATE TABLE "Old ""Site's".media_assets (id char(40) PRIMARY KEY, user_id char(20), status char(12),
        preset_key char(20), url char(60), visibility char(10))),
    q(INSERT INTO "Old ""Site's".media_assets SELECT 'padded-' || n, 'ann', 'ready', 'visor', 'https://old.example/' || n, 'public'
        FROM generate_series(1, 7) n));
my ($said, $code) = migrate($QUOTED, '--apply', '--batch', 2);
is $code, 0, 'a schema may need quotes' or diag $said;
is_balance($said, 7, 7, 'columns may be padded');
is value(q(SELECT count(*) FROM neo_glitch_media WHERE legacy_id LIKE 'padded-_' AND user_id = genflow.account_of('ann') AND visibility = 'public'
             AND image_url = 'https://old.example/' || right(legacy_id, 1))), 7, '... and are stored without their spaces';
is +(migrate($QUOTED, '--verify'))[1], 0, '... in their places';
is +(migrate($QUOTED, '--drop'))[1], 0, '... and dropped';

# ---- ids in two spellings ----

in_schema('spelled', 'CREATE TABLE users (id uuid)', "INSERT INTO users VALUES ('${LOWER}f')",
    'CREATE TABLE media_assets (id text PRIMARY KEY, user_id text, url text, mode text)',
    'CREATE TABLE presets_media (id uuid PRIMARY KEY, user_id uuid, image_url text)',
    # 1: in capitals, with a copy; 3: in both, in different batches; e: in both, in one batch
    "INSERT INTO media_assets SELECT i, '${UPPER}F', '/' || lower(i), 'preset'
       FROM unnest(ARRAY['${UPPER}1', '${UPPER}3', 'Aa', 'Ab', 'Ac', 'Ad', 'Ae', '${LOWER}3', '${LOWER}E', '${LOWER}e']) i",
    "INSERT INTO presets_media VALUES ('${LOWER}1', '${LOWER}f', '/${LOWER}1'), ('${LOWER}3', '${LOWER}f', '/${LOWER}3')");
for my $run (1, 2) {
    ($said, $code) = migrate('spelled', '--apply', '--batch', 2, '--show', 20);
    is $code, 0, "ids in two spellings, run $run" or diag $said;
    my $moved = $run == 1 ? 8 : 0;
    is_deeply balance($said)->{all}, { rows => 12, moved => $moved, already => 10 - $moved, unclassified => 0, rejected => 2 },
        '... each is moved once, and so is its copy' or diag $said;
    my @other = $said =~ /rejected: another row has this id in other letters$/mg;
    is @other, 2, '... the other spelling is listed';
}
is value("SELECT string_agg(outcome || ' ' || g.legacy_id, ', ') FROM genflow.presets_get('${LOWER}f', '${UPPER}1') g"), "ok ${LOWER}1",
    'its user, who has a UUID, too, finds one by the id in capitals';
is +(migrate('spelled', '--verify'))[1], 0, '... all are in their places' or diag +(migrate('spelled', '--verify'))[0];

# ---- values ----

my $LONG = "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 300) n)";
in_schema('values', 'CREATE TABLE media_assets (id text, user_id text, final_url text, image_url text, source_url text, prompt text, mode text,
        meta json, metadata text, tags text, run_id text, width text, height integer, is_public smallint, allow_remix text, status text,
        created_at bigint, "table" text, blob bytea)',
    row('nul',      meta => q('{"mode": "preset", "x": "a\u0000b"}')),
    row('both',     meta => q('{"a": 1, "legacy": 2}'), metadata => q('{"b": 2}'), image_url => q('/other.png'), '"table"' => q('t')),
    row('invalid',  meta => q('{"a": 1}'), metadata => q('{"b": 2')),
    row('tags',     tags => q('{a,"b c"}')),
    row('json-tags', tags => q('["a", "b"]')),
    row('one-tag',  tags => q('{not an array')),
    row('run',      run_id => q(repeat('r', 201)), width => q('wide'), height => 7),
    row('public',   is_public => 1, allow_remix => q('yes')),
    row('seconds',  created_at => 1756116000),
    row('millis',   created_at => 1756116000123),
    row('never',    created_at => '9000000000000000000'),
    row('relative', final_url => q('//res.cloudinary.com/old/1.png')),
    row('spaces',   final_url => q(E' https://old.example/1.png\n')),
    row('bytes',    blob => q('\xff00fe')),
    row('line',     final_url => q(E'https://old.example/1.png\r\nSet-Cookie: a=b')),
    row('no-host',  final_url => q('https://')),
    row('prompt',   prompt => q(repeat('p', 10000000))),
    row('source',   source_url => q('data:image/png;base64,' || repeat('A', 1000000))),
    "INSERT INTO media_assets (id, user_id, mode) VALUES ($LONG || '1', 'ann', 'preset'), ($LONG || '2', 'ann', 'preset')");
($said, $code) = migrate('values', '--show', 50);
is $code, 0, 'a dry run reads odd values' or diag substr $said, 0, 2000;
($said, $code) = migrate('values', '--apply', '--show', 50);
is $code, 0, '... and so does --apply' or diag substr $said, 0, 2000;
is_balance($said, 20, 14, '... it moves those that can be ours');
my %reason = $said =~ /^  media_assets odd-(\S+): rejected: (.*)$/mg;
is_deeply { map { $_ => $reason{$_} } qw(line no-host prompt source) }, {
    line => 'its picture is no address of http, https or this site', 'no-host' => 'its picture is no address of http, https or this site',
    prompt => 'its prompt is larger than 64 kB', source => 'its source_url is larger than 4 kB' }, '... and lists the others';
is value(q(SELECT count(DISTINCT content->>'id') FROM genflow_migrate.leftovers WHERE length(content->>'id') > 9000)), 2, 'an id may be long';
is_deeply { map { my ($name) = @$_; ($name => value("SELECT $_->[1] FROM presets_media WHERE legacy_id = 'odd-$name'")) } (
    [nul => q(meta->>'x')], [both => q(concat_ws(' ', meta->>'a', meta#>>'{legacy,metadata}', meta#>>'{legacy,meta_legacy}',
        meta#>>'{legacy,image_url}', meta#>>'{legacy,column_table}', meta#>>'{legacy,table}'))],
    [invalid => q(concat_ws(' ', meta->>'a', meta#>>'{legacy,metadata}'))], [tags => 'array_to_string(tags, \'|\')'],
    ['json-tags' => 'array_to_string(tags, \'|\')'], ['one-tag' => 'array_to_string(tags, \'|\')'],
    [run => q(concat_ws(' ', run_id, length(meta#>>'{legacy,run_id}'), meta#>>'{legacy,width}', meta#>>'{legacy,height}'))],
    [public => q(visibility || allow_remix)], [seconds => q(created_at AT TIME ZONE 'UTC')], [millis => q(created_at AT TIME ZONE 'UTC')],
    [never => q(meta#>>'{legacy,created_at}')], [relative => 'image_url'], [spaces => 'image_url'], [bytes => q(meta#>>'{legacy,blob}')]) },
    { nul => "a\x{EF}\x{BF}\x{BD}b", both => '1 {"b": 2} 2 /other.png t media_assets', invalid => '1 {"b": 2', tags => 'a|b c', 'json-tags' => 'a|b',
      'one-tag' => '{not an array', run => '201 wide 7', public => 'publictrue', seconds => '2025-08-25 10:00:00', millis => '2025-08-25 10:00:00.123',
      never => '9000000000000000000', relative => 'https://res.cloudinary.com/old/1.png', spaces => 'https://old.example/1.png', bytes => '\xff00fe' },
    'no value is lost on the way';
is +(migrate('values', '--verify'))[1], 0, '... which --verify finds' or diag +(migrate('values', '--verify'))[0];

# ---- tables of other kinds ----

in_schema('kinds', 'CREATE TABLE owners (id text PRIMARY KEY)', q(INSERT INTO owners VALUES ('ann')),
    'CREATE TABLE media_assets (id bigint GENERATED ALWAYS AS IDENTITY, user_id text REFERENCES owners, url text,
         mode text GENERATED ALWAYS AS (\'preset\') STORED, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)',
    'CREATE TABLE media_assets_1 PARTITION OF media_assets FOR VALUES FROM (\'2025-01-01\') TO (\'2026-01-01\')',
    'CREATE TABLE media_assets_2 PARTITION OF media_assets DEFAULT',
    q(INSERT INTO media_assets (user_id, url, at) SELECT 'ann', '/' || n, '2025-12-01'::date + n FROM generate_series(1, 60) n),
    'CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION \'not here\'; END $$',
    'CREATE TRIGGER no BEFORE INSERT OR UPDATE OR DELETE ON media_assets FOR EACH ROW EXECUTE FUNCTION no()',
    'CREATE MATERIALIZED VIEW emotion_mask_media AS SELECT \'made-\' || n AS id, \'ann\'::text AS user_id, \'/\' || n AS url FROM generate_series(1, 5) n',
    'CREATE TABLE assets (id integer GENERATED ALWAYS AS IDENTITY, url text)',
    'CREATE TYPE otp AS (email text)', 'CREATE TABLE auth_otps OF otp',
    'CREATE VIEW gallery AS SELECT id FROM media_assets');
my $before = $old->dump;
($said, $code) = migrate('kinds');
is $code, 0, 'a dry run reads tables of other kinds' or diag $said;
ok $old->dump eq $before, '... and changes nothing in the database but genflow_migrate';
($said, $code) = migrate('kinds', '--apply', '--batch', 7);
is $code, 0, 'partitions, generated columns, triggers, keys and materialized views are no hindrance' or diag $said;
is_balance($said, 65, 65, '... no row is lost');
like $said, qr/^auth_otps: stays without a column id: /m, 'a table that cannot have ids generated stays as it is';
is +(migrate('kinds', '--verify'))[1], 0, 'all are in their places';
# those of the schemas above
my @DROP = ('--drop', '--accept-leftovers');
($said, $code) = migrate('kinds', @DROP);
is $code, 1, 'a table that a view needs is not dropped';
like $said, qr/nothing is dropped: view kinds\.gallery depends on (?:table|column id of table) kinds\.media_assets; drop or alter these first/, '... and what needs it is named';
$old->sql('DROP VIEW kinds.gallery');

# ---- rows that come while it looks whether all are there ----

my $late = $old->session;
$late->sql('SET session_replication_role = replica');
$late->sql('BEGIN', q(INSERT INTO kinds.media_assets (user_id, url, at) VALUES ('ann', '/later', '2027-01-01')));
my $drop = Genflow::Migrate::start($old->name, '--schema', 'kinds', @DROP);
ok $old->soon(sub { value(q(SELECT count(*) FROM pg_locks WHERE relation = 'kinds.media_assets'::regclass AND NOT granted)) }),
    '--drop waits for a transaction that writes, before it looks';
$late->sql('COMMIT');
$said = do { local $/; <$drop> };
close $drop;
like $said, qr/nothing is dropped: media_assets: rows neither moved nor listed as not moved: 1,/, '... and sees what it wrote';
is_balance((migrate('kinds', '--apply'))[0], 66, 1, 'the next run moves it');
is +(migrate('kinds', '--verify'))[1], 0, '... into its place';
is +(migrate('kinds', @DROP))[1], 0, '... and the tables are dropped';
($said, $code) = migrate('kinds', '--apply');
is $code, 0, 'a run after --drop has nothing to do' or diag $said;
like $said, qr/there is no table media_assets in schema kinds/, '... and says so';
unlike $said, qr/^all:/m, '... without a balance of nothing';
is value(q(SELECT count(*) FROM presets_media WHERE user_id = genflow.account_of('ann') AND legacy_id ~ '^[0-9]+$')), 61, '... what was moved stays';

# ---- rows that it may not see; no schema ----

my $role = "genflow_t_mover_$$";
$old->sql("CREATE ROLE $role LOGIN");
my $strange = Genflow::Migrate->new(owner => $role);
$strange->sql('CREATE TABLE public.media_assets (id text PRIMARY KEY, user_id text, url text, mode text)',
    q(INSERT INTO media_assets VALUES ('seen', 'ann', '/1', 'preset'), ('hidden', 'bob', '/2', 'preset')), "GRANT SELECT ON media_assets TO $role",
    'ALTER TABLE media_assets ENABLE ROW LEVEL SECURITY', q(CREATE POLICY own ON media_assets USING (user_id = 'ann')));
{
    local $ENV{PGUSER} = $role;
    ($said, $code) = $strange->migrate;
}
is $code, 1, 'rows that a policy hides are not left behind without a word';
like $said, qr/row-level security/, '... PostgreSQL says why';
$strange->sql('ALTER TABLE media_assets DISABLE ROW LEVEL SECURITY', "REVOKE ALL ON media_assets FROM $role");
{
    local $ENV{PGUSER} = $role;
    ($said, $code) = $strange->migrate;
}
is $code, 1, 'a table that it may not read stops it';
like $said, qr/permission denied for table media_assets/, '... and is named';
($said, $code) = $strange->migrate('--schema', 'elsewhere', '--apply');
is $code, 1, 'a schema that is not there stops it';
like $said, qr/there is no schema elsewhere/, '... and is named';
is +($strange->migrate('--connect', "dbname=@{[$strange->name]} port=1"))[1], 1, 'a server that does not answer is no wrong usage';
undef $strange;
$old->sql("DROP ROLE $role");
done_testing;

sub in_schema {
    my ($schema, @statements) = @_;
    $old->sql("CREATE SCHEMA $schema", "SET search_path = $schema, public", @statements, 'RESET search_path');
    return;
}

# A row of the values above: id, and column => SQL.
sub row {
    my ($name, %column) = @_;
    %column = (id => "'odd-$name'", user_id => q('ann'), final_url => q('https://old.example/1.png'), mode => q('preset'), %column);
    my @names = sort keys %column;
    return "INSERT INTO media_assets (@{[join ', ', @names]}) VALUES (@{[join ', ', @column{@names}]})";
}

sub migrate {
    my ($schema, @options) = @_;
    return Genflow::Migrate::run($old->name, '--schema', $schema, @options);
}

sub value { return $old->sql($_[0]) }

sub is_balance {
    my ($text, $rows, $moved, $name) = @_;
    my %all = %{ balance($text)->{all} // {} };
    is "$all{rows} $all{moved}" . (exists $all{wrong} ? ' wrong' : ''), "$rows $moved", $name or diag $text;
    return;
}
