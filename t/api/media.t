#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# getUserMedia and delete-media, as older front ends call them: the history of the signed-in user,
# whatever user the body names, and an end to one picture of theirs.
use Genflow::Test;

my ($user, $other) = (account(10), account(5));
my @ids = map { data(generate($user, { type => 'sketch', prompt => "old picture $_" }))->{id} } 1 .. 3;
my ($foreign) = data(generate($other, { type => 'sketch' }))->{id};

# ---- looking ----

my $all = data(media(POST => { userId => $other }));
is_deeply [ids($all)], [reverse @ids], 'POST lists what the caller has made, newest first';
ok $all->{success} && $all->{ok}, '... in the shape that is known';
is $all->{total}, 3, '... and counts it';
is_deeply data(media('GET'))->{items}, $all->{items}, 'GET lists the same';
my $page = data(media(POST => { limit => 2 }));
is_deeply [ids($page)], [reverse @ids[1, 2]], 'a limit as a number';
ok $page->{hasMore}, '... leaves more';
is_deeply [ids(data(media(POST => { limit => '2', cursor => $page->{nextCursor} })))], [$ids[0]],
    '... which the cursor finds; a limit as a text is as good';
is_deeply [ids(data(media(POST => { type => 'neo-glitch' })))], [], 'a type narrows it';
is_deeply [ids(data(media(POST => { status => 'failed' })))], [], '... and so does a status';
for my $bad ([limit => 0], [limit => 'x'], [limit => [1]], [type => 'x'], [status => {}], [cursor => 1]) {
    my $res = media(POST => { @$bad });
    error_is($res, 422, 'VALIDATION_FAILED', "a bad $bad->[0] is refused");
    is data($res)->{validationErrors}[0]{field}, $bad->[0], '... by its name';
}
error_is(api(POST => '/api/getUserMedia', json => {}), 401, 'AUTHENTICATION_REQUIRED', 'not without a user');

# ---- deleting ----

my @REFUSED = (    # what, body, status, code
    ['nothing',           {},                                      422, 'VALIDATION_FAILED'],
    ['a number',          { id => 7 },                             422, 'VALIDATION_FAILED'],
    ['no id',             { id => 'x' },                           404, 'GENERATION_NOT_FOUND'],
    ['an unknown one',    { id => $ids[0] =~ s/\A.{8}/00000000/r }, 404, 'GENERATION_NOT_FOUND'],
    ["another's",         { mediaId => $foreign, userId => $other }, 403, 'UNAUTHORIZED'],
);
for my $case (@REFUSED) {
    my ($what, $json, $status, $code) = @$case;
    error_is(remove($user, $json), $status, $code, "$what is not deleted");
}
is data(media('GET'))->{total}, 3, 'all are there';
my $left = credits($user);
is remove($user, { mediaId => $ids[1] })->{status}, 200, 'one of theirs is, by mediaId';
is remove($user, { id => $ids[2] })->{status}, 200, '... and by id';
is_deeply [ids(data(media('GET')))], [$ids[0]], '... and listed no more';
error_is(remove($user, { id => $ids[2] }), 404, 'GENERATION_NOT_FOUND', 'twice is once');
is_deeply credits($user), $left, 'it gives nothing back';
error_is(api(GET => '/api/delete-media', user => $user), 405, 'METHOD_NOT_ALLOWED', 'looking deletes nothing');

finish;

sub media {
    my ($method, $json) = @_;
    return api($method => '/api/getUserMedia', user => $user, $json ? (json => $json) : ());
}

sub ids { return map { $_->{id} } @{ $_[0]{items} } }

sub remove {
    my ($who, $json) = @_;
    return api(POST => '/api/delete-media', user => $who, json => $json);
}
