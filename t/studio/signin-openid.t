#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A sign-in by OpenID Connect (mod_auth_openidc, conf/genflow-signin.conf as it is shipped) ends while the page is open.
# The provider of the identity is a part of t/studio/signin.mjs.
use Genflow::Test;
use Genflow::Studio;

my $SECRET = 'thirty-two bytes for HS256 tests';
my $issuer = 'http://127.0.0.1:' . Genflow::Site::free_port();
my ($guard, $other) = signin_recipe('openid', $SECRET);
$other =~ s{(OIDCProviderMetadataURL) "https://login.example.com(.*)"\n}{$1 "$issuer$2"\nOIDCIDTokenSignedResponseAlg HS256\n}
    or die "the recipe names no provider\n";
browse('signin', studio_site(users => { guest => 20 }, sign_in => $guard, conf => $other,
    modules => qq(LoadModule auth_openidc_module "\${GENFLOW_LIBEXEC}/mod_auth_openidc.so"\n)),
    GENFLOW_SIGNIN => 'openid', GENFLOW_ISSUER => $issuer, GENFLOW_SECRET => $SECRET);
finish;
