#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Every way in which Stability can answer, or not: the client's response, its cost, how often
# the request was sent, what the row says, and that a failure leaves no file. Where the table has no
# errorCode, the generation completes.
use Genflow::Test;

my $RETRIED = 'API_ERROR completed';
my $TOO_BIG = 'big=' . (50 * 1024 * 1024 + 1);

my @CASES = (
    # script, errorCode, causeCode, how each submission ended, the test's name
    ['', '', '', 'completed', 'a picture'],
    ['delay=300', '', '', 'completed', 'a slow picture'],
    ['big=3000000', '', '', 'completed', 'a large picture'],
    ['poll=3', '', '', 'completed', 'an id, later a picture'],
    ['poll=1 poll-status=500', '', '', 'completed', 'an id, and a question that fails'],
    ['poll=1 poll-status=429', '', '', 'completed', 'an id, and a question too many'],
    ['status=429 retry-after=1 times=1', '', '', 'RATE_LIMIT completed', '429, then a picture'],
    ['status=500 times=1', '', '', $RETRIED, '500, then a picture'],
    ['status=502 times=1', '', '', $RETRIED, '502, then a picture'],
    ['status=503 times=1 retry-after=1', '', '', $RETRIED, '503, then a picture'],
    ['status=504 times=2', '', '', "API_ERROR $RETRIED", '504 twice, then a picture'],
    ['status=503', 'MAX_RETRIES_EXCEEDED', 'API_ERROR',
        'API_ERROR API_ERROR API_ERROR MAX_RETRIES_EXCEEDED', '503 for ever'],
    ['filter', 'CONTENT_FILTERED', '', 'CONTENT_FILTERED', 'a blurred picture'],
    ['moderation', 'CONTENT_FILTERED', '', 'CONTENT_FILTERED', '403 of moderation'],
    ['status=400', 'API_ERROR', '', 'API_ERROR', '400'],
    ['status=413', 'API_ERROR', '', 'API_ERROR', '413'],
    ['status=422', 'API_ERROR', '', 'API_ERROR', '422'],
    ['status=401', 'API_ERROR', '', 'API_ERROR', '401'],
    ['payment', 'API_ERROR', '', 'API_ERROR', '402'],
    ['denied', 'API_ERROR', '', 'API_ERROR', '403 of permissions'],
    ['empty', 'EMPTY_RESULT', '', 'EMPTY_RESULT', 'a picture without bytes'],
    ['html', 'NETWORK_ERROR', '', 'NETWORK_ERROR', 'a page of somebody in between'],
    ['redirect', 'NETWORK_ERROR', '', 'NETWORK_ERROR', 'a redirect'],
    ['json-error', 'NETWORK_ERROR', '', 'NETWORK_ERROR', 'broken JSON'],
    ['garbage', 'API_ERROR', '', 'API_ERROR', 'bytes that are no picture'],
    ['huge-image', 'API_ERROR', '', 'API_ERROR', 'a picture of too many pixels'],
    [$TOO_BIG, 'API_ERROR', '', 'API_ERROR', 'a picture of too many bytes'],
    ['half', 'NETWORK_ERROR', '', 'NETWORK_ERROR', 'half a picture'],
    ['drip', 'TIMEOUT', '', 'TIMEOUT', 'a picture that never gets ready'],
    ['poll-lost', 'API_ERROR', '', 'API_ERROR', 'an id that is forgotten'],
    ['poll-filter', 'CONTENT_FILTERED', '', 'CONTENT_FILTERED', 'an id, later a blurred picture'],
    ['poll-hang', 'TIMEOUT', '', 'TIMEOUT', 'an id, and nothing more'],
);
my %SOUNDS_ALARM = map { $_ => 1 } '401', '402', '403 of permissions';

expect_log qw(GF0201 GF0202 GF0203 GF0205 GF0206 GF0210 GF0403);

my @users = map { account(10) } @CASES;
my @done  = in_parallel(scalar @CASES, sub {
    my ($i) = @_;
    my $res = generate($users[$i], { type => type_of($CASES[$i][1]), prompt => "{{$CASES[$i][0]}} [$users[$i]]" },
        Prefer => 'wait=60');
    return { status => $res->{status}, body => data($res) };
}, 16);

my $log = log_since(0);
for my $i (0 .. $#CASES) {
    my ($script, $error, $cause, $sent, $name) = @{ $CASES[$i] };
    my ($status, $body) = @{ $done[$i] }{qw(status body)};
    my $id = $body->{id};
    is_deeply [$status, $body->{errorCode} // '', $body->{causeCode} // ''],
        [$error ? 500 : 200, $error, $cause], "$name: " . ($error || 'completed');
    credits_are $users[$i], $error ? 10 : 9, 0, '... costs ' . ($error ? 'nothing' : 'one credit');
    is submissions("[$users[$i]]"), scalar(split / /, $sent), '... is sent so often';
    is attempts($id), $sent, '... and each attempt is on record';
    is row($id, $error), row_should_be(split(/ /, $sent) - 1, $error, $script), '... and the row says it';
    is files($id), $error ? '' : 'picture', '... and leaves ' . ($error ? 'no file' : 'a picture');
    my @alarms = grep { /\bGF0403\b/ && /\Q$id\E/ } split /\n/, $log;
    is scalar @alarms, $SOUNDS_ALARM{$name} ? 1 : 0, '... and calls an operator only for the key';
}
unlike $log, qr/$ENV{STABILITY_API_KEY}/, 'the key is in no line of the log';

# A provider that does not answer is waited for by a type of its own.
sub type_of { return $_[0] eq 'TIMEOUT' ? 'impatient' : 'neo-glitch' }

sub attempts {
    my ($id) = @_;
    return sql1("SELECT string_agg(outcome, ' ' ORDER BY no) FROM genflow.attempts"
        . " WHERE job_id = :'id'", id => $id);
}

# The parts of a media row that depend on what the provider did.
sub row {
    my ($id, $error) = @_;
    my $media = 'public.' . (type_of($error) =~ tr/-/_/r) . '_media';
    return sql1(<<"SQL", id => $id);
        SELECT status, provider, model, retry_count, error_code, provider_ref IS NOT NULL,
               persisted, result IS NOT NULL, finished_at >= started_at
          FROM $media WHERE id = :'id'
SQL
}

sub row_should_be {
    my ($retries, $error, $script) = @_;
    my $end = $error ? 'failed' : 'completed';
    my $has_id  = $script =~ /\bpoll/ ? 't' : 'f';
    my $persisted = $error ? '' : 't';
    my $result    = $error ? 'f' : 't';
    my $provider  = $error eq 'TIMEOUT' ? 'impatient' : 'stability';
    return "$end|$provider|sd3|$retries|$error|$has_id|$persisted|$result|t";
}

sub files {
    my ($id) = @_;
    my $store = "$ENV{GENFLOW_WORK}/store";
    return join ' ', (map { 'picture' } glob "$store/*/*/$id*"),
        (map { 'spool' } glob "$store/.spool/$id*");
}

finish;
