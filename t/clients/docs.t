#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The programs of docs/clients.md run as they stand there, but for the host, at a site with
# conf/genflow-fronts.conf: each has at most ten lines of code, prints its picture, and pays for it once.
use Genflow::Test;

use Genflow::Httpd qw(small_site);
use Genflow::Keys;
use Genflow::Site ();

plan skip_all => 'the clients are not installed: support/check --clients'
    if !-d 't/clients/node_modules/' || system('node --version >/dev/null 2>&1') != 0;

# What is made here is drawn by the site.
my $httpd = Genflow::Httpd->start(small_site() . <<'END');
GenflowFetchAllow 127.0.0.1
GenflowWebhookSecret env:WEBHOOK_SECRET
<GenflowProvider local>
    GenflowProviderKind local
</GenflowProvider>
<GenflowType custom-prompt>
    GenflowTypeProviders local/film
    GenflowTypeCost 2
    GenflowTypePromptMin 10
</GenflowType>
<Location "/generated">
    SetHandler genflow-result
</Location>
Include "${GENFLOW_WORK}/conf/genflow-fronts.conf"
END
my $user = account(40);
my $key  = new_key($user, scopes => ['images', 'read']);
$ENV{GENFLOW_KEY} = $key->{key};

my $page  = Genflow::Site::read_text("$ENV{GENFLOW_WORK}/docs/clients.md");
my %wants = (    # what it prints
    'openai'         => qr/\A\d{3,} characters/,
    'replicate'      => qr{\Ahttp://\S+/generated/\S+\.png\Z},
    '@fal-ai/client' => qr{\Ahttp://\S+/generated/\S+\.png\Z},
    'AI SDK'         => qr/\A\d{3,} bytes/,
);
my $balance = 40;
my %seen;
while ($page =~ /^## (\S[^\n]*)\n(?:(?!^## ).)*?^```js\n(.*?)^```$/msg) {
    my ($name, $program) = ($1, $2);
    my @lines = grep { /\S/ } split /\n/, $program;
    cmp_ok scalar @lines, '<=', 10, "$name: the program has ten lines at most";
    is_deeply [grep { $_ ne 'https://images.example' } $program =~ m{https?://[^/']+}g], [], '... and names our host alone';
    my $base = $httpd->base;
    $program =~ s{https://images\.example}{$base}g;
    like run($program), $wants{$name} // qr/(?!)/, '... and prints its picture';
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

# Runs it beside the clients, whose packages it imports; what it prints.
sub run {
    my ($program) = @_;
    my $pid = open(my $out, '-|') // die "fork: $!\n";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT or POSIX::_exit(1);
        chdir 't/clients' or POSIX::_exit(1);
        exec 'node', '--input-type=module', '-e', $program or POSIX::_exit(1);
    }
    local $/ = undef;
    my $text = <$out> // '';
    close $out;
    return $text;
}
