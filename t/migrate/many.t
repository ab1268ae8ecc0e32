#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# genflow-migrate moves 20,000 rows (GENFLOW_MIGRATE_ROWS; a million with support/check --migrate) while it is interrupted: the next run
# goes on, each row is in the balance once, and the rows per second are printed.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Time::HiRes qw(sleep time);

use Genflow::Migrate qw(balance);
use Genflow::Site ();

my $rows = $ENV{GENFLOW_MIGRATE_ROWS} || 20_000;
my $old  = Genflow::Migrate->new;

# expected: by what the rules say. The five tables of theirs hold copies of some rows, as an older migration made them, and rows
# of their own with UUIDs.
$old->sql("CREATE TABLE users (id text PRIMARY KEY)",
    "INSERT INTO users SELECT 'user-' || u FROM generate_series(1, 900) u",
    "CREATE TABLE media_assets (id text PRIMARY KEY, user_id text, final_url text, prompt text, mode text, run_id text, preset_key text,
         meta jsonb, tags text[], visibility text DEFAULT 'private', is_public boolean, created_at timestamp(3), expected text)",
    "INSERT INTO media_assets
     SELECT 'cm' || substr(md5(n::text), 1, 23), CASE WHEN n % 211 = 0 THEN NULL ELSE 'user-' || n % 1000 END,
            'https://res.cloudinary.com/old/' || n || '.png', CASE n % 7 WHEN 0 THEN 'a sparkle of nostalgia' WHEN 1 THEN NULL ELSE 'a cat ' || n END,
            NULL, 'run ' || n % 5000, CASE WHEN n % 3 = 0 THEN 'nostalgia_distance' WHEN n % 8 = 5 THEN 'cinematic' END,
            CASE n % 8 WHEN 0 THEN '{\"mode\": \"ghiblireact\"}' WHEN 1 THEN '{\"mode\": \"emotionmask\"}' WHEN 2 THEN '{\"mode\": \"preset\"}'
                       WHEN 3 THEN '{\"mode\": \"custom\"}' WHEN 4 THEN '{\"mode\": \"neotokyoglitch\"}' END::jsonb,
            CASE WHEN n % 5 = 0 THEN ARRAY['old', 'tag ' || n % 9] END, CASE WHEN n % 10 = 0 THEN 'public' ELSE 'private' END, NULL,
            timestamp '2025-01-01' + n * interval '1 second',
            CASE WHEN n % 211 = 0 THEN 'rejected'
                 WHEN n % 8 < 5 THEN (ARRAY['ghibli-reaction', 'emotion-mask', 'presets', 'custom-prompt', 'neo-glitch'])[n % 8 + 1]
                 WHEN n % 3 = 0 THEN 'emotion-mask' WHEN n % 8 = 5 THEN 'presets' WHEN n % 7 = 0 THEN 'emotion-mask' ELSE 'unclassified' END
       FROM generate_series(1, $rows) n",
    "CREATE TABLE neo_glitch_media (id text PRIMARY KEY, user_id text, image_url text, prompt text, run_id text UNIQUE, metadata jsonb,
         created_at timestamptz, status text)",
    "INSERT INTO neo_glitch_media SELECT id, user_id, final_url, prompt, NULL, meta, created_at, 'completed' FROM media_assets
      WHERE expected = 'neo-glitch'",
    "CREATE TABLE presets_media (id uuid PRIMARY KEY, user_id text, image_url text, prompt text, created_at timestamptz)",
    "INSERT INTO presets_media SELECT md5('p' || n)::uuid, 'user-1', 'https://res.cloudinary.com/old/p' || n || '.png', 'x', now()
       FROM generate_series(1, 500) n",
    'ANALYZE');
my %expected = map { split /\|/ } split /\n/, $old->sql('SELECT expected, count(*) FROM media_assets GROUP BY 1');
my $copies   = $expected{'neo-glitch'};
my $movable  = $rows - $expected{rejected} - $expected{unclassified} + 500;

# ---- interrupted ----

my $run = Genflow::Migrate::start($old->name, '--apply', '--batch', 500);
ok wait_for(sub { $old->sql("SELECT to_regclass('genflow_migrate.moved') IS NOT NULL") eq 't'
        && $old->sql('SELECT count(*) FROM genflow_migrate.moved') > 0 }), 'it moves rows';
