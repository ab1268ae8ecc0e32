#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# PostgreSQL is gone when a provider has answered, for less than a lease and for more: what was
# learned is written when it is back. A picture that was made is delivered, and charged once;
# nothing is submitted twice; waiting for a provider goes on.
use Genflow::Fault;
use Genflow::Test;

my @OUTAGES = (
    # seconds without PostgreSQL after the answers, the test's name
    [0, 'a short outage'],
    [3, 'an outage longer than a lease'],
);
my @CASES = (
    # script, status, errorCode, credits, submissions, the test's name
    ['gate=GATE',                    'completed', undef,              9,  1, 'a picture'],
    ['gate=GATE filter',             'failed',    'CONTENT_FILTERED', 10, 1, 'a refusal'],
    ['gate=GATE status=503 times=1', 'completed', undef,              9,  2, 'one to be retried'],
    ['gate=GATE poll=3',             'completed', undef,              9,  1, 'an id'],
    ['poll=3 poll-gate=GATE',        'completed', undef,              9,  1, 'an answer later'],
);

expect_log 'GF0121';

ok configure(<<'END'), 'the provider has more time than the outage takes';
<GenflowProvider stability>
    GenflowProviderDeadline 5m
</GenflowProvider>
END

for my $outage (@OUTAGES) {
    my ($seconds, $when) = @$outage;
    my $gate = "outage-$seconds";
    my (@users, @ids);
    for my $i (0 .. $#CASES) {
        $users[$i] = account(10);
        my $script = $CASES[$i][0] =~ s/GATE/$gate/r;
        $ids[$i] = later($users[$i], { prompt => "{{$script}} [$users[$i]]" });
    }
    wait_for { @CASES == grep { submissions("[$_]") } @users };
    wait_for { status_of($users[-1], $ids[-1])->{stabilityJobId} };
    my $mark = log_mark();
    ok pg('stop', 'fast'), "$when: PostgreSQL stops while a provider works";
    open_gate($gate);

    # Each of them has its answer; the outage itself is logged once for the host.
    my $answered = sub {
        my $log = log_since($mark);
        return $log =~ /GF0121: / && !grep { $log !~ /GF0402: job=\Q$_\E/ } @ids[0 .. $#ids - 1];
    };
    my $lost = wait_for { $answered->() };
    ok $lost, '... the answers come, and cannot be written';
    my $back = time + $seconds;
    wait_for { time >= $back } $seconds + 1;
    ok pg('start'), '... PostgreSQL starts';

    for my $i (0 .. $#CASES) {
        my (undef, $status, $error, $credits, $sent, $name) = @{ $CASES[$i] };
        my $end = ended($users[$i], $ids[$i]);
        is_deeply [@$end{qw(status errorCode)}], [$status, $error], "$when, $name: $status";
        credits_are $users[$i], $credits, 0, '... and the credits say the same';
        is submissions("[$users[$i]]"), $sent, "... after $sent submissions";
    }
}

ok configure(''), 'everything is as before';

finish;
