#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A database of each released schema (t/upgrade/*.sql) becomes one of today by sql/apply: the schema is
# that of a new database, the books are sound, nothing that was there is lost, and what lived goes on.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Temp qw(tempdir);
use Test::More;

use Genflow::Database ();

my $fresh = Genflow::Database->new->schema;
my @dumps = sort glob "$FindBin::Bin/../upgrade/[0-9]*.sql";
ok @dumps, 'there are databases of released schemas';
upgrade($_) for @dumps;
from_names();
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
    # References that had the user's name, of the last one in two spellings.
    $db->sql('SET session_replication_role = replica',
        map({ "INSERT INTO genflow.ledger (ref, kind, user_id, amount, external_ref)
               VALUES (gen_random_uuid(), 'grant', 'anna', 0, '$_')" } 'genflow:first:anna', 'genflow:daily:2026-01-31:anna',
            'migrate:credits_ledger:anna', 'migrate:credits_ledger: anna', 'payment for anna'),
        'RESET session_replication_role');
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
    is $db->sql('SELECT name, balance, held FROM genflow.accounts ORDER BY 1'), $money, '... nor a credit';
    is $db->sql(q{SELECT string_agg(external_ref, ', ' ORDER BY external_ref) FROM genflow.ledger WHERE amount = 0 AND kind = 'grant'}),
        $db->sql(q{SELECT format('genflow:daily:2026-01-31:%1$s, genflow:first:%1$s, migrate:credits_ledger:%1$s, '
                                 'migrate:credits_ledger:%1$s:%2$s, payment for anna', genflow.account_of('anna'),
                                 md5('migrate:credits_ledger: anna'))}), '... references have the number of the account';
    is_deeply [only_in($db->schema, $fresh)], [], '... it has nothing that a new database has not';
    is_deeply [only_in($fresh, $db->schema)], [], '... and lacks nothing';
    $db->sql("SELECT genflow.resume('continue')")
        if $db->sql("SELECT count(*) FROM pg_proc WHERE pronamespace = 'genflow'::regnamespace AND proname = 'resume'");
    is $db->sql("SELECT * FROM genflow.check()"), '', '... its books are sound';
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
    is $db->sql(q{SELECT balance - held FROM genflow.accounts WHERE user_id = genflow.account_of('anna')}),
        $db->sql(q{SELECT balance - 2 FROM genflow.accounts WHERE user_id = genflow.account_of('anna')}),
        '... only an open reservation still holds credits';
    is $db->sql(q{SELECT count(*) FROM genflow.check()}), 0, '... and the books are sound still';
    return;
}

