#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A reservation is given back by its owner, once: of ten refunds at once one takes effect. One that
# a generation uses is only reported: the picture decides what is charged. Nothing is ever charged
# without a picture, and another user's run id is not found.
use Genflow::Test;

my $PATH = '/api/credits-finalize';
my $JSON = JSON::PP->new->canonical;
my $user = account(10);

# ---- unused ----

my $number = 0;
for my $disposition (qw(refund commit)) {
    my $run = reserved(4);
    credits_are $user, 10, 4, 'four are reserved';
    my $res = finalize($run, $disposition);
    is $res->{status}, 200, "$disposition ends a reservation that nothing uses";
    is $JSON->encode(data($res)), '{"balance":10,"charged":0,"cost":4,"disposition":"'
        . $disposition . '","generationId":null,"generationStatus":null,"ok":true,"request_id":"'
        . $run . '","status":"returned","success":true}', 'and charges nothing without a picture';
    credits_are $user, 10, 0, 'all of it is given back';
    error_is(finalize($run, $_), 400, 'ALREADY_PROCESSED', "a $_ after that is refused")
        for qw(refund commit);
    credits_are $user, 10, 0, 'and changes nothing';
}

my $run = reserved(4);
my %count;
$count{ $_->{status} }++
    for in_parallel(10, sub { return { status => finalize($run, 'refund')->{status} } });
is_deeply \%count, { 200 => 1, 400 => 9 }, 'of ten refunds at once one takes effect';
credits_are $user, 10, 0, 'and gives back just what was reserved';
is sql1("SELECT count(*) FROM genflow.ledger l JOIN genflow.reservations r ON r.id = l.ref"
    . " WHERE r.user_id = genflow.account_of(:'user') AND r.request_id = :'run' AND l.kind = 'release'",
    user => $user, run => $run), 1, 'by one entry of the ledger';

# ---- used ----

my @ENDS = (    # prompt, status of the generation, charged
    ['a cat',                'completed', 1],
    ['a cat {{status=400}}', 'failed',    0],
);
expect_log('GF0203');
for my $end (@ENDS) {
    my ($prompt, $status, $charged) = @$end;
    $user = account(10);
    $run  = reserved(3);
    my $made = data(generate($user, { prompt => $prompt, runId => $run }));
    for my $disposition (qw(commit refund refund)) {
        my $reply = data(finalize($run, $disposition));
        is $JSON->encode([@$reply{qw(status generationId generationStatus cost charged balance)}]),
            $JSON->encode(['used', $made->{id}, $status, 3, $charged, 10 - $charged]),
            "$disposition of one whose generation $status says so";
    }
    credits_are $user, 10 - $charged, 0, 'and changes nothing';
}
$user = account(10);
$run  = reserved(3);
my $slow = data(generate($user, { prompt => "a cat {{gate=$user}}", runId => $run },
    Prefer => 'respond-async'));
my $reply = data(finalize($run, 'refund'));
is_deeply [@$reply{qw(status generationStatus charged balance)}], ['used', 'processing', 0, 9],
    'while a generation runs nothing is given back but what it does not cost';
credits_are $user, 10, 1, 'its own price stays held';
open_gate($user);
ok wait_for { credits($user)->[1] == 0 };
credits_are $user, 9, 0, 'and is charged when it completes';

# ---- refused ----

my $owner = $user;
$run  = reserved(2);
$user = account(5);
error_is(finalize($run, 'refund'), 404, 'TRANSACTION_NOT_FOUND',
    'another user\'s run id is not found: run ids are per user');
error_is(finalize('never', 'refund'), 404, 'TRANSACTION_NOT_FOUND', 'nor is an unknown one');
my @BAD = (    # body, fields
    [{},                                            'request_id disposition'],
    [{ request_id => $run },                        'disposition'],
    [{ disposition => 'refund' },                   'request_id'],
    [{ requestId => $run, disposition => 'keep' },  'disposition'],
    [{ request_id => $run, disposition => 7 },      'disposition'],
    [{ request_id => [], disposition => 'refund' }, 'request_id'],
    [{ request_id => 'a b', disposition => '' },    'request_id disposition'],
);
$user = $owner;
for my $bad (@BAD) {
    my ($body, $fields) = @$bad;
    my $got = api(POST => $PATH, user => $user, json => $body);
    error_is($got, 422, 'VALIDATION_FAILED', 'refused: ' . $JSON->encode($body));
    is named($got), $fields, 'with its fields';
}
error_is(api(POST => $PATH, json => {}), 401, 'AUTHENTICATION_REQUIRED', 'a request without a user ends nothing');
error_is(api(POST => $PATH, user => $user, json => []), 400, 'VALIDATION_ERROR', 'nor does a list');
error_is(api(DELETE => $PATH, user => $user), 405, 'METHOD_NOT_ALLOWED', 'nor does another method');
credits_are $user, 9, 2, 'and all that is reserved stays so';

finish;

# A reservation of that many credits: its run id.
sub reserved {
    my ($amount) = @_;
    my $id = 'run-' . ++$number;
    api(POST => '/api/credits-reserve', user => $user,
        json => { request_id => $id, cost => $amount });
    return $id;
}

sub finalize {
    my ($id, $disposition) = @_;
    return api(POST => $PATH, user => $user,
        json => { request_id => $id, disposition => $disposition });
}

# The fields that an error names.
sub named {
    my ($res) = @_;
    return join ' ', map { $_->{field} } @{ data($res)->{validationErrors} // [] };
}
