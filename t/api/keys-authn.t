#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# AuthType GenflowKey: a key in each of the five ways is its user, who Require, GenflowUser and the
# access log see. What is no valid key is 401 with the challenge of RFC 6750, in our format, and costs
# its address a token. No key is in a log.
use Genflow::Test;

use Digest::SHA ();
use Genflow::Httpd qw(small_site refused);
use Genflow::Keys;

my $LOGS = "$ENV{GENFLOW_WORK}/t/logs";
my $ACCESS = "$LOGS/keys-authn-$$.access";
my ($user, $other) = (account(9), account(9));
my $httpd = Genflow::Httpd->start(small_site() . <<"END");
LogLevel trace3 genflow:debug
GenflowLimitKeyRate 1000/1s 100000
CustomLog "$ACCESS" "%U %>s user=%u key=%{genflow_key}n"
LoadModule proxy_module "\${GENFLOW_LIBEXEC}/mod_proxy.so"
LoadModule proxy_http_module "\${GENFLOW_LIBEXEC}/mod_proxy_http.so"
ProxyPass "/through" "http://127.0.0.1:\${OWN_PORT}/api"
<Location "/passwords">
    AuthType Basic
    AuthName "pictures"
    AuthBasicProvider file
    AuthUserFile "/dev/null"
    Require valid-user
</Location>
ExtendedStatus On
<Location "/server-status">
    SetHandler server-status
</Location>
<Location "/api">
    SetHandler genflow-api
    AuthType GenflowKey
    AuthName "pictures"
    Require valid-user
</Location>
<Location "/theirs">
    SetHandler genflow-api
    AuthType genflowkey
    Require user $user
</Location>
<Location "/prefixed">
    SetHandler genflow-api
    AuthType GenflowKey
    Require valid-user
    GenflowUser "of-%{REMOTE_USER}"
</Location>
<Location "/foreign">
    AuthType GenflowKey
    AuthName "a \\"quoted\\" name"
    Require valid-user
    SetHandler server-status
</Location>
<Location "/open">
    SetHandler genflow-api
    GenflowUser "%{HTTP:X-User}"
</Location>
END

my $mine    = new_key($user);
my $theirs  = new_key($other);
my $revoked = new_key($user);
my $expired = new_key($user, expiresAt => in_seconds(1));
my @secrets = map { $_->{key} } $mine, $theirs, $revoked, $expired;
is api(DELETE => "/api/keys/$revoked->{id}", user => $user)->{status}, 200, 'a key is revoked';
talk_to($httpd);

# ---- who may come in ----

for my $way (five_ways($mine)) {
    my ($what, $headers) = @$way;
    my $res = get('/api/getQuota', $headers);
    is_deeply [$res->{status}, data($res)->{currentBalance}], [200, 9], "a key is its user: $what";
    my %lower = map { lc($_) => $headers->{$_} =~ s/\A(\w+ )/lc $1/er } keys %$headers;
    is get('/api/getQuota', \%lower)->{status}, 200, '... in small letters' if $what ne 'api-key';
    error_is(get('/theirs/getQuota', $headers), 401, 'AUTHENTICATION_REQUIRED', 'nobody else')
        if $what eq 'nothing';
    is get('/theirs/getQuota', $headers)->{status}, 200, '... whom Require user admits';
    my %both = (%$headers, $what eq 'api-key' ? () : ('api-key' => $theirs->{key}));
    is data(get('/api/getQuota', \%both))->{currentBalance}, 9, '... before a second one' if $what ne 'api-key';
}
is get('/theirs/getQuota', bearer($theirs))->{status}, 401, 'another user is not admitted there';
is data(get('/prefixed/getQuota', bearer($mine)))->{currentBalance}, 0, 'GenflowUser makes of it what it says';
is data(api(GET => '/open/getQuota', user => $other, headers => bearer($mine)))->{currentBalance}, 9,
    'where nobody has to sign in, a key is nothing';
my $made = data(api(POST => '/api/neo-glitch/generate', json => { prompt => "of $user", presetKey => 'base' },
    headers => { %{ bearer($mine) }, Prefer => 'respond-async' }));
