#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# One call may request up to ten pictures: each is a generation of its own with its own hold, charge
# and end, seed and run id. They are made all or none, and once under one key.
use Genflow::Test;
use Genflow::TwoStep;

expect_log('GF0203');
my $user = account(100);

# ---- all well ----

my $tag = "the litter of $user";
my $res = generate($user, { prompt => $tag, n => 3, runId => 'litter', seed => 4_294_967_293 });
my $all = data($res)->{batch};
is $res->{status}, 200, 'three pictures are made in one call';
is_deeply [map { $_->{status} } @$all], [('completed') x 3], 'each is completed';
is_deeply [map { $_->{runId} } @$all], [map { "litter-$_" } 1 .. 3], 'each has its own run id';
is_deeply [map { $_->{seed} } @$all], [4_294_967_293, 4_294_967_294, 1], 'and its own seed';
is scalar(uniq(map { $_->{imageUrl} } @$all)), 3, 'and its own picture';
is submissions($tag), 3, 'each was drawn once';
credits_are $user, 97, 0, 'each was charged';
is_deeply [sort map { $_->{kind} } ledger($all)], [('capture') x 3, ('hold') x 3],
    'by a hold and a charge of its own';
my %seen = map { %$_ } map { { $_->{id} => 1 } } map { status_of($user, $_->{id}) } @$all;
is_deeply [sort keys %seen], [sort map { $_->{id} } @$all], 'each can be looked at';

my $four = data(one_step($user, { type => 'neo-glitch', productImages => [$IMAGE],
    customPrompt => "four of $user", numberOfImages => 4 }))->{batch};
is_deeply [map { $_->{status} } @$four], [('completed') x 4], 'the old body does it, too';
is scalar(uniq(map { $_->{seed} } @$four)), 4, 'with seeds that differ';
is scalar(grep { $_->{runId} ne $_->{id} } @$four), 0, 'and its ids as run ids';
is data(generate($user, { n => 1 }))->{status}, 'completed', 'a batch of one is no batch';

# ---- each its own end ----

my $mixed = generate($user, { prompt => "mixed of $user {{status=400 times=1}}", n => 3 });
my @ends  = sort map { $_->{status} } @{ data($mixed)->{batch} };
is_deeply [$mixed->{status}, @ends], [200, 'completed', 'completed', 'failed'],
    'one that fails leaves the others alone';
my ($failed) = grep { $_->{status} eq 'failed' } @{ data($mixed)->{batch} };
is_deeply [@$failed{qw(errorCode tokensUsed)}], ['API_ERROR', 0], 'and says why';
credits_are $user, 90, 0, 'two are charged';

my $slow = generate($user, { prompt => "slow of $user {{gate=$user}}", n => 2 },
    Prefer => 'respond-async');
is_deeply [$slow->{status}, map { $_->{status} } @{ data($slow)->{batch} }],
    [202, 'processing', 'processing'], 'who does not wait hears that they run';
like $slow->{headers}{'retry-after'}, qr/\A[1-9]/, 'and when to come back';
ok $_->{pollUrl}, 'each can be followed' for @{ data($slow)->{batch} };
credits_are $user, 90, 2, 'each holds its credit';
open_gate($user);

# ---- once under one key ----

my @request   = ($user, { prompt => "again of $user", n => 2 }, 'Idempotency-Key' => 'batch');
my @calls = map { generate(@request) } 1, 2;
my @ids   = map { [map { $_->{id} } @{ data($_)->{batch} }] } @calls;
is_deeply $ids[1], $ids[0], 'a repeated call gets the same generations';
is $calls[1]{headers}{'idempotency-replayed'}, 'true', 'as a replay';
is submissions("again of $user"), 2, 'each drawn once';
error_is(generate($user, { prompt => "again of $user", n => 3 }, 'Idempotency-Key' => 'batch'), 422,
    'IDEMPOTENCY_MISMATCH', 'another number of them is another body');
error_is(generate($user, { prompt => "again of $user" }, 'Idempotency-Key' => 'batch'), 422,
    'IDEMPOTENCY_MISMATCH', 'and so is one');
