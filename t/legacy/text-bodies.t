#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Pages of older systems send JSON and say that it is text, or nothing. It is read where the request
# has a token, which no other site's page can make a browser send; with cookies it is refused.
use Genflow::Test;

use IO::Socket::INET ();

my $OLD  = '/.netlify/functions';
my $user = account(50);
my $made = 0;

for my $type (undef, 'text/plain', 'text/plain;charset=UTF-8', 'Text/Plain; charset=utf-8') {
    my $what = $type // 'no type';
    my $res  = post($OLD, $type, 'Bearer abc.def.ghi');
    is $res->{status}, 200, "$what is JSON where a token comes along" or diag $res->{content};
    is post($OLD, $type, 'bearer abc', 'Cookie: session=1')->{status}, 200, '... with cookies beside it, too';
    for my $other (undef, 'Basic YTpi', 'Bearer', 'Bearerx y') {
        error_is(post($OLD, $type, $other), 415, 'UNSUPPORTED_MEDIA_TYPE',
            '... and is refused with ' . ($other // 'none'));
    }
    error_is(post($OLD, $type, undef, 'Cookie: session=1'), 415, 'UNSUPPORTED_MEDIA_TYPE',
        '... or with a cookie alone');
    error_is(post('/api', $type, 'Bearer abc'), 415, 'UNSUPPORTED_MEDIA_TYPE', '... and at the API');
}
for my $type ('text/html', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x') {
    error_is(post($OLD, $type, 'Bearer abc'), 415, 'UNSUPPORTED_MEDIA_TYPE', "$type is refused");
}
is api(POST => "$OLD/credits-reserve", user => $user, body => '{',
    headers => { Authorization => 'Bearer a', 'Content-Type' => 'text/plain' })->{status}, 400,
    'a text that is no JSON is refused';
credits_are $user, 50, 8, 'each of those that were read has reserved one credit';

finish;

# A reservation of one credit, sent as older pages do; HTTP::Tiny would name a type.
sub post {
    my ($below, $type, $authorization, @more) = @_;
    my $body = sprintf '{"request_id":"%s-%d","cost":1}', $user, ++$made;
    my ($address) = base() =~ m{\Ahttp://([^/]+)};
    my $socket = IO::Socket::INET->new(PeerAddr => $address, Timeout => 10) or die "connect: $!\n";
    print $socket join "\r\n", "POST $below/credits-reserve HTTP/1.0", "Host: $address", "X-User: $user",
        'Content-Length: ' . length $body,
        defined $type          ? "Content-Type: $type"           : (),
        defined $authorization ? "Authorization: $authorization" : (),
        @more, '', $body;
    local $/ = undef;
    my $text = <$socket>;
    my ($status, $content) = $text =~ m{\AHTTP/1\.[01] (\d+).*?\r\n\r\n(.*)\z}s;
    return { status => $status, content => $content };
}