is $made->{userId}, $user, 'a picture is made for its user';
is get('/foreign', bearer($mine))->{status}, 200, 'a page of httpd is protected, too';

# ---- who may not ----

ok wait_for(sub { sql1("SELECT expires_at < clock_timestamp() FROM genflow.api_keys WHERE id = :'id'",
    id => $expired->{id}) eq 't' }), 'a key expires';
my @BAD = (    # what, key, code
    ['one that nobody made',        stranger(),                         'AUTHENTICATION_REQUIRED'],
    ['one of a known id',           stranger($mine->{id}),              'AUTHENTICATION_REQUIRED'],
    ['a mistyped one',              misspelled($mine),                  'AUTHENTICATION_REQUIRED'],
    ['one that was cut',            substr($mine->{key}, 0, 53),        'AUTHENTICATION_REQUIRED'],
    ['one that is longer',          "$mine->{key}x",                    'AUTHENTICATION_REQUIRED'],
    ['one in small letters',        lc $mine->{key},                    'AUTHENTICATION_REQUIRED'],
    ['one with a blank in it',      $mine->{key} =~ s/(?=.{20}\z)/ /r,  'AUTHENTICATION_REQUIRED'],
    ['two at once',                 "$mine->{key}, $theirs->{key}",     'AUTHENTICATION_REQUIRED'],
    ['an id alone',                 $mine->{id},                        'AUTHENTICATION_REQUIRED'],
    ['a JWT',                       'eyJhbGciOiJub25lIn0.e30.',         'AUTHENTICATION_REQUIRED'],
    ['8 kB',                        'gf_' . 'x' x 5000,                 'AUTHENTICATION_REQUIRED'],
    ['a hash of a key',             Digest::SHA::sha256_hex($mine->{key}), 'AUTHENTICATION_REQUIRED'],
    ['a revoked one',               $revoked->{key},                    'AUTHENTICATION_REQUIRED'],
    ['an expired one',              $expired->{key},                    'TOKEN_EXPIRED'],
);
for my $case (@BAD) {
    my ($what, $key, $code) = @$case;
    for my $way (five_ways($key)) {
        my ($how, $headers) = @$way;
        my $res = get('/api/getQuota', $headers);
        invalid_key_is($res, $code, "$what is refused: $how");
    }
    push @secrets, $key if length $key > 20 && $what ne '8 kB';
}
my $res = get('/api/getQuota', {});
error_is($res, 401, 'AUTHENTICATION_REQUIRED', 'without a key there is nothing');
is $res->{headers}{'www-authenticate'}, 'Bearer realm="pictures"', '... and the challenge names no error';
$res = get('/api/getQuota', basic('alice', 'secret'));
is $res->{headers}{'www-authenticate'}, 'Bearer realm="pictures"', 'a password is no key';
is get('/api/getQuota', basic($mine, 'x'))->{status}, 401, 'a key with a password is none';
is get('/api/getQuota', { Authorization => $_ })->{status}, 401, "nor is '$_'"
    for 'Bearer', 'Bearer ', 'Basic', 'Basic !!!', 'Basic Og==', "Digest $mine->{key}", $mine->{key};
$res = get('/foreign', bearer(stranger()));
is $res->{status}, 401, 'a page of httpd is closed';
like $res->{headers}{'www-authenticate'}, qr/\ABearer realm="a \\"quoted\\" name", error="invalid_token"/,
    '... with a well-formed challenge';
