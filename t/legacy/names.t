#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# conf/genflow-legacy.conf as shipped, with its recipe for tokens: a JWT of the older systems names the
# user, what is no such token is refused, and pages of every site may read each response. Only the
# names of the file are served; a site's own functions beside them stay its own.
use Genflow::Test;

use Digest::SHA qw(hmac_sha256);
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);

use Genflow::Httpd qw(small_site);
use Genflow::Site ();

my $OLD  = '/.netlify/functions';
my $KEY  = 'thirty-two bytes for HS256 tests';
my $JSON = JSON::PP->new->utf8->canonical;

# ---- the recipe, as the file has it ----

my $file   = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/conf/genflow-legacy.conf");
my $recipe = join '', map { "$_\n" } $file =~ /^#     (.*)$/mg;
$recipe =~ s{^Include conf/}{Include "\${GENFLOW_WORK}/conf/"}m;
$recipe =~ s{conf/"genflow}{conf/genflow}; $recipe =~ s{(genflow-legacy\.conf)$}{$1"}m;
$recipe =~ s{"http://127\.0\.0\.1:8888/verify-otp"}{"$ENV{GENFLOW_FAKE}/_keys"};
$recipe =~ s/^GenflowCreditInitial .*\n//m;          # of guests; what the site's database grants counts
is scalar(() = $recipe =~ /^OIDC|AuthType oauth20|^ +Require expr/mg), 4, 'the file has a recipe';
like $recipe, qr{^ProxyPass "$OLD/verify-otp" "$ENV{GENFLOW_FAKE}}m, '... and a function of the site';

local $ENV{LEGACY_JWT_SECRET} = $KEY;
my $httpd = Genflow::Httpd->start(small_site() . <<"END");
GenflowDispatch Off
LoadModule auth_openidc_module "\${GENFLOW_LIBEXEC}/mod_auth_openidc.so"
LoadModule proxy_module "\${GENFLOW_LIBEXEC}/mod_proxy.so"
LoadModule proxy_http_module "\${GENFLOW_LIBEXEC}/mod_proxy_http.so"
$recipe
END
talk_to($httpd);

# ---- users ----

my $user = account(9);
my $good = token({ userId => $user });
my $res  = from($good, POST => 'neo-glitch-generate', { prompt => 'a cat', presetKey => 'base', userId => 'x' });
is_deeply [$res->{status}, @{ data($res) }{qw(status userId)}], [200, 'completed', $user],
    'the claim userId is the user' or diag $res->{content};
credits_are $user, 8, 0, '... who pays';
is from(token({ userId => $user, sub => 'x', id => 'y', email => 'a@b.c' }), GET => 'getQuota')->{status}, 200,
    'whatever else is in the token';

my $other = account(5);
my @head  = split /\./, $good;
my @BAD = (    # what, token
    ['no token',              undef],
    ['no JWT',                'x.y.z'],
    ['alg none',              token({ userId => $user }, alg => 'none')],
    ['alg none, signed',      token({ userId => $user }, alg => 'none', signed => 1)],
    ['RS256',                 token({ userId => $user }, alg => 'RS256')],
    ['HS512 of the same key', token({ userId => $user }, alg => 'HS512')],
    ['a wrong secret',        token({ userId => $user }, key => 'x' x 32)],
    ['another user put in',   join '.', $head[0], encode_base64url(qq({"userId":"$other","exp":9999999999})), $head[2]],
    ['no exp',                token({ userId => $user }, exp => undef)],
    ['exp in words',          token({ userId => $user }, exp => 'never')],
    ['an old exp',            token({ userId => $user }, exp => time - 3)],
    ['no user',               token({ email => 'a@b.c' })],
    ['a user that is a list', token({ userId => [$user] })],
    ['an empty user',         token({ userId => '' })],
);
for my $case (@BAD) {
    my ($what, $token) = @$case;
    for my $call ([GET => 'getQuota'], [POST => 'neo-glitch-generate', { prompt => 'a cat', presetKey => 'base' }]) {
        my $got = from($token, @$call);
        is $got->{status}, 401, "$what is refused: @$call[0, 1]" or diag $got->{content};
        like data($got)->{code} // $got->{content}, qr/\A(?:AUTH_REQUIRED|TOKEN_EXPIRED)\z/, '... in JSON';
        is $got->{headers}{'access-control-allow-origin'}, '*', '... which a page may read';
    }
}
credits_are $user, 8, 0, 'no user paid for them';
credits_are $other, 5, 0, '... also those that the body named';

# ---- pages of other sites ----

my %PAGE = (Origin => 'https://front.example');
for my $call (
    [GET    => 'getQuota',                        $good, 200],
    [POST   => 'credits-reserve',                 $good, 200],
    [GET    => 'neo-glitch-status?jobId=x',       $good, 200],
    [GET    => 'neo-glitch-generate?jobId=x',     $good, 404],
    [GET    => 'presets-status?jobId=x',          $good, 404],
    [POST   => 'neo-glitch-generate',             $good, 422],
    [DELETE => 'credits-reserve',                 $good, 405],
    [GET    => 'getQuota',                        undef, 401],
    )
{
    my ($method, $name, $token, $status) = @$call;
    for my $headers ({%PAGE}, {}) {
        my $got = from($token, $method => $name, $method eq 'POST' ? {} : undef, $headers);
        is_deeply [$got->{status}, $got->{headers}{'access-control-allow-origin'}], [$status, '*'],
            "$method $name is $status, with CORS" or diag $got->{content};
    }
}
my %PREFLIGHT = ('Access-Control-Request-Method' => 'POST', 'Access-Control-Request-Headers' => 'authorization, x-app-key');
for my $headers ({ %PAGE, %PREFLIGHT }, {%PAGE}, {}) {
    for my $name (qw(getQuota neo-glitch-generate neo_glitch_status credits-finalize)) {
        my $got = from(undef, OPTIONS => $name, undef, $headers);
        is_deeply [$got->{status}, $got->{headers}{'access-control-allow-origin'}], [204, '*'],
            "OPTIONS $name is answered to anybody";
        like $got->{headers}{'access-control-allow-headers'}, qr/\b$_\b/, "... $_ is allowed"
            for qw(Authorization Content-Type X-App-Key X-Idempotency-Key);
    }
}
is from($good, POST => 'credits-reserve', {}, { %PAGE, 'Sec-Fetch-Site' => 'cross-site' })->{status}, 200,
    'a page of another site may call, with its token';

# ---- what is not ours ----

is from(undef, GET => 'verify-otp')->{content}, data(key_requests()), "the site's own function is reached, without a token";
is from(undef, POST => 'verify-otp', {})->{headers}{'access-control-allow-origin'}, undef, '... and answers for itself';
for my $name ('nothing', 'neo-glitch/generate', 'neo-glitch/status', 'generations', 'getQuota/', 'getquota', 'x/getQuota') {
    my $got = from($good, GET => $name);
    isnt $got->{status}, 200, "$name is not ours";
    unlike $got->{headers}{'content-type'} // '', qr/json/, '... and we say nothing';
}
is from($good, GET => 'get_quota')->{status}, 404, 'a name is written as it is, but for - and _'
    or diag 'get_quota';
is from($good, GET => 'health')->{status}, 200, 'health is one of the names';

is $httpd->alarms, '', 'nothing was wrong with that';
talk_to();
finish;

# A JWT with these claims, that ends in a minute.
sub token {
    my ($claims, %option) = @_;
    my %all = (iat => time - 10, exists $option{exp} ? () : (exp => time + 60), %$claims);
    $all{exp} = $option{exp} if defined $option{exp};
    my $alg  = $option{alg} // 'HS256';
    my $text = join '.', map { encode_base64url($_) } qq({"alg":"$alg","typ":"JWT"}), $JSON->encode(\%all);
    my $sign = $alg eq 'none' && !$option{signed} ? '' : hmac_sha256($text, $option{key} // $KEY);
    return "$text." . encode_base64url($sign);
}

sub from {
    my ($token, $method, $name, $json, $headers) = @_;
    return api($method => "$OLD/$name", $json ? (json => $json) : (),
        headers => { %{ $headers // {} }, defined $token ? (Authorization => "Bearer $token") : () });
}

sub key_requests {
    return HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/_keys");
}
