#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A call that is repeated with its Idempotency-Key, or its runId, makes nothing new: it gets the
# answer that the first one made, or hears that it still runs; with another body it is refused. This
# holds for failures too, and for any number of calls at once.
use Genflow::Test;

my $IN_PROGRESS = 'IDEMPOTENCY_IN_PROGRESS';

my $user = account(24);

# ---- one after another ----

my @KEYS = (    # what, members of the body, headers
    ['an Idempotency-Key', {},                        { 'Idempotency-Key' => 'a-key' }],
    ['a runId',            { runId => 'a-run' },      {}],
    ['both',               { runId => 'another-run' }, { 'Idempotency-Key' => 'another-key' }],
);
for my $case (@KEYS) {
    my ($what, $members, $headers) = @$case;
    my $tag = "again with $what of $user";
    my ($balance) = @{ credits($user) };
    my $first = generate($user, { %$members, prompt => $tag }, %$headers);
    my $again = generate($user, { %$members, prompt => $tag }, %$headers);
    is $again->{status}, 200, "a call repeated with $what is answered";
    is_deeply data($again), data($first), 'as the first was';
    is $again->{headers}{'idempotency-replayed'}, 'true', 'as the header says';
    is $first->{headers}{'idempotency-replayed'}, undef,  'and of the first it is not';
    is submissions($tag), 1, 'the provider got one submission';
    credits_are $user, $balance - 1, 0, 'and one credit was taken';

    my $other = generate($user, { %$members, prompt => "$tag, but a dog" }, %$headers);
    error_is($other, 422, 'IDEMPOTENCY_MISMATCH', "another body with $what is refused");
    is submissions("$tag, but"), 0, 'and reaches no provider';
}

# ---- RFC 8941 ----

my $quoted = { prompt => "quoted of $user" };
my @same = map { data(generate($user, $quoted, 'Idempotency-Key' => $_))->{id} // 'none' }
    '"k-1"', 'k-1', '"k-1"';
is_deeply \@same, [($same[0]) x 3], '"k" and k are one key';
@same = map { data(generate($user, $quoted, 'Idempotency-Key' => $_))->{id} // 'none' }
    '"a\"b\\\\c"', 'a"b\c';
is_deeply \@same, [($same[0]) x 2], '... also where the string escapes something';
is generate($user, $quoted, 'Idempotency-Key' => '"two words"')->{status}, 200,
    'a quoted key may have blanks';
my $batch  = { prompt => "a batch of $user {{delay=300}}", n => 2 };
my @first  = generate($user, $batch, 'Idempotency-Key' => 'k-2', Prefer => 'respond-async');
my @second = generate($user, $batch, 'Idempotency-Key' => '"k-2 2"', Prefer => 'respond-async');
is $_->{status}, 202, 'a batch is taken' for @first, @second;
wait_for { !sql("SELECT job_id FROM genflow.work WHERE user_id = genflow.account_of(:'user')", user => $user) };
is rows_of($user, 'public.neo_glitch_media', "prompt LIKE '%a batch of%'"), 4,
    'a quoted key with a blank names nothing of the batch of another key';
is submissions("a batch of $user"), 4, '... and each is sent once';
for my $bad ('"k', '""', '"k"x', '"a\\b"', '"' . 'k' x 256 . '"', 'two words') {
    is generate($user, $quoted, 'Idempotency-Key' => $bad)->{status}, 422, substr("$bad is no key", 0, 40);
}

my $tag = "again with an Idempotency-Key of $user";
my $type = generate($user, { prompt => $tag, type => 'sketch' }, 'Idempotency-Key' => 'a-key');
error_is($type, 422, 'IDEMPOTENCY_MISMATCH', 'the same body for another type is another body');

my ($one, $two) = map { data(generate($_, {}, 'Idempotency-Key' => 'shared')) } $user, account(1);
isnt $one->{id}, $two->{id}, 'the same key of two users makes two generations';

my $poor = account(0);
is generate($poor, {}, 'Idempotency-Key' => 'early')->{status}, 402, 'a refused call';
grant($poor, 1);
is generate($poor, {}, 'Idempotency-Key' => 'early')->{status}, 200, 'does not use up its key';
is generate($poor, {}, 'Idempotency-Key' => 'early')->{status}, 200,
    'and what it made is the answer also when the credits are gone';

# ---- while it runs ----

my @slow = ($user, { prompt => "a cat {{gate=$user}}" }, 'Idempotency-Key' => 'slow');
my $id   = data(generate(@slow, Prefer => 'respond-async'))->{id};
my $wait = generate(@slow);
error_is($wait, 409, $IN_PROGRESS, 'a call repeated while the first runs is refused');
like $wait->{headers}{'retry-after'}, qr/\A[1-9]\d*\z/, 'and when to come back';
is data($wait)->{pollUrl}, "/api/neo-glitch/status?id=$id", 'and where to look meanwhile';
open_gate($user);
wait_for { status_of($user, $id)->{status} eq 'completed' };
is_deeply [@{ data(generate(@slow)) }{qw(id status)}], [$id, 'completed'],
    'when it is completed, the call gets it';

# ---- a failure ----

expect_log('GF0203');
my $bad  = "refused of $user";
my @fail = ($user, { prompt => "$bad {{status=400 times=1}}" }, 'Idempotency-Key' => 'fail');
my ($failed, $again) = map { generate(@fail) } 1, 2;
error_is($again, 500, 'GENERATION_FAILED', 'a failure is the answer again');
my @why = qw(id errorCode causeCode refunded);
is_deeply [@{ data($again) }{@why}], [@{ data($failed) }{@why}], 'the very same';
is submissions($bad), 1, 'it is not retried';

# ---- all at once ----

my @WAYS = (    # what, members of the body, headers
    ['one key',    {},                  { 'Idempotency-Key' => 'crowd' }],
    ['one run id', { runId => 'crowd' }, {}],
);
for my $way (@WAYS) {
    my ($what, $members, $headers) = @$way;
    my $prompt = "the crowd with $what of $user {{delay=300}}";
    my ($balance) = @{ credits($user) };
    my @answers = in_parallel(50, sub {
        my $res  = generate($user, { %$members, prompt => $prompt }, %$headers);
        my $reply = data($res);
        return { status => $res->{status}, code => $reply->{code}, id => $reply->{generationId} };
    }, 50);
    my @made = grep { $_->{status} == 200 } @answers;
    my @running = grep { $_->{status} == 409 && $_->{code} eq $IN_PROGRESS } @answers;
    my %ids  = map { ($_->{id} // 'none') => 1 } @answers;
    ok @made >= 1, "of 50 calls at once with $what at least one gets the picture";
    is @made + @running, 50, 'and every other gets it too or hears that it is being made';
    is keys %ids, 1, 'all hear of the same generation';
    is submissions($prompt), 1, 'the provider got one submission';
    credits_are $user, $balance - 1, 0, 'and one credit was taken';
}

finish;
