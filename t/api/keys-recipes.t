#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# conf/genflow-keys.conf as it is shipped: people by a password or by OpenID, programs by a key, at one
# address. A key may stand in place of a password, or alone as the user name, and is then in no log.
use Genflow::Test;

use Digest::SHA qw(hmac_sha256);
use Genflow::Httpd qw(small_site);
use Genflow::Keys;
use MIME::Base64 qw(encode_base64url);

my $SHIPPED = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/conf/genflow-keys.conf");
my $ACCESS = "$ENV{GENFLOW_WORK}/t/logs/keys-recipes-$$.access";
my $SECRET = 'thirty-two bytes for HS256 tests';
my $user   = account(4);
grant('alice', 1);

my %key = (
    whole   => new_key($user),
    reader  => new_key($user, scopes => ['read']),
    alices  => new_key('alice'),
    revoked => new_key($user),
);
api(DELETE => "/api/keys/$key{revoked}{id}", user => $user);
my $admins = data(api(POST => '/admin/keys', headers => basic('admin', 'secret'),
    json => { user => 'alice', name => 'x', scopes => ['admin', 'read'] }));

# ---- people by a password ----

my $password = $SHIPPED =~ s{"/etc/apache2/users"}{"\${GENFLOW_WORK}/t/conf/users"}r;
my ($administration) = map { s/^#     //mgr } $SHIPPED =~ m{^(#     <Location "/admin">\n.*?^#     </Location>\n)}ms;
my $httpd = site($password . $administration);
talk_to($httpd);
my @CALLS = (    # what, headers, status, scheme of the challenge
    ['a password',                   basic('alice', 'secret'),           200],
    ['a wrong password',             basic('alice', 'guessed'),          401, 'Basic'],
    ['nobody',                       {},                                 401, 'Basic'],
    ['a key as Bearer',              bearer($key{whole}),                200],
    ['a key as Key',                 { Authorization => "key $key{whole}{key}" }, 200],
    ['a key as Token',               { Authorization => "Token $key{whole}{key}" }, 200],
    ['a key as api-key',             { 'api-key' => $key{whole}{key} },  200],
    ['a key alone in Basic',         basic($key{whole}, ''),             200],
    ['a key in place of a password', basic($user, $key{whole}),          200],
    ['one of a user of the file',    basic('alice', $key{alices}),       200],
    ['another user\'s key',          basic('alice', $key{whole}),        401, 'Basic'],
    ['a key with a password',        basic($key{whole}, 'secret'),       401, 'Basic'],
    ['a revoked one alone',          basic($key{revoked}, ''),           401, 'Basic'],
    ['a revoked one as a password',  basic($user, $key{revoked}),        401, 'Basic'],
    ['a mistyped one alone',         basic(misspelled($key{whole}), ''), 401, 'Basic'],
    ['a revoked one as Bearer',      bearer($key{revoked}),              401, 'Bearer'],
    ['a stranger as api-key',        { 'api-key' => stranger() },        401, 'Bearer'],
);
for my $call (@CALLS) {
    my ($what, $headers, $status, $scheme) = @$call;
    my $res = api(GET => '/api/getQuota', headers => $headers);
    is $res->{status}, $status, "$what: $status";
    next if $status == 200;
    is data($res)->{code}, 'AUTHENTICATION_REQUIRED', '... in our format';
    like $res->{headers}{'www-authenticate'}, qr/\A$scheme realm="pictures"/, '... with its challenge';
}
is data(api(GET => '/api/getQuota', headers => basic($key{whole}, '')))->{currentBalance}, 4, 'a key alone is its user';
error_is(api(POST => '/api/neo-glitch/generate', json => { prompt => 'x' }, headers => basic($user, $key{reader})),
    403, 'INSUFFICIENT_SCOPE', 'its scopes hold for Basic, too');

# ---- administration ----

my $list = api(GET => '/admin/users?limit=1', headers => bearer($admins));
is $list->{status}, 200, 'an administrator\'s key with the scope admin administers' or diag $list->{content};
my $refused = api(GET => '/admin/users', headers => bearer($key{alices}));
error_is($refused, 403, 'INSUFFICIENT_SCOPE', '... without it does not');
is data($refused)->{scope}, 'admin', '... and says what it lacks';
my $others = data(api(POST => '/admin/keys', headers => bearer($admins),
    json => { user => $user, name => 'x', scopes => ['admin'] }));
is $others->{code}, 'INSUFFICIENT_SCOPE', 'it makes no keys without the scope keys';

# ---- logs ----

my @secrets = map { $_->{key} } values %key, $admins;
my %log = (access => Genflow::Site::read_text($ACCESS), error => $httpd->log_text);
for my $name (sort keys %log) {
    is scalar(grep { index($log{$name}, substr $_, 16, 10) >= 0 } @secrets, misspelled($key{whole})), 0,
        "no key is in the $name log";
}
like $log{access}, qr/^\Q$user\E $key{whole}{id} 200$/m, 'the access log has the user of a key alone, and its id';
like $log{access}, qr/^gf_$key{revoked}{id}_\*{38} - 401$/m, '... of one that was refused the id';
$httpd->stop;

# ---- people by OpenID ----

my $oidc = $SHIPPED =~ s{OIDCOAuthVerifyJwksUri "[^"]+"}{OIDCOAuthVerifySharedKeys "plain##$SECRET"}r;
$httpd = site("LoadModule auth_openidc_module \"\${GENFLOW_LIBEXEC}/mod_auth_openidc.so\"\nDefine GENFLOW_KEYS_OIDC\n$oidc");
talk_to($httpd);
for my $call (
    ['a token',           { Authorization => 'Bearer ' . token($user) },         200],
    ['a forged token',    { Authorization => 'Bearer ' . token($user) . 'x' },   401],
    ['a key as Bearer',   bearer($key{whole}),                                   200],
    ['a key as Key',      { Authorization => "Key $key{whole}{key}" },           200],
    ['a key as api-key',  { 'api-key' => $key{whole}{key} },                     200],
    ['a revoked key',     bearer($key{revoked}),                                 401],
    ['nobody',            {},                                                    401]) {
    my ($what, $headers, $status) = @$call;
    my $res = api(GET => '/api/getQuota', headers => $headers);
    is $res->{status}, $status, "with OpenID, $what: $status";
    is data($res)->{ $status == 200 ? 'currentBalance' : 'code' }, $status == 200 ? 4 : 'AUTHENTICATION_REQUIRED',
        '... is its user, or refused in our format';
}
talk_to();
unlink $ACCESS;
finish;

sub site {
    my ($recipe) = @_;
    unlink $ACCESS;
    return Genflow::Httpd->start(small_site() . <<"END");
GenflowLimitKeyRate 1000/1s 100000
CustomLog "$ACCESS" "%u %{genflow_key}n %>s"
$recipe
END
}

# A JWT of that subject.
sub token {
    my ($subject) = @_;
    my $text = join '.', map { encode_base64url($_) } '{"alg":"HS256","typ":"JWT"}',
        sprintf '{"sub":"%s","iat":%d,"exp":%d}', $subject, time - 10, time + 600;
    return "$text." . encode_base64url(hmac_sha256($text, $SECRET));
}
