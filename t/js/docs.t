#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The program of docs/clients.md for genflow.js runs as it stands there, but for the host: it has at most ten
# lines, prints its picture, and pays for it once.
use Genflow::Test;

use Genflow::Keys;
use Genflow::Pages;

my $httpd = drawing_site(<<'END');
<Location "/api">
    SetHandler genflow-api
    AuthType GenflowKey
    Require valid-user
</Location>
END
my $user = account(10);
$ENV{GENFLOW_KEY} = new_key($user, scopes => ['images', 'read'])->{key};

my ($program) = grep { $_->{section} eq 'genflow.js' && $_->{language} eq 'javascript' } programs_of('docs/clients.md');
cmp_ok scalar(grep { /\S/ } split /\n/, $program->{text}), '<=', 10, 'the program has ten lines at most';
my @lines = split /\n/, output_of($program, $httpd->base);
like $lines[0], qr{\Ahttp://\S+/generated/\S+\.png\Z}, 'it prints its picture';
like $lines[1], qr{\A[0-9a-f-]{36} completed\Z}, '... and its history';
is scalar @lines, 2, '... which has nothing else';
credits_are $user, 8, 0, '... and it is paid once';
finish;
