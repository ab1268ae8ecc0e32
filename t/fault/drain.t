#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What an old child has not finished within GenflowDispatchDrain it hands back, at once: others wait
# for the provider in its place, and end what it was sending, which no child sends again. The same
# holds for a stop that does not wait at all.
use Genflow::Fault;
use Genflow::Test;

my @CASES = (
    # script, status, errorCode, credits, submissions, the test's name
    ['poll=1 poll-gate=GATE',            'completed', undef,           9,  1, 'with a provider'],
    ['gate=GATE-sent',                   'failed',    'NETWORK_ERROR', 10, 1, 'being sent'],
    ['status=503 times=1 retry-after=3', 'completed', undef,           9,  2, 'between two attempts'],
);
my @ENDS = (
    # the end of the children, and how it is called
    [sub { restart_httpd('USR1') },               'a graceful restart that does not wait for long'],
    [sub { stop_httpd('TERM') && start_httpd() }, 'a stop and a start'],
);

expect_log 'GF0202';

ok configure("GenflowDispatchDrain 500ms\n"), 'children shall drain for half a second only';

for my $end (@ENDS) {
    my ($act, $name) = @$end;
    my @old   = children();
    my @users = map { account(10) } @CASES;
    my $gate  = $users[0];
    my @ids   = map { later($users[$_], { prompt => "{{$CASES[$_][0]}} [$users[$_]]" =~ s/GATE/$gate/r }) }
        0 .. $#CASES;
    wait_for { @CASES == grep { submissions("[$_]") } @users };
    wait_for { status_of($users[0], $ids[0])->{stabilityJobId} };
    my $mark = log_mark();
    ok $act->(), $name;
    my $gone = wait_for { !grep { -e "/proc/$_" } @old };
    ok $gone, '... the old children are gone soon';
    like log_since($mark), qr/GF0406: handed \d+ jobs back/, '... and have handed back';

    # A lease that ran out would be counted as lost.
    my $new = wait_for { my $pid = leader_of($ids[0]); $pid && !grep({ $_ == $pid } @old) && $pid };
    ok $new, '... another child waits for the provider';
    is sql1("SELECT lost_leases FROM genflow.work WHERE job_id = :'id'", id => $ids[0]), 0,
        '... which did not have to wait for the end of a lease';
    open_gate($gate);
    for my $i (0 .. $#CASES) {
        my (undef, $status, $error, $credits, $sent, $case) = @{ $CASES[$i] };
        my $job = ended($users[$i], $ids[$i]);
        is_deeply [@$job{qw(status errorCode)}], [$status, $error], "... $case: $status";
        is submissions("[$users[$i]]"), $sent, "... submitted $sent times";
        credits_are $users[$i], $credits, 0, '... and the credits say the same';
    }
    open_gate("$gate-sent");
}

finish;
