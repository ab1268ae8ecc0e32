#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A login form and a session in a cookie (mod_auth_form, mod_session): who signed in makes pictures
# under that name until signing out; who did not, makes none.
use Genflow::Test;

use Genflow::Httpd qw(small_site);

my $httpd = Genflow::Httpd->start(small_site() . <<'END');
GenflowDispatch Off
LoadModule request_module        "${GENFLOW_LIBEXEC}/mod_request.so"
LoadModule session_module        "${GENFLOW_LIBEXEC}/mod_session.so"
LoadModule session_cookie_module "${GENFLOW_LIBEXEC}/mod_session_cookie.so"
LoadModule session_crypto_module "${GENFLOW_LIBEXEC}/mod_session_crypto.so"
LoadModule auth_form_module      "${GENFLOW_LIBEXEC}/mod_auth_form.so"
Session On
SessionCookieName session path=/;httponly;samesite=lax
SessionCryptoPassphrase "a passphrase of the tests"
<Location "/">
    AuthType form
    AuthName genflow
    AuthFormProvider file
    AuthUserFile "${GENFLOW_WORK}/t/conf/users"
    Require all granted
</Location>
<Location "/login">
    SetHandler form-login-handler
    AuthFormLoginRequiredLocation "/again"
    AuthFormLoginSuccessLocation "/welcome"
</Location>
<Location "/logout">
    SetHandler form-logout-handler
    AuthFormLogoutLocation "/bye"
</Location>
<Location "/api">
    SetHandler genflow-api
    Require valid-user
</Location>
END
talk_to($httpd);

grant($_, 2) for qw(alice bob);
my $GENERATE = '/api/neo-glitch/generate';
my $before   = credits('alice')->[0];

# ---- outside ----

my $prompt = 'a cat of the form ' . $$;
is made(undef)->{status}, 401, 'who has not signed in makes nothing';
is made('session=made up')->{status}, 401, 'nor with a cookie of their own';
my $wrong = login('alice', 'guessed');
is $wrong->{headers}{location} =~ s{.*/}{/}r, '/again', 'a wrong password leads back';
is made(cookie($wrong))->{status}, 401, '... and to nothing else';
is submissions($prompt), 0, 'nothing was sent';

# ---- inside ----

my $in = login('alice', 'secret');
is $in->{headers}{location} =~ s{.*/}{/}r, '/welcome', 'the right one leads in';
my $alice = cookie($in);
like $in->{headers}{'set-cookie'}, qr/samesite=lax/i, '... with a cookie that stays on the site';
unlike $alice, qr/secret/, '... and keeps the password to itself';
my $res  = made($alice);
my $made = data($res);
is "$res->{status} $made->{status} $made->{userId}", '200 completed alice', 'alice makes a picture';
is submissions($prompt), 1, '... which was sent';
is $before - credits('alice')->[0], 1, '... and pays for it';
my $status = "/api/neo-glitch/status?id=$made->{id}";
is data(seen($alice, $status))->{id}, $made->{id}, '... and sees it';
error_is(seen(cookie(login('bob', 'secret')), $status), 403, 'UNAUTHORIZED', 'bob does not');

# ---- outside again ----

my $out = seen($alice, '/logout');
is $out->{headers}{location} =~ s{.*/}{/}r, '/bye', 'signing out leads out';
is made(cookie($out))->{status}, 401, '... where nothing is made';
is seen(cookie($out), $status)->{status}, 401, '... or seen';
is submissions($prompt), 1, 'nothing more was sent';
is data(seen(cookie(login('alice', 'secret')), $status))->{id}, $made->{id},
    'who signs in again finds the picture';

is $httpd->alarms, '', 'nothing was wrong with that';
talk_to();
finish;

sub login {
    my ($name, $password) = @_;
    return api(POST => '/login', body => "httpd_username=$name&httpd_password=$password",
        headers => { 'Content-Type' => 'application/x-www-form-urlencoded' });
}

# The cookie that a client has after this answer; undef: none.
sub cookie {
    my ($res) = @_;
    my ($last) = reverse grep { defined } map { ref ? @$_ : $_ } $res->{headers}{'set-cookie'};
    return $last ? $last =~ s/;.*//r : undef;
}

sub made {
    my ($cookie) = @_;
    return api(POST => $GENERATE, json => { prompt => $prompt },
        headers => defined $cookie ? { Cookie => $cookie } : {});
}

sub seen {
    my ($cookie, $path) = @_;
    return api(GET => $path, headers => defined $cookie ? { Cookie => $cookie } : {});
}
