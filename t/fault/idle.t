#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A host without work sends at most two statements a second, however many children it has: one child
# looks for due jobs, for all of them.
use Genflow::Database ();
use Genflow::Fault;
use Genflow::Httpd qw(small_site);
use Genflow::Test;
use Time::HiRes qw(sleep time);

# PER_SECOND: statements of an idle host. OTHERS: what autovacuum may add.
use constant { SECONDS => $ENV{GENFLOW_IDLE_SECONDS} // 6, PER_SECOND => 2, OTHERS => 3 };

for my $way ([event => 1], [event => 16], [prefork => 120]) {
    my ($mpm, $children) = @$way;
    my $db = Genflow::Database->new;             # that only this httpd uses
    local @ENV{qw(PGDATABASE GENFLOW_MPM)} = ($db->name, $mpm);
    my $threads = $mpm eq 'event' ? 25 : 1;
    my $httpd = Genflow::Httpd->start(small_site() . <<"END");
StartServers $children
ServerLimit $children
MaxRequestWorkers @{[$threads * $children]}
<IfModule mpm_prefork_module>
    MaxSpareServers $children
</IfModule>
<IfModule mpm_event_module>
    MaxSpareThreads @{[$threads * $children]}
</IfModule>
GenflowDispatchPoll 1s
END
    delete local @ENV{qw(PGDATABASE GENFLOW_MPM)};
    my $started = wait_for { $httpd->children == $children };
    ok $started, "$mpm: $children children run";
    my $looked = wait_for { statements($db) > 10 };
    ok $looked, '... and one of them looks';
    wait_for { quiet($db) };

    # On a busy machine another child may take the turn, and connects first: the least of three.
    my ($sent, $passed);
    for (1 .. 3) {
        my ($before, $begin) = (statements($db), time);
        sleep SECONDS;
        ($sent, $passed) = (statements($db) - $before, time - $begin);
        last if $sent <= PER_SECOND * $passed + OTHERS;
    }
    diag sprintf '%s, %d children: %.1f statements a second while idle, %d connections', $mpm, $children,
        $sent / $passed, $db->sql('SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()');
    cmp_ok $sent, '<=', PER_SECOND * $passed + OTHERS, '... which sends two statements a second at most';
    cmp_ok $sent, '>=', 0.5 * $passed - 2, '... and goes on';
    my @alarms = grep { !/GF0190/ } split /\n/, $httpd->alarms;    # it could open more connections than there are
    is_deeply \@alarms, [], '... without a warning';
    $httpd->stop;
}

# All statements in its database: a transaction each. Other databases do the counting.
sub statements {
    my ($db) = @_;
    return sql1("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '@{[$db->name]}'");
}

# Is what the children do once after their start over?
sub quiet {
    my ($db) = @_;
    my $before = statements($db);
    sleep 2;
    return statements($db) - $before <= 2 * PER_SECOND + 1;
}

finish;
