#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The program of docs/clients.md for genflow.js runs as it stands there, but for the host: it has at most ten
# lines, prints its picture, and pays for it once.
use Genflow::Test;

use Genflow::Httpd qw(small_site);
use Genflow::Keys;
use Genflow::Site ();

plan skip_all => 'node is not installed: support/packages studio' if system('node --version >/dev/null 2>&1') != 0;

# What is made here is drawn by the site.
my $httpd = Genflow::Httpd->start(small_site() . <<'END');
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType custom-prompt>
    GenflowTypeProviders local/film
    GenflowTypeCost 2
    GenflowTypePromptMin 10
</GenflowType>
GenflowFetchAllow 127.0.0.1
<Location "/api">
    SetHandler genflow-api
    AuthType GenflowKey
    Require valid-user
</Location>
<Location "/generated">
    SetHandler genflow-result
</Location>
END
my $user = account(10);
$ENV{GENFLOW_KEY} = new_key($user, scopes => ['images', 'read'])->{key};

my $page = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/docs/clients.md");
my ($program) = $page =~ /^## genflow\.js\n.*?^```javascript\n(.*?)^```$/ms;
cmp_ok scalar(grep { /\S/ } split /\n/, $program), '<=', 10, 'the program has ten lines at most';
my $base = $httpd->base;
$program =~ s{https://images\.example}{$base};
my $folder = "$ENV{GENFLOW_WORK}/tmp/js-docs";
mkdir $_ or die "$_: $!\n" for $folder, "$folder/node_modules";
symlink "$ENV{GENFLOW_WORK}/js", "$folder/node_modules/mod-genflow" or die "$folder: $!\n";
open my $file, '>', "$folder/program.mjs" or die "$folder: $!\n";
print $file $program;
close $file or die "$folder: $!\n";
my @lines = split /\n/, scalar qx{cd $folder && node program.mjs 2>&1};
like $lines[0], qr{\Ahttp://\S+/generated/\S+\.png\Z}, 'it prints its picture';
like $lines[1], qr{\A[0-9a-f-]{36} completed\Z}, '... and its history';
is scalar @lines, 2, '... which has nothing else';
credits_are $user, 8, 0, '... and it is paid once';
finish;
