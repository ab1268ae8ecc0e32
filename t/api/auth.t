#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# httpd says who the user is: by GenflowUser's expression, or by its own authentication. Without
# a user only health answers. A generation is its owner's alone: others learn at most that it is
# not theirs, and by the names that a client chose they find their own only.
use Genflow::Test;

use MIME::Base64 qw(encode_base64);

my $GENERATE = '/api/neo-glitch/generate';
my $STATUS   = '/api/neo-glitch/status';
my %CAT      = (prompt => 'a cat', presetKey => 'base');

# ---- no user ----

my @CLOSED = (    # method, path
    [POST => $GENERATE],
    [POST => "$GENERATE?dryRun=1"],
    [GET  => "$STATUS?id=01a1fc7d-bbf5-7c3a-8e9f-0100824fa663"],
    [POST => $STATUS],
    [GET  => '/api/getQuota'],
    [POST => '/neo'],
    [GET  => '/neo-status?runId=x'],
);
for my $request (@CLOSED) {
    my ($method, $path) = @$request;
    my %body = $method eq 'POST' ? (json => \%CAT) : ();
    for my $user (undef, '') {
        my $who = defined $user ? 'of an empty name' : 'without a user';
        error_is(api($method => $path, user => $user, %body), 401, 'AUTHENTICATION_REQUIRED',
            "$method $path $who is refused");
    }
}
is api(GET => '/api/health')->{status}, 200, 'health needs no user';

# ---- httpd's own authentication ----

grant('alice', 1);
my @CALLS = (    # who, name and password, status
    ['nobody',                 undef,           401],
    ['a wrong password',       'alice:guessed', 401],
    ['an unknown name',        'mallory:x',     401],
    ['the right password',     'alice:secret',  200],
);
for my $call (@CALLS) {
    my ($who, $secret, $status) = @$call;
    my $res = api(GET => '/basic/getQuota', headers => basic($secret), user => 'bob');
    is $res->{status}, $status, "where httpd requires a password, $who gets $status";
    like $res->{headers}{'www-authenticate'}, qr/\ABasic realm="genflow"/, 'and gets a challenge'
        if $status == 401;
}
my $made = data(api(POST => '/basic/neo-glitch/generate', json => \%CAT,
    headers => basic('alice:secret'), user => 'bob'));
is $made->{userId}, 'alice', 'a generation is of whom httpd authenticated, whatever a header says';
my $look = "/basic/neo-glitch/status?id=$made->{id}";
is api(GET => $look, headers => basic('alice:secret'))->{status}, 200, 'who may see it';
error_is(api(GET => $look, headers => basic('bob:secret')), 403, 'UNAUTHORIZED', 'and no other user');

# ---- another's generation ----

my ($owner, $other) = (account(5), account(5));
my $run     = "run of $owner" =~ tr/ /./r;
my $secret  = data(generate($owner, { prompt => 'a secret cat {{poll=1}}', runId => $run }));
my $id      = $secret->{id};
my $unknown = $id =~ s/\A.{8}/00000000/r;
ok $secret->{stabilityJobId}, 'the provider gave an id of its own';
my @LOOKS = (    # what, query, status and code for the other
    ['its id',                "id=$id",         403, 'UNAUTHORIZED'],
    ['its id as jobId',       "jobId=$id",      403, 'UNAUTHORIZED'],
    ["the provider's id",     "stabilityJobId=$secret->{stabilityJobId}", 403, 'UNAUTHORIZED'],
    ["its owner's run id",    "runId=$run",     404, 'GENERATION_NOT_FOUND'],
    ["the run id as id",      "id=$run",        404, 'GENERATION_NOT_FOUND'],
);
for my $look (@LOOKS) {
    my ($what, $query, $status, $code) = @$look;
    is data(api(GET => "$STATUS?$query", user => $owner))->{id}, $id, "its owner finds it by $what";
    my $res = api(GET => "$STATUS?$query", user => $other);
    error_is($res, $status, $code, "another user does not find it by $what");
    is_deeply [sort keys %{ data($res) }], [qw(code error message ok requestId success)],
        'and learns nothing else';
    unlike $res->{content}, qr/\Q$id\E|secret|\Q$owner\E/, 'nothing of what it is';
}
my @NOWHERE = ("$STATUS?id=$unknown", "$STATUS?runId=unheard", "$STATUS?falJobId=unheard",
    "/api/sketch/status?id=$id");
error_is(api(GET => $_, user => $owner), 404, 'GENERATION_NOT_FOUND', "there is none at $_")
    for @NOWHERE;

my $namesake = data(generate($other, { runId => $run }));
isnt $namesake->{id}, $id, 'the same run id of another user is another generation';
is data(api(GET => "$STATUS?runId=$run", user => $other))->{id}, $namesake->{id},
    'which that user finds by it';

finish;

sub basic {
    my ($secret) = @_;
    return {} if !defined $secret;
    return { Authorization => 'Basic ' . encode_base64($secret, '') };
}
