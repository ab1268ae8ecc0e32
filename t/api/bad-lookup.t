#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What is looked up by a body or a query: a wrong type, nothing, too much, another's and what is not
# there are refused by name, and nothing changes.
use Genflow::Test;
use JSON::PP ();

my ($user, $other) = (account(5), account(5));
my $mine   = data(generate($user, { runId => 'mine' }))->{id};
my $theirs = data(generate($other, { runId => 'theirs' }))->{id};
my $STATUS = '/api/neo-glitch/status';
my $JSON   = JSON::PP->new->canonical->allow_nonref;

my @BAD = (    # path, body (a scalar: a query), status, code, fields
    [$STATUS, {},                        422, 'VALIDATION_FAILED', 'id'],
    [$STATUS, { id => 7 },               422, 'VALIDATION_FAILED', 'id'],
    [$STATUS, { jobId => [] },           422, 'VALIDATION_FAILED', 'jobId'],
    [$STATUS, { runId => {} },           422, 'VALIDATION_FAILED', 'runId'],
    [$STATUS, { runId => '' },           422, 'VALIDATION_FAILED', 'runId'],
    [$STATUS, { runId => 'x' x 300 },    404, 'GENERATION_NOT_FOUND'],
    [$STATUS, { stabilityJobId => 1 },   422, 'VALIDATION_FAILED', 'stabilityJobId'],
    [$STATUS, { id => 'x' x 300 },       404, 'GENERATION_NOT_FOUND'],
    [$STATUS, { id => $theirs },         403, 'UNAUTHORIZED'],
    [$STATUS, { runId => 'theirs' },     404, 'GENERATION_NOT_FOUND'],
    [$STATUS, [],                        400, 'VALIDATION_ERROR'],
    [$STATUS, "id=$theirs",              403, 'UNAUTHORIZED'],
    [$STATUS, 'runId=theirs',            404, 'GENERATION_NOT_FOUND'],
    [$STATUS, 'id=',                     422, 'VALIDATION_FAILED', 'id'],
    ['/api/emotion-mask/status', "id=$mine", 404, 'GENERATION_NOT_FOUND'],
    ['/api/getUserMedia', { limit => 'x' },   422, 'VALIDATION_FAILED', 'limit'],
    ['/api/getUserMedia', { limit => 0 },     422, 'VALIDATION_FAILED', 'limit'],
    ['/api/getUserMedia', { cursor => 7 },    422, 'VALIDATION_FAILED', 'cursor'],
    ['/api/getUserMedia', { type => 'x', status => 'x', preset => "a\0" }, 422, 'VALIDATION_FAILED',
        'preset status type'],
    ['/api/getUserMedia', [],                 400, 'VALIDATION_ERROR'],
    ['/api/generations', 'limit=0&status=odd&type=odd&cursor=odd', 422, 'VALIDATION_FAILED',
        'cursor limit status type'],
    ['/api/presets',     'type=odd',          422, 'VALIDATION_FAILED', 'type'],
);
my $before = credits($user);
for my $bad (@BAD) {
    my ($path, $sent, $status, $code, $fields) = @$bad;
    my $res = ref $sent ? api(POST => $path, user => $user, json => $sent)
                        : api(GET => "$path?$sent", user => $user);
    my $what = substr ref $sent ? $JSON->encode($sent) : $sent, 0, 60;
    error_is($res, $status, $code, "$path refuses $what");
    is join(' ', sort map { $_->{field} } @{ data($res)->{validationErrors} }), $fields,
        '... naming each field' if $fields;
    unlike $res->{content}, qr/imageUrl|\Q$other\E/, '... and the response has nothing of others';
}
is_deeply credits($user), $before, 'nothing of it cost anything';
is status_of($user, $mine)->{status}, 'completed', 'and what is there stands as before';

finish;
