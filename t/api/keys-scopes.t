#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What a key may do: its scopes decide route by route, its types what it creates, and it makes no key that
# may do more. In <If>, <LocationMatch> and a nested <Location>, for the API, administration, pictures and
# the fronts, a key is asked for, and its scopes hold.
use Genflow::Test;

use Genflow::Httpd qw(small_site);
use Genflow::Keys;

my $user = account(20);
my %SECTIONS = (    # how a section asks for a key => what stands around it
    If       => ["<Location \"%s\">\n    %s\n    <If \"true\">\n", "    </If>\n</Location>\n"],
    Match    => ["<Location \"%s\">\n    %s\n</Location>\n<LocationMatch \"^%s\">\n", "</LocationMatch>\n"],
    Nested   => ["<Location \"%s\">\n    %s\n    AuthType None\n    Require all granted\n</Location>\n<Location \"%s/\">\n", "</Location>\n"],
);
my %HANDLERS = (    # handler => [path that a key may have, with the scopes it needs]
    'api'       => ['/getQuota', 'read'],
    'admin'     => ['/jobs', 'admin'],
    'result'    => ['/neo-glitch/aa/none.png', 'read'],
    'openai'    => ['/models', 'read'],
    'replicate' => ['/account', 'read'],
    'fal'       => ['/queue/studio/picture/requests/01a1fe1d-7cb6-7b32-8952-3100505e2d45/status', 'read'],
);
my @FRONTS = qw(openai replicate fal);
my $text = small_site() . "GenflowLimitKeyRate 1000/1s 100000\n";
for my $section (sort keys %SECTIONS) {
    for my $handler (sort keys %HANDLERS) {
        my ($head, $tail) = @{ $SECTIONS{$section} };
        my $path = '/' . lc($section) . "-$handler";
        my $model = (grep { $_ eq $handler } @FRONTS) ? "\n    GenflowModel studio/picture neo-glitch preset=base" : '';
        $head =~ s/%s/$path/;
        $head =~ s/%s/SetHandler genflow-$handler$model/;
        $head =~ s/%s/$path/g;
        my $who = $handler eq 'admin' ? "user $user" : 'valid-user';
        $text .= "$head    AuthType GenflowKey\n    AuthName x\n    Require $who\n$tail";
    }
}
my $httpd = Genflow::Httpd->start($text . <<'END');
<GenflowType sketch>
    GenflowTypeProviders stability/sd3
    GenflowTypeCost 1
</GenflowType>
<Location "/api">
    SetHandler genflow-api
    AuthType GenflowKey
    Require valid-user
</Location>
<Location "/scoped">
    SetHandler genflow-api
    AuthType GenflowKey
    AuthzSendForbiddenOnFailure On
    Require genflow-scope keys images
</Location>
<Location "/scoped401">
    SetHandler genflow-api
    AuthType GenflowKey
    Require genflow-scope keys
</Location>
END
my @ALL = qw(images read keys);
my %key = map { $_ => new_key($user, scopes => [$_]) } @ALL;
$key{all} = new_key($user, scopes => \@ALL);
$key{admin} = data(api(POST => '/admin/keys', headers => basic('admin', 'secret'),
    json => { user => $user, name => 'x', scopes => ['admin'] }));
$key{master} = data(api(POST => '/admin/keys', headers => basic('admin', 'secret'),
    json => { user => $user, name => 'x', scopes => ['admin', @ALL] }));
my $typed  = new_key($user, types => ['sketch'], scopes => \@ALL);
my $poor   = new_key($user, budget => 3, scopes => \@ALL);
my $ending = new_key($user, expiresAt => '2099-01-01T00:00:00Z', scopes => \@ALL);
talk_to($httpd);

# ---- sections ----

my $needed = { read => 'read', admin => 'admin' };
for my $section (sort keys %SECTIONS) {
    for my $handler (sort keys %HANDLERS) {
        my ($path, $scope) = @{ $HANDLERS{$handler} };
        my $place = '/' . lc($section) . "-$handler$path";
        my %status = map { $_ => api(GET => $place, headers => $key{$_} ? bearer($key{$_}) : {})->{status} }
            'none', 'images', $scope;
        my $open = { api => 200, admin => 200, result => 404, openai => 200, replicate => 200, fal => 404 }->{$handler};
        is_deeply \%status, { none => 401, images => 403, $scope => $open }, "$section asks for a key with $scope: $handler";
        is api(GET => $place, headers => bearer(stranger()))->{status}, 401, '... that is known';
    }
}
for my $front (@FRONTS) {
    my $res = api(GET => "/if-$front$HANDLERS{$front}[0]", headers => bearer(stranger()));
    like $res->{headers}{'www-authenticate'}, qr/\ABearer .*invalid_token/, "the challenge is there at $front";
    ok !exists data($res)->{success}, '... and its own shape of errors' or diag $res->{content};
}

