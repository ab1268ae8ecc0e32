#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Pages of the origins that GenflowCorsOrigin names, and of no others, may read every answer: results,
# refusals, pictures, 304. A preflight is answered before httpd's authentication.
use Genflow::Test;

use Genflow::Httpd qw(accepted refused);

my $EXPOSED = 'ETag, Idempotency-Replayed, Location, Preference-Applied, RateLimit, RateLimit-Policy,'
    . ' Retry-After, retry-after-ms, x-fal-request-id, x-fal-request-timeout-type, x-request-id, x-should-retry';
my ($OURS, $OTHER) = ('https://studio.example', 'https://evil.example');

# ---- who may read ----

my $user = account(5);
my $made = ended($user, later($user, {}));
my ($picture) = $made->{imageUrl} =~ m{/generated(/.*)};
my @CALLS = (    # what, path, user, status
    ['an answer',                 '/getQuota',                 $user, 200],
    ['a status',                  "/neo-glitch/status?id=$made->{id}", $user, 200],
    ['no user',                   '/getQuota',                 undef, 401],
    ['an unknown generation',     '/neo-glitch/status?id=x',   $user, 404],
    ['nothing',                   '/nowhere',                  $user, 404],
    ['a wrong method',            '/neo-glitch/generate',      $user, 405],
    ['a picture',                 "/pictures$picture",         undef, 200],
    ['a picture that is not there', '/pictures/x',             undef, 404],
);
for my $call (@CALLS) {
    my ($what, $path, $who, $status) = @$call;
    my $res = from($OURS, GET => "/shared$path", user => $who);
    is $res->{status}, $status, "$what gets $status";
    is_deeply [cors($res)], [$OURS, 'true'], '... and a page of ours may read it';
    is_deeply [cors(from($OTHER, GET => "/shared$path", user => $who))], ['-', '-'], 'another may not';
    like $res->{headers}{vary}, qr/\bOrigin\b/, '... which Vary says to caches';
    is $res->{headers}{'access-control-expose-headers'},
        $EXPOSED, '... with all headers that it needs';
}
my @ORIGINS = (    # origin, may it read?
    ['https://app.example:8443',         1],
    ['https://app.example',              0],
    ['http://studio.example',            0],
    ['https://studio.example.evil',      0],
    ['https://sub.studio.example',       0],
    ['https://studio.example/',          0],
    ['HTTPS://STUDIO.EXAMPLE',           0],
    ['null',                             0],
    ['*',                                0],
    ['',                                 0],
);
for my $case (@ORIGINS) {
    my ($origin, $may) = @$case;
    is_deeply [cors(from($origin, GET => '/shared/health'))], $may ? [$origin, 'true'] : ['-', '-'],
        "'$origin' may " . ($may ? 'read' : 'not read');
}
my $silent = api(GET => '/shared/health');
is_deeply [cors($silent)], ['-', '-'], 'a request without Origin gets no CORS headers';
like $silent->{headers}{vary}, qr/\bOrigin\b/, '... but caches are';

my $open = from($OTHER, GET => '/open/health');
is_deeply [cors($open)], ['*', '-'], 'where * stands all may read, without cookies';
unlike $open->{headers}{vary} // '', qr/Origin/, '... the same answer for all';
my $closed = from($OURS, GET => '/api/health');
is_deeply [cors($closed), $closed->{headers}{vary}], ['-', '-', undef], 'without the directive none';

my $again = from($OURS, GET => "/shared/pictures$picture",
    headers => { 'If-None-Match' => api(GET => "/generated$picture")->{headers}{etag} });
is $again->{status}, 304, 'a picture that is known';
is_deeply [cors($again)], [$OURS, 'true'], '... may be read from the cache';
for my $case ([$OURS, '/shared', $OURS, 'true'], [$OTHER, '/shared', '-', '-'], [$OTHER, '/open', '*', '-'], [$OURS, '/api', '-', '-']) {
    my ($origin, $at, @may) = @$case;
    my $path   = $at eq '/shared' ? "/shared/pictures$picture" : "$at/assets/" . asset($at);
    my $beyond = from($origin, GET => $path, user => $user, headers => { Range => 'bytes=99999999-' });
    is $beyond->{status}, 416, "bytes behind the end of $at";
    is_deeply [cors($beyond)], \@may, '... may be read by the same pages';
    is $beyond->{headers}{vary} // '', $at eq '/shared' ? 'Origin' : '', '... which Vary says once';
}

# ---- preflights ----

