#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# genflow-fal: what is refused has fal's shape, holds nothing and reaches no provider; a proxied request
# is served here, and never forwarded. t/clients/fal.t has what works.
use Genflow::Test;

use Socket qw(SHUT_WR);
use IO::Socket::INET;

my ($user, $other) = (account(50), account(5));
my ($RUN, $QUEUE) = ('/fal/run/fal-ai/flux/dev', '/fal/queue/fal-ai/flux/dev');
my $made = fal(POST => '/fal/queue/fal-ai/flux/dev', json => { prompt => 'a cat {{poll-hang}}' });
my $id   = data($made)->{request_id};
is $made->{status}, 200, 'a request is in the queue' or BAIL_OUT($made->{content});
is_deeply [map { $made->{headers}{$_} } qw(x-fal-request-id cache-control)], [$id, 'no-store'], 'and has an id';
is_deeply data($made), { status => 'IN_QUEUE', request_id => $id, queue_position => 0, map {
    my ($name, $tail) = @$_;
    ($name => base() . "/fal/queue/fal-ai/flux/requests/$id$tail")
} ['response_url', ''], ['status_url', '/status'], ['cancel_url', '/cancel'] }, '... with its addresses';
my $before = credits($user);

# ---- bad input ----

my $large  = 'x' x (11 * 1024 * 1024);
my $theirs = data(upload($other, png(8, 8)))->{id};
my @BAD = (    # what, path, body, status, place and field or type
    ['no JSON',               $RUN,   '{"prompt":',                             422, 'body'],
    ['a list',                $RUN,   '[]',                                     422, 'body'],
    ['no body',               $RUN,   '',                                       422, 'body'],
    ['a prompt of numbers',   $RUN,   { prompt => 7 },                          422, 'body.prompt'],
    ['no prompt',             '/fal/run/fal-ai/worded', {},                     422, 'body.prompt'],
    ['a seed of words',       $RUN,   { prompt => 'x', seed => 'y' },           422, 'body.seed'],
    ['eleven pictures',       $RUN,   { prompt => 'x', num_images => 11 },      422, 'body.num_images'],
    ['a size of nothing',     $RUN,   { prompt => 'x', image_size => 'huge' },  422, 'body.image_size'],
    ['a mask',                $RUN,   { prompt => 'x', mask_url => 'y' },       422, 'body.mask_url'],
    ['a picture of nothing',  $RUN,   { prompt => 'x', image_url => 'y' },      422, 'body.image_url'],
    ['a picture that is none', $RUN,  { prompt => 'x', image_url => 'data:image/png;base64,AAAA' }, 422, 'body.image_url'],
    ['no source picture',     '/fal/run/fal-ai/flux/dev/image-to-image', { prompt => 'x' }, 422, 'body.image_url'],
    ["another user's picture", '/fal/run/fal-ai/flux/dev/image-to-image', { prompt => 'x', image_url => $theirs },
        404, 'not_found'],
    ['two pictures for one',  '/fal/run/fal-ai/flux/dev/image-to-image', { prompt => 'x', image_urls =>
        [map { data(upload($user, png($_, $_)))->{id} } 9, 10] }, 422, 'body.image_urls'],
    ['an unknown model',      '/fal/run/fal-ai/nothing', { prompt => 'x' },     404, 'not_found'],
    ['11 MB',                 $RUN,   "{\"prompt\":\"$large\"}",                413, 'payload_too_large'],
    ['a webhook elsewhere',   "$QUEUE?fal_webhook=https://evil.example/x", { prompt => 'x' }, 422, 'query.fal_webhook'],
    ['a webhook for two',     "$QUEUE?fal_webhook=http://127.0.0.1/x", { prompt => 'x', num_images => 2 },
        422, 'body.num_images'],
    ['an unknown address',    '/fal/walk/fal-ai/flux', {},                      404, 'not_found'],
    ['the front itself',      '/fal', {},                                       404, 'not_found'],
);
for my $case (@BAD) {
    my ($what, $path, $body, $status, $where) = @$case;
    my $res = fal(POST => $path, ref $body ? (json => $body) : (body => $body));
    fal_error_is($res, $status, $where, "$what is refused");
}
for my $case (['a time of words', 'soon'], ['no time', '0'], ['a day and a second', '86401']) {
    my ($what, $value) = @$case;
    fal_error_is(fal(POST => $RUN, json => { prompt => 'x' }, headers => { 'x-fal-request-timeout' => $value }), 422,
        'header.x-fal-request-timeout', "$what to begin in is refused");
}
my $res = fal(GET => $QUEUE);
fal_error_is($res, 405, 'method_not_allowed', 'a wrong method is refused');
is $res->{headers}{allow}, 'POST', '... with those that are allowed';
fal_error_is(api(POST => $RUN, json => { prompt => 'x' }), 401, 'unauthorized', 'a stranger is refused');

