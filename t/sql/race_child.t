#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The lease of a child, at the moment when it is over: either the child renews it, or other hosts
# claim its jobs and it learns which. No job has two hosts, none is forgotten, and an intent that was
# recorded keeps other hosts away for its lease. GENFLOW_ROUNDS: how often, 200 times without it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(uniq);
use Test::More;

use Genflow::Database ();

use constant { JOBS => 8, ROUNDS => $ENV{GENFLOW_ROUNDS} || 200 };

my $db = Genflow::Database->new;
my ($child, $one, $two, $user, $sender) = $db->sessions(5);
$db->sql("SELECT genflow.grant_credits('user', 10000, 'for a test')");

# Makes jobs that the child leads, half of them being sent: {id => epoch}.
my $made = 0;
sub led_jobs {
    my ($count) = @_;
    my $missing = $count - $db->sql('SELECT count(*) FROM genflow.work');
    $db->sql(map { $made++; "SELECT genflow.neo_glitch_create('user', 'key $made', '\\x01', NULL, 'base', 'a cat', NULL,
        '{}', 7, 1, 3::smallint, '10 minutes', NULL, NULL)" } 1 .. $missing) if $missing;
    $db->sql(q{UPDATE genflow.work SET lease_owner = NULL, led = false, lost_leases = 0, phase = 'queued',
                   due_at = clock_timestamp()}, 'TRUNCATE genflow.recalls', 'DELETE FROM genflow.attempts');
    my %epoch = split /[|\n]/, $db->sql(claim('child', 100));
    my $number = 0;
    for my $id (sort keys %epoch) {
        $db->sql("SELECT genflow.attempt_begin('$id', $epoch{$id}, 1::smallint, 'acme', 'acme-1', 7, NULL, '30 s')")
            if ++$number % 2;
    }
    $db->sql(beat(%epoch));
    $db->sql(q{UPDATE genflow.work SET leased_until = clock_timestamp()});
    return %epoch;
}

sub claim {
    my ($host, $limit) = @_;
    return "SELECT id, epoch FROM genflow.neo_glitch_claim('$host', $limit, '30s', '-infinity')";
}

# A heartbeat of the child, which names these leases: lines of id|epoch|word.
sub beat {
    my %epoch = @_;
    my @ids = sort keys %epoch;
    return sprintf "SELECT * FROM genflow.heartbeat('child', '30s', '{%s}', '{%s}', '{}', '{}')", join(',', @ids),
        join ',', @epoch{@ids};
}

sub expire_child {
    return $db->sql('UPDATE genflow.children SET expires = clock_timestamp()');
}

# ---- step by step ----

my %epoch = led_jobs(2);
my ($sent, $queued) = sort keys %epoch;
expire_child();
is $child->sql('BEGIN', beat()), '', 'a child keeps its lease at the last moment';
is $one->sql(claim('one', 10)), '', '... and no host waits, or claims a job meanwhile';
$child->sql('COMMIT');
is $one->sql(claim('one', 10)), '', '... nor later';

expire_child();
is $one->sql('BEGIN', claim('one', 10)), "$queued|2", 'a child is late: its jobs are being taken over';
$child->start(beat());
ok $db->waits($child), '... its heartbeat waits';
$one->sql('COMMIT');
is $child->answer, "$sent|1|lost\n$queued|1|lost", '... and names what it has lost';

# ---- rounds ----

my (%seen, @wrong, @failed);
for my $round (1 .. ROUNDS) {
    %epoch = led_jobs(JOBS);
    my @ids = sort keys %epoch;
    expire_child();
    my @ends = map { "SELECT genflow.neo_glitch_settle('$ids[$_]', " . ($_ % 2 ? $epoch{$ids[$_]} : 'NULL')
        . ", 'cancelled', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)" } $round % JOBS;
    my $sent = $ids[2 * int(rand(JOBS / 2)) + 1];                           # nothing was sent for it yet
    my @answers = $db->at_once([$child, beat()], [$one, claim('one', 5)], [$two, claim('two', 5)], [$user, @ends],
        [$sender, "SELECT genflow.attempt_begin('$sent', $epoch{$sent}, 1::smallint, 'acme', 'acme-1', 7, NULL, '30 s')"]);
    push @failed, grep { /\A!/ } map { @$_ } @answers;
    my @claimed = map { split /\n/ } map { @$_ } @answers[1, 2];
    push @wrong, "round $round: claimed twice" if @claimed != uniq @claimed;

    my %told = map { /\A(\S+)\|\d+\|(\w+)\z/ ? ($1 => $2) : () } map { split /\n/ } @{ $answers[0] }, $child->sql(beat());
    my %row = map { /\A([^|]+)\|(.*)\z/ } split /\n/,
        $db->sql(q{SELECT job_id, coalesce(lease_owner, 'nobody') || ' ' || epoch || ' ' || led FROM genflow.work});
    for my $id (@ids) {
        my $is = !$row{$id} ? 'ended' : $row{$id} eq "child $epoch{$id} true" ? 'kept' : 'lost';
        my $own = $answers[3][0] eq 'done' && $id eq $ids[$round % JOBS] && $round % JOBS % 2;    # the child ends it itself
        push @wrong, "round $round: $is ($row{$id}), told " . ($told{$id} // 'nothing')
            if ($told{$id} // 'kept') ne ($own ? 'kept' : $is);
        $seen{$is}++;
    }
    my $may = $answers[4][0];
    $seen{"intent $may"}++;
    push @wrong, "round $round: intent $may, the row is " . ($row{$sent} // 'gone')
        if $sent ne $ids[$round % JOBS] && ($may eq 'ok') != (($row{$sent} // '') eq "child $epoch{$sent} true");
    push @wrong, "round $round: " . $db->sql('SELECT count(*) FROM genflow.children') . ' rows'
        if $db->sql('SELECT count(*) FROM genflow.children WHERE expires > clock_timestamp()') != 1;
}
diag join ', ', map { "$seen{$_} $_" } sort keys %seen;
is_deeply \@failed, [], ROUNDS . ' rounds: no statement fails';
is_deeply \@wrong, [], '... a child learns exactly what it has lost, and no job has two hosts';
ok $seen{kept} && $seen{lost} && $seen{ended} && $seen{'intent ok'} && $seen{'intent stale'}, '... of each kind';
is $db->sql('SELECT * FROM genflow.check()'), '', 'the books are sound';

done_testing;
