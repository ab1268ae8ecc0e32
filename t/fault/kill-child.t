#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A child that dies takes nothing along: another one finishes what it drew or waited for, and ends
# what it was sending, which may have been paid for and is not sent again. Its clients repeat with
# their key and find the generation. Everything ends, everything else is served meanwhile.
use Genflow::Fault;
use Genflow::Test;

expect_log 'GF0202';

# ---- drawing, or about to ----

my $user  = account(100);
my @ids   = in_parallel(12, sub { data(generate_keyed($user, "draw-$_[0]", type => 'sketch'))->{id} }, 4);
my $pid = wait_for { (grep { $_ } map { leader_of($_) } @ids)[0] };
ok $pid && kill_child($pid), 'a child that draws is killed, and replaced';
is_deeply [map { ended($user, $_, 'sketch')->{status} } @ids], [('completed') x 12],
    'every picture that it should have drawn is drawn';
credits_are $user, 100 - 2 * 12, 0, '... and charged once';
is data(generate_keyed($user, 'draw-0', type => 'sketch'))->{id}, $ids[0], 'the key finds its generation';

# ---- waiting for a provider ----

$user = account(10);
my $id = data(generate_keyed($user, 'poll', prompt => '{{poll=1 poll-gate=of-the-dead}} of the dead'))->{id};
wait_for { status_of($user, $id)->{stabilityJobId} };
my $ref = status_of($user, $id)->{stabilityJobId};
ok kill_child(leader_of($id)), 'a child that waits for a provider is killed';
open_gate('of-the-dead');
my $end = ended($user, $id);
is $end->{status}, 'completed', 'another one waits on';
is $end->{stabilityJobId}, $ref, '... for the same run of the provider';
is submissions('of the dead'), 1, '... which was submitted once';
credits_are $user, 9, 0, '... and charged once';

# ---- sending ----

# The client waits at the child that is killed, then does what clients do: it repeats with its key.
$user = account(10);
lengthen_grace();
my ($first) = in_parallel(2, sub {
    my ($i) = @_;
    return generate_keyed($user, 'send', prompt => '{{gate=last-words}} last words', wait => 10)->{status}
        if $i == 0;
    wait_for { submissions('last words') };
    return kill KILL => leader_of(sql1("SELECT job_id FROM genflow.work WHERE user_id = genflow.account_of(:'user')",
            user => $user));
});
is $first, 599, 'who waited at the killed child loses the connection';
my $again = generate_keyed($user, 'send', prompt => '{{gate=last-words}} last words', wait => 10);
error_is $again, 409, 'IDEMPOTENCY_IN_PROGRESS', 'the key finds the generation while it lives';
$id = data($again)->{generationId};
credits_are $user, 10, 1, '... its credit is held';
my $grace = wait_for { !leader_of($id) };
ok $grace, '... and nobody leads it';
normal_grace();
take_from_child($id, 'due_at = now()');
$end = ended($user, $id);
is $end->{errorCode}, 'NETWORK_ERROR', 'what was being sent fails when the lease is over';
credits_are $user, 10, 0, '... and costs nothing';
error_is generate_keyed($user, 'send', prompt => '{{gate=last-words}} last words', wait => 10), 500,
    'GENERATION_FAILED', 'the key finds the generation when it has ended';
is submissions('last words'), 1, 'nothing was sent a second time';
open_gate('last-words');

# ---- any number of times ----

# While it waits for its next attempt, a generation has no owner: no death of a child can delay it.
$user = account(10);
$id   = data(generate_keyed($user, 'retry', prompt => '{{status=503 times=1 retry-after=3}} risen from the dead'))->{id};
wait_for { status_of($user, $id)->{retryCount} };
ok kill_child($_), 'each child is killed in turn' for children();
is ended($user, $id)->{status}, 'completed', 'a retry comes all the same';
is submissions('risen from the dead'), 2, '... once';

my $served = generate(account(10), { type => 'sketch' });
is $served->{status}, 200, 'the children that came afterwards serve';
is sql1("SELECT count(*) FROM genflow.work JOIN genflow.accounts USING (user_id) WHERE starts_with(name, 'kill-child-')"), 0,
    'nothing is left behind';

# Requests a generation with a key; wait => seconds.
sub generate_keyed {
    my ($client, $key, %input) = @_;
    my $seconds = delete $input{wait};
    return generate($client, \%input, 'Idempotency-Key' => $key,
        Prefer => $seconds ? "wait=$seconds" : 'respond-async');
}

finish;