my $socket = IO::Socket::INET->new(PeerAddr => base() =~ s{http://}{}r, Timeout => 5);
print $socket "POST $RUN HTTP/1.0\r\nAuthorization: Key $user\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
    . '{"prompt":"cut';
shutdown $socket, SHUT_WR;
like join('', <$socket>), qr/\AHTTP\S+ 400.*"error_type":"bad_request"/s, 'a body that is cut is refused';
is_deeply credits($user), $before, 'nothing is held for all of these';
is submissions("of $user"), 0, 'and nothing was submitted';

# ---- proxied requests ----

my $target = 'https://queue.fal.run/fal-ai/flux/requests';
is data(proxied(GET => "$target/$id/status"))->{request_id}, $id, 'a proxied request is served here';
for my $case (
    ['another host',       'https://evil.example/fal-ai/flux'],
    ['a host below',       'https://queue.fal.run.evil.example/fal-ai/flux'],
    ['a user name',        'https://queue.fal.run@evil.example/fal-ai/flux'],
    ['a password',         "https://a:b\@queue.fal.run/fal-ai/flux/requests/$id"],
    ['a port',             "https://queue.fal.run:444/fal-ai/flux/requests/$id"],
    ['http',               "http://queue.fal.run/fal-ai/flux/requests/$id"],
    ['the provider',       "$ENV{GENFLOW_FAKE}/fal/x"],
    ['a path',             "/queue/fal-ai/flux/requests/$id"],
    ['nothing',            ''],
) {
    my ($what, $address) = @$case;
    fal_error_is(proxied(GET => $address), 422, 'header.x-fal-target-url', "$what as target is refused");
}
fal_error_is(proxied(GET => 'https://rest.fal.ai/tokens/'), 404, 'not_found', 'an unknown address of fal is unknown here');

# ---- ids ----

my $named = "/fal/queue/fal-ai/flux/requests/$id";
for my $case (
    ["another user's",   $other, $named,                                          'status'],
    ['an unknown one',   $user,  '/fal/queue/fal-ai/flux/requests/' . $id =~ tr/0-9a-f/1-9a-f0/r, 'status'],
    ['no id',            $user,  '/fal/queue/fal-ai/flux/requests/x',             'status'],
    ['of another app',   $user,  "/fal/queue/fal-ai/one/requests/$id",            'status'],
    ['of a longer app',  $user,  "/fal/queue/fal-ai/fluxx/requests/$id",          'status'],
    ['too many',         $user,  $named . "_$id" x 4,                             'status'],
    ['none',             $user,  '/fal/queue/fal-ai/flux/requests/_',             'status'],
) {
    my ($what, $who, $path) = @$case;
    my $theirs = $who eq $other ? $other : $user;
    fal_error_is(as($theirs, GET => "$path$_"), 404, 'not_found', "$what is not found ($_)") for '', '/status', '/status/stream';
    $res = as($theirs, PUT => "$path/cancel");
    is_deeply [$res->{status}, data($res)], [404, { status => 'NOT_FOUND' }], '... and not cancelled';
}

$res = fal(PUT => '/fal/queue/fal-ai/flux/requests/x%0D%0AX-Evil:%201/cancel');
is_deeply [$res->{status}, data($res), $res->{headers}{'x-evil'}], [404, { status => 'NOT_FOUND' }, undef],
    'an id with the end of a line is not found, and in no header';

# ---- statuses ----

$res = fal(GET => "$named/status?logs=1");
is $res->{status}, 202, 'while it lives its status is 202';
is_deeply [@{ data($res) }{qw(status logs)}], ['IN_PROGRESS', []], '... in progress, with its log';
is data(fal(GET => "$named/status?logs=0"))->{logs}, undef, '... or without';
$res = fal(PUT => "$named/cancel");
is_deeply [$res->{status}, data($res)], [202, { status => 'CANCELLATION_REQUESTED' }], 'a request is cancelled';
$res = fal(PUT => "$named/cancel");
is_deeply [$res->{status}, data($res)], [400, { status => 'ALREADY_COMPLETED' }], '... once';
$res = fal(GET => $named);
is "$res->{status} $res->{reason}", '499 Client Closed Request', 'its result says so';
is $res->{headers}{'x-fal-retryable'}, 'false', '... and that a repetition is of no use';
credits_are $user, 50, 0, 'nothing was charged';

# ---- an Idempotency-Key ----

my %key = (headers => { 'Idempotency-Key' => "k-$user" });
my @twice = map { fal(POST => $QUEUE, json => { prompt => 'twice' }, %key) } 1, 2;
is data($twice[0])->{request_id}, data($twice[1])->{request_id}, 'a repetition under its key is the same request';
fal_error_is(fal(POST => $QUEUE, json => { prompt => 'else' }, %key), 422, 'body', 'another body under the key is refused');
ok wait_for { data(fal(GET => data($twice[0])->{status_url} =~ s{\Ahttp://[^/]+}{}r))->{status} eq 'COMPLETED' }, 'it ends';
credits_are $user, 49, 0, 'it is charged once';

# ---- pages ----

$res = api(OPTIONS => '/fal-shared/run/x', headers => { Origin => 'https://studio.example',
    'Access-Control-Request-Method' => 'POST', 'Access-Control-Request-Headers' => 'authorization,x-fal-target-url' });
like $res->{headers}{'access-control-allow-headers'}, qr/\bx-fal-target-url\b/, 'a page may send what fal sends';
$res = as($user, GET => '/fal-shared/queue/x/y/requests/z', headers => { Origin => 'https://studio.example' });
like $res->{headers}{'access-control-expose-headers'}, qr/\bx-fal-request-id\b/, 'and read what fal answers';
fal_error_is($res, 404, 'not_found', '... also of an error');
fal_error_is(api(POST => '/fal-basic/run/x', json => {}), 401, 'unauthorized', "httpd's own 401 has fal's shape");
finish;

# ---- what the tests are made of ----

sub as {
    my ($who, $method, $path, %more) = @_;
    return api($method => $path, %more, headers => { Authorization => "Key $who", 'Content-Type' => 'application/json',
        %{ $more{headers} // {} } });
}

sub fal { return as($user, @_) }

sub proxied {
    my ($method, $address) = @_;
    return fal($method => '/fal', headers => { 'x-fal-target-url' => $address });
}

# $where: "body.prompt" of a 422, else the error_type.
sub fal_error_is {
    my ($got, $status, $where, $sentence) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $body   = data($got) // {};
    my $detail = $body->{detail};
    my $place  = ref $detail eq 'ARRAY' ? join('.', @{ $detail->[0]{loc} // [] }) : $body->{error_type};
    ok ref $detail ? $detail->[0]{msg} && $detail->[0]{type} : $detail && $body->{message} eq $detail, '... with a text';
    return is_deeply([$got->{status}, $place], [$status, $where], $sentence) || diag "the answer was: $got->{content}";
}
