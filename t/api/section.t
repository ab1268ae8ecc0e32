#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# The API, administration and pictures stand where the <Location> that set their handler says, whatever
# other sections (<If>, <LocationMatch>, a <Location> inside) say about the same requests.
use Genflow::Test;

use Genflow::Admin;
use Genflow::Httpd;
use JSON::PP qw(encode_json);

my $user  = account(3);
my $httpd = Genflow::Httpd->start(Genflow::Httpd::small_site() . <<'END');
<Location "/api">
    SetHandler genflow-api
    GenflowUser "%{HTTP:X-User}"
</Location>
<Location "/slash/">
    SetHandler genflow-api
</Location>
<Location "/generated">
    SetHandler genflow-result
</Location>
Include "${GENFLOW_WORK}/t/conf/admin.conf"
<If "%{HTTP:X-If} == 'yes'">
    FileETag None
</If>
<LocationMatch "\.png$">
    FileETag None
</LocationMatch>
<LocationMatch "^/(api|admin|generated)/[^/]+">
    FileETag None
</LocationMatch>
<Location "/api/health">
    FileETag None
</Location>
<Location "/api/hook">
    <If "true">
        FileETag None
    </If>
</Location>
<Location "/admin/jobs">
    FileETag None
</Location>
<Location "/inside">
    <If "%{REQUEST_METHOD} == 'GET'">
        SetHandler genflow-api
    </If>
</Location>
END

my $made = data(request(POST => '/api/neo-glitch/generate', { 'X-User' => $user }, 'yes',
    { prompt => 'a cat', presetKey => 'base' }));
is $made->{status}, 'completed', 'a generation is made inside of <If>';
my ($picture) = $made->{imageUrl} =~ m{(/generated/.*)};

my $unknown = '/api/hook/stability/01a1fc7d-bbf5-7c3a-8e9f-0100824fa663/' . 'a' x 32;
my @CASES = (    # what, method, path, headers, status
    ['health, with a <Location> of its own', GET  => '/api/health',      {}, 200],
    ['a hook, with a <Location> of its own', POST => $unknown,           {}, 404],
    ['the API below a <LocationMatch>',      GET  => '/api/getQuota',    { 'X-User' => $user }, 200],
    ['a picture below <LocationMatch .png>', GET  => $picture,           {}, 200],
    ['administration, with one inside',      GET  => '/admin/jobs',      signed_in('admin'), 200],
    ['administration below <LocationMatch>', GET  => '/admin/providers', signed_in('admin'), 200],
    ['a handler that an <If> gives',         GET  => '/inside/health',   {}, 200],
    ['a <Location> that ends in a slash',    GET  => '/slash/health',    {}, 200],
);
for my $case (@CASES) {
    my ($what, $method, $path, $headers, $status) = @$case;
    for my $if ('yes', 'no') {
        my $res = request($method, $path, $headers, $if);
        is $res->{status}, $status, "$what is served (X-If: $if)" or diag $res->{content};
    }
}
is $httpd->alarms, '', 'nothing is wrong about it';

finish();

sub request {
    my ($method, $path, $headers, $if, $body) = @_;
    my %request = (headers => { %$headers, 'X-If' => $if });
    if ($body) {
        $request{headers}{'Content-Type'} = 'application/json';
        $request{content} = encode_json($body);
    }
    return Genflow::Test::client()->request($method, $httpd->base . $path, \%request);
}
