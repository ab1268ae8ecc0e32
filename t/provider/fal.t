#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# fal: requests are queued and polled, and their results fetched. One whose answer was lost is found
# in the list by its seed and gone on with; one that is not there may still wait, and fails.
use Genflow::Cases;
use Genflow::Test;

expect_log qw(GF0201 GF0203 GF0205 GF0206 GF0403 GF0407);

run_cases(type => 'echo-fal', id => 'provider_ref', cases => [
    cases_of_queues(),
    # script, errorCode and causeCode, how each submission ended, the test's name
    ['', '', 'completed', 'a request'],
    ['single', '', 'completed', 'one picture in place of a list'],
    ['poll=1 poll-status=404', '', 'completed', 'a question that is not understood'],
    ['failed=422,content_policy_violation', 'CONTENT_FILTERED', 'CONTENT_FILTERED', 'refused'],
    ['failed=422,image_too_small', 'API_ERROR', 'API_ERROR', 'a model that says no'],
    ['failed=422,no_media_generated', 'EMPTY_RESULT', 'EMPTY_RESULT', 'a model without a picture'],
    ['failed=500,internal_server_error times=1', '', 'API_ERROR completed', 'a model that broke'],
    ['status=403', 'API_ERROR', 'API_ERROR', '403, locked'],
    ['status=422 type=missing', 'API_ERROR', 'API_ERROR', '422'],
    ['cut-before untaken', 'TIMEOUT', 'TIMEOUT', 'a request that may still be queued'],
    ['hang', 'TIMEOUT', 'TIMEOUT', 'never answered'],
]);

is_deeply [map { cancels($_) } "{{poll-hang}} [fal-$$-", "[fal-$$-"], [1, 1],
    'only the one that never ends is cancelled';

finish;
