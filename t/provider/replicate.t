#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Replicate: predictions are created and polled. One whose answer was lost is found in the list
# by its seed and gone on with; one that is not there was never taken, and is sent again.
use Genflow::Cases;
use Genflow::Test;

expect_log qw(GF0201 GF0203 GF0205 GF0206 GF0403 GF0407);

run_cases(type => 'echo-replicate', id => 'provider_ref', cases => [
    # script, errorCode and causeCode, how each submission ended, the test's name
    ['', '', 'completed', 'a prediction'],
    ['plain poll=1', '', 'completed', 'one output in place of a list'],
    ['poll=3', '', 'completed', 'a prediction that takes its time'],
    ['poll=1 poll-status=500', '', 'completed', 'a question that fails'],
    ['poll=1 poll-status=429', '', 'completed', 'a question too many'],
    ['at-once', '', 'completed', 'a prediction that is over in its first answer'],
    ['at-once failed=broken', 'API_ERROR', 'API_ERROR', 'one that has failed in it'],
    ['datauri', '', 'completed', 'a data: URI'],
    ['nsfw', 'CONTENT_FILTERED', 'CONTENT_FILTERED', 'a refused output'],
    ['empty', 'EMPTY_RESULT', 'EMPTY_RESULT', 'no output'],
    ['failed=broken', 'API_ERROR', 'API_ERROR', 'a failed prediction'],
    ['failed=E1000 times=1', '', 'API_ERROR completed', 'one that failed in passing'],
    ['aborted times=1', '', 'TIMEOUT completed', 'one that never started'],
    ['poll-hang', 'TIMEOUT', 'TIMEOUT', 'one that never ends'],
    ['status=401', 'API_ERROR', 'API_ERROR', '401'],
    ['status=402', 'API_ERROR', 'API_ERROR', '402'],
    ['status=404', 'API_ERROR', 'API_ERROR', '404, an unknown model'],
    ['status=422', 'API_ERROR', 'API_ERROR', '422'],
    ['status=429 retry-after=1 times=1 untaken', '', 'RATE_LIMIT completed', '429, then a picture'],
    ['status=500 times=1 untaken', '', 'API_ERROR completed', '500, then a picture'],
    ['status=503 untaken', 'MAX_RETRIES_EXCEEDED API_ERROR',
        'API_ERROR API_ERROR API_ERROR MAX_RETRIES_EXCEEDED', '503 for ever'],
    ['cut-before', '', 'completed', 'a lost answer: found again'],
    ['cut-before poll=2', '', 'completed', 'a lost answer: found while it works'],
    ['cut-after', '', 'completed', 'an answer cut in the middle: found again'],
    ['half', '', 'completed', 'half an answer: found again'],
    ['cut-before untaken times=1', '', 'NETWORK_ERROR completed', 'a request that was never taken'],
    ['hang untaken times=1', '', 'NETWORK_ERROR completed', 'never answered, and never taken'],
]);

is_deeply [map { cancels($_) } "{{poll-hang}} [replicate-$$-", "[replicate-$$-"], [1, 1],
    'only the one that never ends is cancelled';

my $user = account(10);
my $id   = later($user, { type => 'echo-replicate', prompt => "{{at-once result=slow}} [$user]" });
my $seen = wait_for {
    my $job = status_of($user, $id, 'echo-replicate');
    ($job->{replicateId} || $job->{finishedAt}) && $job;
};
is $seen->{status}, 'processing', 'before the picture is fetched the row knows the prediction';
is ended($user, $id, 'echo-replicate')->{status}, 'completed', '... and then completes';

finish;