# From a schema whose users were names (33: its own sql/apply), with users of every kind: their
# credits, lists and keys are what they were, and the names stand in genflow.accounts alone.
sub from_names {
    my $folder = tempdir(CLEANUP => 1);
    system('tar', '-xJf', "$FindBin::Bin/../upgrade/33.tar.xz", '-C', $folder) == 0 or die "tar failed\n";
    mkdir "$folder/sql/migrations";
    system('cp', (grep { m{/(\d{4})_[^/]*\z} && $1 <= 33 } glob "$FindBin::Bin/../../sql/migrations/*.sql"),
        "$folder/sql/migrations/") == 0 or die "cp failed\n";
    my $db   = Genflow::Database->new(empty => 1);
    my $said = $db->apply(folder => "$folder/sql");
    is $?, 0, 'sql/apply of schema version 33 makes a database' or diag $said;
    my $create = q{SELECT outcome FROM genflow.neo_glitch_create('%s', '%s', '\x01', 'run %2$s', 'base', '%1$s''s cat'::text, NULL,
                       '{}', 7, 2, 3::smallint, '1 hour', %s, '1 minute', p_webhook_url => 'https://c.example/', p_reserved => %s)};
    $create =~ s/%1\$s''s cat/a cat/;
    $db->sql(map { "SELECT genflow.allowance('$_', 30, 5, 100, NULL, NULL, 'UTC')" } qw(lena-lives 2 otto-owes));
    $db->sql(q{SELECT genflow.grant_credits('otto-owes', 7, 'a gift', 'genflow:first:nobody')},
        sprintf($create, 'lena-lives', 'k1', 'NULL', 'NULL'), sprintf($create, 'lena-lives', 'k2', q('host:1:x'), 'NULL'),
        sprintf($create, '2', 'k1', 'NULL', 'NULL'),
        q{SELECT genflow.reserve('otto-owes', 'r1', 3, 'x', '1 day', 'UTC')},
        q{SELECT genflow.reserve('otto-owes', 'r2', 4, 'x', '1 day', 'UTC')}, sprintf($create, 'otto-owes', 'k1', 'NULL', q('r2')),
        q{SELECT genflow.api_key_put('otto-owes', 'abcdefghijkl', sha256('k'), 'a key', '{images}', NULL, NULL, 9, 'total', NULL, 5)},
        q{SELECT genflow.template_put('tina-templates', 'often', 'neo-glitch', '{"prompt": "a cat"}', 10)},
        q{SELECT genflow.user_settings('sven-settings', '{"share_to_feed": true}')},
        q{SELECT genflow.asset_put('aida-assets', 'image/png', 3, 2, 'AAAA', '1 day', 1000000)},
        q{SELECT genflow.lost_response_put('lars-lost', '\x02', gen_random_uuid()::text)});
    my $done = q{SELECT genflow.neo_glitch_settle(m.id, NULL, 'completed', 'acme', 'acme-1', false, '/generated/a.png', NULL, true,
                     '{"bytes": 5}', NULL, NULL, NULL) FROM public.neo_glitch_media m WHERE m.run_id = 'run k1' AND m.user_id = %s};
    $db->sql(sprintf($done, q('2')), q{UPDATE public.neo_glitch_media SET visibility = 'public', tags = '{dark}' WHERE status = 'completed'});

    my @users = qw(2 lena-lives otto-owes tina-templates sven-settings aida-assets lars-lost);
    my @looks = (
        (map { ("SELECT balance, held, remaining, day_used FROM genflow.quota('$_')",
            "SELECT id, run_id, status, prompt, cost, user_id FROM genflow.history('$_', '{neo-glitch}', NULL, NULL, NULL, NULL, 9)",
            "SELECT kind, amount, balance_after, job_id, request_id FROM genflow.ledger_list('$_', NULL, 9)",
            "SELECT id, name, budget, spent FROM genflow.api_keys('$_', NULL, 9)",
            "SELECT id, name, config FROM genflow.templates('$_', NULL, 9)", "SELECT genflow.user_settings('$_', NULL)") } @users),
        q{SELECT id, user_id FROM genflow.feed(NULL, '{neo-glitch}', 0, 9)},
        q{SELECT user_id, account->>'userId', account->>'balance' FROM genflow.admin_users(NULL, NULL, 9)},
        q{SELECT user_id, id FROM genflow.admin_jobs('{neo-glitch}', NULL, NULL, NULL, 9)});
    my @before = map { $db->sql($_) } @looks;
    my $names  = 'lena-lives|otto-owes|tina-templates|sven-settings|aida-assets|lars-lost';
    my $places = places_of($db, $names);
    like $places, qr/ledger.*user_settings.*neo_glitch_media/, 'the names are in many tables';

    $said = $db->apply;
    is $?, 0, '... sql/apply brings it to the schema of today' or diag $said;
    $db->sql("SELECT genflow.resume('continue')");
    is_deeply [map { $db->sql($_) } @looks], \@before, '... credits, lists, keys and the names in the feed are as before';
    is places_of($db, $names), 'genflow.accounts', '... and the names stand in the accounts alone';
    is $db->sql("SELECT * FROM genflow.check()"), '', '... the books are sound';
    my $stands = 'SELECT name, balance, entries FROM genflow.accounts WHERE opened ORDER BY 1';
    my $money  = $db->sql($stands);
    is $db->sql(q{SELECT genflow.admin_amounts('initial=30 daily=5 daily_max=100')}), 'ok', '... amounts are set';
    $db->sql(map { "SELECT genflow.allowance('$_')" } qw(lena-lives 2 otto-owes));
    is $db->sql($stands), $money, '... first credits and those of the day are not given again';
    is $db->sql(q{SELECT external_ref FROM genflow.ledger WHERE reason = 'a gift'}), 'genflow:first:nobody',
        '... the reference of another grant stays';
    $db->sql(q{SELECT genflow.admin_amounts('initial=30')});
    is $db->sql(q{SELECT genflow.allowance('tina-templates');
                  SELECT balance FROM genflow.quota('tina-templates')}), "\n30", '... who had a template alone gets the first credits';
    is $db->sql(sprintf $create, 'sven-settings', 'k1', 'NULL', 'NULL'), 'insufficient_credits', '... who had settings alone has no account';
    is $db->sql(sprintf $create, 'lena-lives', 'k1', 'NULL', 'NULL'), 'replay', '... a repeated request finds its generation';
    is $db->sql(q{SELECT user_id, phase FROM genflow.neo_glitch_claim('new', 9, '30 s', '-infinity') ORDER BY 1}),
        "lena-lives|queued\notto-owes|queued", '... what waited is claimed for its user';
    is $db->sql(q{SELECT user_id FROM genflow.delivery_claim('{neo-glitch}', 9, '30 s')}), '2', '... a webhook is delivered for its user';
    is $db->sql(q{SELECT user_id FROM genflow.api_key_get('abcdefghijkl')}), 'otto-owes', '... a key belongs to its user';
    is $db->sql(q{SELECT (genflow.reserve_finalize('otto-owes', 'r1')).outcome}), 'returned', '... and a reservation';
    is $db->sql("SELECT * FROM genflow.check()"), '', '... the books are sound still';
    return;
}

# The tables in which a row has one of these texts.
sub places_of {
    my ($db, $pattern) = @_;
    my @tables = split /\n/, $db->sql(<<'SQL');
        SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname IN ('genflow', 'public') AND c.relkind = 'r' ORDER BY 1
SQL
    return $db->sql(join(' UNION ALL ', map { "SELECT '$_' WHERE EXISTS (SELECT FROM $_ t WHERE t::text ~ '$pattern')" } @tables)) =~ s/\n/ /gr;
}

sub only_in {
    my ($these, $those) = @_;
    my %there = map { $_ => 1 } split /\n/, $those;
    return grep { !$there{$_} } split /\n/, $these;
}
