#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# sql/apply runs during traffic: it renews all functions, and a migration locks and changes the tables
# of live work. Clients are answered or get Retry-After; each key has one generation, which
# ends and is charged once.
use File::Temp qw(tempdir);
use Genflow::Fault;
use Genflow::Test;
use Time::HiRes qw(sleep);

my $CLIENTS = 4;
my $mark    = log_mark();
my $over    = "$ENV{GENFLOW_WORK}/tmp/upgrade-is-over";
my $user    = account(10_000);

# A later schema: one column more. It commits once a request waits for it.
my $folder = tempdir(CLEANUP => 1) . '/sql';
system('cp', '-R', "$ENV{GENFLOW_WORK}/sql", $folder) == 0 or die "cannot copy sql\n";
my $latest = sql1('SELECT max(version) FROM genflow.migrations');
my $next   = sprintf '%04d', $latest + 1;
open my $file, '>', "$folder/migrations/${next}_test.sql" or die "migration: $!\n";
print $file <<'SQL';
ALTER TABLE genflow.work ADD COLUMN test_of_upgrades integer;
DO $$
BEGIN
    WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))) LOOP
        PERFORM pg_sleep(0.02);
    END LOOP;
END $$;
SQL
close $file or die "migration: $!\n";

my ($applied, @clients) = in_parallel(1 + $CLIENTS, sub { return $_[0] ? client($_[0]) : upgrades() }, 1 + $CLIENTS);
is_deeply $applied, [0, 0, 0], 'sql/apply runs three times, once with a new migration';
my (%answers, @keys);
for my $client (@clients) {
    push @keys, @{ $client->{keys} };
    $answers{$_} += $client->{answers}{$_} for keys %{ $client->{answers} };
}
diag join ', ', map { "$answers{$_} $_" } sort keys %answers;
is_deeply [grep { !/\A(?:200|202|409 later|503 later)\z/ } sort keys %answers], [],
    'every client was answered, or got Retry-After';
cmp_ok scalar @keys, '>=', $CLIENTS, '... and there was load';
my $ended = wait_for { !rows_of($user, 'genflow.work') };
ok $ended, 'all generations end';
is sql1("SELECT count(*), count(DISTINCT job_id) FROM genflow.idempotency_keys WHERE user_id = genflow.account_of(:'user')", user => $user),
    @keys . '|' . @keys, '... one for each key';
is rows_of($user, 'public.neo_glitch_media', "status = 'completed'"),
    scalar @keys, '... all completed';
credits_are $user, 10_000 - @keys, 0, '... and charged once';

sql("ALTER TABLE genflow.work DROP COLUMN test_of_upgrades; DELETE FROM genflow.migrations WHERE version > $latest");
is generate($user, {}, Prefer => 'wait=60')->{status}, 200, 'with the schema of before, too, pictures are made';
expect_log grep { log_since($mark) =~ /\b$_\b/ } qw(GF0121 GF0122 GF0123);

finish;

sub upgrades {
    my @codes;
    for my $from ("$ENV{GENFLOW_WORK}/sql", $folder, $folder) {
        has_load();
        push @codes, system("'$from/apply' --role genflow_app --admin-role genflow_admin >/dev/null") >> 8;
    }
    has_load();
    open my $done, '>', $over or die "$over: $!\n";
    return \@codes;
}

# A generation is made from here on.
sub has_load {
    my $made   = q(SELECT count(*) FROM genflow.idempotency_keys WHERE user_id = genflow.account_of(:'user'));
    my $before = sql1($made, user => $user);
    return wait_for { sql1($made, user => $user) > $before };
}

sub client {
    my ($number) = @_;
    my (%answers, @keys);
    while (!-e $over) {
        my $key = "upgrade-$number-" . @keys;
        push @keys, $key;
        for (1 .. 60) {
            my $res   = generate($user, { prompt => 'a cat {{quick}}' }, 'Idempotency-Key' => $key);
            my $after = $res->{headers}{'retry-after'};
            $answers{ $res->{status} . (defined $after ? ' later' : '') }++;
            last if $res->{status} == 200 || $res->{status} == 202 || !defined $after;
            sleep 0.3;
        }
        sleep 0.1;
    }
    return { answers => \%answers, keys => \@keys };
}
