#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# genflow-migrate and its process in PostgreSQL are killed with -9 in the middle: PostgreSQL recovers, the next run goes on, and each
# row is there once.
use Genflow::Test;

use Genflow::Migrate qw(balance);
use Genflow::Site ();

use constant ROWS => 3000;

my $began  = log_mark();
my $schema = "killed_$$";
my $user   = account(0);
sql(<<'SQL', schema => $schema, user => $user, rows => ROWS);
    CREATE SCHEMA :"schema";
    CREATE TABLE :"schema".media_assets (id text PRIMARY KEY, user_id text, final_url text, mode text);
    INSERT INTO :"schema".media_assets SELECT :'schema' || n, :'user', 'https://res.cloudinary.com/old/' || n || '.png', 'preset'
      FROM generate_series(1, :rows) n;
SQL
my $moved = "SELECT count(*) FROM genflow_migrate.moved WHERE user_id = '$user'";
my $run   = Genflow::Migrate::start($ENV{PGDATABASE}, '--schema', $schema, '--apply', '--batch', 20);
ok wait_for { sql1("SELECT to_regclass('genflow_migrate.moved') IS NOT NULL") eq 't' && sql1($moved) > 0 }, 'rows are being moved';
my $backend = sql1("SELECT pid FROM pg_stat_activity WHERE query LIKE '%genflow_migrate.run%' AND pid <> pg_backend_pid()");
ok $backend, '... by a process of PostgreSQL';
my $log     = "$ENV{GENFLOW_WORK}/postgres.log";
my $mark    = -s $log;
my @clients = map { m{/proc/(\d+)/} ? $1 : () } grep { Genflow::Site::read_text($_) =~ /genflow-migrate.*\Q$schema\E|psql.*schema=\Q$schema\E/s } glob '/proc/[0-9]*/cmdline';
kill KILL => $backend, @clients;
close $run;
ok wait_for { substr(Genflow::Site::read_text($log), $mark) =~ /ready to accept connections/ }, 'PostgreSQL recovers';
my $part = sql1($moved);
ok $part > 0 && $part < ROWS, "... with $part rows moved";
is rows_of($user, 'public.presets_media'), $part, '... and as many generations';
my ($said, $code) = Genflow::Migrate::run($ENV{PGDATABASE}, '--schema', $schema, '--apply');
is $code, 0, 'the next run succeeds' or diag $said;
is_deeply balance($said)->{all}, { rows => ROWS, moved => ROWS, already => 0, unclassified => 0, rejected => 0 },
    '... and finishes the balance of the run that was killed';
is sql1("SELECT count(DISTINCT legacy_id) FROM public.presets_media WHERE user_id = genflow.account_of(:'user')", user => $user), ROWS, 'each row is there once';
is +(Genflow::Migrate::run($ENV{PGDATABASE}, '--schema', $schema, '--verify'))[1], 0, '... and in its place';
sql('SET client_min_messages = warning; DROP SCHEMA :"schema" CASCADE; DROP SCHEMA genflow_migrate CASCADE', schema => $schema);
# httpd has its connections again
ok wait_for { api(GET => '/api/health')->{status} == 200 }, 'httpd works on';
# ... and has noticed it only if it asked meanwhile
expect_log('GF0121') if log_since($began) =~ /GF0121/;
finish;

