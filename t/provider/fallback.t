#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The next entry of a chain is used when one has failed, and only then: not when it was
# filtered, not when it answered with nothing or with something odd, not when it is unknown what it
# did. The picture costs the same from any provider.
use Genflow::Test;

my $TOO_BIG = 'big=' . (50 * 1024 * 1024 + 1);

my @CASES = (
    # script, provider or errorCode, times sent, the test's name
    ['',                               'stability',        1, 'a picture of the first'],
    ['status=503 times=1',             'stability',        2, 'a picture of the first, in the end'],
    ['poll=1',                         'stability',        1, 'a picture of the first, later'],
    ['status=503',                     'local',            4, 'all retries used up'],
    ['status=400',                     'local',            1, 'refused'],
    ['status=422',                     'local',            1, 'refused as not understood'],
    ['payment',                        'local',            1, 'our account is empty there'],
    ['poll-lost',                      'local',            1, 'its id is forgotten'],
    ['filter',                         'CONTENT_FILTERED', 1, 'a filtered picture'],
    ['moderation',                     'CONTENT_FILTERED', 1, 'a filtered prompt'],
    ['poll-filter',                    'CONTENT_FILTERED', 1, 'a picture filtered later'],
    ['empty',                          'EMPTY_RESULT',     1, 'no bytes'],
    ['html',                           'NETWORK_ERROR',    1, 'a page'],
    ['json-error',                     'NETWORK_ERROR',    1, 'half a JSON text'],
    ['gateway=nginx-504',              'NETWORK_ERROR',    1, 'a gateway\'s time is over'],
    ['gateway=nginx-403',              'NETWORK_ERROR',    1, 'a gateway refuses'],
    ['gateway=cloudflare-1015-html',   'NETWORK_ERROR',    1, 'a gateway has too many requests'],
    ['garbage',                        'API_ERROR',        1, 'bytes that are no picture'],
    ['huge-image',                     'API_ERROR',        1, 'too many pixels'],
    [$TOO_BIG,                         'API_ERROR',        1, 'too many bytes'],
    ['cut-before',                     'NETWORK_ERROR',    1, 'no answer'],
    ['half',                           'NETWORK_ERROR',    1, 'half an answer'],
    ['hang',                           'TIMEOUT',          1, 'no answer in time'],
    ['poll-hang',                      'TIMEOUT',          1, 'no picture in time'],
);

expect_log qw(GF0201 GF0202 GF0206 GF0210 GF0403);

my @users = map { account(10) } @CASES;
my @done  = in_parallel(scalar @CASES, sub {
    my ($i) = @_;
    my $type = $CASES[$i][1] eq 'TIMEOUT' ? 'impatient-relay' : 'relay';
    my $res = generate($users[$i], { type => $type, prompt => "{{$CASES[$i][0]}} [$users[$i]]" },
        Prefer => 'wait=60');
    return status_of($users[$i], data($res)->{id}, $type);
}, 12);

for my $i (0 .. $#CASES) {
    my (undef, $end, $sent, $name) = @{ $CASES[$i] };
    my $job  = $done[$i];
    my $fell = $end eq 'local';
    if ($end =~ /\A[a-z]/) {
        is $job->{status}, 'completed', "$name: completed";
        is $job->{provider}, $end, "... by $end";
        is !!$job->{fallbackUsed}, $fell, '... and the answer says whether that is a fallback';
        is picture_type($job->{imageUrl}), 'image/png', '... with a picture';
        credits_are $users[$i], 8, 0, '... for the price of one';
    }
    else {
        is $job->{errorCode}, $end, "$name: no fallback, $end";
        is $job->{provider}, $end eq 'TIMEOUT' ? 'impatient' : 'stability', '... of the first provider';
        ok !$job->{fallbackUsed}, '... and the answer says so';
        credits_are $users[$i], 10, 0, '... for nothing';
    }
    is sql1("SELECT count(*) FROM genflow.attempts WHERE job_id = :'id' AND outcome = 'completed'",
        id => $job->{id}), $end eq 'stability' ? 1 : 0, '... which only its maker\'s attempt is on record for';
    is submissions("[$users[$i]]"), $sent, "... after $sent submissions";
}

sub picture_type {
    my ($url) = @_;
    return 'none' if !$url;
    my $base = base();
    $url =~ s/\A\Q$base\E//;
    my $res = api(GET => $url);
    return $res->{success} ? $res->{headers}{'content-type'} : "HTTP $res->{status}";
}

finish;
