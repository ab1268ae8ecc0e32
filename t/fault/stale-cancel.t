#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A child sleeps until its provider's time is over, while another one goes on with its runs. When it
# wakes it gives up, and does not cancel the runs at the provider: the other child still polls them.
use Genflow::Fault;
use Genflow::Test;
use Time::HiRes ();

my ($LEASE, $DEADLINE) = (15, 25);               # seconds: the runs change hands between
my $SPREAD = 4;                                  # between the submissions, on a busy machine
ok configure(<<"END"), 'the provider has time for what the test does meanwhile';
GenflowDispatchLease ${LEASE}s
<GenflowProvider fal>
    GenflowProviderDeadline ${DEADLINE}s
</GenflowProvider>
END

my @users  = map { account(10) } 1 .. 10;
my @ids    = map { later($_, { type => 'echo-fal',
        prompt => "{{poll=1 poll-gate=stale-cancel poll-delay=60}} [$_]" }) } @users;
my $begun  = Time::HiRes::time();
wait_for { @ids == grep { status_of($users[$_], $ids[$_], 'echo-fal')->{falJobId} } 0 .. $#ids };
my $frozen = leader_of($ids[0]);
my %user   = map { $ids[$_] => $users[$_] } 0 .. $#ids;
my @taken  = grep { leader_of($_) == $frozen } @ids;
my @others = grep { my $id = $_; !grep { $_ eq $id } @taken } @ids;
freeze($frozen);
api(POST => "/api/generation/$_/cancel", user => $user{$_}) for @others;
my $moved = wait_for { !grep { (leader_of($_) // $frozen) == $frozen } @taken } $DEADLINE;
ok $moved, 'another child goes on with ' . @taken . ' runs';
# Each of the runs has the deadline from its own submission.
wait_for { Time::HiRes::time() - $begun > $DEADLINE + $SPREAD } 2 * $DEADLINE;
my $mark   = log_mark();
kill CONT => $frozen;
my $gave_up = sub { my $log = log_since($mark); scalar grep { $log =~ /\[pid $frozen:.*\Q$_\E/ } @taken };
# A run that hears first that its lease is over ends without a line.
wait_for { $gave_up->() == @taken } $SPREAD;
ok $gave_up->(), 'then the first wakes, and has to do with its runs once more' or diag log_since($mark);
is_deeply [map { cancels("[$user{$_}]") } @taken], [(0) x @taken], '... which cancels none';
open_gate('stale-cancel');
is_deeply [map { ended($user{$_}, $_, 'echo-fal')->{status} } @taken], [('completed') x @taken],
    '... and the other child completes them';
is_deeply [map { submissions("[$_]") } @users], [(1) x @users], '... each was sent once';
credits_are $user{$_}, 9, 0, '... and charged once' for @taken;

ok configure(''), 'the provider has its usual time again';

END { kill CONT => children() }

finish;
