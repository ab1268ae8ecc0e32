#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A child that stands still for longer than its lease, and wakes: others have taken its work over by
# then. Its success counts if nobody else has ended the generation, and then once; its failure is
# refused while another leads. Meanwhile the other child serves.
use Genflow::Test;

my $LEASE = 2;                                   # GenflowDispatchLease of the tests

expect_log 'GF0202';

# ---- it waits for a provider; the other child takes over ----

my $user = account(10);
my $id   = start('{{poll=40}} asleep');
wait_for { status_of($user, $id)->{stabilityJobId} };
my $frozen = pid_of($id);
kill STOP => $frozen;
my @served = in_parallel(8, sub { generate(account(10), { type => 'sketch' })->{status} }, 4);
is_deeply \@served, [(200) x 8], 'while a child stands still, the other one serves';
my $taken = wait_for { my $pid = pid_of($id); $pid && $pid != $frozen } 3 * $LEASE;
ok $taken, 'after the lease its generation belongs to the other one';
is ended($id)->{status}, 'completed', 'the other one waits for the provider and completes';
kill CONT => $frozen;
ok alive($frozen), 'the child wakes';
is submissions('asleep'), 1, '... the generation was submitted once';
is status_of($user, $id)->{status}, 'completed', '... stays completed';
credits_are $user, 9, 0, '... and was charged once';

# ---- it was sending; the lease is over ----

$user   = account(10);
$id     = start('{{delay=1000}} overslept');
$frozen = pid_of($id);
wait_for { submissions('overslept') };
kill STOP => $frozen;
is ended($id)->{errorCode}, 'NETWORK_ERROR', 'what it was sending fails, it may have died';
kill CONT => $frozen;
ok alive($frozen), 'it wakes, with the picture';
my $late = wait_for { sql1("SELECT count(*) FROM genflow.late_results WHERE job_id = :'id'",
        id => $id) };
is $late, 1, '... which comes too late, and is kept for the accounts';
is status_of($user, $id)->{status}, 'failed', '... the generation stays failed';
credits_are $user, 10, 0, '... and costs nothing';
is submissions('overslept'), 1, '... and nothing was sent twice';

# ---- another host has the lease when it comes back ----

my @CASES = (
    # what the child brings, how the generation then stands, credits, the test's name
    ['',           'completed',  [9, 0],  'its success counts, though another leads'],
    ['status=400', 'processing', [10, 1], 'its failure is refused while another leads'],
    ['empty',      'processing', [10, 1], 'that it got nothing is refused while another leads'],
    ['status=503', 'processing', [10, 1], 'its next try is refused while another leads'],
);
for my $case (@CASES) {
    my ($brings, $status, $credits, $name) = @$case;
    $user = account(10);
    $id   = start("{{delay=1000 $brings}} led by another");
    wait_for { sql1("SELECT 1 FROM genflow.attempts WHERE job_id = :'id'", id => $id) };
    my $mark = log_mark();
    sql(<<'SQL', id => $id);
        UPDATE genflow.work SET epoch = epoch + 1, lease_owner = 'another:1:host',
               due_at = clock_timestamp() + interval '4 s' WHERE job_id = :'id'
SQL
    # It says what the provider answered, then what came of it (nothing is said about a lost try).
    my $told = wait_for { log_since($mark) =~ /GF0402: job=\Q$id\E/ };
    ok $told, "the child has its answer: $brings";
    wait_for { log_since($mark) =~ /GF040[45]: job=\Q$id\E/ } 1;
    is status_of($user, $id)->{status}, $status, $name;
    is_deeply credits($user), $credits, '... and the credits say the same';
    next if $status eq 'completed';
    is ended($id)->{errorCode}, 'NETWORK_ERROR', '... until that one dies too';
    credits_are $user, 10, 0, '... and then it has cost nothing';
}

sub start {
    my ($prompt) = @_;
    return data(generate($user, { prompt => $prompt }, Prefer => 'respond-async'))->{id};
}

sub ended {
    my ($job) = @_;
    return wait_for { my $row = status_of($user, $job); $row->{finishedAt} && $row } 20;
}

# The process that holds the lease; a lease is host:pid:random.
sub pid_of {
    my ($job) = @_;
    my $owner = sql1("SELECT lease_owner FROM genflow.work WHERE job_id = :'id'", id => $job);
    return $owner && (split /:/, $owner)[1];
}

sub alive {
    my ($pid) = @_;
    return scalar grep { $_ == $pid } children();
}

# A child that stands still would outlive this file.
END { kill CONT => children() }

finish;
