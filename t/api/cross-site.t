#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A page of another site cannot change anything with the cookies and passwords that a browser adds:
# its Origin, or Sec-Fetch-Site, refuses the request before anything happens, unless GenflowCorsOrigin
# names it. A request with a token in Authorization is allowed: no browser adds one by itself. The same for genflow-admin.
use Genflow::Admin;
use Genflow::Test;

use Genflow::Httpd qw(small_site);

my ($OURS, $EVIL) = ('https://studio.example', 'https://evil.example');
my $user = account(40);
my %CROSS = ('Sec-Fetch-Site' => 'cross-site');
my $HOST  = base();

# ---- who may ----

my @REQUESTS = (    # below, headers, may it
    ['/api',    {},                                                     1, 'no browser'],
    ['/api',    { Origin => $HOST },                                    1, 'a page of this host'],
    ['/api',    { Origin => uc $HOST },                                 1, '... in capitals'],
    ['/api',    { Origin => $HOST =~ s/http/https/r },                  1, '... behind a TLS proxy'],
    ['/api',    { Origin => $HOST, 'Sec-Fetch-Site' => 'same-origin' }, 1, '... by Sec-Fetch-Site'],
    ['/api',    { Origin => 'null', 'Sec-Fetch-Site' => 'same-origin' }, 1, '... that hides its origin'],
    ['/api',    { 'Sec-Fetch-Site' => 'none' },                         1, 'the address bar'],
    ['/api',    { Origin => $EVIL },                                    0, 'another site'],
    ['/api',    { Origin => 'null' },                                   0, 'a sandbox (null)'],
    ['/api',    { Origin => "$HOST.evil.example" },                     0, 'a host that begins as ours'],
    ['/api',    { Origin => "http://evil$HOST" },                       0, 'one that ends as ours'],
    ['/api',    { Origin => $HOST =~ s/:\d+\z//r },                     0, 'another port'],
    ['/api',    { Origin => 'http://sub.127.0.0.1', 'Sec-Fetch-Site' => 'same-site' }, 0, 'same-site'],
    ['/api',    { Origin => '' },                                       0, 'an empty origin'],
    ['/api',    {%CROSS},                                               0, 'Sec-Fetch-Site alone'],
    ['/api',    { %CROSS, Origin => $EVIL },                            0, 'both'],
    ['/api',    { %CROSS, Origin => $OURS },                            0, 'an origin that is not named'],
    ['/shared', { %CROSS, Origin => $OURS },                            1, 'an origin that is named'],
    ['/shared', { %CROSS, Origin => $EVIL },                            0, 'one that is not'],
    ['/open',   { %CROSS, Origin => $EVIL },                            0, '* names no origin'],
);
for my $case (@REQUESTS) {
    my ($below, $headers, $may, $who) = @$case;
    my $res = reserve($below, $headers);
    $may ? is($res->{status}, 200, "$who may")
        : error_is($res, 403, 'UNAUTHORIZED', "$who may not");
}
for my $token ('Bearer abc', 'bearer abc', 'Key abc', 'Token abc') {
    is reserve('/api', { %CROSS, Origin => $EVIL, Authorization => $token })->{status}, 200,
        "a request with '$token' may";
}
for my $other ('Basic YTpi', 'Digest a', 'Bearer', 'Bearerish x', 'Keyed x') {
    error_is(reserve('/api', { %CROSS, Authorization => $other }), 403, 'UNAUTHORIZED',
        "'$other' is no token");
}

# ---- what ----

my $id = later($user, { prompt => 'a cat {{poll-hang}}' });
my @CHANGES = (
    [POST   => '/neo-glitch/generate'], [POST => '/generation/create'], [POST => '/generate'],
    [POST   => "/generation/$id/cancel"], [DELETE => "/generation/$id"], [POST => "/job/$id/cancel"],
    [POST   => "/generation/$id/retry"], [POST => '/credits-reserve'], [POST => '/credits-finalize'],
    [POST   => '/templates'], [DELETE => "/templates/$id"], [POST => '/assets'],
    [DELETE => "/assets/$id"], [POST => '/delete-media'],
);
for my $change (@CHANGES) {
    my ($method, $path) = @$change;
    error_is(api($method => "/api$path", user => $user, json => {}, headers => {%CROSS}), 403,
        'UNAUTHORIZED', "$method $path is refused to a page of another site");
}
is status_of($user, $id)->{status}, 'processing', 'nothing came of it';
is api(GET => '/api/getQuota', user => $user, headers => { %CROSS, Origin => $EVIL })->{status}, 200,
    'what changes nothing is answered: the page may not read it';
is api(POST => '/api/hook/nobody/x/y', json => {}, headers => {%CROSS})->{status}, 404,
    "a provider's report goes by its own signature";
api(POST => "/api/generation/$id/cancel", user => $user);

# ---- administration ----

expect_log('GF0171');
my %gift = (userId => $user, amount => 1, reason => 'a theft', reference => "theft of $user");
for my $headers ({%CROSS}, { Origin => 'null' }, { Origin => "https://$user.example" }) {
    error_is(admin(POST => '/credits', json => \%gift, headers => $headers), 403, 'UNAUTHORIZED',
        'administration takes nothing from another site: ' . join ' ', %$headers);
}
is admin(POST => '/credits', json => \%gift, headers => { 'Sec-Fetch-Site' => 'same-origin' })->{status},
    200, '... and what its own pages send';
is admin(GET => '/stats', headers => {%CROSS})->{status}, 200, '... and gets the figures';

# ---- behind a proxy ----

my $behind = Genflow::Httpd->start(small_site() . <<'END');
GenflowPublicUrl https://pictures.example/api
Include "${GENFLOW_WORK}/t/conf/api.conf"
END
talk_to($behind);
is reserve('/api', { Origin => 'https://pictures.example' })->{status}, 200,
    'the origin of GenflowPublicUrl is our own';
is reserve('/api', { %CROSS, Origin => 'https://pictures.example' })->{status}, 200,
    '... though the browser finds it at another host than we do';
error_is(reserve('/api', { Origin => 'http://pictures.example' }), 403, 'UNAUTHORIZED',
    '... by its scheme');
error_is(reserve('/api', { Origin => 'https://pictures.example:444' }), 403, 'UNAUTHORIZED',
    '... and port');
$behind->stop;

my %FRONT = (Origin => 'https://front.example', 'X-Forwarded-Host' => 'front.example');
for my $case (['127.0.0.1', 200, 'the address of a trusted proxy counts'], ['192.0.2.1', 403, 'the address of another host does not']) {
    my ($trusted, $status, $who) = @$case;
    my $proxied = Genflow::Httpd->start(small_site() . <<"END");
LoadModule remoteip_module "$ENV{GENFLOW_LIBEXEC}/mod_remoteip.so"
RemoteIPHeader X-Forwarded-For
RemoteIPInternalProxy $trusted
Include "\${GENFLOW_WORK}/t/conf/api.conf"
END
    talk_to($proxied);
    is reserve('/api', { %FRONT, 'X-Forwarded-For' => '198.51.100.7' })->{status}, $status,
        "$who under which origin we are found";
    $proxied->stop;
}
talk_to();
finish;

my $reserved;

sub reserve {
    my ($below, $headers) = @_;
    my %body = (action => 'image.gen', request_id => "$user-" . ++$reserved, cost => 1);
    return api(POST => "$below/credits-reserve", user => $user, json => \%body, headers => $headers);
}
