#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A request that does not fit the API (address, method, media type, size, key), or that breaks off,
# is refused with the documented status and code. Nothing is held for it, no row is made, and the
# server goes on.
use Genflow::Test;

use IO::Socket::INET ();

my $GENERATE = '/api/neo-glitch/generate';
my $STATUS   = '/api/neo-glitch/status';
my $GOOD     = '{"prompt":"a cat","presetKey":"base"}';
my $LIMIT    = 10 * 1024 * 1024;

my $user = account(10);

# ---- address, method, media type, key ----

my %json = ('Content-Type' => 'application/json');
my @REQUESTS = (    # method, path, headers, status, code, Allow
    [GET    => '/api',                    {}, 404, 'NOT_FOUND'],
    [GET    => '/api/',                   {}, 404, 'NOT_FOUND'],
    [GET    => '/api/nothing',            {}, 404, 'NOT_FOUND'],
    [GET    => '/api/getQuota/',          {}, 404, 'NOT_FOUND'],
    [POST   => '/api/unknown/generate',   {}, 404, 'NOT_FOUND'],
    [POST   => '/api/NEO-GLITCH/generate', {}, 404, 'NOT_FOUND'],
    [POST   => '/api/neo-glitch',         {}, 404, 'NOT_FOUND'],
    [POST   => '/api/neo-glitch/nothing', {}, 404, 'NOT_FOUND'],
    [POST   => "$GENERATE/more",          {}, 404, 'NOT_FOUND'],
    [GET    => $GENERATE,      {}, 405, 'METHOD_NOT_ALLOWED', 'POST'],
    [PUT    => $GENERATE,      {}, 405, 'METHOD_NOT_ALLOWED', 'POST'],
    [BREW   => $GENERATE,      {}, 405, 'METHOD_NOT_ALLOWED', 'POST'],
    [DELETE => $STATUS,        {}, 405, 'METHOD_NOT_ALLOWED', 'GET, HEAD, POST'],
    [PATCH  => '/api/getQuota', {}, 405, 'METHOD_NOT_ALLOWED', 'GET, HEAD, POST'],
    [POST   => '/api/health',  {}, 405, 'METHOD_NOT_ALLOWED', 'GET, HEAD'],
    (map { [POST => $GENERATE, { 'Content-Type' => $_ }, 415, 'UNSUPPORTED_MEDIA_TYPE'] }
        qw(text/plain text/json application/x-www-form-urlencoded application/octet-stream)),
    (map { [POST => $GENERATE, { %json, 'Idempotency-Key' => $_ }, 422, 'VALIDATION_FAILED'] }
        '', 'a key', "a\tkey", 'k' x 256),
    [GET    => $STATUS,              {}, 422, 'VALIDATION_FAILED'],
    (map { [GET => "$STATUS?$_", {}, 422, 'VALIDATION_FAILED'] } 'runId=%FF', 'runId=a&x=%E4',
        '%C3=1&runId=a', 'runId=%zz', 'runId=a%', 'runId=%2', 'runId=%00', 'id=x&%ED%A0%80=1'),
    [GET    => "$STATUS?runId=a+b%20c&&=&names", {}, 404, 'GENERATION_NOT_FOUND'],
    [GET    => "$STATUS?id=nothing", {}, 404, 'GENERATION_NOT_FOUND'],
);
for my $request (@REQUESTS) {
    my ($method, $path, $headers, $status, $code, $allow) = @$request;
    my %body = $method eq 'GET' ? () : (body => $GOOD);
    my $res  = api($method => $path, user => $user, headers => $headers, %body);
    my $with = join ' ', map { substr $_, 0, 40 } values %$headers;
    error_is($res, $status, $code, "$method $path $with is refused with $status");
    like data($res)->{requestId} // '', qr/\A[\w@-]+\z/, 'and has a request id';
    is $res->{headers}{allow}, $allow, "and Allow says $allow" if $allow;
}

# ---- size ----

