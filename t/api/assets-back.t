#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# An uploaded picture comes back to its owner byte for byte, with what caches need, and to no user
# else; until it is deleted, or its time is over.
use Genflow::Test;

use Digest::SHA qw(sha256_hex);

my ($user, $other) = (account(), account());

my $png  = png(3, 2, 300_000) =~ s/xxxx/\0\r\n\xff/r;
my $id   = data(upload($user, $png))->{id};
my $path = "/api/assets/$id";
my $etag = '"' . sha256_hex($png) . '"';

# ---- had back ----

my $back = api(GET => $path, user => $user);
ok $back->{content} eq $png, 'its owner has a picture back, byte for byte';
my %HEADERS = (
    'content-type' => 'image/png', 'content-length' => length $png, etag => $etag,
    'cache-control' => 'private, no-cache', 'x-content-type-options' => 'nosniff',
);
is_deeply { map { $_ => $back->{headers}{$_} } keys %HEADERS }, \%HEADERS, 'with what caches need';
my @LOOKS = (    # what, method, headers, status, content
    ['the one that it has', GET  => { 'If-None-Match' => $etag },     304, ''],
    ['another version',     GET  => { 'If-None-Match' => '"other"' }, 200, $png],
    ['another one only',    GET  => { 'If-Match' => '"other"' },      412, ''],
    ['the head alone',      HEAD => {},                               200, ''],
    ['the first bytes',     GET  => { Range => 'bytes=0-3' },         206, "\x89PNG"],
);
for my $look (@LOOKS) {
    my ($what, $method, $headers, $status, $content) = @$look;
    my $got = api($method => $path, user => $user, headers => $headers);
    is $got->{status}, $status, "a client that requests $what gets $status";
    ok +($got->{content} // '') eq $content, 'and just that';
}
is api(HEAD => $path, user => $user)->{headers}{'content-length'}, length $png,
    'the head has the length';

# ---- and by no other user ----

my $unknown = $path =~ s{[^/]{8}-}{00000000-}r;
my @CLOSED = (    # method, path, user, status, code, Allow
    [GET    => $path,           $other, 403, 'UNAUTHORIZED'],
    [HEAD   => $path,           $other, 403],
    [DELETE => $path,           $other, 403, 'UNAUTHORIZED'],
    [GET    => $path,           undef,  401, 'AUTHENTICATION_REQUIRED'],
    [DELETE => $path,           undef,  401, 'AUTHENTICATION_REQUIRED'],
    [GET    => $unknown,        $user,  404, 'NOT_FOUND'],
    [DELETE => $unknown,        $user,  404, 'NOT_FOUND'],
    [GET    => '/api/assets/x', $user,  404, 'NOT_FOUND'],
    [DELETE => '/api/assets/x', $user,  404, 'NOT_FOUND'],
    [GET    => '/api/assets/',  $user,  404, 'NOT_FOUND'],
    [GET    => "$path/",        $user,  404, 'NOT_FOUND'],
    [GET    => "$path/more",    $user,  404, 'NOT_FOUND'],
    [GET    => '/api/assets',   $user,  405, 'METHOD_NOT_ALLOWED', 'POST'],
    [POST   => $path,           $user,  405, 'METHOD_NOT_ALLOWED', 'GET, HEAD, DELETE'],
    [PUT    => $path,           $user,  405, 'METHOD_NOT_ALLOWED', 'GET, HEAD, DELETE'],
);
for my $request (@CLOSED) {
    my ($method, $where, $who, $status, $code, $allow) = @$request;
    my $got = api($method => $where, user => $who);
    is $got->{status}, $status, "$method $where is refused with $status";
    error_is($got, $status, $code, "as $code") if $code;
    is $got->{headers}{allow}, $allow, "and Allow says $allow" if $allow;
    unlike $got->{content} // '', qr/\Q$user\E|image/, 'the response has nothing of it';
}

# ---- gone ----

sql("UPDATE genflow.assets SET expires_at = now() WHERE id = :'id'", id => $id);
error_is(api(GET => $path, user => $user), 404, 'NOT_FOUND', 'one whose time is over is not found');
is data(upload($user, $png))->{id}, $id, 'brought again it is back';
is api(GET => $path, user => $user)->{status}, 200, 'and found';

my $gone = api(DELETE => $path, user => $user);
is_deeply [$gone->{status}, data($gone)->{deleted}], [200, JSON::PP::true()], 'it is deleted';
error_is(api($_ => $path, user => $user), 404, 'NOT_FOUND', "then $_ finds none")
    for qw(GET DELETE);
isnt data(upload($user, $png))->{id}, $id, 'and brought again it is another one';

finish;
