#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A generation that waits is started once, by however many calls at the same moment; the call that makes it
# makes one under one key; and one that is never started is cancelled and costs nothing.
use Genflow::Test;
use Genflow::TwoStep;

my $user = account(60);

# ---- fifty times two starts at once ----

my @ids   = map { made($user, { customPrompt => "$_ race of $user {{quick}}" }) } 1 .. 50;
my @codes = in_parallel(100, sub {
    my $got = start($user, $ids[$_[0] >> 1], Prefer => 'respond-async');
    return $got->{status} . ' ' . (data($got)->{code} // '');
}, 16);
my @pairs = map { join ', ', sort @codes[2 * $_, 2 * $_ + 1] } 0 .. 49;
is_deeply \@pairs, [('200 , 400 INVALID_GENERATION_STATUS') x 50],
    'of two starts at the same moment one starts, the other hears that it is not pending';
my $all_ended = wait_for { credits($user)->[1] == 0 };
ok $all_ended, 'all of them come to their end';
credits_are $user, 10, 0, 'each is charged once';
is submissions("race of $user"), 50, 'and was drawn once';

# ---- repeated ----

my @again = ($user, { customPrompt => "again of $user" }, 'Idempotency-Key' => 'two-steps');
my ($one, $two) = map { create(@again) } 1, 2;
my $id = data($one)->{data}{generationId};
is_deeply [map { $_->{status}, data($_)->{data}{generationId} } $one, $two], [(201, $id) x 2],
    'the same key makes one, and returns it again';
is $two->{headers}{'idempotency-replayed'}, 'true', 'as a replay';
credits_are $user, 10, 1, 'held once';
error_is(create($user, { customPrompt => 'x' }, 'Idempotency-Key' => 'two-steps'), 422,
    'IDEMPOTENCY_MISMATCH', 'another body with that key is refused');
my $other = one_step($user,
    { type => 'neo-glitch', productImages => [$IMAGE], customPrompt => "again of $user" },
    'Idempotency-Key' => 'two-steps');
error_is($other, 422, 'IDEMPOTENCY_MISMATCH', 'and so is another act');

# ---- never started ----

take_from_child($id, 'due_at = now(), deadline_at = now()');
my $ended = wait_for { status_of($user, $id)->{status} eq 'cancelled' };
ok $ended, 'what is not started in time is cancelled';
like status_of($user, $id)->{errorMessage}, qr/not started within its time/, 'and says why';
credits_are $user, 10, 0, 'its credits are given back';
error_is(start($user, $id), 400, 'INVALID_GENERATION_STATUS',
    'it cannot be started any more');

finish;