# ---- scopes, route by route ----

my $id = '01a1fe1d-7cb6-7b32-8952-3100505e2d45';
my @ROUTES = (    # method, path, the scope
    [GET => '/api/getQuota', 'read'], [POST => '/api/getQuota', 'read'], [GET => '/api/generations', 'read'],
    [GET => "/api/generation/$id", 'read'], [GET => "/api/neo-glitch/status?id=$id", 'read'],
    [POST => '/api/neo-glitch/status', 'read'], [GET => '/api/credits', 'read'], [GET => '/api/presets', 'read'],
    [POST => '/api/neo-glitch/generate', 'images'], [POST => '/api/generation/create', 'images'],
    [DELETE => "/api/generation/$id", 'images'], [POST => "/api/generation/$id/cancel", 'images'],
    [POST => "/api/job/$id/retry", 'images'], [POST => '/api/credits-reserve', 'images'],
    [POST => '/api/templates', 'images'], [DELETE => "/api/assets/$id", 'images'], [POST => '/api/assets', 'images'],
    [GET => '/api/webhook-secret', 'images'],
    [GET => '/api/keys', 'keys'], [POST => '/api/keys', 'keys'], [DELETE => '/api/keys/aaaaaaaaaaaa', 'keys'],
);
for my $route (@ROUTES) {
    my ($method, $path, $scope) = @$route;
    for my $have (@ALL) {
        my $res = api($method => $path, headers => bearer($key{$have}), $method eq 'POST' ? (json => {}) : ());
        if ($have eq $scope) {
            isnt data($res)->{code} // '', 'INSUFFICIENT_SCOPE', "$method $path takes $scope";
        }
        else {
            error_is($res, 403, 'INSUFFICIENT_SCOPE', "... not $have");
            is data($res)->{scope}, $scope, '... and says so';
        }
    }
}
is api(GET => '/scoped/getQuota', headers => bearer($key{all}))->{status}, 200, 'Require genflow-scope admits one of its scopes';
error_is(api(GET => '/scoped/getQuota', headers => bearer($key{read})), 403, 'INSUFFICIENT_SCOPE', '... and no other');
is api(GET => '/scoped401/getQuota', headers => bearer($key{read}))->{status}, 401,
    'without AuthzSendForbiddenOnFailure httpd says 401';

# ---- types ----

is api(POST => '/api/sketch/generate?dryRun=1', headers => bearer($typed), json => { prompt => 'x', presetKey => 'base' })->{status},
    200, 'a key creates generations of its type';
my $res = api(POST => '/api/neo-glitch/generate', headers => bearer($typed), json => { prompt => 'x', presetKey => 'base' });
error_is($res, 403, 'INSUFFICIENT_SCOPE', '... and of no other');
credits_are $user, 20, 0, '... for which nothing is held';

# ---- keys by a key ----

my @MAKE = (    # what, the key, the body, status
    ['what it may do itself',      $key{all},    { scopes => ['read', 'images'] },         201],
    ['a limited one',              $key{all},    { budget => 5, types => ['sketch'] },     201],
    ['a further scope',            $key{keys},   { scopes => ['keys', 'read'] },           403],
    ['the usual scopes',           $key{keys},   {},                                       403],
    ['itself',                     $key{keys},   { scopes => ['keys'] },                   201],
    ['from one with a budget',     $poor,        { scopes => ['read'] },                   403],
    ['... with a smaller one',     $poor,        { scopes => ['read'], budget => 1 },      403],
    ['from one that expires',      $ending,      { scopes => ['read'] },                   403],
    ['of all types, from one of some', $typed,   { scopes => ['read'] },                   403],
    ['of other types',             $typed,       { scopes => ['read'], types => ['neo-glitch'] }, 403],
    ['of its types',               $typed,       { scopes => ['read'], types => ['sketch'] },     201],
    ['for administration',         $key{master}, { scopes => ['admin'] },                  422],
);
for my $case (@MAKE) {
    my ($what, $with, $body, $status) = @$case;
    my $made = api(POST => '/api/keys', headers => bearer($with), json => { name => 'made', %$body });
    is $made->{status}, $status, "a key makes $what: $status" or diag $made->{content};
    is data($made)->{createdBy}, $with->{id}, '... and is named in it' if $status == 201;
}

is $httpd->alarms, '', 'nothing was wrong with any of it';
talk_to();
finish;
