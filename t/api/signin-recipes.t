#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# conf/genflow-signin.conf as it is shipped: who has not signed in by the form or by OpenID and opens a
# page is led to the sign-in; a program gets 401 in JSON, and never a redirect.
use Genflow::Test;

use Genflow::Httpd qw(small_site);

my $SHIPPED = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/conf/genflow-signin.conf");
my $KEY     = "$ENV{GENFLOW_WORK}/tmp/session-key-$$";

open my $file, '>', $KEY or die "$KEY: $!\n";
print $file "a passphrase of the tests\n";
close $file or die "$KEY: $!\n";

my $NAVIGATE = { Accept => 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'Sec-Fetch-Mode' => 'navigate',
    'Sec-Fetch-Dest' => 'document' };
my @PROGRAMS = (    # what, headers
    ['genflow.js over http',         { Accept => 'application/json' }],
    ['... over https',               { Accept => 'application/json', 'Sec-Fetch-Mode' => 'cors', 'Sec-Fetch-Dest' => 'empty' }],
    ['fetch() of a script',          { Accept => '*/*', 'Sec-Fetch-Mode' => 'cors', 'Sec-Fetch-Dest' => 'empty' }],
    ['a stream of events',           { Accept => 'text/event-stream', 'Sec-Fetch-Mode' => 'cors' }],
    ['a list of types',              { Accept => 'text/plain, Application/JSON;q=0.9, */*;q=0.1' }],
);
my @CALLS = ([GET => '/api/getQuota'], [GET => '/api/me'], [GET => '/api/nowhere'], [POST => '/api/neo-glitch/generate'],
    [DELETE => '/api/generation/01a1fe1d-7cb6-7b32-8952-3100505e2d45']);

# ---- a form ----

my $form = Genflow::Httpd->start(site() . <<"END" . mine($SHIPPED));
LoadModule request_module        "\${GENFLOW_LIBEXEC}/mod_request.so"
LoadModule session_module        "\${GENFLOW_LIBEXEC}/mod_session.so"
LoadModule session_cookie_module "\${GENFLOW_LIBEXEC}/mod_session_cookie.so"
LoadModule session_crypto_module "\${GENFLOW_LIBEXEC}/mod_session_crypto.so"
LoadModule auth_form_module      "\${GENFLOW_LIBEXEC}/mod_auth_form.so"
END
talk_to($form);
is_guarded(qr{\A(?:http://127.0.0.1:\d+)?/login.html\z}, 'the form');
grant('alice', 1);
my $in = api(POST => '/login', body => 'httpd_username=alice&httpd_password=secret',
    headers => { 'Content-Type' => 'application/x-www-form-urlencoded' });
is $in->{headers}{location} =~ s{\Ahttp://[^/]+}{}r, '/', 'the right password leads in';
my $cookie = cookie($in);
my $me = api(GET => '/api/me', headers => { Cookie => $cookie, Accept => 'application/json' });
is_deeply [$me->{status}, @{ data($me) }{qw(userId signOutUrl)}], [200, 'alice', '/logout'], '... under that name, with the way out';
my $wrong = api(POST => '/login', body => 'httpd_username=alice&httpd_password=guessed',
    headers => { 'Content-Type' => 'application/x-www-form-urlencoded' });
is $wrong->{headers}{location} =~ s{\Ahttp://[^/]+}{}r, '/login.html', 'a wrong one leads back';
my $out = api(GET => '/logout', headers => { Cookie => $cookie });
is $out->{headers}{location} =~ s{\Ahttp://[^/]+}{}r, '/login.html', 'signing out leads out';
error_is(api(GET => '/api/me', headers => { Cookie => cookie($out), Accept => 'application/json' }), 401, 'AUTHENTICATION_REQUIRED',
    '... for good');
is $form->alarms, '', 'nothing was wrong with that';

# ---- OpenID Connect ----

my $provider = <<'END';
OIDCProviderIssuer https://login.example.com
OIDCProviderAuthorizationEndpoint https://login.example.com/authorize
OIDCProviderTokenEndpoint https://login.example.com/token
OIDCProviderJwksUri https://login.example.com/jwks
END
my $oidc = Genflow::Httpd->start(site() . <<'END' . mine($SHIPPED =~ s/^ *OIDCProviderMetadataURL .*\n/$provider/mr));
LoadModule auth_openidc_module "${GENFLOW_LIBEXEC}/mod_auth_openidc.so"
Define GENFLOW_SIGNIN_OIDC
END
talk_to($oidc);
is_guarded(qr{\Ahttps://login.example.com/authorize\?}, 'OpenID');

talk_to();
finish;

# The site's own /api is another one: the recipe's replaces it.
sub site { return small_site() . "GenflowDispatch Off\n" }

# The recipe with files that are here.
sub mine {
    my ($text) = @_;
    $text =~ s{"/etc/apache2/users"}{"\${GENFLOW_WORK}/t/conf/users"}g;
    $text =~ s{SessionCryptoPassphraseFile "/etc/apache2/session.key"}{SessionCryptoPassphraseFile "$KEY"}g;
    $text =~ s{"exec:/bin/cat /etc/apache2/\S+"}{"exec:/bin/cat $KEY"}g;
    return $text;
}

sub is_guarded {
    my ($location, $by) = @_;
    for my $call (@CALLS) {
        my $page = send_it($call, $NAVIGATE);
        if ($call->[0] eq 'GET') {
            is $page->{status}, 302, "$by leads who opens $call->[1] to the sign-in";
            like $page->{headers}{location}, $location, '... at its address';
        }
        for my $program (@PROGRAMS) {
            my ($what, $headers) = @$program;
            my $res = send_it($call, $headers);
            error_is($res, 401, 'AUTHENTICATION_REQUIRED', "@$call, $what: $by refuses it");
            is $res->{headers}{'content-type'}, 'application/json', '... in JSON';
            ok !exists $res->{headers}{location}, '... without a redirect';
        }
    }
    is api(GET => '/api/health', headers => $NAVIGATE)->{status}, 200, '... but what needs no user is served';
    return;
}

sub send_it {
    my ($call, $headers) = @_;
    return api(@$call, headers => $headers, $call->[0] eq 'POST' ? (json => { prompt => 'a cat' }) : ());
}

sub cookie {
    my ($res) = @_;
    my ($last) = reverse grep { defined } map { ref ? @$_ : $_ } $res->{headers}{'set-cookie'};
    return ($last // '') =~ s/;.*//r;
}
