#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Bearer tokens, verified by mod_auth_openidc: the user is the token's subject. A token that expires
# while a generation runs costs no user anything: a new one finds the picture, charged once. What is
# refused has the format of every error, an expired token by a code of its own.
use Genflow::Test;

use Digest::SHA qw(hmac_sha256);
use Genflow::Httpd qw(small_site);
use MIME::Base64 qw(encode_base64url);

my $KEY = 'thirty-two bytes for HS256 tests';
my $httpd = Genflow::Httpd->start(small_site() . <<"END");
GenflowDispatch Off
LoadModule auth_openidc_module "\${GENFLOW_LIBEXEC}/mod_auth_openidc.so"
OIDCOAuthVerifySharedKeys "plain##$KEY"
OIDCOAuthRemoteUserClaim sub
<Location "/api">
    SetHandler genflow-api
    AuthType oauth20
    Require valid-user
</Location>
<Location "/other">
    AuthType oauth20
    Require valid-user
</Location>
END
talk_to($httpd);

my ($user, $other) = (account(5), account(5));
my $GENERATE = '/api/neo-glitch/generate';
my $good     = token($user, 600);

# ---- who may come in ----

my $ID = 'by oidc' . $$;
my @TOKENS = (    # what, Authorization
    ['no token',             undef],
    ['an empty token',       'Bearer '],
    ['no JWT',               'Bearer x.y.z'],
    ['another key',          'Bearer ' . token($user, 600, key => 'x' x 32)],
    ['an expired token',     'Bearer ' . token($user, -1)],
    ['a token of no key',    'Bearer ' . token($user, 600, alg => 'none')],
    ['another subject put in', 'Bearer ' . join '.', (split /\./, $good)[0],
        encode_base64url(qq({"sub":"$other","exp":9999999999})), (split /\./, $good)[2]],
);
for my $case (@TOKENS) {
    my ($what, $header) = @$case;
    for my $call ([GET => '/api/getQuota'], [POST => $GENERATE]) {
        my $res = api(@$call, headers => defined $header ? { Authorization => $header } : {},
            $call->[0] eq 'POST' ? (json => { prompt => $ID }) : ());
        error_is($res, 401, $what =~ /expired/ ? 'TOKEN_EXPIRED' : 'AUTHENTICATION_REQUIRED',
            "$what is refused: @$call");
        is $res->{headers}{'content-type'}, 'application/json', '... in JSON';
        like $res->{headers}{'www-authenticate'}, qr/\ABearer\b/, '... as httpd does it';
        like $res->{headers}{'www-authenticate'}, qr/invalid_token/, '... with the reason'
            if $what =~ /expired/;
    }
}
my %EXPIRED = (headers => { Authorization => 'Bearer ' . token($user, -1) });
my $head = api(HEAD => '/api/getQuota', %EXPIRED);
is_deeply [$head->{status}, $head->{content} // '', $head->{headers}{'content-type'}], [401, '', 'application/json'],
    'a HEAD request gets the head';
my $other_page = api(GET => '/other', %EXPIRED);
is $other_page->{status}, 401, 'what is not of the API is refused, too';
like $other_page->{content}, qr/<html>/i, '... by the page of httpd';
is submissions($ID), 0, 'nothing is made for them';
credits_are $user, 5, 0, '... or held';

# ---- one generation ----

my $res  = make($good, { prompt => "a cat of $user" });
my $made = data($res);
is "$res->{status} $made->{status} $made->{userId}", "200 completed $user", 'a token makes a picture';
credits_are $user, 4, 0, "... which its subject pays";
my $status = "/api/neo-glitch/status?id=$made->{id}";
is seen($good, $status)->{status}, 200, 'who has made it may see it';
is data(seen(token($user, 600), $status))->{id}, $made->{id}, '... with any token of theirs';
error_is(seen(token($other, 600), $status), 403, 'UNAUTHORIZED', 'no other user may');

# ---- a token that expires meanwhile ----

my $prompt = "a slow cat of $user {{gate=$user}}";
my %KEY    = ('Idempotency-Key' => "slow-$user", Prefer => 'respond-async');
my $short  = token($user, 8);
my $slow   = data(make($short, { prompt => $prompt }, %KEY));
like $slow->{status}, qr{\A(?:pending|processing)\z}, 'a generation runs';
credits_are $user, 4, 1, '... on a hold';
ok wait_for(sub { seen($short, '/api/getQuota')->{status} == 401 }), 'its token expires';
my $job = '/api/neo-glitch/status?id=' . $slow->{id};
my $new = token($user, 600);
error_is(seen($short, $job), 401, 'TOKEN_EXPIRED', '... and does not even show it');
is data(seen($new, $job))->{status}, 'processing', 'a new one does: it is still running';
error_is(make($new, { prompt => $prompt }, %KEY), 409, 'IDEMPOTENCY_IN_PROGRESS',
    'the call, repeated with it, is that generation');
open_gate($user);
my $end = data(seen($new, $job, Prefer => 'wait=60'));
is $end->{status}, 'completed', 'which ends with its picture';
ok $end->{imageUrl}, '... at an address';
my $again = make($new, { prompt => $prompt }, %KEY);
is_deeply [$again->{status}, data($again)->{id}, $again->{headers}{'idempotency-replayed'}],
    [200, $slow->{id}, 'true'], 'repeated once more it is answered with it';
is submissions($prompt), 1, 'it was sent once';
credits_are $user, 3, 0, '... and charged once';

my $late = make(token($user, 6), { prompt => "a later cat of $user {{delay=8000}}" },
    Prefer => 'wait=60');
is "$late->{status} " . data($late)->{status}, '200 completed',
    'who waits gets the picture, although the token expires meanwhile';
credits_are $user, 2, 0, '... for one credit';

is $httpd->alarms, '', 'nothing was wrong with that';
talk_to();
finish;

# A JWT of that subject, which ends in so many seconds.
sub token {
    my ($subject, $seconds, %option) = @_;
    my $alg  = $option{alg} // 'HS256';
    my $text = join '.', map { encode_base64url($_) } qq({"alg":"$alg","typ":"JWT"}),
        sprintf '{"sub":"%s","iat":%d,"exp":%d}', $subject, time - 10, time + $seconds;
    my $sign = $alg eq 'none' ? '' : hmac_sha256($text, $option{key} // $KEY);
    return "$text." . encode_base64url($sign);
}

sub make {
    my ($token, $json, %headers) = @_;
    return api(POST => $GENERATE, json => { presetKey => 'base', %$json },
        headers => { %headers, Authorization => "Bearer $token" });
}

sub seen {
    my ($token, $path, %headers) = @_;
    return api(GET => $path, headers => { %headers, Authorization => "Bearer $token" });
}
