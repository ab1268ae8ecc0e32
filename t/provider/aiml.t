#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# AIML API: pictures at once, by address or in base64. Its log shows whether a lost request was
# paid; only one that it calls failed is sent again.
use Genflow::Cases;
use Genflow::Test;

expect_log qw(GF0201 GF0202 GF0203 GF0205 GF0206 GF0403 GF0407);

run_cases(type => 'echo-aiml', cases => [
    # script, errorCode and causeCode, how each submission ended, the test's name
    ['', '', 'completed', 'images by address'],
    ['data', '', 'completed', 'data by address'],
    ['b64', '', 'completed', 'data in base64'],
    ['datauri', '', 'completed', 'a data: URI'],
    ['delay=300', '', 'completed', 'a slow answer'],
    ['nsfw', 'CONTENT_FILTERED', 'CONTENT_FILTERED', 'a marked picture'],
    ['empty', 'EMPTY_RESULT', 'EMPTY_RESULT', 'an answer without a picture'],
    ['html', 'NETWORK_ERROR', 'NETWORK_ERROR', 'a page of somebody in between'],
    ['status=400', 'API_ERROR', 'API_ERROR', '400'],
    ['status=401', 'API_ERROR', 'API_ERROR', '401'],
    ['status=403', 'API_ERROR', 'API_ERROR', '403, out of credits'],
    ['status=404', 'API_ERROR', 'API_ERROR', '404, an unknown model'],
    ['status=429 retry-after=1 times=1', '', 'RATE_LIMIT completed', '429, then a picture'],
    ['status=500 times=1', '', 'API_ERROR completed', '500, then a picture'],
    ['status=504 times=2', '', 'API_ERROR API_ERROR completed', '504 twice, then a picture'],
    ['status=503', 'MAX_RETRIES_EXCEEDED API_ERROR',
        'API_ERROR API_ERROR API_ERROR MAX_RETRIES_EXCEEDED', '503 for ever'],
    ['cut-before', 'NETWORK_ERROR', 'NETWORK_ERROR', 'a lost answer, paid'],
    ['cut-before untaken', 'TIMEOUT', 'TIMEOUT', 'a lost answer that the log does not know'],
    ['cut-before failed times=1', '', 'API_ERROR completed', 'a lost answer, failed in the log'],
    ['cut-after', 'NETWORK_ERROR', 'NETWORK_ERROR', 'an answer cut in the middle'],
    ['half', 'NETWORK_ERROR', 'NETWORK_ERROR', 'half an answer'],
    ['hang', 'TIMEOUT', 'TIMEOUT', 'never answered'],
]);

finish;
