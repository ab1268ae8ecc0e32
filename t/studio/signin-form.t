#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A sign-in by a form (mod_auth_form, conf/genflow-signin.conf as it is shipped) ends while the page is open:
# t/studio/signin.mjs.
use Genflow::Test;
use Genflow::Studio;

my $page = "$ENV{GENFLOW_WORK}/tmp/login-$$.html";
Genflow::Site::write_text($page, <<'END');
<!doctype html><html lang="en"><title>Sign in</title><main><h1>Sign in</h1><form method="post" action="/login">
<input name="httpd_username" aria-label="User"><input name="httpd_password" type="password" aria-label="Password">
<button>Sign in</button></form></main></html>
END
my ($guard, $other) = signin_recipe('form', 'a passphrase of the tests');
my $modules = join '', map { qq(LoadModule ${_}_module "\${GENFLOW_LIBEXEC}/mod_$_.so"\n) }
    qw(request session session_cookie session_crypto auth_form);
browse('signin', studio_site(users => { guest => 20 }, modules => $modules, sign_in => $guard, conf => <<"END"), GENFLOW_SIGNIN => 'form');
Alias "/login.html" "$page"
<Location "/login.html">
    Require all granted
</Location>
$other
END
finish;