my $big    = qq({"prompt":"a cat","presetKey":"base","generationMeta":{"x":") . 'x' x (11 * 1024 * 1024) . '"}}';
my @pieces = ($big =~ /.{1,60000}/gs, '');
my %BIG = (
    'that announces its length' => $big,
    'that comes in chunks'      => sub { shift @pieces },
);
for my $how (sort keys %BIG) {
    my $res = api(POST => $GENERATE, user => $user, headers => \%json, body => $BIG{$how});
    error_is($res, 413, 'PAYLOAD_TOO_LARGE', "a body of 11 MB $how is refused");
    is data($res)->{limit}, $LIMIT, 'and the response has the limit';
}
my $just = substr($big, 0, $LIMIT - 3) . '"}}';
isnt api(POST => $GENERATE, user => $user, headers => \%json, body => $just)->{status}, 413,
    'a body of just the limit is not too large';

# ---- breaking off ----

my $length = length $GOOD;
my $chunk  = sprintf "%x\r\n%s\r\n", $length, $GOOD;
my %LENGTH = ('Content-Length' => $length + 1);
my %CHUNKS = ('Transfer-Encoding' => 'chunked');
my @CUT = (    # what, headers, what is sent of the body
    ['in the midst of its JSON',        \%LENGTH, substr $GOOD, 0, 12],
    ['behind its JSON',                 \%LENGTH, $GOOD],
    ['between two chunks',              \%CHUNKS, $chunk],
    ['in the midst of a chunk',         \%CHUNKS, substr $chunk, 0, 12],
    ['with a chunk that has no number', \%CHUNKS, "${chunk}zz\r\n"],
);
for my $case (@CUT) {
    my ($what, $headers, $sent) = @$case;
    like answer_to($headers, $sent), qr{\AHTTP/1.1 400 }, "a body that breaks off $what is refused";
}
like answer_to({ 'Content-Length' => $length, 'X-User' => "ann\xff" }, $GOOD),
    qr{\AHTTP/1.1 401 .*"AUTHENTICATION_REQUIRED"}s, 'a name that is no UTF-8 is no user';
my $mark = log_mark();
close connection(\%LENGTH, $GOOD);
my $noted = wait_for { log_since($mark) =~ /\bGF0123: .* \Q$GENERATE\E / };
ok $noted, 'a client that goes away in the midst is noted, and no more';

# ---- no type ----

my %FULL = ('Content-Length' => $length, 'Content-Type' => undef);
like answer_to(\%FULL, $GOOD), qr{\AHTTP/1.1 415 .*"UNSUPPORTED_MEDIA_TYPE"}s,
    'a body that does not say what it is is refused';
like answer_to({ %CHUNKS, 'Content-Type' => undef }, "${chunk}0\r\n\r\n"), qr{\AHTTP/1.1 415 },
    'also one that comes in chunks';
like answer_to({ %FULL, 'Content-Length' => 0 }, ''), qr{\AHTTP/1.1 400 },
    'where there is none, it is missed';

for my $type ('application/json ; charset=utf-8', "application/json\t;charset=utf-8", 'Application/JSON') {
    my $res = api(POST => "$GENERATE?dryRun=1", user => $user, headers => { 'Content-Type' => $type }, body => $GOOD);
    is $res->{status}, 200, "$type is JSON" or diag $res->{content};
}
for my $type ('application/json x', 'application/json, text/plain', ' ; application/json', 'application/jsonx') {
    like answer_to({ %FULL, 'Content-Type' => $type }, $GOOD), qr{\AHTTP/1.1 415 }, "$type is not";
}

# ---- afterwards ----

is rows_of($user, 'public.neo_glitch_media'), 1,
    'none of them left a row but the one of just the limit';
credits_are $user, 9, 0, 'and none cost anything';
is generate($user)->{status}, 200, 'the server makes pictures as before';

finish;

# A connection that has sent a generate call with this beginning of its body.
sub connection {
    my ($headers, $body) = @_;
    my ($address) = base() =~ m{//(.*)};
    my $socket = IO::Socket::INET->new(PeerAddr => $address, Timeout => 5) or die "connect: $!\n";
    my %all = (Host => $address, 'X-User' => $user, %json, %$headers);
    print $socket "POST $GENERATE HTTP/1.1\r\n",
        (map { defined $all{$_} ? "$_: $all{$_}\r\n" : () } sort keys %all),
        "\r\n", $body;
    $socket->flush;
    return $socket;
}

# What the server answers when the client sends no more, but listens.
sub answer_to {
    my $socket = connection(@_);
    shutdown $socket, 1;
    local $/ = undef;
    return <$socket> // '';
}
