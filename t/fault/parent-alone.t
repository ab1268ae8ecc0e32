#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# httpd's parent alone is killed. Its children serve on and keep the port, until somebody ends them, as
# an init system does; then the next start carries on, and what they worked on ends once.
use Genflow::Fault;
use Genflow::Test;

my $mark   = log_mark();
my @old    = children();
my $parent = httpd_pid();
my @CASES  = (    # type, script, charge, submissions, the test's name
    ['neo-glitch', 'poll=1 poll-gate=alone', 1, 1, 'with a provider'],
    ['neo-glitch', 'gate=alone',             1, 1, 'being sent'],
    ['sketch',     '',                       2, 0, 'being drawn'],
);
my @users = map { account(10) } @CASES;
my @ids   = map { later($users[$_], { type => $CASES[$_][0], prompt => "{{$CASES[$_][1]}} [$users[$_]]" },
        'Idempotency-Key' => 'alone') } 0 .. $#CASES;
ok wait_for(sub { 2 == grep { submissions("[$_]") } @users }), 'generations are under way';
ok kill_parent(), 'the parent is killed';
is generate(account(10), { type => 'sketch' })->{status}, 200, '... its children serve on';
kill KILL => @old;
my $gone = wait_for { !grep { -e "/proc/$_" } @old };
ok $gone, '... until they are killed as well';
ok start_httpd(), '... and httpd is started again';
isnt httpd_pid(), $parent, '... under another parent';
open_gate('alone');

for my $i (0 .. $#CASES) {
    my ($type, undef, $charge, $sent, $name) = @{ $CASES[$i] };
    my $end = ended($users[$i], $ids[$i], $type);
    my $was_sent = $name eq 'being sent';
    ok $end->{status} eq 'completed' || ($was_sent && $end->{errorCode} eq 'NETWORK_ERROR'),
        "$name: $end->{status}";
    is submissions("[$users[$i]]"), $sent, "... submitted $sent times";
    credits_are $users[$i], $end->{status} eq 'completed' ? 10 - $charge : 10, 0, '... charged once or not at all';
}
is generate(account(10), { type => 'sketch' })->{status}, 200, 'new ones are served as before';
expect_log 'GF0202' if log_since($mark) =~ /GF0202/;

finish;
