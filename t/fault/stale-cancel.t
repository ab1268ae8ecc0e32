#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A child sleeps until its provider's time is over, while another one goes on with its runs. When it
# wakes it gives up, and does not tell the provider to stop: the runs are another's now.
use Genflow::Fault;
use Genflow::Test;
use Time::HiRes ();

my $DEADLINE = 20;                               # seconds: the other child needs some of them
ok configure(<<"END"), 'the provider has time for what the test does meanwhile';
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
my @taken  = grep { leader_of($_) == $frozen } @ids;
freeze($frozen);
my $moved = wait_for { !grep { (leader_of($_) // $frozen) == $frozen } @taken } $DEADLINE;
ok $moved, 'another child goes on with ' . @taken . ' runs';
open_gate('stale-cancel');
is_deeply [map { ended($users[$_], $ids[$_], 'echo-fal')->{status} } 0 .. $#ids],
    [('completed') x @ids], '... which all end well';
wait_for { Time::HiRes::time() - $begun > $DEADLINE } 2 * $DEADLINE;
my $mark   = log_mark();
kill CONT => $frozen;
my $told = wait_for { my $log = log_since($mark); !grep { $log !~ /\[pid $frozen:.*\Q$_\E/ } @taken } $DEADLINE;
ok $told, 'then the first wakes, and has to do with each of its runs once more'
    or diag log_since($mark);
is cancels("[stale-cancel-$$-"), 0, '... which cancels none';
is_deeply [map { submissions("[$_]") } @users], [(1) x @users], '... each was sent once';
credits_are $_, 9, 0, '... and charged once' for @users;

ok configure(''), 'the provider has its usual time again';

END { kill CONT => children() }

finish;
