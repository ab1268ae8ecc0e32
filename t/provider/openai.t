#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# OpenAI's images: base64 or an address, at once. There is no list: what was sent and not answered
# is not sent again.
use Genflow::Cases;
use Genflow::Test;

expect_log qw(GF0201 GF0202 GF0203 GF0205 GF0206 GF0210 GF0403 GF0407);

run_cases(type => 'echo-openai', cases => [
    # script, errorCode and causeCode, how each submission ended, the test's name
    ['', '', 'completed', 'base64'],
    ['url', '', 'completed', 'an address'],
    ['datauri', '', 'completed', 'a data: URI'],
    ['delay=300', '', 'completed', 'a slow answer'],
    ['status=400 type=moderation_blocked', 'CONTENT_FILTERED', 'CONTENT_FILTERED', 'refused'],
    ['status=400 type=content_policy_violation', 'CONTENT_FILTERED', 'CONTENT_FILTERED',
        'refused in other words'],
    ['empty', 'EMPTY_RESULT', 'EMPTY_RESULT', 'an answer without a picture'],
    ['garbage', 'API_ERROR', 'API_ERROR', 'base64 of something else'],
    ['html', 'NETWORK_ERROR', 'NETWORK_ERROR', 'a page of somebody in between'],
    ['status=400', 'API_ERROR', 'API_ERROR', '400'],
    ['status=401', 'API_ERROR', 'API_ERROR', '401'],
    ['status=404 type=model_not_found', 'API_ERROR', 'API_ERROR', 'an unknown model'],
    ['status=429 type=insufficient_quota', 'API_ERROR', 'API_ERROR', 'no credit'],
    ['status=429 retry-after=1 times=1', '', 'RATE_LIMIT completed', '429, then a picture'],
    ['status=500 times=1', '', 'API_ERROR completed', '500, then a picture'],
    ['status=503', 'MAX_RETRIES_EXCEEDED API_ERROR',
        'API_ERROR API_ERROR API_ERROR MAX_RETRIES_EXCEEDED', '503 for ever'],
    ['cut-before', 'NETWORK_ERROR', 'NETWORK_ERROR', 'a lost answer'],
    ['cut-after', 'NETWORK_ERROR', 'NETWORK_ERROR', 'an answer cut in the middle'],
    ['half', 'NETWORK_ERROR', 'NETWORK_ERROR', 'half an answer'],
    ['hang', 'TIMEOUT', 'TIMEOUT', 'never answered'],
]);

finish;
