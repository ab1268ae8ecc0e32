#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A child stands still for longer than its lease, and wakes: others have taken its work over by
# then. Its success counts once, if no other host has ended the generation; its failure is refused
# while another leads. Meanwhile the other child serves.
use Genflow::Fault;
use Genflow::Test;

expect_log 'GF0202';

ok configure(<<'END'), 'the provider has time for what the test does meanwhile';
<GenflowProvider stability>
    GenflowProviderDeadline 5m
</GenflowProvider>
END

# ---- it waits for a provider; the other child takes over ----

my $user = account(10);
my $id   = later($user, { prompt => '{{poll=1 poll-gate=asleep}} asleep' });
wait_for { status_of($user, $id)->{stabilityJobId} };
my $frozen = leader_of($id);
freeze $frozen;
my @served = in_parallel(8, sub { generate(account(10), { type => 'sketch' })->{status} }, 4);
is_deeply \@served, [(200) x 8], 'while a child stands still, the other one serves';
my $taken = wait_for { my $pid = leader_of($id); $pid && $pid != $frozen };
ok $taken, 'after the lease its generation belongs to the other one';
open_gate('asleep');
is ended($user, $id)->{status}, 'completed', 'the other one waits for the provider and completes';
kill CONT => $frozen;
ok alive($frozen), 'the child wakes';
is submissions('asleep'), 1, '... the generation was submitted once';
is status_of($user, $id)->{status}, 'completed', '... stays completed';
credits_are $user, 9, 0, '... and was charged once';

# ---- it was sending; the lease is over ----

$user   = account(10);
$id     = later($user, { prompt => '{{gate=overslept}} overslept' });
$frozen = leader_of($id);
wait_for { submissions('overslept') };
freeze $frozen;
is ended($user, $id)->{errorCode}, 'NETWORK_ERROR', 'what it was sending fails, it may have died';
open_gate('overslept');
kill CONT => $frozen;
ok alive($frozen), 'it wakes, with the picture';
my $late = wait_for { sql1("SELECT count(*) FROM genflow.late_results WHERE job_id = :'id'",
        id => $id) };
is $late, 1, '... which comes too late, and is recorded for the accounts';
is status_of($user, $id)->{status}, 'failed', '... the generation stays failed';
credits_are $user, 10, 0, '... and costs nothing';
is submissions('overslept'), 1, '... and nothing was sent twice';

# ---- it wakes in time ----

lengthen_grace();
for my $case (['', 'picture'], ['poll=3', 'provider\'s id']) {
    my ($script, $what) = @$case;
    $user   = account(10);
    $id     = later($user, { prompt => "{{gate=$user $script}} slept well [$user]" });
    $frozen = leader_of($id);
    wait_for { submissions("[$user]") };
    freeze $frozen;
    my $lost = wait_for { (leader_of($id) // 0) != $frozen };
    open_gate($user);
    kill CONT => $frozen;
    ok $lost, "it was sending, and wakes with the $what some time after its lease";
    is ended($user, $id)->{status}, 'completed', '... others wait for it a while: it counts';
    credits_are $user, 9, 0, '... and the picture was charged once';
    is submissions("[$user]"), 1, '... and nothing was sent twice';
}

normal_grace();

# ---- another host leads when it answers ----

my @CASES = (
    # what the child brings, how the generation then stands, credits, the test's name, and how it
    # ends when the other one dies
    ['',           'completed',  [9, 0],  'its success counts, though another leads'],
    ['status=400', 'processing', [10, 1], 'its failure is refused while another leads', 'failed'],
    ['empty',      'processing', [10, 1], 'that it got nothing is refused while another leads', 'failed'],
    ['status=503', 'processing', [10, 1], 'its next attempt is refused while another leads', 'failed'],
    ['poll=3',     'processing', [10, 1], 'it has the provider\'s id, which another leads on', 'completed'],
);
my $mark = log_mark();
my (@users, @ids);
for my $i (0 .. $#CASES) {
    $user = $users[$i] = account(10);
    $ids[$i] = later($user, { prompt => "{{gate=another $CASES[$i][0]}} led by another [$user]" });
    wait_for { submissions("[$user]") };
}
take_over(@ids);
open_gate('another');
for my $i (0 .. $#CASES) {
    my ($brings, $status, $credits, $name) = @{ $CASES[$i] };
    my ($client, $job) = ($users[$i], $ids[$i]);

    # It says what the provider answered, then what came of it, but nothing about a lost attempt.
    my $logged = wait_for { log_since($mark) =~ /GF0402: job=\Q$job\E/ };
    ok $logged, "the child has its answer: $brings";
    wait_for { log_since($mark) =~ /GF040[45]: job=\Q$job\E/ } $brings =~ /503|poll/ ? 0.5 : 30;
    is status_of($client, $job)->{status}, $status, $name;
    is_deeply credits($client), $credits, '... and the credits say the same';
}
take_from_child($_, 'due_at = now()') for @ids;
for my $i (grep { $CASES[$_][1] eq 'processing' } 0 .. $#CASES) {
    my ($brings, $end) = @{ $CASES[$i] }[0, 4];
    my $job = ended($users[$i], $ids[$i]);
    is $job->{status}, $end, "the other one dies, after $brings: $end";
    is $job->{errorCode}, $end eq 'failed' ? 'NETWORK_ERROR' : undef, '... and why';
    credits_are $users[$i], $end eq 'failed' ? 10 : 9, 0, '... and the credits say the same';
    is submissions("[$users[$i]]"), 1, '... sent once';
}

sub alive {
    my ($pid) = @_;
    return scalar grep { $_ == $pid } children();
}

# A child that stands still would outlive this file.
END { kill CONT => children() }

finish;
