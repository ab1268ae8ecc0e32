#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Pictures that a provider names by address: fetched without its key, only from public or allowed
# hosts, also behind redirects, and within the limits of the store. What passes is retried: that
# costs nothing.
use Genflow::Cases;
use Genflow::Test;

expect_log qw(GF0206 GF0210);

my $mark = log_mark();
run_cases(type => 'echo-fal', id => 'provider_ref', cases => [
    # script, errorCode and causeCode, how each submission ended, the test's name
    ['result=ok', '', 'completed', 'a picture by address'],
    ['result=slow', '', 'completed', 'one that comes slowly'],
    ['result=moved', '', 'completed', 'one that moved'],
    ['result=flaky', '', 'completed', 'one that is not there yet'],
    ['result=cut', '', 'completed', 'one that was cut'],
    ['result=gone', 'API_ERROR', 'API_ERROR', 'one that is gone'],
    ['result=empty', 'EMPTY_RESULT', 'EMPTY_RESULT', 'one without a byte'],
    ['result=garbage', 'API_ERROR', 'API_ERROR', 'one that is no picture'],
    ['result=big', 'API_ERROR', 'API_ERROR', 'one of too many bytes'],
    ['result=private', 'API_ERROR', 'API_ERROR', 'one at a private address'],
    ['result=moved-private', 'API_ERROR', 'API_ERROR', 'one that moved to a private address'],
    ['result=loop', 'API_ERROR', 'API_ERROR', 'one that moves for ever'],
    ['result=file', 'API_ERROR', 'API_ERROR', 'one in a file of ours'],
]);
my $refused = () = log_since($mark) =~ /the address is not public/g;
cmp_ok $refused, '>=', 2, 'the log says why private addresses were refused';

# A source picture and the result may each have moved as often as an address may.
my $user = account(10);
my $res  = generate($user, {
    type => 'openai-source', prompt => "{{url result=moved}} [$user]",
    sourceUrl => "$ENV{GENFLOW_FAKE}/_source/thrice/$$",
}, Prefer => 'wait=60');
is $res->{status}, 200, 'a source that moved three times, and a result that moved once';

finish;