# it cannot finish the batch that it is at
my $holder = $old->session;
$holder->sql('BEGIN', 'LOCK TABLE genflow_migrate.counts IN SHARE MODE');
my $backend = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'genflow-migrate'";
is $old->sql($backend), 1, '... by one process of PostgreSQL';
my @clients = clients();
kill KILL => @clients if @clients;
my $heard = do { local $/; <$run> };
close $run;
ok wait_for(sub { $old->sql($backend) == 0 }), '... which ends when its client is killed';
$holder->sql('ROLLBACK');
my $part = $old->sql('SELECT count(*) FROM genflow_migrate.moved');
ok $part > 0 && $part < $movable, "it is killed after $part rows";
is $old->sql('SELECT count(*) FROM genflow_migrate.runs WHERE finished_at IS NULL'), 1, '... and its run is not finished';
is $old->sql('SELECT sum(n) FROM genflow_migrate.counts WHERE outcome <> \'note\''),
    $old->sql(q{SELECT (SELECT count(*) FROM genflow_migrate.moved) + (SELECT count(*) FROM genflow_migrate.leftovers)}),
    '... every row of a finished batch is counted, none of the interrupted one';
is +($old->migrate('--verify'))[1], 1, '... which --verify finds';

# ---- it goes on ----

my $begun = time;
my ($said, $code) = $old->migrate('--apply', '--show', 1);
my $took = time - $begun;
is $code, 0, 'the next run succeeds' or diag $said;
like $said, qr/run 1 goes on where it was interrupted/, '... and goes on';
my $balance = balance($said);
is_deeply $balance->{all},
    { rows => $rows + $copies + 500, moved => $movable, already => $copies, unclassified => $expected{unclassified}, rejected => $expected{rejected} },
    'every row is in the balance once';
my %types = map { split /\|/ } split /\n/, $old->sql(<<'SQL');
    SELECT t.name, count(*) FROM genflow_migrate.moved m JOIN genflow.types t ON t.no = m.type_no WHERE m.source = 'media_assets' GROUP BY 1
SQL
is_deeply \%types, { map { $_ => $expected{$_} } grep { !/rejected|unclassified/ } keys %expected }, '... in the type that the rules name';
diag $_ for map { "$rows rows: $_" } $said =~ /^NOTICE:\s+(\w+: \d+ rows in .*)$/mg;
diag sprintf '%d rows: %d s for what was left, %.0f rows/s in all', $rows, $took, ($rows - $part) / $took;

is $old->sql('SELECT count(*) FROM genflow.check()'), 0, 'the books are sound';
is +($old->migrate('--verify'))[1], 0, 'everything is in its place';
$begun = time;
my ($again) = $old->migrate('--apply', '--show', 1);
is balance($again)->{all}{moved}, 0, 'a second run moves nothing' or diag $again;
diag sprintf '%d rows: %d s for the second run', $rows, time - $begun;
is $old->sql(q{SELECT string_agg(c.relname, ' ' ORDER BY 1) FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
                WHERE i.indrelid = 'neo_glitch_media_old'::regclass}), 'neo_glitch_media_old_pkey neo_glitch_media_old_run_id_key',
    'a table that had the name of ours was renamed with its indexes';
my ($one) = split /\|/, $old->sql(q{SELECT id, user_id FROM media_assets WHERE expected = 'ghibli-reaction' AND user_id = 'user-8' LIMIT 1});
is $old->sql("SELECT g.outcome FROM genflow.ghibli_reaction_get('user-8', NULL, '$one') g"), 'ok', 'an old id is found';
done_testing;

# psql and the script, by the database that they were started for.
sub clients {
    my $name = $old->name;
    my @found;
    for my $proc (glob '/proc/[0-9]*') {
        my ($pid) = $proc =~ m{(\d+)\z};
        my $env = Genflow::Site::read_text("$proc/environ");
        my $cmd = Genflow::Site::read_text("$proc/cmdline");
        push @found, $pid if $pid != $$ && $env =~ /(?:\A|\0)PGDATABASE=\Q$name\E\0/ && $cmd =~ /genflow-migrate|psql/;
    }
    return @found;
}

sub wait_for {
    my ($condition) = @_;
    my $end = time + 60;
    until ($condition->()) {
        return 0 if time > $end;
        sleep 0.02;
    }
    return 1;
}
