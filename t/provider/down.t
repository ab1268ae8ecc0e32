#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A provider that cannot be reached got no request: the generation is retried, each time after
# a longer wait, as often as the client allows, then it fails, says why, and costs nothing.
use Genflow::Test;

my @CASES = (
    # maxRetries (nothing: the type's own), attempts, the test's name
    [undef, 4, 'without a word about retries'],
    [3,     4, 'with three retries'],
    [1,     2, 'with one retry'],
    [0,     1, 'without retries'],
);
my @WAITS = (0.05, 0.1, 0.2);          # GenflowProviderBackoff, doubling up to its maximum
my $SLACK = 3;                         # seconds that a wait may take longer, on a busy machine

expect_log 'GF0205';

for my $case (@CASES) {
    my ($retries, $tries, $name) = @$case;
    my $user  = account(10);
    my $input = { type => 'stray', prompt => "unreachable [$user]" };
    $input->{maxRetries} = $retries if defined $retries;
    my $res = generate($user, $input);
    my $job = data($res);
    error_is $res, 500, 'GENERATION_FAILED', "$name the generation fails";
    is_deeply [@$job{qw(errorCode causeCode)}], ['MAX_RETRIES_EXCEEDED', 'NETWORK_ERROR'],
        '... and says what happened and why';
    is $job->{refunded}, JSON::PP::true(), '... and that nothing was charged';
    credits_are $user, 10, 0, '... which is so';

    my $row = status_of($user, $job->{id}, 'stray');
    is_deeply [@$row{qw(status retryCount maxRetries)}], ['failed', $tries - 1, $retries // 3],
        '... after its retries';
    my @tries = sql("SELECT outcome, extract(epoch FROM sent_at) FROM genflow.attempts"
        . " WHERE job_id = :'id' ORDER BY no", id => $job->{id});
    is scalar @tries, $tries, "... so it had $tries attempts";
    like $_, qr/\A(?:NETWORK_ERROR|MAX_RETRIES_EXCEEDED)\|/, '... each ending is on record'
        for @tries;
    my @at = map { (split /\|/)[1] } @tries;
    for my $i (1 .. $#at) {
        my $wait = $at[$i] - $at[$i - 1];
        ok $wait >= $WAITS[$i - 1] && $wait < $WAITS[$i - 1] + $SLACK,
            "... wait $i is $WAITS[$i - 1] s or a little more" or diag "it was $wait s";
    }
    is submissions("[$user]"), 0, '... and nothing was submitted to anybody';
}

# The client sees that it goes on.
my $user = account(10);
my $job  = data(generate($user, { type => 'stray' }, Prefer => 'respond-async'));
is $job->{status}, 'processing', 'a generation that is retried is processing';
my $end = wait_for { my $row = status_of($user, $job->{id}, 'stray'); $row->{finishedAt} && $row };
is $end->{errorCode}, 'MAX_RETRIES_EXCEEDED', '... until it has failed';

finish;
