#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The answer to a submission is lost, and its child, which waits before it reconciles, is requested
# to end: gracefully or not, in time or not. Another child reconciles; no child sends again what
# may have been taken.
use Genflow::Fault;
use Genflow::Test;

my @CASES = (
    # type, script, status, errorCode, credits, submissions, the test's name
    ['echo-replicate', 'cut-before poll=3',          'completed', undef,           9,  1, 'taken'],
    ['echo-replicate', 'cut-before untaken times=1', 'completed', undef,           9,  2, 'not taken'],
    ['echo-fal',       'cut-before poll=3',          'completed', undef,           9,  1, 'taken'],
    ['echo-fal',       'cut-before untaken',         'failed',    'TIMEOUT',       10, 1, 'not begun'],
    ['echo-aiml',      'cut-before',                 'failed',    'NETWORK_ERROR', 10, 1, 'paid'],
    ['echo-fal',       'hook cut-before',            'completed', undef,           9,  1, 'reported'],
);
my @ENDS = (
    # drain, the end of the children, and how it is called
    ['5s',    sub { restart_httpd('USR1') },               'a graceful restart'],
    ['100ms', sub { restart_httpd('USR1') },               'a graceful restart that does not wait'],
    ['100ms', sub { stop_httpd('TERM') && start_httpd() }, 'a stop and a start'],
);

expect_log qw(GF0201 GF0202);

for my $end (@ENDS) {
    my ($drain, $act, $name) = @$end;
    ok configure("GenflowDispatchDrain $drain\n"), "$name: children drain for $drain";
    my @old   = children();
    my @users = map { account(10) } @CASES;
    my @ids   = map { later($users[$_], { type => $CASES[$_][0],
            prompt => "{{$CASES[$_][1]}} [$users[$_]]" }) } 0 .. $#CASES;
    wait_for { @CASES == grep { submissions("[$_]") } @users };
    ok $act->(), '... comes';
    my $gone = wait_for { !grep { -e "/proc/$_" } @old };
    ok $gone, '... the old children go';
    for my $i (0 .. $#CASES) {
        my ($type, undef, $status, $error, $credits, $sent, $case) = @{ $CASES[$i] };
        my $job = ended($users[$i], $ids[$i], $type);
        is_deeply [@$job{qw(status errorCode)}], [$status, $error], "... $type, $case: $status";
        is submissions("[$users[$i]]"), $sent, "... submitted $sent times";
        credits_are $users[$i], $credits, 0, '... and the credits say the same';
    }
}
ok configure(''), 'children drain as before';

finish;
