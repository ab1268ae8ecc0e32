#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Replicate: predictions are created and polled. One whose answer was lost is found in the list
# by its seed and gone on with; one that is not there was never taken, and is sent again.
use Genflow::Cases;
use Genflow::Test;

expect_log qw(GF0201 GF0203 GF0205 GF0206 GF0403 GF0407);

run_cases(type => 'echo-replicate', id => 'provider_ref', cases => [
    cases_of_queues(),
    # script, errorCode and causeCode, how each submission ended, the test's name
    ['', '', 'completed', 'a prediction'],
    ['plain poll=1', '', 'completed', 'one output in place of a list'],
    ['poll=1 poll-status=429', '', 'completed', 'a question too many'],
    ['at-once', '', 'completed', 'a prediction that is over in its first answer'],
    ['at-once failed=broken', 'API_ERROR', 'API_ERROR', 'one that has failed in it'],
    ['failed=broken', 'API_ERROR', 'API_ERROR', 'a failed prediction'],
    ['failed=E1000 times=1', '', 'API_ERROR completed', 'one that failed in passing'],
    ['aborted times=1', '', 'TIMEOUT completed', 'one that never started'],
    ['status=402', 'API_ERROR', 'API_ERROR', '402'],
    ['status=422', 'API_ERROR', 'API_ERROR', '422'],
    ['cut-before untaken times=1', '', 'NETWORK_ERROR completed', 'a request that was never taken'],
    ['gateway=envoy-503-none untaken times=1', '', 'NETWORK_ERROR completed', 'a gateway that had nobody to ask'],
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
