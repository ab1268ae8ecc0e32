#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A database of each released schema (t/upgrade/*.sql) becomes one of today by sql/apply: the schema is
# that of a new database, the books are sound, nothing that was there is lost, and what lived goes on.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();

my $fresh = Genflow::Database->new->schema;
my @dumps = sort glob "$FindBin::Bin/../upgrade/[0-9]*.sql";
ok @dumps, 'there are databases of released schemas';
upgrade($_) for @dumps;
done_testing;

sub upgrade {
    my ($dump) = @_;
    my ($version) = $dump =~ m{(\d+)\.sql\z};
    my $db     = Genflow::Database->new(empty => 1);
    my $loaded = system('psql', '-Xqo', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-d', $db->name, '-f', $dump) == 0;
    ok $loaded, "a database of schema version $version is loaded";
    is $db->sql('SELECT max(version) FROM genflow.migrations'), $version, '... which says so';
    # Keys that a client sent in quotes, the second one of a batch.
    $db->sql(q{UPDATE genflow.idempotency_keys SET key = CASE key WHEN 'in line' THEN 'key:"k-\"1\""' ELSE 'key:"k-\"1\"" 2' END
                WHERE key IN ('in line', 'leased')});
    my @tables = split /\n/, $db->sql(<<'SQL');
        SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname IN ('genflow', 'public') AND c.relkind = 'r' ORDER BY 1
SQL
    my $count  = join ' UNION ALL ', map { "SELECT '$_' || ': ' || count(*) FROM $_" }
        grep { !/migrations|type_templates|presets_config/ } @tables;
    my $preset = q{SELECT id, type, key, prompt, strength, rotation_index, is_active FROM genflow.presets_config
                    WHERE id <= %d ORDER BY id};
    my $last    = $db->sql('SELECT max(id) FROM genflow.presets_config');
    my $presets = $db->sql(sprintf $preset, $last);
    my $before = $db->sql($count);
    my $money  = $db->sql('SELECT user_id, balance, held FROM genflow.accounts ORDER BY 1');

    my $said = $db->apply;
    is $?, 0, '... sql/apply brings it to the schema of today' or diag $said;
    is $db->sql($count), $before, '... no row is lost';
    is $db->sql(sprintf $preset, $last), $presets, '... and no preset changed';
    is $db->sql('SELECT user_id, balance, held FROM genflow.accounts ORDER BY 1'), $money, '... nor a credit';
    is_deeply [only_in($db->schema, $fresh)], [], '... it has nothing that a new database has not';
    is_deeply [only_in($fresh, $db->schema)], [], '... and lacks nothing';
    $db->sql("SELECT genflow.resume('continue')")
        if $db->sql("SELECT count(*) FROM pg_proc WHERE pronamespace = 'genflow'::regnamespace AND proname = 'resume'");
    is $db->sql("SELECT * FROM genflow.check('100 years')"), '', '... its books are sound';
    is $db->sql(q{SELECT string_agg(key, ', ' ORDER BY key) FROM genflow.idempotency_keys WHERE key LIKE 'key:%'}),
        'key:k-"1", key:k-"1" 2', '... keys in quotes are found without them, those of a batch, too';
    goes_on($db);
    return;
}

# What lived is claimed, each in its phase, and ends; what was pending is started.
sub goes_on {
    my ($db) = @_;
    my $pending = $db->sql(q{SELECT job_id FROM genflow.work WHERE phase = 'pending'});
    $db->sql(q{WITH t AS (SELECT clock_timestamp() AS now, clock_timestamp() + interval '1 hour' AS over)
               UPDATE genflow.work SET deadline_at = t.over, due_at = CASE WHEN phase = 'pending' OR turn IS NOT NULL THEN t.over ELSE t.now END
                 FROM t});
    is $db->sql(qq{SELECT outcome FROM genflow.neo_glitch_start('anna', '$pending', NULL, NULL, '1 hour')}), 'ok',
        '... what was pending is started';

    # What was being sent gets one more lease to come back; then it is claimed, too.
    my $claim = q{SELECT string_agg(phase, ' ' ORDER BY phase) FROM genflow.neo_glitch_claim('new', 100, '30 s', '-infinity')};
    is $db->sql($claim), 'queued queued queued queued working', '... what lived is claimed, each in its phase';
    $db->sql(q{UPDATE genflow.work SET due_at = clock_timestamp() WHERE phase = 'sending'});
    is $db->sql($claim), 'sending', '... and what was being sent a lease later';
    is $db->sql(q{SELECT string_agg(genflow.neo_glitch_settle(w.job_id, w.epoch, 'failed', NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                      'TIMEOUT', 'x', NULL), ' ') FROM genflow.work w JOIN genflow.types t ON t.no = w.type_no
                   WHERE t.name = 'neo-glitch'}), join(' ', ('done') x 6), '... and all of it ends';
    is $db->sql(q{SELECT balance - held FROM genflow.accounts WHERE user_id = 'anna'}),
        $db->sql(q{SELECT balance - 2 FROM genflow.accounts WHERE user_id = 'anna'}),
        '... only an open reservation still holds credits';
    is $db->sql(q{SELECT count(*) FROM genflow.check('100 years')}), 0, '... and the books are sound still';
    return;
}

sub only_in {
    my ($these, $those) = @_;
    my %there = map { $_ => 1 } split /\n/, $those;
    return grep { !$there{$_} } split /\n/, $these;
}
