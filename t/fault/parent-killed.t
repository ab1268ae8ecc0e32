#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# All of httpd is killed at once, as a crash of the machine does it, with generations in every
# phase. The next start carries on: everything ends, nothing is submitted twice, nothing is charged
# twice, and the clients find their generations by their keys.
use Genflow::Fault;
use Genflow::Test;

my @CASES = (
    # type, script, status, charge, submissions, the test's name
    ['neo-glitch', 'poll=1 poll-gate=crash',           'completed', 1, 1, 'with a provider'],
    ['neo-glitch', 'gate=crash-sent',                  'failed',    0, 1, 'being sent'],
    ['neo-glitch', 'status=503 times=1 retry-after=9', 'completed', 1, 2, 'between two attempts'],
    (['sketch',    '',                                 'completed', 2, 0, 'being drawn']) x 4,
);

expect_log 'GF0202';

my @old   = (httpd_pid(), children());
my @users = map { account(10) } @CASES;
my @ids   = map { generate_keyed($_) } 0 .. $#CASES;
wait_for { 3 == grep { submissions("[$_]") } @users };
wait_for { status_of($users[0], $ids[0])->{stabilityJobId} };
my @drawn = map { later($users[3], { type => 'sketch', prompt => "last $_" }) } 1 .. 2;
ok kill_httpd(), 'httpd is killed, parent and children';
my $live = sql1("SELECT count(*) FROM genflow.work JOIN genflow.accounts USING (user_id)"
    . " WHERE name IN (:'a', :'b', :'c')",
    a => $users[0], b => $users[1], c => $users[2]);
is $live, 3, '... in the middle of its work';
ok start_httpd(), 'httpd is started';
open_gate('crash');
my %old = map { $_ => 1 } @old;
is_deeply [grep { $old{$_} } httpd_pid(), children()], [], '... all its processes are new';

for my $i (0 .. $#CASES) {
    my ($type, undef, $status, $charge, $sent, $name) = @{ $CASES[$i] };
    is ended($users[$i], $ids[$i], $type)->{status}, $status, "$name: $status";
    is submissions("[$users[$i]]"), $sent, "... submitted $sent times";
}
for my $id (@drawn) {
    is ended($users[3], $id, 'sketch')->{status}, 'completed', 'the last ones are drawn as well';
}
for my $i (0 .. $#CASES) {
    my ($charge, $name) = @{ $CASES[$i] }[3, 5];
    my $drawn = $i == 3 ? 2 * @drawn : 0;
    credits_are $users[$i], 10 - $charge - $drawn, 0, "$name: charged once or not at all";
    is generate_keyed($i), $ids[$i], '... and its key finds it';
}

open_gate('crash-sent');

# A generation with a key; the same one when the request is repeated.
sub generate_keyed {
    my ($i) = @_;
    my ($type, $script) = @{ $CASES[$i] };
    return later($users[$i], { type => $type, prompt => "{{$script}} [$users[$i]]" },
        'Idempotency-Key' => 'before-the-crash');
}

finish;