my %PREFLIGHT = ('Access-Control-Request-Method' => 'POST',
    'Access-Control-Request-Headers' => 'authorization,content-type,idempotency-key,prefer');
for my $path (qw(/shared/neo-glitch/generate /shared/pictures/x /open/getQuota /basic/getQuota)) {
    my $res  = from($OURS, OPTIONS => $path, headers => \%PREFLIGHT);
    my $head = $res->{headers};
    is $res->{status}, 204, "a preflight of $path is answered to anybody";
    is_deeply [cors($res)], $path =~ /open/ ? ['*', '-'] : [$OURS, 'true'], '... a page of ours may';
    is $head->{'access-control-allow-methods'}, 'GET, HEAD, POST, PUT, PATCH, DELETE', '... by these methods';
    is $head->{'access-control-allow-headers'}, 'Authorization, Content-Type, Idempotency-Key,'
        . ' If-None-Match, Last-Event-ID, Prefer', '... with these headers';
    ok $head->{'access-control-max-age'} > 0, '... for a while';
}
my $SIX = 'Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer';
my @ASKED = (    # what a client of a front asks for, what it gets beside the six
    ['authorization,content-type,x-stainless-os,x-stainless-retry-count', ', x-stainless-os, x-stainless-retry-count'],
    ['authorization, x-fal-target-url, X-Fal-Queue-Priority', ', x-fal-target-url, X-Fal-Queue-Priority'],
    ['user-agent,api-key,prefer',                        ', user-agent, api-key'],
    ['x-fal-,x-falx,x-stainless,my-x-fal-a,api-keys,x',  ''],
    ["x-fal-a;b,x-fal-c",                           ', x-fal-a, x-fal-c'],
    [',,x-fal-' . 'a' x 100 . ',',                       ', x-fal-' . 'a' x 100],
);
for my $case (@ASKED) {
    my ($asked, $more) = @$case;
    my $res = from($OURS, OPTIONS => '/shared/getQuota',
        headers => { %PREFLIGHT, 'Access-Control-Request-Headers' => $asked });
    is $res->{headers}{'access-control-allow-headers'}, "$SIX$more", "a page that asks for '$asked'";
}
my $refused = from($OTHER, OPTIONS => '/shared/getQuota', headers => \%PREFLIGHT);
is_deeply [$refused->{status}, cors($refused), grep { /allow/ } keys %{ $refused->{headers} }],
    [204, '-', '-'], 'a page of another site gets no CORS headers';
error_is(from($OURS, OPTIONS => '/shared/getQuota'), 405, 'METHOD_NOT_ALLOWED',
    'an OPTIONS that is no preflight is like any method');
is from($OURS, OPTIONS => '/basic/getQuota')->{status}, 401, '... and needs a password where any does';
error_is(from($OURS, OPTIONS => '/api/getQuota', headers => \%PREFLIGHT), 405, 'METHOD_NOT_ALLOWED',
    'without the directive a preflight is no more');

my $unsigned = from($OURS, GET => '/basic/getQuota');
is "$unsigned->{status} " . join(' ', cors($unsigned)), "401 $OURS true",
    'a page may read the challenge of httpd';
is $unsigned->{headers}{'www-authenticate'}, 'Basic realm="genflow"', '... which it does';

# ---- the directive ----

accepted('any scheme', 'GenflowCorsOrigin capacitor://localhost https://[::1]:8443');
accepted('one for all, others inside',
    "GenflowCorsOrigin *\n<Location /x>\nGenflowCorsOrigin https://x.example\n</Location>\n");
my $HINT = 'must be an origin like';
refused("'$_'", "GenflowCorsOrigin \"$_\"\n", $HINT)
    for 'studio.example', 'https://', '://x', 'https://x.example/', 'https://*.example', 'null';
refused('* beside others', "GenflowCorsOrigin $_\n", 'stands alone')
    for '* https://x.example', 'https://x.example *';

finish;

# A request as the page of an origin makes it.
sub from {
    my ($origin, $method, $path, %option) = @_;
    my %headers = (%{ $option{headers} // {} }, Origin => $origin);
    return api($method => $path, %option, headers => \%headers);
}

# (who may read this answer, also with cookies?)
sub cors {
    my ($res) = @_;
    return map { $res->{headers}{"access-control-allow-$_"} // '-' } qw(origin credentials);
}

sub asset {
    my ($at) = @_;
    return data(api(POST => "$at/assets", user => $user, headers => { 'Content-Type' => 'image/png' }, body => png(3, 2)))->{id};
}