like $res->{content}, qr/<html>/i, '... by the page of httpd';
my $head = api(HEAD => '/api/getQuota', headers => bearer(stranger()));
is_deeply [$head->{status}, $head->{content} // ''], [401, ''], 'a HEAD request gets the head';
is api(GET => '/api/health', headers => bearer(stranger()))->{status}, 200, 'health needs none';

# ---- as a user name, where no key is asked for ----

is get('/passwords/x', basic($mine, ''))->{status}, 401, 'a place of passwords takes no key as a user name';
is get('/passwords/x', basic($mine, 'x'))->{status}, 401, '... nor with a password';
is get('/nothing-here', basic($mine, ''))->{status}, 403, '... and a place without sign-in does not look at it';
$res = get('/through/getQuota', basic($mine, ''));
is $res->{status}, 200, 'a server behind this one gets the key as it was sent' or diag $res->{content};

# ---- what is left behind ----

my $access = Genflow::Site::read_text($ACCESS);
like $access, qr{^/api/getQuota 200 user=\Q$user\E key=$mine->{id}$}m, 'the access log has the user, and the id of the key';
like $access, qr{^/api/getQuota 401 user=- key=-$}m, '... of one that is not valid it has nothing';
my $status = get('/server-status?auto', {})->{content} . get('/server-status', {})->{content};
my %files = (access => $access, error => $httpd->log_text, 'server-status' => $status);
for my $name (sort keys %files) {
    my @found = grep { index($files{$name}, substr $_, 16, 12) >= 0 } @secrets;
    is "@found", '', "no key is in $name";
}
like $files{error}, qr/AH01618: user gf_$mine->{id}_\*+ not found/, '... of one in the place of a user name it has the id';
like $files{error}, qr/API key $revoked->{id}: revoked/, 'the log says which was revoked';
like $files{error}, qr{/foreign[^\n]*API key \w{12}: unknown}, '... also for pages of httpd';
is sql1("SELECT used_at = date_trunc('minute', used_at) AND used_at > clock_timestamp() - interval '3 minutes'
           FROM genflow.api_keys WHERE id = :'id'", id => $mine->{id}), 't', 'its last use is recorded, to the minute';
is sql1("SELECT count(*) FROM genflow.api_keys WHERE id IN (:'a', :'b') AND used_at IS NOT NULL",
    a => $revoked->{id}, b => $expired->{id}), 0, '... not that of one that was refused';

# ---- too many ----

my $strict = Genflow::Httpd->start(small_site() . <<"END");
GenflowLimitKeyRate 1/1h 5
# a child remembers the keys that it knows
ServerLimit 1
MaxRequestWorkers 25
LoadModule remoteip_module "\${GENFLOW_LIBEXEC}/mod_remoteip.so"
RemoteIPHeader X-Client
<Location "/api">
    SetHandler genflow-api
    AuthType GenflowKey
    AuthName "pictures"
    Require valid-user
</Location>
END
talk_to($strict);
is from('192.0.2.1', $mine)->{status}, 200, 'a key is known';
is from('192.0.2.1', stranger())->{status}, 401, "unknown key $_ of an address is 401" for 1 .. 5;
$res = from('192.0.2.1', stranger());
error_is($res, 429, 'RATE_LIMIT', 'the next is not even looked for');
cmp_ok $res->{headers}{'retry-after'}, '>', 3000, '... and says when it would be';
is from('192.0.2.2', stranger())->{status}, 401, 'another address has a rate of its own';
is from('192.0.2.1', $mine)->{status}, 200, 'a key that is known is admitted still';
sleep 5 * 1.1;         # GF_KEY_AGE: it is read again
is from('192.0.2.1', $mine)->{status}, 200, '... also when it has to be read again';
is $strict->alarms, '', 'nothing is wrong with that';

refused('a rate in words', "GenflowLimitKeyRate often\n", 'must be number/period');
refused("Require genflow-scope $_->[0]", "<Location /x>\n    Require genflow-scope $_->[0]\n</Location>\n", $_->[1])
    for ['', 'needs a scope'], ['all', 'must be images, read, keys or admin'], ['read write', 'genflow-scope write'];

is $httpd->alarms, '', 'nothing was wrong with any of it';
talk_to();
unlink $ACCESS;
finish;

sub get {
    my ($path, $headers) = @_;
    return api(GET => $path, headers => $headers);
}

sub from {
    my ($address, $key) = @_;
    return get('/api/getQuota', { %{ bearer($key) }, 'X-Client' => $address });
}

sub in_seconds {
    my ($seconds) = @_;
    return sql1("SELECT to_char((clock_timestamp() + make_interval(secs => :'s')) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
        s => $seconds);
}
