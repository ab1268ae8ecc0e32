#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The programs of docs/clients.md run as they stand there, but for the host, at a site with
# conf/genflow-fronts.conf: each has at most ten lines of code, prints its picture, and pays for it once.
use Genflow::Test;

use Genflow::Keys;
use Genflow::Pages;
use Genflow::Site ();

plan skip_all => 'the clients are not installed: support/check --clients' if !-d 't/clients/node_modules/';
my $httpd = drawing_site(<<'END');
GenflowWebhookSecret env:WEBHOOK_SECRET
Include "${GENFLOW_WORK}/conf/genflow-fronts.conf"
END
my $user = account(40);
my $key  = new_key($user, scopes => ['images', 'read']);
$ENV{GENFLOW_KEY} = $key->{key};

my %wants = (    # what it prints
    'openai'         => qr/\A\d{3,} characters/,
    'replicate'      => qr{\Ahttp://\S+/generated/\S+\.png\Z},
    '@fal-ai/client' => qr{\Ahttp://\S+/generated/\S+\.png\Z},
    'AI SDK'         => qr/\A\d{3,} bytes/,
);
my $balance = 40;
my %seen;
for my $program (grep { $_->{language} eq 'js' } programs_of('docs/clients.md')) {
    my ($name, $text) = @$program{qw(section text)};
    my @lines = grep { /\S/ } split /\n/, $text;
    cmp_ok scalar @lines, '<=', 10, "$name: the program has ten lines at most";
    is_deeply [grep { $_ ne 'https://images.example' } $text =~ m{https?://[^/']+}g], [], '... and names our host alone';
    like output_of($program, $httpd->base, 't/clients'), $wants{$name} // qr/(?!)/, '... and prints its picture';
    credits_are $user, $balance -= 2, 0, '... which is paid once';
    $seen{$name} = 1;
}
is_deeply [sort keys %seen], [sort keys %wants], 'each client has a program';
my $readme = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/README.md");
like $readme, qr{\Qdocs/clients.md\E}, 'README leads there';

# ---- the shipped names ----

my %NAMES = (openai => 'gpt-image-1', replicate => 'black-forest-labs/flux-dev', fal => 'fal-ai/flux/dev');
my $conf  = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/conf/genflow-fronts.conf");
like $conf, qr/SetHandler genflow-$_\b.*?^ +GenflowModel \Q$NAMES{$_}\E /ms, "genflow-$_ has $NAMES{$_}" for sort keys %NAMES;
finish;