# The janitor removes keys one by one: the request may come again when some of them are gone.
for my $gone (0, 1) {
    my $tag  = "keys $gone of $user";
    my @part = ($user, { prompt => $tag, n => 2 }, 'Idempotency-Key' => "part-$gone");
    my @made = map { $_->{id} } @{ data(generate(@part))->{batch} };
    sql("DELETE FROM genflow.idempotency_keys WHERE job_id = :'id'", id => $made[$gone]);
    my $answer = generate(@part);
    my @now    = @{ data($answer)->{batch} };
    is $now[!$gone]{id}, $made[!$gone], 'a generation whose key is there is the same, if the key of another is gone';
    isnt $now[$gone]{id}, $made[$gone], '... which is made anew';
    is_deeply [$answer->{status}, map { $_->{status} } @now], [200, 'completed', 'completed'], '... and the response has both';
    is submissions($tag), 3, '... each was drawn once';
}

my $running = generate($user, { prompt => "slow of $user {{gate=$user-run}}", n => 2, runId => 'r' },
    Prefer => 'respond-async');
error_is(generate($user, { prompt => "slow of $user {{gate=$user-run}}", n => 2, runId => 'r' }), 409,
    'IDEMPOTENCY_IN_PROGRESS', 'while they run, a repeated call hears that');
open_gate("$user-run");
my @crowd = in_parallel(20, sub {
    my $reply = data(generate($user, { prompt => "crowd of $user {{delay=200}}", n => 3 },
        'Idempotency-Key' => 'crowd'));
    return $reply->{batch} ? join ' ', map { $_->{id} } @{ $reply->{batch} } : $reply->{code};
}, 20);
is scalar(uniq(grep { $_ ne 'IDEMPOTENCY_IN_PROGRESS' } @crowd)), 1,
    'of 20 equal calls at once one makes them';
is submissions("crowd of $user"), 3, 'once each';

# ---- all or none ----

my $short = account(4);
my $no    = generate($short, { prompt => "none of $short", n => 5 });
error_is($no, 402, 'INSUFFICIENT_CREDITS', 'where the credits do not suffice for all, none is made');
is_deeply [@{ data($no) }{qw(currentBalance requiredCredits shortfall)}], [4, 5, 1],
    'and the response has the price of all';
credits_are $short, 4, 0, 'nothing is held';
is_deeply [map { scalar sql("SELECT 1 FROM $_ WHERE user_id = genflow.account_of(:'user')", user => $short) }
    qw(genflow.work public.neo_glitch_media genflow.idempotency_keys)], [0, 0, 0], 'no row is left';
my @race = in_parallel(4, sub {
    generate($short, { prompt => "race of $short $_[0]", n => 3 })->{status};
}, 4);
is_deeply [sort @race], [200, 402, 402, 402], 'of calls that could not all be paid one is taken whole';
credits_are $short, 1, 0, 'and paid';
sql("UPDATE genflow.accounts SET day_limit = 5 WHERE name = :'user'", user => $short);
grant($short, 10);
error_is(generate($short, { n => 3 }), 429, 'QUOTA_EXCEEDED', 'nor are some made within a quota');
credits_are $short, 11, 0, 'nothing is held for them';
my $price = data(api(POST => '/api/sketch/generate?dryRun=1', user => $short,
    json => { prompt => 'a cat', n => 5 }));
is $price->{estimatedCost}, 10, 'a dry run returns the price of all';

# ---- bad ones ----

for my $n (0, 11, -1, 1.5, '2', [], 1e3) {
    error_is(generate($user, { n => $n }), 422, 'VALIDATION_FAILED', "$n is no number of pictures");
}
error_is(generate($user, { n => 2, runId => 'x' x 198 }), 422, 'VALIDATION_FAILED',
    'a run id leaves room for the number');
ok wait_for(sub { credits($user)->[1] == 0 }), 'all come to their end';

finish;

sub uniq { my %count = map { $_ => 1 } @_; return keys %count }

# Kind of each ledger row of these generations.
sub ledger {
    my ($batch) = @_;
    return map { { kind => $_ } }
        map { sql("SELECT kind FROM genflow.ledger WHERE ref = :'id'", id => $_->{id}) } @$batch;
}
